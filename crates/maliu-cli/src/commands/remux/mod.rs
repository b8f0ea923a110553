//! `maliu remux`: packets of one or more inputs into another container, not decoded.
//!
//! ```text
//!   IN ─▶ Feed ─┐ the feed that is       ┌▶ window (lead), zero, order of dts ─▶ PacketWriter ─▶ OUT
//!   IN ─▶ Feed ─┴ earliest in time goes ─┘
//! ```

use std::path::Path;

use maliu::{
    Error, MediaError,
    format::Format,
    formats,
    io::Sink,
    layout,
    packet::Packet,
    stream::{Metadata, StreamInfo},
    time::Ticks,
    writer::{PacketWriter, Plan},
};

pub use self::map::Map;
use self::{feed::Feed, lead::Lead, times::Times};
use crate::{
    failure::{self, Failure, Result},
    input, layouts,
    output::{self, Target},
    pace::Pace,
    progress::Progress,
    time,
};

mod facts;
mod feed;
mod lead;
mod map;
mod recorder;
mod times;

pub use recorder::Recorder;

/// Copies packets into another container, without decoding.
#[derive(clap::Args, Default)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Files to read, then the file to write; - is standard input or output.
    #[arg(value_name = "IN… OUT", num_args = 1.., required = true)]
    paths: Vec<String>,
    /// Format to write; the name of OUT says it otherwise.
    #[arg(short, long, value_name = "FORMAT")]
    format: Option<String>,
    /// Setting of the writer or of the output format; repeat it for more.
    #[arg(short = 'o', long = "option", value_name = "NAME=VALUE", value_parser = input::setting)]
    settings: Vec<(String, String)>,
    /// Format of all inputs; it is recognised by content otherwise.
    #[arg(long, value_name = "FORMAT")]
    from: Option<String>,
    /// Layout of all inputs: a preset or a file (see `maliu layout`).
    #[arg(long, value_name = "LAYOUT", conflicts_with = "from")]
    layout: Option<String>,
    /// Write messages of this layout: a preset or a file.
    #[arg(long, value_name = "LAYOUT", conflicts_with = "format")]
    write_layout: Option<String>,
    /// Streams to take, in this order: a, v, STREAM, INPUT:a, INPUT:v, INPUT:STREAM; repeat it for more.
    #[arg(long, value_name = "S")]
    map: Vec<Map>,
    /// Leave out what comes before: seconds, M:S or H:M:S. Pictures begin at the key picture before.
    #[arg(long, value_name = "TIME", value_parser = time::parse)]
    start: Option<Ticks>,
    /// Stop after so much time.
    #[arg(long, value_name = "TIME", value_parser = time::parse)]
    duration: Option<Ticks>,
    /// Keep the times of the input; otherwise they begin at 0.
    #[arg(long)]
    copy_times: bool,
    /// Write packets in the order in which they are read.
    #[arg(long, conflicts_with = "interleave")]
    write_frame: bool,
    /// Write packets in the order of their dts, the default.
    #[arg(long)]
    interleave: bool,
    /// Write packets when their time has come, not as fast as possible.
    #[arg(long)]
    live: bool,
    /// Tell on stderr which rule changed or refused which packet, and why.
    #[arg(long)]
    explain: bool,
}

const EXAMPLES: &str = "Examples:
  maliu remux talk.flv sound.aac                  the AAC stream of an FLV file
  maliu remux picture.h264 sound.aac film.flv     two streams into one file
  maliu remux in.flv out.flv -o bitexact=1        byte for byte what ffmpeg -c copy -bitexact writes
  maliu remux in.flv - -f framecrc                one line a packet
  maliu remux --layout cam.toml dump.bin out.flv  a private protocol into a film
  cat in.flv | maliu remux - - -f adts --start 1:30 --duration 10 > part.aac

A file appears when it is complete. What --explain says is numbered as in docs/write-frame.md.";

impl Args {
    /// Whether there is such an output format or layout.
    pub fn check(&self, output: &str) -> Result {
        format(self, output)?;
        self.write_layout.as_deref().map_or(Ok(()), |layout| writer(layout).map(drop))
    }

