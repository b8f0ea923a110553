//! Blocks and frames → events, and seeking: by the seek table, then by halves.

use alloc::{boxed::Box, format};
use core::task::Poll;

use super::{
    blocks::Blocks,
    frames::{Found, Frames},
};
use crate::{
    error::{Error, Result},
    format::{Demuxer, Event},
    input::Input,
    packet::{Flags, Packet},
    remark::Remark,
    stream::{Audio, Codec, Media, StreamInfo},
    syntax::flac::Header,
    time::{Rounding, Ticks, TimeBase},
};

/// Bytes between two places below which halving ends.
const NEAR: u64 = 64 << 10;

#[derive(Default)]
pub(super) struct Flac {
    blocks: Blocks,
    frames: Option<Frames>,
    /// Told before the first packet.
    metadata: Option<Event>,
    stream: Option<Event>,
    /// Offset of the first frame.
    first: u64,
    /// The sample behind the last packet.
    end: u64,
    /// Where bytes began that are no frame.
    junk: Option<u64>,
    search: Option<Search>,
}

/// A search for the frame that holds a sample.
#[derive(Clone, Copy)]
struct Search {
    target: u64,
    /// Offsets of a frame at or before it and of one behind it, while halving.
    between: Option<(u64, u64)>,
    /// The place that is looked at.
    middle: u64,
}

impl Flac {
    /// Reads the blocks in front. `None` when they are read.
    fn begin(&mut self, input: &mut Input) -> Result<Option<Poll<Event>>> {
        if self.blocks.poll(input)?.is_pending() {
            return Ok(Some(Poll::Pending));
        }
        let Some((config, facts)) = self.blocks.info.as_ref() else { return Ok(None) };
        let frame_size = if facts.block.0 == facts.block.1 { facts.block.1.into() } else { 0 };
        let audio = Audio { bits_per_sample: facts.bits, frame_size, ..Audio::new(facts.rate, facts.channels) };
        let base = TimeBase::hz(facts.rate);
        let mut info = StreamInfo::new(Codec::Flac, base, Media::Audio(audio)).with_config(config.clone());
        info.start = Some(Ticks(0));
        info.duration = i64::try_from(facts.samples).ok().filter(|samples| *samples > 0).map(Ticks);
        info.check()?;
        self.frames = Some(Frames::new(*facts));
        self.first = input.offset();
        let metadata = core::mem::take(&mut self.blocks.metadata);
        self.metadata = (!metadata.is_empty()).then(|| Event::Metadata(Box::new(metadata)));
        self.stream = Some(Event::Stream(0, Box::new(info)));
        Ok(None)
    }

    /// Bytes that belong to no frame end here.
    fn end_junk(&mut self, input: &mut Input) {
        if let Some(from) = self.junk.take() {
            let bytes = input.offset().saturating_sub(from);
            let what = format!("skipped {bytes} bytes that are no frame");
            input.remark_at(from, Remark::Junk { bytes: Some(bytes) }, what);
        }
    }

    /// The packet of a frame that stands at the front of the input.
    fn packet(&mut self, length: usize, header: &Header, sample: u64, whole: bool, input: &mut Input) -> Packet {
        let at = input.offset();
        let time = Some(Ticks(i64::try_from(sample).unwrap_or(i64::MAX)));
        Packet {
            pts: time,
            dts: time,
            duration: Some(Ticks(header.samples.into())),
            flags: if whole { Flags::KEY } else { Flags::KEY | Flags::CORRUPT },
            position: Some(at),
            data: input.take(length).unwrap_or_default(),
            ..Packet::default()
        }
    }

    /// Goes on with halving: a frame that begins with this sample is the first one behind the middle, or there is none.
    fn halve(&mut self, found: Option<(u64, u64)>, input: &mut Input) -> Result<()> {
        let Some(search) = &mut self.search else { return Ok(()) };
        let Some((low, high)) = search.between else { return Ok(()) };
        let (low, high) = match found {
            Some((sample, at)) if sample <= search.target && at < high => (at, high),
            _ => (low, search.middle.max(low)),
        };
        let middle = low + high.saturating_sub(low) / 2;
        let goes_on = high.saturating_sub(low) > NEAR;
        search.between = goes_on.then_some((low, high));
        search.middle = middle;
        self.go(if goes_on { middle } else { low }, input)
    }

    fn go(&mut self, at: u64, input: &mut Input) -> Result<()> {
        self.junk = None;
        self.frames.iter_mut().for_each(Frames::restart);
        input.goto(at)
    }

