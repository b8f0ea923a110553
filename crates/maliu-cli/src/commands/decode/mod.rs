//! `maliu decode`: one audio stream of an input to PCM, or one video stream to pictures.

use std::{io::IsTerminal, path::Path};

use maliu::{
    format::Event,
    io::Source,
    stream::{Kind, Metadata, StreamInfo},
    time::{Rounding, Ticks, TimeBase},
};
use maliu_decode::{AudioFrame, Options, Parallel, SampleFormat, Samples};

pub use self::pcm_file::Container;
use self::{pcm_file::PcmFile, window::Window};
use crate::{
    context::Context,
    failure::{Failure, Result},
    input::{self, Opened, Step},
    output::{self, Target},
    paths,
    progress::Progress,
    time,
};

mod jobs;
mod pcm_file;
mod pictures;
mod window;

/// Decodes an audio stream to PCM, or a video stream to pictures.
#[derive(clap::Args, Clone)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    input: input::Args,
    /// File to write: .wav, .pcm or .raw for sound, .y4m, .yuv or .png for pictures; - is standard output. A file
    /// appears when it is complete.
    #[arg(value_name = "OUT", value_parser = paths::parser())]
    output: String,
    /// With --jobs: further inputs, and last the directory to write to.
    #[arg(value_name = "MORE", requires = "jobs", value_parser = paths::parser())]
    more: Vec<String>,
    /// Threads that decode, 0 for one a core; the samples are the same for any number.
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
    /// Decode several inputs at a time, 0 for one a core, each to a file in the directory named last.
    #[arg(long, value_name = "N", conflicts_with_all = ["stream", "snapshot", "follow"])]
    jobs: Option<usize>,
    /// How each sample is stored.
    #[arg(long, default_value = "s16le", value_parser = format)]
    format: SampleFormat,
    /// What is around the samples, whatever the name of OUT says.
    #[arg(long, value_enum)]
    to: Option<Container>,
    /// Leave out what comes before: seconds, M:S or H:M:S.
    #[arg(long, value_name = "TIME", value_parser = time::parse)]
    start: Option<Ticks>,
    /// Stop after so much sound.
    #[arg(long, value_name = "TIME", value_parser = time::parse)]
    duration: Option<Ticks>,
    /// Index of the stream; the first audio stream otherwise.
    #[arg(long, value_name = "N")]
    stream: Option<usize>,
    /// Write only the picture shown at this time, as PNG: seconds, M:S or H:M:S.
    #[arg(long, value_name = "TIME", value_parser = time::parse, conflicts_with_all = ["start", "duration", "to"])]
    snapshot: Option<Ticks>,
    /// Most memory for video frames being decoded, in MiB; a stream that needs more is refused.
    #[arg(long, value_name = "MIB", default_value_t = PICTURE_MEMORY, value_parser = clap::value_parser!(u32).range(1..=65536))]
    picture_memory: u32,
    /// Whether encoder delay and padding are dropped.
    #[arg(long, default_value = "on")]
    gapless: Gapless,
    /// Apply the dynamic range control that the stream brings.
    #[arg(long)]
    drc: bool,
    /// No progress is shown: another does.
    #[arg(skip)]
    hush: bool,
}

/// Memory for video frames being decoded, in MiB, unless set otherwise.
const PICTURE_MEMORY: u32 = 256;

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Gapless {
    On,
    Off,
}

const EXAMPLES: &str = "Examples:
  maliu decode song.mp3 song.wav
  maliu decode --format s24le --start 1:30 --duration 10 talk.flv part.wav
  maliu decode clip.h264 clip.y4m
  maliu decode talk.flv --snapshot 3.2s talk.png
  maliu decode --jobs 4 a.mp3 b.aac c.flv sounds/
  cat live.aac | maliu decode - - | aplay -f S16_LE -c 2 -r 44100

A damaged packet becomes silence of its length. When rate or channels change on the
way, what follows is converted to those at the start. Mono AAC that turns to stereo
by parametric stereo is stereo from the start where a file is written from a file.";

fn format(text: &str) -> std::result::Result<SampleFormat, String> {
    SampleFormat::from_name(text)
        .ok_or_else(|| format!("known are {}", SampleFormat::ALL.map(SampleFormat::name).join(", ")))
}

