//! `maliu decode`: one audio stream of an input to PCM, or one video stream to pictures.

use std::{io::IsTerminal, path::Path};

use maliu::{io::Source, time::Ticks};
use maliu_decode::SampleFormat;

use self::{pcm_file::Container, shaping::Shape, sound::Work, window::Window};
use crate::{
    context::Context,
    failure::{Failure, Result},
    input::{self, Opened},
    output, paths, time,
};

mod gain;
mod jobs;
mod pcm_file;
mod pictures;
mod shaping;
mod sound;
mod stream;
mod window;

/// Decodes an audio stream to PCM, or a video stream to pictures.
#[derive(clap::Args, Clone)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    input: input::Args,
    #[command(flatten)]
    keys: input::Keys,
    /// File to write: .wav, .aiff, .flac, .mov or any container of PCM, .pcm or .raw for audio, .y4m, .yuv or .png for video; - is
    /// standard output. A file appears when it is complete, in the place of one of that name.
    #[arg(value_name = "OUT", value_parser = paths::parser())]
    output: String,
    /// Further inputs, then the folder to write to; the inputs may be folders with --recursive.
    #[arg(value_name = "MORE", value_parser = paths::parser())]
    more: Vec<String>,
    /// Number of decoding threads (0 = one per core); does not affect the output.
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
    /// Decode N inputs at a time (0 = one per core), each to a file in the folder given last (default with many inputs: 1).
    #[arg(long, value_name = "N", conflicts_with_all = ["stream", "snapshot", "follow"])]
    jobs: Option<usize>,
    /// Take all files below folders that are inputs; each becomes a file in the folder given last.
    #[arg(long, conflicts_with_all = ["stream", "snapshot", "follow"])]
    recursive: bool,
    #[command(flatten)]
    clobber: output::Clobber,
    #[command(flatten)]
    shaping: shaping::Args,
    /// Sample format of the output.
    #[arg(long, default_value = "s16le", value_parser = format)]
    format: SampleFormat,
    /// Container of the output: pcm for bare samples, wav, aiff, flac, mov, or any other that takes PCM (default: by the name of OUT).
    #[arg(long, value_name = "FORMAT")]
    to: Option<String>,
    /// Begin at TIME after the first audio or video frame: seconds, M:S, H:M:S or 500ms.
    #[arg(long, value_name = "TIME", value_parser = time::parse, allow_hyphen_values = true)]
    start: Option<Ticks>,
    /// Stop after TIME of audio, or of pictures.
    #[arg(long, value_name = "TIME", value_parser = time::parse)]
    duration: Option<Ticks>,
    /// Stop at TIME after the first audio or video frame.
    #[arg(long, value_name = "TIME", value_parser = time::parse, conflicts_with_all = ["duration", "snapshot"], allow_hyphen_values = true)]
    end: Option<Ticks>,
    /// Index of the stream (default: the first audio stream).
    #[arg(long, value_name = "N")]
    stream: Option<usize>,
    /// Write only the picture shown at this time, as PNG: seconds, M:S or H:M:S.
    #[arg(long, value_name = "TIME", value_parser = time::parse, conflicts_with_all = ["start", "duration", "to"])]
    snapshot: Option<Ticks>,
    /// Most memory for video frames being decoded, in MiB; a stream that needs more is refused.
    #[arg(long, value_name = "MIB", default_value_t = PICTURE_MEMORY, value_parser = clap::value_parser!(u32).range(1..=65536))]
    picture_memory: u32,
    /// Drop encoder delay and padding.
    #[arg(long, value_name = "on|off", default_value = "on", hide_possible_values = true)]
    gapless: Gapless,
    /// Apply the dynamic range control of the stream.
    #[arg(long)]
    drc: bool,
    /// Shows no progress: `--jobs` has a bar of its own.
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
  maliu decode --rate 48000 --channels 2 film.mka stereo.flac
  maliu decode --normalize=-16 talk.mp3 talk.wav
  maliu decode --recursive recordings/ audio/
  maliu decode clip.h264 clip.y4m
  maliu decode talk.flv --snapshot 3.2s talk.png
  maliu decode --jobs 4 a.mp3 b.aac c.flv audio/
  cat live.aac | maliu decode - - | aplay -f S16_LE -c 2 -r 44100

A damaged packet becomes silence of its length. When the rate or the channels change, later audio is converted to those \
at the start. Mono AAC that turns to stereo by parametric stereo is stereo from the start when a file is decoded into a \
file.";

