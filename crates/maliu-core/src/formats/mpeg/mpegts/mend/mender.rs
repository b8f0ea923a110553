//! The second reading: packets that are whole, with counters that go on, and tables where they are due.

use alloc::{boxed::Box, vec::Vec};

use super::{
    super::packet::{self, SIZE, SYNC, TsPacket},
    Plan, Report,
    rows::{Row, Rows},
    units::{Counter, Order, Units},
};
use crate::{
    input::Input,
    syntax::psi::{LongSection, Pat, Pmt, Sections},
};

/// Ticks of 27 MHz between tables that are put in.
const PERIOD: u64 = 27_000_000 / 4;

/// Packets between them in a stream without a clock.
const PERIOD_PACKETS: u64 = 1000;

/// Ticks after which the clock begins again.
const TURN: u64 = (1 << 33) * 300;

/// A longer step of a clock is a jump.
const JUMP: u64 = 27_000_000;

/// Reads a stream again and writes it.
pub struct Mender {
    plan: Plan,
    rows: Rows,
    pids: Units<Pid>,
    /// Sections of association and maps that hold here.
    tables: Vec<Table>,
    report: Report,
    begun: bool,
    /// Packets since tables were put in.
    since: u64,
    lead: Option<[u8; 4]>,
}

#[derive(Default)]
struct Pid {
    counter: Counter,
    /// The last counter written.
    written: Option<u8>,
    /// Fate of the unit under way.
    unit: State,
    sections: Option<Box<Sections>>,
    clock: Option<u64>,
}

/// A section that holds, and the ticks since the first clock reference behind its last packet.
struct Table {
    pid: u16,
    section: Vec<u8>,
    age: Option<u64>,
}

/// Fate of packets.
#[derive(Clone, Copy, Default, PartialEq)]
enum State {
    /// No unit has begun.
    #[default]
    None,
    Kept,
    Dropped,
}

impl Mender {
    /// Begins the reading that `plan` was made for.
    pub fn new(plan: Plan) -> Self {
        let report = Report { made: plan.made, ..Report::default() };
        let tables = plan.tables.iter().map(|(pid, section)| Table { pid: *pid, section: section.clone(), age: None });
        let tables = tables.collect();
        Self { plan, rows: Rows::default(), pids: Units::default(), tables, report, begun: false, since: 0, lead: None }
    }

    /// Reads what was fed and appends what is written of it; to be called again after each feeding, and once the input
    /// has ended.
    pub fn read(&mut self, input: &mut Input, out: &mut Vec<u8>) {
        loop {
            match self.rows.next(input) {
                Row::Packet { bytes, at, lead } => {
                    self.report.parity += u64::from(self.rows.last_step > 192);
                    self.lead = lead;
                    self.packet(bytes, at, out);
                }
                Row::Junk(bytes) => self.report.junk += bytes,
                Row::More | Row::End => return,
            }
        }
    }

    /// The repairs so far.
    pub fn report(&self) -> &Report {
        &self.report
    }

    fn packet(&mut self, mut bytes: [u8; SIZE], at: u64, out: &mut Vec<u8>) {
        if !core::mem::replace(&mut self.begun, true) && self.plan.leads {
            self.put_tables(out);
        }
        let ts = TsPacket::parse(&bytes);
        if ts.pid == packet::NULL {
            return put(self.lead, &bytes, out);
        }
        if ts.error {
            self.report.errors += 1;
            return;
        }
        if !ts.valid {
            return put(self.lead, &bytes, out);
        }
        let order = self.pids.of(ts.pid).counter.follow(&ts);
        if order == Order::Twice {
            self.report.duplicates += 1;
            return;
        }
        let jumps = self.reference(&ts, out);
        let state = self.state(&ts, at);
        self.learn(&ts, order == Order::Gap);
        let (pid, marked, has_payload, counter) = (ts.pid, ts.discontinuity, ts.has_payload, ts.counter);
        let kept = state == State::Kept || !has_payload;
        if !kept && ts.pcr.is_none() {
            return;
        }
        if jumps && let Some(flags) = bytes.get_mut(5) {
            *flags |= 0x80;
            self.report.jumps += 1;
        }
        if !kept {
            strip(&mut bytes);
        }
        let own = self.pids.of(pid);
        let next = match own.written {
            Some(last) if marked => {
                if kept {
                    counter
                } else {
                    last
                }
            }
            Some(last) => {
                if kept && has_payload {
                    (last + 1) & 15
                } else {
                    last
                }
            }
            None => counter,
        };
        own.written = Some(next);
        if let Some(byte) = bytes.get_mut(3) {
            self.report.counters += u64::from(*byte & 15 != next);
            *byte = *byte & 0xf0 | next;
        }
        put(self.lead, &bytes, out);
    }