/// Reads, decodes and writes.
pub fn run(args: Args, context: &Context) -> Result {
    match args.jobs {
        Some(jobs) => jobs::run(args, jobs),
        None => one(args, context),
    }
}

/// Decodes one input.
fn one(args: Args, context: &Context) -> Result {
    let of_pictures = pictures::container(&args.output).filter(|_| args.to.is_none());
    if let Some(container) = of_pictures.or(args.snapshot.map(|_| pictures::Container::Png)) {
        return pictures::run(&args, container, context);
    }
    let container = container(&args)?;
    output::is_none_of(&args.output, [args.input.path.as_str()].into_iter())?;
    let mut opened = args.input.open(context)?;
    refuse_terminal(&args)?;
    let mut work = Work::new(&args, container, &opened, context)?;
    let mut end = work.read(&mut opened);
    if std::mem::take(&mut work.widened) {
        drop(work);
        opened = args.input.open(context)?;
        work = Work::new(&args, container, &opened, context)?;
        work.widen = true;
        end = work.read(&mut opened);
    }
    work.close(&opened, end)
}

fn refuse_terminal(args: &Args) -> Result {
    match args.output == "-" && std::io::stdout().is_terminal() {
        true => Err(Failure::Usage("sound is not written to a terminal".to_owned())),
        false => Ok(()),
    }
}

/// Decodes the audio of a source that is open to PCM.
pub fn live(args: &Args, source: Box<dyn Source + Send>, context: &Context) -> Result {
    refuse_terminal(args)?;
    let mut opened = args.input.open_of(&args.input.path, source)?;
    let mut work = Work::new(args, container(args)?, &opened, context)?;
    let end = work.read(&mut opened);
    work.close(&opened, end)
}

impl Args {
    /// PCM, in a WAV file or bare, of the first audio stream of an input.
    pub fn of(input: input::Args, output: String, to: Container) -> Self {
        Self {
            input,
            output,
            more: Vec::new(),
            threads: 0,
            jobs: None,
            format: SampleFormat::S16Le,
            to: Some(to),
            start: None,
            duration: None,
            stream: None,
            snapshot: None,
            picture_memory: PICTURE_MEMORY,
            gapless: Gapless::On,
            drc: false,
            hush: false,
        }
    }
}

fn container(args: &Args) -> Result<Container> {
    if let Some(container) = args.to {
        return Ok(container);
    }
    let path = Path::new(&args.output);
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    match extension.to_ascii_lowercase().as_str() {
        "wav" | "wave" => Ok(Container::Wav),
        "pcm" | "raw" => Ok(Container::Pcm),
        _ if args.output == "-" || paths::of(&args.output).metadata().is_ok_and(|about| !about.is_file()) => {
            Ok(Container::Pcm)
        }
        _ => Err(Failure::Usage(format!("{}: a name ending in .wav, .pcm or .raw is needed, or --to", args.output))),
    }
}

/// One run of the command.
struct Work<'a> {
    args: &'a Args,
    file: PcmFile,
    /// Tags of the input, which a WAV file takes over.
    tags: Metadata,
    window: Window,
    /// The stream being decoded, as last described.
    stream: Option<(usize, StreamInfo)>,
    /// Made at the first packet: until then a stream may be described better and better.
    decoder: Option<Parallel>,
    progress: Option<Progress>,
    /// The first sound decides where a jump to the start goes.
    may_seek: bool,
    packets: u64,
    damaged: u64,
    changed: bool,
    /// Mono that parametric stereo may widen is stereo from the start.
    widen: bool,
    /// It could begin anew with `widen`, as nothing was handed over yet.
    may_widen: bool,
    /// It has to.
    widened: bool,
}

impl<'a> Work<'a> {
    fn new(args: &'a Args, container: Container, opened: &Opened, context: &Context) -> Result<Self> {
        let whole = paths::of(&args.output).metadata().map_or(args.output != "-", |about| about.is_file());
        Ok(Work {
            args,
            file: PcmFile::new(Target::create(&args.output, context)?, container, args.format),
            tags: Metadata::default(),
            window: Window::new(args.start.unwrap_or_default(), args.duration),
            stream: None,
            decoder: None,
            progress: None,
            may_seek: args.start.is_some(),
            packets: 0,
            damaged: 0,
            changed: false,
            widen: false,
            may_widen: whole && !opened.is_live(),
            widened: false,
        })
    }

