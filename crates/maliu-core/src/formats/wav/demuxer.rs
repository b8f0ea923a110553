//! Chunks → one stream, its tags, and packets of its data.

use alloc::{boxed::Box, collections::VecDeque};
use core::{num::NonZeroU32, task::Poll};

use bytes::Bytes;

use super::{
    container::{Chunk, Container, Start},
    content::{self, Content},
    units::{self, Unit, Units},
};
use crate::{
    error::{Error, Result},
    format::{Demuxer, Event},
    input::Input,
    packet::{Flags, Packet},
    remark::Remark,
    stream::{Audio, Media, Metadata, StreamInfo},
    syntax::{
        id3v2,
        riff::{self, WaveFormat},
        tags::{Step, Tags},
    },
    time::{Rounding, Ticks, TimeBase},
    timing::{index::SeekIndex, samples::exact_bits},
};

/// Most bytes of a chunk other than the data that are read; the rest is passed over.
const MAX_CHUNK: usize = 256 << 10;

/// Where a data chunk's body stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Data {
    start: u64,
    /// `u64::MAX` when only the end of the input ends it.
    end: u64,
    /// Where the chunk behind it stands.
    next: u64,
}

enum State {
    /// Before the first mark; tags may stand there.
    Start,
    /// At a chunk's header.
    Chunks,
    /// At the front of the data, which decides what the stream is.
    Judge(Data),
    /// In the body of a data chunk.
    Data(Data),
    End,
}

pub(super) struct Wav {
    state: State,
    container: Container,
    /// Offset of the first mark: chunks are padded to even distances from it, whatever tags stand in front.
    origin: u64,
    format: Option<WaveFormat>,
    tags: Tags,
    metadata: Metadata,
    told: Metadata,
    /// data and sample count of a `ds64` chunk.
    long_sizes: Option<(u64, u64)>,
    /// Samples as a `fact` chunk says.
    fact: u64,
    /// Kind of the data where it differs from the one that the format names.
    content: Option<Content>,
    /// The data chunk found while the chunks behind it are read ahead.
    found: Option<Data>,
    stream: Option<Described>,
    pending: VecDeque<Event>,
    /// Time of the next packet, in samples.
    time: Ticks,
    junk: Option<u64>,
    index: SeekIndex,
    seek: Option<Ticks>,
    /// Time and offset of the packet that was met last.
    last: Option<(Ticks, u64)>,
    duration: Option<Ticks>,
}

/// The stream once it was described.
#[derive(Clone, Copy)]
struct Described {
    time_base: TimeBase,
    units: Units,
    /// The data chunk in which seeking works.
    data: Data,
}

impl Wav {
    pub(super) fn new() -> Self {
        Self {
            state: State::Start,
            container: Container::Rf64,
            origin: 0,
            format: None,
            tags: Tags::default(),
            metadata: Metadata::default(),
            told: Metadata::default(),
            long_sizes: None,
            fact: 0,
            content: None,
            found: None,
            stream: None,
            pending: VecDeque::new(),
            time: Ticks(0),
            junk: None,
            index: SeekIndex::default(),
            seek: None,
            last: None,
            duration: None,
        }
    }

    /// Reads tags and marks at the very start. Returns whether more bytes are needed.
    fn start(&mut self, input: &mut Input) -> Result<bool> {
        match Container::of(input.peek()) {
            Start::Known(container, size) => {
                self.container = container;
                self.origin = input.offset();
                input.skip(size);
                self.state = State::Chunks;
                return Ok(false);
            }
            Start::More if !input.ended() => return Ok(true),
            _ => {}
        }
        match self.tags.poll(input) {
            Step::Taken => {
                self.metadata = self.tags.metadata().clone();
                Ok(false)
            }
            Step::NeedBytes => Ok(true),
            Step::None => Err(Error::malformed("wav", "no RIFF, RF64 or Wave64 mark", input.offset())),
        }
    }

