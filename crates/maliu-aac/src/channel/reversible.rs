//! Scale factors in codes that can be read from either end (RVLC), behind the rest of a channel's side information
//! (ISO/IEC 14496-3 §4.6.16.2).
//!
//! ```text
//! in the place of scale_factor_data:  rev_global_gain · lengths · first and last noise energy
//! in front of the lines:              codes · escapes
//! ```
//!
//! Codes are read forwards. That they end where they should, at the values told for reading backwards, is checked: a
//! unit that fails counts as damaged.

use super::sections::{self, Differences, NOISE_OFFSET};
use super::{book, info::Info};
use crate::{Error, bits::Bits};

/// Content in the place of scale_factor_data.
pub(super) struct Reversible {
    /// Gain of the last band.
    rev_global_gain: i32,
    /// Bits of the codes, without the first noise energy that stands here.
    length: usize,
    /// Bits of the escapes, if there are any.
    escapes: usize,
    /// First and last noise energy, if there is noise.
    noise: Option<[i32; 2]>,
}

impl Reversible {
    pub(super) fn parse(bits: &mut Bits, info: &Info, books: &[u8; 128]) -> Reversible {
        let noisy = any(info, books, |book| book == book::NOISE);
        bits.skip(1); // sf_concealment
        let rev_global_gain = bits.read(8) as i32;
        let mut length = bits.read(if info.short() { 11 } else { 9 }) as usize;
        let mut noise = [0; 2];
        if noisy {
            noise[0] = bits.read(9) as i32;
            length = length.saturating_sub(9);
        }
        let escapes = if bits.flag() { bits.read(8) as usize } else { 0 };
        if noisy {
            noise[1] = bits.read(9) as i32;
        }
        Reversible { rev_global_gain, length, escapes, noise: noisy.then_some(noise) }
    }

    /// Reads the codes, and turns them into the number each band's lines are multiplied with.
    pub(super) fn scales(
        &self,
        bits: &mut Bits,
        info: &Info,
        books: &[u8; 128],
        scales: &mut [f32; 128],
        global_gain: i32,
    ) -> Result<(), Error> {
        let ends = [bits.position() + self.length, bits.position() + self.length + self.escapes];
        let mut escapes = bits.clone();
        escapes.skip(self.length);
        let mut codes = Codes { codes: bits.clone(), escapes, first_noise: self.noise.map_or(0, |noise| noise[0]) };
        let last = sections::parse_scales(&mut codes, info, books, scales, global_gain)?;
        let mut same = true;
        if any(info, books, |book| matches!(book, book::INTENSITY | book::INTENSITY_OUT_OF_PHASE)) {
            same &= codes.next()? == last.position;
        }
        if any(info, books, |book| book != book::ZERO && !book::is_parametric(book)) {
            same &= last.gain == self.rev_global_gain;
        }
        if let Some([_, backwards]) = self.noise {
            same &= last.noise == self.rev_global_gain + backwards - 256 - NOISE_OFFSET;
        }
        if !same || [codes.codes.position(), codes.escapes.position()] != ends || codes.escapes.overrun() {
            return Err(Error::Malformed {
                what: "scale factors that read backwards are others",
                bit: bits.position(),
            });
        }
        bits.skip(self.length + self.escapes);
        Ok(())
    }
}

/// Whether any band has such a codebook.
fn any(info: &Info, books: &[u8; 128], is: impl Fn(u8) -> bool) -> bool {
    info.groups().any(|(group, ..)| books.iter().skip(16 * group).take(info.max_sfb).any(|book| is(*book)))
}

/// Readers of the two parts.
struct Codes<'a> {
    codes: Bits<'a>,
    escapes: Bits<'a>,
    first_noise: i32,
}

impl Differences for Codes<'_> {
    fn next(&mut self) -> Result<i32, Error> {
        let found = find(&CODES, &mut self.codes).map(|index| index as i32 - MOST);
        let escape = match found {
            Some(difference) if difference.abs() == MOST => find(&ESCAPES, &mut self.escapes),
            _ => Some(0),
        };
        let (Some(difference), Some(escape)) = (found, escape) else {
            return Err(Error::Malformed { what: "forbidden code of a scale factor", bit: self.position() });
        };
        Ok(difference + difference.signum() * escape as i32)
    }

    fn first_noise(&mut self) -> i32 {
        self.first_noise
    }

    fn position(&self) -> usize {
        self.codes.position()
    }
}

/// Takes the code that comes next: its index in `table`, or None if it is none of them.
fn find(table: &[(u32, u8)], bits: &mut Bits) -> Option<usize> {
    let window = bits.peek(20);
    let index = table.iter().position(|&(code, length)| window >> (20 - length) == code)?;
    bits.skip(usize::from(table.get(index)?.1));
    Some(index)
}

/// The largest difference without an escape, which is added to it.
const MOST: i32 = 7;

/// Codes of the differences -7 to 7, each with its length. They read the same from either end.
pub(super) const CODES: [(u32, u8); 15] = [
    (0b1000001, 7),
    (0b1_0000_0001, 9),
    (0b1000_0001, 8),
    (0b10_0001, 6),
    (0b1_0001, 5),
    (0b1001, 4),
    (0b101, 3),
    (0b0, 1),
    (0b111, 3),
    (0b1_1011, 5),
    (0b11_0011, 6),
    (0b110_1011, 7),
    (0b1100_0011, 8),
    (0b1_1010_1011, 9),
    (0b110_0011, 7),
];

/// Codes of the escapes 0 to 53.
#[rustfmt::skip]
pub(super) const ESCAPES: [(u32, u8); 54] = [
    (0x2, 2), (0x0, 2), (0x6, 3), (0x2, 3), (0xe, 4), (0x1f, 5), (0xf, 5), (0xd, 5), (0x3d, 6), (0x1d, 6), (0x19, 6),
    (0x18, 6), (0x78, 7), (0x38, 7), (0xf2, 8), (0x72, 8), (0x1e6, 9), (0xe6, 9), (0x3ce, 10), (0x1cf, 10), (0x79e, 11),
    (0x79f, 11), (0x39d, 11), (0x738, 12), (0x1ce7, 14), (0xe72, 13), (0x39cd, 15), (0x7398a, 20), (0x7398b, 20),
    (0x7398c, 20), (0x7398d, 20), (0x7398e, 20), (0x7398f, 20), (0x73990, 20), (0x73991, 20), (0x73992, 20),
    (0x73993, 20), (0x73994, 20), (0x73995, 20), (0x73996, 20), (0x73997, 20), (0x73998, 20), (0x73999, 20),
    (0x7399a, 20), (0x7399b, 20), (0x7399c, 20), (0x7399d, 20), (0x7399e, 20), (0x7399f, 20), (0x39cc0, 19),
    (0x39cc1, 19), (0x39cc2, 19), (0x39cc3, 19), (0x39cc4, 19),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_palindromes_and_escapes_fill_their_tree() {
        for (code, length) in CODES {
            assert_eq!(code.reverse_bits() >> (32 - length), code);
        }
        let kraft: u32 = ESCAPES.iter().map(|&(_, length)| 1 << (20 - length)).sum();
        assert_eq!(kraft, 1 << 20, "every sequence of bits is an escape");
        for (index, &(code, length)) in ESCAPES.iter().enumerate() {
            let bytes = (code << (32 - length)).to_be_bytes();
            assert_eq!(find(&ESCAPES, &mut Bits::new(&bytes)), Some(index));
        }
        assert_eq!(find(&CODES, &mut Bits::new(&[0b1101_0000])), None);
    }
}
