//! The polyphase filter bank: samples of 32 subbands to samples (ISO/IEC 11172-3 §2.4.3.2.2, figure A.2).
//!
//! Of the 64 values V that matrixing makes of each slot, half are the negative or the same as others: with the DCT
//! C[m] = Σ S[k] cos(m (2k + 1) π/64), V[i] = C[16 + i] for i ≤ 48, and C[m] = -C[64 - m], C[64 + m] = -C[64 - m].
//! So sample i of a slot, and sample 32 - i, are sums over the last 16 slots, by turns of C[16 + i] and C[16 - i];
//! and sample 16 is a sum of C[0] alone.
//!
//! ```text
//! 8 slots ─▶ columns ─▶ DCT, a slot in each lane ─▶ rows: C[16..32], C[16..=1] ─▶ weighted sums of 16 rows
//! ```

use std::sync::LazyLock;

use multiversion::multiversion;

use super::dct32::{Factors, dct_32};
use super::list::list;
use crate::frame::MAX_SAMPLES;
use crate::parsed::{Before, Row};
use crate::tables::window::d;

/// The bank of one channel.
pub(super) struct Bank {
    /// By slots, the last ones of the frames before first: C[16 + i], then C[16 - i], for i from 0 to 15.
    rows: Box<[Row; ROWS]>,
    /// C[0] of the same slots.
    middle: Box<[f32; ROWS]>,
}

/// Slots of earlier frames that count.
pub(super) use crate::parsed::HISTORY;

const ROWS: usize = HISTORY + MAX_SAMPLES / 32 + SPARE;

/// Slots are transformed by eights, the last ones of a frame with junk behind them.
const LANES: usize = 8;
const SPARE: usize = 4;

impl Default for Bank {
    fn default() -> Self {
        Bank { rows: Box::new([[0.0; 32]; ROWS]), middle: Box::new([0.0; ROWS]) }
    }
}

/// The window as the sums need it: for each pair of earlier slots the weights of C[16 + i] and C[16 - i] in sample i,
/// then in sample 32 - i; and of C[0] in sample 16.
struct Weights {
    sides: [[[f32; 16]; 4]; 8],
    middle: [f32; 8],
    factors: Factors,
    /// No sample is above this times the greatest sum of the subbands of a slot, whatever their signs.
    gain: f32,
}

static WEIGHTS: LazyLock<Weights> = LazyLock::new(|| Weights {
    sides: std::array::from_fn(|m| {
        let at = |offset: usize| d(64 * m + offset);
        [
            std::array::from_fn(|i| at(i) as f32),
            std::array::from_fn(|i| -at(32 + i) as f32),
            std::array::from_fn(|i| -at(32 - i) as f32),
            std::array::from_fn(|i| if i == 0 { 0.0 } else { -at(64 - i) as f32 }),
        ]
    }),
    middle: std::array::from_fn(|m| -d(64 * m + 48) as f32),
    factors: Factors::new(),
    gain: most_gain(),
});

/// The greatest sum of the weights of a sample, with one percent for what is rounded.
fn most_gain() -> f32 {
    let sums = (0..32).map(|i| (0..16).map(|j| d(i + 32 * j).abs()).sum::<f64>());
    (1.01 * sums.fold(0.0, f64::max)) as f32
}

/// How much louder than a slot, as the sum of its subbands whatever their signs, a sample can be.
pub(super) fn gain() -> f32 {
    WEIGHTS.gain
}

impl Bank {
    /// Makes 32 samples of each slot. The history stays as it was until [`keep`](Self::keep).
    pub(super) fn run(&mut self, slots: &[Row], output: &mut [f32; MAX_SAMPLES]) {
        transform(&WEIGHTS.factors, slots, &mut self.rows, &mut self.middle);
        weigh(&WEIGHTS, &self.rows, &self.middle, &mut output[..32 * slots.len()]);
    }

    /// Takes over the last slots of other frames as history.
    pub(super) fn follow(&mut self, before: &Before) {
        transform(&WEIGHTS.factors, before, &mut self.rows, &mut self.middle);
        self.keep(HISTORY);
    }

    /// The `slots` made last are history.
    pub(super) fn keep(&mut self, slots: usize) {
        self.rows.copy_within(slots..slots + HISTORY, 0);
        self.middle.copy_within(slots..slots + HISTORY, 0);
    }

    pub(super) fn clear(&mut self) {
        self.rows[..HISTORY].as_flattened_mut().fill(0.0);
        self.middle[..HISTORY].fill(0.0);
    }
}

/// One value of eight slots.
type Lanes = [f32; LANES];

