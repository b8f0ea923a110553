//! Transport packets → events.

use alloc::{boxed::Box, collections::VecDeque, format, string::String, vec::Vec};
use core::task::Poll;

use bytes::Bytes;

use super::{
    super::{
        search::{Bisect, Landing, Seeks},
        track::{Mark, Remarks, Track},
    },
    audit::Audit,
    packet::{self, SIZE, SYNC, TsPacket},
    pids::Pids,
    programs::{Programs, Wanted},
    slots::{PesState, Place, Role, Slot},
    sync::{self, REACH},
};
use crate::{
    error::{Error, Result},
    format::{Demuxer, Event},
    input::Input,
    packet::{Flags, Packet},
    remark::Remark,
    syntax::{
        pes::{self, Parsed},
        psi::{Multiplex, Pmt},
    },
    time::{Ticks, TimeBase},
};

mod seek;

/// Bytes of input after which streams are found by their content, if maps that are announced have not come.
const PATIENCE: u64 = 256 << 10;

/// Most elementary streams that are followed.
pub(super) const MAX_TRACKS: usize = 256;

/// Most bytes of a stream that are held until its codec is known.
const MAX_HELD: usize = 256 << 10;

/// Most bytes of units under way, of all streams together.
const MAX_PENDING: usize = 64 << 20;

/// Reads a transport stream.
pub(super) struct Transport {
    pub(super) wanted: Wanted,
    /// Facts of the whole, when they are wanted.
    audit: Option<Box<Audit>>,
    pub(super) step: usize,
    /// The arrival clock in front of the packet that is due.
    pub(super) arrival: Option<[u8; 4]>,
    pub(super) state: State,
    pub(super) by_pid: Pids,
    pub(super) slots: Vec<Slot>,
    pub(super) tracks: Vec<Track>,
    /// Streams that were announced.
    pub(super) streams: usize,
    pub(super) programs: Programs,
    pub(super) queue: VecDeque<Event>,
    pub(super) remarks: Remarks,
    /// Bytes of packets read.
    pub(super) read: u64,
    /// Streams without a map are found by their content.
    pub(super) guesses: bool,
    /// A packet has been read.
    pub(super) begun: bool,
    pub(super) flushed: bool,
    /// Offset of the first packet, and the first time in it.
    pub(super) first: Option<u64>,
    pub(super) first_time: Option<Ticks>,
    /// A seek has found its place but no keyframe yet.
    pub(super) landing: Option<Landing>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum State {
    /// Looking for packets; bytes passed over so far.
    Search { skipped: u64 },
    /// A packet is due.
    Packets,
    /// Looking for a time.
    Bisect(Bisect),
}

impl Transport {
    pub(super) fn new(wanted: Wanted, audit: bool) -> Self {
        let mut transport = Self {
            wanted,
            audit: audit.then(|| Box::new(Audit::new())),
            step: SIZE,
            arrival: None,
            state: State::Search { skipped: 0 },
            by_pid: Pids::default(),
            slots: Vec::new(),
            tracks: Vec::new(),
            streams: 0,
            programs: Programs::default(),
            queue: VecDeque::new(),
            remarks: Remarks::default(),
            read: 0,
            guesses: false,
            begun: false,
            flushed: false,
            first: None,
            first_time: None,
            landing: None,
        };
        transport.slot(0, Role::Association);
        transport
    }

    /// Whether breaches are counted instead of remarked on.
    pub(super) fn audits(&self) -> bool {
        self.audit.is_some()
    }

    /// The slot of a PID, made for `role` if there is none.
    pub(super) fn slot(&mut self, pid: u16, role: Role) -> usize {
        if let Some(index) = self.by_pid.slot(pid) {
            return index;
        }
        let index = self.slots.len();
        self.slots.push(Slot::new(pid, role));
        self.by_pid.set(pid, index);
        index
    }