    /// Fate of the packet.
    fn state(&mut self, ts: &TsPacket, at: u64) -> State {
        if !ts.has_payload {
            return State::Kept;
        }
        let (is_pes, is_table) = (self.plan.pes.contains(&ts.pid), self.plan.sections.contains(&ts.pid));
        let own = self.pids.of(ts.pid);
        if ts.start {
            let damaged = self.plan.damaged.contains(&(ts.pid, at));
            own.unit = if damaged { State::Dropped } else { State::Kept };
            if damaged {
                let count = if is_table { &mut self.report.sections } else { &mut self.report.units };
                *count += 1;
            }
        } else if own.unit == State::None && is_pes {
            own.unit = State::Dropped;
            self.report.units += 1;
        }
        if own.unit == State::None { State::Kept } else { own.unit }
    }

    /// Keeps the tables that hold from here on; those that have just come need not be put in.
    fn learn(&mut self, ts: &TsPacket, gap: bool) {
        if !self.plan.restores || !ts.has_payload || !self.plan.sections.contains(&ts.pid) {
            return;
        }
        let mut sections = self.pids.of(ts.pid).sections.take().unwrap_or_default();
        if gap {
            sections.lost();
        }
        let tables = &mut self.tables;
        sections.payload(ts.payload, ts.start, |section| {
            let Some(long) = LongSection::parse(section).filter(|long| long.current) else { return };
            if !matches!((ts.pid, long.table_id), (0, Pat::TABLE) | (1.., Pmt::TABLE)) {
                return;
            }
            let same = |known: &[u8]| known.get(3..5) == section.get(3..5) && known.get(6) == section.get(6);
            if let Some(known) = tables.iter_mut().find(|known| known.pid == ts.pid && same(&known.section)) {
                known.section.clear();
                known.section.extend_from_slice(section);
                known.age = None;
            }
        });
        self.pids.of(ts.pid).sections = Some(sections);
    }

    /// A clock reference: puts in tables that are due. Whether the clock jumps without saying so.
    fn reference(&mut self, ts: &TsPacket, out: &mut Vec<u8>) -> bool {
        self.since += 1;
        let Some(pcr) = ts.pcr else {
            if self.plan.clock.is_none() && self.plan.restores && self.since >= PERIOD_PACKETS {
                self.put_tables(out);
            }
            return false;
        };
        let last = self.pids.of(ts.pid).clock.replace(pcr);
        let step = last.filter(|_| !ts.discontinuity).map_or(0, |last| (pcr + TURN - last % TURN) % TURN);
        if step > JUMP {
            return true;
        }
        if self.plan.clock == Some(ts.pid) && self.plan.restores {
            self.age(step, out);
        }
        false
    }

    /// Time passes from one clock reference to the next.
    fn age(&mut self, step: u64, out: &mut Vec<u8>) {
        for table in &mut self.tables {
            table.age = Some(table.age.map_or(0, |age| age + step));
        }
        if self.tables.iter().any(|table| table.age > Some(PERIOD)) {
            self.put_tables(out);
            // They stand in front of this reference.
            self.tables.iter_mut().for_each(|table| table.age = Some(0));
        }
    }

    /// Puts in all tables.
    fn put_tables(&mut self, out: &mut Vec<u8>) {
        self.since = 0;
        let mut tables = core::mem::take(&mut self.tables);
        for Table { pid, section, age } in &mut tables {
            *age = None;
            let mut rest = section.as_slice();
            let mut start = true;
            while start || !rest.is_empty() {
                let mut bytes = [0xff; SIZE];
                let own = self.pids.of(*pid);
                let next = own.written.map_or(0, |last| (last + 1) & 15);
                own.written = Some(next);
                let [high, low] = (*pid | u16::from(start) << 14).to_be_bytes();
                let front: &[u8] =
                    if start { &[SYNC, high, low, 0x10 | next, 0] } else { &[SYNC, high, low, 0x10 | next] };
                let (now, later) = rest.split_at(rest.len().min(SIZE - front.len()));
                for (to, from) in bytes.iter_mut().zip(front.iter().chain(now)) {
                    *to = *from;
                }
                (rest, start) = (later, false);
                self.report.tables += 1;
                put(self.lead, &bytes, out);
            }
        }
        self.tables = tables;
    }
}

/// Leaves nothing of a packet but its adaptation field.
fn strip(bytes: &mut [u8; SIZE]) {
    let Some(&length) = bytes.get(4) else { return };
    if let Some(control) = bytes.get_mut(3) {
        *control = *control & 0xcf | 0x20;
    }
    if let Some(start) = bytes.get_mut(1) {
        *start &= !0x40;
    }
    if let Some(size) = bytes.get_mut(4) {
        *size = (SIZE - 5) as u8;
    }
    bytes.iter_mut().skip(5 + usize::from(length)).for_each(|byte| *byte = 0xff);
}

fn put(lead: Option<[u8; 4]>, bytes: &[u8; SIZE], out: &mut Vec<u8>) {
    if let Some(lead) = lead {
        out.extend_from_slice(&lead);
    }
    out.extend_from_slice(bytes);
}
