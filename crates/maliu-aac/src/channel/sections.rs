//! section_data and scale_factor_data: each band's codebook and factor (ISO/IEC 14496-3 §4.6.2, §4.6.3.2,
//! §4.6.16.1).

use super::{book, info::Info};
use crate::tables::TABLES;
use crate::{Error, bits::Bits};

/// Reads the codebook of each band. `resilient`: codebooks may be virtual, and those of escapes are said for each band.
pub(super) fn parse_books(bits: &mut Bits, info: &Info, books: &mut [u8; 128], resilient: bool) -> Result<(), Error> {
    let width = if info.short() { 3 } else { 5 };
    let escape = (1 << width) - 1;
    for (group, ..) in info.groups() {
        let mut band = 0;
        while band < info.max_sfb {
            let book = bits.read(if resilient { 5 } else { 4 }) as u8;
            if book == book::RESERVED {
                return Err(Error::Malformed { what: "reserved codebook", bit: bits.position() });
            }
            let mut end = band;
            loop {
                let single = resilient && (book == book::ESCAPE || book >= book::VIRTUAL);
                let step = if single { 1 } else { bits.read(width) as usize };
                end += step;
                if end > info.max_sfb || bits.overrun() {
                    return Err(Error::Malformed { what: "section longer than its bands", bit: bits.position() });
                }
                if step != escape {
                    break;
                }
            }
            if let Some(section) = books.get_mut(16 * group + band..16 * group + end) {
                section.fill(book);
            }
            band = end;
        }
    }
    Ok(())
}

/// Where the differences between factors come from.
pub(super) trait Differences {
    /// The next difference.
    fn next(&mut self) -> Result<i32, Error>;

    /// The nine bits that the first noise energy is said with.
    fn first_noise(&mut self) -> i32;

    /// Where they are read, for messages.
    fn position(&self) -> usize;
}

impl Differences for Bits<'_> {
    #[inline]
    fn next(&mut self) -> Result<i32, Error> {
        Ok(difference(self))
    }

    fn first_noise(&mut self) -> i32 {
        self.read(9) as i32
    }

    fn position(&self) -> usize {
        Bits::position(self)
    }
}

/// The last factors of a channel.
pub(super) struct Last {
    pub(super) gain: i32,
    pub(super) noise: i32,
    pub(super) position: i32,
}

/// Reads the factor of each band, and turns it into the number its lines are multiplied with.
pub(super) fn parse_scales(
    differences: &mut impl Differences,
    info: &Info,
    books: &[u8; 128],
    scales: &mut [f32; 128],
    global_gain: i32,
) -> Result<Last, Error> {
    let mut last = Last { gain: global_gain, noise: global_gain - NOISE_OFFSET, position: 0 };
    let mut first_noise = true;
    for (group, ..) in info.groups() {
        let bands = 16 * group..16 * group + info.max_sfb;
        let (Some(books), Some(scales)) = (books.get(bands.clone()), scales.get_mut(bands)) else { continue };
        for (&book, scale) in books.iter().zip(scales) {
            *scale = match book {
                book::ZERO => 0.0,
                book::INTENSITY | book::INTENSITY_OUT_OF_PHASE => {
                    last.position += differences.next()?;
                    power(-last.position.clamp(-155, 100))
                }
                book::NOISE => {
                    last.noise += if first_noise { differences.first_noise() - 256 } else { differences.next()? };
                    first_noise = false;
                    power(last.noise.clamp(-100, 155))
                }
                _ => {
                    last.gain += differences.next()?;
                    if !(0..256).contains(&last.gain) {
                        return Err(Error::Malformed {
                            what: "scale factor out of range",
                            bit: differences.position(),
                        });
                    }
                    power(last.gain - 100)
                }
            };
        }
    }
    Ok(last)
}

/// One Huffman coded difference.
#[inline]
pub(crate) fn difference(bits: &mut Bits) -> i32 {
    let code = TABLES.scale_factors.decode(bits.window());
    bits.skip(code.length() as usize);
    code.symbol() as i32 - 60
}

/// 2^(exponent / 4).
fn power(exponent: i32) -> f32 {
    TABLES.gains[(exponent + 200).clamp(0, 511) as usize]
}

/// Noise energies begin this far below the global gain.
pub(super) const NOISE_OFFSET: i32 = 90;
