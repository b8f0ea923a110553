//! Whether bytes are LOAS: rows of frames, each by its sync word of 11 bits and its length.

use super::super::probe::{BEHIND_JUNK, behind_tags, rows};
use crate::{format::Score, syntax::latm::LoasFrames};

pub(super) fn probe(bytes: &[u8]) -> Score {
    let Some(body) = behind_tags(bytes) else { return Score::More("a tag so far") };
    rows(&LoasFrames, body, |row, at| match at {
        _ if row.headers() >= BEHIND_JUNK && at < MAX_FRAME => {
            Some(Score::Sure("frames in a row behind what could be a cut one"))
        }
        _ if row.headers() >= BEHIND_JUNK => Some(Score::Maybe("frames in a row behind junk")),
        _ if row.open && row.frames >= 3 => Some(Score::Maybe("frames in a row up to the end")),
        _ => None,
    })
}

/// Most bytes of a frame.
const MAX_FRAME: usize = (1 << 13) + 2;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn three_headers_are_sure_and_text_is_none() {
        let frames: Vec<u8> = [0x56, 0xe0, 0x04, 1, 2, 3, 4].repeat(8);
        assert_eq!(probe(&frames[..17]).level(), 3);
        assert_eq!(probe(&frames[..7]).level(), 2);
        assert_eq!(probe(&[&b"junk V"[..], &frames].concat()).level(), 3);
        assert_eq!(probe(&b"plain text VVV ".repeat(6000)).level(), 0);
    }
}
