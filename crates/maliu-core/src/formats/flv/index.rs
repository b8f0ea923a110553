//! Where decoding can start: key frames from metadata, and those met while reading (FLD-17, FLD-18, FLD-29).

use alloc::vec::Vec;

/// Most entries; beyond them every second one is dropped and fewer are noted.
const MAX_ENTRIES: usize = 1 << 16;

/// How far a tag's time may lie from what metadata says of it, in ms (FLD-18).
const TOLERANCE: i64 = 2500;

/// How many entries of metadata are compared with the tags there (FLD-18).
const CHECKS: usize = 2;

/// A place to start from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Time of the tag in ms.
    pub time: i64,
    /// Offset of its first byte.
    pub at: u64,
}

/// Places to start from, by rising offset.
#[derive(Debug, Default)]
pub(super) struct Index {
    entries: Vec<Entry>,
    /// Entries to be noted are at least this far apart, in ms.
    gap: i64,
    /// Metadata named the key frames of the whole file.
    whole: bool,
    checked: usize,
    /// Time of the last tag that was read in order.
    reached: i64,
}

impl Index {
    /// Takes over key frames from metadata, the first ones only. `end` is where their tag ends.
    pub(super) fn set(&mut self, keyframes: Vec<(i64, u64)>, end: u64) {
        if self.whole || keyframes.first().is_none_or(|(_, at)| *at < end) {
            return;
        }
        self.entries = keyframes.into_iter().map(|(time, at)| Entry { time, at }).collect();
        self.entries.sort_by_key(|entry| entry.at);
        self.entries.truncate(MAX_ENTRIES);
        (self.whole, self.checked) = (true, 0);
    }

    /// Holds the next unchecked entry of metadata against a tag that was read.
    pub(super) fn check(&mut self, time: i64, at: u64) {
        if !self.whole || self.checked >= CHECKS {
            return;
        }
        let Some(next) = self.entries.get(self.checked).copied() else { return };
        if at < next.at {
            return;
        }
        if at == next.at && (time - next.time).abs() <= TOLERANCE {
            self.checked += 1;
        } else {
            self.entries.truncate(self.checked);
            self.whole = false;
        }
    }

    /// Notes a place to start from that was met while reading in order.
    pub(super) fn note(&mut self, time: i64, at: u64) {
        self.reached = self.reached.max(time);
        let fits = self.entries.last().is_none_or(|last| at > last.at && time.saturating_sub(last.time) >= self.gap);
        if self.whole || !fits {
            return;
        }
        if self.entries.len() >= MAX_ENTRIES {
            let mut keep = false;
            self.entries.retain(|_| {
                keep = !keep;
                keep
            });
            self.gap = (self.gap * 2).max(1000);
        }
        self.entries.push(Entry { time, at });
    }

    /// The last entry at or before `time`, and whether a later one cannot be missing.
    pub(super) fn before(&self, time: i64) -> (Option<Entry>, bool) {
        let found = self.entries.iter().rev().find(|entry| entry.time <= time).copied();
        (found, self.whole || self.reached > time)
    }

    /// Forgets everything: it was wrong.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_that_lies_is_dropped_from_there_on() {
        let mut index = Index::default();
        index.set(alloc::vec![(0, 100), (1000, 200), (2000, 300)], 50);
        index.check(40, 100);
        assert_eq!(index.before(1500), (Some(Entry { time: 1000, at: 200 }), true));
        index.check(9000, 200);
        assert_eq!(index.before(1500), (Some(Entry { time: 0, at: 100 }), false));
    }

    #[test]
    fn an_index_that_points_before_its_own_end_is_refused() {
        let mut index = Index::default();
        index.set(alloc::vec![(0, 40), (1000, 200)], 50);
        assert_eq!(index.before(i64::MAX), (None, false));
    }

    #[test]
    fn noted_places_stay_bounded() {
        let mut index = Index::default();
        (0..200_000).for_each(|n| index.note(n * 10, n as u64 * 100));
        assert!(index.entries.len() <= MAX_ENTRIES);
        let (found, known) = index.before(1_000_000);
        assert!(known && found.is_some_and(|entry| entry.time > 990_000));
    }
}
