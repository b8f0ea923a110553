//! Flash Video: tags of audio, video and script data behind each other (FLV 10.1 annex E; Enhanced RTMP v2).
//!
//! ```text
//!  "FLV" version flags u32 size │ u32 0 │ type size(24) time(24+8) stream(24) │ body │ u32 11+size │ type …
//!                        header │       └ head, 11 bytes                      │ size │ PreviousTagSize
//! ```
//!
//! Handled: header quirks, wrong or missing PreviousTagSize, tags without a body, all codec numbers, Enhanced RTMP v2 with
//! multitrack and ModEx, KUX files (FLV behind 14 942 208 other bytes), AMF0 and AMF3 metadata, texts, captions and data,
//! junk between tags, cut recordings.
//! Passed over, with a warning: tags of unknown type, encrypted tags.
//! Refused: input in which no tag is found.

use alloc::boxed::Box;

use crate::{
    format::{Demuxer, Format, Muxer, Rules},
    stream::Codec,
};

mod audio;
mod clock;
mod colors;
mod demux;
pub(crate) mod enhanced;
mod facts;
mod header;
mod index;
mod metadata;
mod mux;
mod payload;
mod resync;
mod script;
mod settings;
mod streams;
pub mod tag;
mod video;

pub use settings::{Reading as ReadOptions, Writing as Options};

/// Kind of the side data entry that holds the sub-millisecond part of a packet's time: nanoseconds, u32, big-endian.
pub const SIDE_NANOS: u32 = u32::from_be_bytes(*b"nano");

/// Kind of the side data entry that holds colour information: the AMF0 of an Enhanced RTMP metadata packet.
pub const SIDE_COLORS: u32 = u32::from_be_bytes(*b"colr");

/// Flash Video (identity: FLV-1). Every stream has the time base 1/1000 (FLV-8).
pub const FORMAT: Format = Format {
    name: "flv",
    long_name: "FLV (Flash Video)",
    mime: &["video/x-flv"],
    extensions: &["flv"],
    probe: header::probe,
    demuxer: Some(demux::make),
    muxer: Some(mux::make),
    settings: settings::ALL,
    rules: Rules { equal_dts: true, codec_tags: CODEC_TAGS, ..Rules::STRICT },
    default_codecs: (Some(Codec::Mp3), Some(Codec::Flv1)),
};

/// Makes a demuxer from typed options, for `PacketReader::with`.
pub fn demuxer(options: ReadOptions) -> Box<dyn Demuxer> {
    Box::new(demux::Flv::new(options))
}

/// Makes a muxer from typed options, for `Plan::start_muxer` and the `with_muxer` of writers.
///
/// ```
/// use maliu_core::formats::flv;
///
/// let mut options = flv::Options::default();
/// options.index = true;
/// let muxer = flv::muxer(options);
/// ```
pub fn muxer(options: Options) -> Box<dyn Muxer> {
    mux::new(options)
}

/// The container's numbers of codecs, video before audio (FLV-3, FLV-5).
const CODEC_TAGS: &[(Codec, u32)] = &[
    (Codec::Flv1, 2),
    (Codec::FlashSv, 3),
    (Codec::FlashSv2, 6),
    (Codec::Vp6F, 4),
    (Codec::Vp6, 4),
    (Codec::Vp6A, 5),
    (Codec::H264, 7),
    (Codec::H263, 8),
    (Codec::Mpeg4, 9),
    (Codec::Mp3, 2),
    (Codec::PcmU8, 0),
    (Codec::PcmS16Be, 0),
    (Codec::PcmS16Le, 3),
    (Codec::AdpcmSwf, 1),
    (Codec::Aac, 10),
    (Codec::Nellymoser, 6),
    (Codec::PcmMuLaw, 8),
    (Codec::PcmALaw, 7),
    (Codec::Speex, 11),
];
