//! Packets before the wanted start: held, from the keyframes before it on, until the start is reached.
//!
//! ```text
//!   video   key · · · key · · │start · ·     written: from the second key on
//!   audio   · · · · · · · · · │ · · · ·      written: from where that key is decoded on
//!                     └ held ─┘
//! ```

use std::collections::VecDeque;

use maliu_core::{
    account::Account,
    packet::Packet,
    stream::Kind,
    time::{Rounding, Ticks, TimeBase},
};

use super::feed::Feed;

/// Most bytes of memory that are held for one input; the oldest packets go when there are more.
const MAX_HELD: usize = 64 << 20;

/// Most packets that are held for one input.
const MAX_PACKETS: usize = 1 << 17;

/// Media, in µs, behind the start that is held at most while a video stream has not reached it.
const LATE: i64 = 1_000_000;

/// The inputs on their way to the start.
pub(super) struct Lead {
    inputs: Vec<Input>,
}

/// One input.
#[derive(Default)]
struct Input {
    /// In µs of the input.
    start: i64,
    /// By output stream; `None` for the streams of other inputs.
    lanes: Vec<Option<Lane>>,
    account: Account,
    count: usize,
    order: u64,
    reached: bool,
    /// A packet at or behind the start was held.
    some: bool,
    /// When the first keyframe that is written is decoded, in µs, while audio may still arrive that begins before it.
    from: Option<i64>,
}

/// One stream.
#[derive(Default)]
struct Lane {
    base: Option<TimeBase>,
    /// Decoding starts at its keyframes: of video, or of every stream where there is no video.
    leads: bool,
    held: VecDeque<(u64, Packet)>,
    /// The first packet that is held is a keyframe.
    keyed: bool,
    reached: bool,
    /// A packet of it is written.
    begun: bool,
}

impl Lead {
    /// For inputs whose streams are chosen. Without a start everything passes.
    pub(super) fn new(start: Option<Ticks>, feeds: &[Feed]) -> Self {
        let start = start.map_or(0, |start| start.0);
        let input = |feed: &Feed| {
            let chosen =
                || feed.streams.iter().zip(&feed.outputs).filter_map(|(info, output)| Some((info, (*output)?)));
            let pictures = chosen().any(|(info, _)| info.media.kind() == Kind::Video);
            let mut lanes = Vec::new();
            for (info, output) in chosen() {
                lanes.resize_with(lanes.len().max(output + 1), || None);
                let leads = !pictures || info.media.kind() == Kind::Video;
                lanes[output] = Some(Lane { base: Some(info.time_base), leads, ..Lane::default() });
            }
            let start = start.saturating_add(feed.origin());
            Input { start, lanes, reached: start <= feed.origin(), ..Input::default() }
        };
        Self { inputs: feeds.iter().map(input).collect() }
    }

    /// Whether the start is not reached yet, so that packets are to pass here.
    pub(super) fn is_before(&self, input: usize) -> bool {
        self.inputs.get(input).is_some_and(|lead| !lead.reached)
    }

    /// Holds the packet, shown at `time` in µs. Whether the start is reached now: then what is held is to be fetched with
    /// [`Lead::next`].
    pub(super) fn hold(&mut self, input: usize, packet: Packet, time: Option<i64>) -> bool {
        let Some(lead) = self.inputs.get_mut(input).filter(|lead| !lead.reached) else { return false };
        lead.hold(packet, time);
        let waits = |lane: &Lane| lane.leads && !lane.reached;
        let late = time.is_some_and(|time| time >= lead.start.saturating_add(LATE));
        if lead.some && (late || !lead.lanes.iter().flatten().any(waits)) {
            lead.reach();
        }
        lead.reached
    }

    /// Whether a packet behind the start of an input is left out after all: audio that arrives late, begins before the
    /// first keyframe that was written is decoded, and is over at the start.
    pub(super) fn is_too_early(&mut self, input: usize, packet: &Packet) -> bool {
        self.inputs.get_mut(input).is_some_and(|lead| lead.from.is_some_and(|from| lead.is_too_early(packet, from)))
    }

    /// Nothing follows: a start that some stream has reached is reached. The first input that has something to fetch.
    pub(super) fn end(&mut self) -> Option<usize> {
        for lead in self.inputs.iter_mut().filter(|lead| lead.some && !lead.reached) {
            lead.reach();
        }
        self.inputs.iter().position(|lead| lead.reached && lead.count > 0)
    }

