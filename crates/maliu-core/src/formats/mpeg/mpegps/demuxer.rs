//! Packs → events.

use alloc::{boxed::Box, collections::VecDeque, format, vec::Vec};
use core::task::Poll;

use bytes::Bytes;

use super::{
    super::{
        kinds,
        search::{Bisect, Landing, Seeks},
        track::{Mark, Remarks, Track},
        types::substream,
    },
    map::StreamMap,
};
use crate::{
    error::{Error, Result},
    format::{Demuxer, Event},
    input::Input,
    remark::Remark,
    stream::Codec,
    syntax::{
        annexb::StartCodes,
        pes::{self, Parsed, PesHeader},
    },
    time::{Ticks, TimeBase},
    timing::turns::Turns,
};

/// Most streams that are followed.
const MAX_TRACKS: usize = 64;

/// Bytes of a stream that are looked at for its codec before it counts as what its stream_id usually is.
const MAX_GUESS: usize = 16 << 10;

/// Most bytes of a packet that does not say its length.
const MAX_OPEN: usize = 1 << 20;

/// Most bytes of units under way, of all streams together.
const MAX_PENDING: usize = 64 << 20;

const PACK: u8 = 0xba;
const END: u8 = 0xb9;

/// Reads a program stream.
pub(super) struct Program {
    map: StreamMap,
    pub(super) tracks: Vec<Stream>,
    /// Streams that were announced.
    streams: usize,
    pub(super) clock: Turns,
    pub(super) queue: VecDeque<Event>,
    remarks: Remarks,
    pub(super) codes: StartCodes,
    /// A packet was read.
    begun: bool,
    /// Bytes that are no packet are passed over since here.
    pub(super) junk: Option<u64>,
    pub(super) flushed: bool,
    /// Offset of the first packet, and the first time in it.
    pub(super) first: Option<u64>,
    pub(super) first_time: Option<Ticks>,
    /// Looking for a time.
    pub(super) search: Option<Bisect>,
    /// Bytes up to the next pack are passed over without a remark: a seek may have gone to the middle of one.
    pub(super) aligns: bool,
    /// A seek has found its place but no keyframe yet.
    pub(super) landing: Option<Landing>,
}

/// A stream by its stream_id, or of private stream 1 by its substream.
pub(super) struct Stream {
    id: u8,
    sub: Option<u8>,
    pub(super) track: Track,
}

impl Default for Program {
    fn default() -> Self {
        Self {
            map: StreamMap::default(),
            tracks: Vec::new(),
            streams: 0,
            clock: Turns::new(33),
            queue: VecDeque::new(),
            remarks: Remarks::default(),
            codes: StartCodes::default(),
            begun: false,
            junk: None,
            flushed: false,
            first: None,
            first_time: None,
            search: None,
            aligns: false,
            landing: None,
        }
    }
}

impl Program {
    /// Reads the packet at the front. Whether more bytes are needed.
    fn packet(&mut self, input: &mut Input) -> bool {
        let (window, ended) = (input.peek(), input.ended());
        let Some(&[a, b, c, id]) = window.first_chunk() else {
            return if ended { self.skip(window.len(), input) } else { true };
        };
        if [a, b, c] != [0, 0, 1] || id < END || (self.aligns && id != PACK) {
            return self.junk(input);
        }
        let length = match id {
            END => Some(4),
            PACK => pack_length(window),
            _ => self.length(window, ended),
        };
        match length {
            Some(0) => self.junk(input),
            Some(length) if length <= window.len() => {
                self.end_junk(input);
                self.whole(id, length, input)
            }
            _ if !ended => true,
            _ => {
                self.end_junk(input);
                let length = input.peek().len();
                self.whole(id, length, input)
            }
        }
    }

    /// Bytes of the packet at the front; `None` while more bytes must tell.
    fn length(&self, window: &[u8], ended: bool) -> Option<usize> {
        let &[_, _, _, id, l0, l1] = window.first_chunk::<{ pes::START }>()?;
        let length = usize::from(u16::from_be_bytes([l0, l1]));
        if length > 0 || !(0xe0..=0xef).contains(&id) {
            return Some(pes::START + length);
        }
        // Up to the next pack or packet.
        let mut from = pes::START;
        while let Some(at) = self.codes.find(window, from) {
            match window.get(at + 3) {
                Some(END..) => return Some(at),
                None if !ended => return None,
                _ => from = at + 3,
            }
        }
        (ended || window.len() > MAX_OPEN).then_some(window.len())
    }

