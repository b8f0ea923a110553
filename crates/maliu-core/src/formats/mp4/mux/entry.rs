//! Sample descriptions to be written: the box of each codec, from its configuration or from its first packet.

use alloc::{borrow::Cow, format, vec::Vec};

use core::num::NonZeroU32;

use bytes::Bytes;

use crate::{
    error::{Error, Result},
    stream::{Audio, Codec, Media, StreamInfo, Video},
    syntax::{
        annexb, h264, h265,
        isobmff::{boxes::Kind, codecs, write::Writer},
        mpeg_audio,
    },
};

use super::{config, settings::Brand};

/// Source of a description.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source<'a> {
    pub stream: &'a StreamInfo,
    /// Data of the first packet, or of the first key packet of video.
    pub data: &'a Bytes,
    pub brand: Brand,
    /// Parameter sets stay in the packets (`avc3`, `hev1`).
    pub in_band: bool,
}

/// Whether the format has a place for this codec.
pub(super) fn check(stream: &StreamInfo, index: usize, brand: Brand) -> Result<()> {
    let codec = stream.codec;
    if stream.encryption.is_some() {
        let what = format!("stream {index} is encrypted, which is not written; read it with its key");
        return Err(Error::mux(brand.name(), what));
    }
    let fits = match brand {
        Brand::M4a => matches!(
            codec,
            Codec::Aac | Codec::Alac | Codec::Mp3 | Codec::Ac3 | Codec::Eac3 | Codec::Flac | Codec::Opus
        ),
        _ => kind(stream, brand, false).is_some(),
    };
    if fits && !stream.takes_no_packets() {
        return Ok(());
    }
    let what = if stream.takes_no_packets() { "an attachment" } else { codec.name() };
    Err(Error::mux(brand.name(), format!("stream {index}: {what} has no place in this format")))
}

/// The name of the description; `None` when the codec cannot be carried.
fn kind(stream: &StreamInfo, brand: Brand, in_band: bool) -> Option<Kind> {
    let movie = brand == Brand::Mov;
    Some(match stream.codec {
        Codec::H264 if in_band => *b"avc3",
        Codec::H265 if in_band => *b"hev1",
        Codec::Aac | Codec::Vorbis => *b"mp4a",
        Codec::Mp3 | Codec::Mp2 if movie => {
            if stream.codec == Codec::Mp3 {
                *b".mp3"
            } else {
                *b".mp2"
            }
        }
        Codec::Mp3 | Codec::Mp2 | Codec::Mp1 => *b"mp4a",
        Codec::Mpeg1Video | Codec::Mpeg2Video | Codec::Mpeg4 | Codec::Png if !movie => *b"mp4v",
        Codec::Mpeg1Video => *b"m1v ",
        Codec::Mpeg2Video => *b"m2v1",
        Codec::Mjpeg if !movie => *b"mp4v",
        codec if is_pcm(codec) => pcm_kind(codec, movie)?,
        Codec::ProRes | Codec::DnxHd | Codec::Cfhd | Codec::DvVideo => {
            let tag = stream.codec_tag.map_or(0, NonZeroU32::get).to_le_bytes();
            codecs::of_name(tag).filter(|codec| *codec == stream.codec).map(|_| tag)?
        }
        Codec::Ac4 | Codec::TrueHd | Codec::MpegH | Codec::Dts | Codec::H266 if stream.config.is_empty() => {
            return None;
        }
        Codec::Data | Codec::Timecode | Codec::DvdSubtitle | Codec::RawVideo => return None,
        Codec::MovText | Codec::WebVtt | Codec::Ttml if stream.config.is_empty() => return None,
        Codec::AdpcmImaQt | Codec::Gsm | Codec::Mace3 | Codec::Mace6 | Codec::Qdm2 | Codec::Qdmc => return None,
        Codec::AdpcmMs | Codec::AdpcmImaWav | Codec::GsmMs | Codec::Svq1 | Codec::Svq3 | Codec::Cinepak => return None,
        codec => *codecs::NAMES.iter().find(|(_, known)| *known == codec)?.0,
    })
}

/// Whether samples of this codec are PCM that the format carries.
pub(super) fn is_pcm(codec: Codec) -> bool {
    pcm_kind(codec, true).is_some()
}

