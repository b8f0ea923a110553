//! Pages → events: logical streams begin together, and a chain of such groups is one input.

use alloc::{boxed::Box, collections::VecDeque, format, vec::Vec};
use core::task::Poll;

use bytes::Bytes;

use super::{
    logical::{Logical, MAX_PARTIAL},
    mapping::{self, Header, Mapping},
    pages::{Next, Pages},
    tail::Tail,
};
use crate::{
    account::Weigh,
    error::{Error, Result},
    format::{Demuxer, Event},
    input::Input,
    packet::Packet,
    remark::Remark,
    stream::{Codec, StreamInfo, limits},
    syntax::ogg::{FIRST, Page},
    time::{Rounding, Ticks, TimeBase},
};

mod search;
use search::Search;

/// Most logical streams at a time, and most streams of all links.
const MAX_STREAMS: usize = 64;

/// µs between the end of a link and the start of the next one that are nothing: their units may differ.
const SAME: i64 = 1000;

/// Events that a queue has room for while nothing is in it.
const RESTING: usize = 4;

/// A stream of the input, which one logical stream of each link may be.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) codec: Codec,
    /// The unit of its times, from its first link on.
    pub(super) base: TimeBase,
    /// As it was described last.
    pub(super) info: Option<StreamInfo>,
    /// Whether a logical stream of this link is it.
    pub(super) taken: bool,
    /// Where its last packet ends.
    pub(super) end: Option<Ticks>,
}

pub(super) struct Ogg {
    pub(super) pages: Pages,
    pub(super) logical: Vec<Logical>,
    pub(super) known: Vec<Known>,
    pub(super) queue: VecDeque<Event>,
    pub(super) tail: Tail,
    search: Option<Search>,
    /// Offset of the first page, and of the first page of data.
    pub(super) first: Option<u64>,
    pub(super) data: Option<u64>,
    /// Number of the link, from 0.
    pub(super) link: usize,
    /// Whether the times of a further link go on where those before it end.
    goes_on: bool,
    /// Where this link begins, in µs, once that is known.
    begins: Option<Ticks>,
    /// Whether the last page was met behind a move.
    pub(super) moved: bool,
}

impl Ogg {
    pub(super) fn new(goes_on: bool) -> Self {
        Self {
            pages: Pages::default(),
            logical: Vec::new(),
            known: Vec::new(),
            queue: VecDeque::new(),
            tail: Tail::Unread,
            search: None,
            first: None,
            data: None,
            link: 0,
            goes_on,
            begins: None,
            moved: false,
        }
    }

    /// Takes a page.
    fn page(&mut self, page: &Bytes, head: &Page, at: u64, input: &mut Input) -> Result<()> {
        self.first.get_or_insert(at);
        if head.flags & FIRST != 0 {
            if self.logical.iter().any(|logical| logical.has_begun() || logical.serial == head.serial) {
                self.chain();
            }
            self.begin(page, head, at, input);
            return Ok(());
        }
        let held = self.logical.iter().map(Logical::held).sum::<usize>();
        let Some(logical) = self.logical.iter_mut().find(|logical| logical.serial == head.serial) else {
            if self.logical.len() < MAX_STREAMS {
                input.remark_at(
                    at,
                    Remark::Other,
                    format!("logical stream {:08x} begins nowhere: left out", head.serial),
                );
                self.logical.push(Logical::new(head.serial, None, 0));
            }
            return Ok(());
        };
        if logical.mapping.is_none() {
            return Ok(());
        }
        let room = MAX_PARTIAL.saturating_sub(held - logical.held());
        let packets = logical.packets(page, head, at, room, input);
        self.packets(packets, head, at, input)
    }

    /// All links are read again from the first page on.
    pub(super) fn start_over(&mut self) {
        self.chain();
        self.link = 0;
        self.known.iter_mut().for_each(|known| known.end = None);
    }

    /// A new group of logical streams begins.
    fn chain(&mut self) {
        self.link += 1;
        self.logical = Vec::new();
        self.begins = None;
        self.known.iter_mut().for_each(|known| known.taken = false);
    }

