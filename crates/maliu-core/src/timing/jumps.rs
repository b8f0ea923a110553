//! Times that step back or jump ahead: a policy for each stream of an input.
//!
//! ```text
//!   as they are   0 40 80 | 9000 9040        restamp: 0 40 80 120 160       cut: 0 40 80
//! ```

use alloc::{format, string::String, vec::Vec};
use core::{fmt, str::FromStr};

use crate::{
    packet::Packet,
    time::{Rounding, Ticks, TimeBase},
};

/// Policy where the times of a stream jump.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Jumps {
    /// Nothing: times stay as they are, as far as the output takes them.
    Pass,
    /// The stream goes on a step behind its last packet. Streams that jump together stay together.
    #[default]
    Restamp,
    /// The input ends there.
    Cut,
}

impl FromStr for Jumps {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "pass" => Ok(Self::Pass),
            "restamp" => Ok(Self::Restamp),
            "cut" => Ok(Self::Cut),
            _ => Err(format!("{text:?} is none of pass, restamp, cut")),
        }
    }
}

impl fmt::Display for Jumps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pass => "pass",
            Self::Restamp => "restamp",
            Self::Cut => "cut",
        })
    }
}

/// A step back, or ahead of every stream of the input, by more than this many µs is a jump.
pub const JUMP: i64 = 3_000_000;

/// Where another stream's shift brings a packet within this many µs of its place, that shift is taken.
const NEAR: i64 = 500_000;

/// Steps of a stream that must be known before one ahead can be a jump.
const STEPS: u32 = 2;

/// The times of all streams of one input.
///
/// It keeps a few numbers for each stream, and moves whole streams only: what stands between jumps keeps its distances.
#[derive(Debug, Default)]
pub struct Timeline {
    policy: Jumps,
    lanes: Vec<Lane>,
    /// The latest time given to any packet, in µs.
    latest: Option<i64>,
    cut: bool,
}

/// One stream. Times are in µs.
#[derive(Clone, Debug, Default)]
struct Lane {
    /// Time given to the last packet.
    last: Option<i64>,
    /// How long it is stated to last, in ticks of `base`: converted only where a jump is possible.
    duration: Ticks,
    base: TimeBase,
    /// The last step ahead, the longest, and how many there were.
    step: i64,
    longest: i64,
    steps: u32,
    /// Offset added to times, and the one before the last jump.
    shift: i64,
    before: Option<i64>,
    jumps: u64,
}

impl Timeline {
    /// A timeline of this policy, of no streams yet.
    pub fn new(policy: Jumps) -> Self {
        Self { policy, ..Self::default() }
    }

    /// Moves the times of the stream's next packet, which are in ticks of `base`; `raw` is its time in µs. Returns the time
    /// that it has then, in µs; `None` when nothing of the input is wanted any more: there was a jump, and the policy is
    /// [`Jumps::Cut`].
    #[inline]
    pub fn place(&mut self, packet: &mut Packet, base: TimeBase, raw: i64) -> Option<i64> {
        let time = self.go_on(packet.stream, raw, (packet.duration.unwrap_or_default(), base))?;
        let shift = time.saturating_sub(raw);
        if shift != 0 {
            let shift = TimeBase::MICROS.rescale(Ticks(shift), base, Rounding::Near);
            packet.pts = packet.pts.map(|pts| pts + shift);
            packet.dts = packet.dts.map(|dts| dts + shift);
        }
        Some(time)
    }

    /// As [`Timeline::place`] for a stream's next time alone, in µs, and the duration behind it.
    #[inline]
    pub fn go_on(&mut self, stream: usize, raw: i64, (duration, base): (Ticks, TimeBase)) -> Option<i64> {
        if self.policy == Jumps::Pass {
            return Some(raw);
        }
        if self.cut {
            return None;
        }
        // Nearly every packet: a small step of a stream that is known.
        if let Some(lane) = self.lanes.get_mut(stream)
            && let Some(last) = lane.last
        {
            let time = raw.saturating_add(lane.shift);
            if time.abs_diff(last) <= JUMP.unsigned_abs() {
                lane.note(time, duration, base);
                if self.latest < Some(time) {
                    self.latest = Some(time);
                }
                return Some(time);
            }
        }
        self.begin_or_jump(stream, raw, (duration, base))
    }

