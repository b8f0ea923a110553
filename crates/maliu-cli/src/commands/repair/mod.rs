//! `maliu repair`: a damaged FLV file written anew, with everything in it that can still be read.
//!
//! ```text
//!   IN ─▶ survey: streams, configurations, tags of the whole file
//!   IN ─▶ packets ─▶ Mend: times rise without jumps ─▶ FLV muxer: sequence headers, sizes, duration, key frame index
//! ```

use std::io::{self, Read};

use maliu::{
    Error, MediaError,
    format::Event,
    formats,
    io::BLOCK_SIZE,
    output::{Mark, Reach},
    packet::{Flags, Packet},
    stream::{Codec, Kind, Media, Metadata, StreamInfo},
    syntax::aac::AudioSpecificConfig,
    writer::{PacketWriter, Plan},
};

use self::{mend::Mend, spool::Spool};
use crate::{
    failure::{self, Failure, Result},
    input::{self, Opened},
    output::{self, Target},
};

mod mend;
mod spool;

/// Writes a damaged FLV file anew: sizes, times, sequence headers, duration and key frame index are right.
#[derive(clap::Args)]
#[command(after_help = NOTES)]
pub struct Args {
    /// FLV file to read. It is read twice and never changed; - is standard input, which is kept on disk for that, up to
    /// 16 GiB.
    #[arg(value_name = "IN")]
    input: String,
    /// File to write; - is standard output, to which it goes when it is complete.
    #[arg(value_name = "OUT")]
    output: String,
    /// Longest pause that is believed; a longer one, and every step back, is closed.
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    max_gap: u32,
}

const NOTES: &str = "What is mended: wrong PreviousTagSize, junk between tags, zeros and cut tags at the end,
steps back and jumps of the time, pts below dts, sequence headers that are missing, doubled or late,
duration, file size and key frame index. A file that is repaired once is not changed by a second time.

Examples:
  maliu check broken.flv
  maliu repair broken.flv whole.flv && maliu check whole.flv";

/// Reads twice, writes once.
pub fn run(args: Args) -> Result {
    output::is_none_of(&args.output, [args.input.as_str()].into_iter())?;
    let spool = match args.input.as_str() {
        "-" => {
            Some(Spool::of(io::stdin().lock()).map_err(|error| Failure::while_("keeping", "standard input", error))?)
        }
        _ => None,
    };
    let survey = Survey::of(&args.input, &mut open(&args, spool.as_ref())?)?;
    let kept = (args.output == "-").then(Spool::new).transpose().map_err(keeping)?;
    let mut target = match &kept {
        Some(kept) => Target::over("what goes to standard output", kept.write().map_err(keeping)?),
        None => Target::create(&args.output)?,
    };
    let mut work = Work::start(&args, &survey, &mut target)?;
    let end = work.copy(&mut open(&args, spool.as_ref())?, &mut target)?;
    work.close(target)?;
    kept.as_ref().map_or(Ok(()), pour)?;
    end.and(survey.unread.map_or(Ok(()), Err))
}

fn keeping(error: io::Error) -> Failure {
    Failure::while_("keeping", "what goes to standard output", error)
}

/// Gives standard output what was kept for it.
fn pour(kept: &Spool) -> Result {
    let (mut file, mut target) = (kept.open().map_err(keeping)?, Target::create("-")?);
    loop {
        let mut block = vec![0; BLOCK_SIZE];
        let read = file.read(&mut block).map_err(keeping)?;
        block.truncate(read);
        if block.is_empty() {
            return target.finish();
        }
        target.output().append(Mark::Body { time: None }, [block.into()]);
        target.pump()?;
    }
}

fn open(args: &Args, spool: Option<&Spool>) -> Result<Opened> {
    let settings = vec![("recover".to_owned(), "1".to_owned())];
    let input = input::Args { settings, ..input::Args::of(&args.input, Some("flv".into())) };
    match spool {
        None => input.open(),
        Some(spool) => {
            let source = spool.read().map_err(|error| Failure::while_("reading", "standard input", error))?;
            input.open_source(Box::new(source))
        }
    }
}

/// What the whole file says about its streams.
struct Survey {
    streams: Vec<StreamInfo>,
    metadata: Metadata,
    packets: u64,
    /// Key packets, by stream.
    keys: Vec<u64>,
    /// Why the system did not give all of it.
    unread: Option<Failure>,
}

