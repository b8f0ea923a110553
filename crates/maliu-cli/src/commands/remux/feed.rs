//! One input of a remux: its streams as far as they show at the start, and its packets in the order of reading.

use std::{collections::VecDeque, mem};

use maliu::{
    format::Event,
    packet::Packet,
    stream::{Kind, Metadata, StreamInfo},
    time::{Rounding, Ticks, TimeBase},
};

use super::facts;
use crate::{
    failure::{Failure, Result},
    input::{self, Ahead, Opened},
    lent,
};

/// Packets that are read ahead, at most, to find streams that begin late.
const LOOK_PACKETS: usize = 512;

/// Bytes of payload that are read ahead at most.
const LOOK_BYTES: usize = 4 << 20;

/// Media, in µs, that is read ahead at most when somebody waits for it.
const LOOK_LIVE: i64 = 1_000_000;

/// An input being read, or pushed.
pub struct Feed {
    name: String,
    origin: Origin,
    length: Option<Ticks>,
    /// What was read ahead.
    held: VecDeque<Packet>,
    /// What comes before it: the packet that goes next.
    front: Option<Packet>,
    /// The streams, as described before the first packet was handed out.
    pub streams: Vec<StreamInfo>,
    /// Tags of the input.
    pub metadata: Metadata,
    /// Which output stream each input stream becomes.
    pub outputs: Vec<Option<usize>>,
    last: i64,
    ended: bool,
    failure: Option<Failure>,
}

/// Where packets come from.
enum Origin {
    Pushed,
    Opened(Box<Opened>),
    /// From behind what was looked at.
    Ahead(Box<Ahead>),
}

impl Feed {
    /// Opens an input. Nothing is read yet.
    pub fn open(input: &input::Args) -> Result<Self> {
        let opened = input.open()?;
        Ok(Self { name: opened.name.clone(), origin: Origin::Opened(Box::new(opened)), ..Self::pushed(&input.path) })
    }

