//! MPEG transport streams: packets of 188 bytes, or of 192 and 204 with what recorders and modulators put beside them
//! (ISO/IEC 13818-1, ETSI EN 300 468, HDMV).
//!
//! ```text
//!   47 │ error start priority pid(13) │ scrambled(2) field(2) continuity(4) │ [length flags pcr …] │ payload
//!   payload: sections (PAT → PMT → streams) or PES packets ─▶ Track ─▶ Packet
//!   192 bytes: arrival(32) in front; 204 bytes: parity(128) behind
//! ```
//!
//! Handled: any packet size, junk between packets, several programs, maps that change, come late or never (streams are then
//! found by their content), PES packets with and without a length, duplicates, gaps, wraps and jumps of the clocks.
//! Written: one program at a variable or a constant rate, see `mux`.
//! Flagged CORRUPT: units beside lost packets, and those with bytes of faulty or scrambled packets.
//! Passed over: PIDs that no map names while maps are there, null packets, reserved adaptation field values.

use alloc::boxed::Box;

use crate::{
    error::Result,
    format::{Demuxer, Format, Rules},
    settings::{Help, Settings},
    stream::Codec,
};

mod demuxer;
mod maps;
mod mux;
mod packet;
mod pids;
mod probe;
mod programs;
mod slots;
mod sync;

pub use super::track::SIDE_ARRIVAL;

/// MPEG transport stream. Every stream has the time base 1/90000.
pub const FORMAT: Format = Format {
    name: "mpegts",
    long_name: "MPEG-TS (MPEG-2 transport stream)",
    mime: &["video/mp2t"],
    extensions: &["ts", "m2ts", "mts", "m2t"],
    probe: probe::probe,
    demuxer: Some(open),
    muxer: Some(mux::make),
    settings: mux::settings::WRITING,
    rules: Rules { flush: true, no_dimensions: true, ..Rules::STRICT },
    default_codecs: (Some(Codec::Aac), Some(Codec::H264)),
};

const READING: &[Help] = &[Help {
    name: "program",
    value: "NUMBER",
    default: "all",
    what: "Read the streams of this program only (program_number).",
}];

fn open(pairs: &[(&str, &str)]) -> Result<Box<dyn Demuxer>> {
    let mut settings = Settings::new(pairs, READING);
    let program = settings.number("program", 0, 65_535)?.and_then(|number| u16::try_from(number).ok());
    settings.finish()?;
    Ok(Box::new(demuxer::Transport::new(program)))
}