    /// A stream begins, or its times may jump.
    #[cold]
    fn begin_or_jump(&mut self, stream: usize, raw: i64, (duration, base): (Ticks, TimeBase)) -> Option<i64> {
        if self.lanes.len() <= stream {
            self.lanes.resize_with(stream + 1, Lane::default);
        }
        let shift = self.shift(stream, raw);
        let lane = self.lanes.get_mut(stream)?;
        if shift != lane.shift {
            if lane.last.is_some() {
                self.cut = self.policy == Jumps::Cut;
                lane.jumps += 1;
                lane.before = Some(lane.shift);
            }
            lane.shift = shift;
        }
        if self.cut {
            return None;
        }
        let time = raw.saturating_add(shift);
        lane.note(time, duration, base);
        self.latest = self.latest.max(lane.last);
        Some(time)
    }

    /// Jumps of a stream.
    pub fn jumps(&self, stream: usize) -> u64 {
        self.lanes.get(stream).map_or(0, |lane| lane.jumps)
    }

    /// Whether a jump has ended the input.
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// Offset to add to `raw` of this stream: what was added before, unless that would be a jump.
    fn shift(&self, stream: usize, raw: i64) -> i64 {
        let Some(lane) = self.lanes.get(stream) else { return 0 };
        let time = raw.saturating_add(lane.shift);
        if lane.last.is_some_and(|last| time.saturating_sub(last).saturating_abs() <= JUMP) {
            return lane.shift;
        }
        let others = self.lanes.iter().enumerate().filter(|(index, other)| *index != stream && other.last.is_some());
        let others = others.map(|(_, other)| other.shift);
        let nearest = |due: i64, shifts: &mut dyn Iterator<Item = i64>| {
            let distance = |shift: &i64| raw.saturating_add(*shift).saturating_sub(due).saturating_abs();
            shifts.min_by_key(distance).map(|shift| (shift, distance(&shift)))
        };
        let Some(last) = lane.last else {
            // A stream that begins late begins where the others are.
            let due = self.latest.unwrap_or(raw);
            return nearest(due, &mut others.chain([0])).map_or(0, |(shift, _)| shift);
        };
        let latest = self.latest.unwrap_or(last).max(last.saturating_add(lane.duration()));
        let pause = JUMP.max(lane.longest.saturating_mul(3));
        let ahead = lane.steps >= STEPS && time.saturating_sub(latest) > JUMP && time.saturating_sub(last) > pause;
        if last.saturating_sub(time) <= JUMP && !ahead {
            return lane.shift;
        }
        let due = last.saturating_add(lane.step);
        match nearest(due, &mut others.chain(lane.before)) {
            Some((shift, distance)) if distance <= NEAR => shift,
            _ => due.saturating_sub(raw),
        }
    }
}

impl Lane {
    fn note(&mut self, time: i64, duration: Ticks, base: TimeBase) {
        (self.duration, self.base) = (duration, base);
        let Some(last) = self.last else {
            self.last = Some(time);
            return;
        };
        // A time that lies a little behind is moved by the writer: the stream is no further back for it.
        if time > last {
            let step = time.saturating_sub(last);
            (self.step, self.longest, self.last) = (step, self.longest.max(step), Some(time));
            self.steps = self.steps.saturating_add(1);
        }
    }

