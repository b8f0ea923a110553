//! The demuxer: from element to element, blocks to packets (RFC 9559).
//!
//! ```text
//!   top ─ Segment ─┬─ Cluster ─ blocks ─▶ packets
//!      ▲           ├─ Info, Tracks, … read whole
//!      └─ lost ◀───┴─ damage: on at the next child of a Segment
//! ```

use alloc::{boxed::Box, collections::VecDeque, format, string::String, vec::Vec};
use core::task::Poll;

use crate::{
    error::{Error, Result},
    format::{Declared, Demuxer, Event},
    input::Input,
    packet::Packet,
    remark::Remark,
    stream::Metadata,
    syntax::ebml::{self, Found, Head, ids},
    time::{Rounding, Ticks, TimeBase},
    timing::index::SeekIndex,
};

use super::{
    MAX_BLOCK,
    facts::{Cue, Info},
    track::Track,
};

mod attached;
mod blocks;
mod lost;
mod masters;
mod restart;
mod search;
mod seek;
mod visit;

use attached::Attached;
use restart::Restart;
use search::Search;
use seek::Wanted;
use visit::Visit;

/// Most bytes of an element that is read whole and is not a block.
const MAX_MASTER: u64 = 16 << 20;

/// Most bytes of an element that has no name here and is passed over where its parent has no size.
const MAX_FOREIGN: u64 = 16 << 20;

/// A master element that is read child by child.
#[derive(Clone, Copy, Debug)]
struct Level {
    id: u32,
    /// Offset behind it; `None` when its size is unknown.
    end: Option<u64>,
}

/// A segment that was met.
#[derive(Clone, Copy, Debug)]
struct Segment {
    /// Offset of its body.
    start: u64,
    /// Added to its times so that they go on behind the segment before, in nanoseconds; `None` before its first block.
    shift: Option<i64>,
}

/// The outcome of a step.
enum Step {
    On,
    More,
    End,
}

#[derive(Debug, Default)]
pub(super) struct Matroska {
    levels: Vec<Level>,
    segments: Vec<Segment>,
    info: Info,
    /// Nanoseconds of a tick of this segment, where it is not the first one.
    scale: Option<u64>,
    /// Bodies of the TrackEntry elements of the segment, until they become streams.
    entries: Vec<Vec<u8>>,
    tracks: Vec<Track>,
    /// Streams of attachments stand behind those of tracks.
    attached: Attached,
    metadata: Metadata,
    track_tags: Vec<(u64, String, String)>,
    seeks: Vec<(u32, u64)>,
    cues: Option<Vec<Cue>>,
    /// Streams were returned.
    told: bool,
    queue: VecDeque<Event>,
    /// Offset and time of the cluster.
    cluster: (u64, u64),
    first_cluster: Option<u64>,
    index: SeekIndex,
    /// Offset at which the structure was lost.
    lost: Option<u64>,
    visit: Option<Box<Visit>>,
    visited: bool,
    search: Option<Box<Search>>,
    wanted: Option<Box<Wanted>>,
    restart: Option<Box<Restart>>,
    /// Latest end of a frame, in nanoseconds.
    latest: i64,
    /// Number of an undeclared track that was remarked on.
    undeclared: Option<u64>,
    encrypted: bool,
    /// An unknown element was remarked on.
    foreign: bool,
    ended: bool,
    /// Facts of the header, for an audit.
    declared: Option<Box<Declared>>,
}

impl Demuxer for Matroska {
    fn poll(&mut self, input: &mut Input) -> Result<Poll<Event>> {
        loop {
            if let Some(event) = self.queue.pop_front() {
                return Ok(Poll::Ready(event));
            }
            if self.ended {
                return Ok(Poll::Ready(Event::End));
            }
            match self.step(input)? {
                Step::On => {}
                Step::More => return Ok(Poll::Pending),
                Step::End => self.finish(input)?,
            }
        }
    }

    fn seek(&mut self, to: Ticks, base: TimeBase, input: &mut Input) -> Result<()> {
        self.seek_to(to, base, input)
    }

    fn declared(&self) -> Option<&Declared> {
        self.declared.as_deref()
    }

