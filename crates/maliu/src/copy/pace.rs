//! Real time: when packets of some time are due.

use std::time::{Duration, Instant};

/// A clock that the first packet starts.
#[derive(Default)]
pub struct Pace {
    begin: Option<(Instant, i64)>,
}

impl Pace {
    /// How long a packet of this time, in µs, is to be held back. A jump of the input's clock is not waited for.
    pub fn wait(&mut self, time: i64) -> Duration {
        let (begun, first) = *self.begin.get_or_insert((Instant::now(), time));
        let due = Duration::from_micros(u64::try_from(time.saturating_sub(first)).unwrap_or(0));
        due.saturating_sub(begun.elapsed()).min(JUMP)
    }
}

/// The longest wait for one packet.
const JUMP: Duration = Duration::from_secs(2);
