//! How far bytes at the same place of messages differ from the bytes of the capture as a whole, in bits.
//!
//! A column of bytes is described by the values it has; the description costs bits, and so does each byte by it. The
//! difference to the cost by the frequencies of the whole capture is what the column proves.

use alloc::vec::Vec;

/// Fractions of a bit that are counted.
const UNIT: u64 = 256;

/// Most messages that are looked at.
const SAMPLE: usize = 512;

/// Frequencies of bytes in a capture.
pub(super) struct Background {
    cost: [u32; 256],
}

impl Background {
    pub(super) fn of(bytes: &[u8]) -> Self {
        let mut counts = [1u32; 256];
        for byte in bytes {
            if let Some(count) = counts.get_mut(usize::from(*byte)) {
                *count = count.saturating_add(1);
            }
        }
        let total = log2(counts.iter().fold(0u32, |sum, count| sum.saturating_add(*count)));
        Self { cost: counts.map(|count| total.saturating_sub(log2(count))) }
    }

    /// Bits that the bytes `offset` behind `places` prove; 0 when they are like others.
    pub(super) fn column(&self, bytes: &[u8], places: &[usize], offset: isize) -> u64 {
        let byte = |place: &usize| bytes.get(place.checked_add_signed(offset)?).copied();
        let mut column: Vec<u8> = places.iter().take(SAMPLE).filter_map(byte).collect();
        column.sort_unstable();
        let total = column.len() as u32;
        let (mut gain, mut kinds) = (0i64, 0u64);
        for run in column.chunk_by(|a, b| a == b) {
            let count = run.len() as u32;
            let cost = run.first().and_then(|byte| self.cost.get(usize::from(*byte))).copied().unwrap_or(0);
            let own = log2(total).saturating_sub(log2(count));
            gain += i64::from(count) * (i64::from(cost) - i64::from(own));
            kinds += 1;
        }
        let price = kinds * 8 * UNIT + kinds.saturating_sub(1) * u64::from(log2(total.max(1))) / 2;
        u64::try_from(gain).unwrap_or(0).saturating_sub(price) / UNIT
    }

    /// Bits that all columns around `places` prove.
    pub(super) fn around(&self, bytes: &[u8], places: &[usize]) -> u64 {
        super::COLUMNS.map(|offset| self.column(bytes, places, offset)).sum()
    }
}

/// The binary logarithm in 1/256.
fn log2(value: u32) -> u32 {
    let value = value.max(1);
    let zeros = value.leading_zeros();
    let mut mantissa = u64::from(value) << zeros;
    let mut result = 31 - zeros;
    for _ in 0..8 {
        mantissa = (mantissa * mantissa) >> 31;
        let carry = mantissa >> 32;
        mantissa >>= carry;
        result = (result << 1) | carry as u32;
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms_are_right_to_a_256th() {
        for (value, expected) in [(1, 0), (2, 256), (3, 405), (10, 850), (1000, 2551), (u32::MAX, 8191)] {
            assert_eq!(log2(value), expected, "{value}");
        }
    }

    #[test]
    fn constants_prove_something_and_noise_proves_nothing() {
        let mut state = 1u32;
        let bytes: alloc::vec::Vec<u8> = (0..40_000)
            .map(|n| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                if n % 100 == 0 { 0x47 } else { (state >> 16) as u8 }
            })
            .collect();
        let places: alloc::vec::Vec<usize> = (0..400).map(|n| n * 100).collect();
        let background = Background::of(&bytes);
        assert!(background.column(&bytes, &places, 0) > 2000);
        assert_eq!(background.column(&bytes, &places, 1), 0);
    }
}
