//! Declarations of the boxes and tables of an MP4 file, compared with what stands in the file.
//!
//! ```text
//!   top-level boxes ─┬─ sizes, order, a movie at all
//!                    └─ moov ─▶ Movie ─▶ durations, counts, places of samples, distance between tracks
//! ```

use std::io;

use super::{Kind, fault::kinds, found::Place};
use crate::{
    io::Source,
    mp4::{Found, TopLevel, fill},
};

mod movie;
mod tables;

use movie::Movie;

/// Largest index that is looked at.
const MAX_MOVIE: u64 = 64 << 20;

/// Findings.
type Faults = Vec<(Kind, Place, String)>;

/// Compares declarations with what stands in the file.
///
/// # Errors
/// Those of the source.
pub(super) fn judge(source: &mut impl Source) -> io::Result<Faults> {
    let boxes = TopLevel::of(source)?;
    let mut faults = layout(&boxes);
    let Some(movie) = boxes.movie().filter(|movie| movie.end - movie.body <= MAX_MOVIE) else { return Ok(faults) };
    let mut body = vec![0; usize::try_from(movie.end - movie.body).unwrap_or(0)];
    let there = fill(source, movie.body, &mut body)?;
    body.truncate(there);
    let found = Movie::read(&body);
    faults.extend(tables::judge(&found, &boxes, movie.start));
    Ok(faults)
}

/// Sizes and order of the boxes at the top level.
fn layout(boxes: &TopLevel) -> Faults {
    let mut faults = Faults::new();
    let all = &boxes.boxes;
    let of = |kind: &'static [u8; 4]| all.iter().filter(move |found| &found.kind == kind);
    let at = |at| Place { at: Some(at), ..Place::default() };
    let media = of(b"mdat").next();
    for found in of(b"mdat").filter(|found| found.open) {
        faults.push((kinds::NO_SIZE, at(found.start), "the mdat box states no size".to_owned()));
    }
    if let Some(cut) = all.last().filter(|found| !found.whole) {
        let what = format!("the {} box is longer than the rest of the file", name(cut));
        faults.push((kinds::CUT, at(cut.start), what));
    }
    let behind = all.last().map_or(0, |last| last.end);
    if behind < boxes.size {
        let what = format!("{} bytes behind the last box are no box", boxes.size - behind);
        faults.push((kinds::JUNK, at(behind), what));
    }
    let fragments = of(b"moof").next().is_some();
    match (boxes.movie(), media) {
        (None, _) => {
            let what = match of(b"moov").next() {
                Some(_) => "the moov box is cut",
                None if fragments => "fragments without a moov box",
                None => "no moov box: the recording ended before its index was written",
            };
            faults.push((kinds::NO_MOOV, Place::default(), what.to_owned()));
        }
        (Some(movie), Some(media)) if movie.start > media.start && !fragments => {
            let what = "the moov box stands behind the media: a player on a network has to wait for it";
            faults.push((kinds::INDEX_BEHIND, at(movie.start), what.to_owned()));
        }
        _ => {}
    }
    faults
}

fn name(found: &Found) -> String {
    maliu_core::syntax::isobmff::boxes::text(found.kind).into_owned()
}