    /// Packets as they are read, with their times, into messages of a layout; as their time comes when `live`.
    pub fn sending(layout: &str, live: bool, map: Vec<Map>) -> Self {
        let write_layout = Some(layout.to_owned());
        Self { write_layout, map, copy_times: true, write_frame: true, live, ..Self::default() }
    }
}

/// Reads, orders and writes.
pub fn run(args: Args) -> Result {
    let Some((output, inputs)) = args.paths.split_last().filter(|(_, inputs)| !inputs.is_empty()) else {
        return Err(Failure::Usage("name what to read and, behind it, what to write".into()));
    };
    let input = |path: &String| input::Args { layout: args.layout.clone(), ..input::Args::of(path, args.from.clone()) };
    let inputs: Vec<_> = inputs.iter().map(input).collect();
    copy(&args, &inputs, output)
}

/// As [`run`], from inputs that are described elsewhere.
pub fn copy(args: &Args, inputs: &[input::Args], output: &str) -> Result {
    let format = format(args, output)?;
    output::is_none_of(output, inputs.iter().map(|input| input.path.as_str()))?;
    let mut feeds = inputs.iter().map(Feed::open).collect::<Result<Vec<_>>>()?;
    for feed in &mut feeds {
        feed.begin(args.start)?;
    }
    let streams = map::choose(&args.map, &mut feeds, format)?;
    let mut target = Target::create(output)?;
    let mut work = Work::start(args, format, &feeds, &streams, &mut target, output)?;
    let end = work.copy(&mut feeds, &mut target);
    work.close(target, end)
}

fn writer(layout: &str) -> Result<layout::Writer> {
    layout::Writer::new(layouts::load(layout)?).map_err(|fault| Failure::Usage(format!("{layout}: {fault}")))
}

/// The format that is asked for, or that the output's name means.
fn format(args: &Args, output: &str) -> Result<&'static Format> {
    if args.write_layout.is_some() {
        return Ok(&layout::FORMAT);
    }
    let extension = Path::new(output).extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let wanted = args.format.as_deref().unwrap_or(extension);
    match formats::named(&wanted.to_ascii_lowercase()).filter(|format| format.muxer.is_some()) {
        Some(format) => Ok(format),
        None if wanted.is_empty() => Err(Failure::Usage(format!("{output}: say with -f which format to write"))),
        None => {
            Err(Failure::Usage(format!("no format that can be written is called {wanted}; maliu formats lists them")))
        }
    }
}

/// One run of the command.
struct Work {
    name: String,
    write_frame: bool,
    writer: PacketWriter,
    times: Times,
    lead: Lead,
    /// Whether only a part of the inputs is wanted.
    windowed: bool,
    progress: Progress,
    pace: Option<Pace>,
    /// Whether it is told what each rule did.
    explains: bool,
    refused: u64,
}

impl Work {
    fn start<S: Sink>(
        args: &Args,
        format: &'static Format,
        feeds: &[Feed],
        streams: &[StreamInfo],
        target: &mut Target<S>,
        name: &str,
    ) -> Result<Self> {
        let metadata = feeds.first().map(|feed| feed.metadata.clone()).unwrap_or_default();
        let settings: Vec<_> = args.settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let plan = Plan { format, settings: &settings, metadata: &without_times(metadata) };
        let started = match &args.write_layout {
            None => plan.start(streams, target.output()),
            Some(layout) => plan.start_muxer(Box::new(writer(layout)?), streams, target.output()),
        };
        let mut writer = started.map_err(|error| match error {
            MediaError::Setting { .. } => Failure::Usage(error.to_string()),
            error => Failure::while_("writing", name, error),
        })?;
        writer.explain(args.explain);
        let length = feeds.iter().filter_map(Feed::length).max();
        let times = Times::new(args, format, feeds, writer.streams());
        let lead = Lead::new(args.start, feeds);
        let windowed = args.start.is_some() || args.duration.is_some();
        let (progress, pace) = (Progress::new(args.duration.or(length)), args.live.then(Pace::default));
        let (name, write_frame) = (name.to_owned(), args.write_frame);
        let explains = args.explain;
        Ok(Self { name, write_frame, writer, times, lead, windowed, progress, pace, explains, refused: 0 })
    }

