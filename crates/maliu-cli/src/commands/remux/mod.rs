//! `maliu remux`: packets of one or more inputs into another container, not decoded.
//!
//! ```text
//!   IN … ─▶ copy::Inputs ─▶ copy::Copy, step by step ─▶ OUT
//! ```

use std::path::Path;

use maliu::{
    Error, MediaError,
    copy::{self, Feed, Inputs, Jumps, Map, Options, Step, To},
    format::Format,
    formats, hls,
    io::{Memory, Sink},
    layout, rtmp,
    time::Ticks,
};

pub(super) use self::recorder::Recorder;
use crate::{
    context::Context,
    failure::{self, Failure, Result},
    input, layouts, output, paths,
    progress::Progress,
    stop::Litter,
    time, values,
};

mod idle;
mod recorder;

/// Copies packets into another container, without decoding.
#[derive(clap::Args, Default)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Files to read, then the file to write; - is standard input or output, and a stream of a server is
    /// rtmp://HOST/APP/NAME.
    #[arg(value_name = "IN… OUT", num_args = 1.., required = true, value_parser = paths::parser())]
    paths: Vec<String>,
    /// Format to write (default: by the name of OUT).
    #[arg(short, long, value_name = "FORMAT")]
    format: Option<String>,
    /// Setting of the writer or of the output format; repeat it for more.
    #[arg(short = 'o', long = "option", value_name = "NAME=VALUE", value_parser = values::setting)]
    settings: Vec<(String, String)>,
    /// Format of all inputs (default: recognised by content).
    #[arg(long, value_name = "FORMAT")]
    from: Option<String>,
    /// Initialization segment: the inputs are media segments that follow it, read as one file.
    #[arg(long, value_name = "INIT.mp4", conflicts_with = "layout", value_parser = paths::parser())]
    init: Option<String>,
    /// Layout of all inputs: a preset or a file (see `maliu layout`).
    #[arg(long, value_name = "LAYOUT", conflicts_with = "from")]
    layout: Option<String>,
    /// Write messages of this layout: a preset or a file.
    #[arg(long, value_name = "LAYOUT", conflicts_with = "format")]
    write_layout: Option<String>,
    /// Program of a transport stream to read: its number, or first, the first one with audio or video (default: all).
    #[arg(long, value_name = "NUMBER|first", conflicts_with = "layout")]
    program: Option<String>,
    #[command(flatten)]
    keys: input::Keys,
    /// Streams to take, in this order: a, v, STREAM, INPUT:a, INPUT:v, INPUT:STREAM; repeat it for more.
    #[arg(long, value_name = "S")]
    map: Vec<Map>,
    /// Leave out everything before TIME: seconds, M:S or H:M:S. Video begins at the keyframe before it.
    #[arg(long, value_name = "TIME", value_parser = time::parse)]
    start: Option<Ticks>,
    /// Stop after TIME of media.
    #[arg(long, value_name = "TIME", value_parser = time::parse)]
    duration: Option<Ticks>,
    /// Keep the times of the input (default: times begin at 0).
    #[arg(long)]
    copy_times: bool,
    /// Where times step back or jump by more than 3 s: pass them on, restamp the stream to go on evenly, or cut the output
    /// there. Restamp is the default, pass with --copy-times.
    #[arg(long, value_name = "pass|restamp|cut")]
    jumps: Option<Jumps>,
    /// Write packets in the order in which they are read.
    #[arg(long, conflicts_with = "interleave")]
    write_frame: bool,
    /// Write packets in the order of their dts (default).
    #[arg(long)]
    interleave: bool,
    /// Write packets in real time instead of as fast as possible.
    #[arg(long)]
    live: bool,
    #[command(flatten)]
    clobber: output::Clobber,
    /// Report on stderr which rule changed or refused which packet, and why.
    #[arg(long)]
    explain: bool,
}

const EXAMPLES: &str = "Examples:
  maliu remux talk.flv audio.aac                  its AAC stream
  maliu remux video.h264 audio.aac clip.flv       two streams into one file
  maliu remux in.flv out.flv -o bitexact=1        as ffmpeg -c copy -bitexact
  maliu remux in.flv - -f framecrc                one line per packet
  maliu remux --layout cam.toml dump.bin out.flv  a private protocol into FLV
  maliu remux --init init.mp4 seg*.m4s clip.mp4   segments into one file
  maliu remux clip.mp4 web/clip.m3u8              segments and a playlist (docs/hls.md)
  maliu remux clip.mp4 rtmp://host/live/key       publish in real time (docs/rtmp.md)
  maliu remux rtmp://host/live/key recording.flv  record until the stream ends, or Ctrl-C
  cat in.flv | maliu remux - - -f adts --start 1:30 --duration 10 > part.aac

