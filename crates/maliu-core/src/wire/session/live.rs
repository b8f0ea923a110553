//! The queue of a live sender: bounded in bytes and time; what is late goes in whole groups of pictures.
//!
//! ```text
//!   push ─▶ waiting ── what would arrive in time ─▶ flight ── confirmed ─▶ the viewer
//!              └ dropped ◀─ what would not          │◀────── delay ──────▶│
//! ```

use alloc::{boxed::Box, collections::VecDeque, vec::Vec};
use core::time::Duration;

use bytes::Bytes;

use super::{super::message::Message, flight::Flight};
use crate::{
    account::Account,
    format::Event,
    packet::Packet,
    stream::{Kind, StreamInfo},
    time::{Rounding, TimeBase},
};

/// How late a keyframe may arrive beyond the limit: video would stop for good where each one takes that long.
const KEY_LATE: Duration = Duration::from_millis(250);

/// How much longer than video audio may wait.
const AUDIO_LATE: Duration = Duration::from_millis(500);

/// How much may wait for a slow peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes.
    pub bytes: usize,
    /// From the oldest packet that has not arrived to the newest: how far the viewer may lag. Up to 0.5 s more where a
    /// single frame takes long.
    pub time: Duration,
}

impl Limits {
    /// At most `bytes` bytes, and `time` from the oldest packet that has not arrived to the newest.
    pub fn new(bytes: usize, time: Duration) -> Self {
        Self { bytes, time }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 8 << 20, time: Duration::from_secs(3) }
    }
}

/// Content that waits to be sent, oldest first.
#[derive(Debug)]
pub(super) struct Queue {
    limits: Limits,
    waiting: VecDeque<Entry>,
    account: Account,
    lanes: Vec<Option<Lane>>,
    flight: Flight,
    /// The time of the newest packet, in µs.
    newest: Option<i64>,
    /// The newest packet as it was noticed, and when, and how long ago that is: packets that wait grow older even if none
    /// follows.
    noticed: (Option<i64>, Duration),
    idle: Duration,
    next: u64,
    /// Packets that were dropped, and their bytes.
    pub(super) dropped: (u64, u64),
}

/// Content that waits.
#[derive(Debug)]
struct Entry {
    event: Event,
    /// At which turn of the account it came.
    came: u32,
}

/// One stream.
#[derive(Debug)]
struct Lane {
    info: Box<StreamInfo>,
    /// Pictures are worth nothing before the next key.
    await_key: bool,
    /// A configuration of a packet that was dropped; the next one carries it.
    config: Option<Bytes>,
}