fn format(text: &str) -> std::result::Result<SampleFormat, String> {
    SampleFormat::from_name(text)
        .ok_or_else(|| format!("known are {}", SampleFormat::ALL.map(SampleFormat::name).join(", ")))
}

/// Reads, decodes and writes.
pub(super) fn run(mut args: Args, context: &Context) -> Result {
    args.input.keys = args.keys.clone();
    if let Some(end) = args.end.take() {
        let start = args.start.unwrap_or_default();
        if end <= start {
            return Err(Failure::Usage("--end must be later than --start".to_owned()));
        }
        args.duration = Some(end - start);
    }
    let many = args.recursive || !args.more.is_empty();
    match args.jobs.or(many.then_some(1)) {
        Some(jobs) => jobs::run(args, jobs, &context.stop),
        None => one(args, context),
    }
}

/// Decodes one input.
fn one(mut args: Args, context: &Context) -> Result {
    args.clobber.check(&args.output)?;
    let of_pictures = pictures::container(&args.output).filter(|_| args.to.is_none());
    let other = Path::new(&args.output).extension().is_some() && pictures::container(&args.output).is_none();
    if args.snapshot.is_some() && other {
        return Err(Failure::Usage(format!("{}: a snapshot needs a name ending in .png", args.output)));
    }
    let pictures = of_pictures.is_some() || args.snapshot.is_some();
    if let Some(option) = args.shaping.given().filter(|_| pictures) {
        return Err(Failure::Usage(format!("{option} is about audio, {} holds video", args.output)));
    }
    if let Some(container) = of_pictures.or(args.snapshot.map(|_| pictures::Container::Png)) {
        return pictures::run(&args, container, context);
    }
    if args.picture_memory != PICTURE_MEMORY {
        return Err(Failure::Usage(format!("--picture-memory is about video, {} holds audio", args.output)));
    }
    let container = container(&args)?;
    args.format = container.order(args.format);
    args.shaping.check(args.format)?;
    output::is_none_of(&args.output, [args.input.path.as_str()].into_iter())?;
    if let Some(target) = args.shaping.normalize {
        args.shaping.gain = Some(gain::measured(&args, target, context)?);
    }
    let mut opened = args.input.open(context)?;
    refuse_terminal(&args)?;
    let mut work = Work::new(&args, container, &opened, context)?;
    let mut end = work.read(&mut opened);
    if work.must_widen() {
        drop(work);
        opened = args.input.open(context)?;
        work = Work::new(&args, container, &opened, context)?.widening();
        end = work.read(&mut opened);
    }
    work.close(&opened, end)
}

fn refuse_terminal(args: &Args) -> Result {
    match args.output == "-" && std::io::stdout().is_terminal() {
        true => Err(Failure::Usage("audio is not written to a terminal; name a file or pipe the output".to_owned())),
        false => Ok(()),
    }
}

/// Decodes the audio of a source that is open to PCM.
pub(super) fn live(args: &Args, source: Box<dyn Source + Send>, context: &Context) -> Result {
    refuse_terminal(args)?;
    let mut opened = args.input.open_of(&args.input.path, source)?;
    let mut work = Work::new(args, container(args)?, &opened, context)?;
    let end = work.read(&mut opened);
    work.close(&opened, end)
}

impl Args {
    /// PCM, in a WAV file or bare, of the first audio stream of an input.
    pub(crate) fn of(input: input::Args, output: String, to: &str) -> Self {
        Self {
            keys: input::Keys::default(),
            input,
            output,
            more: Vec::new(),
            threads: 0,
            jobs: None,
            recursive: false,
            clobber: output::Clobber::default(),
            shaping: shaping::Args::default(),
            format: SampleFormat::S16Le,
            to: Some(to.to_owned()),
            start: None,
            duration: None,
            end: None,
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
    if let Some(name) = &args.to {
        return Container::named(name, args.format).map_err(|why| Failure::Usage(format!("--to {name} {why}")));
    }
    let path = Path::new(&args.output);
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    match Container::named(extension, args.format) {
        Ok(container) => Ok(container),
        _ if args.output == "-" || paths::of(&args.output).metadata().is_ok_and(|about| !about.is_file()) => {
            Ok(Container::Bare)
        }
        Err(_) if extension.is_empty() => {
            Err(Failure::Usage(format!("{}: the name selects no format; name one with --to", args.output)))
        }
        Err(why) => Err(Failure::Usage(format!("{}: .{extension} {why}", args.output))),
    }
}

fn decoding(opened: &Opened, error: &maliu::MediaError) -> Failure {
    Failure::while_("decoding", &opened.name, error)
}
