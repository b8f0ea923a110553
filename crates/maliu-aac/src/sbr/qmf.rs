//! The complex QMF banks: 32 channels of analysis, 64 or 32 of synthesis (ISO/IEC 14496-3 4.6.18.4).
//!
//! ```text
//! 32 samples ─▶ window, fold ─▶ FFT 32 ─▶ 32 complex channels      64 complex channels ─▶ 2 FFT 32 ─▶ window ─▶ 64
//! samples
//! ```
//!
//! Both banks work on four time slots at once, one in each lane of the FFT.

use super::bank::Bank;
use super::fft::{Batch, Complex, Lanes};
use crate::lanes::{Aligned, transposed};
use crate::planes::{Four, Low, Spectrum};
use multiversion::multiversion;
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
        split(self, bank, core, slots, low, first);
    }

    #[inline(always)]
    fn split_inline(&mut self, bank: &Bank, core: &[f32], slots: usize, low: &mut Low, first: usize) {
        let fresh = &mut self.samples[ANALYSIS_HISTORY..][..32 * slots];
        for (sample, &value) in fresh.iter_mut().zip(core) {
            *sample = bounded(value);
        }
        let [mut batch, mut scratch] = [Batch::ZERO; 2];
        let mut folded = [[0.0; 64]; 4];
        for slot in (0..slots).step_by(4) {
            for (lane, folded) in folded.iter_mut().enumerate() {
                fold(&self.samples[32 * (slot + lane)..][..320], &bank.windows.analysis.0, folded);
            }
            for n in 0..8 {
                let (re, im) = (columns(&folded, n), columns(&folded, n + 8));
                for (i, (re, im)) in re.into_iter().zip(im).enumerate() {
                    batch.put_turned(4 * n + i, Complex(re, -im), &bank.analysis_in);
                }
            }
            bank.twiddles.fft(&mut batch, &mut scratch, &bank.analysis_out);
            for j in (0..16).step_by(2) {
                // The transform gives the even channels; those above 31 mirror the odd ones.
                let (re, im) = (&batch.re, &batch.im);
                let mirrored = [31 - j, 30 - j].map(|j| re[j].map(|x| -x));
                let re = transposed([re[j], mirrored[0], re[j + 1], mirrored[1]]);
                let im = transposed([im[j], im[31 - j], im[j + 1], im[30 - j]]);
                for lane in 0..(slots - slot).min(4) {
                    let (to_re, to_im) = low.row_mut(first + slot + lane);
                    to_re[2 * j..2 * j + 4].copy_from_slice(&re[lane]);
                    to_im[2 * j..2 * j + 4].copy_from_slice(&im[lane]);
                }
            }
        }
        self.samples.copy_within(32 * slots..32 * slots + ANALYSIS_HISTORY, 0);
    }
}

// The banks are compiled for several sets of vector instructions; the processor's own is chosen at run time.

#[multiversion(targets("x86_64+avx2+bmi1+bmi2", "x86_64+avx"))]
fn split(analysis: &mut Analysis, bank: &Bank, core: &[f32], slots: usize, low: &mut Low, first: usize) {
    analysis.split_inline(bank, core, slots, low, first);
}

#[multiversion(targets("x86_64+avx2+bmi1+bmi2", "x86_64+avx"))]
fn join(synthesis: &mut Synthesis, bank: &Bank, spectrum: &Spectrum, slots: usize, out: &mut [f32]) {
    synthesis.join_inline(bank, spectrum, slots, out);
}

/// NaN becomes a number, too.
#[inline(always)]
fn bounded(value: f32) -> f32 {
    match value {
        _ if value > MOST => MOST,
        _ if value > -MOST => value,
        _ => -MOST,
    }
}