    /// Reads packets until there is an event, or until more bytes are needed. Whether the input is used up.
    fn packets(&mut self, input: &mut Input) -> bool {
        let ended = input.ended();
        let offset = input.offset();
        let mut at = 0;
        let window = input.peek();
        let dry = loop {
            if !self.queue.is_empty() {
                break false;
            }
            let Some(bytes) = window.get(at..).and_then(|rest| rest.first_chunk::<SIZE>()) else { break true };
            if window.len() < at + self.step && !ended {
                break true;
            }
            if bytes.first() != Some(&SYNC) {
                self.state = State::Search { skipped: 0 };
                break false;
            }
            let place = Place { position: offset.saturating_add(at as u64), arrival: self.arrival };
            self.packet(&TsPacket::parse(bytes), place);
            at = (at + self.step).min(window.len());
            self.arrival = self.arrival_before(window, at);
        };
        input.skip(at);
        dry
    }

    /// The arrival clock in front of a packet of 192 bytes that begins at `at`.
    fn arrival_before(&self, window: &[u8], at: usize) -> Option<[u8; 4]> {
        if self.step != sync::STEPS[1] {
            return None;
        }
        window.get(at.checked_sub(4)?..at)?.first_chunk().copied()
    }

    /// Looks for packets. Whether more bytes are needed.
    fn search(&mut self, skipped: u64, input: &mut Input) -> bool {
        let (window, ended) = (input.peek(), input.ended());
        // The prefix to look at grows by fixed steps, so that every split of the input finds the same.
        let mut length = REACH;
        loop {
            let whole = ended && length >= window.len();
            let Some(head) = window.get(..if whole { window.len() } else { length }) else { return true };
            if let Some(row) = sync::find(head, whole) {
                self.found(row, skipped, input);
                return false;
            }
            if whole {
                return true;
            }
            if length >= 64 * REACH {
                let passed = input.skip(length - REACH) as u64;
                self.state = State::Search { skipped: skipped.saturating_add(passed) };
                return false;
            }
            length *= 2;
        }
    }

    fn found(&mut self, row: sync::Row, skipped: u64, input: &mut Input) {
        let at = input.offset().saturating_sub(skipped);
        self.step = row.step;
        self.arrival = self.arrival_before(input.peek(), row.start);
        input.skip(row.start);
        let skipped = skipped.saturating_add(row.start as u64);
        self.first.get_or_insert(input.offset());
        let lead = u64::from(!self.begun && row.step == sync::STEPS[1]) * 4;
        match &mut self.audit {
            Some(audit) if self.begun => audit.skipped(skipped, row.step, at),
            _ if skipped > lead => {
                let kind = Remark::Junk { bytes: Some(skipped) };
                self.remarks.note_kind(at, kind, format!("skipped {skipped} bytes that are not transport packets"));
            }
            _ => {}
        }
        self.state = State::Packets;
    }

    fn packet(&mut self, ts: &TsPacket, place: Place) {
        self.begun = true;
        if let Some(audit) = &mut self.audit {
            audit.packet(ts, place.position);
        }
        self.read = self.read.saturating_add(SIZE as u64);
        if self.read > PATIENCE && !self.guesses && !self.programs.complete() {
            self.guess_all();
        }
        if ts.pid == packet::NULL || !ts.valid {
            return;
        }
        if let Some(pcr) = ts.pcr.filter(|_| !ts.error) {
            self.programs.reference(ts.pid, pcr);
        }
        if !ts.has_payload {
            return;
        }
        let index = match self.by_pid.slot(ts.pid) {
            Some(index) => index,
            None => match self.meet(ts) {
                Some(index) => index,
                None => return,
            },
        };
        let Some(slot) = self.slots.get_mut(index) else { return };
        let Some(gap) = slot.follow(ts) else { return };
        match slot.role {
            Role::Ignored => {}
            Role::Association | Role::Map | Role::SectionStream(_) => self.sections(index, ts, gap, place),
            Role::Stream(track) => self.stream(index, track, ts, gap, place),
        }
    }

