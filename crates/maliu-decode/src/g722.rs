//! G.722: 7 kHz audio in two bands of ADPCM, a byte for two samples at 16 kHz (ITU-T G.722).
//!
//! ```text
//!   byte ─┬ 6 bits ─▶ low band: 64 levels  ─▶ + prediction ─┐
//!         └ 2 bits ─▶ high band: 4 levels  ─▶ + prediction ─┴▶ QMF ─▶ two samples
//! ```
//!
//! All arithmetic is the recommendation's 16-bit one, which makes the result exact. Names are those of its variables, in
//! lower case.

use maliu_core::{
    error::{Error, Result},
    packet::Packet,
    stream::{Codec, StreamInfo},
};

use crate::{AudioFrame, Fault, Samples, Unit, pcm};

pub(crate) const CODECS: &[Codec] = &[Codec::G722];

pub(crate) fn make(info: &StreamInfo) -> Result<Box<dyn Unit>> {
    let shell = pcm::shell(info)?;
    if shell.channels != 1 {
        return Err(Error::unsupported(format!("G.722 of {} channels", shell.channels)));
    }
    Ok(Box::new(G722 { shell, bands: Bands::default() }))
}

struct G722 {
    shell: AudioFrame,
    bands: Bands,
}

impl Unit for G722 {
    fn decode(&mut self, packet: &Packet) -> std::result::Result<AudioFrame, Fault> {
        let samples = packet.data.iter().flat_map(|byte| self.bands.next(*byte)).collect();
        Ok(AudioFrame { samples: Samples::I32(samples), ..self.shell.clone() })
    }

    fn reset(&mut self) {
        self.bands = Bands::default();
    }
}

/// State of both bands and of the filter that joins them.
struct Bands {
    low: Band,
    high: Band,
    /// Sums and differences of the bands, the latest last.
    line: [i32; 24],
}

impl Default for Bands {
    fn default() -> Self {
        Self { low: Band { det: 32, ..Band::default() }, high: Band { det: 8, ..Band::default() }, line: [0; 24] }
    }
}

impl Bands {
    /// Two samples, in the high bits of 32.
    fn next(&mut self, byte: u8) -> [i32; 2] {
        let (il, ih) = (usize::from(byte & 0x3f), usize::from(byte >> 6));
        let rl = limited(self.low.s + scaled(self.low.det, QM6[il]));
        // The low band adapts by the four highest bits of its code only, so that a channel may steal the others.
        self.low.adapt(QM4[il >> 2], WL[RL42[il >> 2]], 18_432, 8);
        let rh = limited(self.high.s + scaled(self.high.det, QM2[ih]));
        self.high.adapt(QM2[ih], WH[ih & 1], 22_528, 10);
        self.line.copy_within(2.., 0);
        self.line[22] = rl + rh;
        self.line[23] = rl - rh;
        let sum = |of: fn(usize) -> (usize, usize)| {
            let taps = (0..12).map(of).map(|(at, tap)| self.line[at] * QMF[tap]);
            saturated(taps.sum::<i32>() >> 11) << 16
        };
        [sum(|at| (2 * at + 1, 11 - at)), sum(|at| (2 * at, at))]
    }
}

/// State of one band.
#[derive(Default)]
struct Band {
    /// The quantiser's step, and its logarithm.
    det: i32,
    nb: i32,
    /// Prediction from poles and zeros, and the part of it from zeros.
    s: i32,
    sz: i32,
    /// Coefficients of poles and of zeros.
    a: [i32; 2],
    b: [i32; 6],
    /// Differences, reconstructed values and partly reconstructed ones, the latest first.
    d: [i32; 6],
    r: [i32; 2],
    p: [i32; 2],
}

impl Band {
    /// Adapts step and predictor by a level of the quantiser and the weight of its code.
    fn adapt(&mut self, level: i32, weight: i32, most: i32, shift: i32) {
        let d = scaled(self.det, level);
        // LOGSCL, SCALEL and their like.
        self.nb = (((self.nb * 127) >> 7) + weight).clamp(0, most);
        let (whole, part) = (shift - (self.nb >> 11), (self.nb >> 6 & 31) as usize);
        let step = if whole < 0 { ILB[part] << -whole } else { ILB[part] >> whole };
        self.det = step << 2;
        self.predict(d);
    }