    fn read(&mut self, opened: &mut Opened) -> Result {
        loop {
            let step = opened.step();
            let more = match step {
                Ok(Step::Event(Event::Packet(packet)))
                    if self.stream.as_ref().is_some_and(|(index, _)| *index == packet.stream) =>
                {
                    self.decoder(opened)?.push(packet);
                    // Before a jump nothing is decoded that the jump would leave out.
                    if self.may_seek { self.drain(opened)? } else { self.put_ready(opened)? }
                }
                Ok(Step::Event(Event::Packet(other))) => {
                    self.decoder.iter_mut().for_each(|decoder| decoder.pass(other.data.len()));
                    true
                }
                // All else waits for the packets before it.
                other => {
                    let more = self.drain(opened)?;
                    match other? {
                        _ if !more => false,
                        Step::End => false,
                        Step::Pause => self.file.pause().map(|()| true)?,
                        Step::Event(Event::Stream(index, info)) => self.meet(index, *info),
                        Step::Event(Event::Metadata(tags)) => {
                            self.tags = *tags;
                            true
                        }
                        Step::Event(_) => true,
                    }
                }
            };
            if !more {
                return Ok(());
            }
        }
    }

    /// A stream is there, or has changed.
    fn meet(&mut self, index: usize, info: StreamInfo) -> bool {
        let wanted = match (&self.stream, self.args.stream) {
            (Some((chosen, _)), _) => *chosen == index,
            (None, Some(wanted)) => wanted == index,
            (None, None) => info.media.kind() == Kind::Audio,
        };
        if wanted {
            if self.stream.as_ref().is_some_and(|(_, known)| !same_sound(known, &info)) {
                self.retire();
            }
            self.stream = Some((index, info));
        }
        true
    }

    fn decoder(&mut self, opened: &Opened) -> Result<&mut Parallel> {
        let decoder = match (self.decoder.take(), &self.stream) {
            (Some(decoder), _) => decoder,
            (None, Some((_, info))) => {
                let mut options = Options::default();
                options.gapless = self.args.gapless == Gapless::On;
                (options.drc, options.widen) = (self.args.drc, self.widen);
                Parallel::new(info, options, self.args.threads).map_err(|error| decoding(opened, &error))?
            }
            (None, None) => return Err(Failure::Failed(no_stream(opened, self.args.stream))),
        };
        Ok(self.decoder.insert(decoder))
    }