/// Weighs 320 samples and adds up those 64 apart.
#[inline(always)]
fn fold(samples: &[f32], window: &[f32; 320], out: &mut [f32; 64]) {
    // As many sums at once as fit into registers.
    for (n, out) in out.as_chunks_mut::<32>().0.iter_mut().enumerate() {
        let mut sums = [0.0; 32];
        for (block, weights) in samples.chunks_exact(64).zip(window.chunks_exact(64)) {
            let (block, weights) = (&block[32 * n..32 * n + 32], &weights[32 * n..32 * n + 32]);
            for ((sum, &sample), &weight) in sums.iter_mut().zip(block).zip(weights) {
                *sum += sample * weight;
            }
        }
        *out = sums;
    }
}

/// Values 4n to 4n + 3 of four rows: each of them, of all rows.
#[inline(always)]
fn columns(rows: &Four<64>, n: usize) -> [Lanes; 4] {
    transposed(from_fn(|lane| rows[lane].as_chunks::<4>().0[n])).map(Lanes)
}

/// Turns each channel of a slot backwards.
fn rotated(re: &[f32; 64], im: &[f32; 64], turns: &[[f32; 2]; 64]) -> ([f32; 64], [f32; 64]) {
    (from_fn(|k| re[k] * turns[k][0] + im[k] * turns[k][1]), from_fn(|k| im[k] * turns[k][0] - re[k] * turns[k][1]))
}

/// The synthesis bank of one channel.
#[derive(Clone, Debug)]
pub(super) struct Synthesis {
    /// Output of the transform for the last slots: 128 values each, 64 in the downsampled bank.
    ring: Aligned<[[f32; 128]; RING]>,
    at: usize,
}

/// Rows of the ring; ten of them are in the window, four are written at once.
const RING: usize = 16;

impl Synthesis {
    pub(super) const NEW: Self = Self { ring: Aligned([[0.0; 128]; RING]), at: 0 };

    /// Puts the first `slots` rows of a spectrum together: 64 samples a slot.
    pub(super) fn join(&mut self, bank: &Bank, spectrum: &Spectrum, slots: usize, out: &mut [f32]) {
        join(self, bank, spectrum, slots, out);
    }

    #[inline(always)]
    fn join_inline(&mut self, bank: &Bank, spectrum: &Spectrum, slots: usize, out: &mut [f32]) {
        let [mut less, mut more, mut scratch] = [Batch::ZERO; 3];
        for (group, out) in out.chunks_mut(4 * 64).enumerate().take(slots.div_ceil(4)) {
            let Some((re, im)) = spectrum.rows(4 * group) else { return };
            match &bank.rotation {
                None => fill(&mut less, &mut more, re, im, bank),
                Some(rotation) => {
                    let turned: [_; 4] = from_fn(|lane| rotated(&re[lane], &im[lane], &rotation.full));
                    fill(&mut less, &mut more, &turned.map(|row| row.0), &turned.map(|row| row.1), bank);
                }
            }
            bank.transform(&mut less, &mut scratch);
            bank.transform(&mut more, &mut scratch);
            for j in (0..32).step_by(2) {
                let lower = transposed([less.re[j], more.im[31 - j], less.re[j + 1], more.im[30 - j]]);
                let upper = transposed([less.im[j], more.re[31 - j], less.im[j + 1], more.re[30 - j]]);
                for (lane, (lower, upper)) in lower.into_iter().zip(upper).enumerate() {
                    let row = &mut self.ring.0[(self.at + 1 + lane) % RING];
                    row[2 * j..2 * j + 4].copy_from_slice(&lower);
                    row[64 + 2 * j..64 + 2 * j + 4].copy_from_slice(&upper);
                }
            }
            for out in out.as_chunks_mut().0 {
                self.at = (self.at + 1) % RING;
                self.weigh::<64>(&bank.windows.synthesis.0, out);
            }
        }
    }

