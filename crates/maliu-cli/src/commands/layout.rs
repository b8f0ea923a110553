//! `maliu layout`: layouts listed, shown, checked, guessed, explained on a capture, exported as a Wireshark dissector.

use std::io::Write;

use maliu::{
    input::Input,
    layout::{self, Layout, Line, PRESETS},
    plain::plain,
};
use serde_json::json;

use crate::{
    context::Context,
    failure::{Failure, Result},
    input, layouts, output,
};

/// Works with layouts: descriptions of private |header|data| protocols.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

const EXAMPLES: &str = "Examples:
  maliu layout list                              the presets
  maliu layout show scrcpy > mine.toml           a preset to start your own layout from
  maliu layout check mine.toml                   faults with line, column and a hint
  maliu layout explain mine.toml capture.bin     an annotated hex dump
  maliu layout guess capture.bin > mine.toml     a layout for a capture of an unknown protocol
  maliu layout wireshark mine.toml > mine.lua    a dissector: tshark -X lua_script:mine.lua";

#[derive(clap::Subcommand)]
enum What {
    /// Lists the presets.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Prints the text of a preset or file.
    Show {
        /// Preset or file.
        layout: String,
    },
    /// Checks a layout and prints its parts.
    Check {
        /// Preset or file.
        layout: String,
        /// Print faults as JSON: line, column, what, hint.
        #[arg(long)]
        json: bool,
    },
    /// Prints a capture as a hex dump in which every field is named.
    Explain {
        /// Preset or file.
        layout: String,
        /// Bytes of one direction of a connection; - is standard input.
        capture: String,
        /// Most lines to print.
        #[arg(long, value_name = "N", default_value_t = 10_000)]
        most: usize,
        /// Print one JSON object per line.
        #[arg(long)]
        json: bool,
    },
    /// Proposes a layout for a capture whose protocol is not known: length, constants, counters, clocks, start of the body.
    Guess {
        /// Bytes of one direction of a connection; - is standard input.
        capture: String,
        /// Print the framing and the text as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Prints a Wireshark dissector in Lua.
    Wireshark {
        /// Preset or file.
        layout: String,
        /// TCP port that carries the protocol.
        #[arg(long, default_value_t = 7777)]
        port: u16,
    },
}

/// Most bytes of a capture that are explained.
const MAX_CAPTURE: usize = 64 << 20;

/// Longest line, in bytes, that is shown with its fault.
const MAX_SHOWN: usize = 400;

/// Does what is asked.
pub(super) fn run(args: Args, context: &Context) -> Result {
    output::print(context, |out| print(out, args, context))
}

fn print(out: &mut dyn Write, args: Args, context: &Context) -> Result {
    match args.what {
        What::List { json } => list(out, json),
        What::Show { layout } => Ok(out.write_all(layouts::text(&layout)?.as_bytes())?),
        What::Check { layout, json } => check(out, &layout, json),
        What::Explain { layout, capture, most, json } => {
            let layout = layouts::load(&layout)?;
            let bytes = read(&capture, context)?;
            let lines = layout::explain(&layout, &bytes, most);
            lines.iter().try_for_each(|line| if json { as_json(out, line) } else { as_dump(out, line, &bytes) })?;
            match lines.is_empty() || lines.iter().any(|line| line.message.is_some()) {
                true => Ok(()),
                false => Err(Failure::Failed(format!("{}: no message of this layout", input::name(&capture)))),
            }
        }
        What::Guess { capture, json } => guess(out, &capture, &read(&capture, context)?, json),
        What::Wireshark { layout, port } => {
            let lua = layout::dissector(&layouts::load(&layout)?, port);
            Ok(out.write_all(lua.as_bytes())?)
        }
    }
}

fn guess(out: &mut dyn Write, name: &str, bytes: &[u8], json: bool) -> Result {
    let Some(guess) = layout::guess(bytes) else {
        let what =
            "no framing: no length leads from message to message (random bytes, a raw stream, or too few messages)";
        return Err(Failure::Failed(format!("{}: {what}", input::name(name))));
    };
    let text = layout::text_of_guess(&guess);
    if !json {
        return Ok(out.write_all(text.as_bytes())?);
    }
    let framing = guess.framing;
    let row = json!({
        "start": framing.start, "offset": framing.offset, "width": framing.width, "little": framing.little,
        "unit": framing.unit, "plus": framing.plus, "messages": guess.messages, "covered": guess.covered,
        "confidence": guess.confidence, "remarks": guess.remarks, "text": text,
    });
    Ok(writeln!(out, "{row}")?)
}

fn list(out: &mut dyn Write, json: bool) -> Result {
    for preset in PRESETS {
        let layout = preset.layout().map_err(|fault| Failure::Failed(format!("{}: {fault}", preset.name)))?;
        if json {
            writeln!(out, "{}", json!({ "name": layout.name, "about": layout.about }))?;
        } else {
            writeln!(out, "{:<17} {}", layout.name, layout.about)?;
        }
    }
    Ok(())
}

fn check(out: &mut dyn Write, name: &str, json: bool) -> Result {
    let text = layouts::text(name)?;
    match layout::parse(&text) {
        Ok(layout) if json => Ok(writeln!(out, "{}", json!({ "name": layout.name, "faults": [] }))?),
        Ok(layout) => Ok(writeln!(out, "{name}: sound; {}", summary(&layout))?),
        Err(fault) => {
            if json {
                let fault =
                    json!({ "line": fault.line, "column": fault.column, "what": fault.what, "hint": fault.hint });
                writeln!(out, "{}", json!({ "faults": [fault] }))?;
            }
            let shown = text.lines().nth(fault.line - 1).unwrap_or_default();
            if shown.is_empty() || shown.len() > MAX_SHOWN {
                return Err(Failure::Failed(format!("{name}: {fault}")));
            }
            let arrow = " ".repeat(fault.column - 1);
            Err(Failure::Failed(format!("{name}: {fault}\n  {shown}\n  {arrow}^")))
        }
    }
}

fn summary(layout: &Layout) -> String {
    let bytes = |fields: &[layout::Field]| fields.iter().map(|field| field.kind.bits()).sum::<usize>() / 8;
    format!(
        "preamble {} bytes, header up to {} bytes, tail up to {} bytes, bodies up to {} bytes",
        bytes(&layout.preamble),
        bytes(&layout.header),
        bytes(&layout.tail),
        layout.limits.body
    )
}

fn read(path: &str, context: &Context) -> Result<Vec<u8>> {
    let (name, mut source) = input::source(path, context)?;
    let mut bytes = Input::new();
    while bytes.peek().len() < MAX_CAPTURE && input::feed(&name, &mut source, &mut bytes)? > 0 {}
    Ok(bytes.peek().get(..MAX_CAPTURE).unwrap_or(bytes.peek()).to_vec())
}

fn as_json(out: &mut dyn Write, line: &Line) -> Result {
    let row =
        json!({ "at": line.at, "len": line.len, "message": line.message, "name": line.name, "value": line.value });
    Ok(writeln!(out, "{row}")?)
}

/// `offset  bytes  message.field = value`; long stretches show their first bytes.
fn as_dump(out: &mut dyn Write, line: &Line, bytes: &[u8]) -> Result {
    let shown = bytes.get(line.at..line.at + line.len).unwrap_or_default();
    let hex: Vec<String> = shown.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let more = if shown.len() > 8 { " …" } else { "" };
    let place = line.message.map_or_else(|| "-".to_owned(), |number| number.to_string());
    Ok(writeln!(
        out,
        "{:08x}  {:<26} {place:>5} {:<16} {}",
        line.at,
        hex.join(" ") + more,
        line.name,
        plain(&line.value)
    )?)
}
