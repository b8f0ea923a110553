//! Sound of one rate brought to another, by a filter in the frequency domain.
//!
//! ```text
//!   block of input ─▶ FFT ─▶ × low pass ─▶ bins of the lower rate ─▶ inverse FFT ─▶ overlap-add ─▶ block of output
//! ```
//!
//! The pass band is flat within 0.001 dB up to 98 % of half the lower rate; everything from half the lower rate on is at
//! least 120 dB down. The phase is linear and the delay is taken off: sample 0 stays at time 0.

use std::{f64::consts::PI, sync::Arc};

use maliu_core::error::{Error, Result};
use rustfft::{Fft, FftPlanner, num_complex::Complex};

/// Converts interleaved samples from one rate to another. The output depends on the input alone, not on how it is cut
/// into pieces.
///
/// ```
/// use maliu_decode::Resampler;
///
/// let mut resampler = Resampler::new(44_100, 48_000, 2)?;
/// let mut out = resampler.push(&vec![0.25; 2 * 44_100]);
/// out.extend(resampler.finish());
/// assert_eq!(out.len(), 2 * 48_000);
/// # Ok::<(), maliu_core::error::Error>(())
/// ```
pub struct Resampler {
    channels: usize,
    /// The rates without their common divisor.
    from: u64,
    to: u64,
    /// Samples per channel of a block, in and out.
    block: usize,
    grown: usize,
    /// Samples per channel taken, made, and still to be dropped because they are the delay of the filter.
    taken: u64,
    made: u64,
    delay: usize,
    /// Interleaved input that fills no block yet.
    held: Vec<f32>,
    /// By lane: the end of the last block, which adds to the next one.
    tails: Vec<Vec<Complex<f32>>>,
    /// The low pass at the bins from 0 up to half the lower rate, scaled for both transforms.
    filter: Vec<Complex<f32>>,
    forward: Arc<dyn Fft<f32>>,
    inverse: Arc<dyn Fft<f32>>,
    wave: Vec<Complex<f32>>,
    spectrum: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
}

/// Highest rate, in Hz.
pub const MAX_RATE: u32 = 768_000;

/// Most samples of all channels in a block, in or out: they are all that is held back.
pub const MAX_BLOCK: u64 = 1 << 22;

/// Fewest samples of a block at the lower rate.
const SHORTEST: u64 = 1024;

/// Half the length of the low pass, in samples of the lower rate.
const REACH: f64 = 640.0;

/// Attenuation of the low pass beyond half the lower rate, in dB.
const STOP: f64 = 130.0;

impl Resampler {
    /// From `from` Hz to `to` Hz, for interleaved samples of this number of channels.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a rate of 0 or above [`MAX_RATE`], or without channels; [`Error::Limit`] where a block
    /// would exceed [`MAX_BLOCK`].
    pub fn new(from: u32, to: u32, channels: u16) -> Result<Self> {
        if from.min(to) == 0 || from.max(to) > MAX_RATE || channels == 0 {
            return Err(Error::unsupported(format!("converting {channels} channels of {from} Hz to {to} Hz")));
        }
        let divisor = gcd(from, to);
        let (from, to) = (u64::from(from / divisor), u64::from(to / divisor));
        // Even blocks have a whole delay at both rates.
        let times = SHORTEST.div_ceil(from.min(to)).next_multiple_of(2);
        if times * from.max(to) * u64::from(channels) > MAX_BLOCK {
            return Err(Error::Limit { what: "samples of a block of conversion (MAX_BLOCK)", limit: MAX_BLOCK });
        }
        let (block, grown) = ((times * from) as usize, (times * to) as usize);
        let mut planner = FftPlanner::new();
        let (forward, inverse) = (planner.plan_fft_forward(2 * block), planner.plan_fft_inverse(2 * grown));
        let scratch = forward.get_inplace_scratch_len().max(inverse.get_inplace_scratch_len());
        let lanes = usize::from(channels).div_ceil(2);
        let silence = |length| vec![Complex::new(0.0, 0.0); length];
        Ok(Self {
            channels: channels.into(),
            from,
            to,
            block,
            grown,
            taken: 0,
            made: 0,
            delay: grown / 2,
            held: Vec::new(),
            tails: vec![silence(grown); lanes],
            filter: low_pass(block, grown),
            forward,
            inverse,
            wave: silence(2 * block),
            spectrum: silence(2 * grown),
            scratch: silence(scratch),
        })
    }

