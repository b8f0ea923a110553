//! ADTS frames → packets of raw data blocks.

use alloc::{boxed::Box, collections::VecDeque};

use bytes::Bytes;

use super::frames::AdtsFrames;
use crate::{
    error::Result,
    format::{Demuxer, Event},
    input::Input,
    packet::{Flags, Packet},
    stream::{Audio, Codec, Media, Metadata, StreamInfo},
    syntax::{
        aac::{AdtsHeader, Pce},
        framing::{Found, Framing},
    },
    time::{Rounding, Ticks, TimeBase},
    timing::index::SeekIndex,
};

/// The least common multiple of all ADTS rates but 7350 Hz, which divides it too.
pub const TIME_BASE: TimeBase = TimeBase::hz(28_224_000);

/// Samples of one raw data block.
const FRAME_SIZE: u32 = 1024;

/// Samples that a decoder needs ahead: each block overlaps the one before.
const PREROLL: u32 = 1024;

pub(super) struct Adts {
    framing: Framing<AdtsFrames>,
    pending: VecDeque<Event>,
    told: Metadata,
    stream: Option<StreamInfo>,
    /// Time of the next packet.
    time: Ticks,
    /// Hz by which times go on: the first frame's, whatever rates follow, as in the reference.
    clock: Option<u32>,
    index: SeekIndex,
    seek: Option<Seek>,
    end: Option<Ticks>,
}

/// A seek under way.
#[derive(Clone, Copy)]
struct Seek {
    to: Ticks,
    /// The frame that was passed over last.
    last: Option<(Ticks, u64)>,
}

impl Adts {
    pub(super) fn new() -> Self {
        Self {
            framing: Framing::new(AdtsFrames),
            pending: VecDeque::new(),
            told: Metadata::default(),
            stream: None,
            time: Ticks(0),
            clock: None,
            index: SeekIndex::default(),
            seek: None,
            end: None,
        }
    }

    /// Takes the frame at the front and queues what it means.
    fn frame(&mut self, header: AdtsHeader, length: usize, input: &mut Input) {
        let (at, time) = (input.offset(), self.time);
        let rate = *self.clock.get_or_insert(header.sample_rate().max(1));
        let block = FRAME_SIZE * (TIME_BASE.den.get() / rate);
        let whole = Ticks(i64::from(block) * i64::from(header.blocks));
        if length == header.size() {
            input.warn("frame without content skipped");
            input.skip(length);
            return;
        }
        self.index.note(time, at);
        if let Some(seek) = self.seek.as_mut().filter(|seek| time + whole <= seek.to) {
            seek.last = Some((time, at));
            self.time += whole;
            input.skip(length);
            return;
        }
        let wanted = self.seek.take().map_or(Ticks(i64::MIN), |seek| seek.to);
        let Some(frame) = input.take(length) else { return };
        let new_config = self.describe(&header, &frame);
        let blocks = split(&header, &frame);
        if blocks.is_none() && header.crc && header.blocks > 1 {
            input.warn_at(at, "raw data block positions make no sense: the blocks stay together, checksums among them");
        }
        let whole_frame = [(header.size(), length)];
        let (blocks, duration) = match &blocks {
            Some(blocks) => (blocks.get(..usize::from(header.blocks)).unwrap_or_default(), Ticks(block.into())),
            None => (&whole_frame[..], whole),
        };
        for (n, &(from, to)) in blocks.iter().enumerate() {
            let mut packet = Packet {
                pts: Some(self.time),
                dts: Some(self.time),
                duration,
                flags: Flags::KEY,
                position: Some(at),
                data: frame.slice(from..to),
                ..Packet::default()
            };
            if let Some(config) = new_config.as_ref().filter(|_| n == 0) {
                packet.side.set_new_config(config.clone());
            }
            self.time += duration;
            if self.time > wanted {
                self.pending.push_back(Event::Packet(packet));
            }
        }
    }

