//! The complex FFT of 32 points, four at a time: each lane of an array is a transform of its own.

use std::f64::consts::TAU;

/// One value of four transforms.
pub(super) type Lanes = [f32; 4];

/// The points of a transform.
pub(super) const POINTS: usize = 32;

/// The complex values of four transforms.
#[derive(Clone, Copy)]
pub(super) struct Batch {
    pub re: [Lanes; POINTS],
    pub im: [Lanes; POINTS],
}

impl Batch {
    pub(super) const ZERO: Self = Self { re: [[0.0; 4]; POINTS], im: [[0.0; 4]; POINTS] };

    /// Multiplies each value by the factor of its index.
    #[inline(always)]
    pub(super) fn turn(&mut self, factors: &[[f32; 2]; POINTS]) {
        for ((re, im), &[cos, sin]) in self.re.iter_mut().zip(&mut self.im).zip(factors) {
            let (a, b) = (*re, *im);
            for lane in 0..4 {
                re[lane] = a[lane] * cos - b[lane] * sin;
                im[lane] = a[lane] * sin + b[lane] * cos;
            }
        }
    }
}

/// The factors e^(-2πi p/n) of the FFT's stages.
#[derive(Clone, Debug)]
pub(super) struct Twiddles {
    /// p, 2p and 3p of 32, for p < 8.
    of_32: [[[f32; 2]; 3]; 8],
    /// p, 2p and 3p of 8, for p < 2.
    of_8: [[[f32; 2]; 3]; 2],
}

impl Twiddles {
    pub(super) fn new() -> Self {
        fn triples<const P: usize>() -> [[[f32; 2]; 3]; P] {
            let factor = |p: usize, times: usize| turn(-TAU * (p * times) as f64 / (4 * P) as f64);
            std::array::from_fn(|p| [factor(p, 1), factor(p, 2), factor(p, 3)])
        }
        Self { of_32: triples(), of_8: triples() }
    }

    /// Four transforms in place: sums with e^(-2πi jk/32), in order.
    pub(super) fn fft(&self, x: &mut Batch) {
        let mut y = Batch::ZERO;
        radix_4::<8, 1>(x, &mut y, &self.of_32);
        radix_4::<2, 4>(&y, x, &self.of_8);
        for i in 0..POINTS / 2 {
            for lane in 0..4 {
                let (re, im) = (x.re[i][lane] - x.re[i + 16][lane], x.im[i][lane] - x.im[i + 16][lane]);
                x.re[i][lane] += x.re[i + 16][lane];
                x.im[i][lane] += x.im[i + 16][lane];
                (x.re[i + 16][lane], x.im[i + 16][lane]) = (re, im);
            }
        }
    }
}

/// The point of the unit circle at this angle, computed in double precision.
pub(super) fn turn(angle: f64) -> [f32; 2] {
    [angle.cos() as f32, angle.sin() as f32]
}

/// One stage of the self-sorting FFT (Stockham): `P` butterflies of four for each of `STRIDE` transforms so far.
#[inline(always)]
fn radix_4<const P: usize, const STRIDE: usize>(x: &Batch, y: &mut Batch, twiddles: &[[[f32; 2]; 3]; P]) {
    let quarter = POINTS / 4;
    for (p, &[w1, w2, w3]) in twiddles.iter().enumerate() {
        for q in 0..STRIDE {
            let (from, to) = (q + STRIDE * p, q + STRIDE * 4 * p);
            for lane in 0..4 {
                let at = |i: usize| (x.re[from + i * quarter][lane], x.im[from + i * quarter][lane]);
                let ((a, ai), (b, bi), (c, ci), (d, di)) = (at(0), at(1), at(2), at(3));
                let (sum_ac, sum_aci, dif_ac, dif_aci) = (a + c, ai + ci, a - c, ai - ci);
                let (sum_bd, sum_bdi, dif_bd, dif_bdi) = (b + d, bi + di, b - d, bi - di);
                let mut put = |i: usize, re: f32, im: f32| {
                    y.re[to + i * STRIDE][lane] = re;
                    y.im[to + i * STRIDE][lane] = im;
                };
                let times = |re: f32, im: f32, [cos, sin]: [f32; 2]| (re * cos - im * sin, re * sin + im * cos);
                let (re1, im1) = times(dif_ac + dif_bdi, dif_aci - dif_bd, w1);
                let (re2, im2) = times(sum_ac - sum_bd, sum_aci - sum_bdi, w2);
                let (re3, im3) = times(dif_ac - dif_bdi, dif_aci + dif_bd, w3);
                put(0, sum_ac + sum_bd, sum_aci + sum_bdi);
                put(1, re1, im1);
                put(2, re2, im2);
                put(3, re3, im3);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_transforms_equal_their_definition() {
        let value = |i: usize| ((i * 2_654_435_761 % 4093) as f32 - 2046.0) / 2046.0;
        let mut x = Batch::ZERO;
        for k in 0..POINTS {
            x.re[k] = std::array::from_fn(|lane| value(8 * k + lane));
            x.im[k] = std::array::from_fn(|lane| value(8 * k + lane + 4));
        }
        let input = x;
        Twiddles::new().fft(&mut x);
        for (j, lane) in (0..POINTS).flat_map(|j| (0..4).map(move |lane| (j, lane))) {
            let (mut re, mut im) = (0.0, 0.0);
            for k in 0..POINTS {
                let (sin, cos) = (-TAU * (j * k) as f64 / POINTS as f64).sin_cos();
                let (a, b) = (f64::from(input.re[k][lane]), f64::from(input.im[k][lane]));
                re += a * cos - b * sin;
                im += a * sin + b * cos;
            }
            let error = (re - f64::from(x.re[j][lane])).abs().max((im - f64::from(x.im[j][lane])).abs());
            assert!(error < 1e-5, "{j} {lane}: {error}");
        }
    }
}
