//! The queue that brings packets of several streams into the order of their dts (WF-41…WF-49), bounded in time and
//! bytes.
//!
//! ```text
//!   push ─▶ [v0][a0][a1][v1][a2]… ─▶ pop: the head, once every stream has something waiting
//!            └────── per stream: its newest ──────┘   or the queue spans more than max_delta
//! ```

use alloc::{format, vec::Vec};

use super::explain::{At, Notes};
use crate::{
    account::Account,
    packet::{Flags, Packet},
    stream::{Codec, Kind, StreamInfo},
    time::{Rounding, Ticks, TimeBase},
};

pub(crate) mod chunk;
mod list;

use chunk::Chunks;
use list::{Index, List};

/// Most bytes of memory that wait, whatever `max_delta` says; beyond, the head is written.
pub(crate) const MAX_BYTES: usize = 64 << 20;

/// Most packets that wait.
pub(crate) const MAX_PACKETS: usize = 1 << 17;

/// Longest span of dts that waits, in µs, when `max_delta` sets no shorter one.
pub const MAX_SPAN: i64 = 600_000_000;

/// How packets are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub(crate) struct Options {
    /// Longest span of dts that waits for a stream without packets, in µs; 0 waits up to [`MAX_SPAN`].
    pub max_delta: i64,
    /// By how much audio is written ahead of video, in µs.
    pub audio_preload: i64,
    /// Longest chunk of one stream, in µs; 0 for none.
    pub chunk_duration: i64,
    /// Largest chunk of one stream, in bytes; 0 for none.
    pub chunk_size: i64,
    /// Drop what comes later than the first stream's end (`fflags shortest`).
    pub shortest: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { max_delta: 10_000_000, audio_preload: 0, chunk_duration: 0, chunk_size: 0, shortest: false }
    }
}

/// Facts that a packet is ordered by.
#[derive(Debug)]
struct Waiting {
    stream: usize,
    dts: i64,
    micros: i64,
    /// Whether a chunk begins with it.
    chunk: bool,
    /// Samples per channel, if it is an uncoded frame.
    frame: Option<u32>,
    /// At which turn of the account it came.
    came: u32,
}

/// The queue.
#[derive(Debug)]
pub(crate) struct Order {
    options: Options,
    lanes: Vec<Lane>,
    list: List<Waiting>,
    /// The packets, at the places of the list: they are moved once in and once out.
    packets: Vec<Option<Packet>>,
    /// Samples per channel of the packet that was popped last, if it was an uncoded frame.
    frame: Option<u32>,
    account: Account,
    counted: usize,
    filled: usize,
    picky_empty: usize,
    end: Option<i64>,
}

/// One stream's place in the queue.
#[derive(Debug)]
struct Lane {
    base: TimeBase,
    kind: Kind,
    picky: bool,
    newest: Option<Index>,
    newest_micros: i64,
    taken: u64,
    chunks: Chunks,
}

impl Order {
    /// An empty queue for these streams.
    pub(crate) fn new(options: Options, streams: &[StreamInfo]) -> Self {
        let lanes: Vec<_> = streams.iter().map(|stream| Lane::new(stream, &options)).collect();
        Self {
            options,
            counted: streams.iter().filter(|stream| !stream.takes_no_packets()).count(),
            picky_empty: lanes.iter().filter(|lane| lane.picky).count(),
            lanes,
            list: List::default(),
            packets: Vec::new(),
            frame: None,
            account: Account::default(),
            filled: 0,
            end: None,
        }
    }

    /// Puts a packet, or an uncoded frame, where its dts belongs. A packet of no stream is dropped.
    #[inline(always)]
    pub(crate) fn push(&mut self, mut packet: Packet, frame: Option<u32>) {
        let Some(lane) = self.lanes.get_mut(packet.stream) else { return };
        if lane.chunks.starts(&packet, lane.kind) {
            packet.flags |= Flags::CHUNK;
        }
        let micros = micros(&packet, lane.base);
        if lane.newest.is_none() {
            self.filled += 1;
            self.picky_empty -= usize::from(lane.picky);
        }
        let (stream, newest) = (packet.stream, lane.newest);
        lane.newest_micros = micros;
        if self.account.turn() {
            self.detach_stale();
        }
        self.account.add(&packet);
        let (dts, chunk) = (dts(&packet), packet.flags.has(Flags::CHUNK));
        let waiting = Waiting { stream, dts, micros, chunk, frame, came: self.account.now() };
        let behind = self.place(newest, &waiting);
        let index = self.list.insert(behind, waiting);
        match self.packets.get_mut(index as usize) {
            Some(place) => *place = Some(packet),
            None => self.packets.push(Some(packet)),
        }
        if let Some(lane) = self.lanes.get_mut(stream) {
            lane.newest = Some(index);
        }
    }

