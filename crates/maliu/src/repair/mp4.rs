//! MP4 files: what can be read is written anew with its index in front; a lost index is rebuilt from the media data.
//!
//! ```text
//!   top-level boxes ─┬─ movie ─▶ offsets checked ─▶ packets ──────────────────────────────┬─▶ copy ─▶ faststart MP4
//!                    └─ none ──▶ walk: NAL units by their lengths, audio by its syntax ───┘
//! ```

use std::{io, sync::atomic::Ordering};

use super::{
    Error, Mended, Options, Report, Scratch,
    copied::{Cut, Feeds, Written, streams, write},
    until_it_stays,
};
use crate::{
    copy::{Feed, Jumps},
    formats::mp4::FORMAT,
    io::Source,
    mp4::TopLevel,
};

mod like;
mod movie;
mod rebuild;
mod units;
mod walk;

pub use like::{Like, Track};
pub use units::{MakeSplit, Split};

/// Settings of the muxer: the index in front, and nothing that depends on the time of writing.
const WRITTEN: Written =
    Written { format: &FORMAT, settings: &[("faststart", "1"), ("hybrid", "0"), ("strict", "-1")], jumps: Jumps::Pass };

type Open<'a, S> = &'a mut dyn FnMut() -> io::Result<S>;

/// Mends the MP4 file that `open` opens until mending changes nothing.
pub(super) fn mend<S: Source + Send + 'static>(open: Open<'_, S>, options: &Options) -> Result<Mended, Error> {
    let (kept, report) = pass(open, options)?;
    let kept = until_it_stays(kept, |kept| pass(&mut || kept.read(), options).map(|(again, _)| again))?;
    Ok(Mended { kept, report, unread: None })
}

fn pass<S: Source + Send + 'static>(open: Open<'_, S>, options: &Options) -> Result<(Scratch, Report), Error> {
    let boxes = TopLevel::of(&mut open().map_err(Error::Open)?).map_err(Error::Open)?;
    let (feeds, mut report, cut) = match boxes.has_movie() {
        true => movie::feeds(open, &boxes)?,
        false => rebuild::feeds(open, &boxes, options)?,
    };
    let kept = Scratch::beside(options.beside.as_deref()).map_err(Error::Keep)?;
    write(feeds, WRITTEN, &kept, &mut report)?;
    report.cut = cut.load(Ordering::Relaxed);
    Ok((kept, report))
}
