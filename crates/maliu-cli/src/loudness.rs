//! Loudness of audio by EBU R 128 (ITU-R BS.1770-4, EBU Tech 3342), with the blocks and gates of FFmpeg's filter `ebur128`.
//!
//! ```text
//!   samples ─▶ K-weighting ─▶ energy of 100 ms ─┬▶ 400 ms ─▶ histogram ─▶ gates ─▶ integrated loudness
//!                                               └▶ 3 s    ─▶ histogram ─▶ gates ─▶ loudness range
//!           └▶ 4 times the rate ─▶ true peak
//! ```
//!
//! Only whole blocks count: audio shorter than 400 ms has no loudness, and shorter than 3 s no range.

use maliu::stream::Audio;
use maliu_decode::{AudioFrame, Converter, Resampler, resample::MAX_RATE};

use self::{
    histogram::Histogram,
    weighting::{Weighting, channel_weight},
};
use crate::failure::{Failure, Result};

mod histogram;
mod weighting;

/// Facts of what was heard. Levels are `None` for silence and for too little audio.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Facts {
    /// Integrated loudness, in LUFS.
    pub integrated: Option<f64>,
    /// Loudness range, in LU.
    pub range: Option<f64>,
    /// Highest true peak of all channels, in dBTP.
    pub true_peak: Option<f64>,
    /// Highest sample of all channels, in dBFS.
    pub sample_peak: Option<f64>,
}

/// Audio being measured.
#[derive(Default)]
pub(crate) struct Loudness {
    meter: Option<(Meter, Converter)>,
}

impl Loudness {
    /// Adds a frame. One of another rate or other channels than the first is converted.
    pub(crate) fn add(&mut self, frame: &AudioFrame) -> Result {
        if self.meter.is_none() {
            self.meter = Some((Meter::new(frame)?, Converter::to_those_of(frame)));
        }
        let Some((meter, converter)) = &mut self.meter else { return Ok(()) };
        if converter.fits(frame) {
            meter.add(&frame.to_f32());
            return Ok(());
        }
        let frames = converter.convert(frame.clone()).map_err(|error| Failure::Failed(error.to_string()))?;
        frames.iter().for_each(|frame| meter.add(&frame.to_f32()));
        Ok(())
    }

    /// The facts of all that was added.
    pub(crate) fn facts(self) -> Facts {
        self.meter.map_or_else(Facts::default, |(meter, _)| meter.facts())
    }
}

/// The measurement of interleaved samples of one rate.
struct Meter {
    channels: usize,
    weighting: Vec<Weighting>,
    weights: Vec<f64>,
    /// Samples per channel of 100 ms, and how many of them are summed.
    step: usize,
    summed: usize,
    sum: f64,
    /// Energies of the last 30 steps; the latest at `at`.
    ring: [f64; 30],
    at: usize,
    /// Steps so far, as far as the longest block counts them.
    steps: usize,
    momentary: Histogram,
    short_term: Histogram,
    upsampler: Option<Resampler>,
    peak: f32,
    true_peak: f32,
}

/// Samples of all channels that are looked at for peaks at once.
const PIECE: usize = 1 << 15;

/// Times the rate at which true peaks are looked for.
const OVERSAMPLING: u32 = 4;

impl Meter {
    fn new(frame: &AudioFrame) -> Result<Self> {
        let AudioFrame { sample_rate: rate, channels, channel_mask, .. } = *frame;
        if rate < 100 || channels == 0 {
            return Err(Failure::Failed(format!("measuring the loudness: {channels} channels at {rate} Hz")));
        }
        let mask = if channel_mask == 0 { Audio::new(rate, channels).usual_mask() } else { channel_mask };
        let mut places = (0..32).filter(|bit| mask >> bit & 1 == 1);
        let fast = rate.saturating_mul(OVERSAMPLING);
        let upsampler = if fast <= MAX_RATE { Resampler::new(rate, fast, channels).ok() } else { None };
        Ok(Self {
            channels: channels.into(),
            weighting: vec![Weighting::new(rate); channels.into()],
            weights: (0..channels).map(|_| channel_weight(places.next())).collect(),
            step: (rate / 10) as usize,
            summed: 0,
            sum: 0.0,
            ring: [0.0; 30],
            at: 0,
            steps: 0,
            momentary: Histogram::default(),
            short_term: Histogram::default(),
            upsampler,
            peak: 0.0,
            true_peak: 0.0,
        })
    }

