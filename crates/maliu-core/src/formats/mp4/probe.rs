//! Is this an ISO base media file? The name of its first box says so.

use crate::{
    format::Score,
    syntax::isobmff::boxes::{self, Parsed},
};

/// Names with which files begin.
const FIRST: &[&[u8; 4]] = &[
    b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"sidx", b"wide", b"free", b"skip", b"pnot", b"emsg", b"prft", b"udta",
];

/// Judges the first box.
pub(super) fn probe(bytes: &[u8]) -> Score {
    let Some(name) = bytes.get(4..8) else {
        return if bytes.len() < 8 { Score::More("too short for a box") } else { Score::No("no box") };
    };
    let known = FIRST.iter().any(|first| first.as_slice() == name);
    match boxes::parse(bytes) {
        _ if !known && name != b"uuid" => Score::No("no box that begins an MP4 file"),
        Parsed::Header(_) if known => Score::Sure("a box that begins an MP4 or QuickTime file"),
        Parsed::Header(_) => Score::Maybe("a uuid box"),
        Parsed::More => Score::More("the size of the first box is cut"),
        Parsed::Invalid => Score::No("a box with an impossible size"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_boxes_of_all_kinds_are_known() {
        let cases: [(&[u8], u8); 6] = [
            (b"\0\0\0\x18ftypisom", 3),
            (b"\0\0\0\x01mdat\0", 1),
            (b"\0\0\0\0mdat", 3),
            (b"\0\0\0\x08uuid", 2),
            (b"\0\0\0\x04free", 0),
            (b"FLV\x01\x05\0\0\0\x09", 0),
        ];
        for (bytes, level) in cases {
            assert_eq!(probe(bytes).level(), level, "{bytes:?}");
        }
    }
}
