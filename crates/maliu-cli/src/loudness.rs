//! Loudness of audio by EBU R 128 (ITU-R BS.1770-4, EBU Tech 3342), with the blocks and gates of FFmpeg's filter `ebur128`.
//!
//! ```text
//!   samples ─▶ ebur128 ─┬ energy of 100 ms ─┬▶ 400 ms ─▶ histogram ─▶ gates ─▶ integrated loudness
//!                       │                   └▶ 3 s    ─▶ histogram ─▶ gates ─▶ loudness range
//!                       └ true peak, sample peak
//! ```
//!
//! The library weights and measures; blocks are gated here, because the library begins those of the range once a second, FFmpeg
//! ten times, and because histograms keep memory the same for audio of any length.
//! Only whole blocks count: audio shorter than 400 ms has no loudness, and shorter than 3 s no range.

use ebur128::{Channel, EbuR128, Mode};
use maliu::stream::Audio;
use maliu_decode::{AudioFrame, Converter};

use self::histogram::Histogram;
use crate::failure::{Failure, Result};

mod histogram;

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
            return meter.add(&frame.to_f32());
        }
        let frames = converter.convert(frame.clone()).map_err(|error| Failure::Failed(error.to_string()))?;
        frames.iter().try_for_each(|frame| meter.add(&frame.to_f32()))
    }

    /// The facts of all that was added.
    pub(crate) fn facts(self) -> Facts {
        self.meter.map_or_else(Facts::default, |(meter, _)| meter.facts())
    }
}

/// The measurement of interleaved samples of one rate.
struct Meter {
    channels: u32,
    library: EbuR128,
    /// Samples of all channels in 100 ms, and how many of them the library has of those under way.
    step: usize,
    filled: usize,
    /// Energies of the last 30 steps; the latest at `at`.
    ring: [f64; 30],
    at: usize,
    /// Steps so far, as far as the longest block counts them.
    steps: usize,
    momentary: Histogram,
    short_term: Histogram,
}

impl Meter {
    fn new(frame: &AudioFrame) -> Result<Self> {
        let AudioFrame { sample_rate: rate, channels, channel_mask, .. } = *frame;
        let mask = if channel_mask == 0 { Audio::new(rate, channels).usual_mask() } else { channel_mask };
        let mut places = (0..32).filter(|bit| mask >> bit & 1 == 1);
        let map: Vec<Channel> = (0..channels).map(|_| place(places.next())).collect();
        let failed =
            |why| Failure::Failed(format!("measuring the loudness of {channels} channels at {rate} Hz: {why}"));
        let mut library = EbuR128::new(channels.into(), rate, Mode::M | Mode::SAMPLE_PEAK | Mode::TRUE_PEAK)
            .map_err(|_| failed("up to 64 channels at up to 2822400 Hz are measured".to_owned()))?;
        library.set_channel_map(&map).map_err(|error| failed(error.to_string()))?;
        Ok(Self {
            channels: channels.into(),
            library,
            // As the library counts them.
            step: (rate as usize + 5) / 10 * usize::from(channels),
            filled: 0,
            ring: [0.0; 30],
            at: 0,
            steps: 0,
            momentary: Histogram::default(),
            short_term: Histogram::default(),
        })
    }

    fn add(&mut self, mut samples: &[f32]) -> Result {
        while !samples.is_empty() {
            let (now, later) = samples.split_at((self.step - self.filled).min(samples.len()));
            self.library.add_frames_f32(now).map_err(failed)?;
            self.filled += now.len();
            samples = later;
            if self.filled == self.step {
                self.end_step()?;
            }
        }
        Ok(())
    }

    fn end_step(&mut self) -> Result {
        self.filled = 0;
        self.at = (self.at + 1) % self.ring.len();
        self.ring[self.at] = histogram::energy(self.library.loudness_window(100).map_err(failed)?);
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
        Ok(())
    }

    fn facts(&self) -> Facts {
        let highest = |of: fn(&EbuR128, u32) -> std::result::Result<f64, ebur128::Error>| {
            let peaks = (0..self.channels).filter_map(|channel| of(&self.library, channel).ok());
            Some(20.0 * peaks.fold(0.0, f64::max).log10()).filter(|peak| peak.is_finite())
        };
        Facts {
            integrated: self.momentary.gated_mean(10.0),
            range: self.short_term.range(20.0),
            true_peak: highest(EbuR128::true_peak),
            sample_peak: highest(EbuR128::sample_peak),
        }
    }
}

fn failed(error: ebur128::Error) -> Failure {
    Failure::Failed(format!("measuring the loudness: {error}"))
}

/// The channel that the library weights: surround 1.5 dB more, low frequencies not at all (§2). The place is a bit of a WAVE
/// channel mask.
fn place(place: Option<u32>) -> Channel {
    match place {
        Some(3) => Channel::Unused,
        Some(4 | 9) => Channel::LeftSurround,
        Some(5 | 10) => Channel::RightSurround,
        Some(1) => Channel::Right,
        Some(2) => Channel::Center,
        _ => Channel::Left,
    }
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
