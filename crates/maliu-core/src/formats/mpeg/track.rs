//! One elementary stream: payloads of PES packets in, packets with times out.
//!
//! ```text
//!   PES:    │pts, dts ──── │pts ───────── │ ───────        marks
//!   stream: │frame frame frame frame │ frame …             a mark belongs to the first frame that begins behind it
//! ```

use alloc::{boxed::Box, collections::VecDeque, format};

use bytes::Bytes;

pub(super) use super::remarks::Remarks;
use super::{
    cutters::{self, Cut, Cutter, Facts, Order, Unit},
    kinds::{self, BASE},
};
use crate::{
    format::Event,
    input::{Input, Warning},
    packet::{Flags, Packet, Trim},
    stream::{Codec, Kind, StreamInfo},
    time::{Rounding, Ticks, TimeBase},
};

/// Most marks that wait for their frame; older ones are dropped.
const MAX_MARKS: usize = 4096;

/// Payloads of a PES packet that are looked at as they come, though units end with their PES packets.
const FRESH: u8 = 4;

/// Bytes of a unit up to which it is not looked at before its PES packet ends.
const MAX_QUIET: usize = 1 << 20;

/// Bytes of a PES packet from which on its length is taken for the limit of the field, not for the end of a unit.
const FULL: usize = 65_000;

/// The start of a PES packet.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mark {
    /// When its first frame is shown and decoded.
    pub pts: Option<Ticks>,
    pub dts: Option<Ticks>,
    /// Offset of the packet in the input.
    pub position: u64,
    /// Decoding can start here, as the container says.
    pub key: bool,
    /// Bytes of its payload, when that is known.
    pub payload: Option<usize>,
    /// Clock of its arrival, of packets that keep it.
    pub arrival: Option<[u8; 4]>,
}

/// An elementary stream on its way to packets.
pub(super) struct Track {
    /// Index of the stream; `None` until its codec is known.
    pub index: Option<usize>,
    /// Facts that the container declares of it, then its own.
    pub info: StreamInfo,
    input: Input,
    cutter: Option<Box<dyn Cutter>>,
    /// Marks with their offsets in the elementary stream.
    marks: VecDeque<(u64, Mark)>,
    /// Damaged stretches; a gap has no bytes.
    damage: VecDeque<(u64, u64)>,
    /// A PES packet is under way; bytes of it that are still to come, if that is known.
    open: bool,
    left: Option<usize>,
    /// Whether units end where PES packets end; `None` until it has shown.
    aligned: Option<bool>,
    /// Payloads of the PES packet under way in which the unit before may still end.
    fresh: u8,
    clock: Clock,
    /// Where the last unit began.
    last_start: Option<u64>,
    /// The stream was announced with what its units say.
    described: bool,
}

/// When the next frame without a time of its own is due.
#[derive(Clone, Copy, Debug, Default)]
struct Clock {
    anchor: Option<Ticks>,
    counted: u64,
    rate: u32,
    /// The last decoding time of video.
    last_dts: Option<Ticks>,
    /// When the first picture of the group is shown, and the last one so far.
    group: Option<Ticks>,
    shown: Option<Ticks>,
}

impl Track {
    /// A stream of which the codec is not known: its bytes are held.
    pub(super) fn unknown() -> Self {
        Self {
            index: None,
            info: StreamInfo::undescribed(),
            input: Input::new(),
            cutter: None,
            marks: VecDeque::new(),
            damage: VecDeque::new(),
            open: false,
            left: None,
            aligned: None,
            fresh: 0,
            clock: Clock::default(),
            last_start: None,
            described: false,
        }
    }

    /// Its codec is this, from the bytes that are held on.
    pub(super) fn decide(&mut self, index: usize, codec: Codec, config: &Bytes) {
        self.index = Some(index);
        let container = core::mem::replace(&mut self.info, kinds::info(codec));
        let StreamInfo { id, language, disposition, metadata, .. } = container;
        self.info = StreamInfo { id, language, disposition, metadata, config: config.clone(), ..self.info.clone() };
        self.cutter = Some(cutters::of(codec, config));
    }

