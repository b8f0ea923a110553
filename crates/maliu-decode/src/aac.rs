//! AAC through maliu-aac (ISO 14496-3).

use maliu_aac::{Config, Decoder, Frame};
use maliu_core::{
    error::{Error, Result},
    packet::Packet,
    stream::{Codec, StreamInfo},
    time::{Rounding, TimeBase},
};

use crate::{AudioFrame, Fault, Options, Profile, Samples, Unit, frame::interleave};

pub(crate) const CODECS: &[Codec] = &[Codec::Aac];

pub(crate) fn make(info: &StreamInfo) -> Result<Box<dyn Unit>> {
    let decoder = Decoder::new(config(info)?).map_err(refused)?;
    Ok(Box::new(Aac { decoder, base: info.time_base }))
}

/// The configuration that a stream is decoded by.
pub(crate) fn config(info: &StreamInfo) -> Result<Config> {
    match *info.config {
        [] => assumed(info),
        // Encoders say SSR in ADTS over plain LC; only units with its gain control are refused.
        [first, second, ..] if first >> 3 == SSR => {
            Config::from_adts(SSR, (first & 7) << 1 | second >> 7, second >> 3 & 15).map_err(refused)
        }
        _ => Config::parse(&info.config).map_err(refused),
    }
}

fn refused(error: maliu_aac::Error) -> Error {
    Error::unsupported(error.to_string())
}

/// Containers whose AudioSpecificConfig was lost mostly carry LC of the rate and channels that they say.
fn assumed(info: &StreamInfo) -> Result<Config> {
    let rate = info.as_audio().and_then(|audio| RATES.iter().position(|rate| *rate == audio.rate()));
    let channels = info
        .as_audio()
        .and_then(|audio| u8::try_from(audio.channel_count()).ok())
        .filter(|count| (1..=7).contains(count));
    let config = rate.zip(channels).and_then(|(rate, channels)| Config::from_adts(2, rate as u8, channels).ok());
    config.ok_or_else(|| Error::unsupported("AAC without an AudioSpecificConfig"))
}

/// samplingFrequencyIndex (ISO 14496-3 table 1.18).
const RATES: [u32; 13] =
    [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];

/// Audio object type of the scalable sampling rate profile.
const SSR: u8 = 3;

struct Aac {
    decoder: Decoder,
    base: TimeBase,
}

/// Those of the options that the decoder of AAC follows.
pub(crate) fn own(options: Options) -> maliu_aac::Options {
    let mut own = maliu_aac::Options::default();
    (own.drc, own.widen) = (options.drc, options.widen);
    own
}

pub(crate) fn profile(config: &Config) -> Profile {
    Profile { name: config.profile_name(), core_rate: config.sample_rate }
}

/// Raw data blocks in a packet: an ADTS frame may hold four, and only its length in time tells. A length that is no
/// multiple of a block, up to the rounding of containers that count in ms, says nothing: MP4 stretches a packet over a gap.
pub(crate) fn blocks(config: &Config, base: TimeBase, packet: &Packet) -> u8 {
    let samples = base.rescale(packet.duration.unwrap_or_default(), TimeBase::hz(config.sample_rate), Rounding::Near).0;
    let (length, slack) = (i64::from(config.frame_length.max(1)), i64::from(config.sample_rate / 1000 + 1));
    match (samples + slack) / length {
        blocks @ 2..=4 if (samples - blocks * length).abs() <= slack => blocks as u8,
        _ => 1,
    }
}

/// faac says in its first unit that it is faac, whose delay FFmpeg drops.
pub(crate) fn delay(config: &Config, packet: &Packet) -> usize {
    let head = packet.data.get(..64).unwrap_or(&packet.data);
    let by_faac = head.windows(8).any(|text| text == b"libfaac ");
    if by_faac { usize::from(config.frame_length) } else { 0 }
}

impl Unit for Aac {
    fn decode(&mut self, packet: &Packet) -> std::result::Result<AudioFrame, Fault> {
        let mut whole = AudioFrame::nothing();
        let blocks = blocks(self.decoder.config(), self.base, packet);
        let done = match blocks {
            1 => self.decoder.decode(&packet.data).map(|frame| whole = interleaved(&frame)),
            _ => self.decoder.decode_blocks(&packet.data, blocks, |frame| match whole.channels {
                0 => whole = interleaved(&frame),
                _ => whole.append(interleaved(&frame)),
            }),
        };
        match done {
            // A unit of fill only, as faac starts with: no sound, and no damage.
            Ok(()) | Err(maliu_aac::Error::NoSound) => Ok(whole),
            Err(error) => Err(fault(error)),
        }
    }

    fn conceal(&mut self) -> Option<AudioFrame> {
        heard(&self.decoder.conceal())
    }

    fn delay(&self, packet: &Packet) -> usize {
        delay(self.decoder.config(), packet)
    }

    fn overshoots(&self) -> bool {
        true
    }

    fn reset(&mut self) {
        self.decoder.reset();
    }

    fn set_options(&mut self, options: Options) {
        self.decoder.set_options(own(options));
    }

    fn profile(&self) -> Option<Profile> {
        Some(profile(self.decoder.config()))
    }
}

pub(crate) fn fault(error: maliu_aac::Error) -> Fault {
    match error {
        maliu_aac::Error::Unsupported(_) => Fault::Unsupported(error.to_string()),
        other => Fault::Damaged(other.to_string()),
    }
}

/// Sound in the place of a damaged packet, if there is any.
pub(crate) fn heard(frame: &Frame) -> Option<AudioFrame> {
    Some(interleaved(frame)).filter(|frame| frame.channels > 0 && !frame.is_empty())
}

pub(crate) fn interleaved(frame: &Frame) -> AudioFrame {
    let planes: Vec<_> = (0..frame.channels()).map(|channel| frame.channel(channel)).collect();
    AudioFrame::new(frame.sample_rate, planes.len() as u16, Samples::F32(interleave(&planes)))
        .with_channel_mask(frame.layout.mask)
}

#[cfg(test)]
mod tests {
    use maliu_core::time::Ticks;

    use super::*;

    #[test]
    fn a_length_that_is_no_multiple_of_a_block_means_one_block() {
        let config = Config::from_adts(2, 4, 2).expect("44.1 kHz stereo");
        let count = |ticks, base| {
            let packet = Packet::of(0, "").with_duration(Ticks(ticks));
            blocks(&config, base, &packet)
        };
        let samples = TimeBase::hz(44_100);
        assert_eq!([1024, 2048, 3528, 4096].map(|ticks| count(ticks, samples)), [1, 2, 1, 4]);
        assert_eq!([23, 46, 70, 80].map(|ticks| count(ticks, TimeBase::MILLIS)), [1, 2, 3, 1]);
    }
}
