//! The hybrid filter bank of layer III: lines to samples of the subbands (ISO/IEC 11172-3 §2.4.3.4.10).
//!
//! The inverse transform is a DCT-IV of 18 lines, which is reduced to two DCT-III of 9:
//! 2 cos(θ/2) · Σ x[k] cos((k + ½)θ) = Σ (x[k] + x[k-1]) cos(kθ), where even k are symmetric about the middle, and odd k
//! make a DCT-IV of 9 that is reduced in the same way. The factors 1 / (2 cos(θ/2)) are part of the windows.
//!
//! All loops go over subbands, so that each lane of a vector is a subband.

use core::f64::consts::PI;
use std::sync::LazyLock;

use multiversion::multiversion;

use super::list::list;
use crate::header::SLOTS;
use crate::parsed::{Block, Row};

/// The second halves of the transforms of a granule, to be added to the next one.
pub(crate) struct Overlap {
    rows: [Row; SLOTS],
    /// Subbands above are all zeros.
    width: usize,
}

impl Default for Overlap {
    fn default() -> Self {
        Overlap { rows: SILENCE, width: 0 }
    }
}

/// A granule without lines.
pub(crate) const SILENCE: [Row; SLOTS] = [[0.0; 32]; SLOTS];

/// Subbands that are worked on at once.
const LANES: usize = 8;

/// Transforms the lines of a granule into slots: the first halves of the transforms and what is left of those before.
pub(crate) fn granule(
    block: Block,
    lines: &[Row; SLOTS],
    before: &Overlap,
    after: &mut Overlap,
    slots: &mut [Row; SLOTS],
) {
    after.width = block.width;
    let groups = block.width.max(before.width).div_ceil(LANES);
    let (before, after) = (&before.rows, &mut after.rows);
    match block.kind {
        2 => short(&TABLES, groups, lines, before, slots, after),
        kind => long(&TABLES, kind.into(), groups, lines, before, slots, after),
    }
    if block.long > 0 && block.kind > 0 {
        // The lower subbands of a mixed block.
        let (mut lower, mut rest) = (SILENCE, SILENCE);
        long(&TABLES, 0, groups.min(1), lines, before, &mut lower, &mut rest);
        for (to, from) in slots.iter_mut().zip(&lower).chain(after.iter_mut().zip(&rest)) {
            to[..block.long].copy_from_slice(&from[..block.long]);
        }
    }
    for row in slots.iter_mut().chain(after) {
        row[LANES * groups..].fill(0.0);
    }
}

/// Windows and factors. A window has a value for each subband of a group: every second sample of every second subband is
/// negative (frequency inversion).
struct Tables {
    /// Windows of long blocks by type, with the sign and factor of the value that each sample is made from.
    long: [[Lanes; 36]; 4],
    /// The same for the windows of short blocks.
    short: [Lanes; 12],
    /// 1 / (2 cos(φ/2)) of the inner DCT-IV.
    inner: [f32; 9],
    /// Cosines of multiples of 10°.
    cos: [f32; 9],
    /// The DCT-IV of 6 lines.
    six: [[f32; 6]; 6],
}

/// One value for each subband of a group.
type Lanes = [f32; LANES];

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let half = |n: usize, length: usize| 0.5 / (PI / (2 * length) as f64 * (n as f64 + 0.5)).cos();
    let sine = |i: usize, length: usize| (PI / length as f64 * (i as f64 + 0.5)).sin();
    let window = |kind: usize, i: usize| match (kind, i) {
        (1, 18..24) | (3, 12..18) => 1.0,
        (1, 24..30) => sine(i - 18, 12),
        (3, 6..12) => sine(i - 6, 12),
        (1, 30..) | (3, ..6) => 0.0,
        _ => sine(i, 36),
    };
    let lanes = |i: usize, value: f64| -> Lanes {
        std::array::from_fn(|lane| if i % 2 == 1 && lane % 2 == 1 { -value } else { value } as f32)
    };
    Tables {
        long: std::array::from_fn(|kind| {
            std::array::from_fn(|i| {
                let (n, sign) = source(i, 18);
                lanes(i, sign * window(kind, i) * half(n, 18))
            })
        }),
        short: std::array::from_fn(|i| lanes(i, source(i, 6).1 * sine(i, 12))),
        inner: std::array::from_fn(|n| half(n, 9) as f32),
        cos: std::array::from_fn(|i| (PI / 18.0 * i as f64).cos() as f32),
        six: std::array::from_fn(|n| {
            std::array::from_fn(|k| (PI / 6.0 * (n as f64 + 0.5) * (k as f64 + 0.5)).cos() as f32)
        }),
    }
});

