//! Audio on its way to its file: channels chosen and mixed, another rate, gain, dither.

use maliu::stream::{Audio, Metadata};
use maliu_decode::{
    AudioFrame, Resampler, SampleFormat, Samples,
    mix::{Matrix, Mix},
    resample::MAX_RATE,
};

use super::gain::{Album, replay_gain};
use crate::failure::{Failure, Result};

/// Wishes about rate, channels and level.
#[derive(clap::Args, Clone, Default)]
#[group(skip)]
pub(crate) struct Args {
    /// Samples per second of the output (default: those of the stream).
    #[arg(long, value_name = "HZ", value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_RATE)))]
    pub rate: Option<u32>,
    /// Number of channels of the output (default: those of the stream).
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64), conflicts_with = "channels_map")]
    pub channels: Option<u16>,
    /// Coefficients of --channels: itu (ITU-R BS.775, as FFmpeg), dolby, prologic2 (surround encoded into stereo), or keep
    /// (channels are dropped or added, not mixed).
    #[arg(long, value_name = "NAME", value_enum, hide_possible_values = true, requires = "channels")]
    pub mix: Option<MixName>,
    /// Channels of the stream that become those of the output, in order, from 0: 1,0 swaps the sides, 0 takes the left one.
    #[arg(long, value_name = "N,N…", value_delimiter = ',')]
    pub channels_map: Vec<u16>,
    /// Add noise of one step (triangular) before samples are rounded, so that quiet audio is not distorted.
    #[arg(long)]
    pub dither: bool,
    /// Bring the loudness (EBU R 128) to LUFS, in two passes: -23 unless set. True peaks stay at or below -1 dBTP.
    #[arg(long, value_name = "LUFS", num_args = 0..=1, require_equals = true, default_missing_value = "-23", allow_negative_numbers = true, value_parser = lufs)]
    pub normalize: Option<f64>,
    /// Apply the ReplayGain of the tags, or R128 gain: track or album. It is lowered where the tagged peak would clip.
    #[arg(long, value_name = "track|album", value_enum, hide_possible_values = true, conflicts_with = "normalize")]
    pub replaygain: Option<Album>,
    /// Factor for all samples.
    #[arg(skip)]
    pub gain: Option<f64>,
}

fn lufs(text: &str) -> std::result::Result<f64, String> {
    let value = text.parse().ok().filter(|value| (-70.0..=0.0).contains(value));
    value.ok_or_else(|| "expected a loudness from -70 to 0, e.g. -16".to_owned())
}

/// The names of [`Mix`].
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum MixName {
    Itu,
    Dolby,
    Prologic2,
    Keep,
}

impl Args {
    /// The first option that is given, for outputs without audio.
    pub(super) fn given(&self) -> Option<&'static str> {
        let all = [
            (self.rate.is_some(), "--rate"),
            (self.channels.is_some(), "--channels"),
            (!self.channels_map.is_empty(), "--channels-map"),
            (self.dither, "--dither"),
            (self.normalize.is_some(), "--normalize"),
            (self.replaygain.is_some(), "--replaygain"),
        ];
        all.into_iter().find(|(given, _)| *given).map(|(_, name)| name)
    }

    /// Refuses dither where nothing is rounded to fewer bits.
    pub(super) fn check(&self, format: SampleFormat) -> Result {
        match self.dither && step(format).is_none() {
            true => Err(Failure::Usage(format!(
                "--dither changes nothing for {}; it is for u8, s16le and s24le",
                format.name()
            ))),
            false => Ok(()),
        }
    }

    fn mix(&self) -> Mix {
        match self.mix {
            None | Some(MixName::Itu) => Mix::Itu,
            Some(MixName::Dolby) => Mix::Dolby,
            Some(MixName::Prologic2) => Mix::ProLogic2,
            Some(MixName::Keep) => Mix::Keep,
        }
    }
}

/// One step of a format as a fraction of full scale, where dither makes sense.
fn step(format: SampleFormat) -> Option<f64> {
    let bits = match format {
        SampleFormat::U8 => 8,
        SampleFormat::S16Le | SampleFormat::S16Be => 16,
        SampleFormat::S24Le | SampleFormat::S24Be => 24,
        _ => return None,
    };
    Some(1.0 / f64::from(1u32 << (bits - 1)))
}

/// Audio of one rate and number of channels being brought to that of the output.
pub(super) struct Shape {
    matrix: Option<Matrix>,
    resampler: Option<Resampler>,
    gain: f64,
    dither: Option<Dither>,
    /// Rate, channels and mask of the output.
    pub rate: u32,
    pub channels: u16,
    pub mask: u32,
    /// Set when samples need no change.
    idle: bool,
}

