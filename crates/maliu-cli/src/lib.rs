//! The command line as a library: what `maliu` runs, with files or with streams of the caller's own.
//!
//! ```
//! struct Nothing;
//! impl maliu_cli::Places for Nothing {}
//! let end = maliu_cli::run(&["probe", "missing.aac"], Nothing);
//! assert_eq!(end.code, maliu_cli::FAILED);
//! assert!(end.why.starts_with("opening missing.aac"));
//! ```

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use context::Context;

mod commands;
mod context;
mod descriptors;
mod escape;
mod failure;
mod flac;
mod folders;
mod hear;
mod input;
mod json;
mod keys;
mod layouts;
mod link;
mod listening;
mod log;
mod loudness;
mod many;
mod matrix;
mod output;
mod paths;
mod plot;
mod progress;
mod relaying;
mod stop;
mod sums;
mod terminal;
mod time;
mod values;
mod video;
mod watch;

pub use context::Places;
pub use failure::{DONE, FAILED, STOPPED, USAGE};

/// Reads, checks, converts and sends media: MP4, Matroska, MPEG-TS, FLV, Ogg, FLAC, WAV, MP3, AAC, H.264, H.265 and more.
#[derive(Parser)]
#[command(name = "maliu", version, after_help = EXAMPLES, max_term_width = 110)]
struct Cli {
    #[command(flatten)]
    log: log::Args,
    #[command(subcommand)]
    command: commands::Command,
}

const EXAMPLES: &str = "Examples:
  maliu probe song.mp3                       what is in it
  maliu probe --json --packets song.mp3      every packet, with ffprobe's names
  maliu decode song.mp3 song.wav             to PCM
  maliu formats                              what can be read and written

A file name of - is standard input or output. Exit codes: 0 done, 1 failed, 2 wrong usage, 130 stopped by Ctrl-C or a \
request to end. A reader of the output that closes it early is not an error.";

/// All commands and their arguments, for completions and the manual.
fn commands() -> clap::Command {
    Cli::command()
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    cli.log.start();
    let context = Context::default();
    context.stop.listen();
    let done = cli.command.run(&context);
    cli.log.finish();
    let end = End::of(done, &context);
    if !end.why.is_empty() {
        failure::say(&end.why);
    }
    ExitCode::from(end.code)
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// [`DONE`], [`FAILED`], [`USAGE`] or [`STOPPED`].
    pub code: u8,
    /// The error text for the user.
    pub why: String,
}

impl End {
    fn of(done: failure::Result, context: &Context) -> Self {
        let (code, why) = match done {
            Ok(()) => (DONE, String::new()),
            Err(failure) => (failure.code(), failure.words()),
        };
        // The part that was read up to the stop may have been written whole: it is still only a part.
        Self { code: if context.stop.was_noticed() { STOPPED } else { code }, why }
    }
}

/// Runs a command line, without the name of the program, on streams of the caller's own. Warnings go to the caller's
/// `tracing` subscriber.
pub fn run(line: &[&str], places: impl Places + 'static) -> End {
    let cli = match Cli::try_parse_from(std::iter::once("maliu").chain(line.iter().copied())) {
        Ok(cli) => cli,
        Err(error) => return End { code: USAGE, why: error.to_string() },
    };
    let context = Context::with(places);
    let done = cli.command.run(&context);
    End::of(done, &context)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_arguments_of_every_command_are_consistent() {
        super::commands().debug_assert();
    }
}
