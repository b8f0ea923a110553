//! CodecPrivate: the configuration of a stream, and what it says of it (RFC 9559 §5.1.4.1.22).

use alloc::vec::Vec;

use bytes::Bytes;

use crate::{
    bits::Bits,
    stream::{Audio, Codec, Kind, Media, StreamInfo, Video},
    syntax::{
        aac::AudioSpecificConfig,
        av1, h264, h265,
        isobmff::entry,
        mpeg_video::{Sequence, VideoObjectLayer},
        opus,
        riff::{Order, WaveFormat},
    },
};

use super::codecs;

/// Takes the private data of a track whose codec has this identifier.
pub(super) fn configure(info: &mut StreamInfo, name: &str, private: &[u8]) {
    match name {
        "V_MS/VFW/FOURCC" => bitmap(info, private),
        "A_MS/ACM" => wave(info, private),
        "V_QUICKTIME" => quicktime(info, private, *b"vide"),
        "A_QUICKTIME" => quicktime(info, private, *b"soun"),
        _ => info.config = Bytes::copy_from_slice(private),
    }
    let (codec, config) = (info.codec, info.config.clone());
    match (&mut info.media, codec) {
        (Media::Video(video), _) => info.profile = picture(video, codec, &config).or(info.profile),
        (Media::Audio(audio), Codec::Aac) => {
            if config.is_empty() {
                info.config = built(name, audio);
            }
            info.profile = aac(audio, &info.config).or(info.profile);
        }
        (Media::Audio(audio), Codec::Opus) => {
            audio.set_sample_rate(opus::RATE);
            let channels = opus::channels(&config);
            if channels > 0 {
                audio.set_channels(channels);
            }
        }
        (Media::Audio(audio), Codec::Flac) => {
            if let Some(found) = flac(audio, &config) {
                info.config = found;
            }
        }
        (Media::Audio(audio), Codec::Alac) => {
            if config.len() == 24 {
                // The box around it, as the reference keeps it.
                info.config = [&36u32.to_be_bytes()[..], b"alac\0\0\0\0", &config].concat().into();
            }
            let mut bits = Bits::new(&config);
            let skipped = bits.skip(if config.len() == 24 { 0 } else { 12 * 8 });
            audio.frame_size = skipped.and_then(|()| bits.read(32)).filter(|size| *size < 1 << 22).unwrap_or(0);
        }
        (Media::Audio(audio), codec) => plain(audio, codec),
        _ => {}
    }
}

/// Codecs whose frames all last the same.
fn plain(audio: &mut Audio, codec: Codec) {
    match codec {
        Codec::Mp3 => audio.frame_size = if audio.rate() <= 24_000 { 576 } else { 1152 },
        Codec::Mp2 => audio.frame_size = 1152,
        Codec::Ac3 | Codec::Eac3 => audio.frame_size = 1536,
        _ => {}
    }
}

/// Facts of a video configuration; returns the profile. Sizes are those of the track.
fn picture(video: &mut Video, codec: Codec, config: &Bytes) -> Option<u8> {
    let unsized_ = video.width.is_none() || video.height.is_none();
    let size = |video: &mut Video, (width, height)| {
        if unsized_ {
            video.set_size(width, height);
        }
    };
    match codec {
        Codec::H264 => {
            let sps = h264::Sps::parse(h264::Config::parse(config)?.sps.first()?)?;
            size(video, sps.display_size());
            // Baseline has no pictures that are decoded ahead.
            video.reorder = if sps.profile_idc == 66 { 0 } else { sps.reorder_depth() };
            video.frame_rate = video.frame_rate.or_else(|| sps.frame_rate());
            video.level = Some(sps.level_idc);
            Some(sps.profile_idc)
        }
        Codec::H265 => {
            let config = h265::Config::parse(config)?;
            let sps = config.sps()?;
            size(video, sps.display_size());
            video.reorder = sps.reorder_depth();
            video.frame_rate = video.frame_rate.or_else(|| sps.frame_rate());
            video.level = Some(config.profile.general_level_idc);
            Some(config.profile.general_profile_idc)
        }
        Codec::Av1 => {
            if unsized_ && let Some(found) = av1::config_picture_size(config) {
                size(video, found);
            }
            config.get(1).map(|byte| byte >> 5)
        }
        Codec::Mpeg4 => {
            video.reorder = VideoObjectLayer::find(config).map_or(1, |layer| u8::from(!layer.low_delay));
            None
        }
        Codec::Mpeg1Video | Codec::Mpeg2Video => {
            video.reorder = Sequence::find(config).map_or(1, |sequence| sequence.video().reorder);
            None
        }
        Codec::Vc1 => {
            video.reorder = 1;
            None
        }
        _ => None,
    }
}