    /// Writes what is decoded; false when nothing more is wanted.
    fn put_ready(&mut self, opened: &mut Opened) -> Result<bool> {
        while let Some(answer) = self.decoder.as_mut().and_then(Parallel::poll) {
            if !self.put(opened, answer)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Writes the sound of all packets so far; false when nothing more is wanted.
    fn drain(&mut self, opened: &mut Opened) -> Result<bool> {
        while let Some(answer) = self.decoder.as_mut().and_then(Parallel::finish) {
            if !self.put(opened, answer)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Writes the wanted part of a frame; false when nothing more is wanted.
    fn put(
        &mut self,
        opened: &mut Opened,
        answer: std::result::Result<Option<AudioFrame>, maliu::MediaError>,
    ) -> Result<bool> {
        self.packets += 1;
        let Some(mut frame) = answer.map_err(|error| decoding(opened, &error))? else { return Ok(true) };
        let base = self.stream.as_ref().map_or(TimeBase::MICROS, |(_, info)| info.time_base);
        let more = self.window.cut(&mut frame, base);
        if !frame.is_empty() {
            if self.file.differs(&frame) && self.widens() {
                self.widened = true;
                return Ok(false);
            }
            if self.file.differs(&frame) && !std::mem::replace(&mut self.changed, true) {
                let AudioFrame { sample_rate, channels, .. } = frame;
                tracing::warn!(
                    "the sound changes to {sample_rate} Hz, {channels} channels; it is converted to that at the start"
                );
            }
            self.file.write(frame, &self.tags)?;
        }
        if more && std::mem::take(&mut self.may_seek) {
            self.seek(opened);
        }
        let hush = self.args.hush;
        let new = || if hush { Progress::hidden() } else { Progress::new(length(opened)) };
        let progress = self.progress.get_or_insert_with(new);
        progress.show(self.window.done(), || opened.position());
        Ok(more)
    }

    /// Whether what differs may be parametric stereo that begins late, and to begin anew would help.
    fn widens(&self) -> bool {
        let profile = self.decoder.as_ref().and_then(Parallel::profile);
        self.may_widen && !self.widen && profile.is_some_and(|profile| profile.name == "HE-AACv2")
    }

    /// Jumps near the start, where the input can; otherwise everything up to it is decoded and dropped.
    fn seek(&mut self, opened: &mut Opened) {
        let Some((_, info)) = &self.stream else { return };
        let Some(to) = self.window.seek_to(PREROLL, info.time_base) else { return };
        match opened.reader.seek_to(to, info.time_base) {
            Ok(_) => {
                self.window.jumped();
                if let Some(decoder) = &mut self.decoder {
                    decoder.reset();
                }
            }
            Err(error) => tracing::info!("{}: {error}; decoding from the beginning", opened.name),
        }
    }

    /// Lets go of the decoder and says what was odd about its packets.
    fn retire(&mut self) {
        let Some(report) = self.decoder.take().map(|decoder| decoder.report()) else { return };
        self.damaged += report.damaged;
        if let Some(why) = report.first_damage {
            tracing::warn!("{} damaged packets are replaced by silence; the first: {why}", report.damaged);
        }
        if report.clamped > 0 {
            tracing::warn!("{} samples far beyond full scale are cut off", report.clamped);
        }
    }

    /// Completes the file with what was good, however reading ended.
    fn close(mut self, opened: &Opened, end: Result) -> Result {
        self.retire();
        match &self.stream {
            _ if self.file.is_started() => {}
            _ if end.is_err() => return end,
            None => return Err(Failure::Failed(no_stream(opened, self.args.stream))),
            Some((_, info)) => {
                if self.args.start.is_some() && end.is_ok() {
                    tracing::warn!("{} ends before --start: no sound is written", opened.name);
                }
                self.file.start(&silent(info)?, &self.tags)?;
            }
        }
        if self.packets > 0 && self.damaged == self.packets {
            return Err(Failure::while_("decoding", &opened.name, "all packets are damaged"));
        }
        self.file.finish()?;
        end
    }
}

fn decoding(opened: &Opened, error: &maliu::MediaError) -> Failure {
    Failure::while_("decoding", &opened.name, error)
}

/// Whether a decoder of the one can go on with the other.
fn same_sound(a: &StreamInfo, b: &StreamInfo) -> bool {
    let sound = |info: &StreamInfo| info.as_audio().map(|audio| (audio.rate(), audio.channel_count()));
    (a.codec, &a.config, a.time_base, sound(a)) == (b.codec, &b.config, b.time_base, sound(b))
}

fn no_stream(opened: &Opened, wanted: Option<usize>) -> String {
    match wanted {
        Some(wanted) => format!("reading {}: there is no stream {wanted}", opened.name),
        None => format!("reading {}: there is no audio stream", opened.name),
    }
}

/// A frame without samples, for the head of a file without sound.
fn silent(info: &StreamInfo) -> Result<AudioFrame> {
    match info.as_audio() {
        Some(audio) if audio.rate() > 0 && audio.channel_count() > 0 => Ok(AudioFrame {
            sample_rate: audio.rate(),
            channels: audio.channel_count(),
            channel_mask: audio.channel_mask,
            time: None,
            samples: Samples::F32(Vec::new()),
        }),
        _ => Err(Failure::Failed(format!("the {} stream holds no sound", info.codec))),
    }
}

fn length(opened: &Opened) -> Option<Ticks> {
    opened.reader.duration().map(|(time, base)| base.rescale(time, TimeBase::MICROS, Rounding::Near))
}

/// How long before the wanted start decoding starts, in µs: past any bit reservoir and overlap.
const PREROLL: Ticks = Ticks(1_000_000);