#[multiversion(targets("x86_64+avx2+bmi1+bmi2", "x86_64+avx"))]
fn transform(factors: &Factors, slots: &[Row], rows: &mut [Row; ROWS], middle: &mut [f32; ROWS]) {
    let (chunks, rest) = slots.as_chunks::<LANES>();
    let mut last = [[0.0; 32]; LANES];
    last[..rest.len()].copy_from_slice(rest);
    let last = if rest.is_empty() { &[][..] } else { std::slice::from_ref(&last) };
    let to_rows = rows[HISTORY..].chunks_mut(LANES);
    let to_middle = middle[HISTORY..].chunks_mut(LANES);
    for ((slots, rows), middle) in chunks.iter().chain(last).zip(to_rows).zip(to_middle) {
        let mut columns = [[0.0; LANES]; 32];
        to_columns(slots, &mut columns);
        let mut c = [[0.0; LANES]; 32];
        for lane in 0..LANES {
            let x = list!(k in [0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31] => columns[k][lane]);
            let found = dct_32(&x, factors);
            for k in 0..32 {
                c[k][lane] = found[k];
            }
        }
        to_rows_of(&c, rows);
        middle.copy_from_slice(&c[0][..middle.len()]);
    }
}

/// Rows of eight slots to columns.
#[inline(always)]
fn to_columns(slots: &[Row; LANES], columns: &mut [Lanes; 32]) {
    for (n, columns) in columns.as_chunks_mut::<4>().0.iter_mut().enumerate() {
        for half in 0..2 {
            let four = list!(i in [0 1 2 3] => {
                let slot = &slots[4 * half + i];
                [slot[4 * n], slot[4 * n + 1], slot[4 * n + 2], slot[4 * n + 3]]
            });
            for (column, values) in columns.iter_mut().zip(transposed(four)) {
                column[4 * half..4 * half + 4].copy_from_slice(&values);
            }
        }
    }
}

/// Columns to rows: C[16 + i], then C[16 - i].
#[inline(always)]
fn to_rows_of(c: &[Lanes; 32], rows: &mut [Row]) {
    for n in 0..8 {
        for (half, rows) in rows.chunks_mut(4).enumerate() {
            let four = list!(i in [0 1 2 3] => {
                let k = if n < 4 { 16 + 4 * n + i } else { 32 - 4 * n - i };
                let (column, at) = (&c[k & 31], 4 * (half & 1));
                [column[at], column[at + 1], column[at + 2], column[at + 3]]
            });
            for (row, values) in rows.iter_mut().zip(transposed(four)) {
                row[4 * n..4 * n + 4].copy_from_slice(&values);
            }
        }
    }
}

#[inline(always)]
fn transposed([a, b, c, d]: [[f32; 4]; 4]) -> [[f32; 4]; 4] {
    [[a[0], b[0], c[0], d[0]], [a[1], b[1], c[1], d[1]], [a[2], b[2], c[2], d[2]], [a[3], b[3], c[3], d[3]]]
}

#[multiversion(targets("x86_64+avx2+bmi1+bmi2", "x86_64+avx"))]
fn weigh(weights: &Weights, rows: &[Row; ROWS], middle: &[f32; ROWS], output: &mut [f32]) {
    let firsts = rows.windows(17).zip(middle.windows(17)).skip(1).step_by(2);
    // Two slots at a time share the weights.
    for ((rows, middle), out) in firsts.zip(output.as_chunks_mut::<64>().0) {
        let (Some(rows), Some(middle)) = (rows.first_chunk::<17>(), middle.first_chunk::<17>()) else { return };
        let [mut low, mut high, mut next_low, mut next_high] = [[0.0; 16]; 4];
        let (mut mid, mut next_mid) = (0.0, 0.0);
        for (m, [w1, w2, w3, w4]) in weights.sides.iter().enumerate() {
            let (next, row, before) = (&rows[16 - 2 * m], &rows[15 - 2 * m], &rows[14 - 2 * m]);
            for i in 0..16 {
                low[i] += row[i] * w1[i] + before[16 + i] * w2[i];
                high[i] += row[i] * w3[i] + before[16 + i] * w4[i];
                next_low[i] += next[i] * w1[i] + row[16 + i] * w2[i];
                next_high[i] += next[i] * w3[i] + row[16 + i] * w4[i];
            }
            mid += middle[14 - 2 * m] * weights.middle[m];
            next_mid += middle[15 - 2 * m] * weights.middle[m];
        }
        let (out, next_out) = out.split_at_mut(32);
        for (out, low, high, mid) in [(out, low, high, mid), (next_out, next_low, next_high, next_mid)] {
            out[..16].copy_from_slice(&low);
            out[16] = mid;
            for i in 1..16 {
                out[32 - i] = high[i];
            }
        }
    }
}