    /// Queues a description of the stream if the frame changes it. Returns the configuration when it replaces another.
    fn describe(&mut self, header: &AdtsHeader, frame: &Bytes) -> Option<Bytes> {
        let mut config = header.config();
        if header.channel_config == 0 {
            config.pce = frame.get(header.size()..).and_then(Pce::leading);
        }
        let known = self.stream.as_ref();
        let bytes = Bytes::from(config.build());
        let repeated = known.is_some_and(|known| {
            // Without an element of its own a frame keeps the channels of the one before.
            known.config == bytes || (header.channel_config == 0 && config.pce.is_none() && same_but_pce(known, &bytes))
        });
        if repeated {
            return None;
        }
        let replaces = known.is_some();
        let audio = Audio {
            sample_rate: header.sample_rate(),
            channels: config.channels(),
            frame_size: FRAME_SIZE,
            preroll: PREROLL,
            ..Audio::default()
        };
        let mut stream = StreamInfo::new(Codec::Aac, TIME_BASE, Media::Audio(audio));
        (stream.config, stream.profile) = (bytes.clone(), Some(header.profile));
        stream.start = Some(Ticks(0));
        self.pending.push_back(Event::Stream(0, Box::new(stream.clone())));
        self.stream = Some(stream);
        replaces.then_some(bytes)
    }
}

/// Whether the fixed two bytes of both configurations are the same.
fn same_but_pce(known: &StreamInfo, config: &[u8]) -> bool {
    known.config.get(..2) == config.get(..2)
}

/// Where the raw data blocks of a frame stand, without their checksums; `None` when nothing says it.
fn split(header: &AdtsHeader, frame: &[u8]) -> Option<[(usize, usize); 4]> {
    const CHECKSUM: usize = 2;
    let (first, count) = (header.size(), usize::from(header.blocks));
    if !header.crc || count == 1 {
        return None;
    }
    let mut starts = [frame.len() - first; 5];
    if let Some(start) = starts.first_mut() {
        *start = 0;
    }
    let positions = frame.get(crate::syntax::aac::adts::HEADER..first)?.chunks_exact(2);
    for (start, position) in starts.iter_mut().skip(1).zip(positions).take(count - 1) {
        *start = usize::from(u16::from_be_bytes(position.try_into().ok()?));
    }
    let mut blocks = [(0, 0); 4];
    for (block, pair) in blocks.iter_mut().zip(starts.windows(2)).take(count) {
        let [from, to] = *<&[usize; 2]>::try_from(pair).ok()?;
        *block = (first + from, (first + to).checked_sub(CHECKSUM).filter(|end| *end > first + from)?);
        if first + to > frame.len() {
            return None;
        }
    }
    Some(blocks)
}

impl Demuxer for Adts {
    fn poll(&mut self, input: &mut Input) -> Result<Event> {
        loop {
            if let Some(event) = self.pending.pop_front() {
                return Ok(event);
            }
            match self.framing.poll(input) {
                Found::NeedBytes => return Ok(Event::NeedBytes),
                Found::Frame(frame) => self.frame(frame.header, frame.length, input),
                // Framing leaves cut frames out.
                Found::Cut(_) => {}
                Found::Tag if *self.framing.metadata() == self.told => {}
                Found::Tag => {
                    self.told = self.framing.metadata().clone();
                    return Ok(Event::Metadata(Box::new(self.told.clone())));
                }
                Found::End => {
                    self.end = Some(self.time);
                    let Some((time, at)) = self.seek.take().and_then(|seek| seek.last) else { return Ok(Event::End) };
                    // The wanted time lies behind the last frame: that one it is.
                    if input.goto(at).is_err() {
                        return Ok(Event::End);
                    }
                    self.framing.restart();
                    self.time = time;
                }
            }
        }
    }

    fn seek(&mut self, to: Ticks, base: TimeBase, input: &mut Input) -> Result<()> {
        let to = base.rescale(to, TIME_BASE, Rounding::Down).max(Ticks(0));
        let point = self.index.before(to).filter(|(time, _)| to < self.time || *time > self.time);
        if let Some((time, at)) = point {
            input.goto(at)?;
            self.framing.restart();
            self.time = time;
        }
        self.pending.retain(|event| !matches!(event, Event::Packet(_)));
        self.seek = Some(Seek { to, last: None });
        Ok(())
    }

    fn duration(&self) -> Option<(Ticks, TimeBase)> {
        self.end.map(|end| (end, TIME_BASE))
    }
}