    /// Whether a frame is what is sought, or nothing is; else it is passed over or a step of the search.
    fn is_wanted(&mut self, sample: u64, header: &Header, whole: bool, input: &mut Input) -> Result<bool> {
        match self.search {
            Some(Search { between: Some(_), .. }) => {
                let at = input.offset();
                if whole {
                    self.halve(Some((sample, at)), input)?;
                } else {
                    input.skip(1);
                }
                Ok(false)
            }
            Some(search) if sample.saturating_add(header.samples.into()) <= search.target => Ok(false),
            _ => Ok(true),
        }
    }
}

impl Demuxer for Flac {
    fn poll(&mut self, input: &mut Input) -> Result<Poll<Event>> {
        if self.frames.is_none()
            && let Some(poll) = self.begin(input)?
        {
            return Ok(poll);
        }
        if let Some(event) = self.metadata.take().or_else(|| self.stream.take()) {
            return Ok(Poll::Ready(event));
        }
        loop {
            let Some(frames) = &mut self.frames else { return Ok(Poll::Pending) };
            let found = frames.next(input.peek(), input.ended());
            match found {
                Found::More => return Ok(Poll::Pending),
                Found::Junk(bytes) => {
                    let is_quiet = self.search.is_some();
                    if !is_quiet {
                        self.junk.get_or_insert(input.offset());
                    }
                    input.skip(bytes);
                }
                Found::Tag(bytes) => {
                    self.end_junk(input);
                    input.skip(bytes);
                }
                Found::End if self.search.is_some_and(|search| search.between.is_some()) => self.halve(None, input)?,
                Found::End => {
                    self.end_junk(input);
                    return Ok(Poll::Ready(Event::End));
                }
                Found::Frame { length, header, whole, cut } => {
                    let sample = frames.sample(&header);
                    let before = input.offset();
                    if !self.is_wanted(sample, &header, whole, input)? {
                        if self.search.is_some_and(|search| search.between.is_none()) && input.offset() == before {
                            input.skip(length);
                        }
                        continue;
                    }
                    self.search = None;
                    self.end = sample.saturating_add(header.samples.into());
                    self.end_junk(input);
                    match (whole, cut) {
                        (true, _) => {}
                        (_, true) => input.remark(Remark::Cut { missing: None }, "last frame is cut short"),
                        _ => input.remark(Remark::Other, format!("frame of sample {sample} has a wrong CRC-16")),
                    }
                    let packet = self.packet(length, &header, sample, whole, input);
                    return Ok(Poll::Ready(Event::Packet(packet)));
                }
            }
        }
    }

    fn seek(&mut self, to: Ticks, base: TimeBase, input: &mut Input) -> Result<()> {
        let Some((_, facts)) = self.blocks.info.as_ref().filter(|_| self.frames.is_some()) else {
            return Err(Error::unsupported("flac: seeking before the first frame"));
        };
        let target = base.rescale(to, TimeBase::hz(facts.rate), Rounding::Down).0;
        let last = facts.samples.checked_sub(1).unwrap_or(u64::MAX);
        let target = u64::try_from(target).unwrap_or(0).min(last);
        if !input.is_seekable() {
            if target < self.end {
                return Err(Error::NotSeekable { wanted: self.first, oldest: input.offset() });
            }
            self.search = Some(Search { target, between: None, middle: 0 });
            return Ok(());
        }
        let end = input.size().unwrap_or(self.first);
        let place = |offset: u64| self.first.saturating_add(offset).min(end);
        let points = &self.blocks.points;
        let behind = points.partition_point(|(sample, _)| *sample <= target);
        let low = behind.checked_sub(1).and_then(|at| points.get(at)).map_or(self.first, |(_, offset)| place(*offset));
        let high = points.get(behind).map_or(end, |(_, offset)| place(*offset)).max(low);
        let halves = high - low > NEAR && target > 0;
        let middle = low + (high - low) / 2;
        self.search = Some(Search { target, between: halves.then_some((low, high)), middle });
        self.go(if halves { middle } else { low }, input)
    }

    fn duration(&self) -> Option<(Ticks, TimeBase)> {
        let (_, facts) = self.blocks.info.as_ref()?;
        let samples = i64::try_from(facts.samples).ok().filter(|samples| *samples > 0)?;
        Some((Ticks(samples), TimeBase::hz(facts.rate)))
    }
}
