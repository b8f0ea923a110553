//! Findings of the first reading: everything that the second one needs.

use alloc::{collections::BTreeSet, vec::Vec};

/// The repairs to make.
#[derive(Debug, Default)]
pub struct Plan {
    /// PID and offset of the first packet of PES packets and sections that are left out.
    pub(super) damaged: BTreeSet<(u16, u64)>,
    /// PIDs of PES packets: what has no beginning is left out.
    pub(super) pes: BTreeSet<u16>,
    /// PIDs of tables.
    pub(super) sections: BTreeSet<u16>,
    /// The first sections of the association, and of the map on each PID.
    pub(super) tables: Vec<(u16, Vec<u8>)>,
    /// Tables come too seldom, or not at all: they are put in.
    pub(super) restores: bool,
    /// They are also due in front of everything.
    pub(super) leads: bool,
    /// How many of the tables were made here.
    pub(super) made: u64,
    /// The PID whose clock is the time.
    pub(super) clock: Option<u16>,
}