fn pcm_kind(codec: Codec, movie: bool) -> Option<Kind> {
    Some(match codec {
        Codec::PcmMuLaw => *b"ulaw",
        Codec::PcmALaw => *b"alaw",
        Codec::PcmU8 if movie => *b"raw ",
        Codec::PcmS8 if movie => *b"sowt",
        Codec::PcmS16Le if movie => *b"sowt",
        Codec::PcmS16Be if movie => *b"twos",
        Codec::PcmS24Le | Codec::PcmS24Be if movie => *b"in24",
        Codec::PcmS32Le | Codec::PcmS32Be if movie => *b"in32",
        Codec::PcmF32Le | Codec::PcmF32Be if movie => *b"fl32",
        Codec::PcmF64Le | Codec::PcmF64Be if movie => *b"fl64",
        Codec::PcmS16Le | Codec::PcmS16Be | Codec::PcmS24Le | Codec::PcmS24Be | Codec::PcmS32Le | Codec::PcmS32Be => {
            *b"ipcm"
        }
        Codec::PcmF32Le | Codec::PcmF32Be | Codec::PcmF64Le | Codec::PcmF64Be => *b"fpcm",
        _ => return None,
    })
}

/// Bits of a PCM sample, whether it is little-endian.
fn pcm_form(codec: Codec) -> (u8, bool) {
    match codec {
        Codec::PcmS16Le => (16, true),
        Codec::PcmS16Be => (16, false),
        Codec::PcmS24Le => (24, true),
        Codec::PcmS24Be => (24, false),
        Codec::PcmS32Le | Codec::PcmF32Le => (32, true),
        Codec::PcmS32Be | Codec::PcmF32Be => (32, false),
        Codec::PcmF64Le => (64, true),
        Codec::PcmF64Be => (64, false),
        _ => (8, true),
    }
}

/// Writes the description of a stream.
///
/// # Errors
/// [`Error::Mux`] when its configuration is not there and cannot be made from the packet.
pub(super) fn write(w: &mut Writer, source: &Source, index: usize) -> Result<()> {
    let stream = source.stream;
    let refused = |what: &str| Error::mux(source.brand.name(), format!("stream {index}: {} {what}", stream.codec));
    let kind = kind(stream, source.brand, source.in_band).ok_or_else(|| refused("has no place in this format"))?;
    let boxes = boxes(source).ok_or_else(|| refused("has no configuration, and its first packet does not give one"))?;
    match &stream.media {
        Media::Video(video) => w.boxed(&kind, |w| visual(w, video, &boxes)),
        Media::Audio(audio) => w.boxed(&kind, |w| sound(w, stream, audio, source.brand, &boxes)),
        _ => w.boxed(&kind, |w| {
            w.zeros(6);
            w.u16(1);
            w.bytes(&stream.config);
        }),
    }
    Ok(())
}

/// The boxes behind the fixed part.
fn boxes(source: &Source) -> Option<Vec<u8>> {
    let (stream, data) = (source.stream, source.data);
    let config = &stream.config;
    let mut w = Writer::new();
    let whole = |w: &mut Writer, kind: &Kind, body: &[u8]| w.boxed(kind, |w| w.bytes(body));
    match stream.codec {
        Codec::H264 => whole(&mut w, b"avcC", &record(stream.codec, config, data)?),
        Codec::H265 => whole(&mut w, b"hvcC", &complete(record(stream.codec, config, data)?, source.in_band)),
        Codec::H266 => w.full(b"vvcC", 0, 0, |w| w.bytes(config)),
        Codec::Av1 => whole(&mut w, b"av1C", &config::av1(config, data)?),
        Codec::Vp9 | Codec::Vp8 => {
            let body = config::vp9(stream.codec, config, data, stream)?;
            w.full(b"vpcC", 1, 0, |w| w.bytes(&body));
        }
        Codec::Mpeg4 => es(&mut w, 0x20, stream, config),
        Codec::Mpeg2Video if source.brand != Brand::Mov => es(&mut w, 0x61, stream, config),
        Codec::Mpeg1Video if source.brand != Brand::Mov => es(&mut w, 0x6a, stream, config),
        Codec::Mjpeg if source.brand != Brand::Mov => es(&mut w, 0x6c, stream, &[]),
        Codec::Png if source.brand != Brand::Mov => es(&mut w, 0x6d, stream, &[]),
        Codec::Aac if config.is_empty() => return None,
        Codec::Aac => es(&mut w, 0x40, stream, config),
        Codec::Vorbis if config.is_empty() => return None,
        Codec::Vorbis => es(&mut w, 0xdd, stream, config),
        Codec::Mp1 | Codec::Mp2 | Codec::Mp3 if source.brand != Brand::Mov => {
            let low = mpeg_audio::Header::parse(data).is_some_and(|header| header.is_low_rate());
            es(&mut w, if low { 0x69 } else { 0x6b }, stream, &[]);
        }
        Codec::Ac3 => whole(&mut w, b"dac3", &config::ac3(config, data)?),
        Codec::Eac3 => whole(&mut w, b"dec3", &config::eac3(config, data, stream)?),
        Codec::Opus => whole(&mut w, b"dOps", &config::opus(config, stream)?),
        Codec::Flac => {
            let info = config::flac(config)?;
            w.full(b"dfLa", 0, 0, |w| {
                w.u32(0x8000_0000 | info.len() as u32);
                w.bytes(info);
            });
        }
        Codec::Alac => w.bytes(&config::alac(config)?),
        Codec::AmrNb | Codec::AmrWb => whole(&mut w, b"damr", b"mali\0\x83\xff\0\x01"),
        Codec::Dts => whole(&mut w, b"ddts", config),
        Codec::Ac4 => whole(&mut w, b"dac4", config),
        Codec::TrueHd => whole(&mut w, b"dmlp", config),
        Codec::MpegH => whole(&mut w, b"mhaC", config),
        codec if is_pcm(codec) && source.brand != Brand::Mov && !matches!(codec, Codec::PcmALaw | Codec::PcmMuLaw) => {
            let (bits, little) = pcm_form(codec);
            w.full(b"pcmC", 0, 0, |w| {
                w.u8(u8::from(little));
                w.u8(bits);
            });
        }
        _ => {}
    }
    Some(w.finish())
}

