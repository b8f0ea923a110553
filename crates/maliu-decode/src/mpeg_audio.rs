//! MPEG-1/2/2.5 audio, layers I to III, through symphonia (ISO 11172-3, ISO 13818-3).

use std::borrow::Cow;

use maliu_core::{
    error::Result,
    packet::{Flags, Packet},
    stream::{Codec, StreamInfo},
    syntax::mpeg_audio::{HEADER, Header},
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
    Ok(Box::new(MpegAudio::default()))
}

#[derive(Default)]
pub(crate) struct MpegAudio {
    /// A decoder for frames of this kind; the library refuses any other kind. Boxed: its state is 8 KB.
    decoder: Option<Box<(Header, MpaDecoder)>>,
}

impl MpegAudio {
    /// Whether one decoder can decode frames of both kinds, one after the other.
    pub(crate) fn same(a: &Header, b: &Header) -> bool {
        a.same_kind(b) && a.channels() == b.channels()
    }

    /// A decoder for frames with this header.
    fn library(&mut self, header: Header) -> std::result::Result<&mut MpaDecoder, Fault> {
        let fits = self.decoder.take().filter(|decoder| Self::same(&decoder.0, &header));
        let decoder = match fits {
            Some(decoder) => decoder,
            None => Box::new((header, new_library(header.layer)?)),
        };
        Ok(&mut self.decoder.insert(decoder).1)
    }

    fn decode_frame(&mut self, header: Header, data: &[u8]) -> std::result::Result<AudioFrame, Error> {
        let decoder = self.library(header).map_err(|_| Error::Unsupported("MPEG audio"))?;
        let packet = PacketRef::new(0, Timestamp::new(0), Duration::new(0), data);
        decoder.decode_ref(&packet).map(|buffer| frame(&buffer))
    }
}

impl Unit for MpegAudio {
    fn decode(&mut self, packet: &Packet) -> std::result::Result<AudioFrame, Fault> {
        let header = Header::parse(&packet.data);
        let header = header.ok_or_else(|| Fault::Damaged("mpeg audio: no frame header".to_owned()))?;
        let Some(length) = header.frame_length() else {
            return match stretch(header, &packet.data) {
                Some((header, data)) => self.decode_frame(header, &data).map_err(fault),
                None => Err(Fault::Unsupported(format!("free-format MPEG audio layer {}", header.layer))),
            };
        };
        let exact = match packet.data.get(..length) {
            Some(data) => Cow::Borrowed(data),
            // The input ends inside this frame: whole frames are decoded.
            None if packet.flags.has(Flags::CORRUPT) => return Ok(AudioFrame::nothing()),
            // Encoders may leave out what is padding. To Huffman tables ones are mostly silence.
            None => Cow::Owned(resized(&packet.data, length, if header.layer == 3 { 0xff } else { 0 })),
        };
        match self.decode_frame(header, &exact) {
            // Some encoders let frames reach a few bits too far.
            Err(Error::IoError(why)) => match stretch(header, &exact) {
                Some((header, data)) => self.decode_frame(header, &data).map_err(fault),
                None => Err(fault(Error::IoError(why))),
            },
            done => done.map_err(fault),
        }
    }

    fn length(&self, packet: &Packet) -> Option<usize> {
        Header::parse(&packet.data).map(|header| header.samples() as usize)
    }

    fn overshoots(&self) -> bool {
        true
    }

    fn reset(&mut self) {
        self.decoder = None;
    }
}

/// The frame with zeros behind it, as a frame of the highest bit rate. Only where the rate means nothing but the length:
/// in layer I, and in layer II at low sampling rates. That also makes their free format decodable.
fn stretch(header: Header, data: &[u8]) -> Option<(Header, Vec<u8>)> {
    if header.layer == 3 || (header.layer == 2 && !header.is_low_rate()) {
        return None;
    }
    let header = Header { bitrate_index: HIGHEST_BIT_RATE, ..header };
    let length = header.frame_length().filter(|length| *length >= data.len())?;
    let mut data = resized(data, length, 0);
    data.get_mut(..HEADER)?.copy_from_slice(&header.build());
    Some((header, data))
}

const HIGHEST_BIT_RATE: u8 = 14;

fn resized(data: &[u8], length: usize, filler: u8) -> Vec<u8> {
    let mut data = data.to_vec();
    data.resize(length, filler);
    data
}

fn new_library(layer: u8) -> std::result::Result<MpaDecoder, Fault> {
    let mut parameters = AudioCodecParameters::new();
    parameters.for_codec(match layer {
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