/// Tags that say what is only true of the file as it was; they are written anew.
const DERIVED: &[&str] = &[
    "audiosize",
    "canSeekToEnd",
    "datasize",
    "datastream",
    "duration",
    "filesize",
    "hasAudio",
    "hasCuePoints",
    "hasKeyframes",
    "hasMetadata",
    "hasVideo",
    "lastkeyframelocation",
    "lastkeyframetimestamp",
    "lasttimestamp",
    "videosize",
];

impl Survey {
    fn of(name: &str, opened: &mut Opened) -> Result<Self> {
        let mut survey =
            Self { streams: Vec::new(), metadata: Metadata::default(), packets: 0, keys: Vec::new(), unread: None };
        loop {
            match opened.next() {
                Ok(Some(Event::Stream(index, info))) => survey.meet(index, *info),
                Ok(Some(Event::Metadata(metadata))) if survey.packets == 0 => survey.metadata = *metadata,
                Ok(Some(Event::Packet(packet))) if is_whole(&packet) => survey.count(&packet),
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(failure) if survey.packets == 0 => return Err(failure),
                Err(failure @ Failure::Unread(_)) => {
                    survey.unread = Some(failure);
                    break;
                }
                Err(_) => break,
            }
        }
        if survey.packets == 0 {
            return Err(Failure::while_("reading", name, "there is no packet in it"));
        }
        for name in DERIVED {
            survey.metadata.remove(name);
        }
        survey.streams.iter_mut().for_each(configure);
        Ok(survey)
    }

    fn count(&mut self, packet: &Packet) {
        self.packets += 1;
        self.keys.resize(self.streams.len(), 0);
        if let Some(keys) = self.keys.get_mut(packet.stream) {
            *keys += u64::from(packet.is_key());
        }
    }

    /// Whether there is more than one place to seek to: players doubt an index of one entry.
    fn has_places(&self, chosen: &[usize]) -> bool {
        let video = |index: usize| self.streams.get(index).is_some_and(|stream| stream.media.kind() == Kind::Video);
        chosen.iter().any(|index| video(*index) && self.keys.get(*index).is_some_and(|keys| *keys > 1))
    }

    /// Which streams are written, in which order: pictures, sound, the rest, whatever order the damage left them in.
    /// Pictures whose size nobody knows cannot be written.
    fn chosen(&self) -> Vec<usize> {
        let rank = |stream: &StreamInfo| match stream.media.kind() {
            Kind::Video => 0,
            Kind::Audio => 1,
            _ => 2,
        };
        let sized = |stream: &StreamInfo| stream.video().is_none_or(|video| video.width > 0 && video.height > 0);
        let mut chosen: Vec<_> = self.streams.iter().enumerate().filter(|(_, stream)| sized(stream)).collect();
        chosen.sort_by_key(|(_, stream)| rank(stream));
        chosen.into_iter().map(|(index, _)| index).collect()
    }

    /// The first configuration counts: later ones come again with the packet they begin at.
    fn meet(&mut self, index: usize, info: StreamInfo) {
        match self.streams.get_mut(index) {
            None => self.streams.resize(index + 1, info),
            Some(known) if known.config.is_empty() => *known = info,
            Some(_) => {}
        }
    }
}

/// Whether all of the packet was there.
fn is_whole(packet: &Packet) -> bool {
    !packet.flags.has(Flags::CORRUPT)
}

/// AAC gets the configuration that its missing sequence header would have had, and its frames their length.
fn configure(stream: &mut StreamInfo) {
    let (missing, aac) = (stream.config.is_empty(), stream.codec == Codec::Aac);
    let Media::Audio(audio) = &mut stream.media else { return };
    if aac && missing {
        let channels = u8::try_from(audio.channels).unwrap_or(2);
        stream.config = AudioSpecificConfig::new(AAC_LC, audio.sample_rate, channels).build().into();
    }
    if aac && audio.frame_size == 0 {
        audio.frame_size = AudioSpecificConfig::parse(&stream.config).map_or(1024, |config| config.frame_size());
    }
}

/// The audio object type that nearly all AAC in FLV has.
const AAC_LC: u8 = 2;

