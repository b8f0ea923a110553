//! MP4, QuickTime, M4A, 3GP, F4V, ISMV and fragmented files (ISO/IEC 14496-12, QuickTime File Format).
//!
//! ```text
//!   [ftyp] … moov: mvhd, trak…, udta   mdat: samples          tables in front or behind
//!   [styp] moof: traf…  mdat  moof …                          fragments, with or without [sidx]
//! ```
//!
//! Handled: boxes of all sizes, `moov` in front or behind (on an input that cannot go back up to 64 MiB of media wait for
//! it), compressed `moov` boxes, fragments, their indexes (`sidx`, `mfra`), several sample descriptions, edit lists with
//! empty edits and several stretches, signed composition offsets, dependencies of samples, gapless counts, tags, covers as
//! facts, QuickTime and Nero chapters, event messages, producer reference times, key systems.
//! Passed over, with a warning: tracks in other files, repeated fragments, a second `moov`.
//! Refused: files without a movie.

use alloc::boxed::Box;

use crate::{
    error::Result,
    format::{Demuxer, Format, Rules, Score},
    settings::Settings,
    stream::Codec,
};

pub mod crypt;
mod demux;
mod movie;
mod mux;
mod play;
mod probe;
mod walk;

use mux::settings::{self, Brand};

/// Bytes of tag items and of other boxes whose front is read.
const MAX_FRONT: usize = crate::syntax::isobmff::tags::MAX_ITEM;

/// MP4 files: read in all their kinds, written whole.
pub const FORMAT: Format = Format {
    name: "mp4",
    long_name: "MP4, QuickTime and other ISO base media files",
    mime: &["video/mp4", "audio/mp4", "video/3gpp"],
    extensions: &["mp4", "m4v", "3gp", "3g2", "f4v", "ismv", "isma", "mj2"],
    probe: probe::probe,
    demuxer: Some(open),
    muxer: Some(|pairs| mux::make(Brand::Mp4, pairs)),
    settings: settings::WHOLE,
    rules: RULES,
    default_codecs: (Some(Codec::Aac), Some(Codec::H264)),
};

/// QuickTime movies, to be written; they are read as [`FORMAT`].
pub const MOV: Format = Format {
    name: "mov",
    long_name: "QuickTime movie",
    mime: &["video/quicktime"],
    extensions: &["mov", "qt"],
    probe: |_| Score::No("read as mp4"),
    demuxer: None,
    muxer: Some(|pairs| mux::make(Brand::Mov, pairs)),
    ..FORMAT
};

/// Audio alone, to be written; it is read as [`FORMAT`].
pub const M4A: Format = Format {
    name: "m4a",
    long_name: "MPEG-4 audio",
    mime: &["audio/mp4", "audio/x-m4a"],
    extensions: &["m4a", "m4b"],
    muxer: Some(|pairs| mux::make(Brand::M4a, pairs)),
    default_codecs: (Some(Codec::Aac), None),
    ..MOV
};

/// Fragmented files and streams, to be written; they are read as [`FORMAT`].
pub const FMP4: Format = Format {
    name: "fmp4",
    long_name: "fragmented MP4",
    mime: &["video/mp4"],
    extensions: &["m4s"],
    muxer: Some(|pairs| mux::make(Brand::Fragmented, pairs)),
    settings: settings::FRAGMENTS,
    ..MOV
};

/// CMAF tracks, to be written; they are read as [`FORMAT`].
pub const CMAF: Format = Format {
    name: "cmaf",
    long_name: "CMAF (ISO/IEC 23000-19)",
    extensions: &["cmfv", "cmfa", "cmft"],
    muxer: Some(|pairs| mux::make(Brand::Cmaf, pairs)),
    ..FMP4
};

/// Times may be negative: an edit list cuts what is not shown.
const RULES: Rules = Rules { equal_dts: true, negative: true, flush: true, ..Rules::STRICT };

fn open(pairs: &[(&str, &str)]) -> Result<Box<dyn Demuxer>> {
    let mut settings = Settings::new(pairs, settings::WHOLE);
    let shift = settings.number("chunk_shift", i64::MIN, i64::MAX)?.unwrap_or(0);
    let keys = settings.text("key").map(crypt::Keys::parse).transpose()?.unwrap_or_default();
    settings.finish()?;
    Ok(Box::new(demux::Mp4::new(shift, keys)))
}
