//! The decorrelator: a second signal like the first but unrelated to it (ISO/IEC 14496-3 8.6.4.5).
//!
//! ```text
//! low subbands     ─▶ 2 slots late ─▶ phase ─▶ 3 all-pass links ─▶ ┐
//! middle subbands  ─▶ 14 slots late ─────────────────────────────▶ ├─▶ weaker after a transient ─▶ out
//! high subbands    ─▶ 1 slot late ───────────────────────────────▶ ┘
//! ```

use super::bands::{BANDS_20, BANDS_34};
use super::hybrid::{Row, SUBBANDS};
use super::tables::{ALLPASS, LINKS, Phases};
use crate::lanes::transposed;

/// Slots of the past that the delays reach back to.
pub(super) const PAST: usize = 14;

/// Rows of each link's ring; the longest delay is five slots.
const RING: usize = 8;

/// Bands of the transient detector: 20 or 34, rounded up to whole vectors.
const BANDS: usize = 36;

/// A power of two of places for them, so that no band is beyond.
const PLACES: usize = 64;

/// How much of each band is let through in the slots of a unit.
pub(super) type Transients = [[f32; PLACES]; 32];

/// State that the decorrelator carries from slot to slot.
#[derive(Clone, Debug)]
pub(super) struct Decorrelator {
    /// Output of each link in the last slots: real and imaginary parts by slot.
    links: [[[[f32; ALLPASS]; 2]; RING]; LINKS],
    at: usize,
    /// By band: the peak power, fading; the mean power; the mean of how far the power is below its peak.
    peak: [f32; BANDS],
    mean: [f32; BANDS],
    below_peak: [f32; BANDS],
}

impl Decorrelator {
    pub(super) const NEW: Self = Self {
        links: [[[[0.0; ALLPASS]; 2]; RING]; LINKS],
        at: 0,
        peak: [0.0; BANDS],
        mean: [0.0; BANDS],
        below_peak: [0.0; BANDS],
    };

    /// Forgets the subbands from `top` on, which have fallen silent.
    pub(super) fn clear_above(&mut self, top: usize) {
        if top < ALLPASS {
            self.links.iter_mut().flatten().flatten().for_each(|part| part[top..].fill(0.0));
        }
    }

    /// How much of the first `slots` rows is let through by band, less where the power falls quickly. The subbands are
    /// silent from `top` on.
    pub(super) fn transients<const WIDE: bool>(&mut self, rows: &[Row; 32], slots: usize, top: usize) -> Transients {
        let bands = if WIDE { &BANDS_34 } else { &BANDS_20 };
        let mut gains = [[1.0; PLACES]; 32];
        let groups = rows.as_chunks::<4>().0.iter().zip(gains.as_chunks_mut::<4>().0);
        for (n, (rows, gains)) in groups.enumerate() {
            let powers = powers(rows, bands, top);
            for (gains, powers) in gains.iter_mut().zip(&powers).take(slots.saturating_sub(4 * n)) {
                match WIDE {
                    true => self.follow::<36>(powers, gains),
                    false => self.follow::<20>(powers, gains),
                }
            }
        }
        gains
    }

    /// Moves on by a slot whose first `N` bands have these powers.
    #[inline(always)]
    fn follow<const N: usize>(&mut self, powers: &[f32; BANDS], gains: &mut [f32; PLACES]) {
        const DECAY: f32 = 0.765_928_3;
        const FOLLOW: f32 = 0.25;
        const IMPACT: f32 = 1.5;
        for b in 0..N {
            let (power, faded) = (powers[b], DECAY * self.peak[b]);
            let peak = if power > faded { power } else { faded };
            let mean = self.mean[b] + FOLLOW * (power - self.mean[b]);
            let below_peak = self.below_peak[b] + FOLLOW * (peak - power - self.below_peak[b]);
            (self.peak[b], self.mean[b], self.below_peak[b]) = (peak, mean, below_peak);
            let fall = IMPACT * below_peak;
            gains[b] = if fall > mean { mean / fall } else { 1.0 };
        }
    }

