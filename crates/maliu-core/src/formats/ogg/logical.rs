//! A logical stream: the packets on its pages, and their times.
//!
//! ```text
//!   page: position 4800    packets of 960 960 960      times: 1920 2880 3840, counted back on the first page and behind a gap
//!   page: position 7680    packets of 960 960 960      times: 4800 5760 6720, counted on from the page before
//! ```

use alloc::vec::Vec;

use bytes::Bytes;

use super::mapping::{Length, Mapping};
use crate::{
    input::Input,
    packet::{Flags, Packet, Trim},
    remark::Remark,
    syntax::ogg::{CONTINUED, LAST, Page, parts},
    time::Ticks,
};

/// Most bytes of a packet.
pub(super) const MAX_PACKET: usize = 16 << 20;

/// Most bytes of all packets that go on on a later page.
pub(super) const MAX_PARTIAL: usize = 32 << 20;

#[derive(Debug)]
pub(super) struct Logical {
    pub(super) serial: u32,
    /// `None` when the stream is passed over.
    pub(super) mapping: Option<Mapping>,
    /// Its number among the streams of the input.
    pub(super) index: usize,
    /// Whether the stream was described.
    pub(super) described: bool,
    /// Whether its first data packet is to carry the configuration, which replaces another.
    pub(super) changed: bool,
    /// Added to its times.
    pub(super) shift: i64,
    /// Number of the next page.
    sequence: Option<u32>,
    /// The start of a packet that goes on on the next page.
    partial: Vec<u8>,
    /// Whether a packet has begun whose start is not there.
    headless: bool,
    /// Time of the next packet, before the shift.
    time: Option<Ticks>,
    /// Data was lost in front of the next packet.
    lost: bool,
    /// Whether a data packet was met.
    begun: bool,
}

impl Logical {
    pub(super) fn new(serial: u32, mapping: Option<Mapping>, index: usize) -> Self {
        Self {
            serial,
            mapping,
            index,
            described: false,
            changed: false,
            shift: 0,
            sequence: None,
            partial: Vec::new(),
            headless: false,
            time: None,
            lost: false,
            begun: false,
        }
    }

    /// The input was moved.
    pub(super) fn restart(&mut self) {
        (self.sequence, self.time, self.lost) = (None, None, false);
        (self.partial, self.headless) = (Vec::new(), true);
        if let Some(mapping) = &mut self.mapping {
            mapping.restart();
        }
    }

    /// The input was moved to the first page of data.
    pub(super) fn stand_at_start(&mut self) {
        (self.headless, self.begun) = (false, false);
    }

    /// Bytes of a packet that goes on on the next page.
    pub(super) fn held(&self) -> usize {
        self.partial.len()
    }

    /// The packets that end on a page. `room` is how many bytes of the start of a packet may be kept.
    pub(super) fn packets(&mut self, page: &Bytes, head: &Page, at: u64, room: usize, input: &mut Input) -> Vec<Bytes> {
        if let Some(missing) = self.sequence.map(|next| head.sequence.wrapping_sub(next)).filter(|gap| *gap != 0) {
            // A number that goes back says nothing of what is missing.
            let units = if missing < u32::MAX / 2 { missing.into() } else { 0 };
            input.remark_at(at, Remark::Missing { units }, "pages are missing in front of this one");
            self.lose();
        }
        self.sequence = Some(head.sequence.wrapping_add(1));
        let continued = head.flags & CONTINUED != 0;
        if !continued && !self.partial.is_empty() {
            input.remark_at(at, Remark::Cut { missing: None }, "packet that does not go on on this page left out");
            self.lose();
        }
        self.headless = continued && self.partial.is_empty() && (self.headless || self.lost || !self.begun);
        let mut packets = Vec::new();
        for (n, (part, ends)) in parts(page, head).into_iter().enumerate() {
            let goes_on = n == 0 && continued;
            if self.headless && goes_on {
                self.headless = !ends;
                continue;
            }
            match (ends, goes_on && !self.partial.is_empty()) {
                (true, false) => packets.push(part),
                (true, true) => {
                    self.partial.extend_from_slice(&part);
                    packets.push(core::mem::take(&mut self.partial).into());
                }
                (false, _) if self.partial.len() + part.len() > MAX_PACKET.min(room) => {
                    input.remark_at(at, Remark::Cut { missing: None }, "packet of more than 16 MiB left out");
                    self.lose();
                    self.headless = true;
                }
                (false, _) => self.partial.extend_from_slice(&part),
            }
        }
        packets
    }

    fn lose(&mut self) {
        self.partial = Vec::new();
        self.lost = true;
    }

