//! State of each PID: the kind of its packets, the packet that is due, the PES packet under way.

use alloc::vec::Vec;

use super::packet::TsPacket;
use crate::{stream::Codec, syntax::psi::Sections};

/// Facts of a packet beside its payload.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub position: u64,
    pub arrival: Option<[u8; 4]>,
}

/// One PID.
pub(super) struct Slot {
    pub pid: u16,
    pub role: Role,
    pub counter: Option<u8>,
    pub print: [u64; 2],
    pub sections: Sections,
    pub pes: Pes,
    pub program: Option<u16>,
    /// The map says only that it is data: what it is if its content does not show it.
    pub fallback: Option<Codec>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Role {
    Association,
    Map,
    /// PES packets of a track.
    Stream(usize),
    /// Sections that are packets of a stream.
    SectionStream(usize),
    /// Nothing but a clock, or nothing that is wanted.
    Ignored,
}

/// The PES packet under way on a PID.
#[derive(Debug, Default)]
pub(super) struct Pes {
    pub state: PesState,
    /// The front of its header.
    pub head: Vec<u8>,
    pub position: u64,
    pub key: bool,
    pub arrival: Option<[u8; 4]>,
    pub stream_id: u8,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum PesState {
    /// None: payload is passed over up to the next start.
    #[default]
    None,
    Header,
    Body,
}

impl Pes {
    /// A packet begins with a unit start.
    pub(super) fn start(&mut self, ts: &TsPacket, place: Place) {
        self.state = if ts.payload.starts_with(&[0, 0, 1]) { PesState::Header } else { PesState::None };
        self.head.clear();
        (self.position, self.key, self.arrival) = (place.position, ts.random_access, place.arrival);
    }
}

impl Slot {
    pub(super) fn new(pid: u16, role: Role) -> Self {
        Self {
            pid,
            role,
            counter: None,
            print: [0; 2],
            sections: Sections::default(),
            pes: Pes::default(),
            program: None,
            fallback: None,
        }
    }

    /// Checks the continuity counter. `None` for a duplicate; else whether packets are missing in front of this one.
    pub(super) fn follow(&mut self, ts: &TsPacket) -> Option<bool> {
        let print = ts.print();
        let gap = match self.counter {
            Some(last) if last == ts.counter && print == self.print && !ts.discontinuity => return None,
            Some(last) => (last + 1) & 15 != ts.counter && !ts.discontinuity,
            None => false,
        };
        (self.counter, self.print) = (Some(ts.counter), print);
        Some(gap)
    }
}
