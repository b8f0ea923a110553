//! Native FLAC (RFC 9639).
//!
//! ```text
//!   "fLaC" │ STREAMINFO │ blocks of metadata … │ frame │ frame …       block: last(1) type(7) size(24) body
//! ```
//!
//! - Frames have no size: one ends where a header follows and its CRC-16 is right. Where none does, a header that counts on
//!   ends it, and the frame is flagged as corrupt.
//! - Read: Vorbis comments, cue sheets as chapters, pictures as type and size, the seek table. Passed over: padding and
//!   applications.
//! - Times are counted from the numbers of frames. Seeking goes by the seek table, and bisects between its points.
//! - Written: STREAMINFO and comments; sizes and the count of samples are patched where the output can be written again.

use alloc::boxed::Box;

mod blocks;
mod demuxer;
mod frames;
mod muxer;

use crate::{
    error::Result,
    format::{Demuxer, Format, Rules, Score},
    settings::Settings,
    stream::Codec,
};

/// The row of this format.
pub const FORMAT: Format = Format {
    name: "flac",
    long_name: "FLAC",
    mime: &["audio/flac", "audio/x-flac"],
    extensions: &["flac", "fla"],
    probe,
    demuxer: Some(open),
    muxer: Some(muxer::make),
    settings: &[],
    rules: Rules { no_timestamps: true, ..Rules::STRICT },
    default_codecs: (Some(Codec::Flac), None),
};

/// First bytes of every file.
const MARK: &[u8; 4] = b"fLaC";

fn open(pairs: &[(&str, &str)]) -> Result<Box<dyn Demuxer>> {
    Settings::new(pairs, &[]).finish()?;
    Ok(Box::new(demuxer::Flac::default()))
}

fn probe(bytes: &[u8]) -> Score {
    match bytes.iter().zip(MARK).all(|(byte, mark)| byte == mark) {
        false => Score::No("no fLaC at the start"),
        true if bytes.len() < MARK.len() => Score::More("the start of fLaC"),
        true => Score::Sure("fLaC"),
    }
}
