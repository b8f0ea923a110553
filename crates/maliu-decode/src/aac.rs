//! AAC through maliu-aac (ISO 14496-3).

use maliu_aac::{Config, Decoder, Frame};
use maliu_core::{
    error::{Error, Result},
    packet::Packet,
    stream::{Codec, StreamInfo},
    time::{Rounding, TimeBase},
};

use crate::{AudioFrame, Fault, Samples, Unit};

pub(crate) const CODECS: &[Codec] = &[Codec::Aac];

pub(crate) fn make(info: &StreamInfo) -> Result<Box<dyn Unit>> {
    let refused = |error: maliu_aac::Error| Error::unsupported(error.to_string());
    let config = if info.config.is_empty() { assumed(info)? } else { Config::parse(&info.config).map_err(refused)? };
    let decoder = Decoder::new(config).map_err(refused)?;
    Ok(Box::new(Aac { decoder, base: info.time_base }))
}

/// Containers whose AudioSpecificConfig was lost mostly carry LC of the rate and channels that they say.
fn assumed(info: &StreamInfo) -> Result<Config> {
    let rate = info.audio().and_then(|audio| RATES.iter().position(|rate| *rate == audio.sample_rate));
    let channels =
        info.audio().and_then(|audio| u8::try_from(audio.channels).ok()).filter(|count| (1..=7).contains(count));
    let config = rate.zip(channels).and_then(|(rate, channels)| Config::from_adts(2, rate as u8, channels).ok());
    config.ok_or_else(|| Error::unsupported("AAC without an AudioSpecificConfig"))
}

/// samplingFrequencyIndex (ISO 14496-3 table 1.18).
const RATES: [u32; 13] =
    [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];

struct Aac {
    decoder: Decoder,
    base: TimeBase,
}

impl Aac {
    /// Raw data blocks in a packet: an ADTS frame may hold four, and only its length in time tells.
    fn blocks(&self, packet: &Packet) -> u8 {
        let config = self.decoder.config();
        let samples = self.base.rescale(packet.duration, TimeBase::hz(config.sample_rate), Rounding::Near).0;
        match samples / i64::from(config.frame_length.max(1)) {
            blocks @ 2..=4 => blocks as u8,
            _ => 1,
        }
    }
}

impl Unit for Aac {
    fn decode(&mut self, packet: &Packet) -> std::result::Result<AudioFrame, Fault> {
        let blocks = self.blocks(packet);
        if blocks == 1 {
            return self.decoder.decode(&packet.data).map(|frame| interleaved(&frame)).map_err(fault);
        }
        let mut whole: Option<AudioFrame> = None;
        let done = self.decoder.decode_blocks(&packet.data, blocks, |frame| {
            let next = interleaved(&frame);
            match &mut whole {
                Some(whole) => whole.append(next),
                None => whole = Some(next),
            }
        });
        match (whole, done) {
            (Some(whole), Ok(())) => Ok(whole),
            (_, Err(error)) => Err(fault(error)),
            (None, Ok(())) => Err(fault(maliu_aac::Error::NoSound)),
        }
    }

    fn conceal(&mut self) -> Option<AudioFrame> {
        Some(interleaved(&self.decoder.conceal())).filter(|frame| frame.channels > 0 && !frame.is_empty())
    }

    fn overshoots(&self) -> bool {
        true
    }

    fn reset(&mut self) {
        self.decoder.reset();
    }
}

fn fault(error: maliu_aac::Error) -> Fault {
    match error {
        maliu_aac::Error::Unsupported(_) => Fault::Unsupported(error.to_string()),
        other => Fault::Damaged(other.to_string()),
    }
}

fn interleaved(frame: &Frame) -> AudioFrame {
    let channels = frame.channels();
    let mut samples = vec![0.0; channels * frame.samples()];
    for channel in 0..channels {
        let places = samples.iter_mut().skip(channel).step_by(channels);
        places.zip(frame.channel(channel)).for_each(|(place, sample)| *place = *sample);
    }
    AudioFrame {
        sample_rate: frame.sample_rate,
        channels: channels as u16,
        channel_mask: frame.layout.mask,
        time: None,
        samples: Samples::F32(samples),
    }
}
