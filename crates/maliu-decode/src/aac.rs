//! AAC through maliu-aac (ISO 14496-3).

use maliu_aac::{Config, Decoder, Frame};
use maliu_core::{
    error::{Error, Result},
    packet::Packet,
    stream::{Codec, StreamInfo},
    time::{Rounding, TimeBase},
};

use crate::{AudioFrame, Fault, Samples, Unit, frame::interleave};

pub(crate) const CODECS: &[Codec] = &[Codec::Aac];

pub(crate) fn make(info: &StreamInfo) -> Result<Box<dyn Unit>> {
    if info.config.is_empty() {
        return Err(Error::unsupported("AAC without an AudioSpecificConfig"));
    }
    let refused = |error: maliu_aac::Error| Error::unsupported(error.to_string());
    let decoder = Config::parse(&info.config).and_then(Decoder::new).map_err(refused)?;
    Ok(Box::new(Aac { decoder, base: info.time_base }))
}

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

    /// faac says in its first unit that it is faac, whose delay FFmpeg drops.
    fn delay(&self, packet: &Packet) -> usize {
        let head = packet.data.get(..64).unwrap_or(&packet.data);
        let by_faac = head.windows(8).any(|text| text == b"libfaac ");
        if by_faac { usize::from(self.decoder.config().frame_length) } else { 0 }
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
    let planes: Vec<_> = (0..frame.channels()).map(|channel| frame.channel(channel)).collect();
    AudioFrame {
        sample_rate: frame.sample_rate,
        channels: planes.len() as u16,
        channel_mask: frame.layout.mask,
        time: None,
        samples: Samples::F32(interleave(&planes)),
    }
}
