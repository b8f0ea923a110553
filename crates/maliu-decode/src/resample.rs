//! Sound of one rate brought to another, by `rubato`: a filter in the frequency domain.
//!
//! The pass band is flat within 0.01 dB up to 97 % of half the lower rate; everything from half the lower rate on is at least
//! 120 dB down. The phase is linear and the delay is taken off: sample 0 stays at time 0.

use maliu_core::error::{Error, Result};
use rubato::{Fft, FixedSync, Resampler as _, Sample, WindowFunction, audioadapter_buffers::direct::InterleavedSlice};

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
    engine: Engine,
}

/// The library, for one block after another.
enum Engine {
    Single(Box<Fft<f32>>),
    /// For long blocks, whose filter is not exact enough in single precision.
    Double(Box<Fft<f64>>),
}

/// Highest rate, in Hz.
pub const MAX_RATE: u32 = 768_000;

/// Most samples of all channels in a block, in or out: a few blocks are all that is held.
pub const MAX_BLOCK: u64 = 1 << 22;

/// Fewest samples of a block at the lower rate: longer filters are steeper.
const SHORTEST: u64 = 2048;

/// Samples of a block from which on it is filtered in double precision.
const LONG: u64 = 1 << 14;

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
        let longest = times * from.max(to);
        if longest * u64::from(channels) > MAX_BLOCK {
            return Err(Error::Limit { what: "samples of a block of conversion (MAX_BLOCK)", limit: MAX_BLOCK });
        }
        let (block, grown, channels) = ((times * from) as usize, (times * to) as usize, usize::from(channels));
        let engine = match longest < LONG {
            true => Engine::Single(Box::new(library(from, to, block, channels)?)),
            false => Engine::Double(Box::new(library(from, to, block, channels)?)),
        };
        let delay = match &engine {
            Engine::Single(library) => library.output_delay(),
            Engine::Double(library) => library.output_delay(),
        };
        Ok(Self { channels, from, to, block, grown, taken: 0, made: 0, delay, held: Vec::new(), engine })
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
        let full = self.block * self.channels;
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

    fn convert(&mut self, input: &[f32], out: &mut Vec<f32>) {
        let (start, channels, frames) = (out.len(), self.channels, (self.block, self.grown));
        out.resize(start + self.grown * channels, 0.0);
        let place = &mut out[start..];
        match &mut self.engine {
            Engine::Single(library) => run(library, input, place, channels, frames),
            Engine::Double(library) => {
                let wide: Vec<f64> = input.iter().map(|sample| f64::from(*sample)).collect();
                let mut made = vec![0.0; place.len()];
                run(library, &wide, &mut made, channels, frames);
                place.iter_mut().zip(made).for_each(|(place, sample)| *place = sample as f32);
            }
        }
        let early = self.delay.min(self.grown);
        self.delay -= early;
        out.drain(start..start + early * channels);
        self.made += (self.grown - early) as u64;
    }
}

/// The library's converter for blocks of one length.
fn library<T: Sample>(from: u64, to: u64, block: usize, channels: usize) -> Result<Fft<T>> {
    let (window, both) = (WindowFunction::BlackmanHarris2, FixedSync::Both);
    let made = Fft::new_custom(from as usize, to as usize, block, 1, channels, window, both);
    made.map_err(|error| Error::unsupported(format!("converting the rate: {error}")))
}

/// Converts one block of interleaved samples; `frames` is its length per channel, in and out.
fn run<T: Sample>(library: &mut Fft<T>, input: &[T], out: &mut [T], channels: usize, frames: (usize, usize)) {
    let from = InterleavedSlice::new(input, channels, frames.0).expect("a block has as many samples");
    let mut to = InterleavedSlice::new_mut(out, channels, frames.1).expect("its place is made for it");
    library.process_into_buffer(&from, &mut to, None).expect("both are as long as the library was made for");
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

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
