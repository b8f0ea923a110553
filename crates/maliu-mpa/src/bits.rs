//! Bits of a frame, most significant first. Past its bytes every bit is 0, past its end `overrun()` is true.

/// A cursor over the bits of a slice.
///
/// Reading past the end never fails at the call: it yields zeros and is remembered, so that inner loops stay free of
/// branches for errors and a caller asks once, at the end of an element.
#[derive(Clone, Debug)]
pub(crate) struct Bits<'a> {
    data: &'a [u8],
    at: usize,
    /// One past the last bit.
    end: usize,
}

impl<'a> Bits<'a> {
    pub(crate) fn new(data: &'a [u8]) -> Self {
        Self { data, at: 0, end: 8 * data.len() }
    }

    /// The same bits at the same place, with an end at the bit `end` or before.
    pub(crate) fn until(&self, end: usize) -> Self {
        Self { end: end.min(self.end), ..self.clone() }
    }

    /// The next `n` ≤ 32 bits as an unsigned number.
    #[inline]
    pub(crate) fn read(&mut self, n: u32) -> u32 {
        let value = self.peek(n);
        self.skip(n as usize);
        value
    }

    /// The next bit as a flag.
    #[inline]
    pub(crate) fn flag(&mut self) -> bool {
        self.read(1) != 0
    }

    /// The next `n` ≤ 32 bits without taking them.
    #[inline]
    pub(crate) fn peek(&self, n: u32) -> u32 {
        debug_assert!(n <= 32);
        ((self.window() >> 1) >> (63 - n)) as u32
    }

    /// The next 57 bits or more at the top of a word.
    #[inline(always)]
    pub(crate) fn window(&self) -> u64 {
        let byte = self.at / 8;
        let word = match self.data.get(byte..).and_then(|rest| rest.first_chunk()) {
            Some(eight) => u64::from_be_bytes(*eight),
            None => self.last_word(byte),
        };
        word << (self.at % 8)
    }

    /// Eight bytes, of which some are past the end.
    #[cold]
    fn last_word(&self, byte: usize) -> u64 {
        let rest = self.data.get(byte..).unwrap_or_default();
        let mut eight = [0; 8];
        eight[..rest.len()].copy_from_slice(rest);
        u64::from_be_bytes(eight)
    }

    /// Moves on by `n` bits.
    #[inline]
    pub(crate) fn skip(&mut self, n: usize) {
        self.at = self.at.saturating_add(n);
    }

    /// Position of the next bit, from the start of the slice.
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    /// Bits left; 0 past the end.
    pub(crate) fn left(&self) -> usize {
        self.end.saturating_sub(self.at)
    }

    /// Whether more bits were taken than there are.
    pub(crate) fn overrun(&self) -> bool {
        self.at > self.end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_come_most_significant_first_and_zeros_follow_the_end() {
        let mut bits = Bits::new(&[0b1010_0101, 0xff]);
        assert_eq!([bits.read(3), bits.read(5), bits.peek(8), bits.read(4)], [0b101, 0b00101, 0xff, 0xf]);
        assert_eq!((bits.read(0), bits.read(4), bits.left(), bits.overrun()), (0, 0xf, 0, false));
        assert_eq!((bits.read(32), bits.overrun(), bits.window()), (0, true, 0));
        let bits = Bits::new(&[0xff; 9]).until(9);
        assert_eq!((bits.window(), bits.left()), (u64::MAX, 9));
    }
}
