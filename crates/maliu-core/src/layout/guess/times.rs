//! Numbers that count messages or time, by their steps.

use alloc::vec::Vec;

use super::LEAST_MESSAGES;

/// Messages that are looked at.
const SAMPLE: usize = 1024;

/// Movement of a number from message to message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Motion {
    /// It grows by 1.
    Counts,
    /// It grows by `step` most of the time.
    Runs { step: u64 },
}

/// Clocks that are known, in ticks per second.
const CLOCKS: &[u32] = &[1000, 1_000_000, 90_000, 48_000, 44_100, 8000, 16_000, 1_000_000_000];
/// Frames per second times 100 that are usual.
const RATES: &[u64] = &[500, 1000, 1200, 1500, 2000, 2400, 2500, 3000, 4000, 5000, 6000, 9000, 12_000];
/// Samples per frame that are usual.
const FRAMES: &[u64] = &[1024, 960, 1152, 320, 160, 2048];

/// The movement of the numbers of `bits` bits in `values`, if it is regular.
pub(super) fn motion(values: &[u64], bits: u32) -> Option<Motion> {
    let unused = 64u32.saturating_sub(bits).min(63);
    let steps: Vec<i64> = values
        .iter()
        .take(SAMPLE)
        .zip(values.iter().skip(1))
        .map(|(a, b)| (b.wrapping_sub(*a) << unused).cast_signed() >> unused)
        .collect();
    if steps.len() + 1 < LEAST_MESSAGES {
        return None;
    }
    let ones = steps.iter().filter(|step| **step == 1).count();
    if ones * 10 >= steps.len() * 9 {
        return Some(Motion::Counts);
    }
    let moves: Vec<i64> = steps.into_iter().filter(|step| *step != 0).collect();
    let forward = moves.iter().filter(|step| **step > 0).count();
    if moves.len() + 1 < LEAST_MESSAGES || forward * 2 < moves.len() {
        return None;
    }
    let mut sorted: Vec<i64> = moves.iter().map(|step| step.saturating_abs()).collect();
    sorted.sort_unstable();
    let middle = sorted.get(sorted.len() / 2).copied()?;
    // Steps of one size, or near it; frames that are shown in another order step by a few of them.
    let near = |step: &&i64| (**step - middle).saturating_abs().saturating_mul(8) <= middle;
    let multiple = |step: &&i64| **step <= middle.saturating_mul(16);
    let regular = sorted.iter().filter(near).count() * 2 >= sorted.len();
    let bounded = sorted.iter().filter(multiple).count() * 50 >= sorted.len() * 49;
    (regular && bounded && middle > 1).then_some(Motion::Runs { step: middle.unsigned_abs() })
}

/// Ticks per second of a clock that runs in such steps, and whether they are sure.
pub(super) fn clock(step: u64) -> (u32, bool) {
    let near = |a: u64, b: u64| a.abs_diff(b) * 50 <= b;
    let fits = |clock: &&u32| {
        let rate = u64::from(**clock) * 100 / step.max(1);
        RATES.iter().any(|usual| near(rate, *usual))
    };
    match CLOCKS.iter().find(fits) {
        Some(clock) => (*clock, true),
        None if FRAMES.contains(&step) => (48_000, false),
        None => (1000, false),
    }
}