    /// An input whose packets come through [`Feed::push`].
    pub fn pushed(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            origin: Origin::Pushed,
            length: None,
            held: VecDeque::new(),
            front: None,
            streams: Vec::new(),
            metadata: Metadata::default(),
            outputs: Vec::new(),
            last: i64::MIN,
            ended: false,
            failure: None,
        }
    }

    /// What comes next. An output that is begun takes packets with [`Feed::take`].
    pub fn push(&mut self, event: Event) {
        let packet = self.note(event);
        self.held.extend(packet);
    }

    /// Whether so much was pushed that nothing further is read ahead.
    pub fn is_ready(&self) -> bool {
        self.held.len() >= LOOK_PACKETS || self.ahead() >= LOOK_BYTES || self.complete()
    }

    /// Bytes of payload that are read ahead.
    pub fn ahead(&self) -> usize {
        self.held.iter().map(|packet| packet.data.len()).sum()
    }

    /// Bytes of what is known of the streams.
    pub fn described(&self) -> usize {
        self.streams.iter().map(StreamInfo::weight).sum::<usize>() + self.metadata.weight()
    }

    /// Reads ahead until the streams are known, and goes to `start` where the input can.
    pub fn begin(&mut self, start: Option<Ticks>) -> Result {
        self.look_ahead()?;
        let Origin::Opened(mut opened) = mem::replace(&mut self.origin, Origin::Pushed) else { return Ok(()) };
        if let Some(start) = start.filter(|start| start.0 > 0) {
            match opened.reader.seek(start, TimeBase::MICROS) {
                Ok(()) => {
                    self.held.clear();
                    self.ended = false;
                }
                Err(error) => tracing::info!("{}: {error}; reading from the beginning", self.name),
            }
        }
        let length = opened.reader.duration();
        self.length = length.map(|(time, base)| base.rescale(time, TimeBase::MICROS, Rounding::Near));
        self.origin = if opened.is_long() { Origin::Ahead(opened.ahead().into()) } else { Origin::Opened(opened) };
        Ok(())
    }

    fn look_ahead(&mut self) -> Result {
        let mut bytes = 0;
        while self.held.len() < LOOK_PACKETS && bytes < LOOK_BYTES && !self.complete() {
            match self.read() {
                Some(packet) => {
                    bytes += packet.data.len();
                    self.held.push_back(packet);
                }
                None => break,
            }
        }
        for (index, stream) in self.streams.iter_mut().enumerate() {
            facts::complete(stream, self.held.iter().find(|packet| packet.stream == index));
        }
        match self.failure.take() {
            Some(failure) if self.held.is_empty() => Err(failure),
            failure => {
                self.failure = failure;
                Ok(())
            }
        }
    }

    /// Whether no further stream is expected, and of each that is known when it begins. Live, a second of media tells.
    fn complete(&self) -> bool {
        let times = || self.held.iter().filter_map(|packet| self.micros(packet));
        let span = || times().max().zip(times().min()).map_or(0, |(last, first)| last.saturating_sub(first));
        let timed = |stream: &StreamInfo| matches!(stream.media.kind(), Kind::Audio | Kind::Video);
        let begun = |index: usize| self.held.iter().any(|packet| packet.stream == index);
        let all = || (0..).zip(&self.streams).all(|(index, stream)| !timed(stream) || begun(index));
        let expected = match &self.origin {
            Origin::Opened(opened) => opened.shows_all(&self.streams),
            _ => true,
        };
        let shown = expected && all();
        !self.held.is_empty() && (shown || (lent::is_live() && span() >= LOOK_LIVE))
    }

    /// The next packet of the input, whatever its stream; `None` also when none was pushed yet.
    #[inline(always)]
    fn read(&mut self) -> Option<Packet> {
        while !self.ended {
            let next = match &mut self.origin {
                Origin::Ahead(ahead) => ahead.next(),
                Origin::Opened(opened) => opened.next(),
                Origin::Pushed => return None,
            };
            match next {
                Ok(Some(event)) => {
                    if let Some(packet) = self.note(event) {
                        return Some(packet);
                    }
                }
                Ok(None) => self.ended = true,
                Err(failure) => {
                    self.ended = true;
                    self.failure = Some(failure);
                }
            }
        }
        None
    }

    /// The packet of an event; notes what else it is.
    #[inline(always)]
    fn note(&mut self, event: Event) -> Option<Packet> {
        match event {
            Event::Packet(packet) => return Some(packet),
            Event::Stream(index, info) => self.meet(index, *info),
            Event::Metadata(metadata) if self.outputs.is_empty() => self.metadata = *metadata,
            _ => {}
        }
        None
    }

    fn meet(&mut self, index: usize, info: StreamInfo) {
        match self.streams.get_mut(index) {
            Some(known) => {
                *known = info;
                facts::complete(known, None);
            }
            None if self.outputs.is_empty() => {
                self.streams.resize_with(index, StreamInfo::undescribed);
                self.streams.push(info);
            }
            None if info.media.kind() == Kind::Data => {}
            None => tracing::warn!("{}: stream {index} begins too late and is left out", self.name()),
        }
    }

    /// When the next packet of a wanted stream is decoded, in µs; `None` at the end.
    #[inline(always)]
    pub fn next_time(&mut self) -> Option<i64> {
        loop {
            if self.front.is_none() {
                self.front = match self.held.is_empty() {
                    true => self.read(),
                    false => self.held.pop_front(),
                };
            }
            let packet = self.front.as_ref()?;
            if self.outputs.get(packet.stream).copied().flatten().is_none() {
                self.front = None;
                continue;
            }
            if let Some(time) = self.micros(packet) {
                self.last = time;
            }
            return Some(self.last);
        }
    }

    /// The packet that [`Feed::next_time`] spoke of, with the index of its output stream.
    #[inline(always)]
    pub fn take(&mut self) -> Option<Packet> {
        let mut packet = self.front.take()?;
        if let Some(stream) = self.streams.get(packet.stream).filter(|_| packet.duration.0 == 0) {
            packet.duration = facts::duration(stream, &packet);
        }
        packet.stream = self.outputs.get(packet.stream).copied().flatten()?;
        Some(packet)
    }

    /// When the input begins, in µs: the earliest first time of its streams that is shown; samples to drop are not.
    pub fn first_time(&self) -> Option<i64> {
        let first = |index: usize| {
            let packet = self.held.iter().find(|packet| packet.stream == index)?;
            let info = self.streams.get(index)?;
            let samples = TimeBase::new(1, info.audio().map_or(0, |audio| audio.sample_rate));
            let drop = Ticks(packet.side.trim().start.into());
            let drop = samples.map_or(Ticks(0), |samples| samples.rescale(drop, info.time_base, Rounding::Near));
            let time = packet.pts.or(packet.dts)? + drop;
            Some(info.time_base.rescale(time, TimeBase::MICROS, Rounding::Near).0)
        };
        (0..self.streams.len()).filter_map(first).min()
    }

    fn micros(&self, packet: &Packet) -> Option<i64> {
        let base = self.streams.get(packet.stream)?.time_base;
        Some(base.rescale(packet.dts.or(packet.pts)?, TimeBase::MICROS, Rounding::Near).0)
    }

    /// Length of the input in µs, when it is known.
    pub fn length(&self) -> Option<Ticks> {
        self.length
    }

    /// Bytes read and understood.
    pub fn position(&self) -> u64 {
        match &self.origin {
            Origin::Pushed => 0,
            Origin::Opened(opened) => opened.position(),
            Origin::Ahead(ahead) => ahead.position(),
        }
    }

    /// Why reading ended early, if it did; said once.
    pub fn failure(&mut self) -> Option<Failure> {
        self.failure.take()
    }

    /// As the user called it.
    pub fn name(&self) -> &str {
        &self.name
    }
}
