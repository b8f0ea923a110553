//! MPEG program streams: PES packets in packs, as DVDs, recorders and GB/T 28181 cameras write them (ISO/IEC 13818-1 §2.5,
//! ISO/IEC 11172-1).
//!
//! ```text
//!   00 00 01 ba clock │ [bb system header] │ [bc stream map] │ 00 00 01 id length header payload │ … │ 00 00 01 b9
//!   private stream 1 of discs: substream(8) [frames(8) offset(16)] payload
//! ```
//!
//! Handled: MPEG-1 and MPEG-2 packs, stream maps, the stream types of GB/T 28181 (H.264, H.265, G.711, AAC …), substreams of
//! discs (AC-3, DTS, LPCM, subtitles), streams without a map (found by their content), lost packs, junk, PES packets without
//! a length.
//! Written: packs of MPEG-2 as cameras write them, or with `mpeg1=1` of MPEG-1.
//! Passed over: system headers, padding, private stream 2 (navigation of discs).

use alloc::boxed::Box;

use crate::{
    error::Result,
    format::{Demuxer, Format, Rules},
    settings::Settings,
    stream::Codec,
};

mod demuxer;
mod map;
mod muxer;
mod probe;
mod seek;

/// MPEG program stream. Every stream has the time base 1/90000.
pub const FORMAT: Format = Format {
    name: "mpegps",
    long_name: "MPEG-PS (MPEG program stream)",
    mime: &["video/mp2p", "video/mpeg"],
    extensions: &["mpg", "vob", "ps", "mpeg"],
    probe: probe::probe,
    demuxer: Some(open),
    muxer: Some(muxer::make),
    settings: muxer::SETTINGS,
    rules: Rules { no_dimensions: true, ..Rules::STRICT },
    default_codecs: (Some(Codec::Mp2), Some(Codec::Mpeg2Video)),
};

fn open(pairs: &[(&str, &str)]) -> Result<Box<dyn Demuxer>> {
    Settings::new(pairs, &[]).finish()?;
    Ok(Box::<demuxer::Program>::default())
}
