//! Writes a damaged FLV, MP4, Matroska, WebM, Ogg, FLAC or transport stream file anew, with everything in it that can still be read.
//!
//! ```text
//!   open() ─▶ Survey: streams, configurations, usual steps of time of the whole file
//!   open() ─▶ packets ─▶ Times: they rise without jumps ─▶ FLV muxer: sizes, sequence headers, duration, keyframe index
//!                                                             └─▶ Scratch, mended again until nothing changes ─▶ Sink
//! ```
//!
//! MP4 files: see [`mp4`]. Of Matroska, WebM, Ogg and FLAC every packet that is whole goes into a new file. Transport streams are mended packet by packet: [`formats::mpegts::mend`].
//!
//! ```
//! use maliu::{blocking::Reader, io::{File, Memory}, repair};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let broken = "samples/flv/cut_in_tag.flv";
//! let mended = repair::mend(|| File::open(broken), &repair::Options::default())?;
//! for line in mended.report().lines() {
//!     eprintln!("{line}");
//! }
//! let whole = mended.write(Memory::new())?;
//! assert!(Reader::from(whole.bytes()).all(|packet| packet.is_ok()));
//! # Ok(()) }
//! ```

use std::{
    io::{self, Read},
    path::PathBuf,
};

use maliu_core::{
    format::{Format, Score},
    formats,
    output::Mark,
};

use crate::{
    blocking::{Pump, Reader},
    error,
    io::{BLOCK_SIZE, Sink, Source, patiently},
};

mod anew;
mod copied;
pub mod mp4;
mod report;
mod rewrite;
mod scratch;
mod survey;
mod times;
mod ts;

pub use report::{LeftOut, Report};
pub use scratch::{MAX_SCRATCH, Scratch};

use rewrite::Rewrite;
use survey::Survey;

/// How a file is repaired.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// The longest pause in seconds that is believed; a longer one, and every step back, is closed. A stream whose
    /// usual pauses are longer keeps them.
    pub max_gap: u32,
    /// A path on the disk where what is mended is kept until it is complete: a file of the folder that holds this path.
    /// Among temporary files otherwise.
    pub beside: Option<PathBuf>,
    /// Of an MP4 file without its index: a good file of the same recorder.
    pub like: Option<mp4::Like>,
    /// Of such a file: finds the ends of audio units of codecs that only a decoder's parser can follow, such as AAC.
    pub split: Option<mp4::MakeSplit>,
}

impl Default for Options {
    fn default() -> Self {
        Self { max_gap: 10, beside: None, like: None, split: None }
    }
}

/// Why nothing was repaired.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The input cannot be opened.
    #[error(transparent)]
    Open(io::Error),
    /// The input cannot be read, not even its beginning.
    #[error(transparent)]
    Read(error::Error),
    /// There is no packet in it.
    #[error("there is no packet in it")]
    NoPacket,
    /// No stream begins with, or reaches, a packet at which decoding can start.
    #[error("there is no packet in it that can be decoded: {}", .0.join("; "))]
    NoKeyframe(Vec<String>),
    /// An MP4 file without index and without parameter sets in its media data.
    #[error("there is no moov box and no configuration in it; name a good file of the same recorder with --like")]
    NoMovie,
    /// The mended file cannot be kept until it is complete.
    #[error("keeping what was mended: {0}")]
    Keep(io::Error),
    /// The output cannot be written.
    #[error(transparent)]
    Write(error::Error),
}

/// How often a file is mended at most.
const MAX_PASSES: u32 = 6;

/// A file that was mended, kept on disk.
pub struct Mended {
    kept: Scratch,
    report: Report,
    unread: Option<io::Error>,
}

/// Mends the FLV, MP4, Matroska, WebM, Ogg, FLAC or transport stream file that `open` opens, which is called several times, until mending changes
/// nothing: what heavy damage leaves may look different once it is in order.
///
/// # Errors
/// See [`Error`]. An input that fails on the way is mended as far as it goes; see [`Mended::unread`].
pub fn mend<S: Source + Send + 'static>(
    mut open: impl FnMut() -> io::Result<S>,
    options: &Options,
) -> Result<Mended, Error> {
    let format = format_of(&mut open().map_err(Error::Open)?);
    match format.map(|format| format.name) {
        Some("mp4") => return mp4::mend(&mut open, options),
        Some("mpegts") => return ts::mend(&mut open, options),
        _ => {}
    }
    if let Some(format) = format.filter(|format| anew::FORMATS.iter().any(|known| known.name == format.name)) {
        return anew::mend(&mut open, format, options);
    }
    let (kept, report, unread) = pass(&mut open, options)?;
    report.remarks.iter().for_each(|remark| tracing::warn!("flv: {remark}"));
    let kept = until_it_stays(kept, |kept| pass(&mut || kept.read(), options).map(|(again, ..)| again))?;
    Ok(Mended { kept, report, unread })
}

