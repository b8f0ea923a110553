//! A measurement of the slower part: reading events, or their use.

use std::{
    mem,
    time::{Duration, Instant},
};

/// Bytes that are read before anything is measured: what is only looked at, and what is small, has no thread.
const BEFORE: u64 = 4 << 20;

/// Bytes of a measurement.
const PART: u64 = 1 << 20;

/// Measurements; most of them decide, so that one that was disturbed does not.
const PARTS: u32 = 7;

/// Measures both in turn.
#[derive(Debug)]
pub(super) struct Trial {
    /// Offset at which the measurement ends.
    until: u64,
    last: Option<Instant>,
    reading: Duration,
    working: Duration,
    /// Measurements so far, and those in which a thread was worth it.
    parts: u32,
    worth: u32,
}

impl Trial {
    /// Of a reader that stands at `offset`.
    pub(super) fn behind(offset: u64) -> Self {
        let until = offset.saturating_add(BEFORE);
        Self { until, last: None, reading: Duration::ZERO, working: Duration::ZERO, parts: 0, worth: 0 }
    }

    /// An event is asked for.
    pub(super) fn begin(&mut self) {
        self.working = self.working.saturating_add(self.lap());
    }

    /// An event was read; the reader stands at `offset`.
    pub(super) fn end(&mut self, offset: u64) {
        self.reading = self.reading.saturating_add(self.lap());
        if offset < self.until {
            return;
        }
        self.until = offset.saturating_add(PART);
        let (reading, working) = (mem::take(&mut self.reading), mem::take(&mut self.working));
        if self.last.is_none() {
            self.last = Some(Instant::now());
            return;
        }
        self.count(reading, working);
    }

    fn count(&mut self, reading: Duration, working: Duration) {
        self.parts += 1;
        // Where reading takes nearly all time, two that take turns gain nothing; from about here on they do.
        self.worth += u32::from(working.saturating_mul(5) > reading.saturating_mul(4));
    }

    /// Since the last call; nothing before it measures.
    fn lap(&mut self) -> Duration {
        let Some(last) = &mut self.last else { return Duration::ZERO };
        let now = Instant::now();
        now.duration_since(mem::replace(last, now))
    }

    /// Whether a thread is worth it, once enough was seen.
    pub(super) fn verdict(&self) -> Option<bool> {
        (self.parts >= PARTS).then_some(self.worth > PARTS / 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Parts in which reading and working take the given ms.
    fn verdict(parts: &[(u64, u64)]) -> Option<bool> {
        let mut trial = Trial::behind(0);
        for (reading, working) in parts {
            assert_eq!(trial.verdict(), None);
            trial.count(Duration::from_millis(*reading), Duration::from_millis(*working));
        }
        trial.verdict()
    }

    #[test]
    fn the_longer_half_decides() {
        assert_eq!(verdict(&[(1, 10); 7]), Some(true));
        assert_eq!(verdict(&[(10, 1); 7]), Some(false));
        assert_eq!(verdict(&[(1, 10); 6]), None);
    }

    #[test]
    fn a_disturbed_part_does_not() {
        let (usual, disturbed) = ((1, 10), (200, 10));
        assert_eq!(verdict(&[usual, disturbed, usual, disturbed, usual, usual, disturbed]), Some(true));
    }

    #[test]
    fn nothing_is_measured_before_its_time() {
        let mut trial = Trial::behind(5);
        for offset in [0, BEFORE, BEFORE + 4, BEFORE + 5] {
            trial.begin();
            trial.end(offset);
            assert_eq!(trial.parts, 0);
        }
        (1..=7).for_each(|part| trial.end(BEFORE + 5 + part * PART));
        assert_eq!(trial.verdict(), Some(false));
    }
}
