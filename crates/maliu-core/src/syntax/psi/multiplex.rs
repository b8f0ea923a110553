//! Facts of a transport stream as a whole: its tables, the share of each PID, its clocks, and what it breaks of
//! ETSI TR 101 290.

use alloc::{string::String, vec::Vec};

use super::{Pmt, Service};

/// A transport stream as a whole, as far as it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Multiplex {
    /// Bytes from one packet to the next: 188, 192 or 204.
    pub packet_size: usize,
    /// Packets read, null packets included.
    pub packets: u64,
    /// transport_stream_id of the PAT.
    pub stream_id: Option<u16>,
    /// version_number of the last PAT.
    pub pat_version: Option<u8>,
    /// original_network_id of the SDT.
    pub network_id: Option<u16>,
    /// version_number of the last SDT.
    pub sdt_version: Option<u8>,
    /// The programs that the PAT names, in its order, or that maps name where there is none.
    pub programs: Vec<ProgramFacts>,
    /// Every PID that has packets, in rising order.
    pub pids: Vec<PidFacts>,
    /// Every PID that carries program clock references, in rising order.
    pub clocks: Vec<ClockFacts>,
    /// Bits per second of the 188-byte packets between the first and the last clock reference; `None` without two.
    pub bit_rate: Option<u64>,
    /// At least nine of ten clock references lie on the line of their neighbours.
    pub constant_rate: bool,
    /// Breaches of TR 101 290: one entry for each indicator and PID; at most [`MAX_BREACHES`].
    pub breaches: Vec<Breach>,
}

/// Most entries of [`Multiplex::breaches`]; others are not kept.
pub const MAX_BREACHES: usize = 1000;

/// A program of a transport stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProgramFacts {
    /// program_number.
    pub number: u16,
    /// PID of its map.
    pub map_pid: u16,
    /// version_number of its last map.
    pub map_version: Option<u8>,
    /// Its last map; `None` when none came.
    pub map: Option<Pmt>,
    /// Its name in the SDT.
    pub service: Option<Service>,
    /// Name of the present event in the EIT.
    pub event: Option<String>,
}

/// The packets of one PID.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PidFacts {
    /// The PID.
    pub pid: u16,
    /// How many packets it has.
    pub packets: u64,
    /// Places where the continuity counter does not go on by one.
    pub gaps: u64,
    /// Packets that came twice.
    pub duplicates: u64,
    /// Packets with transport_error_indicator.
    pub errors: u64,
    /// Packets with transport_scrambling_control.
    pub scrambled: u64,
    /// Bits per second of its packets of 188 bytes; `None` without a clock.
    pub bit_rate: Option<u64>,
}

/// The program clock references of one PID.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClockFacts {
    /// The PID.
    pub pid: u16,
    /// How many there are.
    pub references: u64,
    /// The longest time between two, in µs; jumps are left out.
    pub longest_us: u64,
    /// The largest distance in ns of a reference from the line through its neighbours, by their places in the stream.
    /// Below 500 at a constant rate; at a variable rate it says nothing.
    pub jitter_ns: u64,
}

/// Something that TR 101 290 counts as an error.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Breach {
    /// The indicator.
    pub indicator: Indicator,
    /// The PID it is about, when it is about one.
    pub pid: Option<u16>,
    /// Offset of the first occurrence in the input, in bytes.
    pub at: u64,
    /// The first occurrence as a sentence.
    pub what: String,
    /// How often it was found.
    pub times: u64,
}

/// The indicators of ETSI TR 101 290 clauses 5.2.1 and 5.2.2. Those of tables are split: a table that is missing or wrong,
/// and one that comes too seldom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Indicator {
    /// 1.1: packets are lost to bytes that are not packets.
    SyncLoss,
    /// 1.2: a packet does not begin with its sync byte.
    SyncByte,
    /// 1.3: there is no PAT, or not only a PAT on PID 0.
    Pat,
    /// 1.3: no PAT within 0.5 s.
    PatInterval,
    /// 1.4: a continuity counter does not go on.
    Continuity,
    /// 1.5: a program has no map.
    Pmt,
    /// 1.5: no PMT within 0.5 s.
    PmtInterval,
    /// 1.6: a PID of a map has no packets.
    Pid,
    /// 2.1: transport_error_indicator.
    Transport,
    /// 2.2: a section with a wrong checksum.
    Crc,
    /// 2.3a: no clock reference within 100 ms.
    PcrInterval,
    /// 2.3b: a clock jumps without discontinuity_indicator.
    PcrJump,
    /// 2.4: a clock reference is off by more than 500 ns at a constant rate.
    PcrAccuracy,
    /// 2.5: no PTS within 0.7 s.
    PtsInterval,
    /// 2.6: scrambled packets and no CAT.
    Cat,
}
