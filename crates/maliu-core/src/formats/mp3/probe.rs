//! Whether bytes are MPEG audio: rows of frames, at the start or behind a little junk (PAR-51).

use crate::{
    format::Score,
    syntax::{
        framing::{self, Chain},
        id3v2,
        mpeg_audio::MpegFrames,
    },
};

/// Bytes within which a row must begin.
const JUNK: usize = 64 << 10;

/// Headers in a row that make it sure when the bytes begin with one.
const AT_START: usize = 3;

/// Headers in a row that make it sure when junk stands in front that could be the rest of a cut frame.
const BEHIND_JUNK: usize = 6;

/// Which part of all bytes one row must be, when no more than that speaks for it.
const PART: usize = 10;

/// Bytes that a cut frame, or two, may leave.
const CUT: usize = 4 << 10;

pub(super) fn probe(bytes: &[u8]) -> Score {
    let mut start = 0;
    // More than one tag may stand in front.
    while let Some(id3v2::Size::Known(size)) = bytes.get(start..).map(id3v2::tag_size) {
        start += size;
    }
    let Some(body) = bytes.get(start..).filter(|body| !body.is_empty()) else { return Score::More("a tag so far") };
    let zeros = body.iter().take_while(|byte| **byte == 0).count();
    let body = body.get(zeros..).unwrap_or_default();
    match framing::chain(&MpegFrames::default(), body, BEHIND_JUNK) {
        row if row.headers() >= AT_START => return Score::Sure("frames in a row from the start"),
        Chain { frames: 1.., open: true, .. } => return Score::Maybe("a frame at the start, nothing against it"),
        Chain { open: true, .. } => return Score::More("a header at the start"),
        _ => {}
    }
    behind_junk(body)
}

fn behind_junk(body: &[u8]) -> Score {
    let frames = MpegFrames::default();
    let within = body.get(..JUNK).unwrap_or(body);
    let mut open = body.len() < JUNK;
    let mut at = 1;
    while let Some(next) = within.get(at..).and_then(|rest| memchr::memchr(0xff, rest)) {
        at += next;
        let rest = body.get(at..).unwrap_or_default();
        let row = framing::chain(&frames, rest, BEHIND_JUNK);
        if row.headers() >= BEHIND_JUNK && at <= CUT {
            return Score::Sure("frames in a row behind what could be a cut one");
        }
        if row.frames >= 2 {
            // Other containers hold rows of frames too: they must be much of what is there.
            let all = framing::chain(&frames, rest, usize::MAX);
            if all.bytes > body.len() / PART {
                return Score::Maybe("a good part of it is frames in a row");
            }
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
        let mut frame = alloc::vec![0x11; 144];
        frame[..4].copy_from_slice(&[0xff, 0xf3, 0x48, 0xc4]);
        frame.repeat(count)
    }

    #[test]
    fn three_headers_are_sure_and_one_frame_is_a_guess() {
        assert_eq!(probe(&frames(3)[..292]).level(), 3);
        assert_eq!(probe(&[alloc::vec![0; 5000], frames(3)].concat()).level(), 3);
        assert_eq!(probe(&frames(3)[..291]).level(), 2);
        assert_eq!(probe(&frames(1)[..143]).level(), 1);
    }

    #[test]
    fn a_stream_joined_within_a_frame_is_sure_after_five_frames() {
        let joined = [&frames(1)[10..], &frames(6)].concat();
        assert_eq!(probe(&joined).level(), 3);
        assert_eq!(probe(&joined[..134 + 144 * 2]).level(), 2);
    }

    #[test]
    fn a_pattern_that_happens_to_look_like_headers_is_no_row() {
        assert!(probe(&[0xff, 0xf3, 0x48, 0xc4].repeat(5000)).level() < 2);
    }

    #[test]
    fn rows_of_frames_inside_something_larger_are_not_claimed() {
        let inside = [alloc::vec![b'x'; 20_000], frames(8), alloc::vec![b'y'; 80_000]].concat();
        assert_eq!(probe(&inside).level(), 1);
        assert_eq!(probe(&b"text \xff\xff".repeat(20_000)).level(), 0);
    }
}