    /// Takes the first page of a logical stream.
    fn begin(&mut self, page: &Bytes, head: &Page, at: u64, input: &mut Input) {
        if self.logical.len() >= MAX_STREAMS {
            input.remark_at(at, Remark::Other, "more than 64 logical streams: left out");
            return;
        }
        let mut logical = Logical::new(head.serial, None, 0);
        let first = logical.packets(page, head, at, MAX_PARTIAL, input).into_iter().next().unwrap_or_default();
        let found = Mapping::new(&first).filter(|mapping| mapping.info.check().is_ok());
        let Some((mapping, index)) =
            found.and_then(|mapping| self.index_of(&mapping.info).map(|index| (mapping, index)))
        else {
            let what = format!("logical stream {:08x} of {} left out", head.serial, mapping::name(&first));
            input.remark_at(at, Remark::Other, what);
            self.logical.push(logical);
            return;
        };
        (logical.mapping, logical.index) = (Some(mapping), index);
        self.logical.push(logical);
    }

    /// The stream that a logical one is: the first of its codec, else of its kind, that no other of this link is, else a
    /// new one.
    fn index_of(&mut self, info: &StreamInfo) -> Option<usize> {
        let first =
            |fits: &dyn Fn(Codec) -> bool| self.known.iter().position(|known| !known.taken && fits(known.codec));
        let free = first(&|codec| codec == info.codec).or_else(|| first(&|codec| codec.kind() == info.codec.kind()));
        let index = free.unwrap_or(self.known.len());
        if free.is_none() && self.known.len() < MAX_STREAMS {
            self.known.push(Known { codec: info.codec, base: info.time_base, info: None, taken: true, end: None });
        }
        self.known.get_mut(index)?.taken = true;
        Some(index)
    }

    /// Takes packets that end on a page of a logical stream.
    fn packets(&mut self, packets: Vec<Bytes>, head: &Page, at: u64, input: &mut Input) -> Result<()> {
        let Some(at_stream) = self.logical.iter().position(|logical| logical.serial == head.serial) else {
            return Ok(());
        };
        let mut data = Vec::new();
        for packet in packets {
            let Some(logical) = self.logical.get_mut(at_stream) else { break };
            let Some(mapping) = &mut logical.mapping else { break };
            match mapping.header(&packet) {
                Header::Taken if mapping.is_described() && mapping.info.codec != Codec::Flac => {
                    self.describe(at_stream)?
                }
                Header::Taken => {}
                Header::Data => {
                    if !logical.described {
                        self.describe(at_stream)?;
                    }
                    data.push(packet);
                }
                Header::Wrong(why) => {
                    let what = format!("logical stream {:08x} left out: {why}", head.serial);
                    input.remark_at(at, Remark::BadConfig(None), what);
                    logical.mapping = None;
                }
            }
        }
        if data.is_empty() {
            return Ok(());
        }
        self.data.get_or_insert(at);
        let Some(logical) = self.logical.get_mut(at_stream) else { return Ok(()) };
        let Some(base) = logical.mapping.as_ref().map(|mapping| mapping.info.time_base) else { return Ok(()) };
        let packets = logical.timed(data, head, at);
        let unheard = |length| logical.mapping.as_ref().map_or(Ticks(0), |mapping| mapping.unheard(length));
        let heard = packets.iter().find_map(|packet| {
            let unheard = unheard(packet.duration.unwrap_or_default());
            packet.pts.map(|start| Ticks(start.0.saturating_add(unheard.0)))
        });
        self.join(heard, base);
        let packets: Vec<Packet> = packets.into_iter().map(|packet| self.placed(packet, base)).collect();
        self.queue.extend(packets.into_iter().map(Event::Packet));
        Ok(())
    }

    /// Notes where a link begins, whose first sound or picture has this time. One that goes on where the links before it
    /// end is as it is.
    fn join(&mut self, first: Option<Ticks>, base: TimeBase) {
        if self.begins.is_some() || self.link == 0 || !self.goes_on {
            return;
        }
        let Some(first) = first else { return };
        let micros = |time: Ticks, base: TimeBase| base.rescale(time, TimeBase::MICROS, Rounding::Near).0;
        let end = self.known.iter().filter_map(|known| Some(micros(known.end?, known.base))).max().unwrap_or(0);
        let begins = end.saturating_sub(micros(first, base).max(0));
        self.begins = Some(Ticks(if begins.abs() <= SAME { 0 } else { begins }));
    }

