//! Sound of any rate and channels brought to one: for streams that change on the way into one file.

use maliu_core::{
    error::{Error, Result},
    stream::Audio,
};

use crate::{AudioFrame, Samples, frame::floats};

/// Converts frames to a rate and a number of channels. Frames that have both pass as they are.
pub struct Converter {
    sample_rate: u32,
    channels: u16,
    channel_mask: u32,
    resampler: Option<Resampler>,
}

impl Converter {
    /// A converter to `sample_rate` Hz and this number of channels in their usual layout.
    ///
    /// ```
    /// use maliu_decode::{AudioFrame, Converter, Samples};
    ///
    /// let (samples, time) = (Samples::F32(vec![0.5; 480]), None);
    /// let mono = AudioFrame::new(48_000, 1, samples).at(time);
    /// let mut converter = Converter::new(48_000, 2);
    /// assert_eq!(converter.convert(mono)?[0].channels, 2);
    /// # Ok::<(), maliu_core::error::Error>(())
    /// ```
    pub fn new(sample_rate: u32, channels: u16) -> Self {
        let channel_mask = Audio::new(sample_rate, channels).usual_mask();
        Self { sample_rate, channels, channel_mask, resampler: None }
    }

    /// A converter to the rate and channels of `frame`.
    pub fn to_those_of(frame: &AudioFrame) -> Self {
        let AudioFrame { sample_rate, channels, channel_mask, .. } = *frame;
        Self { sample_rate, channels, channel_mask, resampler: None }
    }

    /// Whether frames like this one need no conversion.
    pub fn fits(&self, frame: &AudioFrame) -> bool {
        (self.sample_rate, self.channels) == (frame.sample_rate, frame.channels)
    }

    /// The frames that `frame` becomes: what was still held back of an earlier rate, and itself.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for rates more than [`MAX_RATIO`] apart; [`Error::Limit`] for a frame that would become
    /// more than [`MAX_SAMPLES`].
    pub fn convert(&mut self, frame: AudioFrame) -> Result<Vec<AudioFrame>> {
        let rate = frame.sample_rate;
        let (low, high) = (rate.min(self.sample_rate), rate.max(self.sample_rate));
        if high / MAX_RATIO > low || low == 0 {
            return Err(Error::unsupported(format!("converting {rate} Hz to {} Hz", self.sample_rate)));
        }
        let mut out = match &self.resampler {
            Some(resampler) if resampler.from != rate => Vec::from_iter(self.finish()),
            _ => Vec::new(),
        };
        if self.fits(&frame) {
            out.push(frame);
            return Ok(out);
        }
        let grown = frame.len() as u64 * u64::from(self.channels) * u64::from((self.sample_rate / rate).max(1));
        if grown > MAX_SAMPLES {
            return Err(Error::Limit { what: "samples of a converted frame (MAX_SAMPLES)", limit: MAX_SAMPLES });
        }
        let time = frame.time;
        let mixed = remix(&floats(&frame.samples), frame.channels.into(), self.channels.into());
        let samples = if rate == self.sample_rate {
            mixed
        } else {
            let (to, channels) = (self.sample_rate, usize::from(self.channels));
            self.resampler.get_or_insert_with(|| Resampler::new(rate, to, channels)).push(&mixed)
        };
        out.extend(self.frame(samples, time));
        Ok(out)
    }

    /// Samples that are still held back when nothing follows.
    pub fn finish(&mut self) -> Option<AudioFrame> {
        let samples = self.resampler.take()?.finish();
        self.frame(samples, None)
    }

    fn frame(&self, samples: Vec<f32>, time: Option<maliu_core::time::Ticks>) -> Option<AudioFrame> {
        let Self { sample_rate, channels, channel_mask, .. } = *self;
        let samples = Samples::F32(samples);
        (!samples.is_empty())
            .then_some(AudioFrame::new(sample_rate, channels, samples).with_channel_mask(channel_mask).at(time))
    }
}

/// Most that one rate may be of another to be converted.
pub const MAX_RATIO: u32 = 64;

/// Most samples of all channels that one frame may become.
pub const MAX_SAMPLES: u64 = 1 << 24;

/// Interleaved samples of `from` channels as `to` channels, with the levels of FFmpeg: mono goes to both sides 3 dB
/// lower, two sides to the middle at half; otherwise channels keep their place.
fn remix(samples: &[f32], from: usize, to: usize) -> Vec<f32> {
    let sets = samples.chunks_exact(from.max(1));
    match (from, to) {
        _ if from == to => samples.to_vec(),
        (1, 2) => sets.flat_map(|set| [set[0] * std::f32::consts::FRAC_1_SQRT_2; 2]).collect(),
        (2, 1) => sets.map(|set| (set[0] + set[1]) * 0.5).collect(),
        _ => sets.flat_map(|set| (0..to).map(|channel| set.get(channel).copied().unwrap_or(0.0))).collect(),
    }
}

/// Band-limited interpolation with a windowed sinc whose cut-off is the lower of the two rates' halves.
struct Resampler {
    from: u32,
    to: u32,
    channels: usize,
    kernel: Vec<f32>,
    /// Half width of the kernel, in input samples.
    reach: usize,
    /// Input not yet passed by, interleaved, with silence before the first sample.
    held: Vec<f32>,
    /// Place of the next output sample, in units of `1 / to` input samples after the first held one.
    at: u64,
}

