//! The command line: media probed, decoded, listed.

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

mod commands;
mod descriptors;
mod failure;
mod input;
mod json;
mod keys;
mod layouts;
mod lent;
mod link;
mod listening;
mod log;
mod output;
mod pace;
mod progress;
mod stop;
mod time;
mod video;

/// Reads, checks and converts media: AAC, MP3, WAV, FLV, H.264, H.265.
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

A file name of - is standard input or output. Exit codes: 0 done, 1 failed, 2 wrong usage.";

/// All commands and their arguments, for completions and the manual.
fn commands() -> clap::Command {
    Cli::command()
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    cli.log.start();
    stop::listen();
    let done = cli.command.run();
    cli.log.finish();
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.exit(),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_arguments_of_every_command_are_consistent() {
        super::commands().debug_assert();
    }
}