    /// Takes interleaved samples, whole for all channels; returns those that are ready at the other rate. As many wait
    /// as a block has. The output is as much longer as the rate is higher: hand over long input in pieces.
    pub fn push(&mut self, samples: &[f32]) -> Vec<f32> {
        self.taken += (samples.len() / self.channels) as u64;
        let mut out = Vec::new();
        self.take(samples, &mut out);
        out
    }

    /// The rest of the output: together as many samples as the input lasts, to the nearest one.
    pub fn finish(mut self) -> Vec<f32> {
        let wanted = (2 * self.taken * self.to + self.from) / (2 * self.from);
        let silence = vec![0.0; self.block * self.channels];
        let mut out = Vec::new();
        while self.made < wanted {
            self.take(&silence, &mut out);
        }
        let more = (self.made - wanted) as usize * self.channels;
        out.truncate(out.len() - more);
        out
    }

    fn take(&mut self, mut samples: &[f32], out: &mut Vec<f32>) {
        let full = self.blocks_at_once() * self.block * self.channels;
        while self.held.len() + samples.len() >= full {
            let (now, later) = samples.split_at(full - self.held.len());
            samples = later;
            let mut input = std::mem::take(&mut self.held);
            input.extend_from_slice(now);
            self.convert(&input, out);
            input.clear();
            self.held = input;
        }
        self.held.extend_from_slice(samples);
    }

    /// Two real signals share a complex transform: two channels, or two blocks of one channel.
    fn blocks_at_once(&self) -> usize {
        if self.channels == 1 { 2 } else { 1 }
    }

    fn convert(&mut self, input: &[f32], out: &mut Vec<f32>) {
        let (start, channels) = (out.len(), self.channels);
        out.resize(start + self.blocks_at_once() * self.grown * channels, 0.0);
        let place = &mut out[start..];
        if channels == 1 {
            let (first, second) = input.split_at(self.block);
            self.transform(first.iter().zip(second).map(|(re, im)| Complex::new(*re, *im)));
            let (head, rest) = self.spectrum.split_at(self.grown);
            let tail = &mut self.tails[0];
            let (early, late) = place.split_at_mut(self.grown);
            for (at, (early, late)) in early.iter_mut().zip(late).enumerate() {
                *early = head[at].re + tail[at].im;
                *late = head[at].im + rest[at].re;
            }
            tail.copy_from_slice(rest);
        }
        for lane in (0..channels.div_ceil(2)).filter(|_| channels > 1) {
            let (left, right) = (2 * lane, 2 * lane + 1);
            let sets = input.chunks_exact(channels);
            self.transform(sets.map(|set| Complex::new(set[left], set.get(right).copied().unwrap_or(0.0))));
            let (head, rest) = self.spectrum.split_at(self.grown);
            let tail = &mut self.tails[lane];
            for ((set, head), tail) in place.chunks_exact_mut(channels).zip(head).zip(&*tail) {
                set[left] = head.re + tail.re;
                if let Some(place) = set.get_mut(right) {
                    *place = head.im + tail.im;
                }
            }
            tail.copy_from_slice(rest);
        }
        let early = self.delay.min(place.len() / channels);
        self.delay -= early;
        out.drain(start..start + early * channels);
        self.made += ((out.len() - start) / channels) as u64;
    }

