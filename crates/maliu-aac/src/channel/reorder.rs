//! Reordered spectral data (HCR): codewords of lines that matter begin at places known without reading the others
//! (ISO/IEC 14496-3 §4.6.16.3).
//!
//! ```text
//! codewords, by the priority of their codebooks:  a b c │ d e f │ g          as many in a set as there are segments
//! segments, each as wide as its first codeword    a→..←d│b→.←e..│c→.←f       set 0 forwards, set 1 backwards, set 2 …
//! could be:                                         and what finds no room in its segment goes on in the next
//! ```

use super::spectrum::Reader;
use super::{Channel, book, stereo};
use crate::tables::{TABLES, Tables};
use crate::{Error, bits::Bits, noise::Noise};

/// The lengths in front of the reordered codewords.
pub(super) struct Reordered {
    /// Bits of all codewords.
    length: usize,
    /// Bits of the longest.
    longest: usize,
}

/// One code with its signs and escapes, for four lines or two.
#[derive(Clone, Copy, Default)]
struct Codeword {
    line: u16,
    /// Its band, as in `Channel::books`.
    band: u8,
    done: bool,
    /// Bits found so far, at the top of `bits`.
    found: u8,
    bits: u64,
}

/// Bits that no codeword has taken, counted from the first codeword.
#[derive(Clone, Copy, Default)]
struct Segment {
    left: usize,
    right: usize,
}

impl Reordered {
    pub(super) fn parse(bits: &mut Bits) -> Reordered {
        Reordered { length: bits.read(14) as usize, longest: bits.read(6) as usize }
    }

    /// Reads the lines of all bands; those without coded lines become zero or noise.
    pub(super) fn lines(&self, channel: &mut Channel, bits: &mut Bits, noise: &mut Noise) -> Result<(), Error> {
        let Channel { info, books, scales, lines, .. } = channel;
        lines.fill(0.0);
        stereo::each_band(info, |band, range| {
            if let (book::NOISE, Some(lines)) = (books[band & 127], lines.get_mut(range)) {
                noise.fill(lines, scales[band & 127]);
            }
        });
        let damaged = Error::Malformed { what: "codewords that do not fit their segments", bit: bits.position() };
        if bits.left() < self.length {
            return Err(damaged);
        }
        let mut codewords = [Codeword::default(); MOST_CODEWORDS];
        let codewords = sort(channel, &mut codewords);
        let mut segments = [Segment::default(); MOST_CODEWORDS];
        let segments = self.divide(codewords, &channel.books, &mut segments);
        let mut work = Work { tables: &TABLES, bits: bits.clone(), channel };
        for (set, codewords) in codewords.chunks_mut(segments.len().max(1)).enumerate() {
            if !work.set(codewords, segments, set % 2 == 1) {
                return Err(damaged);
            }
        }
        bits.skip(self.length);
        Ok(())
    }

    /// Makes segments as long as the next codeword could need one to itself; the last one has the rest.
    fn divide<'a>(
        &self,
        codewords: &[Codeword],
        books: &[u8; 128],
        segments: &'a mut [Segment; MOST_CODEWORDS],
    ) -> &'a mut [Segment] {
        let (mut count, mut left) = (0, 0);
        for (codeword, segment) in codewords.iter().zip(segments.iter_mut()) {
            let width = WIDTHS[usize::from(books[usize::from(codeword.band) & 127]) & 31];
            let right = left + usize::from(width).min(self.longest);
            if right > self.length {
                break;
            }
            *segment = Segment { left, right };
            (count, left) = (count + 1, right);
        }
        let segments = segments.get_mut(..count).unwrap_or_default();
        if let Some(last) = segments.last_mut() {
            last.right = self.length;
        }
        segments
    }
}

