//! Scale factors of a granule and the gains that they make (ISO/IEC 11172-3 §2.4.2.7, §2.4.3.4; 13818-3 §2.4.3.2).

use super::bands::Layout;
use crate::bits::Bits;
use crate::side_info::Granule;

/// Most bands of a granule.
const MAX_BANDS: usize = 39;

/// One scale factor for each band; the last one of each window has none and is 0.
#[derive(Clone, Debug)]
pub(crate) struct ScaleFactors {
    pub(crate) values: [u8; MAX_BANDS],
    /// Bands whose value is no position of intensity stereo, a bit each.
    pub(crate) illegal: u64,
}

impl ScaleFactors {
    pub(crate) const NONE: ScaleFactors = ScaleFactors { values: [0; MAX_BANDS], illegal: 0 };
}

/// Bits of the scale factors of lower and upper bands by scalefac_compress.
const SLEN: [[u8; 2]; 16] = [
    [0, 0],
    [0, 1],
    [0, 2],
    [0, 3],
    [3, 0],
    [1, 1],
    [1, 2],
    [1, 3],
    [2, 1],
    [2, 2],
    [2, 3],
    [3, 1],
    [3, 2],
    [3, 3],
    [4, 2],
    [4, 3],
];

/// Bands of long blocks that share one bit of scfsi.
const SHARED: [core::ops::Range<usize>; 4] = [0..6, 6..11, 11..16, 16..21];

/// Position 7 of MPEG-1 and above: not coded by intensity.
const ILLEGAL: u8 = 7;

/// Reads the scale factors of MPEG-1 into `factors`. `shared`: bits of scfsi, by which groups keep what is there.
pub(crate) fn read(bits: &mut Bits, granule: &Granule, shared: u8, factors: &mut ScaleFactors) {
    let [low, high] = SLEN[usize::from(granule.scalefac_compress & 15)].map(u32::from);
    let values = &mut factors.values;
    if granule.block_type == 2 {
        *values = [0; MAX_BANDS];
        let (lower, upper) = values.split_at_mut(if granule.mixed_block_flag { 17 } else { 18 });
        lower.iter_mut().for_each(|factor| *factor = bits.read(low) as u8);
        upper.iter_mut().take(18).for_each(|factor| *factor = bits.read(high) as u8);
    } else {
        for (group, bands) in SHARED.into_iter().enumerate().filter(|(group, _)| shared >> (3 - group) & 1 == 0) {
            let length = if group < 2 { low } else { high };
            values[bands].iter_mut().for_each(|factor| *factor = bits.read(length) as u8);
        }
        values[21..].fill(0);
    }
    let illegal = (0..).zip(values.iter()).filter(|(_, value)| **value >= ILLEGAL);
    factors.illegal = illegal.fold(0, |mask, (band, _)| mask | 1 << band);
}

/// Scale factors of MPEG-2 and 2.5 come in four parts: bands of each for long, short and mixed blocks.
const PARTS: [[[u8; 4]; 3]; 6] = [
    [[6, 5, 5, 5], [9, 9, 9, 9], [6, 9, 9, 9]],
    [[6, 5, 7, 3], [9, 9, 12, 6], [6, 9, 12, 6]],
    [[11, 10, 0, 0], [18, 18, 0, 0], [15, 18, 0, 0]],
    [[7, 7, 7, 0], [12, 12, 12, 0], [6, 15, 12, 0]],
    [[6, 6, 6, 3], [12, 9, 9, 6], [6, 12, 9, 6]],
    [[8, 8, 5, 0], [15, 12, 9, 0], [6, 18, 9, 0]],
];

/// Reads the scale factors of MPEG-2 and 2.5; those of the right channel of intensity stereo are positions. Returns the
/// preflag.
pub(crate) fn read_low(bits: &mut Bits, granule: &Granule, positions: bool, factors: &mut ScaleFactors) -> bool {
    let code = u32::from(granule.scalefac_compress);
    let (row, lengths) = if positions {
        match code / 2 {
            c @ 0..180 => (3, [c / 36, c % 36 / 6, c % 6, 0]),
            c @ 180..244 => (4, [(c - 180) / 16, (c - 180) / 4 % 4, (c - 180) % 4, 0]),
            c => (5, [(c - 244) / 3, (c - 244) % 3, 0, 0]),
        }
    } else {
        match code {
            c @ 0..400 => (0, [c / 80, c / 16 % 5, c / 4 % 4, c % 4]),
            c @ 400..500 => (1, [(c - 400) / 20, (c - 400) / 4 % 5, (c - 400) % 4, 0]),
            c => (2, [(c - 500) / 3, (c - 500) % 3, 0, 0]),
        }
    };
    let kind = match (granule.block_type, granule.mixed_block_flag) {
        (2, false) => 1,
        (2, true) => 2,
        _ => 0,
    };
    *factors = ScaleFactors::NONE;
    let mut rest = (0..).zip(factors.values.iter_mut());
    for (count, length) in PARTS[row][kind].into_iter().zip(lengths) {
        for (band, value) in rest.by_ref().take(count.into()) {
            let read = bits.read(length);
            *value = read as u8;
            // The highest value is no position.
            factors.illegal |= u64::from(length > 0 && read == (1 << length) - 1) << band;
        }
    }
    row == 2
}

/// Values that preflag adds to the scale factors of long blocks.
const PRETAB: [u8; 22] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 3, 2, 0];

/// Powers of two by quarters of the exponent.
pub(crate) struct Gains([f32; STEPS]);

/// Where 1.0 stands: below it are global_gain, middle/side stereo, scale factors with preflag, and subblock_gain.
const UNITY: usize = 210 + 2 + 4 * (31 + 3) + 8 * 7;

const STEPS: usize = UNITY + 256 - 210;

impl Gains {
    pub(crate) fn new() -> Gains {
        Gains(std::array::from_fn(|i| ((i as f64 - UNITY as f64) / 4.0).exp2() as f32))
    }

    fn get(&self, quarters: i32) -> f32 {
        let index = usize::try_from(quarters + UNITY as i32).unwrap_or(0);
        self.0[index.min(STEPS - 1)]
    }
}

/// Values that the gains of a granule depend on besides its scale factors.
pub(crate) struct Level<'a> {
    pub(crate) gains: &'a Gains,
    pub(crate) granule: &'a Granule,
    pub(crate) preflag: bool,
    /// Quarters of an exponent by which all lines are lower.
    pub(crate) less: i32,
}

impl Level<'_> {
    /// Writes the gain of each pair of lines.
    pub(crate) fn fill(&self, layout: &Layout, factors: &ScaleFactors, out: &mut [f32; 288]) {
        let Level { gains, granule, preflag, less } = *self;
        let step = if granule.scalefac_scale { 4 } else { 2 };
        let base = i32::from(granule.global_gain) - 210 - less;
        for (band, (edges, factor)) in layout.edges.windows(2).zip(factors.values).enumerate() {
            let factor = i32::from(factor);
            let quarters = if band < layout.long {
                let pre = if preflag { i32::from(PRETAB[band % 22]) } else { 0 };
                base - step * (factor + pre)
            } else {
                let window = (band - layout.long) % 3;
                base - 8 * i32::from(granule.subblock_gain[window]) - step * factor
            };
            out[edges[0] / 2..edges[1] / 2].fill(gains.get(quarters));
        }
    }
}