/// Samples of all channels that are converted at once.
const PIECE: usize = 1 << 15;

impl Shape {
    /// For audio like that of `frame`, with these tags.
    pub(super) fn new(args: &Args, format: SampleFormat, frame: &AudioFrame, tags: &Metadata) -> Result<Self> {
        let failed = |error: maliu::MediaError| Failure::Failed(error.to_string());
        let heard = (frame.channels, frame.channel_mask);
        let (channels, mask) = match args.channels {
            Some(wanted) if wanted != frame.channels => (wanted, Audio::new(frame.sample_rate, wanted).usual_mask()),
            _ if !args.channels_map.is_empty() => {
                let wanted = args.channels_map.len() as u16;
                (wanted, Audio::new(frame.sample_rate, wanted).usual_mask())
            }
            _ => heard,
        };
        let whole = format != SampleFormat::F32Le;
        let matrix = match () {
            () if !args.channels_map.is_empty() => {
                Some(Matrix::map(frame.channels, &args.channels_map).map_err(failed)?)
            }
            () if channels != frame.channels => {
                Some(Matrix::new(heard, (channels, mask), args.mix(), whole).map_err(failed)?)
            }
            () => None,
        };
        let rate = args.rate.unwrap_or(frame.sample_rate);
        let resampler = match rate == frame.sample_rate {
            true => None,
            false => Some(Resampler::new(frame.sample_rate, rate, channels).map_err(failed)?),
        };
        let tagged = args.replaygain.and_then(|album| replay_gain(tags, album));
        let gain = args.gain.or(tagged).unwrap_or(1.0);
        let dither = step(format).filter(|_| args.dither).map(Dither::new);
        let idle = matrix.is_none() && resampler.is_none() && gain == 1.0 && dither.is_none();
        Ok(Self { matrix, resampler, gain, dither, rate, channels, mask, idle })
    }

    /// Hands on what a frame becomes, in pieces.
    pub(super) fn push(&mut self, frame: AudioFrame, mut put: impl FnMut(&AudioFrame) -> Result) -> Result {
        if self.idle {
            return put(&frame);
        }
        let channels = usize::from(frame.channels.max(1));
        for piece in frame.to_f32().chunks((PIECE / channels).max(1) * channels) {
            let mixed = self.matrix.as_ref().map(|matrix| matrix.apply(piece));
            let mixed = mixed.as_deref().unwrap_or(piece);
            let samples = match &mut self.resampler {
                Some(resampler) => resampler.push(mixed),
                None => mixed.to_vec(),
            };
            put(&self.levelled(samples))?;
        }
        Ok(())
    }

    /// The rest, which the conversion held back.
    pub(super) fn finish(&mut self) -> Option<AudioFrame> {
        let samples = self.resampler.take()?.finish();
        Some(self.levelled(samples))
    }

    fn levelled(&mut self, mut samples: Vec<f32>) -> AudioFrame {
        if self.gain != 1.0 {
            samples.iter_mut().for_each(|sample| *sample = (f64::from(*sample) * self.gain) as f32);
        }
        let samples = match &mut self.dither {
            Some(dither) => Samples::F64(samples.iter().map(|sample| f64::from(*sample) + dither.next()).collect()),
            None => Samples::F32(samples),
        };
        AudioFrame::new(self.rate, self.channels, samples).with_channel_mask(self.mask)
    }
}

/// Triangular noise of up to one step, the same in every run.
struct Dither {
    state: u64,
    step: f64,
}

impl Dither {
    fn new(step: f64) -> Self {
        Self { state: 0x9e37_79b9_7f4a_7c15, step }
    }

    fn next(&mut self) -> f64 {
        let mut even = || {
            self.state ^= self.state << 13;
            self.state ^= self.state >> 7;
            self.state ^= self.state << 17;
            (self.state >> 11) as f64 / (1u64 << 53) as f64
        };
        (even() - even()) * self.step
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dither_is_triangular_and_without_offset() {
        let mut dither = Dither::new(1.0);
        let values: Vec<f64> = (0..100_000).map(|_| dither.next()).collect();
        let mean = values.iter().sum::<f64>() / 1e5;
        let power = values.iter().map(|value| value * value).sum::<f64>() / 1e5;
        assert!(mean.abs() < 0.01 && (power - 1.0 / 6.0).abs() < 0.01, "{mean} {power}");
    }
}