    /// The oldest packet that was held for an input that has reached the start.
    pub(super) fn next(&mut self, input: usize) -> Option<Packet> {
        self.inputs.get_mut(input).filter(|lead| lead.reached)?.pop()
    }
}

impl Input {
    fn hold(&mut self, packet: Packet, time: Option<i64>) {
        let early = time.is_some_and(|time| time < self.start);
        let Some(Some(lane)) = self.lanes.get_mut(packet.stream) else { return };
        let key = packet.is_key() && time.is_none_or(|time| time <= self.start);
        if lane.leads && key {
            for (_, packet) in lane.held.drain(..) {
                self.account.remove(&packet);
                self.count -= 1;
            }
            lane.keyed = true;
        }
        lane.reached |= !early;
        self.some |= !early;
        let leads = lane.leads && key;
        self.account.add(&packet);
        self.count += 1;
        lane.held.push_back((self.order, packet));
        self.order += 1;
        if leads {
            self.forget();
        }
        while self.account.bytes() > MAX_HELD || self.count > MAX_PACKETS {
            let Some(oldest) = self.pop() else { break };
            if let Some(Some(lane)) = self.lanes.get_mut(oldest.stream) {
                lane.keyed = false;
            }
        }
    }

    fn is_too_early(&mut self, packet: &Packet, from: i64) -> bool {
        let start = self.start;
        let Some(Some(lane)) = self.lanes.get_mut(packet.stream).filter(|lane| lane.as_ref().is_some_and(|l| !l.begun))
        else {
            return false;
        };
        lane.begun = lane.leads || !lane.is_early(packet, from, start);
        let is_early = !lane.begun;
        if self.lanes.iter().flatten().all(|lane| lane.begun) {
            self.from = None;
        }
        is_early
    }

    /// Lets go of audio that begins before the first keyframe that is held is decoded, but for the packet that holds the
    /// start: an input that goes there at once does not bring it either.
    fn forget(&mut self) {
        let begins = |lane: &Lane| lane.held.front().and_then(|(_, packet)| lane.micros(packet.dts.or(packet.pts)));
        let firsts = self.lanes.iter().flatten().filter(|lane| lane.leads && lane.keyed).filter_map(begins);
        let Some(from) = firsts.min() else { return };
        self.from = Some(from);
        let start = self.start;
        for lane in self.lanes.iter_mut().flatten().filter(|lane| !lane.leads) {
            while let Some((_, packet)) = lane.held.front() {
                if !lane.is_early(packet, from, start) {
                    break;
                }
                self.account.remove(packet);
                self.count -= 1;
                lane.held.pop_front();
            }
        }
    }

    fn reach(&mut self) {
        self.reached = true;
        let leads = |lane: &&Lane| lane.leads && !lane.held.is_empty();
        if self.lanes.iter().flatten().filter(leads).any(|lane| lane.keyed) {
            self.forget();
            self.lanes.iter_mut().flatten().for_each(|lane| lane.begun = !lane.held.is_empty());
            return;
        }
        self.from = None;
        // Nothing that is held before the start can be decoded.
        let start = self.start;
        for lane in self.lanes.iter_mut().flatten() {
            let base = lane.base;
            let kept = |packet: &Packet| {
                let time = packet.pts.or(packet.dts).zip(base);
                time.is_none_or(|(time, base)| base.rescale(time, TimeBase::MICROS, Rounding::Near).0 >= start)
            };
            lane.held.retain(|(_, packet)| kept(packet));
        }
        self.count = self.lanes.iter().flatten().map(|lane| lane.held.len()).sum();
    }

    /// The oldest packet that is held.
    fn pop(&mut self) -> Option<Packet> {
        let lanes = self.lanes.iter_mut().flatten();
        let oldest =
            lanes.filter(|lane| !lane.held.is_empty()).min_by_key(|lane| lane.held.front().map(|held| held.0))?;
        let (_, packet) = oldest.held.pop_front()?;
        self.account.remove(&packet);
        self.count -= 1;
        Some(packet)
    }
}

impl Lane {
    /// Whether a packet begins before `from`, and is over at the start that is wanted.
    fn is_early(&self, packet: &Packet, from: i64, start: i64) -> bool {
        let begin = packet.dts.or(packet.pts);
        let end = begin.zip(packet.duration).map(|(begin, lasts)| begin + lasts);
        let over = self.micros(end).is_none_or(|end| end <= start);
        over && self.micros(begin).is_some_and(|begin| begin < from)
    }

    fn micros(&self, time: Option<Ticks>) -> Option<i64> {
        Some(self.base?.rescale(time?, TimeBase::MICROS, Rounding::Near).0)
    }
}
