//! Whether bytes are ADTS (PAR-50).

use super::super::probe::{BEHIND_JUNK, behind_tags, rows};
use crate::{
    format::Score,
    syntax::aac::{AdtsFrames, adts},
};

pub(super) fn probe(bytes: &[u8]) -> Score {
    let Some(body) = behind_tags(bytes) else { return Score::More("a tag so far") };
    rows(&AdtsFrames, body, |row, at| match at {
        ..=adts::MAX_FRAME if row.headers() >= BEHIND_JUNK => {
            Some(Score::Sure("frames in a row behind what could be a cut one"))
        }
        _ if row.headers() >= BEHIND_JUNK => Some(Score::Maybe("frames in a row behind junk")),
        _ if row.open && row.frames >= 2 => Some(Score::Maybe("frames in a row up to the end")),
        _ => None,
    })
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
