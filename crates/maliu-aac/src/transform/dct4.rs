//! Discrete cosine transform of type IV, which holds all there is in an inverse MDCT (ISO/IEC 14496-3 §4.6.11.3.1).
//!
//! For `n` lines, `d[j] = scale · Σ line[k] · cos(π/n · (j + ½)(k + ½))`. Of the 2n samples of the inverse MDCT the first
//! half is `d[n/2 ..]` and its mirror image negated, the second half `-d[.. n/2]` mirrored and its mirror image.

use super::fft::{Block, Fft};
use core::f64::consts::PI;

/// The transform of one length.
pub(crate) enum Dct4 {
    /// By a Fourier transform of half the length.
    Fast(Box<Fast>),
    /// By the sum itself, for lengths that do not fill blocks (120).
    Direct {
        /// Its length.
        length: usize,
        /// scale · cos(π/4n · i) for i up to 8n.
        cosines: Vec<f32>,
    },
}

pub(crate) struct Fast {
    fft: Fft,
    /// Factors before the Fourier transform, with the scale, and after it.
    twiddles: Vec<(Block, Block)>,
    data: Vec<Block>,
    scratch: Vec<Block>,
}

impl Dct4 {
    /// A transform of `length` lines, whose results are multiplied by `scale`.
    pub(crate) fn new(length: usize, scale: f64) -> Dct4 {
        if !length.is_multiple_of(32) {
            let step = PI / (4 * length) as f64;
            let cosines = (0..8 * length).map(|i| (scale * (i as f64 * step).cos()) as f32).collect();
            return Dct4::Direct { length, cosines };
        }
        let turn = |k: usize, scale: f64| {
            let angle = -PI * (8 * k + 1) as f64 / (8 * length) as f64;
            ((scale * angle.cos()) as f32, (scale * angle.sin()) as f32)
        };
        let block = |b: usize, scale: f64| {
            let lanes: [(f32, f32); 4] = core::array::from_fn(|lane| turn(4 * b + lane, scale));
            Block { re: lanes.map(|l| l.0), im: lanes.map(|l| l.1) }
        };
        let blocks = length / 8;
        Dct4::Fast(Box::new(Fast {
            fft: Fft::new(length / 2),
            twiddles: (0..blocks).map(|b| (block(b, scale), block(b, 1.0))).collect(),
            data: vec![Block::default(); blocks],
            scratch: vec![Block::default(); blocks],
        }))
    }

    /// Transforms `lines` into `out`; both have the transform's length.
    pub(crate) fn run(&mut self, lines: &[f32], out: &mut [f32]) {
        match self {
            Dct4::Fast(fast) => fast.run(lines, out),
            Dct4::Direct { length, cosines } => {
                for (j, out) in out.iter_mut().enumerate() {
                    let terms = lines.iter().enumerate().take(*length);
                    *out = terms.map(|(k, x)| x * cosines[(2 * j + 1) * (2 * k + 1) % (8 * *length)]).sum();
                }
            }
        }
    }
}

impl Fast {
    fn run(&mut self, lines: &[f32], out: &mut [f32]) {
        let (forward, backward) = (lines.chunks_exact(8), lines.rchunks_exact(8));
        for (((block, w), a), b) in self.data.iter_mut().zip(&self.twiddles).zip(forward).zip(backward) {
            let input = Block { re: [a[0], a[2], a[4], a[6]], im: [b[7], b[5], b[3], b[1]] };
            *block = input.times(w.0);
        }
        let result = self.fft.run(&mut self.data, &mut self.scratch);
        for (block, w) in result.iter_mut().zip(&self.twiddles) {
            let Block { re, im } = block.times(w.1);
            *block = Block { re, im: [-im[3], -im[2], -im[1], -im[0]] };
        }
        for ((eight, front), back) in out.chunks_exact_mut(8).zip(result.iter()).zip(result.iter().rev()) {
            let (re, im) = (front.re, back.im);
            eight.copy_from_slice(&[re[0], im[0], re[1], im[1], re[2], im[2], re[3], im[3]]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_equals_its_sum() {
        for length in [120, 128, 480, 512, 960, 1024] {
            let lines: Vec<f32> = (0..length).map(|i| ((i * i) as f32 * 0.013).sin()).collect();
            let mut out = vec![0.0; length];
            Dct4::new(length, 0.5).run(&lines, &mut out);
            for (j, found) in out.iter().enumerate() {
                let term = |(k, x): (usize, &f32)| {
                    f64::from(*x) * (PI / length as f64 * (j as f64 + 0.5) * (k as f64 + 0.5)).cos()
                };
                let expected: f64 = lines.iter().enumerate().map(term).sum();
                assert!((f64::from(*found) - 0.5 * expected).abs() < 1e-3, "{j} of {length}");
            }
        }
    }
}