/// Lists the codewords of a channel: the most important codebooks first, then from low lines to high, window by window
/// every four lines.
fn sort<'a>(channel: &Channel, codewords: &'a mut [Codeword; MOST_CODEWORDS]) -> &'a mut [Codeword] {
    let Channel { info, books, .. } = channel;
    let mut units = [(0u16, 0u8); MOST_CODEWORDS / 2];
    let (mut count, mut present) = (0, 0u32);
    for band in 0..info.max_sfb {
        for line in info.bands.range(band).step_by(4) {
            for (group, first, windows) in info.groups() {
                let band = (16 * group + band) & 127;
                present |= 1 << priority(books[band]);
                for window in first..first + windows {
                    if let Some(unit) = units.get_mut(count) {
                        *unit = ((128 * window + line) as u16, band as u8);
                        count += 1;
                    }
                }
            }
        }
    }
    let mut free = codewords.iter_mut();
    let mut used = 0;
    for wanted in (1..=MOST_IMPORTANT).rev().filter(|wanted| present >> wanted & 1 != 0) {
        for &(line, band) in units.iter().take(count) {
            let book = books[usize::from(band) & 127];
            if priority(book) != wanted {
                continue;
            }
            for line in (line..line + 4).step_by(dimension(book)) {
                if let Some(codeword) = free.next() {
                    *codeword = Codeword { line, band, ..Codeword::default() };
                    used += 1;
                }
            }
        }
    }
    codewords.get_mut(..used).unwrap_or_default()
}

/// State for reading codewords.
struct Work<'a, 'b> {
    tables: &'a Tables,
    /// At the first codeword.
    bits: Bits<'b>,
    channel: &'a mut Channel,
}

impl Work<'_, '_> {
    /// Reads a set: each codeword from its own segment, then what is missing from the next one, and so on around. False
    /// when there are codewords left that no segment has room for.
    fn set(&mut self, codewords: &mut [Codeword], segments: &mut [Segment], backwards: bool) -> bool {
        let mut left = codewords.len();
        for trial in 0..segments.len() {
            let (before, behind) = segments.split_at_mut(trial);
            let in_turn = behind.iter_mut().chain(before);
            for (codeword, segment) in codewords.iter_mut().zip(in_turn) {
                if codeword.done || segment.left >= segment.right {
                    continue;
                }
                if !self.codeword(codeword, segment, backwards) {
                    return false;
                }
                left -= usize::from(codeword.done);
            }
            if left == 0 {
                break;
            }
        }
        left == 0
    }

    /// Reads what a segment has of a codeword. False when its lines are beyond the codebook.
    fn codeword(&mut self, codeword: &mut Codeword, segment: &mut Segment, backwards: bool) -> bool {
        let found = usize::from(codeword.found);
        let count = (segment.right - segment.left).min(WORD.saturating_sub(found));
        codeword.bits |= match backwards {
            true => self.ahead(segment.right - count, count).reverse_bits() << (64 - count),
            false => self.ahead(segment.left, count),
        } >> found;
        let band = usize::from(codeword.band) & 127;
        let (book, scale) = (self.channel.books[band], self.channel.scales[band]);
        let line = usize::from(codeword.line);
        let Some(lines) = self.channel.lines.get_mut(line..line + dimension(book)) else { return false };
        let mut reader = Reader::of_word(codeword.bits);
        let allowed = reader.lines(self.tables, book, lines, scale);
        let needed = reader.position();
        codeword.done = needed <= found + count;
        if codeword.done && !allowed {
            return false;
        }
        let taken = if codeword.done { needed - found } else { count };
        codeword.found = (found + taken) as u8;
        match backwards {
            true => segment.right -= taken,
            false => segment.left += taken,
        }
        true
    }

    /// `count` bits from `start` on, at the top of a word; 1 ≤ `count` ≤ 56.
    fn ahead(&self, start: usize, count: usize) -> u64 {
        let mut bits = self.bits.clone();
        bits.skip(start);
        let word = u64::from(bits.read(32)) << 32 | u64::from(bits.read(32));
        word >> (64 - count) << (64 - count)
    }
}

/// Lines of a codeword.
fn dimension(book: u8) -> usize {
    if matches!(book, 1..=4) { 4 } else { 2 }
}

/// Importance of a codebook, 1 to 22; 0: it has no codewords.
pub(super) fn priority(book: u8) -> u32 {
    match book {
        1..=10 => u32::from(book).div_ceil(2),
        book::ESCAPE => MOST_IMPORTANT,
        book::VIRTUAL..=31 => u32::from(book) - 10,
        _ => 0,
    }
}

const MOST_IMPORTANT: u32 = 22;

/// Pairs of lines in a spectrum.
const MOST_CODEWORDS: usize = 512;

/// Bits the longest codeword could have.
const WORD: usize = 56;

/// Bits the longest codeword of each codebook has.
pub(super) const WIDTHS: [u8; 32] = [
    0, 11, 9, 20, 16, 13, 11, 14, 12, 17, 14, 49, 0, 0, 0, 0, 14, 17, 21, 21, 25, 25, 29, 29, 29, 29, 33, 33, 33, 37,
    37, 41,
];
