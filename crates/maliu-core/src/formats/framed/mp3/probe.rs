//! Whether bytes are MPEG audio (PAR-51).

use super::super::probe::{BEHIND_JUNK, behind_tags, rows};
use crate::{
    format::Score,
    syntax::{framing, mpeg_audio::MpegFrames},
};

/// Which part of all bytes one row must be, when no more than that speaks for it.
const PART: usize = 10;

/// Bytes that a cut frame, or two, may leave.
const CUT: usize = 4 << 10;

pub(super) fn probe(bytes: &[u8]) -> Score {
    let Some(body) = behind_tags(bytes) else { return Score::More("a tag so far") };
    let zeros = body.iter().take_while(|byte| **byte == 0).count();
    let body = body.get(zeros..).unwrap_or_default();
    if body.is_empty() {
        return Score::More("zeros so far");
    }
    if is_transport_stream(bytes) {
        return Score::No("packets of an MPEG transport stream");
    }
    let frames = MpegFrames::default();
    rows(&frames, body, |row, at| {
        if row.headers() >= BEHIND_JUNK && at <= CUT {
            return Some(Score::Sure("frames in a row behind what could be a cut one"));
        }
        // Other containers hold rows of frames too: they must be much of what is there.
        let all = || framing::chain(&frames, body.get(at..).unwrap_or_default(), usize::MAX);
        (row.frames >= 2 && all().bytes > body.len() / PART)
            .then_some(Score::Maybe("a good part of it is frames in a row"))
    })
}

/// Whether the sync bytes of three packets, or of all there are, stand where a transport stream has them: every 188
/// bytes, or every 192 with a time in front (ISO/IEC 13818-1 §2.4.3.2).
fn is_transport_stream(bytes: &[u8]) -> bool {
    [(0, 188), (4, 192)].into_iter().any(|(first, distance)| {
        let mut marks = bytes.get(first..).unwrap_or_default().iter().step_by(distance).take(3);
        marks.len() >= 2 && marks.all(|byte| *byte == 0x47)
    })
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
        assert_eq!(probe(&[0; 5000]), Score::More("zeros so far"));
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
    fn a_small_transport_stream_is_no_audio_of_ours() {
        for front in [&[][..], &[0, 0, 1, 2]] {
            let mut packet = [front, &[0x47, 0x41, 0, 0x10][..]].concat();
            packet.extend(frames(1));
            packet.resize(front.len() + 188, 0xff);
            assert_eq!(probe(&packet.repeat(6)).level(), 0, "{front:?}");
        }
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
