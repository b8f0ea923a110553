//! Facts of a stream: first those of its media description, then those of its content.

use alloc::vec::Vec;

use bytes::Bytes;

use super::sdp::Media as Section;
use crate::{
    stream::{Codec, Kind, Media, StreamInfo, Video},
    syntax::{aac::AudioSpecificConfig, ac3, annexb, av1, base64, h264, h265, hex, mpeg_audio, mpeg_video, opus, vp9},
    time::TimeBase,
};

/// Encodings and their codecs; names are those of the registry of RTP payload formats.
const ENCODINGS: &[(&str, Codec)] = &[
    ("H264", Codec::H264),
    ("H265", Codec::H265),
    ("MPEG4-GENERIC", Codec::Aac),
    ("MP4A-LATM", Codec::Aac),
    ("opus", Codec::Opus),
    ("PCMU", Codec::PcmMuLaw),
    ("PCMA", Codec::PcmALaw),
    ("L8", Codec::PcmU8),
    ("L16", Codec::PcmS16Be),
    ("L24", Codec::PcmS24Be),
    ("G722", Codec::G722),
    ("G726-16", Codec::G726),
    ("G726-24", Codec::G726),
    ("G726-32", Codec::G726),
    ("G726-40", Codec::G726),
    ("AAL2-G726-16", Codec::G726),
    ("AAL2-G726-24", Codec::G726),
    ("AAL2-G726-32", Codec::G726),
    ("AAL2-G726-40", Codec::G726),
    ("G723", Codec::G7231),
    ("G729", Codec::G729),
    ("GSM", Codec::Gsm),
    ("MPA", Codec::Mp3),
    ("MPV", Codec::Mpeg2Video),
    ("MP4V-ES", Codec::Mpeg4),
    ("VP8", Codec::Vp8),
    ("VP9", Codec::Vp9),
    ("AV1", Codec::Av1),
    ("AC3", Codec::Ac3),
    ("EAC3", Codec::Eac3),
    ("JPEG", Codec::Mjpeg),
    ("smpte336m", Codec::Klv),
];

/// The stream that a media description declares.
pub(super) fn declared(section: &Section) -> StreamInfo {
    let codec = ENCODINGS.iter().find(|(name, _)| section.is(name)).map_or(Codec::Data, |(_, codec)| *codec);
    let base = TimeBase::hz(section.clock.max(1));
    let mut info = match codec.kind() {
        // G.722 has twice the rate of its clock (RFC 3551 §4.5.2); the clock of MPEG audio is not its rate.
        Kind::Audio if codec == Codec::G722 => StreamInfo::audio(codec, 16_000, section.channels),
        Kind::Audio if matches!(codec, Codec::Mp3) => StreamInfo::audio(codec, 0, 0),
        Kind::Audio => StreamInfo::audio(codec, section.clock, section.channels),
        Kind::Video => StreamInfo::new(codec, base, Media::Video(Video::default())),
        _ => StreamInfo::new(codec, base, Media::Data),
    };
    info.time_base = base;
    info.language.clone_from(&section.language);
    configure(&mut info, section);
    if let Media::Audio(audio) = &mut info.media {
        audio.bits_per_sample = match codec {
            Codec::PcmMuLaw | Codec::PcmALaw | Codec::PcmU8 => 8,
            Codec::PcmS16Be => 16,
            Codec::PcmS24Be => 24,
            Codec::G726 => u16::from(g726_bits(section)),
            _ => 0,
        };
        if matches!(codec, Codec::PcmMuLaw | Codec::PcmALaw | Codec::PcmU8 | Codec::PcmS16Be | Codec::PcmS24Be) {
            audio.block_align = u32::from(audio.bits_per_sample / 8) * u32::from(audio.channel_count());
        }
    }
    info
}

/// Bits of a code of G.726, by the rate in kbit/s in the name of the encoding.
pub(super) fn g726_bits(section: &Section) -> u8 {
    match section.encoding.get(section.encoding.len().saturating_sub(2)..) {
        Some("16") => 2,
        Some("24") => 3,
        Some("40") => 5,
        _ => 4,
    }
}

