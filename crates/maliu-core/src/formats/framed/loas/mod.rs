//! LOAS: AAC in AudioMuxElements behind a sync word, with tags anywhere between (ISO/IEC 14496-3 §1.7.2).
//!
//! ```text
//!   [ID3v2] frame frame … [APE] [Lyrics3] [ID3v1]
//!   frame: 2b7(11) length(13) │ AudioMuxElement: [StreamMuxConfig] lengths payloads
//! ```
//!
//! Packets are the access units of the first layer, bare; their AudioSpecificConfig is the stream's `config`.
//! - Several subframes in an element are a packet each.
//! - Frames before the first configuration wait for it, up to [`MAX_HELD`]; without one they are left out with a warning.
//! - Written: a frame for each packet, its configuration in every 20th.
//! - A configuration that differs is another [`crate::format::Event::Stream`], and `new_config` on the packet it begins with.

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

pub use crate::syntax::latm::MAX_HELD;

/// The row of this format.
pub const FORMAT: Format = Format {
    name: "loas",
    long_name: "LOAS/LATM AAC (Low Overhead Audio Stream)",
    mime: &["audio/mp4a-latm"],
    extensions: &["loas", "latm"],
    probe: probe::probe,
    demuxer: Some(open),
    muxer: Some(muxer::make),
    settings: muxer::SETTINGS,
    rules: Rules { no_timestamps: true, ..Rules::STRICT },
    default_codecs: (Some(Codec::Aac), None),
};

fn open(settings: &[(&str, &str)]) -> Result<Box<dyn Demuxer>> {
    Settings::new(settings, &[]).finish()?;
    Ok(Box::new(demuxer::Loas::default()))
}