    /// Reads one chunk. Returns whether more bytes are needed.
    fn chunk(&mut self, input: &mut Input) -> Result<bool> {
        let at = input.offset();
        let past_end = input.size().is_some_and(|size| at >= size);
        let Some(chunk) = self.container.chunk(input.peek(), at.saturating_sub(self.origin)).filter(|_| !past_end)
        else {
            let short = input.peek().len() < self.container.chunk_header();
            if short && !input.ended() && !past_end {
                return Ok(true);
            }
            return self.no_more_chunks(input).map(|()| false);
        };
        let body_at = at.saturating_add(chunk.header as u64);
        if &chunk.id == b"data" {
            let data = self.data(&chunk, body_at, input);
            return self.enter(data, input).map(|()| false);
        }
        let wanted = matches!(&chunk.id, b"fmt " | b"ds64" | b"fact" | b"LIST" | b"bext" | b"id3 " | b"ID3 ");
        if wanted {
            let size = chunk.size.min(MAX_CHUNK as u64) as usize;
            let body = input.peek().get(chunk.header..).unwrap_or_default();
            if body.len() < size && !input.ended() {
                return Ok(true);
            }
            let body = Bytes::copy_from_slice(body.get(..size).unwrap_or(body));
            self.read(&chunk, &body, body_at)?;
        }
        input.goto(body_at.saturating_add(chunk.padded))?;
        Ok(false)
    }

    /// Reads the body of a chunk that is not data.
    fn read(&mut self, chunk: &Chunk, body: &[u8], at: u64) -> Result<()> {
        let order = self.container.order();
        match &chunk.id {
            b"fmt " if self.format.is_none() => {
                let format = WaveFormat::parse(body, order).filter(|format| format.sample_rate > 0);
                let format = format.filter(|format| format.sample_rate <= i32::MAX as u32 && format.channels > 0);
                let what = "a fmt chunk that is cut, or without rate or channels";
                self.format = Some(format.ok_or_else(|| Error::malformed("wav", what, at))?);
            }
            b"ds64" if self.container == Container::Rf64 => {
                self.long_sizes = order.u64(body, 8).zip(order.u64(body, 16));
            }
            b"fact" if self.container == Container::Wave64 => self.fact = order.u64(body, 0).unwrap_or(0),
            b"fact" if self.fact == 0 => self.fact = order.u32(body, 0).unwrap_or(0).into(),
            b"LIST" => riff::tags::read_list(body, order, &mut self.metadata),
            b"bext" => riff::tags::read_bext(body, &mut self.metadata),
            b"id3 " | b"ID3 " => id3v2::read(body, &mut self.metadata),
            _ => {}
        }
        Ok(())
    }

    /// Where the body of a data chunk ends, whatever live recorders write.
    fn data(&self, chunk: &Chunk, start: u64, input: &mut Input) -> Data {
        let long = self.long_sizes.map(|(data, _)| data).filter(|size| *size > 0);
        let size = match (self.container, chunk.size) {
            (Container::Rf64, size) => long.unwrap_or(if size == u64::from(u32::MAX) { 0 } else { size }),
            (Container::Riff(_), 0xffff_ffff) => 0,
            (_, size) => size,
        };
        if size == 0 {
            input.remark(Remark::NoSize, "data chunk without a size: it goes on to the end of the input");
        }
        let end = if size == 0 { u64::MAX } else { start.saturating_add(size) };
        let padding = if size == chunk.size { chunk.padded - chunk.size } else { end.saturating_sub(self.origin) & 1 };
        Data { start, end, next: end.saturating_add(padding) }
    }

    /// Begins to read a data chunk, or looks behind it first when that costs no more than a jump.
    fn enter(&mut self, data: Data, input: &mut Input) -> Result<()> {
        let ahead = self.stream.is_none() && input.is_seekable() && input.size().is_some_and(|size| data.next < size);
        if ahead {
            self.found = Some(data);
            return input.goto(data.next);
        }
        input.goto(data.start)?;
        self.state = State::Judge(data);
        Ok(())
    }

    /// Describes the stream, behind a look at its data where that is needed. Returns whether more bytes are needed.
    fn judge(&mut self, data: Data, input: &mut Input) -> Result<bool> {
        let doubtful = self.stream.is_none() && self.format.as_ref().is_some_and(content::is_doubtful);
        if let Some(format) = self.format.as_ref().filter(|_| doubtful) {
            let size = usize::try_from(data.end - data.start).unwrap_or(usize::MAX).min(content::LOOK);
            let seen = input.peek();
            if seen.len() < size && !input.ended() {
                return Ok(true);
            }
            self.content = content::of(format, seen.get(..size).unwrap_or(seen));
            if let Some(content) = self.content {
                input.warn(content.remark);
            }
        }
        self.describe(data, input)?;
        self.state = State::Data(data);
        Ok(false)
    }

