//! Codec strings of streams, as CODECS lists them (RFC 6381; ISO/IEC 14496-15 §E; AV1 and VP9 in ISO base media files).

use alloc::{borrow::ToOwned, format, string::String};

use crate::{
    stream::{Codec, StreamInfo},
    syntax::{aac::AudioSpecificConfig, h264, h265},
};

/// The string of a stream; `None` where its configuration does not say all that stands in it, or the codec has none.
pub fn codec_string(info: &StreamInfo) -> Option<String> {
    let config: &[u8] = &info.config;
    Some(match info.codec {
        Codec::H264 => {
            let record = h264::Config::parse(&info.config)
                .or_else(|| h264::Config::parse(&h264::build_config(&info.config).ok()?))?;
            h264::Sps::parse(record.sps.first()?)?.codec_string()
        }
        Codec::H265 => {
            let record = h265::Config::parse(&info.config)
                .or_else(|| h265::Config::parse(&h265::build_config(&info.config).ok()?))?;
            record.profile.codec_string()
        }
        Codec::Aac => {
            let config = AudioSpecificConfig::parse(config)?;
            let object_type = match config.extension {
                Some(extension) if extension.ps == Some(true) => 29,
                Some(extension) if extension.sbr => 5,
                _ => config.object_type,
            };
            format!("mp4a.40.{object_type}")
        }
        Codec::Mp3 => "mp4a.40.34".to_owned(),
        // VPCodecConfigurationRecord.
        Codec::Vp9 => match *config {
            [profile, level, depth, ..] => format!("vp09.{profile:02}.{level:02}.{:02}", depth >> 4),
            _ => return None,
        },
        // AV1CodecConfigurationRecord.
        Codec::Av1 => match *config {
            [_, profile, bits, ..] => {
                let tier = if bits & 0x80 != 0 { 'H' } else { 'M' };
                let depth = match (bits & 0x40 != 0, bits & 0x20 != 0) {
                    (false, _) => 8,
                    (true, false) => 10,
                    (true, true) => 12,
                };
                format!("av01.{}.{:02}{tier}.{depth:02}", profile >> 5, profile & 31)
            }
            _ => return None,
        },
        Codec::Opus => "opus".to_owned(),
        Codec::Flac => "fLaC".to_owned(),
        Codec::Ac3 => "ac-3".to_owned(),
        Codec::Eac3 => "ec-3".to_owned(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_say_what_configurations_say() {
        let avc = b"\x01\x64\x00\x1f\xff\xe1\x00\x04\x67\x64\x00\x1f\x01\x00\x01\x68";
        let cases: [(StreamInfo, &[u8], Option<&str>); 5] = [
            (StreamInfo::audio(Codec::Aac, 44100, 2), &[0x12, 0x10], Some("mp4a.40.2")),
            (StreamInfo::audio(Codec::Aac, 44100, 2), &[], None),
            (StreamInfo::video(Codec::Vp9, 16, 16), &[0, 10, 0x82, 2], Some("vp09.00.10.08")),
            (StreamInfo::video(Codec::Av1, 16, 16), &[0x81, 0x2d, 0xec, 0], Some("av01.1.13H.12")),
            (StreamInfo::video(Codec::H264, 16, 16), avc, None),
        ];
        for (info, config, string) in cases {
            assert_eq!(codec_string(&info.with_config(config.to_vec())).as_deref(), string);
        }
    }
}
