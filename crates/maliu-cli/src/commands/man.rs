//! `maliu man`: the manual page, one for all commands.

use clap_mangen::Man;

use crate::{context::Context, failure::Result, output};

/// Prints the manual page in roff.
#[derive(clap::Args)]
#[command(hide = true, after_help = "Example:\n  maliu man | man -l -")]
pub(crate) struct Args {}

/// Prints it: the page of the program, then a section for each command.
pub(super) fn run(_: Args, context: &Context) -> Result {
    let mut program = crate::commands();
    program.build();
    let mut page = Vec::new();
    let man = Man::new(program.clone());
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    for command in program.get_subcommands().filter(|command| !command.is_hide_set() && command.get_name() != "help") {
        let title = format!(".SH \"MALIU {}\"\n", command.get_name().to_uppercase());
        page.extend_from_slice(title.as_bytes());
        let section = Man::new(command.clone());
        section.render_synopsis_section(&mut page)?;
        section.render_description_section(&mut page)?;
        section.render_options_section(&mut page)?;
        section.render_extra_section(&mut page)?;
    }
    man.render_extra_section(&mut page)?;
    man.render_version_section(&mut page)?;
    output::print(context, |out| Ok(out.write_all(&page)?))
}