/// One run of the command.
struct Work<'a> {
    name: &'a str,
    writer: PacketWriter,
    mend: Mend,
    outputs: Vec<Option<usize>>,
    /// By output stream: whether a picture that can be decoded was met.
    begun: Vec<bool>,
    leading: u64,
    /// Packets that the end of the input cuts.
    cut: u64,
    refused: u64,
}

impl<'a> Work<'a> {
    fn start(args: &'a Args, survey: &Survey, target: &mut Target) -> Result<Self> {
        let format = formats::named("flv").ok_or_else(|| Failure::Failed("this build has no FLV".into()))?;
        let chosen = survey.chosen();
        let index = survey.has_places(&chosen) && target.output().reach() == Reach::Insert;
        let streams: Vec<StreamInfo> = chosen.iter().filter_map(|index| survey.streams.get(*index)).cloned().collect();
        let output = |index: usize| chosen.iter().position(|chosen| *chosen == index);
        let outputs: Vec<Option<usize>> = (0..survey.streams.len()).map(output).collect();
        for (lost, _) in outputs.iter().enumerate().filter(|(_, output)| output.is_none()) {
            failure::say(&format!("{}: stream {lost}: nothing tells the size of its pictures, left out", args.output));
        }
        let settings = [
            ("add_keyframe_index", if index { "1" } else { "0" }),
            ("strict", "-1"),
            ("avoid_negative_ts", "disabled"),
        ];
        let plan = Plan { format, settings: &settings, metadata: &survey.metadata };
        let name = args.output.as_str();
        let started = plan.start(&streams, target.output());
        let writer = started.map_err(|error| Failure::while_("writing", name, error))?;
        let mend = Mend::new(&streams, args.max_gap);
        let begun = streams.iter().map(|stream| stream.media.kind() != Kind::Video).collect();
        Ok(Self { name, writer, mend, outputs, begun, leading: 0, cut: 0, refused: 0 })
    }

    /// Copies what can be read, and says whether the system failed to give the rest.
    fn copy(&mut self, opened: &mut Opened, target: &mut Target) -> Result<Result> {
        loop {
            let mut packet: Packet = match opened.next() {
                Ok(Some(Event::Packet(packet))) => packet,
                Ok(Some(_)) => continue,
                Ok(None) => return Ok(Ok(())),
                Err(failure @ Failure::Unread(_)) => return Ok(Err(failure)),
                Err(failure) => {
                    tracing::warn!("{failure}; what comes before it is kept");
                    return Ok(Ok(()));
                }
            };
            if !self.takes(&mut packet) {
                continue;
            }
            self.mend.apply(&mut packet);
            match self.writer.write_interleaved(packet, target.output()) {
                Ok(()) => {}
                Err(error @ (MediaError::Packet { .. } | MediaError::Mux { .. })) => {
                    self.refused += 1;
                    tracing::warn!("{}: left out: {error}", self.name);
                }
                Err(error) => return Err(Failure::while_("writing", self.name, error)),
            }
            target.pump()?;
        }
    }

    /// Gives the packet its place in the output; false for one that is left out.
    fn takes(&mut self, packet: &mut Packet) -> bool {
        if !is_whole(packet) {
            self.cut += 1;
            return false;
        }
        let Some(output) = self.outputs.get(packet.stream).copied().flatten() else { return false };
        packet.stream = output;
        let Some(begun) = self.begun.get_mut(output) else { return false };
        *begun |= packet.is_key();
        self.leading += u64::from(!*begun);
        *begun
    }

    fn close(self, mut target: Target) -> Result {
        let Self { name, writer, mend, leading, cut, refused, .. } = self;
        let finished = writer.finish(target.output()).map_err(Error::from);
        finished.map_err(|error| Failure::while_("writing", name, error))?;
        target.finish()?;
        for line in mend.report() {
            failure::say(&format!("{name}: {line}"));
        }
        if leading > 0 {
            failure::say(&format!("{name}: {leading} pictures before the first key picture left out"));
        }
        if cut > 0 {
            failure::say(&format!("{name}: {cut} packets that the end of the input cuts left out"));
        }
        if refused > 0 {
            failure::say(&format!("{name}: {refused} packets that FLV cannot carry left out"));
        }
        Ok(())
    }
}
