//! CodecPrivate of a stream: its configuration in the form of Matroska.

use alloc::{borrow::Cow, vec::Vec};

use bytes::Bytes;

use crate::{
    error::{Error, Result},
    stream::{Codec, StreamInfo},
    syntax::{annexb, av1, h264, h265, riff::WaveFormat},
};

/// The codec identifier of a stream, and what stands in CodecPrivate, if anything does.
pub(super) struct Private<'a> {
    pub name: &'static str,
    pub data: Cow<'a, [u8]>,
}

/// Whether the configuration of the stream must come from its first packet.
pub(super) fn is_missing(stream: &StreamInfo) -> bool {
    match stream.codec {
        Codec::H264 | Codec::H265 | Codec::Aac => stream.config.is_empty(),
        Codec::Av1 => stream.config.first() != Some(&0x81) || stream.config.len() < 4,
        _ => false,
    }
}

/// The configuration that a packet brings; `None` when it brings none.
pub(super) fn from_packet(codec: Codec, data: &Bytes) -> Option<Bytes> {
    match codec {
        Codec::Av1 => av1::build_config(data).map(Bytes::from),
        Codec::H264 | Codec::H265 => Some(annexb::parameter_sets(codec, data)).filter(|sets| !sets.is_empty()),
        _ => None,
    }
}

/// Identifier and private data of a stream.
///
/// # Errors
/// [`Error::Mux`] when its codec is not carried, or its configuration is missing.
pub(super) fn of<'a>(stream: &'a StreamInfo, format: &'static str) -> Result<Private<'a>> {
    let refuse = |why: &str| Error::mux(format, alloc::format!("{}: {why}", stream.codec));
    let config = &stream.config;
    let Some(name) = super::super::codecs::name_of(stream.codec).filter(|_| stream.codec != Codec::RawVideo) else {
        let data = wave(stream).ok_or_else(|| refuse("this codec is not carried"))?;
        return Ok(Private { name: "A_MS/ACM", data: Cow::Owned(data) });
    };
    let built = |built: core::result::Result<Bytes, _>| match built {
        Ok(config) => Ok(Cow::Owned(config.to_vec())),
        Err(_) => Err(refuse("no parameter sets, which CodecPrivate must hold")),
    };
    let data = match stream.codec {
        Codec::H264 if config.first() != Some(&1) => built(h264::build_config(config).map_err(drop))?,
        Codec::H265 if config.first() != Some(&1) => built(h265::build_config(config).map_err(drop))?,
        Codec::Aac if config.is_empty() => return Err(refuse("no AudioSpecificConfig, which CodecPrivate must hold")),
        Codec::Av1 if is_missing(stream) => return Err(refuse("no sequence header, which CodecPrivate must hold")),
        Codec::Flac => {
            let info = config.strip_prefix(b"fLaC").and_then(|blocks| blocks.get(4..)).unwrap_or(config);
            let info = info.get(..34).ok_or_else(|| refuse("no STREAMINFO, which CodecPrivate must hold"))?;
            // The one metadata block is the last one.
            Cow::Owned([&b"fLaC\x80\0\0\x22"[..], info].concat())
        }
        Codec::Alac => match config.len() {
            24 => Cow::Borrowed(&config[..]),
            _ => Cow::Borrowed(config.get(12..36).ok_or_else(|| refuse("no configuration"))?),
        },
        Codec::Vorbis | Codec::Theora if config.is_empty() => {
            return Err(refuse("no headers, which CodecPrivate must hold"));
        }
        Codec::Opus => match config.starts_with(b"OpusHead") {
            true => Cow::Borrowed(&config[..]),
            false => {
                let channels = stream.as_audio().map_or(0, |audio| audio.channel_count());
                let head = u8::try_from(channels).ok().and_then(crate::syntax::opus::head);
                Cow::Owned(head.ok_or_else(|| refuse("no OpusHead, and no channel count to make one of"))?)
            }
        },
        Codec::ProRes if config.len() != 4 => {
            Cow::Owned(stream.codec_tag.map_or(*b"apcn", |tag| tag.get().to_le_bytes()).to_vec())
        }
        // Configurations of other containers have no place here.
        Codec::Vp8 | Codec::Vp9 | Codec::Ac3 | Codec::Eac3 | Codec::Dts | Codec::Mp3 | Codec::Mp2 | Codec::Mp1 => {
            Cow::Borrowed(&[][..])
        }
        _ => Cow::Borrowed(&config[..]),
    };
    Ok(Private { name, data })
}

/// WAVEFORMATEX of a codec that has a tag there.
fn wave(stream: &StreamInfo) -> Option<Vec<u8>> {
    let audio = stream.as_audio()?;
    let bits = crate::timing::stored_bits(stream.codec).max(audio.bits_per_sample.into());
    let format = WaveFormat {
        tag: WaveFormat::tag_of(stream.codec)?,
        channels: audio.channel_count(),
        sample_rate: audio.rate(),
        bytes_per_second: u32::try_from(stream.bit_rate.unwrap_or(0) / 8).unwrap_or(0),
        block_align: u16::try_from(audio.block_align).ok()?,
        bits_per_sample: u16::try_from(bits).ok()?,
        channel_mask: None,
        extra: stream.config.to_vec(),
    };
    Some(format.build())
}
