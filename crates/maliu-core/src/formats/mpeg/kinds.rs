//! Which codec a stream has: by its stream_type and descriptors, or by its content where no map names it.

use bytes::Bytes;

use super::types::{self, PRIVATE_DATA};
use crate::{
    stream::{Audio, Codec, Kind, Media, StreamInfo, Video},
    syntax::{
        aac::AdtsHeader,
        ac3, annexb, dts,
        latm::LoasHeader,
        mpeg_audio, opus,
        psi::{Descriptor, Elementary},
    },
    time::TimeBase,
};

/// The ticks of all times.
pub(super) const BASE: TimeBase = TimeBase::hz(90_000);

/// Meaning of registrations of streams of private data (SMPTE registration authority).
const REGISTRATIONS: &[(&[u8; 4], Codec)] = &[
    (b"AC-3", Codec::Ac3),
    (b"EAC3", Codec::Eac3),
    (b"DTS1", Codec::Dts),
    (b"DTS2", Codec::Dts),
    (b"DTS3", Codec::Dts),
    (b"DTSH", Codec::Dts),
    (b"BSSD", Codec::S302m),
    (b"HEVC", Codec::H265),
    (b"VVC ", Codec::H266),
    (b"AV01", Codec::Av1),
    (b"VC-1", Codec::Vc1),
    (b"Opus", Codec::Opus),
    (b"KLVA", Codec::Klv),
    (b"ID3 ", Codec::TimedId3),
    // SAMPLE-AES of HLS.
    (b"zavc", Codec::H264),
    (b"aacd", Codec::Aac),
    (b"ac3d", Codec::Ac3),
    (b"ec3d", Codec::Eac3),
];

/// Meaning of descriptors of streams of private data (EN 300 468).
const DESCRIPTORS: &[(u8, Codec)] = &[
    (Descriptor::AC3, Codec::Ac3),
    (Descriptor::EAC3, Codec::Eac3),
    (Descriptor::DTS, Codec::Dts),
    (Descriptor::AAC, Codec::Aac),
    (Descriptor::SUBTITLING, Codec::DvbSubtitle),
    (Descriptor::TELETEXT, Codec::Teletext),
];

/// descriptor_tag_extension of Opus in an extension descriptor (ETSI TS 103 491 §B.3).
const OPUS_EXTENSION: u8 = 0x80;

/// The codec of a stream of a map. `blu_ray`: the program is registered as HDMV, or its packets have 192 bytes.
pub(super) fn codec(stream: &Elementary, blu_ray: bool) -> Codec {
    let disc = types::BLU_RAY.iter().find(|(stream_type, ..)| blu_ray && *stream_type == stream.stream_type);
    if let Some((_, codec, ..)) = disc {
        return *codec;
    }
    let named = || {
        let letters = stream.registration()?;
        REGISTRATIONS.iter().find(|(name, _)| **name == letters).map(|(_, codec)| *codec)
    };
    let described = || DESCRIPTORS.iter().find(|(tag, _)| stream.descriptor(*tag).is_some()).map(|(_, codec)| *codec);
    match stream.stream_type {
        PRIVATE_DATA => named().or_else(described).unwrap_or(Codec::BinData),
        0x80.. => named().or_else(|| types::codec(stream.stream_type)).unwrap_or(Codec::Data),
        0x15 => named().unwrap_or(Codec::TimedId3),
        kind => types::codec(kind).unwrap_or(Codec::Data),
    }
}

/// Whether the packets of this stream hold sections, not PES packets.
pub(super) fn in_sections(stream: &Elementary) -> bool {
    matches!(stream.stream_type, 0x05 | 0x0a..=0x0e | 0x14 | 0x16..=0x19 | 0x86 | 0xc0)
}

/// The identification header of an Opus stream, made of its descriptor.
pub(super) fn opus_head(stream: &Elementary) -> Bytes {
    let code = match stream.descriptor(Descriptor::EXTENSION) {
        Some([OPUS_EXTENSION, code, ..]) => *code,
        _ => 2,
    };
    opus::head(code).or_else(|| opus::head(2)).unwrap_or_default().into()
}

/// A stream of this codec of which nothing else is known.
pub(super) fn info(codec: Codec) -> StreamInfo {
    let shown = if codec == Codec::AacLatm { Codec::Aac } else { codec };
    let media = match shown.kind() {
        Kind::Audio => Media::Audio(audio(shown)),
        Kind::Video => Media::Video(Video::default()),
        Kind::Subtitle => Media::Subtitle,
        Kind::Data | Kind::Attachment => Media::Data,
    };
    StreamInfo::new(shown, BASE, media)
}

/// Fixed facts of a telephone codec.
fn audio(codec: Codec) -> Audio {
    match codec {
        Codec::PcmALaw | Codec::PcmMuLaw => Audio { bits_per_sample: 8, block_align: 1, ..Audio::new(8000, 1) },
        Codec::G7231 | Codec::G729 => Audio::new(8000, 1),
        _ => Audio::default(),
    }
}

