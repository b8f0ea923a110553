//! The DCT-II of 32 values, by halves (Lee's algorithm): even results are the DCT of sums, odd ones the sums of
//! neighbouring results of the DCT of scaled differences.

use core::f64::consts::{FRAC_1_SQRT_2, PI};

use super::list::list;

/// 1 / (2 cos((2i + 1) π / 2n)) for n = 32, 16, 8 and 4.
pub(super) struct Factors {
    of_32: [f32; 16],
    of_16: [f32; 8],
    of_8: [f32; 4],
    of_4: [f32; 2],
}

impl Factors {
    pub(super) fn new() -> Factors {
        Factors { of_32: factors(), of_16: factors(), of_8: factors(), of_4: factors() }
    }
}

fn factors<const HALF: usize>() -> [f32; HALF] {
    std::array::from_fn(|i| (0.5 / ((2 * i + 1) as f64 * PI / (4 * HALF) as f64).cos()) as f32)
}

// All indices are written out: only code without loops is vectorised across transforms.

/// Sums of values from both ends, and their differences scaled: the input of the halves.
macro_rules! halves {
    ($x:ident, $last:literal, $indices:tt, $factors:expr, $half:ident, $all:ident) => {{
        let sums = list!(i in $indices => $x[i] + $x[$last - i]);
        let differences = list!(i in $indices => ($x[i] - $x[$last - i]) * $factors[i]);
        ($half(&sums, $all), $half(&differences, $all))
    }};
}

#[inline(always)]
pub(super) fn dct_32(x: &[f32; 32], factors: &Factors) -> [f32; 32] {
    let (e, o) = halves!(x, 31, [0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15], factors.of_32, dct_16, factors);
    let [e0, e1, e2, e3, e4, e5, e6, e7, e8, e9, e10, e11, e12, e13, e14, e15] = e;
    let [o0, o1, o2, o3, o4, o5, o6, o7, o8, o9, o10, o11, o12, o13, o14, o15] = o;
    [
        e0,
        o0 + o1,
        e1,
        o1 + o2,
        e2,
        o2 + o3,
        e3,
        o3 + o4,
        e4,
        o4 + o5,
        e5,
        o5 + o6,
        e6,
        o6 + o7,
        e7,
        o7 + o8,
        e8,
        o8 + o9,
        e9,
        o9 + o10,
        e10,
        o10 + o11,
        e11,
        o11 + o12,
        e12,
        o12 + o13,
        e13,
        o13 + o14,
        e14,
        o14 + o15,
        e15,
        o15,
    ]
}

#[inline(always)]
fn dct_16(x: &[f32; 16], factors: &Factors) -> [f32; 16] {
    let (e, o) = halves!(x, 15, [0 1 2 3 4 5 6 7], factors.of_16, dct_8, factors);
    let ([e0, e1, e2, e3, e4, e5, e6, e7], [o0, o1, o2, o3, o4, o5, o6, o7]) = (e, o);
    let [a, b, c, d] = [o0 + o1, o1 + o2, o2 + o3, o3 + o4];
    [e0, a, e1, b, e2, c, e3, d, e4, o4 + o5, e5, o5 + o6, e6, o6 + o7, e7, o7]
}

#[inline(always)]
fn dct_8(x: &[f32; 8], factors: &Factors) -> [f32; 8] {
    let (e, o) = halves!(x, 7, [0 1 2 3], factors.of_8, dct_4, factors);
    [e[0], o[0] + o[1], e[1], o[1] + o[2], e[2], o[2] + o[3], e[3], o[3]]
}

#[inline(always)]
fn dct_4(x: &[f32; 4], factors: &Factors) -> [f32; 4] {
    let (e, o) = halves!(x, 3, [0 1], factors.of_4, dct_2, factors);
    [e[0], o[0] + o[1], e[1], o[1]]
}

#[inline(always)]
fn dct_2(x: &[f32; 2], _: &Factors) -> [f32; 2] {
    [x[0] + x[1], (x[0] - x[1]) * FRAC_1_SQRT_2 as f32]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_transform_equals_its_sum() {
        let x: [f32; 32] = std::array::from_fn(|i| ((i * i) as f32 * 0.37).sin());
        let found = dct_32(&x, &Factors::new());
        for (m, found) in found.into_iter().enumerate() {
            let term = |(k, x): (usize, &f32)| f64::from(*x) * ((m * (2 * k + 1)) as f64 * PI / 64.0).cos();
            let expected: f64 = x.iter().enumerate().map(term).sum();
            assert!((f64::from(found) - expected).abs() < 3e-6, "{m}: {found}, {expected}");
        }
    }
}