    /// A packet with times of its logical stream, in the unit of the stream and behind earlier links.
    fn placed(&mut self, mut packet: Packet, base: TimeBase) -> Packet {
        let Some(known) = self.known.get_mut(packet.stream) else { return packet };
        let shift = self.begins.map_or(0, |begins| TimeBase::MICROS.rescale(begins, base, Rounding::Near).0);
        let moved = |time: Ticks| Ticks(time.0.saturating_add(shift));
        (packet.pts, packet.dts) = (packet.pts.map(moved), packet.dts.map(moved));
        packet.time_base = base;
        packet = packet.rescaled(known.base);
        packet.time_base = TimeBase::OF_STREAM;
        let end = packet.pts.map(|time| Ticks(time.0.saturating_add(packet.duration.map_or(0, |length| length.0))));
        known.end = end.max(known.end);
        packet
    }

    /// Describes a logical stream whose headers are there, unless it was described just so.
    fn describe(&mut self, at: usize) -> Result<()> {
        let Some(logical) = self.logical.get_mut(at) else { return Ok(()) };
        let Some(mapping) = &mut logical.mapping else { return Ok(()) };
        if core::mem::replace(&mut logical.described, true) {
            return Ok(());
        }
        let Some(known) = self.known.get_mut(logical.index) else { return Ok(()) };
        // The tags are kept once, with the stream.
        let metadata = core::mem::take(&mut mapping.info.metadata);
        let mut info = StreamInfo { metadata, ..mapping.info.clone() };
        let end = self.tail.last(logical.serial).map(|granule| mapping.time(granule));
        info.duration = end.filter(|end| end.0 > 0).map(|end| info.time_base.rescale(end, known.base, Rounding::Near));
        info.time_base = known.base;
        info.check()?;
        let same = known.info.as_ref().is_some_and(|before| before.config == info.config && before.media == info.media);
        logical.changed = known.info.is_some() && !same;
        if known.info.as_ref() == Some(&info) {
            return Ok(());
        }
        if known.info.as_ref().is_none_or(|before| before.metadata != info.metadata) {
            self.queue.extend(mapping::tags(&info).map(Event::Metadata));
        }
        known.info = Some(info.clone());
        let (index, heavy) =
            (logical.index, self.known.iter().flat_map(|known| &known.info).map(Weigh::weight).sum::<usize>());
        if heavy > limits::MAX_DESCRIPTIONS {
            let limit = limits::MAX_DESCRIPTIONS as u64;
            return Err(Error::Limit { what: "bytes of descriptions (MAX_DESCRIPTIONS)", limit });
        }
        self.queue.push_back(Event::Stream(index, Box::new(info)));
        Ok(())
    }

    /// Reads a page. `None` when there was one, and what was read is in the queue.
    pub(super) fn step(&mut self, input: &mut Input) -> Result<Option<Poll<Event>>> {
        match self.pages.next(input, self.moved) {
            Next::More => return Ok(Some(Poll::Pending)),
            Next::Page(page, head, at) => {
                self.moved = false;
                self.page(&page, &head, at, input)?;
            }
            Next::End if self.first.is_none() => {
                return Err(Error::malformed("ogg", "no page in all of the input", input.offset()));
            }
            Next::End => return Ok(Some(Poll::Ready(Event::End))),
        }
        Ok(None)
    }
}

impl Demuxer for Ogg {
    fn poll(&mut self, input: &mut Input) -> Result<Poll<Event>> {
        if !self.tail.read(input)? {
            return Ok(Poll::Pending);
        }
        loop {
            if self.search.is_some() {
                if let Some(poll) = self.seek_on(input)? {
                    return Ok(poll);
                }
                continue;
            }
            if let Some(event) = self.queue.pop_front() {
                return Ok(Poll::Ready(event));
            }
            if self.queue.capacity() > RESTING {
                self.queue = VecDeque::new();
            }
            if let Some(poll) = self.step(input)? {
                return Ok(poll);
            }
        }
    }

    fn seek(&mut self, to: Ticks, base: TimeBase, input: &mut Input) -> Result<()> {
        self.start_seek(to, base, input)
    }

    fn duration(&self) -> Option<(Ticks, TimeBase)> {
        let lengths = self.known.iter().filter_map(|known| Some((known.info.as_ref()?.duration?, known.base)));
        lengths.max_by_key(|(length, base)| base.rescale(*length, TimeBase::MICROS, Rounding::Near))
    }
}