    /// Data packets that end on a page, at their times. `ends` is the position of the page.
    pub(super) fn timed(&mut self, packets: Vec<Bytes>, head: &Page, at: u64) -> Vec<Packet> {
        let Some(mapping) = &mut self.mapping else { return Vec::new() };
        if core::mem::take(&mut self.lost) && self.begun {
            mapping.restart();
            (self.time, self.lost) = (None, true);
        }
        let lengths: Vec<Length> = packets.iter().map(|packet| mapping.length(packet)).collect();
        let total = lengths.iter().fold(0, |sum: i64, length| sum.saturating_add(length.ticks()));
        let (end, last) = (head.granule.map(|granule| mapping.time(granule)), head.flags & LAST != 0);
        let length = Ticks(lengths.first().map_or(0, Length::ticks));
        // A last page may cut its packets short, so that nothing can be counted back from it.
        let back = end.filter(|end| mapping.counts_back() && !last && (end.0 != 0 || total == 0));
        let facts = End { end, last, total, length };
        let mut time = start(self.time, self.begun, mapping, packets.first(), facts);
        // Positions that leave room for more packets in front of these say that some are missing there.
        let room = lengths.first().map_or(0, |first| total.saturating_add(first.ticks().max(1)));
        if back.zip(time).is_some_and(|(end, time)| self.begun && end.0.saturating_sub(time.0) >= room) {
            time = None;
        }
        let mut left = total;
        let mut out = Vec::with_capacity(packets.len());
        for (n, (data, counted)) in packets.into_iter().zip(lengths).enumerate() {
            let mut packet = Packet { stream: self.index, position: Some(at), ..Packet::default() };
            packet.flags = Flags::key(mapping.is_key(&data));
            let mut length = counted.ticks();
            left -= length;
            if let Some(end) = back.filter(|_| n > 0 || time.is_none_or(|time| time.0 == 0)) {
                length = counted.alone;
                time = Some(Ticks(end.0.saturating_sub(left).saturating_sub(length)));
            }
            if counted.known.is_none() || self.lost {
                packet.flags |= Flags::CORRUPT;
            }
            self.lost = false;
            let mut trim = Trim { start: if self.begun { 0 } else { mapping.pre_skip() }, end: 0 };
            let next = time.map(|time| Ticks(time.0.saturating_add(length)));
            if let (true, true, Some(end), Some(next)) = (last, mapping.is_trimmed(), end, next) {
                let more = next.0.saturating_sub(end.0).clamp(0, length);
                trim.end = u32::try_from(more).unwrap_or(u32::MAX);
                length = if more > 0 { (length - more).max(1) } else { length };
            }
            packet.side.set_trim(trim);
            packet.pts = time.map(|time| Ticks(time.0.saturating_add(self.shift)));
            packet.dts = packet.pts;
            packet.duration = (length > 0).then_some(Ticks(length));
            packet.data = data;
            if core::mem::take(&mut self.changed) {
                packet.side.set_new_config(mapping.info.config.clone());
                if let Some(audio) = mapping.info.as_audio() {
                    packet.side.set_new_audio(audio.rate(), audio.channel_count());
                }
            }
            self.begun = true;
            time = next;
            out.push(packet);
        }
        self.time = if out.is_empty() { self.time } else { end.or(time) };
        out
    }

    /// Whether data was met.
    pub(super) fn has_begun(&self) -> bool {
        self.begun
    }
}

/// Facts of a page's end.
struct End {
    /// The time there.
    end: Option<Ticks>,
    /// Whether it is the last page of its stream.
    last: bool,
    /// Ticks of its packets together, and of the first one.
    total: i64,
    length: Ticks,
}

/// When the first packet of a page begins, unless that is to be counted back from its end: where the packet before ends, or
/// what positions and the packet itself say.
fn start(known: Option<Ticks>, begun: bool, mapping: &Mapping, first: Option<&Bytes>, page: End) -> Option<Ticks> {
    known.or_else(|| {
        let End { end, last, total, length } = page;
        let own = first.and_then(|packet| mapping.own_time(packet));
        let zero = own.filter(|own| own.0 == 0 && !begun);
        let counts = !mapping.counts_back() && (!last || !begun);
        let counted = end.filter(|end| counts && end.0 != 0).map(|end| Ticks(end.0.saturating_sub(total)));
        let is_back = mapping.counts_back() && !last && end.is_some_and(|end| end.0 != 0 || total == 0);
        let unsaid = (!begun && !is_back).then(|| mapping.first_time(length));
        zero.or(counted).or(own).or(unsaid)
    })
}
