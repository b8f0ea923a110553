//! The complex QMF banks: 32 channels of analysis, 64 or 32 of synthesis (ISO/IEC 14496-3 4.6.18.4).
//!
//! ```text
//! 32 samples ─▶ window, fold ─▶ FFT 32 ─▶ 32 complex channels      64 complex channels ─▶ 2 FFT 32 ─▶ window ─▶ 64 samples
//! ```
//!
//! Both banks work on four time slots at once, one in each lane of the FFT.

use super::bank::Bank;
use super::fft::Batch;
use super::planes::{Low, Spectrum};
use std::array::from_fn;

/// Core samples beyond this many times full scale are cut off, so that no energy overflows.
const MOST: f32 = 64.0;

/// Samples of the last unit that the analysis window still covers.
const ANALYSIS_HISTORY: usize = 320 - 32;

/// The analysis bank of one channel.
#[derive(Clone, Debug)]
pub(super) struct Analysis {
    /// The history, then the samples of a unit.
    samples: [f32; ANALYSIS_HISTORY + 1024],
}

impl Analysis {
    pub(super) const NEW: Self = Self { samples: [0.0; ANALYSIS_HISTORY + 1024] };

    /// Splits a unit of `slots` times 32 samples, at most 1024, into the rows of `low` from `first` on.
    pub(super) fn split(&mut self, bank: &Bank, core: &[f32], slots: usize, low: &mut Low, first: usize) {
        let fresh = &mut self.samples[ANALYSIS_HISTORY..][..32 * slots];
        for (sample, &value) in fresh.iter_mut().zip(core) {
            *sample = bounded(value);
        }
        for slot in (0..slots).step_by(4) {
            let lanes = (slots - slot).min(4);
            let mut batch = Batch::ZERO;
            for lane in 0..lanes {
                let folded = fold(&self.samples[32 * (slot + lane)..][..320], &bank.windows.analysis);
                for n in 0..32 {
                    batch.re[n][lane] = folded[n];
                    batch.im[n][lane] = -folded[n + 32];
                }
            }
            bank.twiddles.fft(&mut batch, &bank.analysis_in, &bank.analysis_out);
            for lane in 0..lanes {
                let (re, im) = low.row_mut(first + slot + lane);
                // The transform gives the even channels; those above 31 mirror the odd ones.
                for j in 0..16 {
                    re[2 * j] = batch.re[j][lane];
                    im[2 * j] = batch.im[j][lane];
                    re[2 * j + 1] = -batch.re[31 - j][lane];
                    im[2 * j + 1] = batch.im[31 - j][lane];
                }
            }
        }
        self.samples.copy_within(32 * slots..32 * slots + ANALYSIS_HISTORY, 0);
    }
}

/// What is no number becomes one, too.
#[inline]
fn bounded(value: f32) -> f32 {
    match value {
        _ if value > MOST => MOST,
        _ if value > -MOST => value,
        _ => -MOST,
    }
}

/// Weighs 320 samples and adds up those 64 apart.
#[inline(always)]
fn fold(samples: &[f32], window: &[f32; 320]) -> [f32; 64] {
    let mut sums = [0.0; 64];
    for (block, weights) in samples.chunks_exact(64).zip(window.chunks_exact(64)) {
        for ((sum, &sample), &weight) in sums.iter_mut().zip(block).zip(weights) {
            *sum += sample * weight;
        }
    }
    sums
}

/// Turns each channel of a slot backwards.
fn rotated(re: &[f32; 64], im: &[f32; 64], turns: &[[f32; 2]; 64]) -> ([f32; 64], [f32; 64]) {
    (from_fn(|k| re[k] * turns[k][0] + im[k] * turns[k][1]), from_fn(|k| im[k] * turns[k][0] - re[k] * turns[k][1]))
}

/// The synthesis bank of one channel.
#[derive(Clone, Debug)]
pub(super) struct Synthesis {
    /// What the transform gave for the last slots: 128 values each, 64 in the downsampled bank.
    ring: [[f32; 128]; RING],
    at: usize,
}

/// Rows of the ring; ten of them are in the window, four are written at once.
const RING: usize = 16;

impl Synthesis {
    pub(super) const NEW: Self = Self { ring: [[0.0; 128]; RING], at: 0 };

