//! The file header: signature, version, flags, its own size (FLD-1…FLD-3, FLV-9).

use crate::format::Score;

use super::tag::u32_at;

/// Bytes of a header of version 1.
pub(super) const SIZE: usize = 9;

/// First bytes of a KUX file (FLD-2).
const KUX: &[u8] = b"KDK\0\0";

/// Offset in a KUX file at which an FLV file begins.
pub(super) const KUX_FRONT: u64 = 0xe4_0000;

/// Bytes behind the header that a sure probe wants to see (FLD-1).
const PROBE_TAIL: usize = 100;

/// A file header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// Whether audio is promised; often a lie.
    pub audio: bool,
    /// Whether video is promised; often a lie.
    pub video: bool,
    /// Offset of the first PreviousTagSize.
    pub size: u32,
}

impl Header {
    /// The header at the start of `bytes`, if there is one.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let [b'F', b'L', b'V', _version, flags, ..] = *bytes else { return None };
        Some(Self { audio: flags & 4 != 0, video: flags & 1 != 0, size: u32_at(bytes, 5)? })
    }
}

/// Whether a header may begin at the start of `bytes`, as far as they go (FLD-26).
pub(super) fn begins(bytes: &[u8]) -> bool {
    let fits = |(at, byte): (usize, &u8)| match at {
        0..3 => b"FLV".get(at) == Some(byte),
        3 => *byte < 5,
        5 => *byte == 0,
        _ => true,
    };
    bytes.iter().enumerate().take(6).all(fits)
}

/// Whether a KUX file may begin at the start of `bytes`, as far as they go (FLD-2).
pub(super) fn begins_kux(bytes: &[u8]) -> bool {
    let common = bytes.len().min(KUX.len());
    bytes.get(..common) == KUX.get(..common)
}

/// FLD-1. The reference refuses files of less than header + 100 bytes; here they are likely once they end.
pub(super) fn probe(bytes: &[u8]) -> Score {
    if begins_kux(bytes) {
        return if bytes.len() < KUX.len() { Score::More("the start of a KUX mark") } else { Score::Sure("KUX mark") };
    }
    if !begins(bytes) {
        return Score::No("no FLV signature");
    }
    match Header::parse(bytes) {
        None => Score::More("the start of an FLV header"),
        Some(header) if header.size <= 8 => Score::No("an FLV header of less than 9 bytes"),
        Some(header) if header.size as usize + PROBE_TAIL < bytes.len() => Score::Sure("FLV header"),
        Some(_) => Score::Maybe("FLV header with little behind it"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_probe_is_sure_only_with_bytes_behind_the_header() {
        let mut bytes = b"FLV\x01\x05\0\0\0\x09".to_vec();
        assert_eq!(probe(&bytes[..7]).level(), 1);
        assert_eq!(probe(&bytes).level(), 2);
        bytes.resize(109, 0);
        assert_eq!(probe(&bytes).level(), 2);
        bytes.push(0);
        assert_eq!(probe(&bytes).level(), 3);
        assert_eq!(probe(b"FLV\x05").level(), 0);
        assert_eq!(probe(b"FLV\x01\x05\0\0\0\x08").level(), 0);
    }
}
