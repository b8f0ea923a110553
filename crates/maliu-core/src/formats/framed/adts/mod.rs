//! ADTS: AAC raw data blocks behind 7-byte headers, with tags anywhere between (ISO/IEC 14496-3 §1.A.3.2).
//!
//! ```text
//!   [ID3v2] frame frame … [ID3v2] frame … [APE] [Lyrics3] [ID3v1]
//!   frame: header(7) [positions(2 · (blocks-1)) crc(2)] raw_data_block [crc(2)] …
//! ```
//!
//! Packets are bare raw data blocks; their AudioSpecificConfig is the stream's `config`.
//! - Several raw data blocks in a frame: one packet each where positions say how they part (frames with checksums), else
//!   one packet that holds them all.
//! - Junk and frames without content are passed over with a warning; so is a last frame that is cut short.
//! - A change of rate, channels or profile is another [`crate::format::Event::Stream`], and `new_config` on the packet it begins with.

use alloc::boxed::Box;

mod demuxer;
mod muxer;
mod probe;

use crate::{
    error::Result,
    format::{Demuxer, Format, Rules},
    settings::Settings,
    stream::Codec,
};

pub use demuxer::TIME_BASE;

/// The row of this format.
pub const FORMAT: Format = Format {
    name: "adts",
    long_name: "ADTS AAC (Advanced Audio Coding)",
    mime: &["audio/aac", "audio/aacp", "audio/x-aac"],
    extensions: &["aac", "adts"],
    probe: probe::probe,
    demuxer: Some(open),
    muxer: Some(muxer::make),
    settings: muxer::SETTINGS,
    rules: Rules { no_timestamps: true, ..Rules::STRICT },
    default_codecs: (Some(Codec::Aac), None),
};

fn open(settings: &[(&str, &str)]) -> Result<Box<dyn Demuxer>> {
    Settings::new(settings, &[]).finish()?;
    Ok(Box::new(demuxer::Adts::default()))
}
