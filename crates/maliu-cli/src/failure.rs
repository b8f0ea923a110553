//! Why a command ended early, and with which exit code.

use std::{
    fmt,
    io::{self, Write},
    process::ExitCode,
};

/// What went wrong, ready to be shown.
#[derive(Debug)]
pub enum Failure {
    /// The work failed: exit code 1.
    Failed(String),
    /// The call makes no sense: exit code 2.
    Usage(String),
    /// Whoever read our output has gone: nothing to say, as `head` expects.
    BrokenPipe,
}

/// The result of a command.
pub type Result<T = ()> = std::result::Result<T, Failure>;

impl Failure {
    /// A failure while `doing` something to `name`.
    pub fn while_(doing: &str, name: &str, why: impl fmt::Display) -> Self {
        Self::Failed(format!("{doing} {name}: {why}"))
    }

    /// A failure of writing to `name`; a broken pipe is told apart.
    pub fn writing(name: &str, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::BrokenPipe,
            _ => Self::while_("writing", name, error),
        }
    }

    /// Says it on stderr and gives the exit code.
    pub fn exit(self) -> ExitCode {
        match self {
            Self::Failed(why) => {
                say(&why);
                ExitCode::from(1)
            }
            Self::Usage(why) => {
                say(&format!("{why}\nmaliu --help tells more"));
                ExitCode::from(2)
            }
            Self::BrokenPipe => ExitCode::SUCCESS,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(why) | Self::Usage(why) => f.write_str(why),
            Self::BrokenPipe => f.write_str("the output was closed"),
        }
    }
}

/// A closed stderr must not turn a failure into a panic.
fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Errors of writing to standard output.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::writing("standard output", &error)
    }
}
