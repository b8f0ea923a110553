//! Bytes of a body as they stand on the wire, and without what the carrier did to them: escapes, texts, compression.

use alloc::{string::String, vec::Vec};

use crate::syntax::base64;

/// A coding that a carrier applies to the bytes of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Transform {
    /// 0x7e is 0x7d 0x02, 0x7d is 0x7d 0x01 (JT/T 808-2019 section 4.4.2).
    Jt808,
    /// 0x7d in front of a byte with its bit 5 turned: 0x7e and 0x7d (RFC 1662 section 4.2).
    Hdlc,
    /// 0xc0 is 0xdb 0xdc, 0xdb is 0xdb 0xdd (RFC 1055).
    Slip,
    /// Consistent overhead byte stuffing: blocks without zeros behind their lengths.
    Cobs,
    /// Base64 (RFC 4648 section 4); blanks and line ends are passed over.
    Base64,
    /// Two hexadecimal digits a byte.
    Hex,
    /// Deflate in a zlib envelope (RFC 1950).
    #[cfg(feature = "deflate")]
    Zlib,
    /// Deflate alone (RFC 1951).
    #[cfg(feature = "deflate")]
    Deflate,
}

impl Transform {
    /// Every transform by the name it has in a layout.
    pub const NAMES: &'static [(&'static str, Self)] = &[
        ("jt808", Self::Jt808),
        ("hdlc", Self::Hdlc),
        ("slip", Self::Slip),
        ("cobs", Self::Cobs),
        ("base64", Self::Base64),
        ("hex", Self::Hex),
        #[cfg(feature = "deflate")]
        ("zlib", Self::Zlib),
        #[cfg(feature = "deflate")]
        ("deflate", Self::Deflate),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, known)| *known == self).map_or("", |(name, _)| name)
    }

    /// The bytes before it, at most `limit` of them; `None` where the bytes are not of this form.
    pub(super) fn undo(self, bytes: &[u8], limit: usize) -> Option<Vec<u8>> {
        match self {
            Self::Jt808 => unescape(bytes, 0x7d, |byte| match byte {
                2 => Some(0x7e),
                1 => Some(0x7d),
                _ => None,
            }),
            Self::Hdlc => unescape(bytes, 0x7d, |byte| Some(byte ^ 0x20)),
            Self::Slip => unescape(bytes, 0xdb, |byte| match byte {
                0xdc => Some(0xc0),
                0xdd => Some(0xdb),
                _ => None,
            }),
            Self::Cobs => from_cobs(bytes),
            Self::Base64 => {
                let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=\r\n \t".contains(byte);
                bytes.iter().all(fits).then(|| base64::decode(bytes))
            }
            Self::Hex => {
                let digits: Option<Vec<u8>> = bytes
                    .iter()
                    .filter(|byte| !byte.is_ascii_whitespace())
                    .map(|byte| char::from(*byte).to_digit(16).map(|digit| digit as u8))
                    .collect();
                let digits = digits.filter(|digits| digits.len().is_multiple_of(2))?;
                Some(digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect())
            }
            #[cfg(feature = "deflate")]
            Self::Zlib => miniz_oxide::inflate::decompress_to_vec_zlib_with_limit(bytes, limit).ok(),
            #[cfg(feature = "deflate")]
            Self::Deflate => miniz_oxide::inflate::decompress_to_vec_with_limit(bytes, limit).ok(),
        }
        .filter(|whole| whole.len() <= limit)
    }

    /// The bytes as they stand on the wire.
    pub(super) fn apply(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Jt808 => escape(bytes, |byte| match byte {
                0x7e => Some([0x7d, 2]),
                0x7d => Some([0x7d, 1]),
                _ => None,
            }),
            Self::Hdlc => escape(bytes, |byte| matches!(byte, 0x7e | 0x7d).then_some([0x7d, byte ^ 0x20])),
            Self::Slip => escape(bytes, |byte| match byte {
                0xc0 => Some([0xdb, 0xdc]),
                0xdb => Some([0xdb, 0xdd]),
                _ => None,
            }),
            Self::Cobs => to_cobs(bytes),
            Self::Base64 => base64::encode(bytes).into_bytes(),
            Self::Hex => {
                let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or('0');
                let text: String = bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect();
                text.into_bytes()
            }
            #[cfg(feature = "deflate")]
            Self::Zlib => miniz_oxide::deflate::compress_to_vec_zlib(bytes, 6),
            #[cfg(feature = "deflate")]
            Self::Deflate => miniz_oxide::deflate::compress_to_vec(bytes, 6),
        }
    }
}

