//! Codec strings for MIME types of streams without NAL units (RFC 6381).

use maliu::{
    hls,
    stream::{Codec, StreamInfo},
    syntax::aac::AudioSpecificConfig,
};

/// The string of a stream, when its configuration says all that stands in it; `heard` is the profile that its sound has told.
pub(super) fn of(info: &StreamInfo, heard: Option<&str>) -> Option<String> {
    match info.codec {
        Codec::Aac => Some(format!("mp4a.40.{}", object_type(&info.config, heard)?)),
        // Pictures tell more than the configuration of these.
        Codec::H264 | Codec::H265 => None,
        // As in MIME types: the sample entry of MP4, which HLS names, has other letters.
        Codec::Flac => Some("flac".to_owned()),
        _ => hls::codec_string(info),
    }
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