/// avcC or hvcC: as it is, or of Annex B parameter sets, or of those in the first packet.
fn record(codec: Codec, config: &Bytes, data: &Bytes) -> Option<Bytes> {
    let build = |sets: &Bytes| match codec {
        Codec::H264 => h264::build_config(sets).ok(),
        _ => h265::build_config(sets).ok(),
    };
    let stated = if config.first() == Some(&1) { Some(config.clone()) } else { build(config) };
    stated.or_else(|| build(&annexb::parameter_sets(codec, data)))
}

/// array_completeness of hvcC: with `hvc1` all sets are in it.
fn complete(record: Bytes, in_band: bool) -> Vec<u8> {
    let mut record = record.to_vec();
    let count = record.get(22).copied().unwrap_or(0);
    let mut at = 23;
    for _ in 0..count {
        let Some(&[kind, high, low]) = record.get(at..at + 3).and_then(|head| head.first_chunk::<3>()) else { break };
        if let Some(place) = record.get_mut(at) {
            let sets = matches!(kind & 0x3f, 32..=34);
            *place = (kind & 0x3f) | if sets && !in_band { 0x80 } else { 0 };
        }
        at += 3;
        for _ in 0..u16::from_be_bytes([high, low]) {
            let Some(&[high, low]) = record.get(at..at + 2).and_then(|head| head.first_chunk::<2>()) else { break };
            at += 2 + usize::from(u16::from_be_bytes([high, low]));
        }
    }
    record
}

/// An elementary stream descriptor.
fn es(w: &mut Writer, object_type: u8, stream: &StreamInfo, config: &[u8]) {
    let descriptor = |w: &mut Writer, tag: u8, body: &[u8]| {
        w.u8(tag);
        let length = body.len() as u32;
        w.bytes(&[21, 14, 7].map(|shift| (length >> shift & 0x7f) as u8 | 0x80));
        w.u8((length & 0x7f) as u8);
        w.bytes(body);
    };
    let video = matches!(stream.media, Media::Video(_));
    let rate = u32::try_from(stream.bit_rate.unwrap_or(0)).unwrap_or(0);
    let mut decoder = Writer::new();
    decoder.u8(object_type);
    decoder.u8(if video { 0x11 } else { 0x15 });
    decoder.u24(0);
    decoder.u32(rate);
    decoder.u32(rate);
    if !config.is_empty() {
        descriptor(&mut decoder, 5, config);
    }
    let mut body = Writer::new();
    body.u16(0);
    body.u8(0);
    descriptor(&mut body, 4, &decoder.finish());
    descriptor(&mut body, 6, &[2]);
    let body = body.finish();
    w.full(b"esds", 0, 0, |w| descriptor(w, 3, &body));
}

