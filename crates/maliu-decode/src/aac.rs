//! AAC-LC mono and stereo, through symphonia (ISO 14496-3).

use maliu_core::{
    error::{Error, Result},
    packet::Packet,
    stream::{Codec, StreamInfo},
};
use symphonia_codec_aac::AacDecoder;
use symphonia_core::{
    codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions, well_known::CODEC_ID_AAC},
    packet::PacketRef,
    units::{Duration, Timestamp},
};

use crate::{
    AudioFrame, Fault, Unit,
    mpeg_audio::{fault, frame},
};

pub(crate) const CODECS: &[Codec] = &[Codec::Aac];

pub(crate) fn make(info: &StreamInfo) -> Result<Box<dyn Unit>> {
    let config = info.config.to_vec();
    let mut unit = Aac { decoder: None, config, channels: 0 };
    unit.open()?;
    Ok(Box::new(unit))
}

struct Aac {
    decoder: Option<AacDecoder>,
    config: Vec<u8>,
    channels: u16,
}

impl Aac {
    fn open(&mut self) -> Result<()> {
        let &[first, second, ..] = self.config.as_slice() else {
            return Err(Error::unsupported("AAC without an AudioSpecificConfig"));
        };
        let lacking = match (first >> 3, second >> 3 & 15) {
            (1, _) => "AAC Main profile",
            (3, _) => "AAC SSR profile",
            (4, _) => "AAC LTP profile",
            (5, _) => "HE-AAC (SBR)",
            (29, _) => "HE-AAC v2 (PS)",
            (2, 0) => "AAC with a program configuration element",
            (2, 1 | 2) if second & 4 != 0 => "AAC with frames of 960 samples",
            (2, channels @ (1 | 2)) => {
                self.channels = u16::from(channels);
                return self.start();
            }
            (2, _) => "AAC with more than two channels",
            _ => "this AAC object type",
        };
        Err(Error::unsupported(format!("decoding {lacking}")))
    }

    fn start(&mut self) -> Result<()> {
        let mut parameters = AudioCodecParameters::new();
        parameters.for_codec(CODEC_ID_AAC).with_extra_data(self.config.clone().into());
        let decoder = AacDecoder::try_new(&parameters, &AudioDecoderOptions::default());
        self.decoder = Some(decoder.map_err(|error| Error::unsupported(format!("decoding {error}")))?);
        Ok(())
    }
}

impl Unit for Aac {
    fn decode(&mut self, packet: &Packet) -> std::result::Result<AudioFrame, Fault> {
        let Some(decoder) = &mut self.decoder else { return Err(Fault::Unsupported("AAC".to_owned())) };
        let data = PacketRef::new(0, Timestamp::new(0), Duration::new(0), &packet.data);
        let buffer = decoder.decode_ref(&data).map_err(fault)?;
        Ok(frame(&buffer, self.channels))
    }

    fn length(&self, _: &Packet) -> Option<usize> {
        Some(1024)
    }

    fn overshoots(&self) -> bool {
        true
    }

    fn reset(&mut self) {
        // The library's own reset keeps the state of its noise generator.
        let _ = self.start();
    }
}
