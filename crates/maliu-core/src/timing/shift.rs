//! The last step before the muxer: the output offset, and one shift of all streams that keeps times from being
//! negative (WF-50…WF-52).

use alloc::{format, vec::Vec};

use super::{
    Rules,
    explain::{At, Notes},
};
use crate::{
    packet::Packet,
    stream::StreamInfo,
    time::{Rounding, Ticks, TimeBase},
};

/// Treatment of negative times (`avoid_negative_ts`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Avoid {
    /// As the format needs it: [`Avoid::Off`] where it copes with negative times, else [`Avoid::NonNegative`].
    #[default]
    Auto,
    /// Nothing.
    Off,
    /// If the first time is negative, all are moved so that it becomes 0 (`make_non_negative`).
    NonNegative,
    /// All are moved so that the first time is 0 (`make_zero`).
    Zero,
}

impl Avoid {
    /// Meaning of [`Avoid::Auto`] under these rules (WF-13).
    pub(crate) fn resolve(self, rules: Rules) -> Self {
        match self {
            Self::Auto if rules.negative || rules.no_timestamps => Self::Off,
            Self::Auto => Self::NonNegative,
            chosen => chosen,
        }
    }
}

/// The shift of all streams of one output.
#[derive(Debug)]
pub(crate) struct Shift {
    by_pts: bool,
    make_zero: bool,
    state: State,
    lanes: Vec<Lane>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Off,
    Undecided,
    Decided,
}

#[derive(Debug)]
struct Lane {
    base: TimeBase,
    offset: Ticks,
    shift: Ticks,
}

impl Shift {
    /// `offset` in µs is added to every time; what `avoid` says is decided at the first packet with a known time.
    pub(crate) fn new(avoid: Avoid, offset: Ticks, rules: Rules, streams: &[StreamInfo]) -> Self {
        let avoid = avoid.resolve(rules);
        let lane = |stream: &StreamInfo| Lane {
            base: stream.time_base,
            offset: TimeBase::MICROS.rescale(offset, stream.time_base, Rounding::Near),
            shift: Ticks(0),
        };
        Self {
            by_pts: rules.shift_by_pts,
            make_zero: avoid == Avoid::Zero,
            state: if avoid == Avoid::Off { State::Off } else { State::Undecided },
            lanes: streams.iter().map(lane).collect(),
        }
    }

    /// Moves the packet's times; `waiting` are the packets that will come after it.
    pub(crate) fn apply<'a>(
        &mut self,
        packet: &mut Packet,
        waiting: impl Iterator<Item = &'a Packet>,
        at: At,
        notes: &mut Notes,
    ) {
        let Some(lane) = self.lanes.get(packet.stream) else { return };
        if lane.offset != Ticks(0) {
            add(packet, lane.offset);
            notes.fire("WF-50", at, || format!("pts and dts moved by {}, the output offset", lane.offset));
        }
        if self.state == State::Undecided
            && let Some(time) = self.deciding(packet)
        {
            self.decide(time, lane.base, waiting, at, notes);
        }
        let Some(lane) = self.lanes.get(packet.stream).filter(|_| self.state == State::Decided) else { return };
        if lane.shift != Ticks(0) {
            add(packet, lane.shift);
            notes.fire("WF-52", at, || format!("pts and dts moved by {}", lane.shift));
        }
        if let Some(time) = self.deciding(packet).filter(|time| time.0 < 0) {
            notes.fire("WF-52", at, || format!("time {time} is written although it is negative: the shift is decided"));
        }
    }

    /// WF-51: the lowest of the first packet and all that wait behind it counts, each with its own offset.
    fn decide<'a>(
        &mut self,
        time: Ticks,
        base: TimeBase,
        waiting: impl Iterator<Item = &'a Packet>,
        at: At,
        notes: &mut Notes,
    ) {
        self.state = State::Decided;
        let (mut lowest, mut lowest_base) = (time, base);
        for packet in waiting {
            let Some((time, lane)) = self.deciding(packet).zip(self.lanes.get(packet.stream)) else { continue };
            let time = time + lane.offset;
            if TimeBase::compare(time, lane.base, lowest, lowest_base).is_lt() {
                (lowest, lowest_base) = (time, lane.base);
            }
        }
        if lowest.0 < 0 || (self.make_zero && lowest.0 > 0) {
            for lane in &mut self.lanes {
                lane.shift = lowest_base.rescale(-lowest, lane.base, Rounding::Up);
            }
            notes.fire("WF-51", at, || format!("all streams are moved by {} × {lowest_base} s", -lowest));
        }
    }

    fn deciding(&self, packet: &Packet) -> Option<Ticks> {
        if self.by_pts { packet.pts } else { packet.dts }
    }
}

fn add(packet: &mut Packet, ticks: Ticks) {
    packet.pts = packet.pts.map(|pts| pts + ticks);
    packet.dts = packet.dts.map(|dts| dts + ticks);
}
