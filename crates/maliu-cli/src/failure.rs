//! Why a command ended early, and with which exit code.

use std::{
    fmt,
    io::{self, Write},
};

use maliu::plain::plain;

use crate::{
    escape::{self, Escaping},
    paths,
};

/// Exit code: all is done, or the reader of the output has closed it.
pub const DONE: u8 = 0;

/// Exit code: the work failed. The good part of an input that failed on the way is written.
pub const FAILED: u8 = 1;

/// Exit code: the call makes no sense.
pub const USAGE: u8 = 2;

/// Exit code: stopped by Ctrl-C or a request to end, as shells expect.
pub const STOPPED: u8 = 130;

/// A failure, ready to be shown.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The work failed.
    Failed(String),
    /// The system failed to give the bytes of an input: what follows is unknown.
    Unread(String),
    /// The call makes no sense.
    Usage(String),
    /// The user has stopped it before its end.
    Stopped(String),
    /// The reader of our output has gone: nothing is reported, as `head` expects.
    BrokenPipe,
}

/// The result of a command.
pub(crate) type Result<T = ()> = std::result::Result<T, Failure>;

impl Failure {
    /// A failure while `doing` something to `name`.
    pub(crate) fn while_(doing: &str, name: &str, why: impl fmt::Display) -> Self {
        Self::Failed(format!("{doing} {}: {}", plain(name), plain(&why.to_string())))
    }

    /// A failure of writing to `name`; a broken pipe is told apart.
    pub(crate) fn writing(name: &str, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::BrokenPipe,
            _ => Self::while_("writing", name, error),
        }
    }

    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Failed(_) | Self::Unread(_) => FAILED,
            Self::Usage(_) => USAGE,
            Self::Stopped(_) => STOPPED,
            Self::BrokenPipe => DONE,
        }
    }

    /// The error text for the user; empty for a closed output.
    pub(crate) fn words(self) -> String {
        match self {
            Self::Failed(why) | Self::Unread(why) | Self::Stopped(why) => escape::text(&paths::shown(&why)),
            Self::Usage(why) => format!("{}\ntry `maliu --help`", escape::text(&paths::shown(&why))),
            Self::BrokenPipe => String::new(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(why) | Self::Unread(why) | Self::Stopped(why) | Self::Usage(why) => f.write_str(why),
            Self::BrokenPipe => f.write_str("the output was closed"),
        }
    }
}

/// Says a line on stderr. A closed stderr must not turn it into a panic.
pub(crate) fn say(line: &str) {
    let _ = writeln!(Escaping(io::stderr()), "{}", paths::shown(line));
}

/// Errors of writing to standard output.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::writing("standard output", &error)
    }
}