    /// Bytes held while the codec was not known are cut.
    pub(super) fn release(&mut self, out: &mut VecDeque<Event>, remarks: &mut Remarks) {
        if self.cutter.as_ref().is_some_and(|cutter| cutter.spans_packets()) {
            return self.poll(out, remarks);
        }
        // Units are PES packets: they are fed one by one.
        let first = self.input.offset();
        let held = self.input.take(self.input.peek().len()).unwrap_or_default();
        let (open, left) = (self.open, self.left);
        let marks = core::mem::take(&mut self.marks);
        self.input = Input::new();
        self.damage.clear();
        self.open = false;
        for (n, (at, mark)) in marks.iter().enumerate() {
            let end = marks
                .get(n + 1)
                .map_or(usize::MAX, |(next, _)| usize::try_from(next.saturating_sub(first)).unwrap_or(0));
            let from = usize::try_from(at.saturating_sub(first)).unwrap_or(0).min(held.len());
            self.begin(Mark { payload: None, ..*mark }, out, remarks);
            self.push(held.get(from..end.min(held.len())).unwrap_or_default(), false, out, remarks);
        }
        self.left = left;
        if !open {
            self.close(out, remarks);
        }
    }

    /// No bytes may come for long: lets go of a window of which little is unread, and of room for marks.
    pub(super) fn rest(&mut self) {
        self.input.rest();
        if self.marks.is_empty() && self.marks.capacity() > 0 {
            self.marks = VecDeque::new();
        }
    }

    /// Bytes that are held, of units under way or until the codec is known.
    pub(super) fn held(&self) -> &[u8] {
        self.input.peek()
    }

    /// Whether a PES packet is under way.
    pub(super) fn is_open(&self) -> bool {
        self.open
    }

    /// A PES packet begins. The rest of the one before is cut first.
    pub(super) fn begin(&mut self, mark: Mark, out: &mut VecDeque<Event>, remarks: &mut Remarks) {
        self.close(out, remarks);
        let at = self.input.next_read();
        if self.marks.back().is_some_and(|(last, _)| *last == at) {
            self.marks.pop_back();
        }
        if self.marks.len() >= MAX_MARKS {
            self.marks.pop_front();
        }
        self.marks.push_back((at, mark));
        (self.open, self.left, self.fresh) = (true, mark.payload, FRESH);
        if self.left == Some(0) {
            self.complete(out, remarks);
        }
    }

    /// Payload of the PES packet under way. `damaged`: its bytes cannot be trusted.
    pub(super) fn push(&mut self, payload: &[u8], damaged: bool, out: &mut VecDeque<Event>, remarks: &mut Remarks) {
        if payload.is_empty() {
            return;
        }
        let from = self.input.next_read();
        self.input.push(payload);
        if damaged {
            self.note_damage(from, from.saturating_add(payload.len() as u64));
        }
        if let Some(left) = self.left {
            self.left = Some(left.saturating_sub(payload.len()));
            if left <= payload.len() && self.open {
                self.complete(out, remarks);
                return;
            }
        }
        // Where units end with their PES packets, no unit ends in the middle of one.
        let small = self.input.peek().len() < MAX_QUIET;
        if self.aligned == Some(true) && self.open && self.fresh == 0 && small {
            return;
        }
        self.fresh = self.fresh.saturating_sub(1);
        self.poll(out, remarks);
    }

    /// Bytes were lost here.
    pub(super) fn lost(&mut self) {
        let at = self.input.next_read();
        self.note_damage(at, at);
    }

    /// Nothing follows: what is under way comes out.
    pub(super) fn end(&mut self, out: &mut VecDeque<Event>, remarks: &mut Remarks) {
        self.close(out, remarks);
        self.input.end();
        self.poll(out, remarks);
    }

    /// The input was moved: nothing that was fed belongs to what follows.
    pub(super) fn restart(&mut self) {
        self.input = Input::new();
        self.marks.clear();
        self.damage.clear();
        (self.open, self.left, self.last_start) = (false, None, None);
        self.clock = Clock::default();
        if let Some(cutter) = &mut self.cutter {
            cutter.restart();
        }
    }

    /// Drops what is held.
    pub(super) fn drop_held(&mut self) {
        self.input.skip(usize::MAX);
        self.lost();
        if let Some(cutter) = &mut self.cutter {
            cutter.restart();
        }
    }

    /// Cuts units until more bytes decide.
    pub(super) fn poll(&mut self, out: &mut VecDeque<Event>, remarks: &mut Remarks) {
        while let Some(cutter) = &mut self.cutter {
            let cut = cutter.poll(&mut self.input);
            self.forward(remarks);
            match cut {
                Ok(Cut::Unit(unit)) => self.emit(unit, out),
                Ok(Cut::NeedBytes | Cut::End) => return,
                Err(_) => {
                    remarks.note(self.position(self.input.offset()), "unit without an end dropped");
                    self.drop_held();
                }
            }
        }
    }

