//! spectral_data: Huffman coded lines, dequantised and scaled as they are read (ISO/IEC 14496-3 §4.6.3, §4.6.1).

use super::{Channel, book};
use crate::bits::Bits;
use crate::tables::{Spectral, TABLES, Tables};
use crate::{Error, noise::Noise};

/// Reads the lines of all bands; those without coded lines become zero or noise.
pub(super) fn parse(channel: &mut Channel, bits: &mut Bits, noise: &mut Noise) -> Result<(), Error> {
    let tables: &Tables = &TABLES;
    let mut reader = Reader::new(bits);
    channel.lines.fill(0.0);
    let info = &channel.info;
    for (group, first, windows) in info.groups() {
        for band in 0..info.max_sfb {
            let index = (16 * group + band) & 127;
            let (book, scale) = (channel.books[index], channel.scales[index]);
            if matches!(book, book::ZERO | book::INTENSITY | book::INTENSITY_OUT_OF_PHASE) {
                continue;
            }
            let range = info.bands.range(band);
            for window in first..first + windows {
                let Some(lines) = channel.lines.get_mut(128 * window + range.start..128 * window + range.end) else {
                    continue;
                };
                if book == book::NOISE {
                    noise.fill(lines, scale);
                } else if !reader.lines(tables, book, lines, scale) {
                    return Err(Error::Malformed { what: "line beyond its codebook", bit: reader.position() });
                }
            }
        }
    }
    let taken = reader.position().saturating_sub(bits.position());
    bits.skip(taken);
    if bits.overrun() {
        return Err(Error::Malformed { what: "spectral data cut short", bit: bits.position() });
    }
    Ok(())
}

/// Bits with at least 56 of them ready in a word: enough for a code, its signs and two escapes.
pub(super) struct Reader<'a> {
    data: &'a [u8],
    /// The byte that follows those already in `word`.
    next: usize,
    /// Bits not yet taken, the next at the top; zeros below `count`, or bits of `next`.
    word: u64,
    count: u32,
}

impl<'a> Reader<'a> {
    fn new(bits: &Bits<'a>) -> Self {
        let mut reader = Reader { data: bits.data(), next: bits.position() / 8, word: 0, count: 0 };
        reader.refill();
        reader.take(bits.position() as u32 % 8);
        reader
    }

    /// Over the upper 56 bits of `word`, as many as the longest code and its escapes need.
    pub(super) fn of_word(word: u64) -> Self {
        Reader { data: &[], next: 7, word, count: 56 }
    }

    /// Bits taken since the start.
    pub(super) fn position(&self) -> usize {
        8 * self.next - self.count as usize
    }

    /// Reads lines of a codebook. False when one is larger than the codebook allows.
    #[inline]
    pub(super) fn lines(&mut self, tables: &Tables, book: u8, lines: &mut [f32], scale: f32) -> bool {
        let spectral = tables.spectral.get(usize::from(book).wrapping_sub(1)).unwrap_or(&tables.spectral[10]);
        match book {
            1 | 2 => self.signed_quads(spectral, lines, scale),
            3 | 4 => self.unsigned_quads(spectral, lines, scale),
            5 | 6 => self.signed_pairs(spectral, lines, scale),
            7..=10 => self.unsigned_pairs(spectral, lines, scale),
            _ => return self.escaped_pairs(spectral, &tables.powers, largest(book), lines, scale),
        }
        true
    }

    /// Loads whole bytes, so that 56 to 63 bits are ready.
    #[inline(always)]
    fn refill(&mut self) {
        let word = match self.data.get(self.next..self.next + 8) {
            Some(bytes) => u64::from_be_bytes(bytes.try_into().unwrap_or_default()),
            None => self.last_bytes(),
        };
        self.word |= word >> self.count;
        self.next += ((63 - self.count) >> 3) as usize;
        self.count |= 56;
    }

    /// The rest of the data, with zeros after its end.
    #[cold]
    fn last_bytes(&self) -> u64 {
        let rest = self.data.get(self.next..).unwrap_or_default();
        let mut bytes = [0; 8];
        bytes.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        u64::from_be_bytes(bytes)
    }

    #[inline(always)]
    fn take(&mut self, n: u32) {
        self.word <<= n;
        self.count -= n;
    }