    /// A PID that nothing has named: PES packets are held while a map may come, sections are looked into.
    fn meet(&mut self, ts: &TsPacket) -> Option<usize> {
        if !ts.start || self.tracks.len() >= MAX_TRACKS || self.programs.complete() {
            return None;
        }
        if ts.payload.starts_with(&[0, 0, 1]) {
            let track = self.tracks.len();
            self.tracks.reserve_exact(1);
            self.tracks.push(Track::unknown());
            return Some(self.slot(ts.pid, Role::Stream(track)));
        }
        // A map whose association was not seen.
        let pointer = usize::from(*ts.payload.first()?);
        let is_map = ts.payload.get(pointer + 1) == Some(&Pmt::TABLE);
        (is_map && self.slots.len() < 2 * MAX_TRACKS).then(|| self.slot(ts.pid, Role::Map))
    }

    fn sections(&mut self, index: usize, ts: &TsPacket, gap: bool, place: Place) {
        let Some(slot) = self.slots.get_mut(index) else { return };
        if gap {
            slot.sections.lost();
        }
        if ts.error || ts.scrambled {
            slot.sections.lost();
            return;
        }
        let (mut sections, role, pid) = (core::mem::take(&mut slot.sections), slot.role, slot.pid);
        sections.payload(ts.payload, ts.start, |section| match role {
            Role::SectionStream(track) => self.section_packet(index, track, section, place),
            _ => self.table(role, pid, section, place),
        });
        if let Some(slot) = self.slots.get_mut(index) {
            slot.sections = sections;
        }
    }

    /// A section that is a packet of its own, at the time of its program's clock.
    fn section_packet(&mut self, index: usize, track: usize, section: &[u8], place: Place) {
        let program = self.slots.get(index).and_then(|slot| slot.program);
        let time = program.and_then(|program| self.programs.now(program));
        let Some(stream) = self.tracks.get(track).and_then(|track| track.index) else { return };
        self.queue.push_back(Event::Packet(Packet {
            stream,
            pts: time,
            dts: time,
            flags: Flags::KEY,
            position: Some(place.position),
            data: Bytes::copy_from_slice(section),
            ..Packet::default()
        }));
    }

    fn stream(&mut self, index: usize, track: usize, ts: &TsPacket, gap: bool, place: Place) {
        let (Some(slot), Some(known)) = (self.slots.get_mut(index), self.tracks.get_mut(track)) else { return };
        if gap {
            known.lost();
            if self.audit.is_none() {
                let what = format!("packets of PID {:#x} are missing before this one", slot.pid);
                self.remarks.note(place.position, what);
            }
        }
        let mut payload = ts.payload;
        if ts.start {
            slot.pes.start(ts, place);
        }
        if slot.pes.state == PesState::Header {
            let Some(rest) = self.head(index, track, payload) else { return };
            payload = rest;
        }
        let (Some(slot), Some(known)) = (self.slots.get(index), self.tracks.get_mut(track)) else { return };
        if slot.pes.state != PesState::Body {
            return;
        }
        known.push(payload, ts.error || ts.scrambled, &mut self.queue, &mut self.remarks);
        let held = known.held().len();
        if known.index.is_none() {
            if held > MAX_HELD {
                known.drop_held();
            }
            if (self.guesses || slot.fallback.is_some()) && held > 0 {
                let stream_id = slot.pes.stream_id;
                self.guess(index, track, stream_id);
            }
        } else if held > MAX_PENDING / 64 {
            self.bound();
        }
    }