/// The value of the DCT-IV of `half` lines that sample `i` of the inverse transform is, and its sign.
const fn source(i: usize, half: usize) -> (usize, f64) {
    let n = i + half / 2;
    if n < half {
        (n, 1.0)
    } else if n < 2 * half {
        (2 * half - 1 - n, -1.0)
    } else {
        (n - 2 * half, -1.0)
    }
}

// All loops over samples are short or written out: only lanes without loops in them are vectorised.

#[multiversion(targets("x86_64+avx2+bmi1+bmi2", "x86_64+avx"))]
fn long(
    tables: &Tables,
    kind: usize,
    groups: usize,
    lines: &[Row; SLOTS],
    before: &[Row; SLOTS],
    slots: &mut [Row; SLOTS],
    after: &mut [Row; SLOTS],
) {
    let window = &tables.long[kind & 3];
    (groups > 0).then(|| long_group::<0>(tables, window, lines, before, slots, after));
    (groups > 1).then(|| long_group::<1>(tables, window, lines, before, slots, after));
    (groups > 2).then(|| long_group::<2>(tables, window, lines, before, slots, after));
    (groups > 3).then(|| long_group::<3>(tables, window, lines, before, slots, after));
}

#[inline(always)]
#[allow(clippy::needless_range_loop)] // A lane indexes all arrays alike.
fn long_group<const GROUP: usize>(
    tables: &Tables,
    window: &[Lanes; 36],
    lines: &[Row; SLOTS],
    before: &[Row; SLOTS],
    slots: &mut [Row; SLOTS],
    after: &mut [Row; SLOTS],
) {
    for lane in 0..LANES {
        let at = LANES * GROUP + lane;
        let x = list!(k in [0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17] => lines[k][at]);
        let [y0, y1, y2, y3, y4, y5, y6, y7, y8, y9, y10, y11, y12, y13, y14, y15, y16, y17] =
            dct4_18(&x, &tables.inner, &tables.cos);
        let now = [y9, y10, y11, y12, y13, y14, y15, y16, y17, y17, y16, y15, y14, y13, y12, y11, y10, y9];
        let later = [y8, y7, y6, y5, y4, y3, y2, y1, y0, y0, y1, y2, y3, y4, y5, y6, y7, y8];
        for i in 0..18 {
            slots[i][at] = now[i] * window[i][lane] + before[i][at];
        }
        for i in 0..18 {
            after[i][at] = later[i] * window[18 + i][lane];
        }
    }
}

/// The DCT-IV of 18 lines, without the factors 1 / (2 cos(θ/2)).
#[inline(always)]
fn dct4_18(x: &[f32; 18], inner: &[f32; 9], cos: &[f32; 9]) -> [f32; 18] {
    let z = list!(k in [0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16] => x[k + 1] + x[k]);
    let even = [x[0], z[1], z[3], z[5], z[7], z[9], z[11], z[13], z[15]];
    let odd = list!(m in [0 1 2 3 4 5 6 7] => z[2 * m + 2] + z[2 * m]);
    let odd = [z[0], odd[0], odd[1], odd[2], odd[3], odd[4], odd[5], odd[6], odd[7]];
    let (even, odd) = (dct3_9(&even, cos), dct3_9(&odd, cos));
    let odd = list!(n in [0 1 2 3 4 5 6 7 8] => odd[n] * inner[n]);
    let [a, b, c, d, e, f, g, h, i] = list!(n in [0 1 2 3 4 5 6 7 8] => even[n] + odd[n]);
    let [j, k, l, m, n, o, p, q, r] = list!(n in [0 1 2 3 4 5 6 7 8] => even[8 - n] - odd[8 - n]);
    [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r]
}