    /// Takes a packet of `length` bytes. Returns that no bytes are needed.
    fn whole(&mut self, id: u8, length: usize, input: &mut Input) -> bool {
        self.begun = true;
        let at = input.offset();
        self.first.get_or_insert(at);
        let Some(packet) = input.take(length) else { return false };
        match id {
            pes::PROGRAM_STREAM_MAP => self.note_map(&packet),
            pes::PRIVATE_1 | 0xc0..=0xef | 0xfd => self.stream(id, &packet, at),
            _ => {}
        }
        false
    }

    fn note_map(&mut self, packet: &[u8]) {
        let Some(map) = StreamMap::parse(packet).filter(|map| *map != self.map) else { return };
        self.map = map;
        for index in 0..self.tracks.len() {
            let Some(stream) = self.tracks.get(index).filter(|stream| stream.sub.is_none()) else { continue };
            let Some(codec) = self.map.codec(stream.id) else { continue };
            let shown = kinds::info(codec).codec;
            if stream.track.index.is_some() && !kinds::kin(stream.track.info.codec, shown) {
                self.decide(index, codec);
            }
        }
    }

    fn stream(&mut self, id: u8, packet: &[u8], at: u64) {
        let Parsed::Header(header) = pes::parse(packet) else {
            self.remarks.note(at, format!("packet of stream {id:#x} without a readable header"));
            return;
        };
        let all = packet.get(header.size..).unwrap_or_default();
        let Some((sub, codec, payload)) = split(id, all) else { return };
        // A packet that the end of the input cuts short declares more than is there.
        let declared = header.payload.unwrap_or(all.len()).saturating_sub(all.len() - payload.len());
        let Some(index) = self.track(id, sub) else { return };
        let mark = self.mark(&header, declared, at);
        let Some(stream) = self.tracks.get_mut(index) else { return };
        stream.track.begin(mark, &mut self.queue, &mut self.remarks);
        stream.track.push(payload, false, &mut self.queue, &mut self.remarks);
        if stream.track.index.is_none() {
            let held = stream.track.held();
            let codec = codec.or_else(|| self.map.codec(id)).or_else(|| kinds::guess(id, held));
            let usual = (held.len() > MAX_GUESS).then_some(if id < 0xe0 { Codec::Mp2 } else { Codec::Mpeg2Video });
            if let Some(codec) = codec.or(usual) {
                self.decide(index, codec);
            }
        }
        self.bound();
    }

    fn mark(&mut self, header: &PesHeader, payload: usize, position: u64) -> Mark {
        let mut line = |raw: u64| Ticks(self.clock.unroll(raw));
        let dts = header.dts.map(&mut line);
        let pts = header.pts.map(&mut line);
        self.first_time = self.first_time.or(dts).or(pts);
        Mark { pts, dts: dts.or(pts), position, payload: Some(payload), ..Mark::default() }
    }

    /// The track of a stream, made if there is none.
    fn track(&mut self, id: u8, sub: Option<u8>) -> Option<usize> {
        let known = self.tracks.iter().position(|stream| (stream.id, stream.sub) == (id, sub));
        if known.is_some() || self.tracks.len() >= MAX_TRACKS {
            return known;
        }
        let mut track = Track::unknown();
        track.info.id = Some(sub.map_or(0x100 + u32::from(id), u32::from));
        self.tracks.push(Stream { id, sub, track });
        Some(self.tracks.len() - 1)
    }

    fn decide(&mut self, index: usize, codec: Codec) {
        let Some(stream) = self.tracks.get_mut(index) else { return };
        let number = stream.track.index.unwrap_or(self.streams);
        self.streams = self.streams.max(number + 1);
        stream.track.decide(number, codec, &Bytes::new());
        self.queue.push_back(Event::Stream(number, Box::new(stream.track.info.clone())));
        stream.track.release(&mut self.queue, &mut self.remarks);
    }

