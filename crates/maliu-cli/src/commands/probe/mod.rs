//! `maliu probe`: what is in an input – streams, packets, and how it was recognised.

use std::{
    io,
    time::{Duration, Instant},
};

use maliu::format::Event;

use crate::{
    context::Context,
    failure::{Failure, Result},
    input::{self, Opened},
    output,
};

mod codec_string;
mod explain;
mod facts;
mod gop;
mod hash;
mod multiplex;
mod report;
mod sound;
mod survey;
mod text;

/// Shows what is in an input: format, streams, tags, packets.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    input: input::Args,
    #[command(flatten)]
    keys: input::Keys,
    /// Print JSON with ffprobe's names.
    #[arg(long)]
    json: bool,
    /// Print every packet. Reads the whole input (default: only its first part).
    #[arg(long)]
    packets: bool,
    /// Print a checksum of each packet: MD5, or CRC-32 (IEEE).
    #[arg(long, value_enum, value_name = "md5|crc32", hide_possible_values = true, requires = "packets")]
    hash: Option<hash::Hash>,
    /// Print how the format and the streams were recognised.
    #[arg(long)]
    explain: bool,
}

const EXAMPLES: &str = "Examples:
  maliu probe talk.flv
  maliu probe --json --packets --hash md5 song.mp3
  cat live.aac | maliu probe -
  maliu probe --explain odd.bin            why its format is (not) recognised";

/// Reads and prints.
pub(super) fn run(mut args: Args, context: &Context) -> Result {
    args.input.keys = args.keys.clone();
    args.input.surveys = true;
    let mut opened = args.input.open(context)?;
    let print = if args.json { report::print } else { text::print };
    output::print(context, |out| print(out, &mut opened, &args))?;
    match &args.input.layout {
        Some(layout) if opened.reader.streams().is_empty() => {
            Err(Failure::Failed(format!("{}: no message of layout {layout}", opened.name)))
        }
        _ => Ok(()),
    }
}

/// Reads packets up to where enough is known, handing each to `print` if they are wanted.
fn read(
    opened: &mut Opened,
    survey: &mut survey::Survey,
    args: &Args,
    mut print: impl FnMut(&Opened, &maliu::packet::Packet) -> io::Result<()>,
) -> Result {
    let begun = Instant::now();
    while let Some(event) = opened.next()? {
        match event {
            Event::Packet(packet) => {
                survey.note(&packet);
                if args.packets {
                    print(opened, &packet).map_err(Failure::from)?;
                } else if survey.covers(opened.reader.streams())
                    && (opened.position() >= enough(opened, survey)
                        || opened.is_served() && begun.elapsed() >= LOOK_TIME)
                {
                    return Ok(());
                }
            }
            Event::Stream(index, info) => survey.describe(index, &info),
            Event::Metadata(metadata) => survey.metadata = Some(metadata),
            _ => {}
        }
    }
    survey.whole = true;
    Ok(())
}

/// Bytes after which the input counts as known, when its packets are not asked for: few where it says how long it is and
/// shows how its pictures follow each other.
fn enough(opened: &Opened, survey: &survey::Survey) -> u64 {
    match opened.reader.duration() {
        _ if opened.is_live() => LOOK_LIVE,
        Some(_) if survey.groups_known() => LOOK_TOLD,
        _ => LOOK,
    }
}

/// Bytes that are looked at where the length is yet to be estimated.
const LOOK: u64 = 32 << 20;

/// The same where the input says it.
const LOOK_TOLD: u64 = 4 << 20;

/// Time for which `probe` reads a stream from a server.
const LOOK_TIME: Duration = Duration::from_secs(3);

/// The same where bytes may come slowly.
const LOOK_LIVE: u64 = 1 << 20;
