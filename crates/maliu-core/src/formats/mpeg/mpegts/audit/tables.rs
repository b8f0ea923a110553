//! The tables of a stream, with their versions and checksums.

use alloc::{format, string::String, vec::Vec};

use super::{
    super::{super::kinds, programs::MAX_PROGRAMS},
    Breaches,
};
use crate::{
    stream::Kind,
    syntax::psi::{Eit, Indicator, LongSection, Multiplex, Pat, Pmt, ProgramFacts, Sdt, Service, crc32},
};

/// PIDs of tables (ISO/IEC 13818-1 table 2-3, EN 300 468 §5.1.3).
pub(super) const PAT: u16 = 0;
pub(super) const CAT: u16 = 1;
pub(super) const NIT: u16 = 0x10;
pub(super) const SDT: u16 = 0x11;
pub(super) const EIT: u16 = 0x12;

/// table_id of the conditional access table.
const CAT_TABLE: u8 = 1;

/// The last version of each table.
#[derive(Default)]
pub(super) struct Tables {
    facts: Multiplex,
    associated: bool,
    services: Vec<Service>,
    /// Program and name of what is on.
    events: Vec<(u16, String)>,
    has_cat: bool,
}

/// What the sections of one packet have brought.
#[derive(Default)]
pub(super) struct News {
    /// Tables that came, on these PIDs.
    pub tables: Vec<(u16, Indicator)>,
    /// PIDs on which maps are due.
    pub maps: Vec<u16>,
    /// PIDs of audio and video.
    pub shown: Vec<u16>,
}

impl Tables {
    /// Takes a section of a packet at `at`.
    pub(super) fn section(&mut self, pid: u16, bytes: &[u8], at: u64, news: &mut News, breaches: &mut Breaches) {
        let Some(section) = LongSection::parse(bytes) else {
            let long = bytes.get(1).is_some_and(|flags| flags & 0x80 != 0);
            if long && crc32(bytes) != 0 {
                let table = bytes.first().copied().unwrap_or(0);
                let what = || format!("section of table {table:#04x} has a wrong checksum").into();
                breaches.note(Indicator::Crc, Some(pid), at, what);
            }
            return;
        };
        match (pid, section.table_id) {
            (PAT, Pat::TABLE) => {
                news.tables.push((pid, Indicator::PatInterval));
                if section.current {
                    self.association(&section, news);
                }
            }
            (PAT, other) => {
                let what = || format!("a section of table {other:#04x} on PID 0").into();
                breaches.note(Indicator::Pat, Some(PAT), at, what);
            }
            (CAT, CAT_TABLE) => self.has_cat = true,
            (SDT, Sdt::TABLE) => {
                self.facts.sdt_version = Some(section.version);
                let network = section.body.first_chunk::<2>().copied().map(u16::from_be_bytes);
                self.facts.network_id = network.or(self.facts.network_id);
                for service in Sdt::parse(&section).services {
                    self.services.retain(|known| known.id != service.id);
                    if self.services.len() < MAX_PROGRAMS {
                        self.services.push(service);
                    }
                }
            }
            (EIT, Eit::TABLE) if section.number == 0 => {
                let eit = Eit::parse(&section);
                self.events.retain(|(program, _)| *program != eit.service);
                if let Some(event) = eit.events.into_iter().next().filter(|_| self.events.len() < MAX_PROGRAMS) {
                    self.events.push((eit.service, event.name));
                }
            }
            (NIT | SDT | EIT | CAT, _) => {}
            (_, Pmt::TABLE) => {
                news.tables.push((pid, Indicator::PmtInterval));
                if let Some(map) = Pmt::parse(&section).filter(|_| section.current) {
                    self.map(pid, &section, map, news);
                }
            }
            _ => {}
        }
    }

    fn association(&mut self, section: &LongSection, news: &mut News) {
        let pat = Pat::parse(section);
        self.associated = true;
        let facts = &mut self.facts;
        let is_new = facts.pat_version != Some(section.version) || facts.stream_id != Some(section.id);
        (facts.stream_id, facts.pat_version) = (Some(section.id), Some(section.version));
        if is_new && section.last_number == 0 {
            facts.programs.retain(|program| pat.programs.iter().any(|(number, _)| *number == program.number));
        }
        let full = facts.programs.len() >= MAX_PROGRAMS;
        for (number, map_pid) in pat.programs {
            match facts.programs.iter_mut().find(|program| program.number == number) {
                Some(program) => program.map_pid = map_pid,
                None if !full => {
                    facts.programs.push(ProgramFacts { number, map_pid, ..ProgramFacts::default() });
                    news.maps.push(map_pid);
                }
                None => {}
            }
        }
    }

    fn map(&mut self, pid: u16, section: &LongSection, map: Pmt, news: &mut News) {
        let Some(program) = self.facts.programs.iter_mut().find(|program| program.number == map.program) else {
            return;
        };
        if (program.map_pid, program.map_version, program.map.as_ref()) == (pid, Some(section.version), Some(&map)) {
            return;
        }
        let blu_ray = map.registration() == Some(*b"HDMV");
        for stream in &map.streams {
            let kind = kinds::codec(stream, blu_ray).kind();
            if matches!(kind, Kind::Audio | Kind::Video) && !kinds::in_sections(stream) {
                news.shown.push(stream.pid);
            }
        }
        (program.map_version, program.map) = (Some(section.version), Some(map));
    }

    /// Puts the tables into `out`.
    pub(super) fn put(&self, out: &mut Multiplex) {
        let known = self.facts.clone();
        (out.stream_id, out.pat_version) = (known.stream_id, known.pat_version);
        (out.network_id, out.sdt_version) = (known.network_id, known.sdt_version);
        out.programs = known.programs;
        for program in &mut out.programs {
            program.service = self.services.iter().find(|service| service.id == program.number).cloned();
            let event = self.events.iter().find(|(number, _)| *number == program.number);
            program.event = event.map(|(_, name)| name.clone());
        }
    }

    /// Notes what has not come at all.
    pub(super) fn missing(&self, whole: &Multiplex, breaches: &mut Breaches) {
        if !self.associated && whole.packets > 0 {
            breaches.note(Indicator::Pat, Some(PAT), 0, || "there is no PAT".into());
        }
        let scrambled = whole.pids.iter().find(|pid| pid.scrambled > 0);
        if let Some(pid) = scrambled.filter(|_| !self.has_cat) {
            breaches.note(Indicator::Cat, Some(pid.pid), 0, || "packets are scrambled, and there is no CAT".into());
        }
        for program in &whole.programs {
            let Some(map) = &program.map else {
                let what = || format!("program {} has no map", program.number).into();
                breaches.note(Indicator::Pmt, Some(program.map_pid), 0, what);
                continue;
            };
            for stream in &map.streams {
                if whole.pids.binary_search_by_key(&stream.pid, |facts| facts.pid).is_err() {
                    let what = || format!("the map of program {} names it, no packet has it", program.number).into();
                    breaches.note(Indicator::Pid, Some(stream.pid), 0, what);
                }
            }
        }
    }
}
