//! Bytes as hexadecimal digits (RFC 4648 §8), two a byte, of either case.

use alloc::vec::Vec;

/// The bytes of a text; `None` when it is anything but pairs of digits.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = text.chars().map(|letter| letter.to_digit(16)).collect::<Option<_>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|[high, low]| (high << 4 | low) as u8).collect())
}

/// The bytes of a text of exactly this many.
pub fn exactly<const N: usize>(text: &str) -> Option<[u8; N]> {
    decode(text)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_come_in_pairs() {
        assert_eq!((decode("12aF"), decode("121"), decode("1x")), (Some(Vec::from([0x12, 0xaf])), None, None));
        assert_eq!((exactly("0102"), exactly::<2>("01")), (Some([1, 2]), None));
    }
}
