//! The first reading: which PES packets and sections are whole, and which tables there are.

use alloc::{boxed::Box, collections::BTreeSet, vec::Vec};

use super::{
    super::{
        audit::Audit,
        mux::describe::{Manner, describe},
        packet::{self, TsPacket},
        sync::STEPS,
    },
    Plan,
    rows::{Row, Rows},
    units::{self, Counter, Order, Units},
};
use crate::{
    input::Input,
    stream::StreamInfo,
    syntax::psi::{Elementary, Indicator, LongSection, Multiplex, Pat, Pmt, Sections},
};

/// Most PES packets and sections that are left out; others stay as they are.
const MAX_DAMAGED: usize = 1 << 20;

/// Most maps.
const MAX_MAPS: usize = 256;

/// The PID of a map that is made.
const MAP_PID: u16 = 0x1000;

/// Reads a stream for the first time.
pub struct Survey {
    rows: Rows,
    audit: Audit,
    pids: Units<Pid>,
    damaged: BTreeSet<(u16, u64)>,
    /// Sections of association and maps, the first of each PID.
    tables: Vec<(u16, Vec<u8>)>,
    /// Offset of the first PES packet.
    first_unit: Option<u64>,
    /// Offset of the last table that came for the first time.
    last_table: Option<u64>,
}

#[derive(Default)]
struct Pid {
    counter: Counter,
    unit: Option<Unit>,
    is_pes: bool,
    /// Sections under way, of PIDs that carry tables.
    sections: Option<Box<Sections>>,
    /// PES packets, and the first packets of those that are too short without a gap.
    units: u64,
    short: Vec<u64>,
    references: u64,
}

/// A PES packet or section under way.
#[derive(Clone, Copy)]
struct Unit {
    at: u64,
    damaged: bool,
    /// Bytes that are still to come.
    left: Option<usize>,
}

impl Default for Survey {
    fn default() -> Self {
        let mut pids = Units::<Pid>::default();
        for pid in [0, 1, 0x10, 0x11, 0x12, 0x14] {
            pids.of(pid).sections = Some(Box::default());
        }
        Self {
            rows: Rows::default(),
            audit: Audit::new(),
            pids,
            damaged: BTreeSet::new(),
            tables: Vec::new(),
            first_unit: None,
            last_table: None,
        }
    }
}

impl Survey {
    /// A reading from the start.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads what was fed; to be called again after each feeding, and once the input has ended.
    pub fn read(&mut self, input: &mut Input) {
        loop {
            match self.rows.next(input) {
                Row::Packet { bytes, at, .. } => self.packet(&TsPacket::parse(&bytes), at),
                Row::Junk(bytes) => self.audit.skipped(bytes, self.rows.last_step, input.offset()),
                Row::More | Row::End => return,
            }
        }
    }

    fn packet(&mut self, ts: &TsPacket, at: u64) {
        self.audit.packet(ts, at);
        if ts.pid == packet::NULL || ts.error || !ts.valid {
            return;
        }
        let pid = self.pids.of(ts.pid);
        pid.references += u64::from(ts.pcr.is_some());
        let order = pid.counter.follow(ts);
        if order == Order::Twice || !ts.has_payload {
            return;
        }
        if order == Order::Gap
            && let Some(unit) = &mut pid.unit
        {
            // A unit that has all its bytes lost none.
            unit.damaged |= match &pid.sections {
                Some(sections) => sections.is_open(),
                None => unit.left != Some(0),
            };
        }
        if ts.start {
            self.start(ts, at);
        } else if let Some(unit) = &mut pid.unit {
            unit.left = unit.left.map(|left| left.saturating_sub(ts.payload.len()));
        }
        self.sections(ts, order == Order::Gap, at);
    }

    /// A PES packet or section begins.
    fn start(&mut self, ts: &TsPacket, at: u64) {
        self.close(ts.pid);
        let is_map = units::map(ts.payload).is_some();
        let is_unit = ts.payload.starts_with(&[0, 0, 1]) && !ts.scrambled;
        let pid = self.pids.of(ts.pid);
        if is_map && !pid.is_pes && pid.sections.is_none() && self.tables.len() < MAX_MAPS {
            pid.sections = Some(Box::default());
        }
        pid.is_pes |= is_unit && pid.sections.is_none();
        let left =
            if is_unit { units::declared(ts.payload).map(|all| all.saturating_sub(ts.payload.len())) } else { None };
        pid.unit = Some(Unit { at, damaged: false, left });
        pid.units += 1;
        if is_unit {
            self.first_unit.get_or_insert(at);
        }
    }

    /// The unit under way ends.
    fn close(&mut self, number: u16) {
        let pid = self.pids.of(number);
        let Some(unit) = pid.unit.take() else { return };
        if unit.damaged && self.damaged.len() < MAX_DAMAGED {
            self.damaged.insert((number, unit.at));
        } else if unit.left.is_some_and(|left| left > 0) && pid.short.len() < MAX_DAMAGED / 64 {
            pid.short.push(unit.at);
        }
    }

