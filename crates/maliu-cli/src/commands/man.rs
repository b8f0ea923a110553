//! `maliu man`: the manual pages, one for all commands and one for each.

use clap_mangen::Man;

use crate::{
    context::Context,
    failure::{Failure, Result},
    output,
};

/// Prints the manual page in roff: of all commands, or of one.
#[derive(clap::Args)]
#[command(hide = true, after_help = "Examples:\n  maliu man | man -l -\n  maliu man decode > maliu-decode.1")]
pub(crate) struct Args {
    /// Command whose page is printed (default: one page for all).
    #[arg(value_name = "COMMAND")]
    command: Option<String>,
}

/// Prints it: the page of the program, then a section for each command.
pub(super) fn run(args: Args, context: &Context) -> Result {
    let mut program = crate::commands();
    program.build();
    let mut page = Vec::new();
    if let Some(name) = &args.command {
        let command = program.find_subcommand(name).filter(|command| !command.is_hide_set());
        let command = command.ok_or_else(|| Failure::Usage(format!("no command is called {name}")))?.clone();
        Man::new(command.display_name(format!("maliu-{name}"))).render(&mut page)?;
        return output::print(context, |out| Ok(out.write_all(&page)?));
    }
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