    fn duration(&self) -> Option<(Ticks, TimeBase)> {
        let nanos = self.info.duration? * self.info.scale as f64;
        Some((Ticks((nanos / 1000.0 + 0.5) as i64), TimeBase::MICROS))
    }

    fn layout(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if self.segments.len() > 1 {
            lines.push(format!("{} segments", self.segments.len()));
        }
        for (id, at) in &self.seeks {
            let name = ids::name(*id).unwrap_or("an unknown element");
            lines.push(format!("{name} at byte {}", at.saturating_add(self.body_start())));
        }
        lines
    }
}

impl Matroska {
    /// Keeps facts of the header with `audit`.
    pub(super) fn new(audit: bool) -> Self {
        Self { declared: audit.then(Box::default), ..Self::default() }
    }

    fn step(&mut self, input: &mut Input) -> Result<Step> {
        if self.lost.is_some() {
            return Ok(self.find(input));
        }
        if let Some(step) = self.search_step(input)? {
            return Ok(step);
        }
        if let Some(step) = self.errand(input)? {
            return Ok(step);
        }
        self.leave_ended(input.offset());
        match ebml::head(input.peek()) {
            Found::Head(head) => self.element(head, input),
            Found::Short if input.ended() => Ok(self.cut(input)),
            Found::Short => Ok(Step::More),
            Found::Invalid => Ok(self.lose(input)),
        }
    }

    /// Leaves the levels that end at or before `at`.
    fn leave_ended(&mut self, at: u64) {
        while self.levels.last().and_then(|level| level.end).is_some_and(|end| at >= end) {
            self.leave();
        }
    }

    /// A level is over.
    fn leave(&mut self) {
        if self.levels.pop().is_some_and(|level| level.id == ids::ATTACHED_FILE) && !self.told {
            self.attached.close(&mut self.metadata);
        }
    }

    /// An element begins at the offset of the input.
    fn element(&mut self, head: Head, input: &mut Input) -> Result<Step> {
        let at = input.offset();
        let body = at.saturating_add(head.length as u64);
        let end = head.size.map(|size| body.saturating_add(size));
        // A child of a Segment, or the start of one, is never further inside: the size of its parent is wrong or unknown.
        if ids::is_top(head.id) {
            let inside = if matches!(head.id, ids::EBML | ids::SEGMENT) { 0 } else { 1 };
            while self.levels.len() > inside {
                self.leave();
            }
            // A level that claimed to reach beyond its parent may have hidden that the parent is over.
            self.leave_ended(at);
        }
        let level = self.levels.last().copied();
        match (level.map(|level| level.id), head.id) {
            (_, ids::EBML) => return self.header(head, input),
            (None, ids::SEGMENT) => self.begin_segment(body, end),
            (None, id) if ids::LEVEL_1.contains(&id) => {
                if !self.segments.is_empty() {
                    input.warn_at(at, format!("{} stands outside of a Segment", ids::name(id).unwrap_or_default()));
                }
                self.begin_segment(at, None);
                return Ok(Step::On);
            }
            (Some(ids::SEGMENT), ids::CLUSTER) => {
                if self.begin_cluster(at, end, input)? {
                    return Ok(Step::On);
                }
            }
            (Some(ids::SEGMENT), ids::ATTACHMENTS) if !self.told => self.levels.push(Level { id: head.id, end }),
            (Some(ids::ATTACHMENTS), ids::ATTACHED_FILE) => {
                self.levels.push(Level { id: head.id, end });
                self.attached.open();
            }
            (Some(ids::ATTACHED_FILE), ids::FILE_DATA) if !head.size.is_some_and(|size| self.attached.keeps(size)) => {
                self.attached.size = head.size.unwrap_or(0);
                return self.pass(head, level, input);
            }
            (Some(ids::SEGMENT), ids::CUES) if self.declared.is_some() => return self.whole(head, level, input),
            (Some(ids::SEGMENT), ids::SEEK_HEAD | ids::INFO | ids::TRACKS | ids::CHAPTERS | ids::TAGS)
            | (Some(ids::ATTACHED_FILE), _)
            | (Some(ids::CLUSTER), ids::TIMESTAMP | ids::SIMPLE_BLOCK | ids::BLOCK_GROUP) => {
                return self.whole(head, level, input);
            }
            (Some(ids::CLUSTER), ids::ENCRYPTED_BLOCK) => {
                if !core::mem::replace(&mut self.encrypted, true) {
                    input.warn_at(at, "encrypted blocks are passed over");
                }
                return self.pass(head, level, input);
            }
            _ => return self.pass(head, level, input),
        }
        input.skip(head.length);
        Ok(Step::On)
    }