    fn sections(&mut self, ts: &TsPacket, gap: bool, at: u64) {
        let pid = self.pids.of(ts.pid);
        let Some(mut sections) = pid.sections.take() else { return };
        if gap {
            sections.lost();
        }
        let (mut bad, mut found) = (false, Vec::new());
        if !ts.scrambled {
            sections.payload(ts.payload, ts.start, |section| match LongSection::parse(section) {
                Some(long) if matches!(long.table_id, Pat::TABLE | Pmt::TABLE) && long.current => {
                    found.push(section.to_vec());
                }
                Some(_) => {}
                None => bad |= section.get(1).is_some_and(|flags| flags & 0x80 != 0),
            });
        }
        if let Some(unit) = pid.unit.as_mut().filter(|_| bad) {
            unit.damaged = true;
        }
        pid.sections = Some(sections);
        for section in found {
            for (_, map_pid) in
                LongSection::parse(&section).filter(|_| ts.pid == 0).iter().flat_map(|long| Pat::parse(long).programs)
            {
                self.pids.of(map_pid).sections.get_or_insert_default();
            }
            let is_pat = section.first() == Some(&Pat::TABLE);
            let known = self.tables.iter().any(|(pid, known)| *pid == ts.pid && known.get(3..8) == section.get(3..8));
            if is_pat != (ts.pid == 0) || known || self.tables.len() >= MAX_MAPS {
                continue;
            }
            // Another version of the same table is no new one.
            let same = |known: &Vec<u8>| known.get(3..5) == section.get(3..5) && known.get(6) == section.get(6);
            if !self.tables.iter().any(|(pid, known)| *pid == ts.pid && same(known)) {
                self.last_table = Some(at);
                self.tables.push((ts.pid, section));
            }
        }
    }

    /// Whether a program has no map: [`Survey::plan`] makes it of what the streams are.
    pub fn lacks_map(&self) -> bool {
        let whole = self.audit.multiplex(self.rows.last_step);
        let maps = self.tables.iter().filter(|(pid, _)| *pid != 0).count();
        maps == 0 || whole.programs.iter().any(|program| program.map.is_none())
    }

    /// Bytes from packet to packet; 0 when there is none.
    pub fn packet_size(&self) -> usize {
        self.rows.last_step
    }

    /// The repairs to make. Maps that did not come are made of `streams`, the streams of the input.
    pub fn plan(mut self, streams: &[StreamInfo]) -> Plan {
        for number in self.pids.list.iter().map(|(number, _)| *number).collect::<Vec<_>>() {
            self.close(number);
        }
        let whole = self.audit.multiplex(self.rows.last_step);
        let clock = self.pids.list.iter().filter(|(_, pid)| pid.references > 0);
        let clock = clock.max_by_key(|(number, pid)| (pid.references, u16::MAX - number)).map(|(number, _)| *number);
        let mut made = 0;
        self.make_tables(&whole, streams, clock, &mut made);
        let late = |breach: Indicator| whole.breaches.iter().any(|known| known.indicator == breach);
        let seldom = late(Indicator::PatInterval) || late(Indicator::PmtInterval);
        let leads = made > 0 || self.first_unit.is_some_and(|first| self.last_table.is_none_or(|last| last > first));
        let mut plan = Plan {
            damaged: self.damaged,
            tables: self.tables,
            restores: made > 0 || seldom,
            leads,
            made,
            clock,
            ..Plan::default()
        };
        plan.leads &= !plan.tables.is_empty();
        for (number, pid) in self.pids.list {
            if pid.sections.is_some() {
                plan.sections.insert(number);
            }
            if pid.is_pes {
                plan.pes.insert(number);
            }
            // A stream whose lengths are wrong all over is not damaged.
            if pid.is_pes && pid.short.len() as u64 * 2 <= pid.units {
                plan.damaged.extend(pid.short.into_iter().map(|at| (number, at)));
            }
        }
        plan
    }

    /// Makes the map of a program that has none, and the association if there is none.
    fn make_tables(&mut self, whole: &Multiplex, streams: &[StreamInfo], clock: Option<u16>, made: &mut u64) {
        let maps: Vec<(u16, Pmt)> = self
            .tables
            .iter()
            .filter(|(pid, _)| *pid != 0)
            .filter_map(|(pid, bytes)| Some((*pid, Pmt::parse(&LongSection::parse(bytes)?)?)))
            .collect();
        let named: Vec<_> = whole.programs.iter().filter(|program| program.map.is_none()).collect();
        let (program, map_pid) = match named.as_slice() {
            [one] => (one.number, one.map_pid),
            _ => (1, (MAP_PID..).find(|pid| self.pids.list.iter().all(|(known, _)| known != pid)).unwrap_or(MAP_PID)),
        };
        let is_one = named.len() == 1 || whole.stream_id.is_none();
        if is_one && (maps.is_empty() || !named.is_empty()) {
            let mapped = |pid: u16| maps.iter().any(|(_, map)| map.streams.iter().any(|stream| stream.pid == pid));
            let manner = Manner { blu_ray: self.rows.last_step == STEPS[1], dvb: false, latm: false };
            let elementary = |info: &StreamInfo| {
                let pid = info.id.and_then(|id| u16::try_from(id).ok()).filter(|pid| !mapped(*pid))?;
                let described = describe(info, manner).ok()?;
                Some(Elementary { stream_type: described.stream_type, pid, descriptors: described.descriptors })
            };
            let streams: Vec<Elementary> = streams.iter().filter_map(elementary).collect();
            let map = Pmt { program, pcr_pid: clock.unwrap_or(packet::NULL), descriptors: Vec::new(), streams };
            if let Some(section) = map.build(0).filter(|_| !map.streams.is_empty()) {
                *made += 1;
                self.tables.push((map_pid, section));
                if whole.stream_id.is_none() {
                    self.associate(&[(program, map_pid)], made);
                }
                return;
            }
        }
        if whole.stream_id.is_none() && !maps.is_empty() {
            let programs: Vec<(u16, u16)> = maps.iter().map(|(pid, map)| (map.program, *pid)).collect();
            self.associate(&programs, made);
        }
    }

    fn associate(&mut self, programs: &[(u16, u16)], made: &mut u64) {
        let pat = Pat { programs: programs.to_vec() };
        if let Some(section) = pat.build(1, 0) {
            *made += 1;
            self.tables.insert(0, (0, section));
        }
    }
}
