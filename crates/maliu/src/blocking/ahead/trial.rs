//! What takes longer: reading events, or what becomes of them.

use std::time::{Duration, Instant};

/// Bytes that are read before anything is measured, and half of those that are while it is: what is only looked at, and
/// what is small, has no thread.
const BYTES: u64 = 4 << 20;

/// Measures both in turn.
#[derive(Debug)]
pub struct Trial {
    /// Offset from which on it measures.
    from: u64,
    last: Option<Instant>,
    reading: Duration,
    working: Duration,
}

impl Trial {
    /// Of a reader that stands at `offset`.
    pub fn behind(offset: u64) -> Self {
        Self { from: offset.saturating_add(BYTES), last: None, reading: Duration::ZERO, working: Duration::ZERO }
    }

    /// An event is asked for.
    pub fn begin(&mut self) {
        self.working = self.working.saturating_add(self.lap());
    }

    /// An event was read; the reader stands at `offset`.
    pub fn end(&mut self, offset: u64) {
        if offset >= self.from {
            self.last.get_or_insert_with(Instant::now);
            self.reading = self.reading.saturating_add(self.lap());
        }
    }

    /// Since the last call; nothing before it measures.
    fn lap(&mut self) -> Duration {
        let now = Instant::now();
        self.last.as_mut().map_or(Duration::ZERO, |last| now.duration_since(std::mem::replace(last, now)))
    }

    /// Whether a thread is worth it, once enough was seen: two that take turns gain nothing where one does it all.
    pub fn verdict(&self, offset: u64) -> Option<bool> {
        (offset >= self.from.saturating_add(2 * BYTES)).then(|| self.working > self.reading)
    }
}

#[cfg(test)]
mod tests {
    use std::thread::sleep;

    use super::*;

    #[test]
    fn the_longer_half_decides() {
        for (reading, working) in [(0, 30), (30, 0)] {
            let mut trial = Trial::behind(0);
            trial.end(BYTES);
            for part in 1..=4 {
                assert_eq!(trial.verdict(BYTES * 2), None);
                sleep(Duration::from_millis(working));
                trial.begin();
                sleep(Duration::from_millis(reading));
                trial.end(BYTES + part);
            }
            assert_eq!(trial.verdict(BYTES * 3), Some(working > reading));
        }
    }
}
