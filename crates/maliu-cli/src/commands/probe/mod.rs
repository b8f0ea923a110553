//! `maliu probe`: what is in an input – streams, packets, and how it was recognised.

use std::{
    io,
    time::{Duration, Instant},
};

use maliu::{
    format::Event,
    packet::Packet,
    stream::{Kind, StreamInfo},
};

use crate::{
    context::Context,
    failure::{Failure, Result},
    input::{self, Opened},
    many, output, watch,
};

mod codec_string;
mod explain;
mod facts;
mod flat;
mod gop;
mod hash;
mod multiplex;
mod pixels;
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
    /// Further files; folders with --recursive. Several reports follow each other.
    #[arg(value_name = "IN", value_parser = crate::paths::parser())]
    more: Vec<String>,
    /// Take all files below folders that are inputs.
    #[arg(long)]
    recursive: bool,
    #[command(flatten)]
    watch: watch::Args,
    #[command(flatten)]
    keys: input::Keys,
    /// Print JSON with ffprobe's names.
    #[arg(long)]
    json: bool,
    /// Print the report as json, flat (one line per value), ini, or csv (one line per stream, with a head).
    #[arg(long, value_enum, value_name = "json|flat|ini|csv", hide_possible_values = true, conflicts_with = "json")]
    format: Option<flat::Form>,
    /// Only streams of this kind, or the one with this index.
    #[arg(long, value_name = "video|audio|subtitle|data|N", value_parser = only)]
    only: Option<Only>,
    /// Print every keyframe, as --packets does.
    #[arg(long)]
    keyframes: bool,
    /// Print every packet. Reads the whole input (default: only its first part).
    #[arg(long)]
    packets: bool,
    /// With --packets or --keyframes: print a checksum of each packet: MD5, or CRC-32 (IEEE).
    #[arg(long, value_enum, value_name = "md5|crc32", hide_possible_values = true)]
    hash: Option<hash::Hash>,
    /// Print how the format and the streams were recognised.
    #[arg(long)]
    explain: bool,
}

const EXAMPLES: &str = "Examples:
  maliu probe talk.flv
  maliu probe --json --packets --hash md5 song.mp3
  maliu probe --recursive --format csv recordings/
  maliu probe --keyframes --only video clip.mp4
  cat live.aac | maliu probe -
  maliu probe --explain odd.bin            why its format is (not) recognised";

/// Reads and prints.
pub(super) fn run(mut args: Args, context: &Context) -> Result {
    args.input.keys = args.keys.clone();
    args.input.surveys = true;
    args.packets |= args.keyframes;
    args.json |= args.format == Some(flat::Form::Json);
    if args.hash.is_some() && !args.packets {
        return Err(Failure::Usage("--hash is about packets: add --packets or --keyframes".to_owned()));
    }
    if args.packets && !args.json && args.format.is_some() {
        return Err(Failure::Usage(
            "--format csv, flat and ini show the summary; packets are printed as text or --json".to_owned(),
        ));
    }
    let mut paths = vec![args.input.path.clone()];
    paths.append(&mut args.more);
    let (watch, recursive) = (args.watch.clone(), args.recursive);
    let list = || if paths == ["-"] { Ok(paths.clone()) } else { many::files(&paths, recursive) };
    watch.each(context, list, |path| {
        path.clone_into(&mut args.input.path);
        one(&args, context)
    })
}

/// The report of an input as `probe --json` prints it.
pub(crate) fn json(input: &input::Args, context: &Context) -> Result<Vec<u8>> {
    let args = Args {
        input: input::Args { surveys: true, ..input.clone() },
        keys: input::Keys::default(),
        more: Vec::new(),
        recursive: false,
        watch: watch::Args::default(),
        json: true,
        format: None,
        only: None,
        keyframes: false,
        packets: false,
        hash: None,
        explain: false,
    };
    let mut text = Vec::new();
    report::print(&mut text, &mut args.input.open(context)?, &args)?;
    Ok(text)
}

/// The report of one input.
fn one(args: &Args, context: &Context) -> Result {
    let mut opened = args.input.open(context)?;
    let print = if args.json { report::print } else { text::print };
    output::print(context, |out| match args.format.filter(|form| *form != flat::Form::Json) {
        Some(form) => {
            let mut text = Vec::new();
            let end = report::print(&mut text, &mut opened, args);
            flat::print(out, form, &text)?;
            end
        }
        None => print(out, &mut opened, args),
    })?;
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
                if args.packets && args.shows(&packet, opened.reader.streams()) {
                    print(opened, &packet).map_err(Failure::from)?;
                } else if !args.packets
                    && survey.covers(opened.reader.streams())
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

/// Streams that are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Only {
    Kind(Kind),
    Index(usize),
}

fn only(text: &str) -> std::result::Result<Only, String> {
    let kinds = [Kind::Video, Kind::Audio, Kind::Subtitle, Kind::Data];
    let kind = kinds.into_iter().find(|kind| kind.name() == text).map(Only::Kind);
    let index = || text.parse().ok().map(Only::Index);
    kind.or_else(index).ok_or_else(|| "expected video, audio, subtitle, data, or the index of a stream".to_owned())
}

impl Args {
    /// Returns true for a stream that `--only` selects.
    fn takes(&self, index: usize, info: &StreamInfo) -> bool {
        match self.only {
            None => true,
            Some(Only::Index(only)) => only == index,
            Some(Only::Kind(kind)) => kind == info.media.kind(),
        }
    }

    /// Returns true for a packet that `--only` and `--keyframes` select.
    fn shows(&self, packet: &Packet, streams: &[StreamInfo]) -> bool {
        let taken = streams.get(packet.stream).is_some_and(|info| self.takes(packet.stream, info));
        taken && (packet.is_key() || !self.keyframes)
    }
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
