//! Clocks that turn over: times of 24, 32 or 33 bits as one line, across wraps and jumps.
//!
//! ```text
//!   raw:   … 1fffffff0  1ffffffff  00000000f …        33 bits
//!   line:  … 1fffffff0  1ffffffff  20000000f …        the nearest place to the time before
//! ```

/// A clock of which only the low bits are sent. Each time is put where it is nearest to the one before, so that a wrap
/// goes on, any number of times, and a jump of less than half a turn goes where it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Turns {
    bits: u32,
    last: Option<i64>,
}

impl Turns {
    /// A clock of `bits` bits, 1 to 62.
    pub(crate) const fn new(bits: u32) -> Self {
        Self { bits, last: None }
    }

    /// Ticks of one turn.
    pub(crate) const fn turn(&self) -> i64 {
        turn(self.bits)
    }

    /// The time whose low bits are `raw`. The first one is taken as it stands.
    pub(crate) fn unroll(&mut self, raw: u64) -> i64 {
        let time = self.place(raw);
        self.last = Some(time);
        time
    }

    /// As [`Turns::unroll`], with nothing noted.
    pub(crate) fn place(&self, raw: u64) -> i64 {
        let turn = self.turn();
        let raw = i64::try_from(raw).unwrap_or(0) & (turn - 1);
        let Some(last) = self.last else { return raw };
        let ahead = raw.wrapping_sub(last) & (turn - 1);
        // Half a turn counts as ahead.
        let step = if ahead > turn / 2 { ahead - turn } else { ahead };
        last.saturating_add(step)
    }

    /// Times from here on are nearest to `time`.
    pub(crate) fn stand_at(&mut self, time: i64) {
        self.last = Some(time);
    }
}

/// Ticks of one turn of a clock of `bits` bits.
const fn turn(bits: u32) -> i64 {
    1 << if bits > 62 { 62 } else { bits }
}

/// Turns seen from the first time, as the reference sees them: what lies far before it comes one turn later, unless the
/// clock began just before its end. One turn is all that is told apart.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FirstTurn {
    /// Ticks of one turn, and the times at which it is seen from; `None` before the first time.
    seen: Option<Seen>,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    turn: i64,
    reference: i64,
    /// Times below the reference come a turn later; else those above came a turn earlier.
    later: bool,
}

impl FirstTurn {
    /// The clock of `bits` bits gave out `time`; the first one counts, with `slack` ticks before it.
    pub(crate) fn begin(&mut self, bits: u32, time: i64, slack: i64) {
        let turn = turn(bits);
        self.seen.get_or_insert(Seen { turn, reference: time.saturating_sub(slack), later: time < turn - slack });
    }

    /// `time` with its turn undone.
    pub(crate) fn unroll(&self, time: i64) -> i64 {
        match self.seen {
            Some(Seen { turn, reference, later: true }) if time < reference => time.saturating_add(turn),
            Some(Seen { turn, reference, later: false }) if time >= reference => time.saturating_sub(turn),
            _ => time,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_of_every_width_turn_any_number_of_times() {
        for bits in [24, 32, 33] {
            let (mut clock, step) = (Turns::new(bits), (1i64 << bits) / 3);
            for n in 0..20i64 {
                let raw = (n * step) & ((1 << bits) - 1);
                assert_eq!(clock.unroll(raw as u64), n * step, "{bits} bits, step {n}");
            }
        }
    }

    #[test]
    fn jumps_go_where_they_say() {
        let mut clock = Turns::new(33);
        assert_eq!([900, 90_000_000, 100, 5].map(|raw| clock.unroll(raw)), [900, 90_000_000, 100, 5]);
        assert_eq!(clock.unroll((1 << 33) - 10), -10);
        assert_eq!((clock.place(20), clock.last), (20, Some(-10)));
    }
}
