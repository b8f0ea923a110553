//! MP3 and its sisters: MPEG audio frames of layers I to III, with tags anywhere between (ISO/IEC 11172-3, 13818-3).
//!
//! ```text
//!   [ID3v2] [Xing/Info/VBRI frame] frame frame … [APE] [Lyrics3] [ID3v1] [ID3v2] frame …
//! ```
//!
//! Packets are whole frames.
//! - An information frame at the very start is read and left out: it says duration, seek table and gapless trim.
//! - Free format is framed by the distance of its headers.
//! - Junk is passed over with a warning; so is a last frame that is cut short.
//! - A change of layer, rate or channels is another [`Event::Stream`](crate::format::Event::Stream).

use alloc::boxed::Box;

mod clock;
mod demuxer;
mod muxer;
mod probe;
mod toc;

use crate::{
    error::Result,
    format::{Demuxer, Format, Rules},
    settings::Settings,
    stream::Codec,
};

pub use clock::TIME_BASE;

/// The row of this format.
pub const FORMAT: Format = Format {
    name: "mp3",
    long_name: "MP2/MP3 (MPEG audio layers I to III)",
    mime: &["audio/mpeg", "audio/mp3", "audio/mpa"],
    extensions: &["mp3", "mp2", "mp1", "m2a", "mpa"],
    probe: probe::probe,
    demuxer: Some(open),
    muxer: Some(muxer::make),
    settings: muxer::SETTINGS,
    rules: Rules { no_timestamps: true, ..Rules::STRICT },
    default_codecs: (Some(Codec::Mp3), None),
};

fn open(settings: &[(&str, &str)]) -> Result<Box<dyn Demuxer>> {
    Settings::new(settings, &[]).finish()?;
    Ok(Box::new(demuxer::Mp3::new()))
}
