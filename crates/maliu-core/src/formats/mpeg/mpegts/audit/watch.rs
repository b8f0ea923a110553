//! Items that must come again within a time.

use alloc::{format, vec::Vec};

use super::Breaches;
use crate::syntax::psi::Indicator;

/// Ticks of 27 MHz within which a table comes again (TR 101 290 §5.2.1, 1.3 and 1.5), and a PTS (2.5).
const TABLE: u64 = 13_500_000;
const SHOWN: u64 = 18_900_000;

/// Most items that are watched.
const MAX_WATCHES: usize = 1024;

/// All watches, and the time.
#[derive(Default)]
pub(super) struct Watches {
    now: u64,
    list: Vec<Watch>,
}

struct Watch {
    pid: u16,
    indicator: Indicator,
    limit: u64,
    /// Time of the first clock reference behind the last occurrence: no time is counted that has not passed.
    since: Option<u64>,
    /// It has not come at all yet, and need not.
    rests: bool,
    noted: bool,
}

impl Watches {
    /// A table must come again on this PID.
    pub(super) fn table(&mut self, pid: u16, indicator: Indicator) {
        let known = self.list.iter().any(|watch| watch.pid == pid && watch.indicator == indicator);
        if !known && self.list.len() < MAX_WATCHES {
            self.list.push(Watch { pid, indicator, limit: TABLE, since: None, rests: false, noted: false });
        }
    }

    /// A PTS must come again on this PID, once one has come. The number of the watch.
    pub(super) fn shown(&mut self, pid: u16) -> Option<usize> {
        if self.list.len() >= MAX_WATCHES {
            return None;
        }
        let indicator = Indicator::PtsInterval;
        self.list.push(Watch { pid, indicator, limit: SHOWN, since: None, rests: true, noted: false });
        Some(self.list.len() - 1)
    }

    pub(super) fn table_came(&mut self, pid: u16, indicator: Indicator) {
        let found = self.list.iter().position(|watch| watch.pid == pid && watch.indicator == indicator);
        if let Some(watch) = found {
            self.touch(watch);
        }
    }

    /// The item of this watch has come.
    pub(super) fn touch(&mut self, watch: usize) {
        if let Some(watch) = self.list.get_mut(watch) {
            (watch.since, watch.rests, watch.noted) = (None, false, false);
        }
    }

    /// Time has passed up to the clock reference at `at`.
    pub(super) fn pass(&mut self, ticks: u64, at: u64, breaches: &mut Breaches) {
        self.now += ticks;
        for watch in self.list.iter_mut().filter(|watch| !watch.rests) {
            let since = *watch.since.get_or_insert(self.now);
            if self.now - since > watch.limit && !watch.noted {
                watch.noted = true;
                let name = match watch.indicator {
                    Indicator::PatInterval => "PAT",
                    Indicator::PmtInterval => "PMT",
                    _ => "PTS",
                };
                let what = || format!("no {name} for more than {} ms", watch.limit / 27_000).into();
                breaches.note(watch.indicator, Some(watch.pid), at, what);
            }
        }
    }
}