    /// The PES packet under way has all its bytes.
    fn complete(&mut self, out: &mut VecDeque<Event>, remarks: &mut Remarks) {
        (self.open, self.left) = (false, None);
        self.poll(out, remarks);
        let full = self.marks.back().and_then(|(_, mark)| mark.payload).is_some_and(|payload| payload >= FULL);
        let sure = self.aligned == Some(true) && !full;
        if let Some(cutter) = &mut self.cutter {
            cutter.pes_ends(&mut self.input, sure);
        }
        self.poll(out, remarks);
    }

    /// The PES packet under way, if there is one, ends without having said so.
    fn close(&mut self, out: &mut VecDeque<Event>, remarks: &mut Remarks) {
        if !core::mem::take(&mut self.open) {
            return;
        }
        if self.left.take().is_some() {
            self.lost();
        }
        if let Some(cutter) = &mut self.cutter {
            cutter.pes_ends(&mut self.input, false);
        }
        self.poll(out, remarks);
    }

    fn emit(&mut self, mut unit: Unit, out: &mut VecDeque<Event>) {
        let Some(index) = self.index else { return };
        let facts = unit.facts.take();
        let new_config = facts.as_ref().filter(|facts| unit.replaces && !facts.config.is_empty());
        let new_config = new_config.map(|facts| facts.config.clone());
        if let Some(facts) = facts {
            self.describe(*facts, index, out);
        }
        let (own, stamps) = self.stamp(&unit);
        let mut flags = Flags::key(unit.key || own.is_some_and(|mark| mark.key && self.is_whole_video()));
        if self.damaged(unit.at, unit.end) {
            flags |= Flags::CORRUPT;
        }
        let mut packet = Packet {
            stream: index,
            pts: stamps.pts,
            dts: stamps.dts,
            duration: stamps.duration,
            flags,
            position: own.map(|mark| mark.position),
            data: unit.data,
            ..Packet::default()
        };
        if let Some(config) = new_config {
            packet.side.set_new_config(config);
        }
        packet.side.set_trim(Trim { start: unit.trim.0, end: unit.trim.1 });
        if let Some(arrival) = own.and_then(|mark| mark.arrival) {
            // One entry: far below the limit.
            let _ = packet.side.add_opaque(SIDE_ARRIVAL, Bytes::copy_from_slice(&arrival));
        }
        out.push_back(Event::Packet(packet));
    }

    /// Video whose units are not looked into.
    fn is_whole_video(&self) -> bool {
        self.info.media.kind() == Kind::Video && self.cutter.as_ref().is_some_and(|cutter| !cutter.spans_packets())
    }

    fn describe(&mut self, facts: Facts, index: usize, out: &mut VecDeque<Event>) {
        let Facts { codec, media, config, profile } = facts;
        self.info = StreamInfo { codec, media, config, profile, ..self.info.clone() };
        self.described = true;
        out.push_back(Event::Stream(index, Box::new(self.info.clone())));
    }

    /// The PES packet in which the unit is the first to begin, and the unit's times.
    fn stamp(&mut self, unit: &Unit) -> (Option<Mark>, Stamps) {
        let fresh = |at: u64| self.last_start.is_none_or(|last| at > last);
        let found = self.marks.iter().rev().find(|(at, _)| *at <= unit.at);
        let own = found.filter(|(at, _)| fresh(*at)).map(|(_, mark)| *mark);
        self.learn(unit);
        self.last_start = Some(unit.at);
        while self.marks.get(1).is_some_and(|(at, _)| *at <= unit.at) {
            self.marks.pop_front();
        }
        let times = own.and_then(|mark| Some((mark.pts?, mark.dts.or(mark.pts)?)));
        let kind = self.info.media.kind();
        let still = self.info.as_video().is_some_and(|video| video.reorder == 0 && self.described);
        let immediate = unit.immediate || still;
        let video = Shown { frame: self.frame(), immediate, order: unit.order };
        (own, self.clock.stamp(times, unit.samples, kind, video))
    }

    /// Whether units end where PES packets end.
    fn learn(&mut self, unit: &Unit) {
        for (at, _) in &self.marks {
            if *at > unit.at && *at < unit.end {
                self.aligned = Some(false);
            } else if *at == unit.end && self.aligned.is_none() {
                self.aligned = Some(true);
            }
        }
    }

    /// Ticks of a video frame, when its rate is known.
    fn frame(&self) -> Ticks {
        let rate = self.info.as_video().and_then(|video| video.frame_rate);
        let base = rate.and_then(|(num, den)| TimeBase::new(den, num));
        base.map_or(Ticks(0), |frames| frames.rescale(Ticks(1), BASE, Rounding::Near))
    }

