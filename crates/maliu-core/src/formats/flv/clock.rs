//! Tag times as one line: joined files are put behind each other, the 32-bit wrap is unrolled (FLD-26, FLD-28).

use crate::{time::Ticks, timing::turns::FirstTurn};

/// Bits of the clock of tags, in ms.
const BITS: u32 = 32;

/// How far behind the first time a time may lie before it counts as wrapped, in ms.
const SLACK: i64 = 60_000;

/// Turns the times of tags into times of packets.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Clock {
    /// Offset added to the times of a file joined behind the first.
    offset: i64,
    /// The last time given out, before unrolling.
    last: i64,
    turn: FirstTurn,
}

impl Clock {
    /// The line's time of a tag, before unrolling.
    pub(super) fn join(&self, time: u32) -> i64 {
        i64::from(time).saturating_add(self.offset)
    }

    /// A packet with this time was given out.
    pub(super) fn given(&mut self, time: i64) {
        self.last = time;
        self.turn.begin(BITS, time, SLACK);
    }

    /// Another file begins: its times count from just behind the last one given out.
    pub(super) fn next_file(&mut self) {
        self.offset = self.last.saturating_add(1);
    }

    /// A time with its wrap undone. The first one given out decides which way times wrap.
    pub(super) fn unroll(&self, time: i64) -> Ticks {
        Ticks(self.turn.unroll(time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TURN: i64 = 1 << BITS;

    fn unrolled(times: &[u32]) -> alloc::vec::Vec<i64> {
        let mut clock = Clock::default();
        let mut one = |time: &u32| {
            let joined = clock.join(*time);
            clock.given(joined);
            clock.unroll(joined).0
        };
        times.iter().map(&mut one).collect()
    }

    #[test]
    fn a_wrap_far_behind_the_start_comes_a_turn_later() {
        assert_eq!(unrolled(&[100_000, 4_294_967_290, 5]), [100_000, 4_294_967_290, TURN + 5]);
        assert_eq!(unrolled(&[100_000, 50_000]), [100_000, 50_000]);
    }

    #[test]
    fn a_start_just_before_the_wrap_is_negative() {
        assert_eq!(unrolled(&[4_294_967_196, 20]), [-100, 20]);
    }

    #[test]
    fn a_joined_file_starts_one_behind_the_last() {
        let mut clock = Clock::default();
        let time = clock.join(80);
        clock.given(time);
        clock.next_file();
        assert_eq!(clock.join(0), 81);
    }
}
