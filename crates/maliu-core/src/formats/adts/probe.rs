//! Whether bytes are ADTS: rows of frames, at the start or behind a little junk (PAR-50).

use super::frames::AdtsFrames;
use crate::{
    format::Score,
    syntax::{
        aac::adts,
        framing::{self, Chain},
        id3v2,
    },
};

/// Bytes within which a row must begin.
const JUNK: usize = 64 << 10;

/// Headers in a row that make it sure when the bytes begin with one.
const AT_START: usize = 3;

/// Headers in a row that make it sure when junk stands in front that could be the rest of a cut frame.
const BEHIND_JUNK: usize = 6;

pub(super) fn probe(bytes: &[u8]) -> Score {
    let mut start = 0;
    // More than one tag may stand in front.
    while let Some(id3v2::Size::Known(size)) = bytes.get(start..).map(id3v2::tag_size) {
        start += size;
    }
    let Some(body) = bytes.get(start..).filter(|body| !body.is_empty()) else { return Score::More("a tag so far") };
    match framing::chain(&AdtsFrames, body, BEHIND_JUNK) {
        row if row.headers() >= AT_START => return Score::Sure("frames in a row from the start"),
        Chain { frames: 1.., open: true, .. } => return Score::Maybe("a frame at the start, nothing against it"),
        Chain { open: true, .. } => return Score::More("a header at the start"),
        _ => {}
    }
    behind_junk(body)
}

fn behind_junk(body: &[u8]) -> Score {
    let within = body.get(..JUNK).unwrap_or(body);
    let mut open = body.len() < JUNK;
    let mut at = 1;
    while let Some(next) = within.get(at..).and_then(|rest| memchr::memchr(0xff, rest)) {
        at += next;
        let row = framing::chain(&AdtsFrames, body.get(at..).unwrap_or_default(), BEHIND_JUNK);
        if row.headers() >= BEHIND_JUNK {
            return match at {
                ..=adts::MAX_FRAME => Score::Sure("frames in a row behind what could be a cut one"),
                _ => Score::Maybe("frames in a row behind junk"),
            };
        }
        if row.open && row.frames >= 2 {
            return Score::Maybe("frames in a row up to the end");
        }
        open |= row.open;
        at += 1;
    }
    if open { Score::More("no row of frames so far") } else { Score::No("no row of frames in the first 64 KiB") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn frames(count: usize) -> Vec<u8> {
        [0xff, 0xf1, 0x50, 0x80, 0x01, 0x5f, 0xfc, 1, 2, 3].repeat(count)
    }

    #[test]
    fn three_headers_are_sure_and_one_frame_is_a_guess() {
        assert_eq!(probe(&frames(3)[..27]).level(), 3);
        assert_eq!(probe(&frames(3)[..26]).level(), 2);
        assert_eq!(probe(&frames(1)).level(), 2);
        assert_eq!(probe(&frames(1)[..9]).level(), 1);
    }

    #[test]
    fn a_stream_joined_within_a_frame_is_sure_after_five_frames() {
        let mut bytes = alloc::vec![0xff; 8000];
        bytes.extend(frames(6));
        assert_eq!(probe(&bytes).level(), 3);
        assert_eq!(probe(&bytes[..8030]).level(), 2);
        assert_eq!(probe(&[b"no media".repeat(100), frames(2)].concat()).level(), 2);
    }

    #[test]
    fn no_stays_no_and_more_stays_open_below_the_limit() {
        let text = b"plain text \xff\xff".repeat(10_000);
        assert_eq!(probe(&text[..60_000]).level(), 1);
        assert_eq!(probe(&text).level(), 0);
        assert_eq!(probe(&[text, frames(9)].concat()).level(), 0);
    }
}