    /// The same from the 32 lower channels only: 32 samples a slot, which are every second one of [`Self::join`].
    pub(super) fn join_downsampled(&mut self, bank: &Bank, spectrum: &Spectrum, slots: usize, out: &mut [f32]) {
        let [mut less, mut scratch] = [Batch::ZERO; 2];
        for (group, out) in out.chunks_mut(4 * 32).enumerate().take(slots.div_ceil(4)) {
            let Some((re, im)) = spectrum.rows(4 * group) else { return };
            let rows: [_; 4] = from_fn(|lane| match &bank.rotation {
                None => (re[lane], im[lane]),
                Some(rotation) => rotated(&re[lane], &im[lane], &rotation.downsampled),
            });
            let all = |part: &dyn Fn(usize) -> f32| Lanes(from_fn(part));
            for k in 0..16 {
                let even = Complex(all(&|lane| -rows[lane].0[2 * k]), all(&|lane| rows[lane].1[2 * k]));
                let odd = Complex(all(&|lane| rows[lane].1[2 * k + 1]), all(&|lane| -rows[lane].0[2 * k + 1]));
                less.put_turned(k, even, &bank.synthesis_turn);
                less.put_turned(31 - k, odd, &bank.synthesis_turn);
            }
            bank.transform(&mut less, &mut scratch);
            for (lane, out) in out.as_chunks_mut().0.iter_mut().enumerate() {
                self.at = (self.at + 1) % RING;
                let row = &mut self.ring.0[self.at];
                for j in 0..32 {
                    (row[j], row[32 + j]) = (less.re[j][lane], less.im[j][lane]);
                }
                self.weigh::<32>(&bank.windows.downsampled.0, out);
            }
        }
    }

    /// Adds up ten weighed blocks of the ring: the lower half of this row, the upper half of the one before, and so on.
    #[inline(always)]
    fn weigh<const CHANNELS: usize>(&self, window: &[f32], out: &mut [f32; CHANNELS]) {
        // As many sums at once as fit into registers.
        for (n, out) in out.as_chunks_mut::<32>().0.iter_mut().enumerate() {
            let mut sums = [0.0; 32];
            for (i, weights) in window.chunks_exact(CHANNELS).enumerate() {
                let row = &self.ring.0[(self.at + RING - i) % RING];
                let half = if i % 2 == 0 { &row[..CHANNELS] } else { &row[CHANNELS..2 * CHANNELS] };
                let (half, weights) = (&half[32 * n..32 * n + 32], &weights[32 * n..32 * n + 32]);
                for ((sum, &value), &weight) in sums.iter_mut().zip(half).zip(weights) {
                    *sum += value * weight;
                }
            }
            *out = sums;
        }
    }
}

/// Parts of the two transforms of four slots: v = S - C in the lower half and S + C, backwards, in the upper, of a
/// cosine and a sine transform; the FFT is linear, so that differences and sums are taken before it.
#[inline(always)]
fn fill(less: &mut Batch, more: &mut Batch, re: &Four<64>, im: &Four<64>, bank: &Bank) {
    let mut put = |k: usize, [re_even, im_even, re_odd, im_odd]: [Lanes; 4]| {
        less.put_turned(k, Complex(im_odd - re_even, im_even - re_odd), &bank.synthesis_turn);
        more.put_turned(k, Complex(im_odd + re_even, im_even + re_odd), &bank.synthesis_turn);
    };
    for n in 0..8 {
        // Channels 2k go with channels 63 - 2k.
        let (low_re, low_im) = (columns(re, n), columns(im, n));
        let (high_re, high_im) = (columns(re, 15 - n), columns(im, 15 - n));
        for i in 0..2 {
            let (even, odd) = (2 * i, 3 - 2 * i);
            put(2 * n + i, [low_re[even], low_im[even], high_re[odd], high_im[odd]]);
            put(30 - 2 * n + i, [high_re[even], high_im[even], low_re[odd], low_im[odd]]);
        }
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

    /// Sends samples through both banks and gives the delay and signal-to-noise ratio, in dB, of what comes out: of
    /// every second sample where the bank doubles their number.
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
