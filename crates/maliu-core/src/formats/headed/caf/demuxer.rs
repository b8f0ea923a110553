//! Chunks → packets.

use alloc::{boxed::Box, collections::VecDeque, format, string::String, vec::Vec};
use core::task::Poll;

use bytes::Bytes;

use super::{
    super::blocks::Blocks,
    FLOAT, FORMATS, LINEAR, LITTLE,
    table::{Place, Table},
};
use crate::{
    error::{Error, Result},
    format::{Demuxer, Event},
    input::Input,
    packet::{Flags, Packet, Trim},
    remark::Remark,
    stream::{Audio, Codec, Media, Metadata, StreamInfo},
    syntax::isobmff::descriptor,
    time::{Rounding, Ticks, TimeBase},
    timing::samples::exact_bits,
};

/// Most bytes of a chunk of facts that are read; the rest is passed over.
const MAX_CHUNK: usize = 256 << 10;

/// Most bytes of a packet table.
const MAX_TABLE: usize = 16 << 20;

/// Most bytes of a packet of blocks, unless one block is larger.
const PACKET: usize = 4096;

/// Most bytes of a packet of the table.
const MAX_PACKET: u64 = 8 << 20;

/// Reads a CAF file.
#[derive(Default)]
pub(super) struct Caf {
    begun: bool,
    facts: Option<Facts>,
    cookie: Bytes,
    table: Option<Table>,
    /// Start and end of the data.
    data: Option<(u64, u64)>,
    state: State,
    metadata: Metadata,
    told: Metadata,
    pending: VecDeque<Event>,
    stream: Option<StreamInfo>,
}

/// The description: the stream, and how its data are cut.
struct Facts {
    stream: StreamInfo,
    /// Bytes and frames of a packet of the file; 0 where they vary.
    bytes: u32,
    frames: u32,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum State {
    #[default]
    Chunks,
    Blocks(Blocks),
    /// Packets of the table.
    Packets(Place),
}

impl Demuxer for Caf {
    fn poll(&mut self, input: &mut Input) -> Result<Poll<Event>> {
        loop {
            if let Some(event) = self.pending.pop_front() {
                return Ok(Poll::Ready(event));
            }
            let polled = match self.state {
                State::Chunks => self.chunk(input)?,
                State::Blocks(blocks) => match blocks.poll(input) {
                    Poll::Pending => Poll::Pending,
                    Poll::Ready(Some(event)) => return Ok(Poll::Ready(event)),
                    Poll::Ready(None) => {
                        self.state = State::Chunks;
                        Poll::Ready(true)
                    }
                },
                State::Packets(place) => self.packet(place, input)?,
            };
            match polled {
                Poll::Pending => return Ok(Poll::Pending),
                Poll::Ready(true) => {}
                Poll::Ready(false) => {
                    self.tell();
                    return Ok(Poll::Ready(self.pending.pop_front().unwrap_or(Event::End)));
                }
            }
        }
    }

    fn seek(&mut self, to: Ticks, base: TimeBase, input: &mut Input) -> Result<()> {
        let Some((stream, (start, _))) = self.stream.as_ref().zip(self.data) else {
            return Err(Error::unsupported("seeking before the data were reached"));
        };
        let to = base.rescale(to, stream.time_base, Rounding::Down);
        match (&self.table, self.blocks()) {
            (_, Some(blocks)) => {
                blocks.seek(to, input)?;
                self.state = State::Blocks(blocks);
            }
            (Some(table), None) => {
                let place = table.find(u64::try_from(to.0).unwrap_or(0));
                input.goto(start.saturating_add(place.at))?;
                self.state = State::Packets(place);
            }
            (None, None) => return Err(Error::unsupported("seeking without a packet table")),
        }
        Ok(())
    }

    fn duration(&self) -> Option<(Ticks, TimeBase)> {
        let stream = self.stream.as_ref()?;
        Some((stream.duration?, stream.time_base))
    }
}

impl Caf {
    /// Reads the mark or one chunk. `false` behind the last one.
    fn chunk(&mut self, input: &mut Input) -> Result<Poll<bool>> {
        let at = input.offset();
        if !self.begun {
            let Some(head) = input.peek().first_chunk::<8>() else {
                let cut = Error::malformed("caf", "no CAF mark", at);
                return if input.ended() { Err(cut) } else { Ok(Poll::Pending) };
            };
            if !head.starts_with(b"caff\0\x01") {
                return Err(Error::malformed("caf", "no CAF mark of version 1", at));
            }
            self.begun = true;
            input.skip(8);
            return Ok(Poll::Ready(true));
        }
        let Some(&[i0, i1, i2, i3, ref size @ ..]) = input.peek().first_chunk::<12>() else {
            return if input.ended() { self.end(at) } else { Ok(Poll::Pending) };
        };
        let (id, size) = ([i0, i1, i2, i3], i64::from_be_bytes(*size));
        let body = at.saturating_add(12);
        if &id == b"data" && self.data.is_none() {
            return self.reach_data(body, size, input);
        }
        let Ok(size) = u64::try_from(size) else {
            return Err(Error::malformed("caf", "a chunk with a size below 0", at));
        };
        let most = if &id == b"pakt" { MAX_TABLE } else { MAX_CHUNK };
        if matches!(&id, b"desc" | b"kuki" | b"info" | b"pakt") {
            let wanted = usize::try_from(size).unwrap_or(usize::MAX).min(most);
            let seen = input.peek().get(12..).unwrap_or_default();
            if seen.len() < wanted && !input.ended() {
                return Ok(Poll::Pending);
            }
            let bytes = Bytes::copy_from_slice(seen.get(..wanted).unwrap_or(seen));
            self.read(id, &bytes, at)?;
        }
        input.goto(body.saturating_add(size))?;
        if &id == b"pakt" {
            self.begin_packets(input)?;
        }
        Ok(Poll::Ready(true))
    }

