//! Stream facts that only the codec knows: from its configuration, or from its first packet (FLD-19…FLD-21).

use bytes::Bytes;

use crate::{
    bits::Bits,
    stream::{Audio, Codec, Media, StreamInfo, Video},
    syntax::{aac::AudioSpecificConfig, av1, h264, h265, vp9},
    time::{Rounding, Ticks, TimeBase},
    timing::samples::samples,
};

use super::video;

/// Takes over a codec configuration and what it says; `promised` is the picture size that metadata names.
pub(super) fn from_config(info: &mut StreamInfo, config: Bytes, promised: Option<(u32, u32)>) {
    info.config = config;
    let config = &info.config;
    match (info.codec, &mut info.media) {
        (Codec::H264, Media::Video(picture)) => info.profile = h264(picture, config),
        (Codec::H265, Media::Video(picture)) => info.profile = h265(picture, config),
        (Codec::Av1, Media::Video(picture)) => {
            if let Some((width, height)) = av1::config_picture_size(config) {
                picture.set_size(width, height);
            }
        }
        (Codec::Aac, Media::Audio(audio)) => info.profile = aac(audio, config),
        (Codec::Opus, Media::Audio(audio)) => {
            // OpusHead: magic, version, channels. Opus always counts in 48 kHz.
            audio.set_sample_rate(48_000);
            if let (true, Some(channels)) = (config.starts_with(b"OpusHead"), config.get(9)) {
                audio.set_channels(u16::from(*channels));
            }
        }
        (Codec::Flac, Media::Audio(audio)) => {
            flac(audio, config);
        }
        _ => {}
    }
    promise(info, promised);
}

/// Facts of a stream in its first packet.
pub(super) fn from_data(info: &mut StreamInfo, data: &[u8], promised: Option<(u32, u32)>) {
    match (info.codec, &mut info.media) {
        (codec, Media::Video(picture)) => {
            let size = match codec {
                Codec::Av1 => av1::picture_size(data),
                Codec::Vp9 => vp9::picture_size(data),
                _ => video::picture_size(codec, &info.config, data),
            };
            if let Some((width, height)) = size {
                picture.set_size(width, height);
            }
        }
        (Codec::Mp3, Media::Audio(audio)) => {
            let bit_rate = mpeg_audio(audio, data);
            info.bit_rate = info.bit_rate.or(bit_rate);
        }
        (Codec::Opus, Media::Audio(audio)) => {
            // The first byte tells mono from stereo (RFC 6716 §3.1).
            audio.set_sample_rate(48_000);
            audio.set_channels(if data.first().is_some_and(|toc| toc & 4 != 0) { 2 } else { 1 });
        }
        (Codec::Ac3 | Codec::Eac3, Media::Audio(audio)) => {
            ac3(audio, data);
        }
        _ => {}
    }
    promise(info, promised);
}

/// How long a packet of `size` bytes lasts, in whole ms as the reference counts them; 0 when nothing tells.
pub(super) fn duration(info: &StreamInfo, size: usize) -> Ticks {
    let base = match &info.media {
        Media::Audio(audio) if audio.rate() > 0 => {
            let samples = samples(info.codec, audio, info.bit_rate, size);
            return TimeBase::hz(audio.rate()).rescale(Ticks(samples), TimeBase::MILLIS, Rounding::Down);
        }
        Media::Video(Video { frame_rate: Some((num, den)), .. }) => TimeBase::new(*den, *num),
        _ => None,
    };
    base.map_or(Ticks(0), |base| base.rescale(Ticks(1), TimeBase::MILLIS, Rounding::Down))
}

/// Metadata is believed where the codec says nothing.
fn promise(info: &mut StreamInfo, promised: Option<(u32, u32)>) {
    if let (Media::Video(picture @ Video { width: None, .. }), Some((width, height))) = (&mut info.media, promised) {
        picture.set_size(width, height);
    }
}

/// Size, reorder depth and level of the first SPS; returns its profile.
fn h264(picture: &mut Video, config: &Bytes) -> Option<u8> {
    let sps = h264::Sps::parse(h264::Config::parse(config)?.sps.first()?)?;
    let (width, height) = sps.display_size();
    picture.set_size(width, height);
    picture.reorder = sps.reorder_depth();
    picture.frame_rate = picture.frame_rate.or_else(|| sps.frame_rate());
    picture.pixel_aspect = sps.vui.as_ref().and_then(|vui| vui.sample_aspect);
    picture.level = Some(sps.level_idc);
    Some(sps.profile_idc)
}

/// As [`h264`].
fn h265(picture: &mut Video, config: &Bytes) -> Option<u8> {
    let config = h265::Config::parse(config)?;
    let sps = config.sps()?;
    let (width, height) = sps.display_size();
    picture.set_size(width, height);
    picture.reorder = sps.reorder_depth();
    picture.frame_rate = picture.frame_rate.or_else(|| sps.frame_rate());
    picture.pixel_aspect = sps.vui.as_ref().and_then(|vui| vui.sample_aspect);
    picture.level = Some(config.profile.general_level_idc);
    Some(config.profile.general_profile_idc)
}

/// Rate, channels and frame size, with announced SBR; returns the profile, which is the object type less one.
fn aac(audio: &mut Audio, config: &Bytes) -> Option<u8> {
    let config = AudioSpecificConfig::parse(config)?;
    audio.set_sample_rate(config.sample_rate);
    audio.frame_size = config.frame_size();
    if let Some(extension) = config.extension.filter(|extension| extension.sbr) {
        audio.set_sample_rate(extension.sample_rate);
        audio.frame_size *= 2;
    }
    if config.channels() > 0 {
        audio.set_channels(config.channels());
    }
    config.object_type.checked_sub(1)
}