    /// Makes the subbands of a slot from its subbands and those before: `rows[PAST]` is the slot itself. Those of
    /// `width` and more are left as they are. The first `CHAINED` subbands, rounded up, go through the all-pass chain.
    pub(super) fn slot<const WIDE: bool, const CHAINED: usize>(
        &mut self,
        rows: &[Row; PAST + 1],
        phases: &Phases,
        gains: &[f32; PLACES],
        out: &mut Row,
    ) {
        let (allpass, late, bands) = if WIDE { (50, 62, &BANDS_34) } else { (30, 42, &BANDS_20) };
        let chained = self.chain::<CHAINED>(&rows[PAST - 2], phases);
        let mut spread = [1.0; SUBBANDS];
        for k in 0..late + 32 {
            spread[k] = gains[usize::from(bands[k]) % PLACES];
        }
        for (part, out) in out.iter_mut().enumerate() {
            for k in 0..CHAINED {
                out[k] = chained[part][k] * spread[k];
            }
            for k in allpass..late {
                out[k] = rows[0][part][k] * spread[k];
            }
            for k in late..late + 32 {
                out[k] = rows[PAST - 1][part][k] * spread[k];
            }
        }
    }

    /// The all-pass chain of the low subbands.
    #[inline(always)]
    fn chain<const N: usize>(&mut self, row: &Row, phases: &Phases) -> [[f32; N]; 2] {
        self.at = (self.at + 1) % RING;
        let mut x = [[0.0; N]; 2];
        for k in 0..N {
            let (a, b, cos, sin) = (row[0][k], row[1][k], phases.input[0][k], phases.input[1][k]);
            (x[0][k], x[1][k]) = (a * cos - b * sin, a * sin + b * cos);
        }
        for (m, ring) in self.links.iter_mut().enumerate() {
            let from = (self.at + RING - 3 - m) % RING;
            if let Ok([delayed, kept]) = ring.get_disjoint_mut([from, self.at]) {
                link(&mut x, delayed, kept, &phases.links[m], &phases.gains[m]);
            }
        }
        x
    }
}

/// Sends the first `N` values through a link: `delayed` is what it kept some slots ago.
#[inline(never)]
fn link<const N: usize>(
    [re, im]: &mut [[f32; N]; 2],
    delayed: &[[f32; ALLPASS]; 2],
    kept: &mut [[f32; ALLPASS]; 2],
    [cos, sin]: &[[f32; ALLPASS]; 2],
    gain: &[f32; ALLPASS],
) {
    let [kept_re, kept_im] = kept;
    for k in 0..N {
        let (a, b) = (delayed[0][k], delayed[1][k]);
        let next_re = a * cos[k] - b * sin[k] - gain[k] * re[k];
        let next_im = a * sin[k] + b * cos[k] - gain[k] * im[k];
        kept_re[k] = re[k] + gain[k] * next_re;
        kept_im[k] = im[k] + gain[k] * next_im;
        (re[k], im[k]) = (next_re, next_im);
    }
}

/// The power of each band of four slots, from their subbands below `top`.
fn powers(rows: &[Row; 4], bands: &[u8; SUBBANDS], top: usize) -> [[f32; BANDS]; 4] {
    let mut sums = [[0.0; 4]; PLACES];
    for (i, bands) in bands.as_chunks::<4>().0.iter().enumerate().take(top.div_ceil(4)) {
        let power = |row: &Row| {
            let (re, im) = (&row[0].as_chunks::<4>().0[i], &row[1].as_chunks::<4>().0[i]);
            std::array::from_fn(|k| re[k] * re[k] + im[k] * im[k])
        };
        let columns = transposed([power(&rows[0]), power(&rows[1]), power(&rows[2]), power(&rows[3])]);
        for (band, column) in bands.iter().zip(columns) {
            let sum = &mut sums[usize::from(*band) % PLACES];
            *sum = std::array::from_fn(|slot| sum[slot] + column[slot]);
        }
    }
    let mut powers = [[0.0; BANDS]; 4];
    for (i, sums) in sums.as_chunks::<4>().0.iter().enumerate().take(BANDS / 4) {
        for (powers, values) in powers.iter_mut().zip(transposed(*sums)) {
            powers.as_chunks_mut::<4>().0[i] = values;
        }
    }
    powers
}