    /// The next packet to write, if one may be written; with `drain` all come, one by one (WF-45…WF-48).
    #[inline]
    pub(crate) fn pop(&mut self, drain: bool, notes: &mut Notes) -> Option<Packet> {
        let mut release = drain || self.counted == self.filled;
        if self.filled == 0 {
            return None;
        }
        let span = if release { 0 } else { self.span() };
        if !release && (self.overdue(span) || self.full(span)) {
            release = true;
            notes.fire("WF-46", self.head_at(), || {
                format!(
                    "written although a stream has nothing waiting: {span} µs and {} bytes wait",
                    self.account.bytes()
                )
            });
        }
        if drain && self.options.shortest && self.end.is_none() {
            self.end = self.list.head().map(|head| head.micros);
        }
        if let Some(end) = self.end {
            while self.list.head().is_some_and(|head| head.micros > end.saturating_add(1)) {
                notes.fire("WF-48", self.head_at(), || {
                    format!("dropped: it comes after {end} µs, where the shortest stream ends")
                });
                self.take_head();
                release = false;
            }
        }
        if release { self.take_head() } else { None }
    }

    /// Samples per channel of the packet that was popped last, if it was an uncoded frame.
    pub(crate) fn frame(&self) -> Option<u32> {
        self.frame
    }

    /// Packets of the queue, in order.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = &Packet> {
        self.list.places().filter_map(|place| self.packets.get(place as usize)?.as_ref())
    }

    /// Packets that wait.
    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// Bytes of memory that wait.
    pub(crate) fn bytes(&self) -> usize {
        self.account.bytes()
    }

    /// Bytes of packets passed by that did not get here, and may share buffers with those that wait.
    pub(crate) fn pass(&mut self, bytes: usize) {
        self.account.pass(bytes);
    }

    /// Behind which element a packet goes; `None` for the front (WF-41). Never before its stream's newest one.
    fn place(&self, newest: Option<Index>, packet: &Waiting) -> Option<Index> {
        let Some(mut next) = self.list.after(newest) else { return self.list.tail() };
        let in_chunk = self.chunked() && !packet.chunk;
        if in_chunk {
            return newest;
        }
        let tail = self.list.tail();
        if !tail.and_then(|tail| self.list.at(tail)).is_some_and(|tail| self.sorts_after(tail, packet)) {
            return tail;
        }
        let mut behind = newest;
        while let Some(element) = self.list.at(next) {
            let skipped = self.chunked() && !element.chunk;
            if !skipped && self.sorts_after(element, packet) {
                return behind;
            }
            behind = Some(next);
            match self.list.after(behind) {
                Some(following) => next = following,
                None => break,
            }
        }
        tail
    }

    /// Whether `next` comes after `packet` (WF-42, WF-43); equal times go by stream index.
    fn sorts_after(&self, next: &Waiting, packet: &Waiting) -> bool {
        let (a, b) = (self.lane(next), self.lane(packet));
        let (a_dts, b_dts) = (next.dts, packet.dts);
        let preload = self.options.audio_preload;
        let ahead = |lane: &Lane| if lane.kind == Kind::Audio { preload } else { 0 };
        let order = if preload > 0 && (a.kind == Kind::Audio) != (b.kind == Kind::Audio) {
            let rough = (next.micros.saturating_sub(ahead(a))).cmp(&packet.micros.saturating_sub(ahead(b)));
            rough.then_with(|| exact(a_dts, a.base, ahead(a)).cmp_over(exact(b_dts, b.base, ahead(b))))
        } else if a.base == b.base {
            a_dts.cmp(&b_dts)
        } else {
            TimeBase::compare(Ticks(a_dts), a.base, Ticks(b_dts), b.base)
        };
        order.then(next.stream.cmp(&packet.stream)).is_gt()
    }

    fn lane(&self, waiting: &Waiting) -> &Lane {
        self.lanes.get(waiting.stream).unwrap_or(&NO_LANE)
    }

    fn chunked(&self) -> bool {
        self.options.chunk_size > 0 || self.options.chunk_duration > 0
    }

    /// WF-46. An empty VP8 or VP9 stream is waited for: its invisible frames have no packets of their own.
    fn overdue(&self, span: i64) -> bool {
        self.options.max_delta > 0 && self.picky_empty == 0 && span > self.options.max_delta
    }

    fn full(&self, span: i64) -> bool {
        self.account.bytes() > MAX_BYTES || self.list.len() > MAX_PACKETS || span > MAX_SPAN
    }

    /// From the head to the newest packet of any stream, in µs.
    fn span(&self) -> i64 {
        let Some(head) = self.list.head() else { return 0 };
        let newest = self.lanes.iter().filter(|lane| lane.newest.is_some()).map(|lane| lane.newest_micros).max();
        newest.map_or(0, |newest| newest.saturating_sub(head.micros))
    }

    fn head_at(&self) -> At {
        let stream = self.list.head().map_or(0, |head| head.stream);
        At { stream, packet: self.lanes.get(stream).map_or(0, |lane| lane.taken) }
    }

    #[inline(always)]
    fn take_head(&mut self) -> Option<Packet> {
        let (index, waiting) = self.list.take_head()?;
        let place = self.packets.get_mut(index as usize)?;
        self.account.remove(place.as_ref()?);
        self.frame = waiting.frame;
        let lane = self.lanes.get_mut(waiting.stream)?;
        lane.taken = lane.taken.saturating_add(1);
        if lane.newest == Some(index) {
            lane.newest = None;
            self.filled -= 1;
            self.picky_empty += usize::from(lane.picky);
        }
        if self.list.len() == 0 && self.packets.len() > list::MOST_SPARE {
            return core::mem::take(&mut self.packets).get_mut(index as usize)?.take();
        }
        self.packets.get_mut(index as usize)?.take()
    }
}