    /// Puts the first `slots` rows of a spectrum together: 64 samples a slot.
    pub(super) fn join(&mut self, bank: &Bank, spectrum: &Spectrum, slots: usize, out: &mut [f32]) {
        for (group, out) in out.chunks_mut(4 * 64).enumerate().take(slots.div_ceil(4)) {
            let lanes = (out.len() / 64).min(4);
            // v = S - C in the lower half and S + C, backwards, in the upper, of a cosine and a sine transform; the
            // FFT is linear, so that differences and sums are taken before it.
            let [mut less, mut more] = [Batch::ZERO; 2];
            for lane in 0..lanes {
                let (mut re, mut im) = spectrum.row(4 * group + lane);
                let turned;
                if let Some(rotation) = &bank.rotation {
                    turned = rotated(re, im, &rotation.full);
                    (re, im) = (&turned.0, &turned.1);
                }
                for k in 0..32 {
                    let (even, odd) = (2 * k, 63 - 2 * k);
                    less.re[k][lane] = im[odd] - re[even];
                    less.im[k][lane] = im[even] - re[odd];
                    more.re[k][lane] = im[odd] + re[even];
                    more.im[k][lane] = im[even] + re[odd];
                }
            }
            bank.transform(&mut less);
            bank.transform(&mut more);
            for (lane, out) in out.chunks_exact_mut(64).take(lanes).enumerate() {
                let row = self.next_row();
                for j in 0..32 {
                    row[2 * j] = less.re[j][lane];
                    row[63 - 2 * j] = more.im[j][lane];
                    row[64 + 2 * j] = less.im[j][lane];
                    row[127 - 2 * j] = more.re[j][lane];
                }
                self.weigh::<64>(&bank.windows.synthesis, out);
            }
        }
    }

    /// The same from the 32 lower channels only: 32 samples a slot, which are every second one of [`Self::join`].
    pub(super) fn join_downsampled(&mut self, bank: &Bank, spectrum: &Spectrum, slots: usize, out: &mut [f32]) {
        for (group, out) in out.chunks_mut(4 * 32).enumerate().take(slots.div_ceil(4)) {
            let lanes = (out.len() / 32).min(4);
            let mut less = Batch::ZERO;
            for lane in 0..lanes {
                let (mut re, mut im) = spectrum.row(4 * group + lane);
                let turned;
                if let Some(rotation) = &bank.rotation {
                    turned = rotated(re, im, &rotation.downsampled);
                    (re, im) = (&turned.0, &turned.1);
                }
                for k in 0..16 {
                    (less.re[k][lane], less.im[k][lane]) = (-re[2 * k], im[2 * k]);
                    (less.re[31 - k][lane], less.im[31 - k][lane]) = (im[2 * k + 1], -re[2 * k + 1]);
                }
            }
            bank.transform(&mut less);
            for (lane, out) in out.chunks_exact_mut(32).take(lanes).enumerate() {
                let row = self.next_row();
                for j in 0..32 {
                    (row[j], row[32 + j]) = (less.re[j][lane], less.im[j][lane]);
                }
                self.weigh::<32>(&bank.windows.downsampled, out);
            }
        }
    }

    fn next_row(&mut self) -> &mut [f32; 128] {
        self.at = (self.at + 1) % RING;
        &mut self.ring[self.at]
    }

    /// Adds up ten weighed blocks of the ring: the lower half of this row, the upper half of the one before, and so on.
    #[inline(always)]
    fn weigh<const CHANNELS: usize>(&self, window: &[f32], out: &mut [f32]) {
        let mut sums = [0.0; CHANNELS];
        for (i, weights) in window.chunks_exact(CHANNELS).enumerate() {
            let row = &self.ring[(self.at + RING - i) % RING];
            let half = if i % 2 == 0 { &row[..CHANNELS] } else { &row[CHANNELS..2 * CHANNELS] };
            for ((sum, &value), &weight) in sums.iter_mut().zip(half).zip(weights) {
                *sum += value * weight;
            }
        }
        out.copy_from_slice(&sums);
    }
}

#[cfg(test)]
mod tests {
    use super::super::bank::{SCALE, window};
    use super::super::low_delay_prototype::LOW_DELAY_PROTOTYPE;
    use super::*;
    use std::f64::consts::PI;

    fn noise(i: usize) -> f32 {
        ((i as u64 * 2_654_435_761 % 65_521) as f32 - 32_760.0) / 40_000.0
    }