fn visual(w: &mut Writer, video: &Video, boxes: &[u8]) {
    let size = |value: u32| u16::try_from(value).unwrap_or(u16::MAX);
    w.zeros(6);
    w.u16(1);
    w.zeros(16);
    w.u16(size(video.size().0));
    w.u16(size(video.size().1));
    w.u32(72 << 16);
    w.u32(72 << 16);
    w.u32(0);
    w.u16(1);
    w.zeros(32);
    w.u16(24);
    w.u16(u16::MAX);
    w.bytes(boxes);
    if let Some((wide, high)) = video.pixel_aspect {
        w.boxed(b"pasp", |w| {
            w.u32(wide);
            w.u32(high);
        });
    }
    if let Some(color) = video.color {
        w.boxed(b"colr", |w| {
            w.bytes(if color.full_range.is_some() { b"nclx" } else { b"nclc" });
            for number in [color.primaries, color.transfer, color.matrix] {
                w.u16(number.into());
            }
            if let Some(full) = color.full_range {
                w.u8(u8::from(full) << 7);
            }
        });
    }
    if let Some(hdr) = &video.hdr {
        dynamic_range(w, hdr);
    }
}

fn dynamic_range(w: &mut Writer, hdr: &crate::stream::Hdr) {
    if let Some(mastering) = hdr.mastering {
        w.boxed(b"mdcv", |w| {
            for (x, y) in mastering.primaries.into_iter().chain([mastering.white]) {
                w.u16(x);
                w.u16(y);
            }
            w.u32(mastering.max);
            w.u32(mastering.min);
        });
    }
    if let Some((content, average)) = hdr.light {
        w.boxed(b"clli", |w| {
            w.u16(content);
            w.u16(average);
        });
    }
    if let Some(vision) = hdr.dolby_vision {
        w.boxed(if vision.profile > 7 { b"dvvC" } else { b"dvcC" }, |w| {
            w.u8(vision.version.0);
            w.u8(vision.version.1);
            let marks = u16::from(vision.rpu) << 2 | u16::from(vision.enhancement) << 1 | u16::from(vision.base);
            w.u16(u16::from(vision.profile) << 9 | u16::from(vision.level & 63) << 3 | marks);
            w.u8(vision.compatibility << 4);
            w.zeros(19);
        });
    }
}

fn sound(w: &mut Writer, stream: &StreamInfo, audio: &Audio, brand: Brand, boxes: &[u8]) {
    let codec = stream.codec;
    let (bits, little) = pcm_form(codec);
    let pcm = is_pcm(codec);
    // QuickTime's second version covers samples that are wider than 16 bits.
    let extended = brand == Brand::Mov && pcm && bits > 16;
    let stated = match codec {
        _ if extended => 16,
        _ if pcm => bits.into(),
        Codec::Flac | Codec::Alac if audio.bits_per_sample > 0 => audio.bits_per_sample,
        _ => 16,
    };
    let rate = if codec == Codec::Opus { 48_000 } else { audio.rate() };
    w.zeros(6);
    w.u16(1);
    w.u16(u16::from(extended));
    w.zeros(6);
    w.u16(audio.channel_count());
    w.u16(stated);
    w.u32(0);
    w.u32(if rate > u32::from(u16::MAX) { 0 } else { rate << 16 });
    if extended {
        let bytes = u32::from(bits / 8);
        w.u32(1);
        w.u32(bytes);
        w.u32(bytes.saturating_mul(audio.channel_count().into()));
        w.u32(2);
        w.boxed(b"wave", |w| {
            let kind = pcm_kind(codec, true).unwrap_or_default();
            w.boxed(b"frma", |w| w.bytes(&kind));
            w.boxed(b"enda", |w| w.u16(u16::from(little)));
            w.boxed(&[0; 4], |_| {});
        });
    }
    w.bytes(boxes);
}

/// Parameter sets of H.265 that the description holds are taken out of a packet of `hvc1`.
pub(super) fn without_sets<'a>(data: &'a Bytes, config: &[u8]) -> Cow<'a, Bytes> {
    let is_set = |unit: &[u8]| unit.first().is_some_and(|head| matches!(head >> 1 & 0x3f, 32..=34));
    let held = |unit: &[u8]| is_set(unit) && memchr::memmem::find(config, unit).is_some();
    let mut units = annexb::lengths(data, 4);
    if !units.by_ref().any(held) {
        return Cow::Borrowed(data);
    }
    let mut out = Vec::with_capacity(data.len());
    for unit in annexb::lengths(data, 4).filter(|unit| !held(unit)) {
        out.extend_from_slice(&(unit.len() as u32).to_be_bytes());
        out.extend_from_slice(unit);
    }
    Cow::Owned(out.into())
}