impl Order {
    /// Packets that have waited while much went by share their buffers with what went: they let go of them.
    #[cold]
    fn detach_stale(&mut self) {
        let (account, packets) = (self.account, &mut self.packets);
        self.list.for_each_mut(|place, waiting| {
            if account.is_stale(waiting.came) {
                // Copied once is enough.
                waiting.came = u32::MAX;
                packets.get_mut(place as usize).into_iter().flatten().for_each(Packet::detach);
            }
        });
    }
}

const NO_LANE: Lane = Lane {
    base: TimeBase::SECONDS,
    kind: Kind::Data,
    picky: false,
    newest: None,
    newest_micros: 0,
    taken: 0,
    chunks: Chunks::NONE,
};

impl Lane {
    fn new(stream: &StreamInfo, options: &Options) -> Self {
        Self {
            base: stream.time_base,
            kind: stream.media.kind(),
            picky: matches!(stream.codec, Codec::Vp8 | Codec::Vp9),
            newest: None,
            newest_micros: 0,
            taken: 0,
            chunks: Chunks::new(options.chunk_size, options.chunk_duration, stream.time_base),
        }
    }
}

fn dts(packet: &Packet) -> i64 {
    packet.dts.map_or(i64::MIN, |dts| dts.0)
}

fn micros(packet: &Packet, base: TimeBase) -> i64 {
    base.rescale(Ticks(dts(packet)), TimeBase::MICROS, Rounding::Near).0
}

/// A dts less a head start in µs, as an exact fraction of a second.
struct Exact {
    num: i128,
    den: i128,
}

fn exact(dts: i64, base: TimeBase, ahead: i64) -> Exact {
    let den = i128::from(base.den.get());
    let num = i128::from(dts) * i128::from(base.num.get()) * 1_000_000 - i128::from(ahead) * den;
    Exact { num, den }
}

impl Exact {
    fn cmp_over(self, other: Self) -> core::cmp::Ordering {
        self.num.saturating_mul(other.den).cmp(&other.num.saturating_mul(self.den))
    }
}