    /// The chunks are over: back to the data that was found, or the end.
    fn no_more_chunks(&mut self, input: &mut Input) -> Result<()> {
        match (self.found.take(), self.stream.is_some()) {
            (Some(data), false) => {
                input.goto(data.start)?;
                self.state = State::Judge(data);
            }
            (_, true) => self.state = State::End,
            (None, false) => return Err(Error::malformed("wav", "no data chunk", input.offset())),
        }
        Ok(())
    }

    /// Queues tags and the stream.
    fn describe(&mut self, data: Data, input: &Input) -> Result<()> {
        self.tell();
        if self.stream.is_some() {
            return Ok(());
        }
        let Some(format) = &self.format else {
            return Err(Error::malformed("wav", "no fmt chunk before the data", data.start));
        };
        let time_base = TimeBase::hz(format.sample_rate);
        let drop_sign = self.content.is_some_and(|content| content.drop_sign);
        // Of four bytes three are left where the sign is dropped.
        let kept = |bytes: u32| if drop_sign { bytes / 4 * 3 } else { bytes };
        let audio = Audio {
            channel_mask: format.channel_mask.unwrap_or(0),
            bits_per_sample: format.bits_per_sample,
            block_align: kept(format.block_align.into()),
            ..Audio::new(format.sample_rate, format.channels)
        };
        let codec = self.content.map_or(format.codec(), |content| content.codec);
        let mut stream = StreamInfo::new(codec, time_base, Media::Audio(audio));
        let named = matches!(codec.name().as_bytes(), [b'p', b'c', b'm', ..]) || self.content.is_none();
        stream.codec_tag = NonZeroU32::new(format.tag.into()).filter(|_| named);
        stream.config = Bytes::copy_from_slice(&format.extra);
        stream.bit_rate = Some(u64::from(kept(format.bytes_per_second)) * 8).filter(|rate| *rate > 0);
        self.duration = self.count(format, data, input).and_then(|count| i64::try_from(count).ok()).map(Ticks);
        stream.duration = self.duration;
        self.stream = Some(Described { time_base, units: Units::of(format), data });
        self.pending.push_back(Event::Stream(0, Box::new(stream)));
        Ok(())
    }

    /// Samples per channel of the whole file, as far as sizes and `fact` say it.
    fn count(&self, format: &WaveFormat, data: Data, input: &Input) -> Option<u64> {
        let size = Some(data.end - data.start).filter(|_| data.end < u64::MAX);
        let channels = u64::from(format.channels);
        let whole = size.filter(|_| input.size().is_none_or(|all| data.end <= all));
        let bits = exact_bits(format.codec()).unsigned_abs();
        if let Some(size) = whole.filter(|_| bits > 0) {
            return Some(size.saturating_mul(8) / (channels * bits));
        }
        let said = self.long_sizes.map_or(0, |(_, count)| count).max(self.fact);
        let bits_each = size.unwrap_or(0).saturating_mul(8).checked_div(said)? / channels;
        (bits_each <= u64::from(format.bits_per_sample) + 1).then_some(said)
    }

    /// Queues the tags if they changed.
    fn tell(&mut self) {
        if self.metadata != self.told {
            self.told = self.metadata.clone();
            self.pending.push_back(Event::Metadata(Box::new(self.told.clone())));
        }
    }

    /// There is no further packet in the data: on to the chunk behind it, or back to the last packet if a later time is
    /// wanted. `left` bytes of the data were declared and are missing.
    fn run_out(&mut self, data: Data, left: usize, input: &mut Input) {
        if let Some((time, at)) = self.seek.take().and(self.last.take()).filter(|(_, at)| input.goto(*at).is_ok()) {
            (self.time, self.last) = (time, Some((time, at)));
            return;
        }
        self.state = State::End;
        if left == 0 && input.goto(data.next).is_ok() {
            self.state = State::Chunks;
        }
        if left > 0 && data.end < u64::MAX {
            input.remark(Remark::Cut { missing: None }, "data chunk cut short by the end of the input");
        }
    }

