//! The front of video usability information, which both codecs code alike (ISO/IEC 14496-10 §E.1.1, 23008-2 §E.2.1).

use crate::bits::Bits;

/// Shape and colour of the samples.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct VideoSignal {
    /// Shape of a sample, width to height; `None` when unspecified.
    pub sample_aspect: Option<(u32, u32)>,
    /// Whether the picture may be cut at its edges (overscan), when said.
    pub overscan_appropriate_flag: Option<bool>,
    /// 0 component, 1 PAL, 2 NTSC, 3 SECAM, 4 MAC, 5 unspecified.
    pub video_format: u8,
    /// Samples use the full range of their bits.
    pub video_full_range_flag: bool,
    /// colour_primaries, transfer_characteristics, matrix_coefficients (ITU-T H.273); 2 is unspecified.
    pub colour: [u8; 3],
    /// chroma_sample_loc_type of top and bottom field, when said.
    pub chroma_sample_loc: Option<(u8, u8)>,
}

impl VideoSignal {
    pub(in crate::syntax) fn parse(bits: &mut Bits<'_>) -> Option<Self> {
        let mut signal = Self { video_format: 5, colour: [2; 3], ..Self::default() };
        if bits.flag()? {
            signal.sample_aspect = sample_aspect(bits)?;
        }
        if bits.flag()? {
            signal.overscan_appropriate_flag = Some(bits.flag()?);
        }
        if bits.flag()? {
            signal.video_format = bits.read(3)? as u8;
            signal.video_full_range_flag = bits.flag()?;
            if bits.flag()? {
                signal.colour = [bits.read(8)? as u8, bits.read(8)? as u8, bits.read(8)? as u8];
            }
        }
        if bits.flag()? {
            let mut location = || bits.ue().filter(|kind| *kind < 6).map(|kind| kind as u8);
            signal.chroma_sample_loc = Some((location()?, location()?));
        }
        Some(signal)
    }
}

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
fn sample_aspect(bits: &mut Bits<'_>) -> Option<Option<(u32, u32)>> {
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
