//! MPEG-1/2/2.5 audio, layers I to III, through symphonia (ISO 11172-3, ISO 13818-3).

use maliu_core::{
    error::Result,
    packet::Packet,
    stream::{Codec, StreamInfo},
};
use symphonia_bundle_mp3::MpaDecoder;
use symphonia_core::{
    audio::{Audio, GenericAudioBufferRef},
    codecs::audio::{
        AudioCodecParameters, AudioDecoder, AudioDecoderOptions,
        well_known::{CODEC_ID_MP1, CODEC_ID_MP2, CODEC_ID_MP3},
    },
    errors::Error,
    packet::PacketRef,
    units::{Duration, Timestamp},
};

use crate::{AudioFrame, Fault, Samples, Unit, frame::interleave};

pub(crate) const CODECS: &[Codec] = &[Codec::Mp1, Codec::Mp2, Codec::Mp3];

pub(crate) fn make(_: &StreamInfo) -> Result<Box<dyn Unit>> {
    Ok(Box::new(MpegAudio { decoder: None }))
}

struct MpegAudio {
    /// A decoder for frames of this kind; the library refuses any other kind.
    decoder: Option<(Kind, MpaDecoder)>,
}

/// What must not change within one decoder of the library.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Kind {
    /// Version, layer and rate, as bits of the header.
    coding: u32,
    channels: u16,
}

impl Kind {
    fn of(header: u32) -> Self {
        Self { coding: header & 0x001e_0c00, channels: if header >> 6 & 3 == 3 { 1 } else { 2 } }
    }

    fn layer(self) -> u32 {
        4 - (self.coding >> 17 & 3)
    }

    fn is_mpeg1(self) -> bool {
        self.coding >> 19 & 3 == 3
    }

    /// Samples per channel of a frame.
    fn frame_size(self) -> usize {
        match self.layer() {
            1 => 384,
            3 if !self.is_mpeg1() => 576,
            _ => 1152,
        }
    }
}

impl Unit for MpegAudio {
    fn decode(&mut self, packet: &Packet) -> std::result::Result<AudioFrame, Fault> {
        let header = header(packet).ok_or_else(|| Fault::Damaged("mpeg audio: no frame header".to_owned()))?;
        if header >> 12 & 15 == 0 {
            return Err(Fault::Unsupported("decoding free-format MPEG audio".to_owned()));
        }
        let kind = Kind::of(header);
        if self.decoder.as_ref().is_none_or(|(known, _)| *known != kind) {
            self.decoder = Some((kind, library(kind)?));
        }
        let Some((_, decoder)) = &mut self.decoder else { return Err(Fault::Unsupported("MPEG audio".to_owned())) };
        let packet = PacketRef::new(0, Timestamp::new(0), Duration::new(0), &packet.data);
        let buffer = decoder.decode_ref(&packet).map_err(fault)?;
        Ok(frame(&buffer))
    }

    fn length(&self, packet: &Packet) -> Option<usize> {
        header(packet).map(|header| Kind::of(header).frame_size())
    }

    fn overshoots(&self) -> bool {
        true
    }

    fn reset(&mut self) {
        self.decoder = None;
    }
}

fn header(packet: &Packet) -> Option<u32> {
    let header = u32::from_be_bytes(*packet.data.first_chunk()?);
    (header >> 21 == 0x7ff).then_some(header)
}

fn library(kind: Kind) -> std::result::Result<MpaDecoder, Fault> {
    let mut parameters = AudioCodecParameters::new();
    parameters.for_codec(match kind.layer() {
        1 => CODEC_ID_MP1,
        2 => CODEC_ID_MP2,
        _ => CODEC_ID_MP3,
    });
    MpaDecoder::try_new(&parameters, &AudioDecoderOptions::default()).map_err(fault)
}

/// What an error of the library means.
fn fault(error: Error) -> Fault {
    match error {
        Error::Unsupported(what) => Fault::Unsupported(what.to_owned()),
        other => Fault::Damaged(other.to_string()),
    }
}

/// The library's buffer as a frame of ours.
fn frame(buffer: &GenericAudioBufferRef) -> AudioFrame {
    let mut planes = Vec::new();
    if let GenericAudioBufferRef::F32(buffer) = buffer {
        planes.extend(buffer.iter_planes());
    }
    AudioFrame {
        sample_rate: buffer.spec().rate(),
        channels: planes.len() as u16,
        channel_mask: 0,
        time: None,
        samples: Samples::F32(interleave(&planes)),
    }
}