    /// Filters a block and leaves it, at the other rate and twice as long, in `spectrum`.
    fn transform(&mut self, input: impl Iterator<Item = Complex<f32>>) {
        let (block, silent) = self.wave.split_at_mut(self.block);
        block.iter_mut().zip(input).for_each(|(place, value)| *place = value);
        silent.fill(Complex::new(0.0, 0.0));
        self.forward.process_with_scratch(&mut self.wave, &mut self.scratch);
        self.spectrum.fill(Complex::new(0.0, 0.0));
        let bins = self.filter.len();
        for (at, gain) in self.filter.iter().enumerate() {
            self.spectrum[at] = self.wave[at] * gain;
        }
        let (below, above) = (self.wave.len() - bins, self.spectrum.len() - bins);
        for (at, gain) in self.filter.iter().skip(1).rev().enumerate() {
            self.spectrum[above + 1 + at] = self.wave[below + 1 + at] * gain.conj();
        }
        self.inverse.process_with_scratch(&mut self.spectrum, &mut self.scratch);
    }
}

/// The spectrum of the low pass for a transform of twice the block: a sinc under a Kaiser window in the middle of the
/// block.
fn low_pass(block: usize, grown: usize) -> Vec<Complex<f32>> {
    let lower = (grown as f64 / block as f64).min(1.0);
    let reach = (REACH / lower).min(block as f64 / 2.0);
    // Kaiser's formulas for the width of the transition and the shape of the window.
    let width = (STOP - 8.0) / (2.285 * 2.0 * reach) / (2.0 * PI);
    let (cut, shape) = (lower / 2.0 - width / 2.0, 0.1102 * (STOP - 8.7));
    let tap = |at: usize| {
        let x = at as f64 - block as f64 / 2.0;
        let inside = 1.0 - (x / reach).powi(2);
        let window = if inside < 0.0 { 0.0 } else { bessel(shape * inside.sqrt()) / bessel(shape) };
        let turn = 2.0 * PI * cut * x;
        window * if turn == 0.0 { 1.0 } else { turn.sin() / turn }
    };
    let taps: Vec<f64> = (0..=block).map(tap).collect();
    let sum: f64 = taps.iter().sum();
    let scale = 1.0 / (sum * 2.0 * block as f64);
    let mut spectrum: Vec<_> = taps.iter().map(|tap| Complex::new(tap * scale, 0.0)).collect();
    spectrum.resize(2 * block, Complex::new(0.0, 0.0));
    FftPlanner::new().plan_fft_forward(2 * block).process(&mut spectrum);
    let bins = spectrum.iter().take(block.min(grown));
    bins.map(|bin| Complex::new(bin.re as f32, bin.im as f32)).collect()
}