/// Mends what was mended until that changes nothing, or [`MAX_PASSES`] are over.
fn until_it_stays(
    mut kept: Scratch,
    mut again: impl FnMut(&Scratch) -> Result<Scratch, Error>,
) -> Result<Scratch, Error> {
    for _ in 1..MAX_PASSES {
        let next = again(&kept)?;
        let before = std::mem::replace(&mut kept, next);
        if kept.is(&before).map_err(Error::Keep)? {
            break;
        }
    }
    Ok(kept)
}

/// The format by its first bytes of a file that [`mend`] mends: MP4, Matroska, WebM, Ogg, FLAC, FLV
/// or MPEG-TS; any other is read as FLV. A file
/// that cannot be read shows that later.
pub fn format_of(source: &mut impl Source) -> Option<&'static Format> {
    let mut head = vec![0; ts::HEAD];
    let mut there = 0;
    while source.seekable()
        && let Some(room) = head.get_mut(there..).filter(|room| !room.is_empty())
        && let Ok(read @ 1..) = source.read_at(there as u64, room)
    {
        there += read;
    }
    head.truncate(there);
    let is = |format: &Format| matches!((format.probe)(&head), Score::Sure(_) | Score::Maybe(_));
    if matches!((formats::mp4::FORMAT.probe)(head.get(..16).unwrap_or(&head)), Score::Sure(_)) {
        return Some(&formats::mp4::FORMAT);
    }
    if formats::matroska::is_webm(&head) {
        return Some(&formats::matroska::WEBM);
    }
    if let Some(format) = anew::FORMATS.iter().find(|format| matches!((format.probe)(&head), Score::Sure(_))) {
        return Some(format);
    }
    [&formats::flv::FORMAT, &formats::mpegts::FORMAT].into_iter().find(|format| is(format))
}

impl Mended {
    /// Repairs, and streams that were left out.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Why the source did not give all of the input, if it did not. Bytes behind that place are unknown.
    pub fn unread(&self) -> Option<&io::Error> {
        self.unread.as_ref()
    }

    /// Writes the mended file and completes the sink.
    ///
    /// # Errors
    /// [`Error::Keep`], [`Error::Write`].
    pub fn write<S: Sink>(&self, sink: S) -> Result<S, Error> {
        let (mut file, mut pump) = (self.kept.open().map_err(Error::Keep)?, Pump::new(sink));
        loop {
            let mut block = vec![0; BLOCK_SIZE];
            let read = file.read(&mut block).map_err(Error::Keep)?;
            block.truncate(read);
            if block.is_empty() {
                patiently(|| pump.finish(), error::Error::is_not_yet).map_err(Error::Write)?;
                return Ok(pump.into_sink());
            }
            pump.output().append(Mark::Body { time: None }, [block.into()]);
            put(&mut pump)?;
        }
    }
}

/// Reads twice, writes once.
fn pass<S: Source + Send + 'static>(
    open: &mut impl FnMut() -> io::Result<S>,
    options: &Options,
) -> Result<(Scratch, Report, Option<io::Error>), Error> {
    let mut reader = reader(open)?;
    let survey = Survey::of(&mut reader)?;
    drop(reader);
    let kept = Scratch::beside(options.beside.as_deref()).map_err(Error::Keep)?;
    let mut pump = Pump::new(kept.write().map_err(Error::Keep)?);
    let mut rewrite = Rewrite::start(&survey, options, &mut pump)?;
    let unread = rewrite.copy(&mut self::reader(open)?, &mut pump)?;
    let report = rewrite.close(pump)?;
    Ok((kept, report, unread.or(survey.unread)))
}

/// A reader of the file that looks for tags where others give up.
fn reader<S: Source>(open: &mut impl FnMut() -> io::Result<S>) -> Result<Reader<S>, Error> {
    let source = open().map_err(Error::Open)?;
    let mut reader = Reader::of(source, &formats::flv::FORMAT, &[("recover", "1")]).map_err(Error::Read)?;
    reader.keep_remarks();
    Ok(reader)
}

fn put<S: Sink>(pump: &mut Pump<S>) -> Result<(), Error> {
    patiently(|| pump.pump().and_then(|()| pump.ready()), error::Error::is_not_yet).map_err(Error::Write)
}
