//! The four text encodings of ID3v2 (ID3v2.4 §4).

use alloc::string::String;

use crate::syntax::latin1::latin1;

/// The text at the start of `bytes` up to its terminator or the end, and what stands behind the terminator.
/// `None` for an encoding that does not exist.
pub(super) fn split(encoding: u8, bytes: &[u8]) -> Option<(String, &[u8])> {
    match encoding {
        0 => Some(ended(bytes, 1)).map(|(text, rest)| (latin1(text), rest)),
        3 => Some(ended(bytes, 1)).map(|(text, rest)| (String::from_utf8_lossy(text).into_owned(), rest)),
        1 | 2 => {
            let (text, rest) = ended(bytes, 2);
            let (little, text) = match text {
                [0xff, 0xfe, text @ ..] => (true, text),
                [0xfe, 0xff, text @ ..] => (false, text),
                // Without a byte order mark encoding 1 is what Windows writes.
                text => (encoding == 1, text),
            };
            Some((utf16(text, little), rest))
        }
        _ => None,
    }
}

/// The bytes before a terminator of `width` zeros (at a multiple of `width`), and those behind it.
fn ended(bytes: &[u8], width: usize) -> (&[u8], &[u8]) {
    let at = match width {
        1 => memchr::memchr(0, bytes),
        _ => bytes.chunks_exact(2).position(|unit| unit == [0, 0]).map(|unit| unit * 2),
    };
    match at {
        Some(at) => (bytes.get(..at).unwrap_or_default(), bytes.get(at + width..).unwrap_or_default()),
        None => (bytes, &[]),
    }
}

fn utf16(bytes: &[u8], little: bool) -> String {
    let units = bytes.chunks_exact(2).filter_map(|unit| <[u8; 2]>::try_from(unit).ok());
    let units = units.map(|unit| if little { u16::from_le_bytes(unit) } else { u16::from_be_bytes(unit) });
    char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}