    /// Drops the unit under way of the stream that holds most, if all hold too much.
    fn bound(&mut self) {
        let all = self.tracks.iter().map(|stream| stream.track.held().len()).fold(0, usize::saturating_add);
        if all > MAX_PENDING
            && let Some(stream) = self.tracks.iter_mut().max_by_key(|stream| stream.track.held().len())
        {
            stream.track.drop_held();
        }
    }

    /// Passes over bytes up to the next start code of a pack or packet. Whether more bytes are needed.
    fn junk(&mut self, input: &mut Input) -> bool {
        self.junk.get_or_insert(input.offset());
        let window = input.peek();
        let mut from = 1;
        loop {
            let Some(at) = self.codes.find(window, from) else {
                // The last three bytes may begin a code.
                let keep = if input.ended() { 0 } else { 3 };
                return self.skip(window.len().saturating_sub(keep), input);
            };
            match window.get(at + 3) {
                Some(&code) if code == PACK || (code >= END && !self.aligns) => {
                    self.skip(at, input);
                    return false;
                }
                None if !input.ended() => return self.skip(at, input),
                _ => from = at + 3,
            }
        }
    }

    /// Passes over bytes; returns that more are needed.
    fn skip(&mut self, count: usize, input: &mut Input) -> bool {
        if count > 0 {
            self.junk.get_or_insert(input.offset());
        }
        input.skip(count);
        true
    }

    fn end_junk(&mut self, input: &Input) {
        let silent = core::mem::take(&mut self.aligns);
        if let Some(from) = self.junk.take().filter(|_| !silent) {
            let count = input.offset().saturating_sub(from);
            let kind = Remark::Junk { bytes: Some(count) };
            self.remarks.note_kind(
                from,
                kind,
                format!("skipped {count} bytes that are not packets of a program stream"),
            );
        }
    }

    fn flush(&mut self, input: &mut Input) {
        self.end_junk(input);
        for index in 0..self.tracks.len() {
            let Some(stream) = self.tracks.get_mut(index) else { return };
            if stream.track.index.is_none()
                && let Some(codec) = kinds::guess(stream.id, stream.track.held())
            {
                self.decide(index, codec);
            }
            if let Some(stream) = self.tracks.get_mut(index) {
                stream.track.end(&mut self.queue, &mut self.remarks);
            }
        }
    }
}

/// Bytes of the pack header at the front: `None` while more bytes are needed, 0 without one.
pub(super) fn pack_length(window: &[u8]) -> Option<usize> {
    let first = window.get(4)?;
    match first >> 6 {
        1 => Some(14 + usize::from(window.get(13)? & 7)),
        0 if first >> 4 == 2 => Some(12),
        _ => Some(0),
    }
}

/// Substream, codec and payload of a packet; `None` for a substream that is not known.
fn split(id: u8, payload: &[u8]) -> Option<(Option<u8>, Option<Codec>, &[u8])> {
    if id != pes::PRIVATE_1 {
        return Some((None, None, payload));
    }
    // AC-3 that some recorders write without a substream.
    if payload.starts_with(&[0x0b, 0x77]) {
        return Some((None, Some(Codec::Ac3), payload));
    }
    let sub = *payload.first()?;
    let (codec, head) = substream(sub)?;
    Some((Some(sub), Some(codec), payload.get(head..)?))
}

impl Demuxer for Program {
    fn poll(&mut self, input: &mut Input) -> Result<Poll<Event>> {
        loop {
            if let Some(event) = self.queue.pop_front() {
                self.remarks.flush(input);
                if !self.passes(&event, input)? {
                    continue;
                }
                return Ok(Poll::Ready(event));
            }
            let dry = match self.search {
                Some(search) => self.halve(search, input)?,
                None => self.packet(input),
            };
            self.remarks.flush(input);
            if !dry || !self.queue.is_empty() {
                continue;
            }
            if !input.ended() {
                self.flushed = false;
                self.tracks.iter_mut().for_each(|stream| stream.track.rest());
                return Ok(Poll::Pending);
            }
            if !input.peek().is_empty() || self.search.is_some() {
                continue;
            }
            if !self.begun {
                return Err(Error::malformed("mpegps", "no pack or packet found", input.offset()));
            }
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
}
