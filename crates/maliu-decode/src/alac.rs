//! ALAC by Symphonia's decoder.

use maliu_core::{
    error::{Error, Result},
    packet::Packet,
    stream::{Codec, StreamInfo},
};
use symphonia_codec_alac::AlacDecoder;
use symphonia_core::codecs::audio::{AudioDecoderOptions, well_known::CODEC_ID_ALAC};

use crate::{AudioFrame, Fault, Samples, Unit, symphonia::Library};

pub(crate) const CODECS: &[Codec] = &[Codec::Alac];

/// WAVE channel mask, and where its channels stand in the library's output, by number of channels.
const LAYOUTS: [(u32, Option<&[usize]>); 9] = [
    (0, None),
    (0x4, None),
    (0x3, None),
    (0x7, None),
    (0x107, None),
    (0x37, None),
    (0x3f, None),
    (0x13f, Some(&[0, 1, 2, 3, 5, 6, 4])),
    (0xff, Some(&[0, 1, 2, 3, 6, 7, 4, 5])),
];

pub(crate) fn make(info: &StreamInfo) -> Result<Box<dyn Unit>> {
    // The specific configuration, alone or in a box of the same name, and behind it the layout of channels.
    let config = &info.config;
    let body = if config.get(4..8) == Some(b"alac") { config.get(12..) } else { Some(&config[..]) };
    let cookie = body.and_then(|body| body.first_chunk::<24>());
    let Some(cookie @ &[_, _, _, _, _, _, _, _, _, channels, .., r0, r1, r2, r3]) = cookie else {
        return Err(Error::unsupported("ALAC without its configuration"));
    };
    let (mask, order) = LAYOUTS.get(usize::from(channels)).copied().unwrap_or_default();
    let rate = u32::from_be_bytes([r0, r1, r2, r3]);
    if channels == 0 || mask == 0 || rate == 0 {
        return Err(Error::unsupported(format!("ALAC of {channels} channels at {rate} Hz")));
    }
    let shell = AudioFrame::new(rate, channels.into(), Samples::I32(Vec::new())).with_channel_mask(mask);
    let make =
        |parameters: &_| Ok(Box::new(AlacDecoder::try_new(parameters, &AudioDecoderOptions::default())?) as Box<_>);
    let library = Library::new(CODEC_ID_ALAC, cookie, make, shell, order).map_err(Error::unsupported)?;
    Ok(Box::new(Alac(library)))
}

struct Alac(Library);

impl Unit for Alac {
    fn decode(&mut self, packet: &Packet) -> std::result::Result<AudioFrame, Fault> {
        self.0.decode(&packet.data)
    }

    fn most_bytes(&self) -> usize {
        crate::MAX_PLAIN_PACKET
    }
}
