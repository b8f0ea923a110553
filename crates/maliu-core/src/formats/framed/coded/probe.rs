//! Whether bytes are frames of the codec in a row.

use super::{
    super::probe::{BEHIND_JUNK, behind_tags, rows},
    codings::Coding,
};
use crate::{format::Score, syntax::framing::Frames};

pub(super) fn probe<C: Coding>(bytes: &[u8]) -> Score {
    let Some(body) = behind_tags(bytes) else { return Score::More("a tag so far") };
    let frames = C::Frames::default();
    // The codecs share sync words: the first header says whose they are.
    let first = memchr::memchr_iter(C::Frames::FIRST, body.get(..JUNK).unwrap_or(body))
        .find_map(|at| frames.header(body.get(at..).unwrap_or_default()));
    if first.is_some_and(|header| !C::is(&header)) {
        return Score::No("frames of another codec");
    }
    rows(&frames, body, |row, _| match row.headers() >= BEHIND_JUNK {
        true => Some(Score::Maybe("frames in a row behind junk")),
        false => None,
    })
}

/// Bytes within which the first frame must begin.
const JUNK: usize = 64 << 10;
