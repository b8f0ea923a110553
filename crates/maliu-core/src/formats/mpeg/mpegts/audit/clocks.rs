//! The program clock references of one PID: their steps, jumps, and how even they are.

use alloc::format;

use super::Breaches;
use crate::syntax::psi::{ClockFacts, Indicator};

/// Ticks of the clock in a second, in a microsecond.
const SECOND: u64 = 27_000_000;
const MICRO: u64 = 27;

/// Ticks after which the clock begins again.
const TURN: u64 = (1 << 33) * 300;

/// The longest time between two references (TR 101 290 §5.2.2, 2.3a).
const MAX_STEP: u64 = SECOND / 10;

/// A longer step is a jump of the clock.
const JUMP: u64 = SECOND;

/// How far a reference may be off at a constant rate, in ns (2.4).
const MAX_OFF: u64 = 500;

/// A reference: its value, its place among packets of 188 bytes, its offset in the input.
#[derive(Clone, Copy)]
pub(super) struct Reference {
    pub pcr: u64,
    pub place: u64,
    pub at: u64,
}

/// The references of a PID.
pub(super) struct Clock {
    facts: ClockFacts,
    last: Option<Reference>,
    before: Option<Reference>,
    /// Bytes and ticks from reference to reference, jumps left out.
    bytes: u64,
    ticks: u64,
    /// References that were compared with their neighbours, and those that are off.
    judged: u64,
    off: u64,
    first_off: Option<(u64, u64)>,
}

impl Clock {
    pub(super) fn new(pid: u16) -> Self {
        let facts = ClockFacts { pid, ..ClockFacts::default() };
        Self { facts, last: None, before: None, bytes: 0, ticks: 0, judged: 0, off: 0, first_off: None }
    }

    /// Takes a reference; returns how many ticks have passed since the one before.
    pub(super) fn reference(&mut self, now: Reference, jump_is_marked: bool, breaches: &mut Breaches) -> u64 {
        self.facts.references += 1;
        let last = self.last.replace(now);
        let Some(last) = last.filter(|_| !jump_is_marked) else {
            self.before = None;
            return 0;
        };
        let step = (now.pcr + TURN - last.pcr % TURN) % TURN;
        let pid = Some(self.facts.pid);
        if step > JUMP {
            // More than half a turn forward is a step back.
            let back = step > TURN / 2;
            let far = if back { TURN - step } else { step };
            breaches.note(Indicator::PcrJump, pid, now.at, || {
                let way = if back { "back" } else { "on" };
                format!("the clock jumps {way} by {} ms without discontinuity_indicator", far / (1000 * MICRO)).into()
            });
            self.before = None;
            return 0;
        }
        if step > MAX_STEP {
            let what = || format!("{} ms between two clock references, allowed are 100", step / (1000 * MICRO)).into();
            breaches.note(Indicator::PcrInterval, pid, now.at, what);
        }
        self.facts.longest_us = self.facts.longest_us.max(step / MICRO);
        self.bytes += now.place - last.place;
        self.ticks += step;
        if let Some(before) = self.before {
            self.judge(before, last, now);
        }
        self.before = Some(last);
        step
    }

    /// How far the middle one of three references is from the line through the others.
    fn judge(&mut self, a: Reference, b: Reference, c: Reference) {
        let span = u128::from((c.pcr + TURN - a.pcr % TURN) % TURN);
        let (part, whole) = (u128::from(b.place - a.place), u128::from((c.place - a.place).max(1)));
        let expected = span * part / whole;
        let found = u128::from((b.pcr + TURN - a.pcr % TURN) % TURN);
        let off = expected.abs_diff(found) * 1000 / u128::from(MICRO);
        let off = u64::try_from(off).unwrap_or(u64::MAX);
        self.facts.jitter_ns = self.facts.jitter_ns.max(off);
        self.judged += 1;
        if off > MAX_OFF {
            self.off += 1;
            self.first_off.get_or_insert((b.at, off));
        }
    }

    /// Whether nearly all references lie on lines.
    pub(super) fn is_constant(&self) -> bool {
        self.judged >= 10 && self.off * 10 <= self.judged
    }

    /// Bytes, and ticks of 27 MHz in which they passed.
    pub(super) fn rate(&self) -> Option<(u64, u64)> {
        (self.ticks > 0).then_some((self.bytes, self.ticks))
    }

    pub(super) fn facts(&self) -> ClockFacts {
        self.facts.clone()
    }

    /// Notes references that are off where the rate is constant.
    pub(super) fn accuracy(&self, breaches: &mut Breaches) {
        let Some((at, off)) = self.first_off.filter(|_| self.is_constant()) else { return };
        for _ in 0..self.off.min(1 << 20) {
            let what = || format!("a clock reference is off by {off} ns, allowed are 500").into();
            breaches.note(Indicator::PcrAccuracy, Some(self.facts.pid), at, what);
        }
    }
}
