//! Discrete cosine transform of type IV, which holds all there is in an inverse MDCT (ISO/IEC 14496-3 §4.6.11.3.1).
//!
//! For `n` lines, `d[j] = scale · Σ line[k] · cos(π/n · (j + ½)(k + ½))`. Of the 2n samples of the inverse MDCT the first
//! half is `d[n/2 ..]` and its mirror image negated, the second half `-d[.. n/2]` mirrored and its mirror image.
//!
//! ```text
//! lines in pairs from both ends ─▶ × twiddles ─▶ Fourier transform of n/2 ─▶ × twiddles ─▶ pairs to both ends
//! ```

use core::f64::consts::PI;
use multiversion::multiversion;
use rustfft::{Fft, FftPlanner, num_complex::Complex};
use std::sync::Arc;

/// The transform of one length, an even number.
pub(crate) struct Dct4 {
    fft: Arc<dyn Fft<f32>>,
    /// Factors before the Fourier transform, with the scale, and after it.
    before: Vec<Complex<f32>>,
    after: Vec<Complex<f32>>,
    data: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
}

impl Dct4 {
    /// A transform of `length` lines, whose results are multiplied by `scale`.
    pub(crate) fn new(length: usize, scale: f64) -> Dct4 {
        let fft = FftPlanner::new().plan_fft_forward(length / 2);
        let twiddles = |scale: f64| {
            let turn = |k: usize| Complex::from_polar(scale, -PI * (8 * k + 1) as f64 / (8 * length) as f64);
            (0..length / 2).map(turn).map(|t| Complex::new(t.re as f32, t.im as f32)).collect()
        };
        let scratch = vec![Complex::default(); fft.get_inplace_scratch_len()];
        let data = vec![Complex::default(); length / 2];
        Dct4 { fft, before: twiddles(scale), after: twiddles(1.0), data, scratch }
    }

    /// Transforms `lines` into `out`; both have the transform's length. The loops are plain so that they vectorise.
    pub(crate) fn run(&mut self, lines: &[f32], out: &mut [f32]) {
        twist_pairs(lines, &self.before, &mut self.data);
        self.fft.process_with_scratch(&mut self.data, &mut self.scratch);
        twist(&self.after, &mut self.data);
        let ends = self.data.iter().zip(self.data.iter().rev());
        for (pair, (a, b)) in out.as_chunks_mut::<2>().0.iter_mut().zip(ends) {
            *pair = [a.re, -b.im];
        }
    }
}

/// Lines in pairs from both ends, times `factors`.
#[multiversion(targets("x86_64+avx2+bmi1+bmi2", "x86_64+avx"))]
fn twist_pairs(lines: &[f32], factors: &[Complex<f32>], out: &mut [Complex<f32>]) {
    let pairs = lines.as_chunks::<2>().0;
    let count = pairs.len().min(factors.len()).min(out.len());
    let (pairs, factors, out) = (&pairs[..count], &factors[..count], &mut out[..count]);
    for i in 0..count {
        let ([re, _], [_, im], w) = (pairs[i], pairs[count - 1 - i], factors[i]);
        out[i] = Complex { re: re * w.re - im * w.im, im: re * w.im + im * w.re };
    }
}

/// `numbers` times `factors`.
#[multiversion(targets("x86_64+avx2+bmi1+bmi2", "x86_64+avx"))]
fn twist(factors: &[Complex<f32>], numbers: &mut [Complex<f32>]) {
    let count = factors.len().min(numbers.len());
    let (factors, numbers) = (&factors[..count], &mut numbers[..count]);
    for i in 0..count {
        let (x, w) = (numbers[i], factors[i]);
        numbers[i] = Complex { re: x.re * w.re - x.im * w.im, im: x.re * w.im + x.im * w.re };
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