/// STREAMINFO, with or without the marker and block head in front (RFC 9639 §8.2).
fn flac(audio: &mut Audio, config: &[u8]) -> Option<()> {
    let info = config.strip_prefix(b"fLaC").and_then(|blocks| blocks.get(4..)).unwrap_or(config);
    let mut bits = Bits::new(info);
    bits.skip(2 * 16 + 2 * 24)?;
    audio.set_sample_rate(bits.read(20)?);
    audio.set_channels(bits.read(3)? as u16 + 1);
    audio.bits_per_sample = bits.read(5)? as u16 + 1;
    Some(())
}

/// Kilobits per second of layer III by bitrate_index: MPEG-1, and MPEG-2 with MPEG-2.5 (ISO/IEC 11172-3 §2.4.2.3).
const LAYER_3_RATES: [[u16; 15]; 2] = [
    [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
    [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
];

/// Header of an MPEG audio frame (ISO/IEC 11172-3 §2.4.1.3, 13818-3, and MPEG-2.5); returns bits per second of layer
/// III.
fn mpeg_audio(audio: &mut Audio, data: &[u8]) -> Option<u64> {
    let [0xff, b1, b2, b3] = *data.first_chunk()? else { return None };
    if b1 & 0xe0 != 0xe0 {
        return None;
    }
    let halvings = match b1 >> 3 & 3 {
        3 => 0,
        2 => 1,
        0 => 2,
        _ => return None,
    };
    let rate = [44_100u32, 48_000, 32_000].get(usize::from(b2 >> 2 & 3))?;
    audio.set_sample_rate(rate >> halvings);
    audio.set_channels(if b3 >> 6 == 3 { 1 } else { 2 });
    if b1 >> 1 & 3 != 1 {
        return None;
    }
    audio.frame_size = if halvings == 0 { 1152 } else { 576 };
    let [first, second] = LAYER_3_RATES;
    let rates = if halvings == 0 { first } else { second };
    rates.get(usize::from(b2 >> 4)).map(|rate| u64::from(*rate) * 1000).filter(|rate| *rate > 0)
}

/// Channels by acmod, without the low-frequency one (ATSC A/52 table 5.8).
const AC3_CHANNELS: [u16; 8] = [2, 1, 2, 3, 3, 4, 4, 5];

/// Header of an AC-3 or E-AC-3 syncframe (ATSC A/52 §5.3, annex E §2.2).
fn ac3(audio: &mut Audio, data: &[u8]) -> Option<()> {
    let mut bits = Bits::new(data);
    if bits.read(16)? != 0x0b77 {
        return None;
    }
    let bsid = data.get(5)? >> 3;
    let rates = [48_000u32, 44_100, 32_000];
    let (rate, acmod);
    if bsid <= 10 {
        bits.skip(16)?;
        rate = *rates.get(bits.read(2)? as usize)? >> bsid.saturating_sub(8);
        bits.skip(6 + 5 + 3)?;
        acmod = bits.read(3)?;
        // Levels that are there depend on which speakers are.
        let levels = [acmod & 1 != 0 && acmod != 1, acmod & 4 != 0, acmod == 2];
        bits.skip(levels.iter().filter(|there| **there).count() * 2)?;
        audio.frame_size = 1536;
    } else {
        bits.skip(2 + 3 + 11)?;
        rate = match bits.read(2)? {
            3 => rates.get(bits.read(2)? as usize)? / 2,
            code => {
                bits.skip(2)?;
                *rates.get(code as usize)?
            }
        };
        acmod = bits.read(3)?;
    }
    let lfe = bits.flag()?;
    audio.set_sample_rate(rate);
    audio.set_channels(AC3_CHANNELS.get(acmod as usize)? + u16::from(lfe));
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::TimeBase;

    fn audio(codec: Codec, config: &'static [u8], data: &[u8]) -> (u32, u16) {
        let mut info = StreamInfo::new(codec, TimeBase::MILLIS, Media::Audio(Audio::default()));
        match config {
            [] => from_data(&mut info, data, None),
            config => from_config(&mut info, Bytes::from_static(config), None),
        }
        info.as_audio().map(|audio| (audio.rate(), audio.channel_count())).unwrap()
    }

    #[test]
    fn rate_and_channels_come_from_configuration_or_first_frame() {
        assert_eq!(audio(Codec::Aac, &[0x12, 0x10], &[]), (44_100, 2));
        assert_eq!(audio(Codec::Opus, b"OpusHead\x01\x06\0\0\x80\xbb\0\0\0\0\x00", &[]), (48_000, 6));
        assert_eq!(audio(Codec::Mp3, &[], &[0xff, 0xfb, 0x90, 0xc0]), (44_100, 1));
        assert_eq!(audio(Codec::Mp3, &[], &[0xff, 0xe3, 0x28, 0xc4]), (8_000, 1));
        // acmod 7 with the low-frequency channel, 48 kHz.
        assert_eq!(audio(Codec::Ac3, &[], &[0x0b, 0x77, 0, 0, 0x1e, 0x40, 0xe1, 0, 0, 0]), (48_000, 6));
    }

    #[test]
    fn metadata_fills_in_where_the_codec_is_silent() {
        let mut info = StreamInfo::new(Codec::Av1, TimeBase::MILLIS, Media::Video(Video::default()));
        from_data(&mut info, &[1, 2, 3], Some((320, 240)));
        assert_eq!(info.as_video().map(|video| video.size()), Some((320, 240)));
    }
}
