//! Where times stand in an input: a sparse index of bounded size, built while frames go by.

use alloc::vec::Vec;

use crate::time::Ticks;

/// Most points that are kept.
pub(crate) const MAX_POINTS: usize = 4096;

/// Points (time, offset) in rising order. When it is full, every other one is dropped and new ones come half as often.
#[derive(Clone, Debug, Default)]
pub(crate) struct SeekIndex {
    points: Vec<(Ticks, u64)>,
    /// Frames noted since the last point.
    since: u64,
    /// log2 of the frames between two points.
    spacing: u32,
}

impl SeekIndex {
    /// A frame of this time begins at this offset. Frames that are not later than the last point say nothing new.
    pub(crate) fn note(&mut self, time: Ticks, at: u64) {
        if self.points.last().is_some_and(|(last, _)| time <= *last) {
            self.since = 0;
            return;
        }
        self.since += 1;
        if !self.points.is_empty() && self.since < 1 << self.spacing {
            return;
        }
        if self.points.len() >= MAX_POINTS {
            let mut odd = false;
            self.points.retain(|_| {
                odd = !odd;
                odd
            });
            self.spacing += 1;
        }
        self.points.push((time, at));
        self.since = 0;
    }

    /// Whether no point stands behind the offset `at`: what follows there is not known.
    pub(crate) fn is_last(&self, at: u64) -> bool {
        self.points.last().is_none_or(|(_, last)| *last <= at)
    }

    /// The last point at or before `time`.
    pub(crate) fn before(&self, time: Ticks) -> Option<(Ticks, u64)> {
        let behind = self.points.partition_point(|(point, _)| *point <= time);
        self.points.get(behind.checked_sub(1)?).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stays_small_and_finds_the_point_before() {
        let mut index = SeekIndex::default();
        (0..1_000_000).for_each(|n| index.note(Ticks(n * 10), n as u64 * 100));
        assert!(index.points.len() <= MAX_POINTS);
        for time in [0, 9, 10, 4_999_999, 9_999_990, i64::MAX] {
            let (found, at) = index.before(Ticks(time)).unwrap();
            let gap = time.min(9_999_990) - found.0;
            assert!((0..=5120).contains(&gap), "{time}: {found}");
            assert_eq!(at, found.0 as u64 * 10);
        }
        assert_eq!(index.before(Ticks(-1)), None);
    }
}
