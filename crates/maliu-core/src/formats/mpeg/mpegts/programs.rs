//! Which programs the tables name, and what has come of their maps.

use alloc::vec::Vec;

use crate::{
    syntax::psi::{LongSection, Pat, Pmt},
    time::Ticks,
    timing::turns::Turns,
};

/// Most programs of one stream.
pub(super) const MAX_PROGRAMS: usize = 256;

/// Bits of the clock of PTS, DTS and PCR base.
const CLOCK_BITS: u32 = 33;

/// Which programs are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    All,
    /// The first one whose map names audio or video; `None` until there is one.
    First(Option<u16>),
    /// The one of this program_number.
    Number(u16),
}

impl Wanted {
    /// Whether streams without a map are not wanted.
    pub(super) fn names_one(self) -> bool {
        matches!(self, Self::Number(_) | Self::First(Some(_)))
    }
}

/// The programs of a stream, and the clocks their times count by.
#[derive(Debug)]
pub(super) struct Programs {
    list: Vec<Program>,
    /// A PAT has come.
    associated: bool,
    /// Of streams that no map names.
    stray: Turns,
}

/// A program.
#[derive(Debug)]
pub(super) struct Program {
    pub number: u16,
    pub map_pid: u16,
    pub map: Option<Pmt>,
    clock: Turns,
    /// Last program clock reference, in 90 kHz.
    pub pcr: Option<Ticks>,
}

impl Default for Programs {
    fn default() -> Self {
        Self { list: Vec::new(), associated: false, stray: Turns::new(CLOCK_BITS) }
    }
}

impl Programs {
    /// Takes a part of the program association; returns the PIDs of maps that are new.
    pub(super) fn associate(&mut self, section: &LongSection) -> Vec<u16> {
        let pat = Pat::parse(section);
        self.associated = true;
        if section.last_number == 0 {
            self.list.retain(|program| pat.programs.iter().any(|(number, _)| *number == program.number));
        }
        let mut new = Vec::new();
        for (number, map_pid) in pat.programs {
            let full = self.list.len() >= MAX_PROGRAMS;
            let known = self.list.iter_mut().find(|program| program.number == number);
            match known {
                Some(program) if program.map_pid == map_pid => continue,
                Some(program) => (program.map_pid, program.map) = (map_pid, None),
                None if full => continue,
                None => self.add(number, map_pid, None),
            }
            new.push(map_pid);
        }
        new
    }

    fn add(&mut self, number: u16, map_pid: u16, map: Option<Pmt>) {
        // Programs count on from the clock of what was guessed before.
        let clock = self.stray;
        self.list.push(Program { number, map_pid, map, clock, pcr: None });
    }

    /// Takes a program map; whether it says something new.
    pub(super) fn map(&mut self, map_pid: u16, map: &Pmt) -> bool {
        let room = !self.associated && self.list.len() < MAX_PROGRAMS;
        match self.list.iter_mut().find(|program| program.number == map.program) {
            Some(program) if program.map.as_ref() == Some(map) => false,
            Some(program) => {
                program.map = Some(map.clone());
                true
            }
            // Without a PAT a map stands for itself.
            None if room => {
                self.add(map.program, map_pid, Some(map.clone()));
                true
            }
            None => false,
        }
    }

    /// Whether every program that is named has its map.
    pub(super) fn complete(&self) -> bool {
        !self.list.is_empty() && self.list.iter().all(|program| program.map.is_some())
    }

    /// The program_numbers, in the order of the tables.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u16> {
        self.list.iter().map(|program| program.number)
    }

    /// Whether the map of a program is on this PID.
    pub(super) fn has_map(&self, pid: u16) -> bool {
        self.list.iter().any(|program| program.map_pid == pid)
    }

    /// Whether there are several programs.
    pub(super) fn several(&self) -> bool {
        self.list.len() > 1
    }

    /// A PCR came on `pid`, in 27 MHz.
    pub(super) fn reference(&mut self, pid: u16, pcr: u64) {
        for program in &mut self.list {
            if program.map.as_ref().is_some_and(|map| map.pcr_pid == pid) {
                program.pcr = Some(Ticks(program.clock.place(pcr / 300)));
            }
        }
    }

    /// Times of a stream of program `number`, as one line.
    pub(super) fn time(&mut self, number: Option<u16>, raw: u64) -> Ticks {
        let program = number.and_then(|number| self.list.iter_mut().find(|program| program.number == number));
        Ticks(program.map_or(&mut self.stray, |program| &mut program.clock).unroll(raw))
    }

    /// All clocks count on from `time`.
    pub(super) fn stand_at(&mut self, time: Ticks) {
        self.stray.stand_at(time.0);
        for program in &mut self.list {
            program.clock.stand_at(time.0);
            program.pcr = None;
        }
    }

    /// The time of now in program `number`.
    pub(super) fn now(&self, number: u16) -> Option<Ticks> {
        self.list.iter().find(|program| program.number == number)?.pcr
    }
}
