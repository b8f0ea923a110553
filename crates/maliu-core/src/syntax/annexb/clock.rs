//! Times for pictures that carry none: the presentation order and a rate make pts, dts and duration.
//!
//! ```text
//!   decoded:   I0 P3 b1 b2 P6 …    dts  -1 0 1 2 3 …     one step a picture, ahead by the reorder depth
//!   shown:     I0 b1 b2 P3 …       pts   0 3 1 2 6 …     order count, from the sequence's base on
//! ```

use crate::time::{Rounding, Ticks, TimeBase, scale};

/// Facts of a picture for the clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    /// When it is shown, counted in its sequence; `None` when unknown.
    pub order: Option<i64>,
    /// Steps for a difference of 1 in `order`; 0 counts as 1. A stream may show late that its order counts in halves.
    pub scale: i64,
    /// It is shown when it is decoded.
    pub in_coding_order: bool,
    /// The order counts of what follows do not continue those before.
    pub restarts: bool,
    /// Decoding can start with it, or started with it although it should not: pictures that follow may be shown before.
    pub leading_may_follow: bool,
    /// The order restarts, and pictures that follow may be shown before this one: how many is known when one comes that
    /// is not. See [`Timing::leading`].
    pub awaits_leading: bool,
    /// Steps that pictures which follow are shown before this one, where that is known.
    pub leading: Option<i64>,
    /// How many steps it is shown for.
    pub span: i64,
    /// Most steps by which a picture is decoded before it is shown.
    pub reorder: i64,
}

/// The times of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamps {
    /// `None` when the order is unknown.
    pub pts: Option<Ticks>,
    /// Strictly increasing.
    pub dts: Ticks,
    /// As the rate says.
    pub duration: Ticks,
}

/// Counts pictures and turns their order into times.
#[derive(Clone, Debug)]
pub struct Clock {
    base: TimeBase,
    /// Steps per second.
    rate: (u64, u64),
    /// Step of the next picture's dts.
    next: i64,
    /// An order of the sequence and the step at which it is shown; others follow from it.
    pivot: (i64, i64),
    /// Steps for a difference of 1 in order: below the pivot, and above it.
    scales: (i64, i64),
    /// Highest order of the sequence so far.
    highest: i64,
    /// Step behind everything shown so far.
    end: i64,
    /// Where the sequence begins: what is shown before belongs to the sequence before.
    floor: i64,
    /// Most steps that pictures were shown before the one that restarted their sequence.
    leading: i64,
    /// A picture of known order was met.
    anchored: bool,
    last_dts: Option<Ticks>,
}

impl Clock {
    /// A clock in ticks of `base`.
    pub fn new(base: TimeBase) -> Self {
        Self {
            base,
            rate: (25, 1),
            next: 0,
            pivot: (0, 0),
            scales: (1, 1),
            highest: 0,
            end: 0,
            floor: i64::MIN,
            leading: 0,
            anchored: false,
            last_dts: None,
        }
    }

    /// From here on there are `num / den` steps a second.
    pub fn set_rate(&mut self, num: u64, den: u64) {
        if (num, den) != self.rate && num > 0 && den > 0 {
            // Steps already counted keep their times: they are counted in the new steps.
            let convert = |step: i64| {
                let at = scale(step, num, self.rate.0, Rounding::Near);
                scale(at, self.rate.1, den, Rounding::Near)
            };
            (self.next, self.end) = (convert(self.next), convert(self.end));
            self.pivot.1 = convert(self.pivot.1);
            self.floor = if self.anchored { self.end } else { i64::MIN };
            self.rate = (num, den);
        }
    }

    /// Whether times were given that what follows must continue.
    pub fn has_begun(&self) -> bool {
        self.anchored
    }

    /// The times of the next picture in decoding order.
    pub fn stamp(&mut self, picture: Timing) -> Stamps {
        if !self.anchored && picture.order.is_some() {
            self.anchored = true;
            let room = if picture.leading_may_follow { room(picture) } else { 0 };
            // Decoding goes ahead of what is shown; where it has begun already, what is shown waits.
            let begun = self.last_dts.is_some();
            let shown = if begun { self.next.saturating_add(picture.reorder) } else { self.next };
            self.next = shown.saturating_sub(picture.reorder);
            self.anchor(picture, shown.saturating_add(room));
        } else if picture.restarts {
            self.floor = self.end.max(self.next.saturating_add(picture.reorder));
            let step = self.floor.saturating_add(picture.leading.unwrap_or(self.leading));
            self.anchor(picture, step);
            // Decoding goes on evenly where it is known what is shown first.
            let first = if picture.leading.is_some() { self.floor } else { step };
            self.next = self.next.max(first.saturating_sub(picture.reorder));
        }
        let nominal = self.ticks(self.next);
        self.next = self.next.saturating_add(picture.span);
        let pts = match picture.order {
            _ if picture.in_coding_order => Some(nominal),
            Some(order) => Some(self.shown(order, picture)),
            None => None,
        };
        let earliest = self.last_dts.map_or(Ticks(i64::MIN), |last| last + Ticks(1));
        let dts = pts.map_or(nominal, |pts| nominal.min(pts)).max(earliest);
        self.last_dts = Some(dts);
        let duration = self.ticks(picture.span);
        Stamps { pts: pts.map(|pts| pts.max(dts)), dts, duration }
    }

    /// The sequence goes on from `picture`, which is shown at `step`.
    fn anchor(&mut self, picture: Timing, step: i64) {
        let order = picture.order.unwrap_or(0);
        let scale = picture.scale.max(1);
        (self.pivot, self.scales, self.highest) = ((order, step), (scale, scale), order);
    }

