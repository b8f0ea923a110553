//! Whether bytes hold frames in a row, at the start or behind a little junk (PAR-50, PAR-51).

use crate::{
    format::Score,
    syntax::{
        framing::{self, Chain, Frames},
        id3v2,
    },
};

/// Bytes within which a row must begin.
const JUNK: usize = 64 << 10;

/// Headers in a row that make it sure when the bytes begin with one.
const AT_START: usize = 3;

/// Headers in a row that make it sure when junk stands in front that could be the rest of a cut frame.
pub(super) const BEHIND_JUNK: usize = 6;

/// Bytes behind the tags in front, of which there may be more than one; `None` while there is nothing.
pub(super) fn behind_tags(bytes: &[u8]) -> Option<&[u8]> {
    let mut start = 0;
    while let Some(id3v2::Size::Known(size)) = bytes.get(start..).map(id3v2::tag_size) {
        start += size;
    }
    bytes.get(start..).filter(|body| !body.is_empty())
}

/// Looks for a row at the start of `body`, then behind junk, where `judge` says what a row at an index speaks for.
pub(super) fn rows<F: Frames + Clone>(frames: &F, body: &[u8], judge: impl Fn(Chain, usize) -> Option<Score>) -> Score {
    match framing::chain(frames, body, BEHIND_JUNK) {
        row if row.headers() >= AT_START => return Score::Sure("frames in a row from the start"),
        Chain { frames: 1.., open: true, .. } => return Score::Maybe("a frame at the start, nothing against it"),
        Chain { open: true, .. } => return Score::More("a header at the start"),
        _ => {}
    }
    let within = body.get(..JUNK).unwrap_or(body);
    let mut open = body.len() < JUNK;
    let mut at = 1;
    while let Some(next) = within.get(at..).and_then(|rest| memchr::memchr(F::FIRST, rest)) {
        at += next;
        let row = framing::chain(frames, body.get(at..).unwrap_or_default(), BEHIND_JUNK);
        if let Some(score) = judge(row, at) {
            return score;
        }
        open |= row.open;
        at += 1;
    }
    if open { Score::More("no row of frames so far") } else { Score::No("no row of frames in the first 64 KiB") }
}