A file appears when it is complete; an MP4, Matroska or WebM recording plays while it grows. The rules that --explain \
names are in docs/write-frame.md.";

/// Reads, orders and writes.
pub(super) fn run(mut args: Args, context: &Context) -> Result {
    let Some((output, inputs)) = args.paths.split_last().filter(|(_, inputs)| !inputs.is_empty()) else {
        return Err(Failure::Usage("expected files to read, then the file to write".into()));
    };
    let from = args.format_of_inputs()?;
    let input = |path: &String| input::Args {
        layout: args.layout.clone(),
        keys: args.keys.clone(),
        program: args.program.clone(),
        ..input::Args::of(path, from.clone())
    };
    let inputs: Vec<_> = inputs.iter().map(input).collect();
    args.clobber.check(output)?;
    args.to(output)?;
    args.refuse_idle(output)?;
    output::is_none_of(output, inputs.iter().map(|input| input.path.as_str()))?;
    let names: Vec<&str> = inputs.iter().map(|input| input.path.as_str()).collect();
    let feeds = match (&args.init, inputs.first()) {
        (Some(init), Some(first)) => {
            output::is_none_of(output, [init.as_str()].into_iter())?;
            let paths = [init.as_str()].into_iter().chain(names.iter().copied());
            vec![first.feed_of(init, input::joined(paths, context)?)?]
        }
        _ => inputs.iter().map(|input| input.feed(context)).collect::<Result<Vec<_>>>()?,
    };
    let served = input::is_url;
    let paced = rtmp::Url::is_one(output) || output.starts_with("udp://");
    args.live |= paced && !names.iter().all(|path| served(path));
    let live = context.live || served(output) || names.iter().any(|path| served(path));
    copy(&args, &names, feeds, output, live, || args.open(output, context))
}

/// Copies `feeds`, which messages call `names`, to the sink that `open` opens once the streams are known; at once,
/// packet by packet, if it is `live`.
pub(super) fn copy(
    args: &Args,
    names: &[&str],
    feeds: Vec<Feed>,
    output: &str,
    live: bool,
    open: impl FnOnce() -> Result<(Box<dyn Sink>, Option<Litter>)>,
) -> Result {
    let failed = |error| failed(names, output, error);
    let mut options = args.options(output);
    options.low_latency = live;
    let inputs = Inputs::open(feeds, args.to(output)?, options).map_err(failed)?;
    args.hint(&inputs, output);
    let (sink, _litter) = open()?;
    let mut copy = inputs.start(sink).map_err(failed)?;
    let mut progress = Progress::new(copy.length());
    let end = loop {
        match copy.step() {
            Ok(Step::Done) => progress.show(copy.time(), || copy.position()),
            Ok(Step::Refused(error)) => tracing::warn!("{output}: left out: {error}"),
            Ok(Step::End) => break Ok(()),
            Err(error) => break Err(error),
        }
        if args.explain {
            copy.take_notes().iter().for_each(|note| failure::say(note));
        }
    };
    let (report, end) = copy.finish(end);
    report.lines().iter().for_each(|line| tracing::warn!("{line}"));
    end.map(drop).map_err(failed)
}

impl Args {
    /// Checks that the output format or layout exists and accepts these settings.
    pub(crate) fn check(&self, output: &str) -> Result {
        self.refuse_playlist(output)?;
        self.to(output)?.check(&self.settings).map_err(|error| failed(&[], output, error))
    }

    /// Packets into this output, in this format or layout.
    pub(crate) fn writing(
        output: String,
        format: Option<String>,
        write_layout: Option<String>,
        settings: Vec<(String, String)>,
    ) -> Self {
        Self { paths: vec![output], format, write_layout, settings, ..Self::default() }
    }

