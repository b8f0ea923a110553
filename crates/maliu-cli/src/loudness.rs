//! Loudness of audio by EBU R 128 (ITU-R BS.1770-4, EBU Tech 3342).

use ebur128::{Channel, EbuR128, Mode};
use maliu::stream::Audio;
use maliu_decode::{AudioFrame, Converter};

use crate::failure::{Failure, Result};

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
    meter: Option<(EbuR128, Converter)>,
}

/// Longest audio whose every block counts, in ms: 24 hours. Of longer audio the last 24 hours count.
const HISTORY: u32 = 24 * 3_600_000;

impl Loudness {
    /// Adds a frame. One of another rate or other channels than the first is converted.
    pub(crate) fn add(&mut self, frame: &AudioFrame) -> Result {
        if self.meter.is_none() {
            self.meter = Some((meter(frame)?, Converter::to_those_of(frame)));
        }
        let Some((meter, converter)) = &mut self.meter else { return Ok(()) };
        if converter.fits(frame) {
            return meter.add_frames_f32(&frame.to_f32()).map_err(failed);
        }
        let frames = converter.convert(frame.clone()).map_err(|error| Failure::Failed(error.to_string()))?;
        frames.iter().try_for_each(|frame| meter.add_frames_f32(&frame.to_f32()).map_err(failed))
    }

    /// The facts so far.
    pub(crate) fn facts(&self) -> Facts {
        let Some((meter, _)) = &self.meter else { return Facts::default() };
        let finite = |value: f64| Some(value).filter(|value| value.is_finite());
        let peak = |of: fn(&EbuR128, u32) -> std::result::Result<f64, ebur128::Error>| {
            let peaks = (0..meter.channels()).filter_map(|channel| of(meter, channel).ok());
            finite(20.0 * peaks.fold(0.0, f64::max).log10())
        };
        Facts {
            integrated: meter.loudness_global().ok().and_then(finite),
            range: meter.loudness_range().ok().and_then(finite),
            true_peak: peak(EbuR128::true_peak),
            sample_peak: peak(EbuR128::sample_peak),
        }
    }
}

fn meter(frame: &AudioFrame) -> Result<EbuR128> {
    let mode = Mode::I | Mode::LRA | Mode::TRUE_PEAK | Mode::SAMPLE_PEAK;
    let mut meter = EbuR128::new(frame.channels.into(), frame.sample_rate, mode).map_err(failed)?;
    meter.set_max_history(HISTORY).map_err(failed)?;
    let usual = Audio::new(frame.sample_rate, frame.channels).usual_mask();
    let mask = if frame.channel_mask == 0 { usual } else { frame.channel_mask };
    let mut places = (0..32).filter(|bit| mask >> bit & 1 == 1);
    for channel in 0..u32::from(frame.channels) {
        meter.set_channel(channel, weight(places.next())).map_err(failed)?;
    }
    Ok(meter)
}

/// Surround channels count 1.5 dB more, low frequencies do not count (BS.1770-4 §2).
fn weight(place: Option<u32>) -> Channel {
    match place {
        Some(3) => Channel::Unused,
        Some(4 | 9) => Channel::LeftSurround,
        Some(5 | 10) => Channel::RightSurround,
        Some(1) => Channel::Right,
        Some(2) => Channel::Center,
        _ => Channel::Left,
    }
}

fn failed(error: ebur128::Error) -> Failure {
    Failure::Failed(format!("measuring the loudness: {error}"))
}
