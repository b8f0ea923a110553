//! `maliu formats`: what can be read and written.

use std::io::Write;

use maliu::{format::Format, formats, hls};

use crate::{context::Context, failure::Result, output};

/// Lists the formats that can be read (D) and written (E).
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  maliu formats\n  maliu formats flv      settings of one format")]
pub(crate) struct Args {
    /// Show this format with its settings.
    name: Option<String>,
}

/// Prints the list.
pub(super) fn run(args: Args, context: &Context) -> Result {
    output::print(context, |out| list(out, args))
}

fn list(out: &mut dyn Write, args: Args) -> Result {
    let Some(name) = args.name else {
        for format in formats::ALL.iter().copied().chain([hls::Container::default().format()]) {
            writeln!(out, "{} {:<12} {}", abilities(format), format.name, format.long_name)?;
        }
        return Ok(());
    };
    let playlist = Some(hls::Container::default().format()).filter(|format| format.name == name);
    let Some(format) = playlist.or_else(|| formats::named(&name)) else {
        return Err(crate::failure::Failure::Usage(format!("no format is called {name}")));
    };
    writeln!(out, "{} {}: {}", abilities(format), format.name, format.long_name)?;
    writeln!(out, "  extensions: {}\n  types: {}", format.extensions.join(", "), format.mime.join(", "))?;
    for help in format.settings {
        writeln!(out, "  -o {}={} (default {}): {}", help.name, help.value, help.default, help.what)?;
    }
    Ok(())
}

fn abilities(format: &Format) -> String {
    let mark = |can, letter| if can { letter } else { '.' };
    if format.name == hls::Container::default().format().name {
        // Playlists are read by the segments that they list, and written beside them.
        return "DE".to_owned();
    }
    [mark(format.demuxer.is_some(), 'D'), mark(format.muxer.is_some(), 'E')].iter().collect()
}
