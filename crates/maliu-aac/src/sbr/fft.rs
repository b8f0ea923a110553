//! The complex FFT of 32 points, four at a time: each lane of an array is a transform of its own.

use std::f64::consts::TAU;
use std::ops::{Add, Mul, Neg, Sub};

/// Transforms done at once.
pub(super) const LANES: usize = 4;

/// One value of four transforms.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lanes(pub [f32; LANES]);

impl Lanes {
    #[inline(always)]
    fn with(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        let ([a, b, c, d], [e, g, h, i]) = (self.0, other.0);
        Self([f(a, e), f(b, g), f(c, h), f(d, i)])
    }
}

impl Add for Lanes {
    type Output = Self;

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.with(other, |a, b| a + b)
    }
}

impl Sub for Lanes {
    type Output = Self;

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.with(other, |a, b| a - b)
    }
}

impl Mul<f32> for Lanes {
    type Output = Self;

    #[inline(always)]
    fn mul(self, factor: f32) -> Self {
        self.with(self, |a, _| a * factor)
    }
}

impl Neg for Lanes {
    type Output = Self;

    #[inline(always)]
    fn neg(self) -> Self {
        let [a, b, c, d] = self.0;
        Self([-a, -b, -c, -d])
    }
}

/// A complex number for each of four transforms.
#[derive(Clone, Copy)]
pub(super) struct Complex(pub Lanes, pub Lanes);

impl Complex {
    #[inline(always)]
    fn turn(self, [cos, sin]: [f32; 2]) -> Self {
        Self(self.0 * cos - self.1 * sin, self.0 * sin + self.1 * cos)
    }
}

impl Add for Complex {
    type Output = Self;

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0, self.1 + other.1)
    }
}

impl Sub for Complex {
    type Output = Self;

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0, self.1 - other.1)
    }
}

/// The points of a transform.
pub(super) const POINTS: usize = 32;

/// A point of the unit circle for each value, once for each lane: cosines and sines.
#[derive(Clone, Debug)]
#[repr(align(16))]
pub(super) struct Turns {
    cos: [f32; POINTS * LANES],
    sin: [f32; POINTS * LANES],
}

impl Turns {
    /// Turns value `i` by `angle(i)` radians.
    pub(super) fn new(angle: impl Fn(usize) -> f64) -> Self {
        let points: [f64; POINTS * LANES] = std::array::from_fn(|i| angle(i / LANES));
        Self { cos: points.map(|angle| angle.cos() as f32), sin: points.map(|angle| angle.sin() as f32) }
    }
}

/// The complex values of four transforms.
#[derive(Clone, Copy)]
#[repr(align(16))]
pub(super) struct Batch {
    pub re: [[f32; LANES]; POINTS],
    pub im: [[f32; LANES]; POINTS],
}

impl Batch {
    pub(super) const ZERO: Self = Self { re: [[0.0; LANES]; POINTS], im: [[0.0; LANES]; POINTS] };

    #[inline(always)]
    fn at(&self, i: usize) -> Complex {
        Complex(Lanes(self.re[i % POINTS]), Lanes(self.im[i % POINTS]))
    }

    #[inline(always)]
    fn put(&mut self, i: usize, value: Complex) {
        (self.re[i % POINTS], self.im[i % POINTS]) = (value.0.0, value.1.0);
    }

    /// Puts a value that is turned before the transform.
    #[inline(always)]
    pub(super) fn put_turned(&mut self, i: usize, Complex(re, im): Complex, turns: &Turns) {
        let at = i % POINTS * LANES;
        for lane in 0..LANES {
            let (cos, sin) = (turns.cos[at + lane], turns.sin[at + lane]);
            self.re[i % POINTS][lane] = re.0[lane] * cos - im.0[lane] * sin;
            self.im[i % POINTS][lane] = re.0[lane] * sin + im.0[lane] * cos;
        }
    }
}

/// The factors of the FFT's first two stages: of one, two and three times the angle, by butterfly.
#[derive(Clone, Debug)]
pub(super) struct Twiddles {
    first: [[[f32; 2]; 3]; BUTTERFLIES],
    second: [[[f32; 2]; 3]; BUTTERFLIES],
}

/// Butterflies of a stage that takes four points each.
const BUTTERFLIES: usize = POINTS / 4;