impl Queue {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            waiting: VecDeque::new(),
            account: Account::default(),
            lanes: Vec::new(),
            flight: Flight::default(),
            newest: None,
            noticed: (None, Duration::ZERO),
            idle: Duration::ZERO,
            next: 0,
            dropped: (0, 0),
        }
    }

    pub(super) fn push(&mut self, event: Event) {
        match event {
            Event::Stream(index, info) => self.describe(index, info),
            Event::Packet(packet) => self.packet(packet),
            other => self.keep(other),
        }
    }

    fn describe(&mut self, index: usize, info: Box<StreamInfo>) {
        if self.lanes.len() <= index && index < crate::reader::MAX_STREAMS {
            self.lanes.resize_with(index.saturating_add(1), || None);
        }
        // An older description that still waits says nothing any more.
        self.retain(|event| !matches!(event, Event::Stream(old, _) if *old == index));
        let Some(place) = self.lanes.get_mut(index) else { return };
        match place {
            Some(lane) => lane.info = info.clone(),
            None => {
                let await_key = info.media.kind() == Kind::Video;
                *place = Some(Lane { info: info.clone(), await_key, config: None });
            }
        }
        self.keep(Event::Stream(index, info));
    }

    fn packet(&mut self, mut packet: Packet) {
        self.newest = self.micros(&packet).or(self.newest);
        self.idle = Duration::ZERO;
        let Some(lane) = lane_of(&mut self.lanes, packet.stream) else { return };
        if lane.await_key && !packet.is_key() {
            self.drop_packet(packet);
            return;
        }
        lane.await_key = false;
        if let Some(config) = lane.config.take().filter(|_| packet.side.new_config().is_none()) {
            packet.side.set_new_config(config);
        }
        self.keep(Event::Packet(packet));
        self.trim();
    }

    fn keep(&mut self, event: Event) {
        self.account.add(&event);
        let came = self.account.now();
        self.waiting.push_back(Entry { event, came });
    }

    /// Dropped or sent packets may share buffers with waiting ones, which let go of them once that is much.
    fn turn(&mut self) {
        if !self.account.turn() {
            return;
        }
        for entry in self.waiting.iter_mut().filter(|entry| self.account.is_stale(entry.came)) {
            if let Event::Packet(packet) = &mut entry.event {
                packet.detach();
            }
            // Copied once is enough.
            entry.came = u32::MAX;
        }
    }

    /// Drops pictures, then, if that is not enough, the oldest sound.
    fn trim(&mut self) {
        while self.is_over(Duration::ZERO) {
            let before = self.waiting.len();
            self.drop_pictures();
            if self.waiting.len() == before && self.is_over(AUDIO_LATE) {
                self.drop_oldest();
            }
            if self.waiting.len() == before {
                break;
            }
        }
    }

    fn is_over(&self, late: Duration) -> bool {
        let oldest = self.waiting.iter().find_map(|entry| self.time_of(&entry.event));
        self.account.bytes() > self.limits.bytes || self.behind(oldest) > self.limits.time.saturating_add(late)
    }

    /// From the oldest packet that has not arrived to the newest: how far the viewer lags.
    pub(super) fn delay(&self) -> Duration {
        let waits = || self.waiting.iter().find_map(|entry| self.time_of(&entry.event));
        self.behind(self.flight.oldest().or_else(waits))
    }

    fn behind(&self, time: Option<i64>) -> Duration {
        let span = time.zip(self.newest).map_or(0, |(time, newest)| newest.saturating_sub(time));
        let idle = if time.is_some() { self.idle } else { Duration::ZERO };
        Duration::from_micros(u64::try_from(span).unwrap_or(0)).saturating_add(idle)
    }

    /// Keeps the clock.
    pub(super) fn tick(&mut self, now: Duration) {
        if self.noticed.0 != self.newest {
            self.noticed = (self.newest, now);
        }
        self.idle = now.saturating_sub(self.noticed.1);
    }

    fn time_of(&self, event: &Event) -> Option<i64> {
        match event {
            Event::Packet(packet) => self.micros(packet),
            _ => None,
        }
    }

    /// Drops pictures in front that would arrive too late.
    fn drop_late(&mut self) {
        while let Some(Entry { event: Event::Packet(packet), .. }) = self.waiting.front() {
            let lane = self.lanes.get(packet.stream).and_then(Option::as_ref);
            if lane.is_none_or(|lane| lane.info.media.kind() != Kind::Video) {
                return;
            }
            let arrives =
                self.behind(self.micros(packet)).saturating_add(self.flight.arrival(packet.data.len() as u64));
            let late = if packet.is_key() { KEY_LATE } else { Duration::ZERO };
            if arrives <= self.limits.time.saturating_add(late) {
                return;
            }
            self.drop_pictures();
        }
    }

    /// Of every stream of pictures: what stands before its newest key, or all of it when no key waits.
    fn drop_pictures(&mut self) {
        for index in 0..self.lanes.len() {
            if !lane_of(&mut self.lanes, index).is_some_and(|lane| lane.info.media.kind() == Kind::Video) {
                continue;
            }
            let of_lane = |event: &Event| matches!(event, Event::Packet(packet) if packet.stream == index);
            let is_key = |event: &Event| matches!(event, Event::Packet(packet) if packet.is_key());
            let key = self.waiting.iter().rposition(|entry| of_lane(&entry.event) && is_key(&entry.event));
            let first = self.waiting.iter().position(|entry| of_lane(&entry.event));
            // A key that is already the oldest stays only if dropping before it made room.
            let until = match (key, first) {
                (Some(key), Some(first)) if key > first => key,
                _ => usize::MAX,
            };
            if until == usize::MAX
                && let Some(lane) = lane_of(&mut self.lanes, index)
            {
                lane.await_key = true;
            }
            self.drop_packets(|at, event| at < until && of_lane(event));
        }
    }

    fn drop_oldest(&mut self) {
        let oldest = self.waiting.iter().position(|entry| matches!(entry.event, Event::Packet(_)));
        let Some(Entry { event, .. }) = oldest.and_then(|at| self.waiting.remove(at)) else { return };
        self.account.remove(&event);
        if let Event::Packet(packet) = event {
            self.drop_packet(packet);
        }
        self.turn();
    }

    fn drop_packets(&mut self, which: impl Fn(usize, &Event) -> bool) {
        let waiting = core::mem::take(&mut self.waiting);
        for (at, entry) in waiting.into_iter().enumerate() {
            if !which(at, &entry.event) {
                self.waiting.push_back(entry);
                continue;
            }
            self.account.remove(&entry.event);
            if let Event::Packet(packet) = entry.event {
                self.drop_packet(packet);
            }
        }
        self.turn();
    }

    fn drop_packet(&mut self, packet: Packet) {
        self.account.pass(packet.data.len());
        let (count, bytes) = self.dropped;
        self.dropped = (count.saturating_add(1), bytes.saturating_add(packet.data.len() as u64));
        if let (Some(config), Some(lane)) = (packet.side.new_config(), lane_of(&mut self.lanes, packet.stream)) {
            // It outlives the buffer that it was read into.
            lane.config = Some(Bytes::copy_from_slice(config));
        }
    }

    fn retain(&mut self, keep: impl Fn(&Event) -> bool) {
        let Self { waiting, account, .. } = self;
        waiting.retain(|entry| {
            let kept = keep(&entry.event);
            if !kept {
                account.remove(&entry.event);
            }
            kept
        });
    }

    /// A connection begins: it gets all descriptions again, and pictures from the next key on.
    pub(super) fn resume(&mut self) {
        self.flight.clear();
        self.retain(|event| !matches!(event, Event::Stream(..)));
        let waiting = core::mem::take(&mut self.waiting);
        self.account.clear();
        for index in 0..self.lanes.len() {
            if let Some(lane) = lane_of(&mut self.lanes, index) {
                lane.await_key = lane.info.media.kind() == Kind::Video;
                let info = lane.info.clone();
                self.keep(Event::Stream(index, info));
            }
        }
        waiting.into_iter().for_each(|entry| self.push(entry.event));
    }

    /// Appends the next message to send, but for the data of a packet, which is to follow. `None` also while enough is
    /// under way.
    pub(super) fn send(&mut self, out: &mut Vec<u8>, now: Duration) -> Option<Bytes> {
        if self.flight.is_full() {
            return None;
        }
        self.tick(now);
        self.drop_late();
        let Entry { event, .. } = self.waiting.pop_front()?;
        let time = self.time_of(&event);
        self.account.remove(&event);
        self.turn();
        let before = out.len();
        let data = Message::Content(event).encode_into(self.next, out);
        let bytes = out.len().saturating_sub(before).saturating_add(data.len());
        self.flight.send(self.next, bytes as u64, time, self.waiting.is_empty(), now);
        self.next = self.next.saturating_add(1);
        Some(data)
    }

    /// The number of a ping that is to follow what was sent.
    pub(super) fn probe(&mut self) -> Option<u64> {
        self.flight.probe(self.next)
    }

    /// A ping was answered: everything before it has arrived.
    pub(super) fn answered(&mut self, ping: u64, now: Duration) {
        if let Some(next) = self.flight.answered(ping) {
            self.flight.confirm(next, now);
        }
    }

    /// Everything before this message has arrived.
    pub(super) fn confirm(&mut self, next: u64, now: Duration) {
        self.flight.confirm(next, now);
    }

    /// The number of the next message sent.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// Messages and bytes that wait.
    pub(super) fn waiting(&self) -> (usize, usize) {
        (self.waiting.len(), self.account.bytes())
    }

    fn micros(&self, packet: &Packet) -> Option<i64> {
        let base = self.lanes.get(packet.stream)?.as_ref()?.info.time_base;
        Some(base.rescale(packet.dts.or(packet.pts)?, TimeBase::MICROS, Rounding::Near).0)
    }
}

fn lane_of(lanes: &mut [Option<Lane>], index: usize) -> Option<&mut Lane> {
    lanes.get_mut(index)?.as_mut()
}
