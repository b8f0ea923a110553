//! Values in the bodies of elements (RFC 8794 §7).

use alloc::string::String;

/// An unsigned integer of up to eight bytes; of a longer one the last eight.
pub fn unsigned(body: &[u8]) -> u64 {
    body.iter().fold(0, |value, byte| value << 8 | u64::from(*byte))
}

/// A signed integer of up to eight bytes.
pub fn signed(body: &[u8]) -> i64 {
    let start = if body.first().is_some_and(|first| first & 0x80 != 0) { -1 } else { 0 };
    body.iter().fold(start, |value, byte| value << 8 | i64::from(*byte))
}

/// A floating-point number of 0, 4 or 8 bytes; `None` for other lengths and what is not a number.
pub fn float(body: &[u8]) -> Option<f64> {
    let value = match body.len() {
        0 => 0.0,
        4 => f64::from(f32::from_be_bytes(*body.first_chunk()?)),
        8 => f64::from_be_bytes(*body.first_chunk()?),
        _ => return None,
    };
    value.is_finite().then_some(value)
}

/// A string, which may end with zeros.
pub fn text(body: &[u8]) -> String {
    let end = body.iter().position(|byte| *byte == 0).unwrap_or(body.len());
    String::from_utf8_lossy(body.get(..end).unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_any_length() {
        assert_eq!((unsigned(&[]), unsigned(&[1, 0]), unsigned(&[0xff; 9])), (0, 256, u64::MAX));
        assert_eq!((signed(&[0xff]), signed(&[0x80, 0]), signed(&[0x7f]), signed(&[])), (-1, -32768, 127, 0));
        assert_eq!(
            (float(&[]), float(&[0x3f, 0x80, 0, 0]), float(&[1]), float(&[0xff; 8])),
            (Some(0.0), Some(1.0), None, None)
        );
        assert_eq!(text(b"abc\0\0"), "abc");
    }
}
