//! One stream on its way to pages: the open page, and the position behind each packet.

use alloc::vec::Vec;

use super::super::mapping::Mapping;
use crate::{
    output::{Mark, Output},
    packet::Packet,
    stream::{Kind, Metadata},
    syntax::ogg::{Building, CONTINUED, FIRST, LAST},
    time::{Rounding, Ticks, TimeBase},
};

pub(super) struct Track {
    pub(super) mapping: Mapping,
    /// The unit of the packets' times; that of positions is the mapping's, which a further link may change.
    pub(super) base: TimeBase,
    pub(super) is_video: bool,
    pub(super) serial: u32,
    /// Tags of the stream, without the program that wrote them.
    pub(super) tags: Metadata,
    sequence: u32,
    open: Building,
    /// Flags of the open page.
    flags: u8,
    /// Where its first packet begins and its last one ends, in µs.
    pub(super) span: Option<(i64, i64)>,
    /// The position behind the last packet that ends on it.
    granule: Option<u64>,
    /// The position behind the last packet of the link.
    last: Option<u64>,
    /// Where the last packet of the link ends, in the unit of positions.
    end: Option<Ticks>,
    /// Whether the last packet is cut short, which the last page of a link alone can say.
    is_cut: bool,
    /// Packets on the first page of data of the link or behind a jump, while that is open.
    first_page: Option<u32>,
    /// Whether that page must say when it begins: it is not where readers take it to be.
    starts_late: bool,
    /// Mark of the open page for receivers.
    mark: Mark,
}

/// Where a packet begins and ends, in the unit of positions.
#[derive(Clone, Copy)]
pub(super) struct Place {
    start: Ticks,
    end: Ticks,
}

impl Track {
    pub(super) fn new(mapping: Mapping, serial: u32, tags: Metadata) -> Self {
        Self {
            base: mapping.info.time_base,
            is_video: mapping.info.media.kind() == Kind::Video,
            mapping,
            serial,
            tags,
            sequence: 0,
            open: Building::default(),
            flags: 0,
            span: None,
            granule: None,
            last: None,
            end: None,
            is_cut: false,
            first_page: Some(0),
            starts_late: false,
            mark: Mark::Header,
        }
    }

    /// Becomes the logical stream of a further link.
    pub(super) fn begin_link(&mut self, mapping: Option<Mapping>, serial: u32) {
        self.serial = serial;
        (self.sequence, self.flags, self.span, self.granule) = (0, 0, None, None);
        (self.last, self.end, self.is_cut) = (None, None, false);
        match mapping {
            Some(mapping) => self.mapping = mapping,
            None => self.mapping.restart(),
        }
    }

    fn page(&mut self, more: u8, out: &mut Output) {
        let bytes = self.open.finish(self.flags | more, self.granule.take(), self.serial, self.sequence);
        self.sequence = self.sequence.wrapping_add(1);
        (self.flags, self.span, self.first_page) = (0, None, None);
        out.append(self.mark, [bytes.into()]);
    }

    /// Writes the open page, unless it must wait to be the last one.
    pub(super) fn flush(&mut self, out: &mut Output) {
        if !self.is_cut && !self.open.is_empty() {
            self.page(0, out);
        }
    }

    /// Writes the last page of the logical stream.
    pub(super) fn finish(&mut self, out: &mut Output) {
        if self.open.is_empty() {
            (self.granule, self.mark) = (self.last.or(Some(0)), Mark::Trailer);
        }
        self.page(LAST, out);
    }

