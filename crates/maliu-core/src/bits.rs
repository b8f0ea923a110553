//! Bits of a byte slice, most significant first, with Exp-Golomb codes (ISO/IEC 14496-10 §9.1), and bits being written.
//!
//! ```
//! use maliu_core::bits::Bits;
//!
//! let mut bits = Bits::new(&[0b1010_0110]);
//! assert_eq!((bits.read(3), bits.ue(), bits.left()), (Some(0b101), Some(5), 0));
//! ```

use alloc::vec::Vec;

use crate::remark::Refusal;

/// A cursor over the bits of a slice. Every read is an `Option`: `None` when the bits are not there.
#[derive(Clone, Debug)]
pub struct Bits<'a> {
    data: &'a [u8],
    at: usize,
    /// The field being read, by name.
    field: &'static str,
    refusal: Option<Refusal>,
}

/// Bits that a word holds wherever the cursor stands in its first byte.
const WINDOW: u32 = u64::BITS - 7;

impl<'a> Bits<'a> {
    /// A cursor on the first bit of `data`.
    pub fn new(data: &'a [u8]) -> Self {
        Self { data, at: 0, field: "its first field", refusal: None }
    }

    /// The next bit.
    pub fn flag(&mut self) -> Option<bool> {
        let byte = *self.data.get(self.at / 8)?;
        let bit = byte >> (7 - self.at % 8) & 1;
        self.at += 1;
        Some(bit == 1)
    }

    /// The next `n` ≤ 32 bits as an unsigned number.
    pub fn read(&mut self, n: u32) -> Option<u32> {
        self.read_u64(n.min(32)).map(|v| v as u32)
    }

    /// The next `n` ≤ 64 bits as an unsigned number.
    pub fn read_u64(&mut self, n: u32) -> Option<u64> {
        let n = n.min(64);
        if self.left() < n as usize {
            return None;
        }
        // Fields too long for one word are read in two.
        let high = if n > WINDOW { self.take(n - 32) << 32 } else { 0 };
        Some(high | self.take(if n > WINDOW { 32 } else { n }))
    }

    /// The next `n` ≤ [`WINDOW`] bits, which are there.
    fn take(&mut self, n: u32) -> u64 {
        let value = self.window().checked_shr(u64::BITS - n).unwrap_or(0);
        self.at += n as usize;
        value
    }

    /// The next [`WINDOW`] bits or more, in the high end of a word; zeros stand for those that are not there.
    fn window(&self) -> u64 {
        let rest = self.data.get(self.at / 8..).unwrap_or_default();
        let word = rest.first_chunk().copied().unwrap_or_else(|| {
            let mut word = [0; 8];
            word.iter_mut().zip(rest).for_each(|(to, byte)| *to = *byte);
            word
        });
        u64::from_be_bytes(word) << (self.at % 8)
    }

    /// Moves on by `n` bits; `None`, without moving, when fewer are left.
    pub fn skip(&mut self, n: usize) -> Option<()> {
        (n <= self.left()).then(|| self.at += n)
    }

    /// Moves on to the next multiple of 8 bits.
    pub fn align(&mut self) {
        self.at = self.at.div_ceil(8) * 8;
    }

    /// ue(v): unsigned Exp-Golomb of up to 32 leading zeros.
    pub fn ue(&mut self) -> Option<u32> {
        let zeros = self.window().leading_zeros();
        let length = 2 * zeros + 1;
        if length <= WINDOW {
            return (length as usize <= self.left()).then(|| (self.take(length) - 1) as u32);
        }
        self.long_ue()
    }

    /// [`Bits::ue`] of a code that one window may not hold.
    #[cold]
    fn long_ue(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while !self.flag()? {
            zeros += 1;
            if zeros > 32 {
                return None;
            }
        }
        let rest = self.read_u64(zeros)?;
        u32::try_from((1u64 << zeros) - 1 + rest).ok()
    }

    /// se(v): signed Exp-Golomb, 0, 1, -1, 2, -2 …
    pub fn se(&mut self) -> Option<i32> {
        let code = i64::from(self.ue()?);
        let magnitude = (code + 1) / 2;
        i32::try_from(if code % 2 == 1 { magnitude } else { -magnitude }).ok()
    }

    /// Names the field that is read next, for [`Bits::refusal`].
    pub fn field(&mut self, name: &'static str) -> &mut Self {
        self.field = name;
        self
    }

    /// ue(v) of the field `name`; `None`, with the refusal noted, when it is not from `least` to `most`.
    pub fn ue_within(&mut self, name: &'static str, least: u32, most: u32) -> Option<u32> {
        let value = self.field(name).ue()?;
        self.within(value.into(), least.into(), most.into()).then_some(value)
    }

    /// As [`Bits::ue_within`], from 0 to below `limit` ≤ 256.
    pub fn ue_below(&mut self, name: &'static str, limit: u32) -> Option<u8> {
        self.ue_within(name, 0, limit.saturating_sub(1)).map(|value| value as u8)
    }

