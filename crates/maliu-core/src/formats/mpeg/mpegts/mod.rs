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

use alloc::{boxed::Box, format};

use crate::{
    error::{Error, Result},
    format::{Demuxer, Format, Rules},
    settings::{Help, Settings},
    stream::Codec,
};

mod audit;
#[cfg(feature = "crypt")]
mod crypt;
mod demuxer;
mod maps;
pub mod mend;
mod mux;
mod packet;
mod pids;
mod probe;
mod programs;
mod slots;
mod sync;

pub use super::track::SIDE_ARRIVAL;
pub use crate::syntax::psi::{
    Breach, ClockFacts, Elementary, Indicator, MAX_BREACHES, Multiplex, PidFacts, Pmt, ProgramFacts, Service,
};

use programs::Wanted;

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

const READING: &[Help] = &[
    Help {
        name: "program",
        value: "NUMBER|first|all",
        default: "all",
        what: "Read the streams of this program only (program_number), or of the first one with audio or video.",
    },
    Help { name: "key", value: "IV:KEY", default: "none", what: "Decrypt an HLS segment, AES-128 or SAMPLE-AES." },
    Help { name: "audit", value: "0|1", default: "0", what: "Collect the tables and what breaks TR 101 290." },
];

fn open(pairs: &[(&str, &str)]) -> Result<Box<dyn Demuxer>> {
    let mut settings = Settings::new(pairs, READING);
    let wanted = wanted(settings.text("program"))?;
    let audit = settings.flag("audit")?.unwrap_or(false);
    let key = settings.text("key");
    settings.finish()?;
    let transport = demuxer::Transport::new(wanted, audit);
    match key {
        Some(key) => decrypting(transport, key),
        None => Ok(Box::new(transport)),
    }
}

#[cfg(feature = "crypt")]
fn decrypting(transport: demuxer::Transport, key: &str) -> Result<Box<dyn Demuxer>> {
    Ok(Box::new(crypt::Decrypting::new(transport, crypt::Key::parse(key)?)))
}

#[cfg(not(feature = "crypt"))]
fn decrypting(_: demuxer::Transport, _: &str) -> Result<Box<dyn Demuxer>> {
    Err(Error::unsupported("mpegts: decryption, which this build does not have"))
}

fn wanted(text: Option<&str>) -> Result<Wanted> {
    Ok(match text {
        None | Some("all") => Wanted::All,
        Some("first") => Wanted::First(None),
        Some(number) => match number.parse() {
            Ok(number) => Wanted::Number(number),
            Err(_) => {
                let why = format!("{number:?} is neither a program_number, first nor all");
                return Err(Error::Setting { name: "program".into(), why });
            }
        },
    })
}