    /// Packets as they are read, with their times, into messages of a layout; as their time comes when `live`.
    pub(crate) fn sending(layout: &str, live: bool, map: Vec<Map>) -> Self {
        let write_layout = Some(layout.to_owned());
        Self { write_layout, map, copy_times: true, write_frame: true, live, ..Self::default() }
    }

    /// The layout or format that is asked for, or that the output's name means.
    fn to(&self, output: &str) -> Result<To> {
        let Some(layout) = &self.write_layout else {
            let format = self.output_format(output)?;
            return if is_hls(format) { self.segments(output) } else { Ok(format.into()) };
        };
        let writer = layout::Writer::new(layouts::load(layout)?);
        writer.map(To::from).map_err(|fault| Failure::Usage(format!("{layout}: {fault}")))
    }

    /// Segments beside a playlist.
    fn segments(&self, output: &str) -> Result<To> {
        if output == "-" {
            return Err(Failure::Usage("hls: segments stand beside the playlist; name a file for it".into()));
        }
        hls::muxer(paths::of(output), &self.settings).map_err(|error| Failure::Usage(error.to_string()))
    }

    /// Opens the output: a recording that stays playable while it grows stands in its place from the start.
    pub(crate) fn open(&self, output: &str, context: &Context) -> Result<(Box<dyn Sink>, Option<Litter>)> {
        if self.write_layout.is_none() && self.output_format(output).is_ok_and(is_hls) {
            // The files are those of the muxer.
            return Ok((Box::new(Memory::new()), None));
        }
        let set = |name: &str, value: &str| self.settings.iter().any(|(n, v)| n == name && v == value);
        let format = self.output_format(output).map_or("", |format| format.name);
        let grows = matches!(format, "mp4" | "mov" | "m4a" | "matroska" | "webm");
        let whole = set("hybrid", "0") || set("faststart", "1") || set("cues_to_front", "1");
        match self.write_layout.is_none() && grows && !whole {
            true => output::record(output, context),
            false => output::open(output, context),
        }
    }

    fn output_format(&self, output: &str) -> Result<&'static Format> {
        let extension = Path::new(output).extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        let published = rtmp::Url::is_one(output);
        let wanted = self.format.as_deref().unwrap_or(if published { "flv" } else { extension });
        if published && !wanted.eq_ignore_ascii_case("flv") {
            return Err(Failure::Usage(format!("{wanted}: RTMP carries FLV only; leave out -f")));
        }
        let playlist = hls::Container::default().format();
        if wanted == playlist.name || playlist.extensions.iter().any(|name| wanted.eq_ignore_ascii_case(name)) {
            return Ok(playlist);
        }
        match formats::named(&wanted.to_ascii_lowercase()).filter(|format| format.muxer.is_some()) {
            Some(format) => Ok(format),
            None if wanted.is_empty() => {
                Err(Failure::Usage(format!("{output}: the name selects no format; name one with -f")))
            }
            None => {
                Err(Failure::Usage(format!("{wanted}: not a format that can be written; `maliu formats` lists them")))
            }
        }
    }

    fn options(&self, output: &str) -> Options {
        let mut options = Options::default();
        output.clone_into(&mut options.name);
        options.settings.clone_from(&self.settings);
        options.map.clone_from(&self.map);
        (options.start, options.duration) = (self.start, self.duration);
        (options.copy_times, options.interleave) = (self.copy_times, !self.write_frame);
        options.jumps = self.jumps;
        (options.pace, options.explain) = (self.live, self.explain);
        options
    }
}

fn is_hls(format: &Format) -> bool {
    format.name == hls::Container::default().format().name
}

/// The failure that an error of a copy means for the user.
fn failed(names: &[&str], output: &str, error: copy::Error) -> Failure {
    let name = |index: usize| names.get(index).copied().unwrap_or("-");
    match error {
        copy::Error::Read { index, error } => input::failed(input::name(name(index)), &error),
        copy::Error::Write(Error::Io(error)) => Failure::writing(output::name(output), &error),
        copy::Error::Write(Error::Media(error @ MediaError::Setting { .. })) => Failure::Usage(error.to_string()),
        copy::Error::Map(map) => Failure::Failed(format!("--map {map} selects no further stream")),
        error @ copy::Error::Unused { index, .. } => Failure::while_("reading", name(index), error),
        error @ copy::Error::NoStream { .. } => Failure::while_("reading", name(0), error),
        error => Failure::while_("writing", output, error),
    }
}
