//! Facts of a transport stream as a whole, and what it breaks of ETSI TR 101 290; collected beside the reading.
//!
//! ```text
//!   packet ─┬ counters of its PID ──────────────┐
//!           ├ clock reference ─▶ Clocks ─ time ─┤─▶ Watches: what must come again within a time
//!           └ sections ─▶ tables ───────────────┴─▶ Multiplex
//! ```

use alloc::{borrow::Cow, boxed::Box, format, vec::Vec};

use super::{
    packet::{self, SIZE, TsPacket},
    pids::Pids,
};
use crate::syntax::psi::{Breach, Indicator, MAX_BREACHES, Multiplex, PidFacts, Sections};

mod clocks;
mod tables;
#[cfg(test)]
mod tests;
mod watch;

use clocks::{Clock, Reference};
use tables::Tables;
use watch::Watches;

/// Collects facts of the packets of a stream.
pub(super) struct Audit {
    packets: u64,
    index: Pids,
    pids: Vec<Pid>,
    tables: Tables,
    clocks: Vec<Clock>,
    watches: Watches,
    breaches: Breaches,
}

/// One PID.
struct Pid {
    facts: PidFacts,
    counter: Option<u8>,
    print: [u64; 2],
    /// Sections under way, of PIDs that carry tables.
    sections: Option<Box<Sections>>,
    /// Index of its clock, when it has one.
    clock: Option<usize>,
    /// Index of the watch over its PTS.
    shown: Option<usize>,
}

/// Occurrences, one entry for each indicator and PID.
#[derive(Default)]
struct Breaches {
    list: Vec<Breach>,
}

impl Breaches {
    fn note(&mut self, indicator: Indicator, pid: Option<u16>, at: u64, what: impl FnOnce() -> Cow<'static, str>) {
        let same = |known: &&mut Breach| known.indicator == indicator && known.pid == pid;
        if let Some(known) = self.list.iter_mut().find(same) {
            known.times += 1;
        } else if self.list.len() < MAX_BREACHES {
            self.list.push(Breach { indicator, pid, at, what: what().into_owned(), times: 1 });
        }
    }
}

/// PIDs on which every stream has its tables.
const TABLE_PIDS: [u16; 5] = [tables::PAT, tables::CAT, tables::NIT, tables::SDT, tables::EIT];

impl Audit {
    pub(super) fn new() -> Self {
        let mut audit = Self {
            packets: 0,
            index: Pids::default(),
            pids: Vec::new(),
            tables: Tables::default(),
            clocks: Vec::new(),
            watches: Watches::default(),
            breaches: Breaches::default(),
        };
        TABLE_PIDS.iter().for_each(|pid| audit.carries_tables(*pid));
        audit.watches.table(tables::PAT, Indicator::PatInterval);
        audit
    }

    /// Counts a packet that stands at `at`.
    pub(super) fn packet(&mut self, ts: &TsPacket, at: u64) {
        self.packets += 1;
        let index = self.pid(ts.pid);
        let Some(pid) = self.pids.get_mut(index) else { return };
        pid.facts.packets += 1;
        pid.facts.scrambled += u64::from(ts.scrambled);
        if ts.pid == packet::NULL {
            return;
        }
        if ts.error {
            pid.facts.errors += 1;
            self.breaches.note(Indicator::Transport, Some(ts.pid), at, || "transport_error_indicator is set".into());
            return;
        }
        let gap = pid.follow(ts);
        if gap == Some(true) {
            pid.facts.gaps += 1;
            let what = || format!("the continuity counter does not go on at {}", ts.counter).into();
            self.breaches.note(Indicator::Continuity, Some(ts.pid), at, what);
        }
        if let Some(pcr) = ts.pcr {
            self.reference(index, ts, pcr, at);
        }
        if gap.is_some() && ts.has_payload {
            self.payload(index, ts, gap == Some(true), at);
        }
    }

    /// Packets were lost: `skipped` bytes were none.
    pub(super) fn skipped(&mut self, skipped: u64, step: usize, at: u64) {
        let indicator = if skipped == step as u64 { Indicator::SyncByte } else { Indicator::SyncLoss };
        let what = || match indicator {
            Indicator::SyncByte => "a packet does not begin with 0x47".into(),
            _ => format!("skipped {skipped} bytes that are not transport packets").into(),
        };
        self.breaches.note(indicator, None, at, what);
    }

    fn pid(&mut self, number: u16) -> usize {
        if let Some(index) = self.index.slot(number) {
            return index;
        }
        let index = self.pids.len();
        let facts = PidFacts { pid: number, ..PidFacts::default() };
        self.pids.push(Pid { facts, counter: None, print: [0; 2], sections: None, clock: None, shown: None });
        self.index.set(number, index);
        index
    }

    fn carries_tables(&mut self, number: u16) {
        let index = self.pid(number);
        if let Some(pid) = self.pids.get_mut(index) {
            pid.sections.get_or_insert_default();
        }
    }