    /// Sends samples through both banks and gives the delay and signal-to-noise ratio, in dB, of what comes out: of every
    /// second sample where the bank doubles their number.
    fn through(bank: &Bank, downsampled: bool) -> (usize, f64) {
        let (mut analysis, mut synthesis) = (Analysis::NEW, Synthesis::NEW);
        let input: Vec<f32> = (0..8 * 1024).map(|i| (i as f32 * 0.05).sin() * 0.5 + 0.2 * noise(i)).collect();
        let mut output: Vec<f32> = Vec::new();
        for unit in input.chunks(1024) {
            let (mut low, mut spectrum) = (Low::ZERO, Spectrum::ZERO);
            analysis.split(bank, unit, 32, &mut low, 0);
            for slot in 0..32 {
                let (re, im) = spectrum.row_mut(slot);
                re[..32].copy_from_slice(low.row(slot).0);
                im[..32].copy_from_slice(low.row(slot).1);
            }
            let mut out = [0.0; 2048];
            if downsampled {
                synthesis.join_downsampled(bank, &spectrum, 32, &mut out[..1024]);
                output.extend(&out[..1024]);
            } else {
                synthesis.join(bank, &spectrum, 32, &mut out);
                output.extend(out.iter().step_by(2));
            }
        }
        let snr = |delay: usize| {
            let pairs = || output[2048..6144].iter().zip(&input[2048 - delay..]);
            let signal: f64 = pairs().map(|(_, &x)| f64::from(x).powi(2)).sum();
            let fault: f64 = pairs().map(|(&y, &x)| f64::from(y - x).powi(2)).sum();
            10.0 * (signal / fault).log10()
        };
        (0..400).map(|delay| (delay, snr(delay))).max_by(|a, b| a.1.total_cmp(&b.1)).unwrap()
    }

    #[test]
    fn analysis_and_synthesis_give_the_samples_back() {
        // The low delay bank that doubles puts samples between the old ones, so that it is not judged this way.
        for (low_delay, downsampled, expected) in [(false, false, 289), (false, true, 289), (true, true, 32)] {
            let (delay, snr) = through(Bank::of(low_delay), downsampled);
            assert!(delay == expected && snr > 59.0, "{low_delay} {downsampled}: delay {delay}, {snr} dB");
        }
    }

    /// The largest difference of the analysis from its definition, with the window `h` and modulation at 2n + `offset`.
    fn analysis_error(bank: &Bank, h: impl Fn(usize) -> f64, offset: f64) -> f64 {
        let mut analysis = Analysis::NEW;
        let input: Vec<f32> = (0..1024).map(noise).collect();
        let mut low = Low::ZERO;
        analysis.split(bank, &input, 32, &mut low, 0);
        let mut worst = 0f64;
        for (slot, k) in [0usize, 3, 12, 31].into_iter().flat_map(|slot| (0..32).map(move |k| (slot, k))) {
            let x = |n: usize| (32 * slot + 31).checked_sub(n).map_or(0.0, |i| f64::from(input[i]));
            let (mut re, mut im) = (0.0, 0.0);
            for n in 0..64 {
                let u: f64 = (0..5).map(|j| x(n + 64 * j) * h(n + 64 * j)).sum();
                let (sin, cos) = (PI / 64.0 * (k as f64 + 0.5) * (2.0 * n as f64 + offset)).sin_cos();
                re += 2.0 * u * cos * f64::from(SCALE);
                im += 2.0 * u * sin * f64::from(SCALE);
            }
            let (got_re, got_im) = (f64::from(low.row(slot).0[k]), f64::from(low.row(slot).1[k]));
            worst = worst.max((re - got_re).abs()).max((im - got_im).abs());
        }
        worst
    }

    #[test]
    fn both_analyses_equal_their_definitions() {
        let c = window();
        assert!(analysis_error(Bank::of(false), |n| f64::from(c[2 * n]), -0.5) < 0.5);
        let c = &LOW_DELAY_PROTOTYPE;
        assert!(analysis_error(Bank::of(true), |n| f64::from((c[638 - 2 * n] + c[639 - 2 * n]) / 2.0), -95.0) < 0.5);
    }

    #[test]
    fn low_delay_synthesis_equals_its_definition() {
        let mut spectrum = Spectrum::ZERO;
        for k in 0..64 {
            (spectrum.re[0][k], spectrum.im[0][k]) = (1e6 * noise(k), 1e6 * noise(k + 99));
        }
        let mut out = [0.0; 32 * 64];
        Synthesis::NEW.clone().join(Bank::of(true), &spectrum, 32, &mut out);
        for (n, &got) in out.iter().enumerate().take(640) {
            // One slot in, its response out: the modulation repeats every 128 samples.
            let mut value = 0.0;
            for k in 0..64 {
                let (sin, cos) = (PI / 128.0 * (k as f64 + 0.5) * (2.0 * (n % 128) as f64 - 63.0)).sin_cos();
                value += f64::from(spectrum.re[0][k]) * cos - f64::from(spectrum.im[0][k]) * sin;
            }
            let expected = value * f64::from(LOW_DELAY_PROTOTYPE[639 - n]) / (64.0 * f64::from(SCALE));
            assert!((expected - f64::from(got)).abs() < 1e-4, "{n}: {expected}, {got}");
        }
    }
}
