//! Which formats there are. A new one is named twice here: its module and its row.

use crate::format::Format;

mod annexb;
pub mod flac;
pub mod flv;
pub mod frame_hash;
mod framed;
pub mod hash;
mod headed;
pub mod ivf;
pub mod matroska;
pub mod mp4;
mod mpeg;
pub mod null;
pub mod ogg;
pub mod pcm;
pub mod rtsp;
pub mod wav;

pub use annexb::{h264, h265};
pub use framed::{adts, coded, loas, mp3};
pub use headed::{AIFF, AU, CAF};
pub use mpeg::{mpegps, mpegts};

/// Every format, in the order in which ties of a probe are decided.
pub const ALL: &[&Format] = &[
    &flv::FORMAT,
    &mp4::FORMAT,
    &mp4::MOV,
    &mp4::M4A,
    &mp4::FMP4,
    &mp4::CMAF,
    &h264::FORMAT,
    &h265::FORMAT,
    &adts::FORMAT,
    &mp3::FORMAT,
    &wav::FORMAT,
    &loas::FORMAT,
    &coded::AC3,
    &coded::EAC3,
    &coded::DTS,
    &mpegts::FORMAT,
    &mpegps::FORMAT,
    &AIFF,
    &AU,
    &CAF,
    &ivf::FORMAT,
    &matroska::FORMAT,
    &matroska::WEBM,
    &ogg::FORMAT,
    &flac::FORMAT,
    &rtsp::FORMAT,
    &null::FORMAT,
    &frame_hash::FRAMECRC,
    &frame_hash::FRAMEMD5,
    &frame_hash::FRAMEHASH,
    &hash::HASH,
    &hash::MD5,
    &pcm::U8,
    &pcm::S8,
    &pcm::S16LE,
    &pcm::S16BE,
    &pcm::S24LE,
    &pcm::S24BE,
    &pcm::S32LE,
    &pcm::S32BE,
    &pcm::F32LE,
    &pcm::F32BE,
    &pcm::F64LE,
    &pcm::ALAW,
    &pcm::MULAW,
];

/// The format of a name or a file name extension.
pub fn named(name: &str) -> Option<&'static Format> {
    let by_name = ALL.iter().copied().find(|format| format.name == name);
    by_name.or_else(|| ALL.iter().copied().find(|format| format.extensions.contains(&name)))
}
