//! `maliu completions`: what a shell needs to complete our arguments.

use crate::{context::Context, failure::Result, output};

/// Prints completions for a shell.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  maliu completions bash > /etc/bash_completion.d/maliu")]
pub(crate) struct Args {
    /// The shell.
    shell: clap_complete::Shell,
}

/// Prints them.
pub(super) fn run(args: Args, context: &Context) -> Result {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut crate::commands(), "maliu", &mut script);
    output::print(context, |out| Ok(out.write_all(&script)?))
}
