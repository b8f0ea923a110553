//! `maliu repair`: a damaged FLV file written anew, with everything in it that can still be read.
//!
//! ```text
//!   IN ─▶ survey: streams, configurations, tags of the whole file
//!   IN ─▶ packets ─▶ Mend: times rise without jumps ─▶ FLV muxer: sequence headers, sizes, duration, key frame index
//!                                                            └─▶ kept, mended again until nothing changes ─▶ OUT
//! ```

use std::io::{self, Read};

use bytes::Bytes;
use maliu::{
    Error, MediaError,
    format::Event,
    formats,
    io::BLOCK_SIZE,
    output::{Mark, Output, Reach},
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

/// Mends until mending changes nothing: what heavy damage leaves may look different once it is in order.
pub fn run(args: Args) -> Result {
    output::is_none_of(&args.output, [args.input.as_str()].into_iter())?;
    let stdin = match args.input.as_str() {
        "-" => {
            Some(Spool::of(io::stdin().lock()).map_err(|error| Failure::while_("keeping", "standard input", error))?)
        }
        _ => None,
    };
    let (mut mended, end) = pass(&args, stdin.as_ref(), true)?;
    for _ in 1..MAX_PASSES {
        let (again, _) = pass(&args, Some(&mended), false)?;
        let same = again.is(&mended).map_err(keeping)?;
        mended = again;
        if same {
            break;
        }
    }
    pour(&mended, &args.output)?;
    end
}

/// How often a file is mended at most.
const MAX_PASSES: u32 = 6;

/// Mends the input, or what is kept, and says whether the system failed to give all of it. Reads twice, writes once.
fn pass(args: &Args, kept: Option<&Spool>, says: bool) -> Result<(Spool, Result)> {
    let survey = Survey::of(&args.input, &mut open(args, kept)?)?;
    let mended = Spool::beside(&args.output).map_err(keeping)?;
    let mut target = Target::over(name(&args.output), mended.write().map_err(keeping)?);
    let mut work = Work::start(args, &survey, says, &mut target)?;
    let end = work.copy(&mut open(args, kept)?, &mut target)?;
    work.close(target)?;
    Ok((mended, end.and(survey.unread.map_or(Ok(()), Err))))
}

fn name(output: &str) -> &str {
    if output == "-" { "standard output" } else { output }
}

fn keeping(error: io::Error) -> Failure {
    Failure::while_("keeping", "what was mended", error)
}

/// Gives the output what was kept for it.
fn pour(kept: &Spool, output: &str) -> Result {
    let (mut file, mut target) = (kept.open().map_err(keeping)?, Target::create(output)?);
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
            let source = spool.read().map_err(keeping)?;
            input.open_source(Box::new(source))
        }
    }
}

/// What the whole file says about its streams.
struct Survey {
    streams: Vec<StreamInfo>,
    metadata: Metadata,
    packets: u64,
    /// Key packets, by stream. A stream without any has no packet that can be decoded.
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

    /// Whether there is more than one place to seek to, in one stream of pictures: players doubt an index of one entry,
    /// and it cannot be that of two streams.
    fn has_places(&self, chosen: &[usize]) -> bool {
        let video = |index: usize| self.streams.get(index).is_some_and(|stream| stream.media.kind() == Kind::Video);
        let mut videos = chosen.iter().filter(|index| video(**index));
        let places = videos.next().and_then(|index| self.keys.get(*index)).is_some_and(|keys| *keys > 1);
        places && videos.next().is_none()
    }

