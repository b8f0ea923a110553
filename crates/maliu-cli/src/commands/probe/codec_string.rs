//! Codec strings for MIME types of streams without NAL units (RFC 6381; AV1 and VP9 in ISO base media files, §5 and §2).

use maliu::{
    stream::{Codec, StreamInfo},
    syntax::aac::AudioSpecificConfig,
};
/// The string of a stream, when its configuration says all that stands in it; `heard` is the profile that its sound has told.
pub(super) fn of(info: &StreamInfo, heard: Option<&str>) -> Option<String> {
    let config: &[u8] = &info.config;
    Some(match info.codec {
        Codec::Aac => format!("mp4a.40.{}", object_type(config, heard)?),
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
        Codec::Flac => "flac".to_owned(),
        Codec::Ac3 => "ac-3".to_owned(),
        Codec::Eac3 => "ec-3".to_owned(),
        _ => return None,
    })
}

/// audioObjectType, with the extensions that the sound has shown.
fn object_type(config: &[u8], heard: Option<&str>) -> Option<u8> {
    let config = AudioSpecificConfig::parse(config)?;
    Some(match (heard, config.extension) {
        (Some("HE-AACv2"), _) => 29,
        (Some("HE-AAC"), _) => 5,
        (None, Some(extension)) if extension.ps == Some(true) => 29,
        (None, Some(extension)) if extension.sbr => 5,
        _ => config.object_type,
    })
}

#[cfg(test)]
mod tests {
    use maliu::{
        stream::{Audio, Media, Video},
        time::TimeBase,
    };

    use super::*;

    #[test]
    fn strings_say_what_configurations_say() {
        let video = || Media::Video(Video::default());
        let audio = || Media::Audio(Audio::default());
        let cases = [
            (Codec::Aac, audio(), &[0x12, 0x10][..], None, Some("mp4a.40.2")),
            (Codec::Aac, audio(), &[0x13, 0x90, 0x56, 0xe5, 0xa0], None, Some("mp4a.40.5")),
            (Codec::Aac, audio(), &[0x13, 0x90], Some("HE-AAC"), Some("mp4a.40.5")),
            (Codec::Aac, audio(), &[], None, None),
            (Codec::Vp9, video(), &[0, 10, 0x82, 2, 2, 2, 0, 0], None, Some("vp09.00.10.08")),
            (Codec::Av1, video(), &[0x81, 0x00, 0x0c, 0], None, Some("av01.0.00M.08")),
            (Codec::Av1, video(), &[0x81, 0x2d, 0xec, 0], None, Some("av01.1.13H.12")),
            (Codec::Eac3, audio(), &[], None, Some("ec-3")),
            (Codec::PcmS16Le, audio(), &[], None, None),
        ];
        for (codec, media, config, heard, string) in cases {
            let mut info = StreamInfo::new(codec, TimeBase::MILLIS, media);
            info.config = config.to_vec().into();
            assert_eq!(of(&info, heard).as_deref(), string, "{codec} {config:?}");
        }
    }
}
