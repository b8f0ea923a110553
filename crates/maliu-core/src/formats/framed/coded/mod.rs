//! Frames of AC-3, E-AC-3 and DTS in a row, as they stand in packets (ETSI TS 102 366, TS 102 114).
//!
//! ```text
//!   [ID3v2] frame frame [junk] frame … [ID3v1]
//! ```
//!
//! Packets are whole frames; E-AC-3 frames hold the frames that depend on them, DTS frames their extension substream. Junk and
//! a last frame that is cut short are passed over with a warning. DTS in 14-bit words, or with swapped bytes, is not read.

use alloc::boxed::Box;

mod codings;
mod demuxer;
mod muxer;
mod probe;

use crate::{
    error::Result,
    format::{Demuxer, Format, Rules},
    settings::Settings,
};
use codings::{Ac3, Coding, Dts, Eac3};

/// AC-3.
pub const AC3: Format = format::<Ac3>("ac3", "raw AC-3", &["audio/ac3"], &["ac3"]);

/// E-AC-3.
pub const EAC3: Format = format::<Eac3>("eac3", "raw E-AC-3", &["audio/eac3"], &["eac3", "ec3"]);

/// DTS.
pub const DTS: Format = format::<Dts>("dts", "raw DTS", &["audio/vnd.dts"], &["dts", "dtshd"]);

const fn format<C: Coding>(
    name: &'static str,
    long_name: &'static str,
    mime: &'static [&'static str],
    extensions: &'static [&'static str],
) -> Format {
    Format {
        name,
        long_name,
        mime,
        extensions,
        probe: probe::probe::<C>,
        demuxer: Some(open::<C>),
        muxer: Some(muxer::make::<C>),
        settings: &[],
        rules: Rules { no_timestamps: true, ..Rules::STRICT },
        default_codecs: (Some(C::CODEC), None),
    }
}

fn open<C: Coding>(settings: &[(&str, &str)]) -> Result<Box<dyn Demuxer>> {
    Settings::new(settings, &[]).finish()?;
    Ok(Box::new(demuxer::Coded::<C>::default()))
}