    /// Whether `value`, of the field named last, is in its range; the refusal is noted when it is not.
    pub fn within(&mut self, value: i64, least: i64, most: i64) -> bool {
        let fits = (least..=most).contains(&value);
        if !fits {
            self.refusal = Some(Refusal::Range { field: self.field, value, least, most });
        }
        fits
    }

    /// Notes that the field named last names a set that is not there.
    pub fn missing(&mut self, value: u32) {
        self.refusal = Some(Refusal::Missing { field: self.field, value });
    }

    /// Why a read has come to `None`: the value that was noted, else that the bits are not there.
    pub fn refusal(&self) -> Refusal {
        self.refusal.unwrap_or(Refusal::Short { field: self.field })
    }

    /// Bits taken since the start.
    pub fn position(&self) -> usize {
        self.at
    }

    /// Bits left.
    pub fn left(&self) -> usize {
        (self.data.len().saturating_mul(8)).saturating_sub(self.at)
    }
}

/// Bits being written, most significant first.
#[derive(Clone, Debug, Default)]
pub struct BitWriter {
    data: Vec<u8>,
    /// Bits of the last byte that are still free.
    free: u32,
}

impl BitWriter {
    /// Nothing written.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends the low `n` ≤ 32 bits of `value`.
    pub fn write(&mut self, n: u32, value: u32) {
        let mut left = n.min(32);
        while left > 0 {
            if self.free == 0 {
                self.data.push(0);
                self.free = 8;
            }
            let part = left.min(self.free);
            let bits = u64::from(value) >> (left - part) & ((1 << part) - 1);
            self.free -= part;
            left -= part;
            if let Some(last) = self.data.last_mut() {
                *last |= (bits << self.free) as u8;
            }
        }
    }

    /// Fills up with zeros to a whole byte.
    pub fn align(&mut self) {
        self.free = 0;
    }

    /// Bits written so far.
    pub fn position(&self) -> usize {
        self.data.len() * 8 - self.free as usize
    }

    /// The bytes; the last one filled up with zeros.
    pub fn finish(self) -> Vec<u8> {
        self.data
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_bits_read_back() {
        let mut out = BitWriter::new();
        [(5, 2), (4, 15), (24, 0x00ab_cdef), (1, 1)].iter().for_each(|&(n, value)| out.write(n, value));
        assert_eq!(out.position(), 34);
        let bytes = out.finish();
        let mut bits = Bits::new(&bytes);
        assert_eq!([5, 4, 24, 1, 6].map(|n| bits.read(n)), [2, 15, 0x00ab_cdef, 1, 0].map(Some));
    }

    #[test]
    fn reads_cross_bytes_and_stop_at_the_end() {
        let mut bits = Bits::new(&[0b1010_0101, 0b1100_0011]);
        assert_eq!((bits.read(3), bits.read(9), bits.flag()), (Some(0b101), Some(0b0_0101_1100), Some(false)));
        assert_eq!((bits.read(4), bits.read(3), bits.flag()), (None, Some(0b011), None));
    }

    #[test]
    fn exp_golomb_codes_follow_table_9_2() {
        // 1 010 011 00100 00101 → 0 1 2 3 4
        let mut bits = Bits::new(&[0b1010_0110, 0b0100_0010, 0b1000_0000]);
        assert_eq!([bits.ue(), bits.ue(), bits.ue(), bits.ue(), bits.ue()], [0, 1, 2, 3, 4].map(Some));
        let mut bits = Bits::new(&[0b1010_0110, 0b0100_0010, 0b1000_0000]);
        assert_eq!([bits.se(), bits.se(), bits.se(), bits.se(), bits.se()], [0, 1, -1, 2, -2].map(Some));
        assert_eq!(Bits::new(&[0; 9]).ue(), None);
    }

    #[test]
    fn long_codes_and_words_are_read_at_every_offset() {
        for offset in 0..8 {
            for (zeros, rest) in (0..=32).flat_map(|zeros| [0u64, (1 << zeros) - 1].map(|rest| (zeros, rest))) {
                let mut out = BitWriter::new();
                out.write(offset, 0xff);
                [(zeros, 0), (1, 1), (zeros, rest as u32)].iter().for_each(|&(n, value)| out.write(n, value));
                let bytes = out.finish();
                let mut bits = Bits::new(&bytes);
                bits.skip(offset as usize).expect("written");
                let value = u32::try_from((1u64 << zeros) - 1 + rest).ok();
                assert_eq!(bits.ue(), value, "{zeros} zeros, {rest}, at {offset}");
                assert_eq!(bits.position(), (offset + 2 * zeros + 1) as usize);
            }
            let bytes: [u8; 17] = core::array::from_fn(|n| (n as u8).wrapping_mul(37) ^ 0x5a);
            let whole = u128::from_be_bytes(*bytes.first_chunk().expect("16 bytes"));
            for n in 0..=64 {
                let mut bits = Bits::new(&bytes);
                bits.skip(offset as usize).expect("there");
                let wanted = (whole << offset).checked_shr(128 - n).unwrap_or(0) as u64;
                assert_eq!((bits.read_u64(n), bits.position()), (Some(wanted), (offset + n) as usize));
            }
        }
    }
}