    /// No chunk follows.
    fn end(&self, at: u64) -> Result<Poll<bool>> {
        let what = match (&self.facts, self.data, &self.stream) {
            (.., Some(_)) => return Ok(Poll::Ready(false)),
            (None, ..) => "no desc chunk",
            (_, None, _) => "no data chunk",
            _ => "packets that vary in size, and no packet table",
        };
        Err(Error::malformed("caf", what, at))
    }

    fn read(&mut self, id: [u8; 4], body: &Bytes, at: u64) -> Result<()> {
        match &id {
            b"desc" if self.facts.is_none() => self.facts = Some(describe(body, at)?),
            b"kuki" => self.cookie = body.clone(),
            b"info" => {
                let mut parts = body.get(4..).unwrap_or_default().split(|byte| *byte == 0);
                while let (Some(key), Some(value)) = (parts.next(), parts.next()) {
                    let key = String::from_utf8_lossy(key).to_lowercase();
                    if !key.is_empty() {
                        self.metadata.set(key, String::from_utf8_lossy(value));
                    }
                }
            }
            b"pakt" if self.table.is_none() => {
                let Some(facts) = &self.facts else { return Err(Error::malformed("caf", "a table before desc", at)) };
                self.table = Table::parse(body, facts.bytes, facts.frames);
            }
            _ => {}
        }
        Ok(())
    }

    /// At the start of the data.
    fn reach_data(&mut self, body: u64, size: i64, input: &mut Input) -> Result<Poll<bool>> {
        if self.facts.is_none() {
            return Err(Error::malformed("caf", "data before the description", input.offset()));
        }
        // Behind the count of edits. A size of -1 lasts to the end.
        let start = body.saturating_add(4);
        let end = u64::try_from(size).map_or(u64::MAX, |size| body.saturating_add(size).max(start));
        self.data = Some((start, end));
        if let Some(blocks) = self.blocks() {
            input.goto(start)?;
            self.announce(blocks.total().map(|total| total.0));
            self.state = State::Blocks(blocks);
            return Ok(Poll::Ready(true));
        }
        if self.table.is_some() {
            self.begin_packets(input)?;
            return Ok(Poll::Ready(true));
        }
        if !input.is_seekable() || end == u64::MAX {
            return Err(Error::unsupported("caf: a packet table behind the data of an input that cannot go back"));
        }
        input.goto(end)?;
        Ok(Poll::Ready(true))
    }

    /// Blocks of a constant number of bytes and frames.
    fn blocks(&self) -> Option<Blocks> {
        let (facts, (start, end)) = (self.facts.as_ref()?, self.data?);
        let block = usize::try_from(facts.bytes).ok().filter(|block| *block > 0 && facts.frames > 0)?;
        Some(Blocks { start, end, block, samples: facts.frames, packet: (PACKET / block).max(1) })
    }

    /// Table and data are known: packets begin.
    fn begin_packets(&mut self, input: &mut Input) -> Result<()> {
        let (Some(table), Some((start, _)), None) = (&self.table, self.data, &self.stream) else { return Ok(()) };
        if self.blocks().is_some() {
            return Ok(());
        }
        let total = i64::try_from(table.total()).ok();
        input.goto(start)?;
        self.announce(total);
        self.state = State::Packets(Place::default());
        Ok(())
    }

    fn announce(&mut self, total: Option<i64>) {
        let Some(facts) = &self.facts else { return };
        let mut stream = facts.stream.clone();
        stream.duration = total.map(Ticks);
        stream.config = config(stream.codec, &self.cookie);
        self.tell();
        self.pending.push_back(Event::Stream(0, Box::new(stream.clone())));
        self.stream = Some(stream);
    }