fn unescape(bytes: &[u8], mark: u8, meaning: impl Fn(u8) -> Option<u8>) -> Option<Vec<u8>> {
    let (mut whole, mut rest) = (Vec::with_capacity(bytes.len()), bytes.iter());
    while let Some(byte) = rest.next() {
        whole.push(if *byte == mark { meaning(*rest.next()?)? } else { *byte });
    }
    Some(whole)
}

fn escape(bytes: &[u8], pair: impl Fn(u8) -> Option<[u8; 2]>) -> Vec<u8> {
    let mut whole = Vec::with_capacity(bytes.len().saturating_add(bytes.len() / 16));
    for byte in bytes {
        match pair(*byte) {
            Some(pair) => whole.extend_from_slice(&pair),
            None => whole.push(*byte),
        }
    }
    whole
}

fn from_cobs(mut bytes: &[u8]) -> Option<Vec<u8>> {
    let mut whole = Vec::with_capacity(bytes.len());
    while let Some((length, rest)) = bytes.split_first() {
        let (block, behind) = rest.split_at_checked(usize::from(length.checked_sub(1)?))?;
        if block.contains(&0) {
            return None;
        }
        whole.extend_from_slice(block);
        if *length < 0xff && !behind.is_empty() {
            whole.push(0);
        }
        bytes = behind;
    }
    Some(whole)
}

fn to_cobs(bytes: &[u8]) -> Vec<u8> {
    let mut whole = Vec::with_capacity(bytes.len().saturating_add(bytes.len() / 254 + 2));
    let mut blocks = bytes.split(|byte| *byte == 0).peekable();
    while let Some(block) = blocks.next() {
        let mut rest = block;
        while let Some((full, behind)) = rest.split_at_checked(254) {
            whole.push(0xff);
            whole.extend_from_slice(full);
            rest = behind;
        }
        // A full block at the very end needs no other behind it.
        if !(rest.is_empty() && !block.is_empty() && blocks.peek().is_none()) {
            whole.push(rest.len() as u8 + 1);
            whole.extend_from_slice(rest);
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_is_undone() {
        let mut state = 1u32;
        for length in [0usize, 1, 2, 100, 253, 254, 255, 508, 509, 1000] {
            for kind in 0..3u32 {
                let byte = |state: &mut u32| {
                    *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    match kind {
                        0 => (*state >> 24) as u8,
                        1 => *b"\x7e\x7d\xc0\xdb\x00\x01".get((*state >> 16) as usize % 6).unwrap(),
                        _ => 1 + (*state >> 24) as u8 % 255,
                    }
                };
                let bytes: Vec<u8> = (0..length).map(|_| byte(&mut state)).collect();
                for (name, transform) in Transform::NAMES {
                    let there = transform.apply(&bytes);
                    assert_eq!(transform.undo(&there, length).as_deref(), Some(&bytes[..]), "{name} {length}");
                    assert!(length == 0 || transform.undo(&there, length - 1).is_none(), "{name} has a bound");
                }
                assert!(!Transform::Cobs.apply(&bytes).contains(&0));
                assert!(!Transform::Slip.apply(&bytes).contains(&0xc0));
                assert!(!Transform::Jt808.apply(&bytes).contains(&0x7e));
                assert!(!Transform::Hdlc.apply(&bytes).contains(&0x7e));
            }
        }
    }

    #[test]
    fn the_examples_of_the_standards_hold() {
        let cases: [(Transform, &[u8], &[u8]); 4] = [
            (Transform::Jt808, &[0x30, 0x7e, 0x08, 0x7d, 0x55], &[0x30, 0x7d, 0x02, 0x08, 0x7d, 0x01, 0x55]),
            (Transform::Cobs, &[0x11, 0x22, 0x00, 0x33], &[0x03, 0x11, 0x22, 0x02, 0x33]),
            (Transform::Slip, &[0xc0, 0xdb], &[0xdb, 0xdc, 0xdb, 0xdd]),
            (Transform::Hdlc, &[0x7e, 0x11], &[0x7d, 0x5e, 0x11]),
        ];
        for (transform, plain, wire) in cases {
            assert_eq!(transform.apply(plain), wire);
            assert_eq!(transform.undo(wire, 100).as_deref(), Some(plain));
        }
        assert_eq!(Transform::Jt808.undo(&[0x7d], 10), None);
        assert_eq!(Transform::Jt808.undo(&[0x7d, 3], 10), None);
        assert_eq!(Transform::Hex.undo(b"0g", 10), None);
        assert_eq!(Transform::Cobs.undo(&[5, 1], 10), None);
    }
}