    /// Adds to the header of a PES packet; the payload behind it, once it is whole.
    fn head<'a>(&mut self, index: usize, track: usize, payload: &'a [u8]) -> Option<&'a [u8]> {
        let (slot, known) = (self.slots.get_mut(index)?, self.tracks.get_mut(track)?);
        let before = slot.pes.head.len();
        slot.pes.head.extend_from_slice(payload);
        let header = match pes::parse(&slot.pes.head) {
            Parsed::Header(header) => header,
            Parsed::More => return None,
            Parsed::None => {
                slot.pes.state = PesState::None;
                return None;
            }
        };
        slot.pes.stream_id = header.stream_id;
        if header.stream_id == pes::PADDING {
            slot.pes.state = PesState::None;
            return None;
        }
        slot.pes.state = PesState::Body;
        let program = slot.program;
        let mut line = |raw: u64| self.programs.time(program, raw);
        let dts = header.dts.map(&mut line);
        let pts = header.pts.map(&mut line);
        self.first_time = self.first_time.or(dts).or(pts);
        let mark = Mark {
            pts,
            dts: dts.or(pts),
            position: slot.pes.position,
            key: slot.pes.key,
            payload: header.payload,
            arrival: slot.pes.arrival,
        };
        known.begin(mark, &mut self.queue, &mut self.remarks);
        Some(payload.get(header.size.saturating_sub(before)..).unwrap_or_default())
    }

    /// Drops the unit under way of the stream that holds most, if all hold too much.
    fn bound(&mut self) {
        let all = self.tracks.iter().map(|track| track.held().len()).fold(0, usize::saturating_add);
        if all > MAX_PENDING
            && let Some(track) = self.tracks.iter_mut().max_by_key(|track| track.held().len())
        {
            track.drop_held();
        }
    }

    /// Refuses a program that the stream does not have.
    fn wanted_is_there(&self) -> Result<()> {
        let Wanted::Number(number) = self.wanted else { return Ok(()) };
        if self.programs.numbers().any(|known| known == number) {
            return Ok(());
        }
        let known: Vec<String> = self.programs.numbers().map(|number| format!("{number}")).collect();
        let why = match known.as_slice() {
            [] => "the stream names no program".into(),
            known => format!("the stream has no program {number}, only {}", known.join(", ")),
        };
        Err(Error::Setting { name: "program".into(), why })
    }

    fn flush(&mut self, input: &mut Input) {
        let rest = input.peek().len();
        if rest > 0 && self.begun {
            let at = input.offset();
            let junk = self.state != State::Packets;
            let (what, kind) = match junk {
                true => ("bytes that are not transport packets", Remark::Junk { bytes: Some(rest as u64) }),
                false => {
                    ("bytes of a packet cut short", Remark::Cut { missing: SIZE.checked_sub(rest).map(|n| n as u64) })
                }
            };
            self.remarks.note_kind(at, kind, format!("left out {rest} {what} at the end"));
        }
        input.skip(usize::MAX);
        self.guess_all();
        for track in &mut self.tracks {
            track.end(&mut self.queue, &mut self.remarks);
        }
    }
}

impl Demuxer for Transport {
    fn poll(&mut self, input: &mut Input) -> Result<Poll<Event>> {
        loop {
            if let Some(event) = self.queue.pop_front() {
                self.remarks.flush(input);
                if !self.passes(&event, input)? {
                    continue;
                }
                return Ok(Poll::Ready(event));
            }
            let dry = match self.state {
                State::Bisect(search) => self.halve(search, input)?,
                State::Search { skipped } => self.search(skipped, input),
                State::Packets => self.packets(input),
            };
            self.remarks.flush(input);
            if !dry || !self.queue.is_empty() {
                continue;
            }
            if !input.ended() {
                self.flushed = false;
                self.tracks.iter_mut().for_each(Track::rest);
                return Ok(Poll::Pending);
            }
            if !self.begun {
                let at = input.offset();
                input.skip(usize::MAX);
                return Err(Error::malformed("mpegts", "no transport packet found", at));
            }
            self.wanted_is_there()?;
            if core::mem::replace(&mut self.flushed, true) {
                if !self.passes(&Event::End, input)? {
                    continue;
                }
                return Ok(Poll::Ready(Event::End));
            }
            self.flush(input);
        }
    }

    fn seek(&mut self, to: Ticks, base: TimeBase, input: &mut Input) -> Result<()> {
        self.start_seek(to, base, input)
    }

    fn multiplex(&self) -> Option<Multiplex> {
        self.audit.as_ref().map(|audit| audit.multiplex(self.step))
    }
}