    fn reference(&mut self, index: usize, ts: &TsPacket, pcr: u64, at: u64) {
        let Some(pid) = self.pids.get_mut(index) else { return };
        let place = self.packets * SIZE as u64;
        let clock = *pid.clock.get_or_insert_with(|| {
            self.clocks.push(Clock::new(ts.pid));
            self.clocks.len() - 1
        });
        let Some(known) = self.clocks.get_mut(clock) else { return };
        let passed = known.reference(Reference { pcr, place, at }, ts.discontinuity, &mut self.breaches);
        // The first clock is the time of everything that must come again.
        if clock == 0 {
            self.watches.pass(passed, at, &mut self.breaches);
        }
    }

    fn payload(&mut self, index: usize, ts: &TsPacket, gap: bool, at: u64) {
        let Some(pid) = self.pids.get_mut(index) else { return };
        if let Some(watch) = pid.shown.filter(|_| ts.start && has_pts(ts.payload)) {
            self.watches.touch(watch);
        }
        let Some(mut sections) = pid.sections.take() else { return };
        if gap || ts.scrambled {
            sections.lost();
        }
        if ts.scrambled && ts.pid == tables::PAT {
            self.breaches.note(Indicator::Pat, Some(ts.pid), at, || "PID 0 is scrambled".into());
        }
        if !ts.scrambled {
            let mut news = tables::News::default();
            sections.payload(ts.payload, ts.start, |section| {
                self.tables.section(ts.pid, section, at, &mut news, &mut self.breaches);
            });
            self.follow_up(&news);
        }
        if let Some(pid) = self.pids.get_mut(index) {
            pid.sections = Some(sections);
        }
    }

    /// Tables have come: their time runs anew, and the PIDs they name are looked at.
    fn follow_up(&mut self, news: &tables::News) {
        for (pid, indicator) in &news.tables {
            self.watches.table_came(*pid, *indicator);
        }
        for pid in &news.maps {
            self.carries_tables(*pid);
            self.watches.table(*pid, Indicator::PmtInterval);
        }
        for number in &news.shown {
            let index = self.pid(*number);
            if let Some(pid) = self.pids.get_mut(index).filter(|pid| pid.shown.is_none()) {
                pid.shown = self.watches.shown(*number);
            }
        }
    }

    /// Everything that was found.
    pub(super) fn multiplex(&self, packet_size: usize) -> Multiplex {
        let mut out = Multiplex { packet_size, packets: self.packets, ..Multiplex::default() };
        self.tables.put(&mut out);
        // Bits per second of one packet.
        let rate = self.clocks.iter().find_map(Clock::rate);
        let share = |packets: u64| {
            let (bytes, ticks) = rate?;
            let bits = u128::from(bytes) * 8 * 27_000_000 / u128::from(ticks);
            u64::try_from(bits * u128::from(packets) / u128::from(self.packets.max(1))).ok()
        };
        let seen = self.pids.iter().filter(|pid| pid.facts.packets > 0);
        out.pids = seen.map(|pid| PidFacts { bit_rate: share(pid.facts.packets), ..pid.facts.clone() }).collect();
        out.pids.sort_by_key(|facts| facts.pid);
        out.clocks = self.clocks.iter().map(Clock::facts).collect();
        out.clocks.sort_by_key(|facts| facts.pid);
        out.bit_rate = share(self.packets);
        let mut breaches = Breaches { list: self.breaches.list.clone() };
        let (mut judged, mut constant) = (0, 0);
        for clock in &self.clocks {
            judged += 1;
            constant += u32::from(clock.is_constant());
            clock.accuracy(&mut breaches);
        }
        out.constant_rate = judged > 0 && constant == judged;
        self.tables.missing(&out, &mut breaches);
        out.breaches = breaches.list;
        out.breaches.sort_by_key(|breach| (breach.indicator, breach.pid));
        out
    }
}

impl Pid {
    /// Checks the continuity counter: `None` for a duplicate, else whether it does not go on.
    fn follow(&mut self, ts: &TsPacket) -> Option<bool> {
        let print = ts.print();
        let expected = self.counter.map(|last| if ts.has_payload { (last + 1) & 15 } else { last });
        let twice = ts.has_payload && self.counter == Some(ts.counter) && print == self.print && !ts.discontinuity;
        self.print = if ts.has_payload { print } else { self.print };
        self.counter = Some(ts.counter);
        if twice {
            self.facts.duplicates += 1;
            return None;
        }
        Some(expected.is_some_and(|expected| expected != ts.counter) && !ts.discontinuity)
    }
}

/// Whether a PES packet begins here that has a PTS.
fn has_pts(payload: &[u8]) -> bool {
    matches!(payload, [0, 0, 1, id, _, _, first, flags, ..] if *id >= 0xbd && first & 0xc0 == 0x80 && flags & 0x80 != 0)
}