    fn begin_segment(&mut self, body: u64, end: Option<u64>) {
        self.levels.clear();
        self.levels.push(Level { id: ids::SEGMENT, end });
        if self.segments.iter().any(|segment| segment.start == body) {
            return;
        }
        if self.segments.len() < MAX_SEGMENTS {
            let shift = self.segments.is_empty().then_some(0);
            self.segments.push(Segment { start: body, shift });
        }
        // Tracks of the segment before do not hold here.
        self.entries.clear();
    }

    /// A cluster begins. Returns whether the demuxer went elsewhere first.
    fn begin_cluster(&mut self, at: u64, end: Option<u64>, input: &mut Input) -> Result<bool> {
        self.first_cluster.get_or_insert(at);
        if self.search.is_none() && self.set_out(at, input)? {
            return Ok(true);
        }
        self.begin_streams(input)?;
        self.cluster = (at, 0);
        self.levels.push(Level { id: ids::CLUSTER, end });
        Ok(false)
    }

    /// Passes over an element.
    fn pass(&mut self, head: Head, level: Option<Level>, input: &mut Input) -> Result<Step> {
        let Some(size) = head.size else { return Ok(self.lose(input)) };
        let end = input.offset().saturating_add(head.length as u64).saturating_add(size);
        let room = level.and_then(|level| level.end);
        let known = ids::name(head.id).is_some();
        let fits = room.map_or(known || size <= MAX_FOREIGN, |room| end <= room || (known && self.levels.len() <= 1));
        if !fits || (level.is_none() && !known) {
            return Ok(self.lose(input));
        }
        if !known && !core::mem::replace(&mut self.foreign, true) {
            input.warn(format!("an element of unknown identifier {:#x} is passed over", head.id));
        }
        input.goto(end)?;
        Ok(Step::On)
    }

    /// Reads an element that is needed whole.
    fn whole(&mut self, head: Head, level: Option<Level>, input: &mut Input) -> Result<Step> {
        let at = input.offset();
        let Some(size) = head.size else { return Ok(self.lose(input)) };
        let end = at.saturating_add(head.length as u64).saturating_add(size);
        let inner = level.filter(|level| level.id != ids::SEGMENT).and_then(|level| level.end);
        if inner.is_some_and(|room| end > room) {
            return Ok(self.lose(input));
        }
        let block = matches!(head.id, ids::SIMPLE_BLOCK | ids::BLOCK_GROUP);
        if size > if block { MAX_BLOCK as u64 } else { MAX_MASTER } {
            if block {
                return Ok(self.lose(input));
            }
            let name = ids::name(head.id).unwrap_or("an element");
            input.warn_at(at, format!("{name} of {size} bytes is passed over: at most {MAX_MASTER} are read"));
            return self.pass(head, level, input);
        }
        let all = head.length.saturating_add(size as usize);
        if input.peek().len() < all {
            return Ok(if input.ended() { self.cut(input) } else { Step::More });
        }
        input.skip(head.length);
        let Some(body) = input.take(size as usize) else { return Ok(Step::More) };
        match head.id {
            ids::SIMPLE_BLOCK => self.simple_block(body, at, input),
            ids::BLOCK_GROUP => self.block_group(&body, at, input),
            ids::TIMESTAMP => self.timestamp(ebml::unsigned(&body)),
            id => self.master(id, &body, at, input),
        }
        Ok(Step::On)
    }

    fn timestamp(&mut self, time: u64) {
        self.cluster.1 = time;
        let nanos = i64::try_from(time.saturating_mul(self.scale.unwrap_or(self.info.scale))).unwrap_or(i64::MAX);
        let shift = self.segment().and_then(|segment| segment.shift).unwrap_or(0);
        self.index.note(Ticks(nanos.saturating_add(shift)), self.cluster.0);
    }