    /// The step at which `order` is shown.
    fn step(&self, order: i64) -> i64 {
        let away = order.saturating_sub(self.pivot.0);
        let scale = if away < 0 { self.scales.0 } else { self.scales.1 };
        self.pivot.1.saturating_add(away.saturating_mul(scale))
    }

    fn shown(&mut self, order: i64, picture: Timing) -> Ticks {
        if picture.scale.max(1) != self.scales.1 {
            // Pictures shown before the latest one keep their place among those that were given theirs.
            self.pivot = (self.highest, self.step(self.highest));
            self.scales = (self.scales.1, picture.scale.max(1));
        }
        self.highest = self.highest.max(order);
        let step = self.step(order);
        self.end = self.end.max(step.saturating_add(picture.span));
        let before = self.floor.saturating_sub(step);
        if before <= 0 {
            // More pictures come late than the stream promises: decoding runs further ahead from here on.
            self.next = self.next.min(step.saturating_add(picture.span));
            return self.ticks(step);
        }
        // Shown before the picture that restarted the sequence, where no room was left for it: squeezed in between
        // the sequences, and room is left the next time.
        self.leading = self.leading.max(before).min(MAX_LEADING);
        let parts = u64::try_from(self.leading.max(picture.reorder)).unwrap_or(0).saturating_add(1);
        let (one, floor) = (self.ticks(1), self.ticks(self.floor));
        floor - Ticks(scale(one.0, before.min(self.leading).unsigned_abs(), parts, Rounding::Near))
    }

    fn ticks(&self, steps: i64) -> Ticks {
        let per_second = u64::from(self.base.den.get()).saturating_mul(self.rate.1);
        Ticks(scale(steps, per_second, self.rate.0.saturating_mul(u64::from(self.base.num.get())), Rounding::Near))
    }
}

/// Steps for the pictures that are decoded behind `picture` and shown before it, as a pyramid of its depth has them.
fn room(picture: Timing) -> i64 {
    let depth = picture.reorder.checked_div(picture.span).unwrap_or(0).clamp(0, 4);
    ((1 << depth) - 1i64).saturating_mul(picture.span).max(picture.reorder)
}

/// Most steps of room left before a picture that restarts its sequence.
const MAX_LEADING: i64 = 32;

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    fn stamps(pictures: &[(i64, bool)], reorder: i64) -> Vec<(i64, i64)> {
        let mut clock = Clock::new(TimeBase::hz(2500));
        let stamp = |(order, restarts): &(i64, bool)| {
            let picture = Timing { order: Some(*order), restarts: *restarts, span: 1, reorder, ..Timing::default() };
            let stamps = clock.stamp(picture);
            (stamps.pts.unwrap().0, stamps.dts.0)
        };
        pictures.iter().map(stamp).collect()
    }

    #[test]
    fn order_becomes_pts_and_decoding_goes_ahead() {
        let got = stamps(&[(0, true), (3, false), (1, false), (2, false), (0, true), (1, false)], 2);
        assert_eq!(got, [(0, -200), (300, -100), (100, 0), (200, 100), (400, 200), (500, 300)]);
    }

    #[test]
    fn a_start_in_mid_stream_leaves_room_for_what_is_shown_first() {
        let mut clock = Clock::new(TimeBase::hz(2500));
        let mut stamp = |order| {
            let picture =
                Timing { order: Some(order), leading_may_follow: true, span: 1, reorder: 2, ..Timing::default() };
            clock.stamp(picture).pts.unwrap().0
        };
        assert_eq!([8, 6, 5, 7, 12, 10, 9, 11].map(&mut stamp), [300, 100, 0, 200, 700, 500, 400, 600]);
    }

    #[test]
    fn more_late_pictures_than_promised_hold_decoding_back() {
        let got =
            stamps(&[(0, true), (4, false), (2, false), (1, false), (3, false), (8, false), (6, false), (5, false)], 1);
        assert_eq!(got.iter().map(|times| times.0).collect::<Vec<_>>(), [0, 400, 200, 101, 300, 800, 600, 500]);
        assert!(got.iter().all(|(pts, dts)| pts >= dts) && got.windows(2).all(|pair| pair[0].1 < pair[1].1), "{got:?}");
    }

    #[test]
    fn an_order_that_turns_out_to_count_halves_stays_in_order() {
        let mut clock = Clock::new(TimeBase::hz(2500));
        let mut stamp = |(order, scale)| {
            let picture = Timing { order: Some(order), scale, span: 2, reorder: 10, ..Timing::default() };
            clock.stamp(picture).pts.unwrap().0
        };
        let got = [(0, 1), (8, 1), (4, 1), (2, 1), (6, 1), (1, 2), (3, 2), (10, 2), (9, 2)].map(&mut stamp);
        assert_eq!(got, [0, 800, 400, 200, 600, 100, 300, 1200, 1000]);
    }

    #[test]
    fn lost_pictures_leave_a_gap_until_the_next_restart() {
        let got = stamps(&[(0, true), (9, false), (0, true), (1, false)], 0);
        assert_eq!(got, [(0, 0), (900, 100), (1000, 1000), (1100, 1100)]);
    }

    #[test]
    fn pictures_before_a_restart_keep_their_order() {
        let got = stamps(&[(0, true), (1, false), (0, true), (-1, false), (1, false), (0, true), (-1, false)], 1);
        let mut shown: Vec<_> = got.iter().enumerate().map(|(n, times)| (times.0, n)).collect();
        shown.sort_unstable();
        assert_eq!(shown.iter().map(|(_, n)| *n).collect::<Vec<_>>(), [0, 1, 3, 2, 4, 6, 5]);
        assert!(got.iter().all(|(pts, dts)| pts >= dts) && got.windows(2).all(|pair| pair[0].1 < pair[1].1), "{got:?}");
    }
}