    /// Puts packets of headers on pages of their own; `first` is alone on the first page.
    pub(super) fn headers<'a>(&mut self, packets: impl Iterator<Item = &'a Vec<u8>>, first: bool, out: &mut Output) {
        (self.flags, self.mark) = (if first { FIRST } else { 0 }, Mark::Header);
        for packet in packets {
            self.granule = Some(0);
            let mut rest = self.open.add(packet);
            while let Some(more) = rest {
                self.granule = None;
                self.page(0, out);
                self.flags = CONTINUED;
                rest = self.open.add(more);
                self.granule = Some(0);
            }
        }
        if !self.open.is_empty() {
            self.page(0, out);
        }
        self.first_page = Some(0);
    }

    fn micros(&self, time: Ticks) -> i64 {
        self.mapping.info.time_base.rescale(time, TimeBase::MICROS, Rounding::Near).0
    }

    /// Where a packet lies, moved by `lead`. The times of audio are counted on from the packet before by the samples of each, as long as
    /// that is what its times say as exactly as containers that count milliseconds can.
    pub(super) fn place(&mut self, packet: &Packet, lead: &mut Option<Ticks>) -> Place {
        let own = self.mapping.info.time_base;
        let convert = |time: Ticks| self.base.rescale(time, own, Rounding::Near);
        let near = if self.is_video { 0 } else { TimeBase::MICROS.rescale(NEAR, own, Rounding::Down).0.max(1) };
        let given = packet.duration.map(convert);
        let counted = self.mapping.duration(&packet.data).unwrap_or(0) - i64::from(packet.side.trim().end);
        let counted = Ticks(counted.max(0));
        let is_near = |a: Ticks, b: Ticks| a.0.abs_diff(b.0) <= near.unsigned_abs();
        let length = given.filter(|given| self.is_video || !is_near(*given, counted)).unwrap_or(counted);
        let said = packet.pts.or(packet.dts).map(convert);
        // The first packet of all says how far everything is moved, in µs.
        let lead = *lead.get_or_insert_with(|| {
            own.rescale(self.mapping.lead(said.unwrap_or(Ticks(0))), TimeBase::MICROS, Rounding::Up)
        });
        let lead = TimeBase::MICROS.rescale(lead, own, Rounding::Near);
        let said = said.map(|said| Ticks(said.0.saturating_add(lead.0)));
        let start = match (said, self.end) {
            (Some(said), Some(end)) if is_near(said, end) => end,
            (said, end) => said.or(end).unwrap_or(Ticks(0)),
        };
        Place { start, end: Ticks(start.0.saturating_add(length.0)) }
    }

    /// Whether the open page is to be written before a packet at this place: it would last longer than `page` µs, or the
    /// times of its packets could not be counted back from the position of the last one.
    pub(super) fn is_full(&self, place: Place, page: i64) -> bool {
        self.span.is_some_and(|(from, _)| self.jumps(place) || self.micros(place.end).saturating_sub(from) > page)
    }

    /// Whether a packet at this place does not follow the one before it.
    fn jumps(&self, place: Place) -> bool {
        self.end.is_some_and(|end| end != place.start) && !self.is_video
    }

    /// Whether nothing is on the open page.
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Puts a packet on the open page, and on further ones. A last page does not say when it begins, so a page is written
    /// before that, where there are packets for two.
    pub(super) fn put(&mut self, packet: &Packet, place: Place, mark: Mark, out: &mut Output) {
        self.is_cut = packet.side.trim().end > 0;
        match self.first_page {
            _ if self.jumps(place) => (self.first_page, self.starts_late) = (Some(0), true),
            Some(0) => {
                let length = place.end.0.saturating_sub(place.start.0).saturating_add(packet.side.trim().end.into());
                self.starts_late = place.start != self.mapping.first_time(Ticks(length));
            }
            Some(_) if self.is_cut => self.page(0, out),
            _ => {}
        }
        if self.open.is_empty() {
            self.mark = mark;
        }
        let granule = self.mapping.granule(place.end, &packet.data, packet.is_key(), self.last);
        let mut rest = self.open.add(&packet.data);
        while let Some(more) = rest {
            self.page(0, out);
            (self.flags, self.mark) = (CONTINUED, mark);
            rest = self.open.add(more);
        }
        let (from, to) = (self.micros(place.start), self.micros(place.end));
        self.span = Some((self.span.map_or(from, |(from, _)| from), to));
        (self.granule, self.last, self.end) = (Some(granule), Some(granule), Some(place.end));
        self.first_page = self.first_page.map(|count| count.saturating_add(1));
        if self.first_page == Some(2) && self.starts_late && !self.is_cut {
            self.page(0, out);
        }
    }
}

/// µs by which the times of packets may be beside their count.
const NEAR: Ticks = Ticks(1100);