    fn add(&mut self, samples: &[f32]) {
        for set in samples.chunks_exact(self.channels) {
            for ((sample, weighting), weight) in set.iter().zip(&mut self.weighting).zip(&self.weights) {
                let weighted = weighting.next(f64::from(*sample));
                self.sum += weight * weighted * weighted;
            }
            self.summed += 1;
            if self.summed == self.step {
                self.end_step();
            }
        }
        self.peak = loudest(self.peak, samples);
        if let Some(upsampler) = &mut self.upsampler {
            let piece = (PIECE / self.channels).max(1) * self.channels;
            for piece in samples.chunks(piece) {
                self.true_peak = loudest(self.true_peak, &upsampler.push(piece));
            }
        }
    }

    fn end_step(&mut self) {
        self.at = (self.at + 1) % self.ring.len();
        self.ring[self.at] = self.sum / self.step as f64;
        (self.sum, self.summed) = (0.0, 0);
        let all = self.ring.len();
        let last =
            |steps: usize| (0..steps).map(|back| self.ring[(self.at + all - back) % all]).sum::<f64>() / steps as f64;
        let (momentary, short_term) = (last(4), last(30));
        self.steps = (self.steps + 1).min(all);
        if self.steps >= 4 {
            self.momentary.add(momentary);
        }
        if self.steps >= all {
            self.short_term.add(short_term);
        }
    }

    fn facts(mut self) -> Facts {
        if let Some(upsampler) = self.upsampler.take() {
            self.true_peak = loudest(self.true_peak, &upsampler.finish());
        }
        let decibels = |peak: f32| Some(20.0 * f64::from(peak).log10()).filter(|peak| peak.is_finite());
        Facts {
            integrated: self.momentary.gated_mean(10.0),
            range: self.short_term.range(20.0),
            true_peak: decibels(self.true_peak.max(self.peak)),
            sample_peak: decibels(self.peak),
        }
    }
}

fn loudest(peak: f32, samples: &[f32]) -> f32 {
    samples.iter().fold(peak, |peak, sample| peak.max(sample.abs()))
}

#[cfg(test)]
mod tests {
    use maliu_decode::Samples;

    use super::*;

    fn facts(rate: u32, channels: u16, parts: &[(f64, f64)]) -> Facts {
        let mut loudness = Loudness::default();
        for (seconds, decibels) in parts {
            let level = 10f64.powf(decibels / 20.0);
            let sample = |n: usize| (n as f64 * 1000.0 * std::f64::consts::TAU / f64::from(rate)).sin() * level;
            let sets = (0..(seconds * f64::from(rate)) as usize).map(sample);
            let samples = sets.flat_map(|sample| std::iter::repeat_n(sample as f32, channels.into())).collect();
            loudness.add(&AudioFrame::new(rate, channels, Samples::F32(samples))).unwrap();
        }
        loudness.facts()
    }

    /// EBU Tech 3341, cases 1 to 3: sines of 1 kHz in stereo.
    #[test]
    fn sines_are_as_loud_as_the_rules_say() {
        for rate in [44_100, 48_000] {
            for (parts, expected) in [
                (&[(20.0, -23.0)][..], -23.0),
                (&[(20.0, -33.0)], -33.0),
                (&[(10.0, -36.0), (60.0, -23.0), (10.0, -36.0)], -23.0),
            ] {
                let integrated = facts(rate, 2, parts).integrated.unwrap();
                assert!((integrated - expected).abs() < 0.1, "{rate} Hz: {integrated} for {expected}");
            }
        }
    }

    /// EBU Tech 3342, case 1: 20 s at -20 and 20 s at -30 LUFS have a range of 10 LU.
    #[test]
    fn the_range_is_between_the_loud_and_the_quiet() {
        let range = facts(48_000, 2, &[(20.0, -20.0), (20.0, -30.0)]).range.unwrap();
        assert!((range - 10.0).abs() < 0.3, "{range}");
    }

    #[test]
    fn silence_has_no_loudness() {
        let silence = facts(48_000, 1, &[(2.0, -200.0)]);
        assert_eq!((silence.integrated, silence.range), (None, None));
        assert_eq!(Loudness::default().facts(), Facts::default());
    }

    #[test]
    fn true_peaks_lie_between_samples() {
        // A quarter of the rate, shifted by an eighth of a turn: samples reach 0.7071 of the peak only.
        // It fades in and out, as an edge would ring.
        let fade = |n: usize| (n.min(48_000 - n) as f32 / 4_800.0).min(1.0);
        let sample = |n: usize| {
            ((n % 4) as f32 * std::f32::consts::FRAC_PI_2 + std::f32::consts::FRAC_PI_4).sin() * 0.5 * fade(n)
        };
        let mut loudness = Loudness::default();
        loudness.add(&AudioFrame::new(48_000, 1, Samples::F32((0..48_000).map(sample).collect()))).unwrap();
        let facts = loudness.facts();
        assert!((facts.true_peak.unwrap() + 6.02).abs() < 0.1 && (facts.sample_peak.unwrap() + 9.03).abs() < 0.05);
    }
}
