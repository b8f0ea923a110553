//! The clock of one output stream: when its next packet is expected, exact to fractions of a tick (WF-12, WF-38).

use crate::time::{TimeBase, split};

/// `value + num / den` ticks, advanced by whole packets without drift.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Clock {
    value: i64,
    num: i128,
    den: i128,
}

impl Clock {
    /// Of an audio stream: a fraction of a tick is 1 / (tick numerator · rate).
    pub(super) fn audio(base: TimeBase, rate: u32) -> Self {
        Self::with(i128::from(base.num.get()) * i128::from(rate.max(1)))
    }

    /// Of a video stream.
    pub(super) fn video(base: TimeBase) -> Self {
        Self::with(i128::from(base.num.get()) * i128::from(base.den.get()))
    }

    /// Of a stream whose packets say nothing about their length: it never advances by itself.
    pub(super) fn still() -> Self {
        Self::default()
    }

    /// Half a tick stands in the fraction from the start, so that cutting it off rounds.
    fn with(den: i128) -> Self {
        Self { value: 0, num: den / 2, den }
    }

    /// The time in whole ticks.
    pub(super) fn value(&self) -> i64 {
        self.value
    }

    /// Puts the whole ticks to the dts of an accepted packet; the fraction stays.
    pub(super) fn set(&mut self, value: i64) {
        self.value = value;
    }

    /// Whether nothing has advanced it: the leading empty packets of encoders do not count.
    pub(super) fn untouched(&self) -> bool {
        self.value == 0 && self.num == self.den / 2
    }

    /// Advances by `units` fractions.
    pub(super) fn advance(&mut self, units: i128) {
        if self.den == 0 {
            return;
        }
        let (whole, rest) = split(self.num.saturating_add(units), self.den);
        self.value = self.value.saturating_add(i64::try_from(whole).unwrap_or(i64::MAX));
        self.num = rest;
    }

    /// Advances by one tick, whatever the picture rate (WF-38).
    pub(super) fn tick(&mut self) {
        // The fraction, which is less than 1, stays.
        self.value = self.value.saturating_add(i64::from(self.den != 0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mp3_frames_in_milliseconds_do_not_drift() {
        let base = TimeBase::MILLIS;
        let mut clock = Clock::audio(base, 44100);
        for n in 1..=100_000i64 {
            clock.advance(1152 * i128::from(base.den.get()));
            let exact = n * 1152 * 1000;
            assert_eq!(clock.value(), (2 * exact + 44100).div_euclid(2 * 44100), "after {n} frames");
        }
    }

    #[test]
    fn a_still_clock_stands() {
        let mut clock = Clock::still();
        clock.advance(5);
        assert_eq!((clock.value(), clock.untouched()), (0, true));
    }
}
