//! `maliu repair`: a damaged FLV, MP4, Matroska, WebM, Ogg, FLAC or transport stream file written anew, with everything in it that can still be read.

use std::{io, path::Path};

use maliu::{
    Error,
    format::{Format, Score},
    formats,
    io::Source,
    repair::{
        self, Options, Scratch,
        mp4::{Like, Split},
    },
    stream::{Codec, StreamInfo},
};
use maliu_decode::AacEnds;

use crate::{
    context::Context,
    failure::{self, Failure, Result},
    input, output,
};

/// Writes a damaged FLV, MP4, Matroska, WebM, Ogg, FLAC or transport stream file anew: sizes, times, configurations, durations, indexes, counters
/// and tables are right.
#[derive(clap::Args)]
#[command(after_help = NOTES)]
pub(crate) struct Args {
    /// FLV, MP4, Matroska, WebM, Ogg, FLAC or MPEG-TS file to read. It is read several times and never changed; - is
    /// standard input, which is kept on disk for that, up to 16 GiB.
    #[arg(value_name = "IN", value_parser = crate::paths::parser())]
    input: String,
    /// File to write; - is standard output, to which it goes when it is complete.
    #[arg(value_name = "OUT", value_parser = crate::paths::parser())]
    output: String,
    /// Longest pause to keep, in seconds; a longer one, and every step back, is closed. A stream whose usual pauses are
    /// longer keeps them [default: 10].
    #[arg(long, value_name = "SECONDS")]
    max_gap: Option<u32>,
    /// A good MP4 file of the same recorder, for an input that has lost its moov box.
    #[arg(long, value_name = "GOOD.mp4", value_parser = crate::paths::parser())]
    like: Option<String>,
}

const NOTES: &str =
    "Mended in FLV: wrong PreviousTagSize, junk between tags, zeros and cut tags at the end, steps back and jumps of the \
     time of a stream, single wrong times, pts below dts, sequence headers that are missing, doubled, late or in Annex B \
     form, duration, file size and keyframe index.

Mended in MP4: a lost moov box is rebuilt from the media data (--like names a good file of the same recorder where the \
configuration is lost, too), cut samples, sizes of mdat, wrong offsets, durations and times, interleaving; the index is \
moved in front.

Mended in Matroska, WebM, Ogg and FLAC: every packet that is whole goes into a new file with its length, index, checksums \
and numbers; damaged packets, junk and what the end cuts are left out, steps back and jumps in time are closed.

Mended in MPEG-TS: damaged PES packets, sections and packets are left out, counters go on, PAT and PMT are made where \
they are missing and put in where they come too seldom, jumps of the clock are marked, junk is left out. A file that is \
repaired once is not changed by a second time.

Examples:
  maliu check broken.flv
  maliu repair broken.flv whole.flv && maliu check whole.flv
  maliu repair --like good.mp4 broken.mp4 whole.mp4";

/// Mends the input, reports what was mended and left out, and writes.
pub(super) fn run(args: Args, context: &Context) -> Result {
    output::is_none_of(&args.output, [args.input.as_str()].into_iter())?;
    let stdin = match args.input.as_str() {
        "-" => Some(
            Scratch::keep(io::stdin().lock()).map_err(|error| Failure::while_("keeping", "standard input", error))?,
        ),
        _ => None,
    };
    let mut options = Options::default();
    let is_other = args.judge(stdin.as_ref(), context)?;
    options.max_gap = args.max_gap.unwrap_or(options.max_gap);
    options.like = args.like.as_deref().map(|path| like(path, context)).transpose()?;
    options.split = Some(split);
    options.beside = (args.output != "-").then(|| args.output.clone().into());
    let mended =
        repair::mend(|| open(&args.input, stdin.as_ref(), context), &options).map_err(|error| match error {
            repair::Error::Read(Error::Media(_)) if !is_other => args.foreign(stdin.as_ref(), context, error),
            error => failed(&args, error),
        })?;
    for line in mended.report().lines() {
        failure::say(&format!("{}: {line}", args.output));
    }
    let (sink, _litter) = output::open(&args.output, context)?;
    mended.write(sink).map_err(|error| failed(&args, error))?;
    match mended.unread() {
        Some(error) => Err(Failure::Unread(format!("reading {}: {error}", input::name(&args.input)))),
        None => Ok(()),
    }
}

