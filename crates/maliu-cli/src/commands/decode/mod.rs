//! `maliu decode`: one audio stream of an input to PCM, or one video stream to pictures.

use std::{io::IsTerminal, path::Path};

use maliu::{io::Source, time::Ticks};
use maliu_decode::SampleFormat;

pub use self::pcm_file::Container;
use self::sound::Work;
use crate::{
    context::Context,
    failure::{Failure, Result},
    input::{self, Opened},
    output, paths, time,
};

mod jobs;
mod pcm_file;
mod pictures;
mod sound;
mod stream;
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
        Some(jobs) => jobs::run(args, jobs, &context.stop),
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

fn decoding(opened: &Opened, error: &maliu::MediaError) -> Failure {
    Failure::while_("decoding", &opened.name, error)
}
