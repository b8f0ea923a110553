//! section_data and scale_factor_data: each band's codebook and factor (ISO/IEC 14496-3 §4.6.2, §4.6.3.2).

use super::{book, info::Info};
use crate::tables::TABLES;
use crate::{Error, bits::Bits};

/// Reads the codebook of each band.
pub(super) fn parse_books(bits: &mut Bits, info: &Info, books: &mut [u8; 128]) -> Result<(), Error> {
    let width = if info.short() { 3 } else { 5 };
    let escape = (1 << width) - 1;
    for (group, ..) in info.groups() {
        let mut band = 0;
        while band < info.max_sfb {
            let book = bits.read(4) as u8;
            if book == book::RESERVED {
                return Err(Error::Malformed { what: "reserved codebook", bit: bits.position() });
            }
            let mut end = band;
            loop {
                let step = bits.read(width) as usize;
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

/// Reads the factor of each band, and turns it into the number its lines are multiplied with.
pub(super) fn parse_scales(
    bits: &mut Bits,
    info: &Info,
    books: &[u8; 128],
    scales: &mut [f32; 128],
    global_gain: i32,
) -> Result<(), Error> {
    let (mut gain, mut noise, mut position) = (global_gain, global_gain - NOISE_OFFSET, 0);
    let mut first_noise = true;
    for (group, ..) in info.groups() {
        let bands = 16 * group..16 * group + info.max_sfb;
        let (Some(books), Some(scales)) = (books.get(bands.clone()), scales.get_mut(bands)) else { continue };
        for (&book, scale) in books.iter().zip(scales) {
            *scale = match book {
                book::ZERO => 0.0,
                book::INTENSITY | book::INTENSITY_OUT_OF_PHASE => {
                    position += difference(bits);
                    power(-position.clamp(-155, 100))
                }
                book::NOISE => {
                    noise += if first_noise { bits.read(9) as i32 - 256 } else { difference(bits) };
                    first_noise = false;
                    power(noise.clamp(-100, 155))
                }
                _ => {
                    gain += difference(bits);
                    if !(0..256).contains(&gain) {
                        return Err(Error::Malformed { what: "scale factor out of range", bit: bits.position() });
                    }
                    power(gain - 100)
                }
            };
        }
    }
    Ok(())
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
const NOISE_OFFSET: i32 = 90;