/// Rate, channels and frame size, with announced SBR; returns the profile, which is the object type less one.
fn aac(audio: &mut Audio, config: &[u8]) -> Option<u8> {
    let config = AudioSpecificConfig::parse(config)?;
    audio.set_sample_rate(config.sample_rate);
    audio.frame_size = config.frame_size();
    if let Some(extension) = config.extension.filter(|extension| extension.sbr) {
        audio.set_sample_rate(extension.sample_rate);
        audio.frame_size = audio.frame_size.saturating_mul(2);
    }
    if config.channels() > 0 {
        audio.set_channels(config.channels());
    }
    config.object_type.checked_sub(1)
}

/// The configuration of a track of an old writer, which names the object type in its identifier alone.
fn built(name: &str, audio: &Audio) -> Bytes {
    let object_type = match name {
        name if name.contains("MAIN") => 1,
        name if name.contains("SSR") => 3,
        name if name.contains("LTP") => 4,
        _ => 2,
    };
    let channels = match audio.channel_count() {
        8 => 7,
        channels => u8::try_from(channels).unwrap_or(0),
    };
    Bytes::from(AudioSpecificConfig::new(object_type, audio.rate(), channels).build())
}

/// STREAMINFO alone, as the reference keeps it.
fn flac(audio: &mut Audio, config: &[u8]) -> Option<Bytes> {
    let info = config.strip_prefix(b"fLaC").and_then(|blocks| blocks.get(4..)).unwrap_or(config).get(..34)?;
    let mut bits = Bits::new(info);
    let least = bits.read(16)?;
    let most = bits.read(16)?;
    if least == most {
        audio.frame_size = most;
    }
    bits.skip(2 * 24)?;
    audio.set_sample_rate(bits.read(20)?);
    audio.set_channels(bits.read(3)? as u16 + 1);
    audio.bits_per_sample = bits.read(5)? as u16 + 1;
    Some(Bytes::copy_from_slice(info))
}

/// BITMAPINFOHEADER, and the codec's own configuration behind it.
fn bitmap(info: &mut StreamInfo, private: &[u8]) {
    let Some(letters) = private.get(16..20).and_then(|letters| letters.first_chunk()) else { return };
    info.codec = codecs::of_four_cc(*letters).unwrap_or(Codec::UnknownVideo);
    info.codec_tag = core::num::NonZeroU32::new(u32::from_le_bytes(*letters));
    info.config = Bytes::copy_from_slice(private.get(40..).unwrap_or_default());
}

/// WAVEFORMATEX.
fn wave(info: &mut StreamInfo, private: &[u8]) {
    let Some(format) = WaveFormat::parse(private, Order::Little) else { return };
    info.codec = format.codec();
    info.codec_tag = core::num::NonZeroU32::new(format.tag.into());
    info.bit_rate = Some(u64::from(format.bytes_per_second) * 8).filter(|rate| *rate > 0);
    if let Media::Audio(audio) = &mut info.media {
        audio.bits_per_sample = format.bits_per_sample;
        audio.block_align = format.block_align.into();
        audio.channel_mask = format.channel_mask.unwrap_or(0);
        if audio.sample_rate.is_none() {
            audio.set_sample_rate(format.sample_rate);
        }
    }
    info.config = format.extra.into();
}

/// A sample description as movies have it, with its size in front, or its name alone.
fn quicktime(info: &mut StreamInfo, private: &[u8], handler: [u8; 4]) {
    let table: Vec<u8> = [&[0, 0, 0, 0, 0, 0, 0, 1], private].concat();
    let Some(found) = entry::parse(&table, handler).into_iter().next() else { return };
    if found.codec.kind() != info.media.kind() {
        return;
    }
    info.codec = found.codec;
    info.codec_tag = core::num::NonZeroU32::new(u32::from_le_bytes(found.kind));
    info.config = found.config;
    if let (Media::Audio(audio), Media::Audio(stated)) = (&mut info.media, &found.media) {
        (audio.bits_per_sample, audio.frame_size) = (stated.bits_per_sample, stated.frame_size);
        audio.block_align = stated.block_align;
    }
    debug_assert!(matches!(info.media.kind(), Kind::Audio | Kind::Video));
}
