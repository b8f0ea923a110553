//! Times of publishers, which wrap and begin anew, as the times of one stream, which do neither.

use crate::{
    formats::flv::tag::Kind,
    time::{Ticks, TimeBase},
    timing::jumps::{self, Jumps},
};

/// A step behind the last item where a new publisher goes on, in ms, when none is known.
const STEP: i64 = 20;

/// The times of a stream.
#[derive(Debug)]
pub(super) struct Timeline {
    jumps: jumps::Timeline,
    /// The last time of each kind as the publisher sent it, unwrapped.
    raw: [Option<i64>; 3],
    /// Added to the times of this publisher.
    offset: i64,
    latest: Option<i64>,
    /// The offset is to be found from the next time.
    restarts: bool,
}

impl Timeline {
    /// Of a stream that begins; jumps of more than 3 s are closed.
    pub(super) fn new() -> Self {
        Self { jumps: jumps::Timeline::new(Jumps::Restamp), raw: [None; 3], offset: 0, latest: None, restarts: false }
    }

    /// Another publisher begins: its first time is one step behind the last.
    pub(super) fn restart(&mut self) {
        self.raw = [None; 3];
        self.restarts = self.latest.is_some();
    }

    /// The time of the next tag, in ms.
    pub(super) fn place(&mut self, kind: Kind, time: u32) -> i64 {
        let lane = match kind {
            Kind::Video => 0,
            Kind::Audio => 1,
            _ => 2,
        };
        let near = self.raw.get(lane).copied().flatten().or(self.raw.iter().flatten().max().copied());
        // The nearest time that ends in these 32 bits.
        let raw = near.map_or(i64::from(time), |near| near + i64::from(time.wrapping_sub(near as u32) as i32));
        if let Some(last) = self.raw.get_mut(lane) {
            *last = Some(raw);
        }
        if core::mem::take(&mut self.restarts) {
            self.offset = self.latest.map_or(0, |latest| latest + STEP - raw);
        }
        let micros = (raw + self.offset).saturating_mul(1000);
        let placed = self.jumps.go_on(lane, micros, (Ticks(0), TimeBase::MILLIS)).unwrap_or(micros) / 1000;
        self.latest = self.latest.max(Some(placed));
        placed
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn times_go_on_where_32_bits_end() {
        let mut timeline = Timeline::new();
        let times = [u32::MAX - 39, 0, 40].map(|time| timeline.place(Kind::Video, time));
        assert_eq!(times, [0xffff_ffd8, 0x1_0000_0000, 0x1_0000_0028]);
        // 60 days, a picture every second: one step each.
        let mut timeline = Timeline::new();
        let steps = (0u64..60 * 86_400).map(|second| timeline.place(Kind::Video, (second * 1000) as u32));
        assert!(steps.enumerate().all(|(second, time)| time == second as i64 * 1000));
    }

    #[test]
    fn another_publisher_goes_on_behind_the_last_one() {
        let mut timeline = Timeline::new();
        timeline.place(Kind::Video, 5000);
        timeline.place(Kind::Audio, 5010);
        timeline.restart();
        let times: Vec<i64> = [(Kind::Audio, 0), (Kind::Video, 7), (Kind::Video, 47)]
            .map(|(kind, time)| timeline.place(kind, time))
            .into();
        assert_eq!(times, [5030, 5037, 5077]);
    }

    #[test]
    fn a_jump_is_closed() {
        let mut timeline = Timeline::new();
        let times = [0, 40, 80, 90_000, 90_040].map(|time| timeline.place(Kind::Video, time));
        assert_eq!(times, [0, 40, 80, 120, 160]);
    }
}