    /// Queues the packet at the front of the data. Returns whether more bytes are needed.
    fn packet(&mut self, data: Data, input: &mut Input) -> bool {
        let (Some(stream), Some(format)) = (self.stream, &self.format) else { return false };
        let left = usize::try_from(data.end.saturating_sub(input.offset())).unwrap_or(usize::MAX);
        let seen = input.peek().get(..left).unwrap_or(input.peek());
        let last = seen.len() == left || input.ended();
        if seen.is_empty() {
            if last {
                self.run_out(data, left, input);
            }
            return !last;
        }
        let size = match stream.units.next(seen, last) {
            Unit::More => return true,
            Unit::Junk(size) => {
                self.junk.get_or_insert(input.offset());
                input.skip(size);
                return false;
            }
            Unit::Packet(size) => size,
        };
        let (at, time) = (input.offset(), self.time);
        if let Some(junk) = self.junk.take() {
            let bytes = at.saturating_sub(junk);
            input.remark_at(
                junk,
                Remark::Junk { bytes: Some(bytes) },
                alloc::format!("skipped {bytes} bytes that are not a frame"),
            );
        }
        let Some(data) = input.take(size) else { return true };
        let samples = units::samples(format, &data).map(|count| Ticks(i64::try_from(count).unwrap_or(i64::MAX)));
        let duration = samples.unwrap_or_default();
        if input.is_seekable() {
            self.index.note(time, at);
        }
        self.last = Some((time, at));
        self.time += duration;
        if self.seek.is_some_and(|to| samples.is_some() && time + duration <= to) {
            return false;
        }
        self.seek = None;
        let data = match self.content {
            Some(Content { drop_sign: true, .. }) => content::without_sign(&data),
            _ => data,
        };
        let time = samples.map(|_| time);
        let packet = Packet {
            pts: time,
            dts: time,
            duration: samples,
            flags: Flags::KEY,
            position: Some(at),
            data,
            ..Packet::default()
        };
        self.pending.push_back(Event::Packet(packet));
        false
    }
}

impl Demuxer for Wav {
    fn poll(&mut self, input: &mut Input) -> Result<Poll<Event>> {
        loop {
            if let Some(event) = self.pending.pop_front() {
                return Ok(Poll::Ready(event));
            }
            let need = match self.state {
                State::Start => self.start(input)?,
                State::Chunks => self.chunk(input)?,
                State::Judge(data) => self.judge(data, input)?,
                State::Data(data) => self.packet(data, input),
                State::End => {
                    self.tell();
                    match self.pending.pop_front() {
                        Some(event) => return Ok(Poll::Ready(event)),
                        None => return Ok(Poll::Ready(Event::End)),
                    }
                }
            };
            if need {
                return Ok(Poll::Pending);
            }
        }
    }

    fn reads_tags(&self) -> bool {
        true
    }

    fn seek(&mut self, to: Ticks, base: TimeBase, input: &mut Input) -> Result<()> {
        let (Some(stream), Some(format)) = (self.stream, &self.format) else {
            return Err(Error::unsupported("seeking before the data was reached"));
        };
        let to = base.rescale(to, stream.time_base, Rounding::Down).max(Ticks(0));
        let point = match stream.units {
            Units::Fixed(size) => {
                let block = alloc::vec![0; size];
                let samples = units::samples(format, &block).filter(|count| *count > 0);
                let samples = samples
                    .ok_or_else(|| Error::unsupported("seeking in data whose number of samples is not known"))?;
                let end = stream.data.end.min(input.size().unwrap_or(u64::MAX));
                let last = end.saturating_sub(stream.data.start).saturating_sub(1) / size as u64;
                let packet = (to.0 as u64 / samples).min(last);
                let time = i64::try_from(packet.saturating_mul(samples)).unwrap_or(i64::MAX);
                Some((Ticks(time), stream.data.start.saturating_add(packet.saturating_mul(size as u64))))
            }
            _ => self.index.before(to).filter(|(time, _)| to < self.time || *time > self.time),
        };
        if let Some((time, at)) = point {
            input.goto(at)?;
            self.time = time;
        } else if to < self.time && !input.is_seekable() {
            return Err(Error::NotSeekable { wanted: stream.data.start, oldest: input.offset() });
        }
        self.state = State::Data(stream.data);
        self.junk = None;
        self.pending.retain(|event| !matches!(event, Event::Packet(_)));
        self.seek = Some(to).filter(|_| !matches!(stream.units, Units::Fixed(_)));
        Ok(())
    }

    fn duration(&self) -> Option<(Ticks, TimeBase)> {
        Some((self.duration?, self.stream?.time_base))
    }
}

#[cfg(test)]
mod tests;