/// The DCT-III of 9 values: Σ a[m] cos(m π/9 (n + ½)). Even m are symmetric about the middle, odd ones antisymmetric.
#[inline(always)]
fn dct3_9(a: &[f32; 9], cos: &[f32; 9]) -> [f32; 9] {
    let [_, c10, c20, c30, c40, c50, _, c70, c80] = *cos;
    let (top, rest) = (a[0] - a[6], a[2] - a[4] - a[8]);
    let base = a[0] + 0.5 * a[6];
    let even = [
        base + a[2] * c20 + a[4] * c40 + a[8] * c80,
        top + 0.5 * rest,
        base - a[2] * c80 - a[4] * c20 + a[8] * c40,
        base - a[2] * c40 + a[4] * c80 - a[8] * c20,
        top - rest,
    ];
    let third = a[3] * c30;
    let odd = [
        a[1] * c10 + third + a[5] * c50 + a[7] * c70,
        (a[1] - a[5] - a[7]) * c30,
        a[1] * c50 - third - a[5] * c70 + a[7] * c10,
        a[1] * c70 - third + a[5] * c10 - a[7] * c50,
    ];
    [
        even[0] + odd[0],
        even[1] + odd[1],
        even[2] + odd[2],
        even[3] + odd[3],
        even[4],
        even[3] - odd[3],
        even[2] - odd[2],
        even[1] - odd[1],
        even[0] - odd[0],
    ]
}

#[multiversion(targets("x86_64+avx2+bmi1+bmi2", "x86_64+avx"))]
fn short(
    tables: &Tables,
    groups: usize,
    lines: &[Row; SLOTS],
    before: &[Row; SLOTS],
    slots: &mut [Row; SLOTS],
    after: &mut [Row; SLOTS],
) {
    (groups > 0).then(|| short_group::<0>(tables, lines, before, slots, after));
    (groups > 1).then(|| short_group::<1>(tables, lines, before, slots, after));
    (groups > 2).then(|| short_group::<2>(tables, lines, before, slots, after));
    (groups > 3).then(|| short_group::<3>(tables, lines, before, slots, after));
}

#[inline(always)]
fn short_group<const GROUP: usize>(
    tables: &Tables,
    lines: &[Row; SLOTS],
    before: &[Row; SLOTS],
    slots: &mut [Row; SLOTS],
    after: &mut [Row; SLOTS],
) {
    for lane in 0..LANES {
        let at = LANES * GROUP + lane;
        let x = list!(k in [0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17] => lines[k][at]);
        let w = list!(i in [0 1 2 3 4 5 6 7 8 9 10 11] => tables.short[i][lane]);
        let a = window_of(&tables.six, &w, [x[0], x[3], x[6], x[9], x[12], x[15]]);
        let b = window_of(&tables.six, &w, [x[1], x[4], x[7], x[10], x[13], x[16]]);
        let c = window_of(&tables.six, &w, [x[2], x[5], x[8], x[11], x[14], x[17]]);
        // The three transforms of 12 samples begin at 6, 12 and 18.
        for i in 0..6 {
            slots[i][at] = before[i][at];
            slots[6 + i][at] = a[i] + before[6 + i][at];
            slots[12 + i][at] = a[6 + i] + b[i] + before[12 + i][at];
        }
        for i in 0..6 {
            after[i][at] = b[6 + i] + c[i];
            after[6 + i][at] = c[6 + i];
            after[12 + i][at] = 0.0;
        }
    }
}

/// The windowed transform of 6 lines.
#[inline(always)]
fn window_of(six: &[[f32; 6]; 6], w: &[f32; 12], x: [f32; 6]) -> [f32; 12] {
    let y = |n: usize| {
        let f = &six[n];
        x[0] * f[0] + x[1] * f[1] + x[2] * f[2] + x[3] * f[3] + x[4] * f[4] + x[5] * f[5]
    };
    let [y0, y1, y2, y3, y4, y5] = [y(0), y(1), y(2), y(3), y(4), y(5)];
    let y = [y3, y4, y5, y5, y4, y3, y2, y1, y0, y0, y1, y2];
    list!(i in [0 1 2 3 4 5 6 7 8 9 10 11] => y[i] * w[i])
}
