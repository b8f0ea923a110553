//! WAV: RIFF, RIFX, RF64 and BW64 files, and Sony's Wave64, with PCM or other codecs inside (EBU Tech 3306, RFC 2361).
//!
//! ```text
//!   RIFF | RF64: "RIFF" size(32) "WAVE" ["ds64" sizes(64)] "fmt " … ["fact" …] ["LIST" …] "data" size(32) samples …
//!   Wave64:      riff guid size(64) wave guid { guid size(64, with these 24 bytes) body [pad to 8] }…
//! ```
//!
//! Packets are whole blocks, at most 4096 bytes unless one block is larger, as the reference cuts them; frames of codecs
//! that have frames. Times count samples.
//! - A data size of 0 or 0xffffffff is a recording under way: it goes on to the end of the input.
//! - On an input that can seek the chunks behind the data are read first, and the last data chunk counts; else they are
//!   read where they stand, and data chunks follow each other.
//! - The first 8 KiB of data decide where `fmt ` cannot: how 24 bits lie in 4 bytes, and whether AC-3 or DTS is named PCM.
//! - RIFX gets its numbers turned, but its samples keep little-endian names, as in the reference.

use alloc::boxed::Box;

mod container;
mod content;
mod demuxer;
mod muxer;
mod probe;
mod units;

use crate::{
    error::Result,
    format::{Demuxer, Format, Rules},
    settings::Settings,
    stream::Codec,
};

/// The row of this format.
pub const FORMAT: Format = Format {
    name: "wav",
    long_name: "WAV / WAVE (Waveform Audio)",
    mime: &["audio/wav", "audio/x-wav", "audio/vnd.wave"],
    extensions: &["wav", "wave", "rf64", "bw64", "w64"],
    probe: probe::probe,
    demuxer: Some(open),
    muxer: Some(muxer::make),
    settings: muxer::SETTINGS,
    rules: Rules { equal_dts: true, ..Rules::STRICT },
    default_codecs: (Some(Codec::PcmS16Le), None),
};

fn open(settings: &[(&str, &str)]) -> Result<Box<dyn Demuxer>> {
    Settings::new(settings, &[]).finish()?;
    Ok(Box::new(demuxer::Wav::new()))
}