    /// How long the last packet is stated to last, in µs.
    fn duration(&self) -> i64 {
        self.base.rescale(self.duration, TimeBase::MICROS, Rounding::Near).0.clamp(0, JUMP * 20)
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    /// (stream, ms) → ms, in the order given; `None` where it is cut.
    fn placed(policy: Jumps, times: &[(usize, i64)]) -> Vec<Option<i64>> {
        let mut timeline = Timeline::new(policy);
        let place = |(stream, time): &(usize, i64)| {
            let mut packet = Packet::of(*stream, "").with_dts(Ticks(*time));
            timeline.place(&mut packet, TimeBase::MILLIS, 1000 * time).map(|_| packet.dts.unwrap().0)
        };
        times.iter().map(place).collect()
    }

    fn restamped(times: &[(usize, i64)]) -> Vec<i64> {
        placed(Jumps::Restamp, times).into_iter().flatten().collect()
    }

    fn single(times: &[i64]) -> Vec<(usize, i64)> {
        times.iter().map(|time| (0, *time)).collect()
    }

    #[test]
    fn a_stream_that_jumps_goes_on_a_step_behind_its_last_packet() {
        assert_eq!(restamped(&single(&[50_000, 50_040, 50_080, 0, 40])), [50_000, 50_040, 50_080, 50_120, 50_160]);
        assert_eq!(restamped(&single(&[0, 40, 80, 9000, 9040])), [0, 40, 80, 120, 160]);
    }

    #[test]
    fn each_policy_does_what_its_name_says() {
        let times = single(&[0, 40, 80, 9000, 9040]);
        let all = |times: &[i64]| times.iter().copied().map(Some).collect::<Vec<_>>();
        assert_eq!(placed(Jumps::Pass, &times), all(&[0, 40, 80, 9000, 9040]));
        assert_eq!(placed(Jumps::Cut, &times), [Some(0), Some(40), Some(80), None, None]);
    }

    #[test]
    fn small_steps_back_and_believed_pauses_stay() {
        let jitter = [0, 40, 20, 80, 2900, 100];
        assert_eq!(restamped(&single(&jitter)), jitter);
        let slides = [0, 10_000, 20_000, 45_000];
        assert_eq!(restamped(&single(&slides)), slides);
    }

    #[test]
    fn a_pause_of_one_stream_is_no_jump_while_another_goes_on() {
        let mut times = vec![(0, 0), (0, 40), (0, 80)];
        times.extend((0..100).map(|n| (1, n * 100)));
        times.push((0, 9900));
        assert_eq!(restamped(&times), times.iter().map(|(_, time)| *time).collect::<Vec<_>>());
    }

    #[test]
    fn streams_that_jump_together_stay_together_and_one_that_jumps_alone_moves_alone() {
        let both: Vec<_> = (0..3).flat_map(|n| [(0, 60_000 + n * 40), (1, 60_010 + n * 40)]).collect();
        let again = (0..3).flat_map(|n| [(0, n * 40), (1, 10 + n * 40)]);
        let times: Vec<_> = both.iter().copied().chain(again).collect();
        let expected: Vec<_> = (0..6).flat_map(|n| [60_000 + n * 40, 60_010 + n * 40]).collect();
        assert_eq!(restamped(&times), expected);
        let alone: Vec<_> =
            (0..6).flat_map(|n| [(0, if n < 3 { 9000 } else { 1000 } + n * 40), (1, 9000 + n * 40)]).collect();
        assert_eq!(restamped(&alone), (0..6).flat_map(|n| [9000 + n * 40; 2]).collect::<Vec<_>>());
    }

    #[test]
    fn a_stream_that_jumps_back_to_where_it_was_is_where_it_was() {
        let times: Vec<_> = (0..9)
            .flat_map(|n| [(0, 9000 + n * 40 - if (3..6).contains(&n) { 8000 } else { 0 }), (1, 9000 + n * 40)])
            .collect();
        assert_eq!(restamped(&times), (0..9).flat_map(|n| [9000 + n * 40; 2]).collect::<Vec<_>>());
    }
}
