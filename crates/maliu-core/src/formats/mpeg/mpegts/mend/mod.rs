//! Mends a transport stream packet by packet, without taking it apart: two readings of the same bytes.
//!
//! ```text
//!   1st: packets ─▶ Survey ─▶ Plan: damaged PES packets and sections, tables that are missing
//!   2nd: packets ─▶ Mender ─▶ packets with counters that go on, whole units, and tables where they are due
//! ```
//!
//! A stream without faults comes out as it went in, and what was mended once is not changed by a second time.

use alloc::{format, string::String, vec::Vec};

mod mender;
mod plan;
mod rows;
mod survey;
#[cfg(test)]
mod tests;
mod units;

pub use mender::Mender;
pub use plan::Plan;
pub use survey::Survey;

/// Result of a repair, in packets of 188 bytes where not said otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Continuity counters that were set anew.
    pub counters: u64,
    /// PES packets that were left out: damaged, or without their beginning.
    pub units: u64,
    /// Sections with a wrong checksum, or not whole, that were left out.
    pub sections: u64,
    /// Packets with transport_error_indicator that were left out.
    pub errors: u64,
    /// Packets that came twice, left out once.
    pub duplicates: u64,
    /// Bytes that are not packets.
    pub junk: u64,
    /// Packets with tables that were put in.
    pub tables: u64,
    /// Maps and associations that were made because none came.
    pub made: u64,
    /// Jumps of a clock that were marked.
    pub jumps: u64,
    /// Parity behind packets was left out, of this many.
    pub parity: u64,
}

impl Report {
    /// The report as sentences; none when nothing was to be mended.
    pub fn lines(&self) -> Vec<String> {
        let counts = [
            (self.junk, "left out", "byte that is not a transport packet", "bytes that are not transport packets"),
            (self.errors, "left out", "packet marked as damaged", "packets marked as damaged"),
            (self.units, "left out", "damaged PES packet", "damaged PES packets"),
            (self.sections, "left out", "damaged section", "damaged sections"),
            (self.duplicates, "left out", "duplicate packet", "duplicate packets"),
            (self.counters, "set", "continuity counter", "continuity counters"),
            (self.made, "made", "table that is missing", "tables that are missing"),
            (self.tables, "put in", "packet with tables", "packets with tables"),
            (self.jumps, "marked", "jump of the clock", "jumps of the clock"),
            (self.parity, "left out the parity of", "packet", "packets"),
        ];
        let found = counts.into_iter().filter(|(count, ..)| *count > 0);
        found
            .map(|(count, done, one, many)| format!("{done} {count} {}", if count == 1 { one } else { many }))
            .collect()
    }
}
