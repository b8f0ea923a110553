//! The two packagings of NAL units in a packet and the way from one to the other, idempotent (PAR-12, PAR-22).

use alloc::vec::Vec;

use bytes::Bytes;
use memchr::memmem;

use super::scan::{starts_with_code, units};

/// How the NAL units of a packet are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Each behind a start code.
    AnnexB,
    /// Each behind its length, which has this many bytes: 1, 2, 3 or 4.
    Lengths(u8),
}

impl Framing {
    /// Framing by the configuration of an H.264 stream: lengths for an avcC, start codes otherwise.
    pub fn of_h264(config: &[u8]) -> Self {
        match config {
            [1, _, _, _, sizes, _, _, ..] => Self::Lengths((sizes & 3) + 1),
            _ => Self::AnnexB,
        }
    }

    /// Framing by the configuration of an H.265 stream: lengths for an hvcC, start codes otherwise.
    pub fn of_h265(config: &[u8]) -> Self {
        match config.get(21) {
            Some(sizes) if config.len() >= 23 && !starts_with_code(config) => Self::Lengths((sizes & 3) + 1),
            _ => Self::AnnexB,
        }
    }

    /// Framing by the bytes of a whole packet when nothing else is known. Lengths (of 4 bytes) win only when they
    /// end exactly at the end and every unit they make could be one: 00 00 01 2C is both a start code and a length.
    pub fn guess(data: &[u8]) -> Self {
        if is_lengths(data, 4) || !starts_with_code(data) { Self::Lengths(4) } else { Self::AnnexB }
    }
}

fn is_lengths(data: &[u8], size: u8) -> bool {
    let forbidden = memmem::Finder::new(&[0, 0, 1]);
    let mut walk = lengths(data, size);
    let possible =
        walk.by_ref().all(|nal| nal.first().is_some_and(|head| head & 0x80 == 0) && forbidden.find(nal).is_none());
    possible && !data.is_empty() && walk.rest.is_empty()
}

/// The NAL units of `data`, each behind its length in `size` (1 to 4) bytes. Ends before a length that points past the
/// end; [`Lengths::left`] is then not 0.
pub fn lengths(data: &[u8], size: u8) -> Lengths<'_> {
    Lengths { rest: data, size: usize::from(size.clamp(1, 4)) }
}

/// Iterator of [`lengths`].
#[derive(Clone, Debug)]
pub struct Lengths<'a> {
    rest: &'a [u8],
    size: usize,
}

impl Lengths<'_> {
    /// Bytes that are not walked yet.
    pub fn left(&self) -> usize {
        self.rest.len()
    }
}

impl<'a> Iterator for Lengths<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (length, behind) = self.rest.split_at_checked(self.size)?;
        let length = length.iter().fold(0usize, |sum, byte| sum << 8 | usize::from(*byte));
        let (nal, rest) = behind.split_at_checked(length)?;
        self.rest = rest;
        Some(nal)
    }
}

/// `data` with each NAL unit behind its length in 4 bytes. `from` says how it is packaged; what already is so is
/// returned as it stands. Bytes before the first start code are dropped, no start code gives nothing, and empty units
/// are left out (PAR-12).
pub fn to_lengths(data: &Bytes, from: Framing) -> Bytes {
    match from {
        Framing::Lengths(4) => data.clone(),
        Framing::AnnexB => {
            let mut out = Vec::with_capacity(data.len() + 16);
            units(data).for_each(|unit| put(&mut out, unit.data));
            out.into()
        }
        Framing::Lengths(size) => {
            let mut out = Vec::with_capacity(data.len() + data.len() / 8 + 16);
            lengths(data, size).for_each(|nal| put(&mut out, nal));
            out.into()
        }
    }
}

fn put(out: &mut Vec<u8>, nal: &[u8]) {
    out.extend_from_slice(&u32::try_from(nal.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend_from_slice(nal);
}

/// `data` with each NAL unit behind 00 00 00 01; what already has start codes is returned as it stands. Empty units and
/// what follows a length that points past the end are left out.
pub fn from_lengths(data: &Bytes, from: Framing) -> Bytes {
    let Framing::Lengths(size) = from else { return data.clone() };
    let mut out = Vec::with_capacity(data.len() + data.len() / 8 + 16);
    for nal in lengths(data, size).filter(|nal| !nal.is_empty()) {
        out.extend_from_slice(&[0, 0, 0, 1]);
        out.extend_from_slice(nal);
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(data: &[u8]) -> Bytes {
        Bytes::copy_from_slice(data)
    }

    #[test]
    fn conversions_done_twice_change_nothing_more() {
        let codes = bytes(&[7, 0, 0, 1, 0x67, 5, 0, 0, 0, 1, 0x65, 8, 9, 0]);
        let sized = to_lengths(&codes, Framing::AnnexB);
        assert_eq!(&sized[..], [0, 0, 0, 2, 0x67, 5, 0, 0, 0, 4, 0x65, 8, 9, 0]);
        assert_eq!(Framing::guess(&sized), Framing::Lengths(4));
        assert_eq!(to_lengths(&sized, Framing::guess(&sized)), sized);
        let back = from_lengths(&sized, Framing::Lengths(4));
        assert_eq!(&back[..], [0, 0, 0, 1, 0x67, 5, 0, 0, 0, 1, 0x65, 8, 9, 0]);
        assert_eq!(from_lengths(&back, Framing::guess(&back)), back);
        assert_eq!(to_lengths(&bytes(&[5, 6, 7]), Framing::AnnexB), bytes(&[]));
        let empty = bytes(&[0, 0, 1, 0, 0, 1, 0x65, 8, 0, 0, 1]);
        assert_eq!(&to_lengths(&empty, Framing::AnnexB)[..], [0, 0, 0, 2, 0x65, 8], "empty units are left out");
    }

    #[test]
    fn a_length_that_looks_like_a_start_code_is_a_length() {
        let mut sized = alloc::vec![0, 0, 1, 0x41];
        sized.resize(4 + 0x141, 0x41);
        assert_eq!(Framing::guess(&sized), Framing::Lengths(4));
        sized[4] = 0x9a; // The first byte of a slice header behind a start code and the NAL header 41.
        assert_eq!(Framing::guess(&sized), Framing::AnnexB);
    }

    #[test]
    fn short_lengths_are_widened() {
        assert_eq!(
            &to_lengths(&bytes(&[2, 0x67, 5, 1, 0x68]), Framing::Lengths(1))[..],
            [0, 0, 0, 2, 0x67, 5, 0, 0, 0, 1, 0x68]
        );
        let mut cut = lengths(&[0, 2, 1, 2, 0, 9, 1], 2);
        assert_eq!((cut.next(), cut.next(), cut.left()), (Some(&[1, 2][..]), None, 3));
    }
}