    fn predict(&mut self, d: i32) {
        let (r, p) = (saturated(self.s + d), saturated(self.sz + d));
        let same = |a: i32, b: i32| (a < 0) == (b < 0);
        // UPPOL2
        let wd1 = saturated(self.a[0] << 2);
        let wd2 = if same(p, self.p[0]) { (-wd1).min(32_767) } else { wd1 };
        let wd3 = (wd2 >> 7) + if same(p, self.p[1]) { 128 } else { -128 } + scaled(self.a[1], 32_512);
        let a2 = wd3.clamp(-12_288, 12_288);
        // UPPOL1
        let limit = saturated(15_360 - a2);
        let step = if same(p, self.p[0]) { 192 } else { -192 };
        let a1 = saturated(step + scaled(self.a[0], 32_640)).clamp(-limit, limit);
        // UPZERO
        let step = if d == 0 { 0 } else { 128 };
        for (b, before) in self.b.iter_mut().zip(&self.d) {
            let step = if same(d, *before) { step } else { -step };
            *b = saturated(step + scaled(*b, 32_640));
        }
        // DELAYA
        self.d.copy_within(..5, 1);
        self.d[0] = d;
        (self.a, self.r, self.p) = ([a1, a2], [r, self.r[0]], [p, self.p[0]]);
        // FILTEP, FILTEZ, PREDIC
        let product = |by: &i32, value: &i32| scaled(*by, saturated(2 * value));
        let poles: i32 = self.a.iter().zip(&self.r).map(|(a, r)| product(a, r)).sum();
        let zeros: i32 = self.b.iter().zip(&self.d).map(|(b, d)| product(b, d)).sum();
        self.sz = saturated(zeros);
        self.s = saturated(saturated(poles) + self.sz);
    }
}

/// A product of two numbers of 16 bits of which one is a fraction.
fn scaled(a: i32, b: i32) -> i32 {
    (a * b) >> 15
}

fn saturated(value: i32) -> i32 {
    value.clamp(-32_768, 32_767)
}

/// LIMIT: 15 bits.
fn limited(value: i32) -> i32 {
    value.clamp(-16_384, 16_383)
}

/// Half of the QMF's coefficients (table 11/G.722).
const QMF: [i32; 12] = [3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11];

/// Factors of the step for the codes of the high band.
const QM2: [i32; 4] = [-7408, -1616, 7408, 1616];

/// The same for the four highest bits of the low band's codes.
const QM4: [i32; 16] =
    [0, -20456, -12896, -8968, -6288, -4240, -2584, -1200, 20456, 12896, 8968, 6288, 4240, 2584, 1200, 0];

/// The same for all six bits.
const QM6: [i32; 64] = [
    -136, -136, -136, -136, -24808, -21904, -19008, -16704, -14984, -13512, -12280, -11192, -10232, -9360, -8576,
    -7856, -7192, -6576, -6000, -5456, -4944, -4464, -4008, -3576, -3168, -2776, -2400, -2032, -1688, -1360, -1040,
    -728, 24808, 21904, 19008, 16704, 14984, 13512, 12280, 11192, 10232, 9360, 8576, 7856, 7192, 6576, 6000, 5456,
    4944, 4464, 4008, 3576, 3168, 2776, 2400, 2032, 1688, 1360, 1040, 728, 432, 136, -432, -136,
];

/// Weights of the low band's logarithmic step, and which of them a code takes.
const WL: [i32; 8] = [-60, -30, 58, 172, 334, 538, 1198, 3042];
const RL42: [usize; 16] = [0, 7, 6, 5, 4, 3, 2, 1, 7, 6, 5, 4, 3, 2, 1, 0];

/// Weights of the high band's logarithmic step, by the low bit of the code.
const WH: [i32; 2] = [798, -214];

/// Powers of two between 2048 and 4096 in steps of a 32nd.
const ILB: [i32; 32] = [
    2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834, 2896, 2960, 3025,
    3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008,
];

#[cfg(test)]
mod tests {
    use maliu_core::digest::{Digest, Kind};

    use super::*;

    /// Any codes: no product or sum leaves 32 bits, and the samples are those of the reference decoder, by their MD5.
    #[test]
    fn any_codes_give_the_samples_of_the_reference() {
        let (mut bands, mut state) = (Bands::default(), 1u32);
        let mut digest = Digest::new(Kind::Md5);
        for _ in 0..20_000 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            for sample in bands.next((state >> 24) as u8) {
                digest.update(&((sample >> 16) as i16).to_le_bytes());
            }
        }
        assert_eq!(digest.finish(), "18368fbee9b7fee6725755abe6fc446c");
        for byte in [0x04, 0xe4].repeat(10_000) {
            bands.next(byte);
        }
    }
}
