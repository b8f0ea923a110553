//! The complex QMF banks: 32 channels of analysis, 64 or 32 of synthesis (ISO/IEC 14496-3 4.6.18.4).
//!
//! ```text
//! 32 samples ─▶ window, fold ─▶ FFT 32 ─▶ 32 complex channels      64 complex channels ─▶ 2 FFT 32 ─▶ window ─▶ 64 samples
//! ```
//!
//! Both banks work on four time slots at once, one in each lane of the FFT.

use super::fft::{Batch, Twiddles, turn};
use super::planes::{Low, Spectrum};
use super::prototype::PROTOTYPE;
use std::f64::consts::PI;
use std::sync::LazyLock;

/// Inside SBR, full scale is that of 16 bit samples: the standard's constants refer to it.
const SCALE: f32 = 32768.0;

/// Core samples beyond this many times full scale are cut off, so that no energy overflows.
const MOST: f32 = 64.0;

/// Samples of the last unit that the analysis window still covers.
const ANALYSIS_HISTORY: usize = 320 - 32;

/// What both banks need and never changes.
pub(super) struct Tables {
    twiddles: Twiddles,
    /// The analysis window in the order of time, with the scale of the bank.
    analysis: [f32; 320],
    /// The synthesis window, likewise.
    synthesis: [f32; 640],
    /// The synthesis window of the downsampled bank.
    downsampled: [f32; 320],
    analysis_in: [[f32; 2]; 32],
    analysis_out: [[f32; 2]; 32],
    synthesis_turn: [[f32; 2]; 32],
}

pub(super) static TABLES: LazyLock<Tables> = LazyLock::new(Tables::new);

impl Tables {
    fn new() -> Self {
        let c = window();
        Self {
            twiddles: Twiddles::new(),
            analysis: std::array::from_fn(|n| c[2 * (319 - n)] * (2.0 * SCALE)),
            synthesis: std::array::from_fn(|n| c[n] / (64.0 * SCALE)),
            downsampled: std::array::from_fn(|n| c[2 * n] / (64.0 * SCALE)),
            analysis_in: std::array::from_fn(|n| turn(-PI * n as f64 / 64.0)),
            analysis_out: std::array::from_fn(|j| turn(PI - PI * (5.0 * j as f64 + 1.25) / 64.0)),
            synthesis_turn: std::array::from_fn(|k| turn(-PI * (k as f64 + 0.125) / 64.0)),
        }
    }
}

/// The whole window c: the prototype mirrored about n = 320, with the signs of its blocks of 128.
fn window() -> [f32; 640] {
    std::array::from_fn(|n| match n {
        0..=320 => PROTOTYPE[n],
        384 | 512 => -PROTOTYPE[640 - n],
        _ => PROTOTYPE[640 - n],
    })
}

/// The analysis bank of one channel.
#[derive(Clone, Debug)]
pub(super) struct Analysis {
    /// The history, then the samples of a unit.
    samples: [f32; ANALYSIS_HISTORY + 1024],
}

impl Analysis {
    pub(super) const NEW: Self = Self { samples: [0.0; ANALYSIS_HISTORY + 1024] };