    fn note_damage(&mut self, from: u64, to: u64) {
        if self.damage.len() >= MAX_MARKS {
            self.damage.pop_front();
        }
        self.damage.push_back((from, to));
    }

    fn damaged(&mut self, from: u64, to: u64) -> bool {
        let hits = |&(start, end): &(u64, u64)| match start == end {
            true => from < start && start <= to,
            false => from < end && to > start,
        };
        let damaged = self.damage.iter().any(hits);
        while self.damage.front().is_some_and(|(_, end)| *end <= to) {
            self.damage.pop_front();
        }
        damaged
    }

    /// Offset in the input of the PES packet that holds this place of the elementary stream.
    fn position(&self, at: u64) -> u64 {
        let holds = self.marks.iter().rev().find(|(mark, _)| *mark <= at).or(self.marks.front());
        holds.map_or(0, |(_, mark)| mark.position)
    }

    fn forward(&mut self, remarks: &mut Remarks) {
        if self.input.is_quiet() {
            return;
        }
        let (warnings, _) = self.input.take_warnings();
        for warning in warnings {
            let what = format!("stream {}: {}", self.index.unwrap_or(0), warning.what).into();
            remarks.push(Warning { at: self.position(warning.at), stream: self.index, what, ..warning });
        }
    }
}

/// Kind of the side data entry with the arrival clock of a packet of 192 bytes: 4 bytes, the low 30 bits count 27 MHz.
pub const SIDE_ARRIVAL: u32 = u32::from_be_bytes(*b"arrv");

/// Facts of when a video unit is shown.
struct Shown {
    /// Ticks of a frame; 0 when unknown.
    frame: Ticks,
    /// It is shown when it is decoded.
    immediate: bool,
    order: Option<Order>,
}

struct Stamps {
    pts: Option<Ticks>,
    dts: Option<Ticks>,
    duration: Option<Ticks>,
}

impl Clock {
    fn stamp(&mut self, times: Option<(Ticks, Ticks)>, samples: (u32, u32), kind: Kind, shown: Shown) -> Stamps {
        match (kind, samples) {
            (Kind::Video, _) => self.video(times, shown),
            (_, (samples, rate)) if samples > 0 && rate > 0 => self.audio(times.map(|(pts, _)| pts), samples, rate),
            _ => Stamps { pts: times.map(|(pts, _)| pts), dts: times.map(|(_, dts)| dts), duration: None },
        }
    }

    fn video(&mut self, times: Option<(Ticks, Ticks)>, Shown { frame, immediate, order }: Shown) -> Stamps {
        let counted = self.last_dts.filter(|_| frame.0 > 0).map(|last| last + frame);
        let dts = times.map(|(_, dts)| dts).or(counted);
        self.last_dts = dts.or(self.last_dts);
        let pts = times.map(|(pts, _)| pts).or(dts.filter(|_| immediate));
        let pts = order.map_or(pts, |order| self.ordered(pts, order, frame));
        Stamps { pts, dts, duration: Some(frame).filter(|frame| frame.0 > 0) }
    }

    /// The time of a picture by its place in its group, where it has none of its own.
    fn ordered(&mut self, pts: Option<Ticks>, order: Order, frame: Ticks) -> Option<Ticks> {
        let offset = Ticks(frame.0.saturating_mul(order.number.into()));
        if order.restarts {
            self.group = self.shown.map(|last| last + frame);
        }
        match pts {
            Some(pts) => self.group = Some(pts - offset),
            None if frame.0 == 0 => return None,
            None => {}
        }
        let time = pts.or_else(|| self.group.map(|group| group + offset));
        self.shown = time.max(self.shown.filter(|_| !order.restarts));
        time
    }

    fn audio(&mut self, time: Option<Ticks>, samples: u32, rate: u32) -> Stamps {
        if time.is_some() || rate != self.rate {
            self.anchor = time.or_else(|| self.now());
            (self.counted, self.rate) = (0, rate);
        }
        let now = self.now();
        let base = TimeBase::hz(rate);
        let duration = base.rescale(Ticks(samples.into()), BASE, Rounding::Down);
        self.counted = self.counted.saturating_add(samples.into());
        Stamps { pts: now, dts: now, duration: Some(duration) }
    }

    fn now(&self) -> Option<Ticks> {
        let counted = Ticks(i64::try_from(self.counted).unwrap_or(i64::MAX));
        self.anchor.map(|anchor| anchor + TimeBase::hz(self.rate).rescale(counted, BASE, Rounding::Near))
    }
}