    /// Copies until every input has ended or is past the wanted end; of pushed ones what is there.
    fn copy<S: Sink>(&mut self, feeds: &mut [Feed], target: &mut Target<S>) -> Result {
        loop {
            let earliest =
                feeds.iter_mut().enumerate().filter_map(|(index, feed)| Some((feed.next_time()?, index))).min();
            let Some((time, index)) = earliest else { break };
            let Some(feed) = feeds.get_mut(index) else { break };
            let Some(packet) = feed.take() else { continue };
            if self.times.past(time, packet.stream) {
                if self.times.all_past() {
                    break;
                }
                continue;
            }
            let packet = if self.lead.is_before(index) {
                let shown = self.times.shown(&packet);
                let Some(packet) = self.lead.pass(index, packet, shown) else { continue };
                while let Some(earlier) = self.lead.next(index) {
                    self.write(earlier, time, target)?;
                }
                packet
            } else {
                packet
            };
            self.write(packet, time, target)?;
            let position = feeds.iter().map(Feed::position).sum();
            self.progress.show(Ticks(time), position);
        }
        feeds.iter_mut().find_map(Feed::failure).map_or(Ok(()), Err)
    }

    /// Writes one packet, which is due at `time` in µs.
    fn write<S: Sink>(&mut self, mut packet: Packet, time: i64, target: &mut Target<S>) -> Result {
        if !self.times.apply(&mut packet) {
            return Ok(());
        }
        if let Some(wait) = self.pace.as_mut().map(|pace| pace.wait(time)).filter(|wait| !wait.is_zero()) {
            target.flush()?;
            std::thread::sleep(wait);
        }
        let written = match self.write_frame {
            true => self.writer.write(packet, target.output()),
            false => self.writer.write_interleaved(packet, target.output()),
        };
        if self.explains {
            self.explain();
        }
        self.judge(written)?;
        if self.writer.flushes_packets() { target.flush() } else { target.pump() }
    }

    /// A packet that the format cannot carry is left out and counted; the rest goes on.
    #[inline]
    fn judge(&mut self, written: std::result::Result<(), MediaError>) -> Result {
        match written {
            Ok(()) => Ok(()),
            Err(error @ (MediaError::Packet { .. } | MediaError::Mux { .. })) => {
                self.refused += 1;
                tracing::warn!("{}: left out: {error}", self.name);
                Ok(())
            }
            Err(error) => Err(Failure::while_("writing", &self.name, error)),
        }
    }

    fn explain(&mut self) {
        self.times.take_notes().iter().for_each(|note| failure::say(note));
        while let Some(note) = self.writer.next_explanation() {
            failure::say(&note.to_string());
        }
    }

    /// Completes the file with what was good, however reading ended.
    fn close<S: Sink>(self, mut target: Target<S>, end: Result) -> Result {
        let Self { writer, name, times, windowed, refused, .. } = self;
        let written: u64 = writer.written().iter().sum::<u64>() + writer.waiting().0 as u64;
        let finished = writer.finish(target.output()).map_err(Error::from);
        if let Err(failure @ Failure::BrokenPipe) = end {
            return Err(failure);
        }
        if written == 0 && (refused > 0 || end.is_err()) {
            return end.and(Err(Failure::while_("writing", &name, "no packet could be written")));
        }
        if written == 0 && windowed {
            return Err(Failure::while_("writing", &name, "no packet lies between --start and --duration behind it"));
        }
        target.finish()?;
        times.report(&name);
        finished.map_err(|error| Failure::while_("writing", &name, error))?;
        end
    }
}

/// Tags that describe the input file rather than what is in it are made anew by the muxer.
fn without_times(mut metadata: Metadata) -> Metadata {
    metadata.remove("duration");
    metadata.remove("filesize");
    metadata
}