fn configure(info: &mut StreamInfo, section: &Section) {
    match info.codec {
        Codec::H264 => {
            info.config = sets(&[section.parameter("sprop-parameter-sets")]);
            from_sets(info, &info.config.clone());
        }
        Codec::H265 => {
            info.config = sets(&["sprop-vps", "sprop-sps", "sprop-pps"].map(|name| section.parameter(name)));
            from_sets(info, &info.config.clone());
        }
        Codec::Aac if section.is("MPEG4-GENERIC") => {
            if let Some(config) = section.parameter("config").and_then(hex::decode).filter(|config| !config.is_empty())
            {
                set_aac(info, config.into());
            }
        }
        Codec::Opus => {
            let mono = section.channels < 2;
            info.config = opus::head(if mono { 1 } else { 2 }).unwrap_or_default().into();
        }
        Codec::Mpeg4 => {
            info.config = section.parameter("config").and_then(hex::decode).unwrap_or_default().into();
            picture(info, &info.config.clone());
        }
        _ => {}
    }
}

/// The parameter sets in lists of base64 texts, each behind a start code.
fn sets(lists: &[Option<&str>]) -> Bytes {
    let mut out = Vec::new();
    for text in lists.iter().flatten().flat_map(|list| list.split(',')) {
        let nal = base64::decode(text.trim().as_bytes());
        if !nal.is_empty() {
            out.extend_from_slice(&[0, 0, 0, 1]);
            out.extend_from_slice(&nal);
        }
    }
    out.into()
}

/// Sets an AudioSpecificConfig and what it says.
pub(super) fn set_aac(info: &mut StreamInfo, bytes: Bytes) {
    if let (Some(config), Media::Audio(audio)) = (AudioSpecificConfig::parse(&bytes), &mut info.media) {
        let extension = config.extension.filter(|extension| extension.sbr);
        audio.set_sample_rate(extension.map_or(config.sample_rate, |extension| extension.sample_rate));
        audio.set_channels(config.channels());
        audio.frame_size = config.frame_size() * if extension.is_some() { 2 } else { 1 };
        info.profile = config.object_type.checked_sub(1);
    }
    info.config = bytes;
}

/// Facts of a stream's content. Whether `info` has changed; a configuration that replaces another is put into `replaced`.
pub(super) fn refine(info: &mut StreamInfo, data: &Bytes, key: bool, replaced: &mut Option<Bytes>) -> bool {
    match info.codec {
        Codec::H264 | Codec::H265 if key => parameter_sets(info, data, replaced),
        Codec::Vp8 | Codec::Vp9 | Codec::Av1 | Codec::Mjpeg | Codec::Mpeg2Video | Codec::Mpeg4 if key => {
            picture(info, data)
        }
        Codec::Mp1 | Codec::Mp2 | Codec::Mp3 => mpeg(info, data),
        Codec::Ac3 | Codec::Eac3 => {
            let (Some(header), Media::Audio(audio)) = (ac3::Header::parse(data), &mut info.media) else { return false };
            let before = *audio;
            audio.set_sample_rate(header.sample_rate);
            audio.set_channels(header.channels);
            audio.frame_size = header.samples;
            *audio != before
        }
        _ => false,
    }
}

fn parameter_sets(info: &mut StreamInfo, data: &Bytes, replaced: &mut Option<Bytes>) -> bool {
    let sets = annexb::parameter_sets(info.codec, data);
    let kinds = |wanted: u8| annexb::units(&sets).any(|unit| kind(info.codec, unit.trimmed()) == wanted);
    let whole = match info.codec {
        Codec::H264 => kinds(h264::kind::SPS) && kinds(h264::kind::PPS),
        _ => kinds(h265::kind::VPS) && kinds(h265::kind::SPS) && kinds(h265::kind::PPS),
    };
    if !whole || same_sets(info.codec, &sets, &info.config) {
        return false;
    }
    if !info.config.is_empty() {
        *replaced = Some(sets.clone());
    }
    from_sets(info, &sets);
    info.config = sets;
    true
}