    /// Splits a unit of `slots` times 32 samples, at most 1024, into the rows of `low` from `first` on.
    pub(super) fn split(&mut self, core: &[f32], slots: usize, low: &mut Low, first: usize) {
        let tables = &*TABLES;
        let fresh = &mut self.samples[ANALYSIS_HISTORY..][..32 * slots];
        for (sample, &value) in fresh.iter_mut().zip(core) {
            *sample = bounded(value);
        }
        for slot in (0..slots).step_by(4) {
            let lanes = (slots - slot).min(4);
            let mut batch = Batch::ZERO;
            for lane in 0..lanes {
                let folded = fold(&self.samples[32 * (slot + lane)..][..320], &tables.analysis);
                for n in 0..32 {
                    batch.re[n].0[lane] = folded[n];
                    batch.im[n].0[lane] = -folded[n + 32];
                }
            }
            batch.turn(&tables.analysis_in);
            tables.twiddles.fft(&mut batch);
            batch.turn(&tables.analysis_out);
            for lane in 0..lanes {
                let (re, im) = low.row_mut(first + slot + lane);
                // The transform gives the even channels; those above 31 mirror the odd ones.
                for j in 0..16 {
                    re[2 * j] = batch.re[j].0[lane];
                    im[2 * j] = batch.im[j].0[lane];
                    re[2 * j + 1] = -batch.im[31 - j].0[lane];
                    im[2 * j + 1] = -batch.re[31 - j].0[lane];
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
    pub(super) fn join(&mut self, spectrum: &Spectrum, slots: usize, out: &mut [f32]) {
        for (group, out) in out.chunks_mut(4 * 64).enumerate().take(slots.div_ceil(4)) {
            let lanes = (out.len() / 64).min(4);
            // v = S - C in the lower half and S + C, backwards, in the upper, of a cosine and a sine transform; the
            // FFT is linear, so that differences and sums are taken before it.
            let [mut less, mut more] = [Batch::ZERO; 2];
            for lane in 0..lanes {
                let (re, im) = spectrum.row(4 * group + lane);
                for k in 0..32 {
                    let (even, odd) = (2 * k, 63 - 2 * k);
                    less.re[k].0[lane] = im[odd] - re[even];
                    less.im[k].0[lane] = im[even] - re[odd];
                    more.re[k].0[lane] = im[odd] + re[even];
                    more.im[k].0[lane] = im[even] + re[odd];
                }
            }
            transform(&mut less);
            transform(&mut more);
            for (lane, out) in out.chunks_exact_mut(64).take(lanes).enumerate() {
                let row = self.next_row();
                for j in 0..32 {
                    row[2 * j] = less.re[j].0[lane];
                    row[63 - 2 * j] = more.im[j].0[lane];
                    row[64 + 2 * j] = less.im[j].0[lane];
                    row[127 - 2 * j] = more.re[j].0[lane];
                }
                self.weigh::<64>(&TABLES.synthesis, out);
            }
        }
    }

    /// The same from the 32 lower channels only: 32 samples a slot, which are every second one of [`Self::join`].
    pub(super) fn join_downsampled(&mut self, spectrum: &Spectrum, slots: usize, out: &mut [f32]) {
        for (group, out) in out.chunks_mut(4 * 32).enumerate().take(slots.div_ceil(4)) {
            let lanes = (out.len() / 32).min(4);
            let mut less = Batch::ZERO;
            for lane in 0..lanes {
                let (re, im) = spectrum.row(4 * group + lane);
                for k in 0..16 {
                    (less.re[k].0[lane], less.im[k].0[lane]) = (-re[2 * k], im[2 * k]);
                    (less.re[31 - k].0[lane], less.im[31 - k].0[lane]) = (im[2 * k + 1], -re[2 * k + 1]);
                }
            }
            transform(&mut less);
            for (lane, out) in out.chunks_exact_mut(32).take(lanes).enumerate() {
                let row = self.next_row();
                for j in 0..32 {
                    (row[j], row[32 + j]) = (less.re[j].0[lane], less.im[j].0[lane]);
                }
                self.weigh::<32>(&TABLES.downsampled, out);
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

/// The cosine transform behind both synthesis banks.
fn transform(batch: &mut Batch) {
    let tables = &*TABLES;
    batch.turn(&tables.synthesis_turn);
    tables.twiddles.fft(batch);
    batch.turn(&tables.synthesis_turn);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(i: usize) -> f32 {
        ((i * 2_654_435_761 % 65_521) as f32 - 32_760.0) / 40_000.0
    }

    /// Sends samples through both banks and gives the delay and signal-to-noise ratio, in dB, of what comes out.
    fn through(downsampled: bool) -> (usize, f64) {
        let (mut analysis, mut synthesis) = (Analysis::NEW, Synthesis::NEW);
        let input: Vec<f32> = (0..8 * 1024).map(|i| (i as f32 * 0.05).sin() * 0.5 + 0.2 * noise(i)).collect();
        let mut output: Vec<f32> = Vec::new();
        for unit in input.chunks(1024) {
            let (mut low, mut spectrum) = (Low::ZERO, Spectrum::ZERO);
            analysis.split(unit, 32, &mut low, 0);
            for slot in 0..32 {
                let (re, im) = spectrum.row_mut(slot);
                re[..32].copy_from_slice(low.row(slot).0);
                im[..32].copy_from_slice(low.row(slot).1);
            }
            let mut out = [0.0; 2048];
            match downsampled {
                true => synthesis.join_downsampled(&spectrum, 32, &mut out[..1024]),
                false => synthesis.join(&spectrum, 32, &mut out),
            }
            // Every second sample of the upsampled signal should be the input.
            output.extend(out[..if downsampled { 1024 } else { 2048 }].iter().copied().step_by(if downsampled {
                1
            } else {
                2
            }));
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
        for downsampled in [false, true] {
            let (delay, snr) = through(downsampled);
            assert!(delay == 289 && snr > 59.0, "downsampled {downsampled}: delay {delay}, {snr} dB");
        }
    }

    #[test]
    fn the_prototype_is_symmetric_but_for_the_signs_of_its_blocks() {
        let c = window();
        assert!((1..320).all(|n| c[320 + n].abs() == c[320 - n].abs()) && c[0] == 0.0);
        let sum: f64 = c.iter().map(|&x| f64::from(x).powi(2)).sum();
        assert!((sum - 64.0).abs() < 0.01, "{sum}");
    }

    #[test]
    fn the_analysis_equals_its_definition() {
        let mut analysis = Analysis::NEW;
        let input: Vec<f32> = (0..1024).map(noise).collect();
        let mut low = Low::ZERO;
        analysis.split(&input, 32, &mut low, 0);
        let c = window();
        for slot in [0usize, 3, 12, 31] {
            let x = |n: usize| (32 * slot + 31).checked_sub(n).map_or(0.0, |i| f64::from(input[i]));
            for k in 0..32 {
                let (mut re, mut im) = (0.0, 0.0);
                for n in 0..64 {
                    let u: f64 = (0..5).map(|j| x(n + 64 * j) * f64::from(c[2 * (n + 64 * j)])).sum();
                    let (sin, cos) = (PI / 64.0 * (k as f64 + 0.5) * (2.0 * n as f64 - 0.5)).sin_cos();
                    re += 2.0 * u * cos * f64::from(SCALE);
                    im += 2.0 * u * sin * f64::from(SCALE);
                }
                let (got_re, got_im) = (f64::from(low.row(slot).0[k]), f64::from(low.row(slot).1[k]));
                assert!(
                    (re - got_re).abs() < 0.5 && (im - got_im).abs() < 0.5,
                    "{slot} {k}: {re} {im}, {got_re} {got_im}"
                );
            }
        }
    }
}
