//! `maliu formats`: what can be read and written.

use std::io::Write;

use maliu::{format::Format, formats, hls};
use serde_json::json;

use crate::{
    context::Context,
    failure::{Failure, Result},
    matrix, output,
    values::{Help, SETTINGS},
};

/// Lists the formats that can be read (D) and written (E).
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  maliu formats\n  maliu formats flv        settings of one format\n  maliu formats --matrix which codecs each format carries"
)]
pub(crate) struct Args {
    /// Show this format with its settings.
    name: Option<String>,
    /// Print a table of codecs and the formats that are written with them.
    #[arg(long, conflicts_with = "name")]
    matrix: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Prints the list.
pub(super) fn run(args: Args, context: &Context) -> Result {
    output::print(context, |out| list(out, args))
}

fn list(out: &mut dyn Write, args: Args) -> Result {
    if args.matrix {
        return if args.json { matrix::json(out) } else { matrix::text(out) };
    }
    if args.json {
        return json(out, args.name.as_deref());
    }
    let Some(name) = args.name else {
        for format in all() {
            writeln!(out, "{} {:<12} {}", abilities(format), format.name, format.long_name)?;
        }
        return Ok(());
    };
    let Some(format) = named(&name) else {
        return Err(unknown(&name));
    };
    writeln!(out, "{} {}: {}", abilities(format), format.name, format.long_name)?;
    writeln!(out, "  extensions: {}\n  types: {}", format.extensions.join(", "), format.mime.join(", "))?;
    for help in format.settings {
        setting(out, help)?;
    }
    if format.muxer.is_some() {
        writeln!(out, "  and of every format that is written:")?;
        SETTINGS.iter().try_for_each(|help| setting(out, help))?;
    }
    Ok(())
}

fn setting(out: &mut dyn Write, help: &Help) -> Result {
    Ok(writeln!(out, "  -o {}={} (default {}): {}", help.name, help.value, help.default, help.what)?)
}

/// All formats, or the one of this name, as a JSON array; general settings stand with those of a format that is written.
fn json(out: &mut dyn Write, name: Option<&str>) -> Result {
    let wanted = match name {
        None => all().collect(),
        Some(name) => vec![named(name).ok_or_else(|| unknown(name))?],
    };
    let setting =
        |help: &Help| json!({ "name": help.name, "value": help.value, "default": help.default, "what": help.what });
    let one = |format: &&Format| {
        let general: &[Help] = if format.muxer.is_some() { SETTINGS } else { &[] };
        json!({
            "name": format.name,
            "long_name": format.long_name,
            "reads": abilities(format).starts_with('D'),
            "writes": format.muxer.is_some(),
            "extensions": format.extensions,
            "types": format.mime,
            "settings": format.settings.iter().chain(general).map(setting).collect::<Vec<_>>(),
        })
    };
    let list: Vec<_> = wanted.iter().map(one).collect();
    Ok(writeln!(out, "{}", serde_json::Value::from(list))?)
}

/// The formats, and playlists of segments in them.
fn all() -> impl Iterator<Item = &'static Format> {
    formats::ALL.iter().copied().chain([playlist()])
}

fn named(name: &str) -> Option<&'static Format> {
    Some(playlist()).filter(|format| format.name == name).or_else(|| formats::named(name))
}

fn playlist() -> &'static Format {
    hls::Container::default().format()
}

fn unknown(name: &str) -> Failure {
    Failure::Usage(format!("no format is called {name}"))
}

fn abilities(format: &Format) -> String {
    let mark = |can, letter| if can { letter } else { '.' };
    if format.name == playlist().name {
        // Playlists are read by the segments that they list, and written beside them.
        return "DE".to_owned();
    }
    [mark(format.demuxer.is_some(), 'D'), mark(format.muxer.is_some(), 'E')].iter().collect()
}