impl Twiddles {
    pub(super) fn new() -> Self {
        let triple = |part: f64| [1.0, 2.0, 3.0].map(|times| turn(-TAU * times * part));
        Self {
            first: std::array::from_fn(|i| triple(i as f64 / 32.0)),
            second: std::array::from_fn(|i| triple((i / 4) as f64 / 8.0)),
        }
    }

    /// Four transforms in place: sums with e^(-2πi jk/32), in order. Each result is turned after it. `y` is overwritten.
    #[inline(always)]
    pub(super) fn fft(&self, x: &mut Batch, y: &mut Batch, after: &Turns) {
        radix_4::<1>(x, y, &self.first);
        radix_4::<4>(y, x, &self.second);
        radix_2(x, after);
    }
}

/// The point of the unit circle at this angle, computed in double precision.
pub(super) fn turn(angle: f64) -> [f32; 2] {
    [angle.cos() as f32, angle.sin() as f32]
}

/// One stage of the self-sorting FFT (Stockham), which joins four transforms of `STRIDE` points each time.
#[inline(always)]
fn radix_4<const STRIDE: usize>(x: &Batch, y: &mut Batch, twiddles: &[[[f32; 2]; 3]; BUTTERFLIES]) {
    for (i, &[w1, w2, w3]) in twiddles.iter().enumerate() {
        let to = i % STRIDE + i / STRIDE * 4 * STRIDE;
        let [a, b, c, d] = [0, 1, 2, 3].map(|quarter| x.at(i + quarter * BUTTERFLIES));
        let (sum_ac, sum_bd, dif_ac, dif_bd) = (a + c, b + d, a - c, b - d);
        // The difference of b and d turned by a quarter, clockwise, is (im, -re).
        let plus = Complex(dif_ac.0 + dif_bd.1, dif_ac.1 - dif_bd.0);
        let minus = Complex(dif_ac.0 - dif_bd.1, dif_ac.1 + dif_bd.0);
        y.put(to, sum_ac + sum_bd);
        // The first butterflies turn by nothing.
        let turn = |value: Complex, w| if i < STRIDE { value } else { value.turn(w) };
        y.put(to + STRIDE, turn(plus, w1));
        y.put(to + 2 * STRIDE, turn(sum_ac - sum_bd, w2));
        y.put(to + 3 * STRIDE, turn(minus, w3));
    }
}

/// The last stage: sums and differences of the two halves, and the turn of each result.
#[inline(always)]
fn radix_2(x: &mut Batch, Turns { cos, sin }: &Turns) {
    const HALF: usize = POINTS * LANES / 2;
    let (re, im) = (x.re.as_flattened_mut(), x.im.as_flattened_mut());
    for i in 0..HALF {
        let (sum_re, sum_im) = (re[i] + re[i + HALF], im[i] + im[i + HALF]);
        let (dif_re, dif_im) = (re[i] - re[i + HALF], im[i] - im[i + HALF]);
        re[i] = sum_re * cos[i] - sum_im * sin[i];
        im[i] = sum_re * sin[i] + sum_im * cos[i];
        re[i + HALF] = dif_re * cos[i + HALF] - dif_im * sin[i + HALF];
        im[i + HALF] = dif_re * sin[i + HALF] + dif_im * cos[i + HALF];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_transforms_equal_their_definition() {
        let value = |i: usize| ((i as u64 * 2_654_435_761 % 4093) as f32 - 2046.0) / 2046.0;
        let mut x = Batch::ZERO;
        for k in 0..POINTS {
            x.re[k] = std::array::from_fn(|lane| value(8 * k + lane));
            x.im[k] = std::array::from_fn(|lane| value(8 * k + lane + 4));
        }
        let (input, mut scratch) = (x, Batch::ZERO);
        Twiddles::new().fft(&mut x, &mut scratch, &Turns::new(|_| TAU / 4.0));
        for (j, lane) in (0..POINTS).flat_map(|j| (0..4).map(move |lane| (j, lane))) {
            let (mut re, mut im) = (0.0, 0.0);
            for k in 0..POINTS {
                let (sin, cos) = (-TAU * (j * k) as f64 / POINTS as f64).sin_cos();
                let (a, b) = (f64::from(input.re[k][lane]), f64::from(input.im[k][lane]));
                re += a * cos - b * sin;
                im += a * sin + b * cos;
            }
            // A quarter turn follows.
            let error = (-im - f64::from(x.re[j][lane])).abs().max((re - f64::from(x.im[j][lane])).abs());
            assert!(error < 1e-5, "{j} {lane}: {error}");
        }
    }
}