    fn signed_quads(&mut self, book: &Spectral, lines: &mut [f32], scale: f32) {
        for quad in lines.chunks_exact_mut(4) {
            self.refill();
            let code = book.codes.decode(self.word);
            self.take(code.total());
            let values = &book.lines[code.symbol()];
            quad.iter_mut().zip(values).for_each(|(line, value)| *line = value * scale);
        }
    }

    fn unsigned_quads(&mut self, book: &Spectral, lines: &mut [f32], scale: f32) {
        for quad in lines.chunks_exact_mut(4) {
            self.refill();
            let code = book.codes.decode(self.word);
            let mut signs = self.word << code.length();
            self.take(code.total());
            let (values, present) = (&book.lines[code.symbol()], code.signs());
            for (i, (line, value)) in quad.iter_mut().zip(values).enumerate() {
                *line = with_sign(value * scale, signs);
                signs <<= present >> i & 1;
            }
        }
    }

    fn signed_pairs(&mut self, book: &Spectral, lines: &mut [f32], scale: f32) {
        for pair in lines.chunks_exact_mut(2) {
            self.refill();
            let code = book.codes.decode(self.word);
            self.take(code.total());
            let values = &book.lines[code.symbol()];
            pair.iter_mut().zip(values).for_each(|(line, value)| *line = value * scale);
        }
    }

    fn unsigned_pairs(&mut self, book: &Spectral, lines: &mut [f32], scale: f32) {
        for pair in lines.chunks_exact_mut(2) {
            self.refill();
            let code = book.codes.decode(self.word);
            let signs = self.word << code.length();
            self.take(code.total());
            let values = &book.lines[code.symbol()];
            pair[0] = with_sign(values[0] * scale, signs);
            pair[1] = with_sign(values[1] * scale, signs << (code.signs() & 1));
        }
    }

    /// False when an escape sequence is longer than the standard allows, or says more than `largest`.
    fn escaped_pairs(
        &mut self,
        book: &Spectral,
        powers: &[f32; 8192],
        largest: usize,
        lines: &mut [f32],
        scale: f32,
    ) -> bool {
        for pair in lines.chunks_exact_mut(2) {
            self.refill();
            let code = book.codes.decode(self.word);
            let signs = self.word << code.length();
            self.take(code.total());
            let symbol = code.symbol();
            let mut values = [book.lines[symbol][0], book.lines[symbol][1]];
            let (first, second) = (symbol >= 16 * 17, symbol % 17 == 16);
            for (value, _) in values.iter_mut().zip([first, second]).filter(|(_, escaped)| *escaped) {
                let Some(magnitude) = self.escape().filter(|magnitude| *magnitude <= largest) else { return false };
                *value = powers[magnitude & 8191];
            }
            pair[0] = with_sign(values[0] * scale, signs);
            pair[1] = with_sign(values[1] * scale, signs << (code.signs() & 1));
        }
        true
    }

    /// An escape sequence: N ones, a zero, and N + 4 bits that follow a leading one.
    #[inline]
    fn escape(&mut self) -> Option<usize> {
        let ones = self.word.leading_ones();
        if ones > 8 {
            return None;
        }
        self.take(ones + 1);
        let width = ones + 4;
        let value = (1 << width) + (self.word >> (64 - width)) as usize;
        self.take(width);
        Some(value)
    }
}

/// `value` ≥ 0 made negative if the top bit of `signs` is set; for 0 that bit belongs to another line, and -0 is as good.
#[inline(always)]
fn with_sign(value: f32, signs: u64) -> f32 {
    f32::from_bits(value.to_bits() ^ ((signs >> 32) as u32 & 0x8000_0000))
}

/// Largest magnitude of a line in a codebook with escapes.
pub(super) fn largest(book: u8) -> usize {
    let of_virtual = usize::from(book).wrapping_sub(usize::from(book::VIRTUAL));
    LARGEST.get(of_virtual).map_or(8191, |largest| usize::from(*largest))
}

/// The same of the virtual codebooks.
const LARGEST: [u16; 16] = [15, 31, 47, 63, 95, 127, 159, 191, 223, 255, 319, 383, 511, 767, 1023, 2047];