/// Whether a stream of the codec `known` may turn out to be what a map calls `named`: layers of MPEG audio, versions of
/// MPEG video, AC-3 with and without its extension.
pub(super) fn kin(known: Codec, named: Codec) -> bool {
    let groups: [&[Codec]; 3] =
        [&[Codec::Mp1, Codec::Mp2, Codec::Mp3], &[Codec::Mpeg1Video, Codec::Mpeg2Video], &[Codec::Ac3, Codec::Eac3]];
    known == named || groups.iter().any(|group| group.contains(&known) && group.contains(&named))
}

/// The codec of an elementary stream, by its first bytes and the stream_id of its PES packets; `None` when they tell
/// nothing.
pub(super) fn guess(stream_id: u8, data: &[u8]) -> Option<Codec> {
    match stream_id {
        0xe0..=0xef => guess_video(data),
        0xc0..=0xdf | 0xbd | 0xfd => guess_audio(data),
        _ => None,
    }
}

fn guess_audio(data: &[u8]) -> Option<Codec> {
    let at = |from: usize| data.get(from..).unwrap_or_default();
    let chained = |length: usize, again: bool| at(length).is_empty() || again;
    if let Some(header) = AdtsHeader::parse(data) {
        let next = AdtsHeader::parse(at(header.frame_length)).is_some();
        return chained(header.frame_length, next).then_some(Codec::Aac);
    }
    if let Some(header) = LoasHeader::parse(data) {
        return chained(header.length, LoasHeader::parse(at(header.length)).is_some()).then_some(Codec::AacLatm);
    }
    if let Some(header) = ac3::Header::parse(data) {
        return Some(if header.enhanced { Codec::Eac3 } else { Codec::Ac3 });
    }
    if dts::Header::parse(data).is_some() {
        return Some(Codec::Dts);
    }
    if let [a, b, ..] = data
        && opus::Control::marks(*a, *b)
    {
        return Some(Codec::Opus);
    }
    if data.starts_with(&[0x20, 0x00, 0x0f]) {
        return Some(Codec::DvbSubtitle);
    }
    let header = mpeg_audio::Header::parse(data)?;
    let length = header.frame_length()?;
    let next = mpeg_audio::Header::parse(at(length)).is_some_and(|next| next.same_kind(&header));
    chained(length, next).then_some(Codec::Mp2)
}

fn guess_video(data: &[u8]) -> Option<Codec> {
    let (mut h264, mut h265, mut part4) = (0, 0, 0);
    for unit in annexb::units(data).take(MOST_UNITS) {
        match unit.data {
            [0xb3 | 0xb8, ..] => return Some(Codec::Mpeg2Video),
            [0xb0 | 0xb5 | 0xb6, ..] => part4 += 1,
            // Layer 0 and temporal layer 0; slices, parameter sets, delimiters and messages.
            [first, 1, ..] if first & 0x81 == 0 && matches!(first >> 1, 0 | 1 | 19..=21 | 32..=35 | 39) => h265 += 1,
            [first, _, ..] if first & 0x80 == 0 && matches!(first & 31, 1 | 5..=9) => h264 += 1,
            _ => {}
        }
    }
    let most = h264.max(h265).max(part4);
    match most {
        0 => None,
        _ if part4 == most => Some(Codec::Mpeg4),
        _ if h265 == most => Some(Codec::H265),
        _ => Some(Codec::H264),
    }
}

/// NAL units that are looked at.
const MOST_UNITS: usize = 8;

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    #[test]
    fn private_data_is_what_its_descriptors_say() {
        let stream = |stream_type, descriptors| Elementary { stream_type, pid: 0x100, descriptors };
        let cases = [
            (stream(0x06, vec![0x6a, 1, 0]), false, Codec::Ac3),
            (stream(0x06, vec![5, 4, b'O', b'p', b'u', b's', 0x7f, 2, 0x80, 2]), false, Codec::Opus),
            (stream(0x06, vec![]), false, Codec::BinData),
            (stream(0x83, vec![]), true, Codec::TrueHd),
            (stream(0x86, vec![]), false, Codec::Scte35),
            (stream(0x86, vec![]), true, Codec::Dts),
            (stream(0x81, vec![]), false, Codec::Ac3),
            (stream(0x15, vec![]), false, Codec::TimedId3),
            (stream(0x1b, vec![]), true, Codec::H264),
        ];
        for (stream, blu_ray, expected) in cases {
            assert_eq!(codec(&stream, blu_ray), expected, "{stream:?}");
        }
    }

    #[test]
    fn content_says_what_no_map_says() {
        let cases: [(u8, &[u8], Option<Codec>); 6] = [
            (0xe0, &[0, 0, 0, 1, 9, 0xf0, 0, 0, 0, 1, 0x67, 1], Some(Codec::H264)),
            (0xe0, &[0, 0, 0, 1, 0x46, 1, 0x50, 0, 0, 0, 1, 0x40, 1], Some(Codec::H265)),
            (0xe0, &[0, 0, 1, 0xb3, 1, 2], Some(Codec::Mpeg2Video)),
            (0xbd, &[0x0b, 0x77, 0, 0, 0x14, 0x40, 0x43, 0xe0], Some(Codec::Ac3)),
            (0xc0, &[0xff, 0xf1, 0x50, 0x80, 0x01, 0x5f, 0xfc, 1, 2, 3], Some(Codec::Aac)),
            (0xc0, b"no frame", None),
        ];
        for (id, data, expected) in cases {
            assert_eq!(guess(id, data), expected, "{data:02x?}");
        }
    }
}