impl Resampler {
    fn new(from: u32, to: u32, channels: usize) -> Self {
        // Going down the kernel gets wider in input samples, as it must cut off lower.
        let reach = (ZEROS as u64 * u64::from(from.max(to))).div_ceil(u64::from(to)) as usize;
        let at = reach as u64 * u64::from(to);
        Self { from, to, channels, kernel: kernel(), reach, held: vec![0.0; reach * channels], at }
    }

    fn push(&mut self, samples: &[f32]) -> Vec<f32> {
        self.held.extend_from_slice(samples);
        let sets = self.held.len() / self.channels;
        let mut out = Vec::new();
        while self.middle() + self.reach < sets {
            self.interpolate(&mut out);
            self.at += u64::from(self.from);
        }
        let passed = self.middle().saturating_sub(self.reach).min(sets);
        self.held.drain(..passed * self.channels);
        self.at -= passed as u64 * u64::from(self.to);
        out
    }

    fn finish(mut self) -> Vec<f32> {
        let silence = vec![0.0; self.reach * self.channels];
        self.push(&silence)
    }

    /// The input sample at or before the next output sample.
    fn middle(&self) -> usize {
        (self.at / u64::from(self.to)) as usize
    }

    fn interpolate(&self, out: &mut Vec<f32>) {
        let cut = (f64::from(self.to) / f64::from(self.from)).min(1.0);
        let place = self.at as f64 / f64::from(self.to);
        let first = (self.middle() + 1).saturating_sub(self.reach);
        let start = out.len();
        out.resize(start + self.channels, 0.0);
        let sets = self.held.chunks_exact(self.channels).enumerate().skip(first).take(2 * self.reach);
        for (n, set) in sets {
            let steps = (n as f64 - place).abs() * cut * STEPS as f64;
            let (step, part) = (steps as usize, steps.fract() as f32);
            let Some(&[low, high]) = self.kernel.get(step..step + 2) else { continue };
            let weight = (low + (high - low) * part) * cut as f32;
            out[start..].iter_mut().zip(set).for_each(|(sum, sample)| *sum += weight * sample);
        }
    }
}

/// Zeros of the sinc on each side.
const ZEROS: usize = 24;

/// Values of the kernel between two zeros.
const STEPS: usize = 512;

/// One side of the kernel: sinc under a Blackman window.
fn kernel() -> Vec<f32> {
    let values = (0..=ZEROS * STEPS).map(|n| {
        let x = std::f64::consts::PI * n as f64 / STEPS as f64;
        let sinc = if n == 0 { 1.0 } else { x.sin() / x };
        let turn = x / ZEROS as f64;
        (sinc * (0.42 + 0.5 * turn.cos() + 0.08 * (2.0 * turn).cos())) as f32
    });
    values.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(rate: u32, channels: u16, count: usize) -> AudioFrame {
        let sample = |n: usize| (n as f64 * 1000.0 * std::f64::consts::TAU / f64::from(rate)).sin() as f32;
        let samples = (0..count).flat_map(|n| std::iter::repeat_n(sample(n), channels.into())).collect();
        AudioFrame::new(rate, channels, Samples::F32(samples))
    }

    #[test]
    fn a_tone_keeps_its_length_pitch_and_level() {
        for (from, to) in [(48_000, 44_100), (44_100, 48_000), (11_025, 48_000), (48_000, 8_000)] {
            let mut converter = Converter::to_those_of(&sine(to, 2, 1));
            let input = sine(from, 2, from as usize);
            let Samples::F32(all) = &input.samples else { unreachable!() };
            let mut got = Vec::new();
            for part in all.chunks(1234) {
                let part = AudioFrame { samples: Samples::F32(part.to_vec()), ..input.clone() };
                converter.convert(part).unwrap().into_iter().for_each(|frame| got.extend(floats(&frame.samples)));
            }
            got.extend(converter.finish().iter().flat_map(|frame| floats(&frame.samples)));
            let Samples::F32(ideal) = sine(to, 2, to as usize).samples else { unreachable!() };
            assert!(got.len().abs_diff(ideal.len()) <= 2, "{from} to {to}: {} samples", got.len());
            let worst = got.iter().zip(&ideal).skip(200).take(ideal.len() - 400).map(|(a, b)| (a - b).abs());
            let worst = worst.fold(0.0, f32::max);
            assert!(worst < 1e-3, "{from} to {to}: off by {worst}");
        }
    }

    #[test]
    fn frames_that_fit_pass_untouched() {
        let frame = sine(44_100, 2, 10);
        let mut converter = Converter::to_those_of(&frame);
        assert_eq!(converter.convert(frame.clone()), Ok(vec![frame]));
        assert_eq!(converter.finish(), None);
    }

    #[test]
    fn a_frame_does_not_become_any_number_of_samples() {
        let few = AudioFrame { channels: 512, samples: Samples::F32(vec![0.0; 512]), ..sine(48_000, 1, 1) };
        let mut converter = Converter::to_those_of(&few);
        assert!(converter.convert(sine(1000, 1, 600)).is_ok());
        assert!(matches!(converter.convert(sine(1000, 1, 700)), Err(Error::Limit { .. })));
    }
}