    /// The next packet of the table.
    fn packet(&mut self, place: Place, input: &mut Input) -> Result<Poll<bool>> {
        let (Some(table), Some((start, end))) = (&self.table, self.data) else { return Ok(Poll::Ready(false)) };
        let Some((row, next)) = table.next(place) else {
            self.state = State::Chunks;
            input.goto(end.min(input.known_end()))?;
            return Ok(Poll::Ready(true));
        };
        let at = start.saturating_add(place.at);
        if row.size > MAX_PACKET || at.saturating_add(row.size) > end {
            return Err(Error::malformed("caf", "a packet that does not fit into the data", at));
        }
        let size = usize::try_from(row.size).unwrap_or(usize::MAX);
        let mut flags = Flags::KEY;
        let data = match input.take(size) {
            Some(data) => data,
            None if !input.ended() => return Ok(Poll::Pending),
            None => {
                input.remark(Remark::Cut { missing: None }, "packet cut short by the end of the input");
                flags |= Flags::CORRUPT;
                self.state = State::Chunks;
                let rest = input.peek().len();
                input.take(rest).unwrap_or_default()
            }
        };
        if !flags.has(Flags::CORRUPT) {
            self.state = State::Packets(next);
        }
        if data.is_empty() {
            return Ok(Poll::Ready(true));
        }
        let ticks = |value: u64| Some(Ticks(i64::try_from(value).unwrap_or(i64::MAX)));
        let mut packet = Packet {
            pts: ticks(place.time),
            dts: ticks(place.time),
            duration: ticks(row.frames),
            flags,
            position: Some(at),
            data,
            ..Packet::default()
        };
        let frames = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
        let begins = frames(u64::from(table.priming).saturating_sub(place.time).min(row.frames));
        let ends = if table.next(next).is_none() { table.remainder.min(frames(row.frames)) } else { 0 };
        packet.side.set_trim(Trim { start: begins, end: ends });
        self.pending.push_back(Event::Packet(packet));
        Ok(Poll::Ready(true))
    }

    fn tell(&mut self) {
        if self.metadata != self.told {
            self.told = self.metadata.clone();
            self.pending.push_back(Event::Metadata(Box::new(self.told.clone())));
        }
    }
}

/// The facts in a `desc` chunk.
fn describe(body: &[u8], at: u64) -> Result<Facts> {
    let wrong = |what| Error::malformed("caf", what, at);
    let Some((rate, rest)) = body.split_first_chunk::<8>() else {
        return Err(wrong("a desc chunk of less than 32 bytes"));
    };
    let Some([kind, flags, bytes, frames, channels, bits]) = rest.as_chunks::<4>().0.first_chunk::<6>() else {
        return Err(wrong("a desc chunk of less than 32 bytes"));
    };
    let [flags, bytes, frames, channels, bits] =
        [flags, bytes, frames, channels, bits].map(|word| u32::from_be_bytes(*word));
    let rate = f64::from_be_bytes(*rate);
    if !(rate >= 1.0 && rate <= f64::from(i32::MAX)) {
        return Err(wrong("a sample rate that is not from 1 to 2147483647 Hz"));
    }
    let rate = (rate + 0.5) as u32;
    let channels = u16::try_from(channels).ok().filter(|channels| (1..=256).contains(channels));
    let channels = channels.ok_or_else(|| wrong("a channel count that is not from 1 to 256"))?;
    let codec = match kind {
        b"lpcm" => LINEAR.iter().find(|row| (row.0, row.1) == (bits, flags & (FLOAT | LITTLE))).map(|row| row.2),
        kind => FORMATS.iter().find(|(row, _)| *row == kind).map(|(_, codec)| *codec),
    };
    let Some(codec) = codec else {
        let name = String::from_utf8_lossy(kind);
        return Err(Error::unsupported(format!("CAF format {name:?} of {bits} bits with flags {flags}")));
    };
    let stored = if kind == b"lpcm" { bits as u16 } else { exact_bits(codec) as u16 };
    let audio = Audio {
        bits_per_sample: if codec == Codec::AdpcmImaQt { 4 } else { stored },
        block_align: bytes,
        frame_size: if exact_bits(codec) > 0 { 0 } else { frames },
        ..Audio::new(rate, channels)
    };
    let mut stream = StreamInfo::new(codec, TimeBase::hz(rate), Media::Audio(audio));
    if exact_bits(codec) > 0 {
        // Samples that are padded to more bytes than they have are another codec.
        let block = u64::from(channels) * u64::from(exact_bits(codec) as u32 / 8);
        if (u64::from(bytes), frames) != (block, 1) {
            return Err(wrong("PCM whose samples do not fill their bytes"));
        }
        stream.bit_rate = Some(block * 8 * u64::from(rate));
    }
    Ok(Facts { stream, bytes, frames })
}

/// The configuration in a cookie.
fn config(codec: Codec, cookie: &Bytes) -> Bytes {
    let found: Option<Vec<u8>> = match codec {
        // A descriptor, with or without the version of the box that it stands in elsewhere.
        Codec::Aac => {
            let versioned = if cookie.first() == Some(&3) { [&[0; 4], &cookie[..]].concat() } else { cookie.to_vec() };
            descriptor::parse(&versioned).map(|found| found.config.to_vec())
        }
        // The configuration alone, or in boxes as older files have it.
        Codec::Alac => {
            let bare = match cookie.get(4..8) {
                Some(b"frma") => cookie.get(24..),
                _ => Some(&cookie[..]),
            };
            let bare = bare.and_then(|bare| bare.get(..24));
            bare.map(|bare| [&[0, 0, 0, 36, b'a', b'l', b'a', b'c', 0, 0, 0, 0][..], bare].concat())
        }
        _ => None,
    };
    found.unwrap_or_default().into()
}
