//! The decorrelator: a second signal like the first but unrelated to it (ISO/IEC 14496-3 8.6.4.5).
//!
//! ```text
//! low subbands     ─▶ 2 slots late ─▶ phase ─▶ 3 all-pass links ─▶ ┐
//! middle subbands  ─▶ 14 slots late ─────────────────────────────▶ ├─▶ weaker after a transient ─▶ out
//! high subbands    ─▶ 1 slot late ───────────────────────────────▶ ┘
//! ```

use super::bands::{BANDS_20, BANDS_34};
use super::hybrid::{Row, SUBBANDS};
use super::remap::MOST_BANDS;
use super::tables::{ALLPASS, LINKS, Phases, TABLES};

/// Slots of the past that the delays reach back to.
pub(super) const PAST: usize = 14;

/// Rows of each link's ring; the longest delay is five slots.
const RING: usize = 8;

/// What the decorrelator carries from slot to slot.
#[derive(Clone, Debug)]
pub(super) struct Decorrelator {
    /// What each link made in the last slots: real and imaginary parts by slot.
    links: [[[[f32; ALLPASS]; 2]; RING]; LINKS],
    at: usize,
    /// By band: the peak power, fading; the mean power; the mean of how far the power is below its peak.
    peak: [f32; MOST_BANDS],
    mean: [f32; MOST_BANDS],
    below_peak: [f32; MOST_BANDS],
}

impl Decorrelator {
    pub(super) const NEW: Self = Self {
        links: [[[[0.0; ALLPASS]; 2]; RING]; LINKS],
        at: 0,
        peak: [0.0; MOST_BANDS],
        mean: [0.0; MOST_BANDS],
        below_peak: [0.0; MOST_BANDS],
    };

    /// Forgets the subbands from `top` on, which have fallen silent.
    pub(super) fn clear_above(&mut self, top: usize) {
        if top < ALLPASS {
            self.links.iter_mut().flatten().flatten().for_each(|part| part[top..].fill(0.0));
        }
    }

    /// Makes the first `top` subbands of a slot from its subbands and those before: `rows[PAST]` is the slot itself.
    pub(super) fn slot(&mut self, rows: &[Row; PAST + 1], wide: bool, top: usize, out: &mut Row) {
        let (bands, phases) = if wide { (&BANDS_34, &TABLES.phases[1]) } else { (&BANDS_20, &TABLES.phases[0]) };
        let (allpass, late) = if wide { (50, 62) } else { (30, 42) };
        let gains = self.transient_gains(&rows[PAST], bands, top);
        let chained = self.chain(&rows[PAST - 2], phases);
        let mut spread = [0.0; SUBBANDS];
        for (gain, &band) in spread.iter_mut().zip(bands).take(top) {
            *gain = gains[usize::from(band) % MOST_BANDS];
        }
        for (part, out) in out.iter_mut().enumerate() {
            out[..allpass].copy_from_slice(&chained[part][..allpass]);
            out[allpass..late].copy_from_slice(&rows[0][part][allpass..late]);
            out[late..].copy_from_slice(&rows[PAST - 1][part][late..]);
            out.iter_mut().zip(&spread).for_each(|(value, gain)| *value *= gain);
        }
    }

    /// By band: how much of the slot is let through, less when its power falls quickly.
    fn transient_gains(&mut self, row: &Row, bands: &[u8; SUBBANDS], top: usize) -> [f32; MOST_BANDS] {
        const DECAY: f32 = 0.765_928_3;
        const FOLLOW: f32 = 0.25;
        const IMPACT: f32 = 1.5;
        let mut powers = [0.0; SUBBANDS];
        for (power, (re, im)) in powers.iter_mut().zip(row[0].iter().zip(&row[1])) {
            *power = re * re + im * im;
        }
        let mut power = [0.0; MOST_BANDS];
        for (&band, subband) in bands.iter().zip(&powers[..top]) {
            power[usize::from(band) % MOST_BANDS] += subband;
        }
        let mut gains = [1.0; MOST_BANDS];
        for b in 0..MOST_BANDS {
            self.peak[b] = (DECAY * self.peak[b]).max(power[b]);
            self.mean[b] += FOLLOW * (power[b] - self.mean[b]);
            self.below_peak[b] += FOLLOW * (self.peak[b] - power[b] - self.below_peak[b]);
            let fall = IMPACT * self.below_peak[b];
            gains[b] = if fall > self.mean[b] { self.mean[b] / fall } else { 1.0 };
        }
        gains
    }

    /// The all-pass chain of the low subbands.
    fn chain(&mut self, row: &Row, phases: &Phases) -> [[f32; ALLPASS]; 2] {
        self.at = (self.at + 1) % RING;
        let [mut re, mut im] = [[0.0; ALLPASS]; 2];
        for k in 0..ALLPASS {
            let (a, b, cos, sin) = (row[0][k], row[1][k], phases.input[0][k], phases.input[1][k]);
            (re[k], im[k]) = (a * cos - b * sin, a * sin + b * cos);
        }
        for (m, link) in self.links.iter_mut().enumerate() {
            let delayed = link[(self.at + RING - 3 - m) % RING];
            let [turn_re, turn_im] = &phases.links[m];
            let gain = &phases.gains[m];
            let [kept_re, kept_im] = &mut link[self.at];
            for k in 0..ALLPASS {
                let (a, b) = (delayed[0][k], delayed[1][k]);
                let next_re = a * turn_re[k] - b * turn_im[k] - gain[k] * re[k];
                let next_im = a * turn_im[k] + b * turn_re[k] - gain[k] * im[k];
                kept_re[k] = re[k] + gain[k] * next_re;
                kept_im[k] = im[k] + gain[k] * next_im;
                (re[k], im[k]) = (next_re, next_im);
            }
        }
        [re, im]
    }
}
