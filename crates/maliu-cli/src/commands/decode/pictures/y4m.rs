//! YUV4MPEG2: the header that names size, rate and sampling.

use maliu::{stream::StreamInfo, syntax::h264};
use maliu_decode::pictures::{Chroma, Picture};

/// Marker before each picture.
pub(super) const FRAME: &[u8] = b"FRAME\n";

/// Header before all pictures, of which this is the first.
pub(super) fn header(first: &Picture, info: Option<&StreamInfo>) -> Vec<u8> {
    let video = info.and_then(StreamInfo::as_video);
    let rate = video.and_then(|video| video.frame_rate).or_else(|| info.and_then(coded_rate)).unwrap_or((25, 1));
    let aspect = video.and_then(|video| video.pixel_aspect).unwrap_or((0, 0));
    let sampling = match (first.chroma, first.bit_depth) {
        (Chroma::Half, 8) => "420jpeg".to_owned(),
        (Chroma::HalfWidth, 8) => "422".to_owned(),
        (Chroma::Half, depth) => format!("420p{depth}"),
        (Chroma::HalfWidth, depth) => format!("422p{depth}"),
    };
    let Picture { width, height, .. } = first;
    format!("YUV4MPEG2 W{width} H{height} F{}:{} Ip A{}:{} C{sampling}\n", rate.0, rate.1, aspect.0, aspect.1)
        .into_bytes()
}

/// The rate that the stream's own parameter sets say, where the container says none.
fn coded_rate(info: &StreamInfo) -> Option<(u32, u32)> {
    let config = h264::Config::parse(&info.config)?;
    config.sps.iter().find_map(|nal| h264::Sps::parse(nal)?.frame_rate())
}
