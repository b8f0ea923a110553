//! One stream: RTP packets in any order → packets on the stream's time line.
//!
//! ```text
//!   datagram ─▶ Header ─▶ Window ─▶ unwrapped time ─▶ payload format ─▶ unit ─▶ Packet     time 0: the first packet
//! ```

use alloc::{boxed::Box, collections::VecDeque, format, string::String, vec::Vec};

use bytes::Bytes;

use super::{
    facts,
    header::Header,
    reorder::Window,
    rtcp::SenderReport,
    sdp::Media as Section,
    unpack::{self, Out, Part, Unpack},
};
use crate::{
    format::Event,
    packet::{Flags, Packet},
    remark::{Remark, Warning},
    stream::{Kind, StreamInfo},
    time::Ticks,
    timing::DecodingTimes,
};

pub use super::unpack::MAX_UNIT;

/// One stream of a session.
pub(super) struct Receiver {
    pub info: StreamInfo,
    index: usize,
    payload_type: u8,
    clock: i64,
    window: Window<Waiting>,
    unpack: Option<Box<dyn Unpack>>,
    out: Out,
    order: DecodingTimes,
    source: Option<u32>,
    /// A source that is another, and the sequence number with which it is believed.
    other: Option<(u32, u16)>,
    /// The last timestamp, and its time without wraps.
    last: Option<(u32, i64)>,
    /// Time without wraps of the first packet.
    first: Option<i64>,
    /// The last sender report: its time without wraps and NTP time.
    pub report: Option<(i64, u64)>,
    report_before: Option<SenderReport>,
    /// The timestamp at which the session begins, as the server has said.
    pub begins: Option<u32>,
    pub ended: bool,
    pub lost: u64,
    told_type: bool,
}

/// A packet that waits for its turn.
#[derive(Debug)]
struct Waiting {
    header: Header,
    payload: Bytes,
    at: u64,
}

/// Seconds by which a packet may be ahead of one that is missing.
const MAX_WAIT_SECONDS: (i64, i64) = (1, 2);

impl Receiver {
    /// For a media description; a remark where its content cannot be read.
    pub(super) fn new(index: usize, section: &Section) -> (Self, Option<String>) {
        let info = facts::declared(section);
        let (unpack, why) = match unpack::of(section, &info) {
            Ok(unpack) => (Some(unpack), None),
            Err(why) => (None, Some(why.into())),
        };
        let order = DecodingTimes::new(info.as_video().map_or(0, |video| video.reorder));
        let receiver = Self {
            info,
            index,
            payload_type: section.payload_type,
            clock: i64::from(section.clock.max(1)),
            window: Window::default(),
            unpack,
            out: Out::default(),
            order,
            source: None,
            other: None,
            last: None,
            first: None,
            report: None,
            report_before: None,
            begins: None,
            ended: false,
            lost: 0,
            told_type: false,
        };
        (receiver, why)
    }

    /// Takes a datagram that stands at `at` in the input.
    pub(super) fn push(
        &mut self,
        datagram: &Bytes,
        at: u64,
        warnings: &mut Vec<Warning>,
        events: &mut VecDeque<Event>,
    ) {
        let (header, payload) = match Header::split(datagram) {
            Ok(split) => split,
            Err(fault) => return self.warn(at, Remark::Other, format!("not an RTP packet: {fault}"), warnings),
        };
        if header.payload_type != self.payload_type {
            if !core::mem::replace(&mut self.told_type, true) {
                let (found, expected) = (header.payload_type, self.payload_type);
                let what = format!("packets of payload type {found} left out, the description has {expected}");
                self.warn(at, Remark::Other, what, warnings);
            }
            return;
        }
        if !self.is_of_source(&header, at, warnings, events) {
            return;
        }
        // A packet that waits would keep all of the block that it was read into.
        let payload = match self.window.is_due(header.sequence) {
            true => payload,
            false => Bytes::copy_from_slice(&payload),
        };
        self.window.push(header.sequence, datagram.len(), Waiting { header, payload, at });
        if self.window.ends().is_some_and(|(first, last)| {
            let ahead = last.header.timestamp.wrapping_sub(first.header.timestamp) as i32;
            i64::from(ahead) * MAX_WAIT_SECONDS.1 > self.clock * MAX_WAIT_SECONDS.0
        }) {
            self.window.flush();
        }
        self.drain(warnings, events);
    }

    /// Whether a packet is of the source that is read. Another one is taken on from its second packet on.
    fn is_of_source(
        &mut self,
        header: &Header,
        at: u64,
        warnings: &mut Vec<Warning>,
        events: &mut VecDeque<Event>,
    ) -> bool {
        let source = *self.source.get_or_insert(header.ssrc);
        if source == header.ssrc {
            return true;
        }
        if self.other != Some((header.ssrc, header.sequence)) {
            self.other = Some((header.ssrc, header.sequence.wrapping_add(1)));
            return false;
        }
        self.window.flush();
        self.drain(warnings, events);
        let what = format!("source {source:#010x} is followed by {:#010x}: times go on", header.ssrc);
        self.warn(at, Remark::Other, what, warnings);
        (self.source, self.other) = (Some(header.ssrc), None);
        self.window = Window::default();
        // The clock of the new source begins where that of the old one has arrived.
        if let Some((last, _)) = &mut self.last {
            *last = header.timestamp;
        }
        (self.report, self.report_before) = (None, None);
        true
    }

