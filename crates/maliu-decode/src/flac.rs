//! FLAC (RFC 9639) by Symphonia's decoder, behind a check of each frame's CRC-16.

use maliu_core::{
    error::{Error, Result},
    packet::Packet,
    stream::{Codec, StreamInfo},
    syntax::flac,
};
use symphonia_bundle_flac::FlacDecoder;
use symphonia_core::codecs::audio::{AudioDecoderOptions, well_known::CODEC_ID_FLAC};

use crate::{AudioFrame, Fault, Samples, Unit, symphonia::Library, vorbis};

pub(crate) const CODECS: &[Codec] = &[Codec::Flac];

pub(crate) fn make(info: &StreamInfo) -> Result<Box<dyn Unit>> {
    let body =
        flac::stream_info(&info.config).ok_or_else(|| Error::unsupported("FLAC without its STREAMINFO block"))?;
    let facts = flac::StreamInfoBlock::parse(body)
        .ok_or_else(|| Error::unsupported("FLAC with a STREAMINFO block that cannot be read"))?;
    // RFC 9639 §9.1.3 has the layouts of Vorbis, in the order of WAVE.
    let declared = info.as_audio().map_or(0, |audio| audio.channel_mask);
    let standard = vorbis::MASKS.get(usize::from(facts.channels)).copied().unwrap_or(0);
    let mask = if declared.count_ones() == u32::from(facts.channels) { declared } else { standard };
    let shell = AudioFrame::new(facts.rate, facts.channels, Samples::I32(Vec::new())).with_channel_mask(mask);
    let make = |parameters: &_| {
        Ok(Box::new(FlacDecoder::try_new(parameters, &AudioDecoderOptions::default().verify(false))?) as Box<_>)
    };
    let library = Library::new(CODEC_ID_FLAC, body, make, shell, None).map_err(Error::unsupported)?;
    Ok(Box::new(Flac(library)))
}

struct Flac(Library);

impl Unit for Flac {
    fn decode(&mut self, packet: &Packet) -> std::result::Result<AudioFrame, Fault> {
        // Streams in Ogg may end with an empty packet.
        if packet.data.is_empty() {
            return Ok(AudioFrame::nothing());
        }
        if flac::crc16(0, &packet.data) != 0 {
            return Err(Fault::Damaged("flac: wrong CRC-16 of a frame".to_owned()));
        }
        self.0.decode(&packet.data)
    }

    fn length(&self, packet: &Packet) -> Option<usize> {
        match flac::front(&packet.data) {
            flac::Front::Header(header) => usize::try_from(header.samples).ok(),
            _ => None,
        }
    }

    fn most_bytes(&self) -> usize {
        crate::MAX_PLAIN_PACKET
    }
}