    /// Which streams are written, in which order: pictures, sound, the rest, whatever order the damage left them in.
    /// What has no key packet, or no place in FLV, is not.
    fn chosen(&self) -> Vec<usize> {
        let rank = |stream: &StreamInfo| match stream.media.kind() {
            Kind::Video => 0,
            Kind::Audio => 1,
            _ => 2,
        };
        let begins = |index: usize| self.keys.get(index).is_some_and(|keys| *keys > 0);
        let mut wanted: Vec<_> = self.streams.iter().enumerate().filter(|(index, _)| begins(*index)).collect();
        wanted.sort_by_key(|(_, stream)| rank(stream));
        let (mut chosen, mut streams) = (Vec::new(), Vec::new());
        for (index, stream) in wanted {
            streams.push(stream.clone());
            match PacketWriter::start(&formats::flv::FORMAT, &[STRICT], &streams, &mut Output::default()) {
                Ok(_) => chosen.push(index),
                Err(_) => drop(streams.pop()),
            }
        }
        chosen
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

/// Whether a configuration is what the codec has: a record of version 1 with H.264 and H.265.
fn is_record(codec: Option<&Codec>, config: &[u8]) -> bool {
    !matches!(codec, Some(Codec::H264 | Codec::H265)) || config.first().is_none_or(|version| *version == 1)
}

/// Whether all of the packet was there.
fn is_whole(packet: &Packet) -> bool {
    !packet.flags.has(Flags::CORRUPT)
}

/// H.263 and MPEG-4 are written, too.
const STRICT: (&str, &str) = ("strict", "-1");

/// AAC gets the configuration that its missing sequence header would have had, and its frames their length.
fn configure(stream: &mut StreamInfo) {
    if !is_record(Some(&stream.codec), &stream.config) {
        stream.config.clear();
    }
    let (missing, aac) = (stream.config.is_empty(), stream.codec == Codec::Aac);
    let Media::Audio(audio) = &mut stream.media else { return };
    if aac && missing {
        let channels = u8::try_from(audio.channel_count()).unwrap_or(2);
        stream.config = AudioSpecificConfig::new(AAC_LC, audio.rate(), channels).build().into();
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
    /// By output stream.
    codecs: Vec<Codec>,
    /// Whether the user is told what was done.
    says: bool,
    leading: u64,
    /// Packets that the end of the input cuts.
    cut: u64,
    refused: u64,
}

impl<'a> Work<'a> {
    fn start(args: &'a Args, survey: &Survey, says: bool, target: &mut Target) -> Result<Self> {
        let chosen = survey.chosen();
        if chosen.is_empty() {
            return Err(Failure::while_("reading", &args.input, "there is no packet in it that can be decoded"));
        }
        let index = survey.has_places(&chosen) && target.output().reach() == Reach::Insert;
        let streams: Vec<StreamInfo> = chosen.iter().filter_map(|index| survey.streams.get(*index)).cloned().collect();
        let output = |index: usize| chosen.iter().position(|chosen| *chosen == index);
        let outputs: Vec<Option<usize>> = (0..survey.streams.len()).map(output).collect();
        for (lost, _) in outputs.iter().enumerate().filter(|(_, output)| says && output.is_none()) {
            failure::say(&format!("{}: stream {lost}: no key packet, or no place in FLV; left out", args.output));
        }
        let settings =
            [("add_keyframe_index", if index { "1" } else { "0" }), STRICT, ("avoid_negative_ts", "disabled")];
        let plan = Plan { format: &formats::flv::FORMAT, settings: &settings, metadata: &survey.metadata };
        let name = args.output.as_str();
        let started = plan.start(&streams, target.output());
        let writer = started.map_err(|error| Failure::while_("writing", name, error))?;
        let mend = Mend::new(&streams, args.max_gap);
        let begun = streams.iter().map(|stream| stream.media.kind() != Kind::Video).collect();
        let codecs = streams.iter().map(|stream| stream.codec).collect();
        Ok(Self { name, writer, mend, codecs, outputs, begun, says, leading: 0, cut: 0, refused: 0 })
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
        if let Some(config) = packet.side.new_config().filter(|config| !is_record(self.codecs.get(output), config)) {
            tracing::warn!("{}: a configuration of {} bytes that is none is left out", self.name, config.len());
            packet.side.set_new_config(Bytes::new());
        }
        let Some(begun) = self.begun.get_mut(output) else { return false };
        *begun |= packet.is_key();
        self.leading += u64::from(!*begun);
        *begun
    }

    fn close(self, mut target: Target) -> Result {
        let Self { name, writer, mend, says, leading, cut, refused, .. } = self;
        let written: u64 = writer.written().iter().sum::<u64>() + writer.waiting().0 as u64;
        if written == 0 {
            return Err(Failure::while_("writing", name, "no packet could be kept"));
        }
        let finished = writer.finish(target.output()).map_err(Error::from);
        finished.map_err(|error| Failure::while_("writing", name, error))?;
        target.finish()?;
        if !says {
            return Ok(());
        }
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