    /// A sender report of this stream.
    pub(super) fn report(&mut self, report: &SenderReport) {
        match self.last {
            Some((last, time)) if self.source.is_none_or(|source| source == report.ssrc) => {
                let time = time.saturating_add(i64::from(report.timestamp.wrapping_sub(last) as i32));
                self.report = Some((time, report.ntp));
            }
            Some(_) => {}
            None => self.report_before = Some(*report),
        }
    }

    /// Gives what is held; nothing follows.
    pub(super) fn finish(&mut self, warnings: &mut Vec<Warning>, events: &mut VecDeque<Event>) {
        self.window.flush();
        self.drain(warnings, events);
        if let Some(unpack) = &mut self.unpack {
            unpack.finish(&mut self.out);
        }
        self.give(0, warnings, events);
    }

    fn drain(&mut self, warnings: &mut Vec<Warning>, events: &mut VecDeque<Event>) {
        while let Some(step) = self.window.poll() {
            let Waiting { header, payload, at } = step.item;
            if step.lost > 0 {
                self.lost = self.lost.saturating_add(step.lost);
                let packets = if step.lost == 1 { "packet" } else { "packets" };
                let what = format!("{} {packets} lost in front of number {}", step.lost, step.sequence);
                self.warn(at, Remark::Missing { units: step.lost }, what, warnings);
            }
            let time = self.unwrapped(header.timestamp);
            let Some(unpack) = &mut self.unpack else { continue };
            if step.lost > 0 {
                unpack.lost();
            }
            unpack.push(&Part { time, marker: header.marker, payload: &payload }, &mut self.out);
            self.give(at, warnings, events);
        }
    }

    fn unwrapped(&mut self, timestamp: u32) -> i64 {
        let time = match self.last {
            Some((last, time)) => time.saturating_add(i64::from(timestamp.wrapping_sub(last) as i32)),
            None => 0,
        };
        self.last = Some((timestamp, time));
        self.first.get_or_insert(time);
        if let Some(report) = self.report_before.take() {
            self.report(&report);
        }
        time
    }

    /// Units become packets; times count from the first packet of the stream.
    fn give(&mut self, at: u64, warnings: &mut Vec<Warning>, events: &mut VecDeque<Event>) {
        while let Some(what) = self.out.remarks.pop_front() {
            warnings.push(Warning { stream: Some(self.index), ..Warning::new(at, what) });
        }
        while let Some(unit) = self.out.units.pop_front() {
            let mut replaced = None;
            let mut changed = facts::refine(&mut self.info, &unit.data, unit.key, &mut replaced);
            if let Some(config) = unit.config {
                replaced = (!self.info.config.is_empty()).then(|| config.clone());
                facts::set_aac(&mut self.info, config);
                changed = true;
            }
            if changed {
                self.order = DecodingTimes::new(self.info.as_video().map_or(0, |video| video.reorder));
                events.push_back(Event::Stream(self.index, Box::new(self.info.clone())));
            }
            let pts = Ticks(unit.time.saturating_sub(self.first.unwrap_or(0)));
            let dts = match self.info.media.kind() {
                Kind::Video => self.order.next(pts),
                _ => Some(pts),
            };
            let mut packet = Packet::of(self.index, unit.data).with_pts(pts).with_dts(dts).with_position(at);
            packet.time_base = self.info.time_base;
            packet.duration = unit.duration.map(Ticks);
            packet.flags = Flags::key(unit.key);
            if unit.damaged {
                packet.flags |= Flags::CORRUPT;
            }
            if let Some(config) = replaced {
                packet.side.set_new_config(config);
            }
            events.push_back(Event::Packet(packet));
        }
    }

    /// NTP time of the first packet, by the last sender report, in 2^-32 s.
    pub(super) fn wall(&self) -> Option<i128> {
        let ((time, ntp), first) = (self.report?, self.first?);
        Some(i128::from(ntp) + (i128::from(first - time) << 32) / i128::from(self.clock))
    }

    /// Ticks from the start of the session, as the server has said it, to the first packet; `None` when it has not, or
    /// when that is longer than `seconds` or negative.
    pub(super) fn behind_start(&self, seconds: i64) -> Option<i64> {
        let (begins, (last, time), first) = (self.begins?, self.last?, self.first?);
        let behind = i64::from(last.wrapping_sub(begins) as i32) - (time - first);
        (0..=seconds.saturating_mul(self.clock)).contains(&behind).then_some(behind)
    }

    pub(super) fn clock(&self) -> i64 {
        self.clock
    }

    /// Whether a packet came.
    pub(super) fn has_begun(&self) -> bool {
        self.first.is_some()
    }

    fn warn(&self, at: u64, kind: Remark, what: String, warnings: &mut Vec<Warning>) {
        let mut warning = Warning::new(at, what);
        (warning.stream, warning.kind) = (Some(self.index), kind);
        warnings.push(warning);
    }
}
