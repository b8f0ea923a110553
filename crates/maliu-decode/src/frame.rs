//! Decoded sound: interleaved samples with their rate, channels and time.
//!
//! ```
//! use maliu_decode::{AudioFrame, Samples};
//!
//! let samples = Samples::F32(vec![0.5, -0.5, 0.25, 0.0]);
//! let frame = AudioFrame::new(48_000, 2, samples).with_channel_mask(0x3);
//! assert_eq!(frame.len(), 2, "samples per channel");
//! assert_eq!(frame.planes(), [[0.5, 0.25], [-0.5, 0.0]]);
//! ```

use maliu_core::time::Ticks;

use crate::SampleFormat;

/// Sound of all channels over some time.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct AudioFrame {
    /// Samples per second and channel.
    pub sample_rate: u32,
    /// Number of channels, at least 1.
    pub channels: u16,
    /// WAVE channel mask; 0 when unknown.
    pub channel_mask: u32,
    /// Time of the first sample in the stream's time base; `None` when unknown.
    pub time: Option<Ticks>,
    /// One sample of each channel, then the next of each.
    pub samples: Samples,
}

/// Samples in the precision that loses nothing of what was decoded.
#[derive(Clone, Debug, PartialEq)]
pub enum Samples {
    /// Whole numbers of up to 32 bits, full scale at the ends of `i32`.
    I32(Vec<i32>),
    /// Full scale is -1 to 1; lossy codecs go beyond.
    F32(Vec<f32>),
    /// Full scale is -1 to 1.
    F64(Vec<f64>),
}

/// Level at which decoded sound is cut off, 24 dB over full scale: music overshoots by 6 dB, test signals by 14, and what
/// a decoder makes of some damaged frames would hurt ears.
pub const LOUDEST: f32 = 16.0;

impl AudioFrame {
    /// Interleaved samples at `sample_rate` Hz, of `channels` channels, with nothing known of places and time.
    pub fn new(sample_rate: u32, channels: u16, samples: Samples) -> Self {
        Self { sample_rate, channels, channel_mask: 0, time: None, samples }
    }

    /// The same frame with its first sample at `time`, in the stream's time base; `None` for unknown.
    #[must_use]
    pub fn at(mut self, time: impl Into<Option<Ticks>>) -> Self {
        self.time = time.into();
        self
    }

    /// The same frame with this WAVE channel mask; 0 for unknown.
    #[must_use]
    pub fn with_channel_mask(mut self, mask: u32) -> Self {
        self.channel_mask = mask;
        self
    }

    /// Samples per channel.
    pub fn len(&self) -> usize {
        self.samples.len() / usize::from(self.channels.max(1))
    }

    /// Whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// Drops the first `n` samples of each channel. The time is left as it is.
    pub fn drop_front(&mut self, n: usize) {
        let n = n.saturating_mul(usize::from(self.channels));
        match &mut self.samples {
            Samples::I32(samples) => drop_front(samples, n),
            Samples::F32(samples) => drop_front(samples, n),
            Samples::F64(samples) => drop_front(samples, n),
        }
    }

    /// Keeps only the first `n` samples of each channel.
    pub fn truncate(&mut self, n: usize) {
        let n = n.saturating_mul(usize::from(self.channels));
        match &mut self.samples {
            Samples::I32(samples) => samples.truncate(n),
            Samples::F32(samples) => samples.truncate(n),
            Samples::F64(samples) => samples.truncate(n),
        }
    }

    /// All samples as fractions of full scale, channels interleaved.
    pub fn to_f32(&self) -> Vec<f32> {
        floats(&self.samples)
    }

    /// All samples as 16-bit numbers, channels interleaved; rounded and clipped as [`SampleFormat`] does.
    pub fn to_i16(&self) -> Vec<i16> {
        let mut bytes = Vec::new();
        SampleFormat::S16Le.write(self, &mut bytes);
        bytes.as_chunks().0.iter().map(|pair| i16::from_le_bytes(*pair)).collect()
    }

    /// The samples of one channel, in order, as fractions of full scale; none for a channel that is not there.
    pub fn channel(&self, channel: usize) -> impl Iterator<Item = f32> + '_ {
        let (channels, samples) = (usize::from(self.channels), &self.samples);
        let end = if channel < channels { samples.len() } else { 0 };
        (channel..end).step_by(channels.max(1)).map(|at| samples.fraction(at))
    }

    /// The samples of each channel by itself, as fractions of full scale.
    pub fn planes(&self) -> Vec<Vec<f32>> {
        (0..usize::from(self.channels)).map(|channel| self.channel(channel).collect()).collect()
    }

    /// A frame without sound.
    pub(crate) fn nothing() -> Self {
        Self { sample_rate: 0, channels: 0, channel_mask: 0, time: None, samples: Samples::F32(Vec::new()) }
    }

    /// Puts the samples of `next`, which is of the same kind, behind these.
    pub(crate) fn append(&mut self, next: Self) {
        if let (Samples::F32(samples), Samples::F32(more)) = (&mut self.samples, next.samples) {
            samples.extend(more);
        }
    }

    /// Brings samples beyond [`LOUDEST`], and those that are no number, back into range; returns how many there were.
    pub(crate) fn clamp(&mut self) -> u64 {
        let Samples::F32(samples) = &mut self.samples else { return 0 };
        // Without its sign a float orders like its bits, and what is no number is above all.
        let is_loud = |sample: &f32| sample.to_bits() as i32 & i32::MAX > LOUDEST.to_bits() as i32;
        if samples.iter().map(|sample| u32::from(is_loud(sample))).sum::<u32>() == 0 {
            return 0;
        }
        let loud = samples.iter_mut().filter(|sample| sample.is_nan() || sample.abs() > LOUDEST);
        let bring_back =
            |sample: &mut f32| *sample = if sample.is_nan() { 0.0 } else { sample.clamp(-LOUDEST, LOUDEST) };
        loud.map(bring_back).count() as u64
    }
}

