//! Facts in a codec's configuration, or its first keyframe, about a stream that no field describes.

use bytes::Bytes;

use crate::{
    stream::{Codec, Media, StreamInfo},
    syntax::{aac::AudioSpecificConfig, annexb, h264, h265},
};

/// Fills in what `config` says. Returns whether that is news.
pub(super) fn from_config(info: &mut StreamInfo, config: &Bytes) -> bool {
    let before = info.clone();
    match (info.codec, &mut info.media) {
        (Codec::H264 | Codec::H265, _) => from_sets(info, &as_annexb(before.codec, config)),
        (Codec::Aac, Media::Audio(audio)) => {
            if let Some(config) = AudioSpecificConfig::parse(config) {
                let extension = config.extension.filter(|extension| extension.sbr);
                audio.set_sample_rate(extension.map_or(config.sample_rate, |extension| extension.sample_rate));
                audio.frame_size = config.frame_size() * if extension.is_some() { 2 } else { 1 };
                audio.set_channels(config.channels());
            }
        }
        _ => {}
    }
    *info != before
}

/// Fills in what parameter sets in `data` say, when the size of the picture is not known yet.
pub(super) fn from_key(info: &mut StreamInfo, data: &[u8]) -> bool {
    let unknown = info.as_video().is_some_and(|video| video.width.is_none());
    let before = info.clone();
    if unknown {
        from_sets(info, data);
    }
    *info != before
}

/// Parameter sets behind start codes, whatever stood around them.
pub(super) fn as_annexb(codec: Codec, config: &Bytes) -> Bytes {
    if annexb::starts_with_code(config) {
        return config.clone();
    }
    let converted = match codec {
        Codec::H264 => h264::Config::parse(config).map(|config| config.to_annexb()),
        Codec::H265 => h265::Config::parse(config).map(|config| config.to_annexb()),
        _ => None,
    };
    converted.unwrap_or_else(|| config.clone())
}

fn from_sets(info: &mut StreamInfo, data: &[u8]) {
    let codec = info.codec;
    let Media::Video(video) = &mut info.media else { return };
    for unit in annexb::units(data) {
        let nal = unit.trimmed();
        let found = match codec {
            Codec::H264 if nal.first().is_some_and(|head| head & 31 == 7) => {
                h264::Sps::parse(nal).map(|sps| (sps.display_size(), sps.reorder_depth(), sps.frame_rate()))
            }
            Codec::H265 if nal.first().is_some_and(|head| head >> 1 & 63 == 33) => {
                h265::Sps::parse(nal).map(|sps| (sps.display_size(), sps.reorder_depth(), sps.frame_rate()))
            }
            _ => None,
        };
        if let Some(((width, height), reorder, rate)) = found {
            video.set_size(width, height);
            video.reorder = reorder;
            video.frame_rate = video.frame_rate.or(rate);
            return;
        }
    }
}