impl Args {
    /// Whether the input is recognised as MP4 or MPEG-TS; it is mended as FLV otherwise. Refuses options, and names of the
    /// output, that are about another format than the input's.
    fn judge(&self, stdin: Option<&Scratch>, context: &Context) -> Result<bool> {
        let failed = |error| Failure::while_("opening", input::name(&self.input), error);
        let own = repair::format_of(&mut open(&self.input, stdin, context).map_err(failed)?);
        let (kind, family) = match own.map(|format| format.name) {
            Some("mp4") => ("MP4", MP4),
            Some("mpegts") => ("MPEG-TS", &["mpegts"][..]),
            Some("matroska") => ("Matroska", &["matroska"][..]),
            Some("webm") => ("WebM", &["webm"][..]),
            Some("ogg") => ("Ogg", &["ogg"][..]),
            Some("flac") => ("FLAC", &["flac"][..]),
            _ => ("FLV", &["flv"][..]),
        };
        let name = input::name(&self.input);
        if self.like.is_some() && kind != "MP4" {
            let why = format!("--like is about MP4 files without a moov box, and {name} is not MP4");
            return Err(Failure::Usage(why));
        }
        if self.max_gap.is_some() && kind != "FLV" {
            return Err(Failure::Usage(format!("--max-gap is about FLV; {name} is {kind}")));
        }
        let extension = Path::new(&self.output).extension().and_then(|extension| extension.to_str());
        let wanted = extension.and_then(|extension| formats::named(&extension.to_ascii_lowercase()));
        // Of an input that is not recognised, the failure to come says more.
        if let Some(format) = wanted.filter(|format| own.is_some() && !family.contains(&format.name)) {
            let why = format!("{}: repair writes {kind}, as the input is, not {}", self.output, format.name);
            return Err(Failure::Usage(format!("{why}; maliu remux converts")));
        }
        Ok(kind != "FLV")
    }

    /// The failure of an input of a format that is not mended, if its beginning shows one.
    fn foreign(&self, stdin: Option<&Scratch>, context: &Context, error: repair::Error) -> Failure {
        let head = self.head(stdin, context).unwrap_or_default();
        let is = |format: &&&'static Format| (format.probe)(&head).level() >= Score::Maybe("").level();
        match formats::ALL.iter().find(is) {
            Some(format) if format.name != formats::flv::FORMAT.name => {
                let name = input::name(&self.input);
                let advice = "maliu remux into the same format writes it anew";
                Failure::Failed(format!(
                    "{name}: repair mends FLV, MP4, Matroska, WebM, Ogg, FLAC and MPEG-TS files, and this is {}; {advice}",
                    format.name
                ))
            }
            _ => failed(self, error),
        }
    }

    /// The first bytes of the input.
    fn head(&self, stdin: Option<&Scratch>, context: &Context) -> Result<Vec<u8>> {
        let failed = |error| Failure::while_("opening", input::name(&self.input), error);
        let mut source = open(&self.input, stdin, context).map_err(failed)?;
        let mut head = vec![0; HEAD];
        let there = source.read_at(0, &mut head).unwrap_or(0);
        head.truncate(there);
        Ok(head)
    }
}

/// Bytes by which a format shows itself.
const HEAD: usize = 64 << 10;

/// Names of formats that MP4 files have, too.
const MP4: &[&str] = &["mp4", "mov", "m4a", "fmp4", "cmaf"];

fn open(path: &str, stdin: Option<&Scratch>, context: &Context) -> io::Result<Box<dyn Source + Send>> {
    match stdin {
        Some(kept) => Ok(Box::new(kept.read()?)),
        None => input::ahead(path, context),
    }
}

/// Reads the configurations that a good file of the same recorder shows.
fn like(path: &str, context: &Context) -> Result<Like> {
    let source = input::ahead(path, context).map_err(|error| Failure::while_("opening", path, error))?;
    Like::of(source).map_err(|error| match error {
        repair::Error::Read(error) => input::failed(path, &error),
        error => Failure::while_("reading", path, error),
    })
}

/// The ends of audio units, by the parser of the decoder.
fn split(info: &StreamInfo) -> Option<Box<dyn Split>> {
    struct Aac(AacEnds);
    impl Split for Aac {
        fn length(&mut self, bytes: &[u8]) -> Option<usize> {
            self.0.length(bytes)
        }
    }
    (info.codec == Codec::Aac).then(|| AacEnds::new(info).ok().map(|ends| Box::new(Aac(ends)) as Box<dyn Split>))?
}

fn failed(args: &Args, error: repair::Error) -> Failure {
    let name = input::name(&args.input);
    match error {
        repair::Error::Open(error) => Failure::while_("opening", name, error),
        repair::Error::Read(error) => input::failed(name, &error),
        repair::Error::Write(Error::Io(error)) => Failure::writing(output::name(&args.output), &error),
        error @ (repair::Error::NoPacket | repair::Error::NoKeyframe(_) | repair::Error::NoMovie) => {
            Failure::while_("reading", name, error)
        }
        error @ repair::Error::Keep(_) => Failure::Failed(error.to_string()),
        error => Failure::while_("writing", output::name(&args.output), error),
    }
}