impl Samples {
    /// Samples of all channels together.
    pub fn len(&self) -> usize {
        match self {
            Self::I32(samples) => samples.len(),
            Self::F32(samples) => samples.len(),
            Self::F64(samples) => samples.len(),
        }
    }

    /// The sample at this place as a fraction of full scale; 0 where there is none.
    fn fraction(&self, at: usize) -> f32 {
        match self {
            Self::I32(samples) => samples.get(at).map_or(0.0, |sample| whole_to_float(*sample)),
            Self::F32(samples) => samples.get(at).copied().unwrap_or(0.0),
            Self::F64(samples) => samples.get(at).map_or(0.0, |sample| *sample as f32),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Sound whose channels stand one after the other.
pub(crate) fn interleave(planes: &[&[f32]]) -> Vec<f32> {
    match planes {
        [] => Vec::new(),
        [mono] => mono.to_vec(),
        &[a, b] => woven([a, b]),
        &[a, b, c] => woven([a, b, c]),
        &[a, b, c, d] => woven([a, b, c, d]),
        &[a, b, c, d, e] => woven([a, b, c, d, e]),
        &[a, b, c, d, e, f] => woven([a, b, c, d, e, f]),
        &[a, b, c, d, e, f, g, h] => woven([a, b, c, d, e, f, g, h]),
        planes => {
            let len = planes.iter().map(|plane| plane.len()).min().unwrap_or(0);
            (0..len).flat_map(|at| planes.iter().filter_map(move |plane| plane.get(at))).copied().collect()
        }
    }
}

/// A known number of channels, which is many times faster than steps.
fn woven<const N: usize>(planes: [&[f32]; N]) -> Vec<f32> {
    let len = planes.iter().map(|plane| plane.len()).min().unwrap_or(0);
    let planes = planes.map(|plane| &plane[..len]);
    let frames = (0..len).map(|at| std::array::from_fn::<_, N, _>(|channel| planes[channel][at]));
    frames.collect::<Vec<_>>().into_flattened()
}

/// The samples as fractions of full scale.
pub(crate) fn floats(samples: &Samples) -> Vec<f32> {
    match samples {
        Samples::I32(samples) => samples.iter().copied().map(whole_to_float).collect(),
        Samples::F32(samples) => samples.clone(),
        Samples::F64(samples) => samples.iter().map(|sample| *sample as f32).collect(),
    }
}

/// A whole number as a fraction of full scale.
fn whole_to_float(sample: i32) -> f32 {
    sample as f32 * (1.0 / 2_147_483_648.0)
}

fn drop_front<T>(samples: &mut Vec<T>, n: usize) {
    samples.drain(..n.min(samples.len()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_come_in_the_form_that_is_asked_for() {
        let samples = Samples::I32(vec![i32::MIN, 1 << 30, 0, -(1 << 30)]);
        let frame = AudioFrame::new(1, 2, samples);
        assert_eq!(frame.to_f32(), [-1.0, 0.5, 0.0, -0.5]);
        assert_eq!(frame.to_i16(), [-32_768, 16_384, 0, -16_384]);
        assert_eq!(frame.planes(), [[-1.0, 0.0], [0.5, -0.5]]);
        assert_eq!(frame.channel(2).count(), 0);
    }

    #[test]
    fn cuts_count_samples_of_a_channel() {
        let samples = Samples::I32((0..10).collect());
        let mut frame = AudioFrame::new(1, 2, samples);
        frame.drop_front(1);
        frame.truncate(2);
        assert_eq!((frame.samples.clone(), frame.len()), (Samples::I32(vec![2, 3, 4, 5]), 2));
        frame.drop_front(9);
        assert!(frame.is_empty());
    }

    #[test]
    fn any_number_of_channels_is_interleaved() {
        for channels in 0..12 {
            let planes: Vec<Vec<f32>> =
                (0..channels).map(|channel| (0..5).map(|at| (at * channels + channel) as f32).collect()).collect();
            let planes: Vec<&[f32]> = planes.iter().map(Vec::as_slice).collect();
            let expected: Vec<f32> = (0..5 * channels).map(|sample| sample as f32).collect();
            assert_eq!(interleave(&planes), expected, "{channels} channels");
        }
    }

    #[test]
    fn only_what_is_beyond_the_loudest_is_clamped() {
        let samples = Samples::F32(vec![1.5, -240.0, f32::NAN, 16.0]);
        let mut frame = AudioFrame::new(1, 1, samples);
        assert_eq!((frame.clamp(), frame.samples), (2, Samples::F32(vec![1.5, -16.0, 0.0, 16.0])));
    }
}
