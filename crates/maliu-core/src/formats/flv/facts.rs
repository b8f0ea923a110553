//! Stream facts that only the codec knows: from its configuration, or from its first packet (FLD-19…FLD-21).

use bytes::Bytes;

use crate::{
    stream::{Codec, Media, StreamInfo},
    syntax::h264,
};

use super::video;

/// Takes over a codec configuration and what it says.
pub fn from_config(info: &mut StreamInfo, config: Bytes) {
    if let (Codec::H264, Media::Video(picture)) = (info.codec, &mut info.media) {
        let sps = h264::Config::parse(&config).and_then(|config| h264::Sps::parse(config.sps.first()?));
        if let Some(sps) = sps {
            (picture.width, picture.height) = sps.display_size();
            picture.reorder = sps.reorder_depth();
            picture.level = Some(sps.level_idc);
            info.profile = Some(sps.profile_idc);
        }
    }
    info.config = config;
}

/// What the first packet says of a stream; `promised` is the picture size that metadata names.
pub fn from_data(info: &mut StreamInfo, data: &[u8], promised: Option<(u32, u32)>) {
    let (codec, config) = (info.codec, info.config.clone());
    match &mut info.media {
        Media::Video(picture) => {
            let size = video::picture_size(codec, &config, data).or(promised);
            if let (Some((width, height)), 0) = (size, picture.width) {
                (picture.width, picture.height) = (width, height);
            }
        }
        Media::Audio(_) => {}
        _ => {}
    }
}
