//! Matroska and WebM (RFC 9559, RFC 8794; WebM container guidelines).
//!
//! ```text
//!   EBML header
//!   Segment ┬ SeekHead, Info, Tracks, Chapters, Attachments, Tags      in any order
//!           ├ Cluster ─ Timestamp, SimpleBlock, BlockGroup …           of known or unknown size
//!           └ Cues
//! ```
//!
//! Handled: sizes known and unknown, all lacings, default durations, header stripping, LZO1X and zlib (with the
//! feature `deflate`), codec delay, pre-roll, discard padding, block additions as side data, languages, dispositions, colours,
//! stereo and alpha as tags, chapters, tags, attachments and covers as facts, several segments behind each other.
//! Passed over, with a warning: encrypted blocks, blocks of unknown tracks, track operations, damage up to the next
//! element of the Segment.
//! Refused: documents of other types.
//!
//! Written: clusters begun at keyframes, blocks that leave at once, Cues and SeekHead; sizes stay unknown on outputs that
//! cannot be written again.

use alloc::boxed::Box;

use crate::{
    format::{Format, Rules, Score},
    settings::Settings,
    stream::Codec,
};

mod block;
mod codecs;
mod demux;
mod encoding;
mod facts;
mod mux;
mod private;
mod probe;
mod track;
mod units;
mod video;

use mux::settings::{self, Brand};

/// Kind of the side data that holds a block addition: BlockAddID (8 bytes, big-endian) and its data.
pub const BLOCK_ADDITION: u32 = u32::from_be_bytes(*b"mkba");

pub use probe::is_webm;

/// Most bytes of a block.
const MAX_BLOCK: usize = 32 << 20;

/// Matroska files: read in all their kinds, WebM among them.
pub const FORMAT: Format = Format {
    name: "matroska",
    long_name: "Matroska and WebM",
    mime: &["video/matroska", "audio/matroska", "video/x-matroska", "audio/x-matroska"],
    extensions: &["mkv", "mka", "mks", "mk3d"],
    probe: probe::probe,
    demuxer: Some(|pairs| {
        let mut settings = Settings::new(pairs, settings::READING);
        let audit = settings.flag("audit")?.unwrap_or(false);
        settings.finish()?;
        Ok(Box::new(demux::Matroska::new(audit)))
    }),
    muxer: Some(|pairs| mux::make(Brand::Matroska, pairs)),
    settings: settings::ALL,
    rules: RULES,
    default_codecs: (Some(Codec::Vorbis), Some(Codec::H264)),
};

/// WebM files, to be written; they are read as [`FORMAT`].
pub const WEBM: Format = Format {
    name: "webm",
    long_name: "WebM",
    mime: &["video/webm", "audio/webm"],
    extensions: &["webm", "weba"],
    probe: |_| Score::No("read as matroska"),
    demuxer: None,
    muxer: Some(|pairs| mux::make(Brand::WebM, pairs)),
    default_codecs: (Some(Codec::Opus), Some(Codec::Vp9)),
    ..FORMAT
};

/// Presentation times alone are stored, and none below 0.
const RULES: Rules = Rules { equal_dts: true, flush: true, shift_by_pts: true, ..Rules::STRICT };