/// The modified Bessel function of order 0.
fn bessel(x: f64) -> f64 {
    let (mut sum, mut term) = (1.0, 1.0);
    for n in 1..200 {
        term *= (x / (2.0 * f64::from(n))).powi(2);
        sum += term;
        if term < sum * 1e-17 {
            break;
        }
    }
    sum
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(rate: u32, hz: f64, length: usize) -> Vec<f32> {
        (0..length).map(|n| (n as f64 * hz * 2.0 * PI / f64::from(rate)).sin() as f32 * 0.5).collect()
    }

    fn convert(from: u32, to: u32, channels: u16, input: &[f32], piece: usize) -> Vec<f32> {
        let mut resampler = Resampler::new(from, to, channels).unwrap();
        let mut out: Vec<f32> =
            input.chunks(piece * usize::from(channels)).flat_map(|part| resampler.push(part)).collect();
        out.extend(resampler.finish());
        out
    }

    /// Level of the tone in dB against its own at the input, in the middle of the sound; and of all else.
    fn levels(sound: &[f32], rate: u32, hz: f64) -> (f64, f64) {
        let middle = &sound[sound.len() / 4..sound.len() * 3 / 4];
        let (mut re, mut im, mut weight, mut power) = (0.0, 0.0, 0.0, 0.0);
        let window = |n: usize| {
            let turn = 2.0 * PI * n as f64 / middle.len() as f64;
            0.35875 - 0.48829 * turn.cos() + 0.14128 * (2.0 * turn).cos() - 0.01168 * (3.0 * turn).cos()
        };
        for (n, sample) in middle.iter().enumerate() {
            let turn = 2.0 * PI * hz * n as f64 / f64::from(rate);
            re += window(n) * f64::from(*sample) * turn.cos();
            im += window(n) * f64::from(*sample) * turn.sin();
            weight += window(n);
        }
        let (a, b) = (2.0 * re / weight, 2.0 * im / weight);
        for (n, sample) in middle.iter().enumerate() {
            let turn = 2.0 * PI * hz * n as f64 / f64::from(rate);
            power += (f64::from(*sample) - a * turn.cos() - b * turn.sin()).powi(2);
        }
        let decibels = |value: f64| 20.0 * (value.max(1e-12) / 0.5).log10();
        (decibels(a.hypot(b)), decibels((2.0 * power / middle.len() as f64).sqrt()))
    }

    #[test]
    fn tones_keep_their_level_and_nothing_is_added() {
        for (from, to) in [(44_100, 48_000), (48_000, 44_100), (96_000, 44_100), (8_000, 48_000), (48_000, 11_025)] {
            let half = f64::from(from.min(to)) / 2.0;
            for share in [0.01, 0.31, 0.7, 0.95, 0.975] {
                let hz = half * share;
                let out = convert(from, to, 1, &tone(from, hz, from as usize), 4096);
                let (level, rest) = levels(&out, to, hz);
                assert!(
                    level.abs() < 0.01 && rest < -110.0,
                    "{from} to {to}, {hz} Hz: {level:.4} dB, rest {rest:.1} dB"
                );
            }
        }
    }

    #[test]
    fn tones_above_half_the_rate_are_gone() {
        for (from, to) in [(48_000, 44_100), (96_000, 44_100), (48_000, 16_000), (44_100, 8_000)] {
            for share in [1.0005, 1.01, 1.1, 1.6] {
                let hz = f64::from(to) / 2.0 * share;
                if hz < f64::from(from) / 2.0 {
                    let out = convert(from, to, 1, &tone(from, hz, from as usize), 5000);
                    let middle = &out[out.len() / 4..out.len() * 3 / 4];
                    let loudest = middle.iter().fold(0.0f32, |loudest, sample| loudest.max(sample.abs()));
                    assert!(loudest < 0.5e-5, "{from} to {to}: {hz} Hz leaves {loudest}");
                }
            }
        }
    }

    #[test]
    fn any_split_gives_the_same_and_the_length_is_exact() {
        for (from, to, channels) in [(44_100, 48_000, 2), (48_000, 44_100, 1), (44_101, 48_000, 1), (8_000, 22_050, 5)]
        {
            for length in [0, 1, 1023, 9999] {
                let input: Vec<f32> = tone(from, 500.0, length * usize::from(channels));
                let whole = convert(from, to, channels, &input, usize::MAX / 8);
                let wanted = (length as f64 * f64::from(to) / f64::from(from)).round() as usize;
                assert_eq!(whole.len(), wanted * usize::from(channels), "{from} to {to}, {length} samples");
                assert!([1, 7, 4096].iter().all(|piece| convert(from, to, channels, &input, *piece) == whole));
            }
        }
    }

    #[test]
    fn channels_stay_apart_and_in_time() {
        let sets = 20_000;
        let mut input = vec![0.0; sets * 3];
        input[10_000 * 3 + 1] = 1.0;
        let out = convert(48_000, 96_000, 3, &input, 1000);
        let of = |channel: usize| out.iter().skip(channel).step_by(3).copied().collect::<Vec<f32>>();
        assert!(of(0).iter().chain(&of(2)).all(|sample| sample.abs() < 1e-6));
        let loudest = of(1).iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map(|(at, _)| at);
        assert_eq!(loudest, Some(20_000));
    }

    #[test]
    fn what_would_need_any_amount_of_memory_is_refused() {
        assert!(matches!(Resampler::new(1, 768_000, 2), Err(Error::Limit { .. })));
        for (from, to, channels) in [(0, 48_000, 1), (48_000, 0, 1), (1 << 31, 48_000, 1), (48_000, 44_100, 0)] {
            assert!(matches!(Resampler::new(from, to, channels), Err(Error::Unsupported { .. })));
        }
    }
}