/// Whether every set of `sets` stands in `known`.
fn same_sets(codec: Codec, sets: &[u8], known: &[u8]) -> bool {
    annexb::units(sets).all(|unit| {
        let nal = unit.trimmed();
        annexb::units(known).any(|other| other.trimmed() == nal) || kind(codec, nal) == h264::kind::SPS_EXTENSION
    })
}

fn kind(codec: Codec, nal: &[u8]) -> u8 {
    let head = nal.first().copied().unwrap_or(0);
    if codec == Codec::H264 { head & 31 } else { head >> 1 & 63 }
}

/// Size, reordering and rate of the first sequence parameter set.
fn from_sets(info: &mut StreamInfo, sets: &[u8]) {
    let codec = info.codec;
    let Media::Video(video) = &mut info.media else { return };
    for unit in annexb::units(sets) {
        let nal = unit.trimmed();
        let found = match (codec, kind(codec, nal)) {
            (Codec::H264, h264::kind::SPS) => h264::Sps::parse(nal).map(|sps| {
                let reorder = if sps.profile_idc == 66 { 0 } else { sps.reorder_depth() };
                (sps.display_size(), reorder, sps.frame_rate(), sps.profile_idc, sps.level_idc)
            }),
            (Codec::H265, h265::kind::SPS) => h265::Sps::parse(nal).map(|sps| {
                let level = &sps.profile_tier_level;
                (
                    sps.display_size(),
                    sps.reorder_depth(),
                    sps.frame_rate(),
                    level.general_profile_idc,
                    level.general_level_idc,
                )
            }),
            _ => None,
        };
        if let Some(((width, height), reorder, rate, profile, level)) = found {
            video.set_size(width, height);
            (video.reorder, video.frame_rate, video.level) = (reorder, rate, Some(level));
            info.profile = Some(profile);
            return;
        }
    }
}

fn picture(info: &mut StreamInfo, data: &Bytes) -> bool {
    let codec = info.codec;
    let before = info.clone();
    let size = match codec {
        Codec::Vp8 => data.get(6..10).and_then(|bytes| bytes.first_chunk::<4>()).map(|&[w0, w1, h0, h1]| {
            (u32::from(u16::from_le_bytes([w0, w1]) & 0x3fff), u32::from(u16::from_le_bytes([h0, h1]) & 0x3fff))
        }),
        Codec::Vp9 => vp9::picture_size(data),
        Codec::Av1 => av1::picture_size(data),
        Codec::Mjpeg => jpeg_size(data),
        _ => None,
    };
    let described = match codec {
        Codec::Mpeg2Video => mpeg_video::Sequence::find(data).map(|sequence| sequence.video()),
        Codec::Mpeg4 => mpeg_video::VideoObjectLayer::find(data).map(|layer| layer.video()),
        _ => None,
    };
    if let Some(video) = described {
        info.media = Media::Video(video);
    }
    if codec == Codec::Av1
        && let Some(config) = av1::build_config(data)
    {
        info.config = config.into();
    }
    if let (Some((width, height)), Media::Video(video)) = (size, &mut info.media) {
        video.set_size(width, height);
    }
    *info != before
}

/// Size in the frame header that [`super::unpack`] writes in front of an image.
fn jpeg_size(data: &[u8]) -> Option<(u32, u32)> {
    let at = data.windows(2).position(|pair| pair == [0xff, 0xc0])?;
    let &[h0, h1, w0, w1] = data.get(at + 5..)?.first_chunk::<4>()?;
    Some((u16::from_be_bytes([w0, w1]).into(), u16::from_be_bytes([h0, h1]).into()))
}

fn mpeg(info: &mut StreamInfo, data: &[u8]) -> bool {
    let (Some(header), Media::Audio(audio)) = (mpeg_audio::Header::parse(data), &mut info.media) else { return false };
    let before = (info.codec, *audio);
    audio.set_sample_rate(header.sample_rate());
    audio.set_channels(header.channels());
    audio.frame_size = header.samples();
    info.codec = match header.layer {
        1 => Codec::Mp1,
        2 => Codec::Mp2,
        _ => Codec::Mp3,
    };
    (info.codec, *audio) != before
}