    /// The input ends inside an element: what follows a lie about a size may still be read.
    fn cut(&mut self, input: &mut Input) -> Step {
        if input.peek().is_empty() {
            let missing = self.levels.iter().filter_map(|level| level.end).max();
            if missing.is_some_and(|end| end > input.offset() && end < u64::MAX) && self.visit.is_none() {
                let missing = missing.map(|end| end - input.offset());
                input.remark(Remark::Cut { missing }, "the input ends before the size of its elements says");
            }
            return Step::End;
        }
        self.lose(input)
    }

    fn finish(&mut self, input: &mut Input) -> Result<()> {
        if self.come_back(input)? || self.settle(input)? {
            return Ok(());
        }
        if !self.told {
            self.begin_streams(input)?;
        }
        self.release();
        self.ended = true;
        Ok(())
    }

    /// The segment that holds the cluster.
    fn segment(&self) -> Option<&Segment> {
        let at = self.cluster.0;
        self.segments.iter().rev().find(|segment| segment.start <= at).or(self.segments.first())
    }

    /// Offset of the body of the segment.
    fn body_start(&self) -> u64 {
        self.segment().map_or(0, |segment| segment.start)
    }

    /// Turns the tracks of the segment into streams and returns them.
    fn begin_streams(&mut self, input: &mut Input) -> Result<()> {
        let entries = core::mem::take(&mut self.entries);
        if self.told && entries.is_empty() {
            return Ok(());
        }
        for body in &entries {
            let Some(mut track) = Track::parse(body, self.info.scale) else {
                input.warn("a track without a number, or with ticks that cannot be counted, is passed over");
                continue;
            };
            if track.operation {
                let what = format!("the operation that makes track {} from others is not carried out", track.number);
                input.warn(what);
            }
            for (_, name, value) in self.track_tags.iter().filter(|(uid, ..)| *uid == track.uid) {
                track.info.metadata.set(name.clone(), value.clone());
            }
            let known = self.tracks.iter().position(|known| known.number == track.number);
            match known.and_then(|index| Some((index, self.tracks.get_mut(index)?))) {
                Some((index, known)) => {
                    if known.info != track.info && known.info.codec == track.info.codec {
                        self.queue.push_back(Event::Stream(index, Box::new(track.info.clone())));
                    }
                    *known = track;
                }
                // Streams are counted once: those that a later segment adds have no place among attachments.
                None if self.told => input.warn(format!("track {} is new in a later segment", track.number)),
                None => self.tracks.push(track),
            }
        }
        if self.told {
            return Ok(());
        }
        if self.tracks.is_empty() {
            return Err(Error::malformed("matroska", "no Tracks element that can be read", input.offset()));
        }
        self.told = true;
        if let Some(declared) = &mut self.declared {
            declared.duration = self.info.duration.map(|duration| duration * self.info.scale as f64 / 1e9);
        }
        let infos = self.tracks.iter().map(|track| track.info.clone()).chain(self.attached.streams.drain(..));
        for (index, info) in infos.enumerate() {
            self.queue.push_back(Event::Stream(index, Box::new(info)));
        }
        if !self.metadata.is_empty() {
            self.queue.push_back(Event::Metadata(Box::new(self.metadata.clone())));
        }
        Ok(())
    }

    /// Nanoseconds of a time of a track.
    fn nanos(&self, stream: usize, time: i64) -> i64 {
        let base = self.tracks.get(stream).map_or(TimeBase::MILLIS, |track| track.info.time_base);
        base.rescale(Ticks(time), TimeBase::NANOS, Rounding::Near).0
    }

    fn give(&mut self, packet: Packet) {
        match &mut self.restart {
            Some(restart) => {
                if restart.hold(packet) {
                    self.release();
                }
            }
            None => self.queue.push_back(Event::Packet(packet)),
        }
    }

    /// Gives the packets that were held behind a seek.
    fn release(&mut self) {
        let held = self.restart.take().map(|restart| restart.release());
        self.queue.extend(held.into_iter().flatten().map(Event::Packet));
    }
}

/// Most segments that are told apart.
const MAX_SEGMENTS: usize = 1024;
