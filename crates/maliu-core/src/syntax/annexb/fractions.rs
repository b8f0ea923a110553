//! Fractions of video usability information that both codecs code alike: sample shape, rates (ISO/IEC 14496-10 §E.2.1).

use crate::bits::Bits;

/// `num / den` in lowest terms; `None` when either is 0 or does not fit.
pub(in crate::syntax) fn reduced(num: u64, den: u64) -> Option<(u32, u32)> {
    let (mut a, mut b) = (num, den);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    let divisor = a.max(1);
    let pair = (u32::try_from(num / divisor).ok()?, u32::try_from(den / divisor).ok()?);
    (num > 0 && den > 0).then_some(pair)
}

/// aspect_ratio_idc with, for 255, the ratio itself. `Some(None)` when unspecified.
pub(in crate::syntax) fn sample_aspect(bits: &mut Bits<'_>) -> Option<Option<(u32, u32)>> {
    let idc = bits.read(8)?;
    if idc == EXTENDED_SAR {
        let (width, height) = (bits.read(16)?, bits.read(16)?);
        return Some((width > 0 && height > 0).then_some((width, height)));
    }
    Some(SAMPLE_ASPECTS.get(idc as usize).copied().filter(|aspect| aspect.0 > 0))
}

const EXTENDED_SAR: u32 = 255;

/// Table E-1.
const SAMPLE_ASPECTS: [(u32, u32); 17] = [
    (0, 0),
    (1, 1),
    (12, 11),
    (10, 11),
    (16, 11),
    (40, 33),
    (24, 11),
    (20, 11),
    (32, 11),
    (80, 33),
    (18, 11),
    (15, 11),
    (64, 33),
    (160, 99),
    (4, 3),
    (3, 2),
    (2, 1),
];
