//! A raw stream of NAL units read as packets: access units with times from picture order and rate (PAR-8).
//!
//! ```text
//!   Input ─▶ Assembler + Coding ─▶ unit, picture ─▶ Clock ─▶ Packet
//!                     └ parameter sets ─▶ StreamInfo, when it is new or has changed
//! ```

use alloc::{borrow::Cow, boxed::Box, collections::VecDeque};

use bytes::Bytes;

use super::{Assembled, Assembler, Clock, assemble::Coding, clock::Timing};
use crate::{
    error::Result,
    input::Input,
    packet::{Flags, Packet},
    remark::Remark,
    stream::{Codec, Media, StreamInfo, Video},
    time::TimeBase,
};

/// Facts that a raw stream needs of its codec besides where access units are.
pub trait RawCoding: Coding {
    /// The codec.
    const CODEC: Codec;

    /// Steps of the picture order that one frame takes.
    const STEPS: u32;

    /// Whether decoding can start with `picture`.
    fn is_key(&self, picture: &Self::Picture) -> bool;

    /// Facts of `picture` for the clock.
    fn timing(&self, picture: &Self::Picture) -> Timing;

    /// Changes whenever [`RawCoding::describe`] may say something else; `None` when `picture` says nothing of it.
    fn version(&self, picture: &Self::Picture) -> Option<u64>;

    /// Facts of `picture` in its parameter sets; `None` without them.
    fn describe(&self, picture: &Self::Picture) -> Option<Description>;

    /// The next remark about the stream: the offset of what it is about, its kind, and the sentence.
    fn next_warning(&mut self) -> Option<(u64, Remark, Cow<'static, str>)>;
}

/// Facts of a stream in its parameter sets.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Description {
    /// The sets in Annex B form.
    pub config: Bytes,
    /// Codec profile.
    pub profile: u8,
    /// Size, rate, shape, level.
    pub video: Video,
}

/// Answer of [`RawStream::poll`].
#[derive(Clone, Debug)]
pub enum RawEvent {
    /// Description of the stream, before the first packet and whenever it changes.
    Stream(StreamInfo),
    /// The next access unit.
    Packet(Packet),
    /// More bytes decide.
    NeedBytes,
    /// There is nothing more.
    End,
}

/// Reads access units of one codec.
#[derive(Debug)]
pub struct RawStream<C: RawCoding> {
    assembler: Assembler,
    coding: C,
    clock: Clock,
    /// Frames per second that were asked for.
    asked_rate: Option<(u32, u32)>,
    described: Option<(Option<u64>, StreamInfo)>,
    /// Events that were decided and not polled yet.
    ready: VecDeque<Ready>,
    /// A picture that restarts the order and those shown before it, until it is known how many they are.
    held: Held,
    rate_assumed: bool,
    /// A picture came.
    begun: bool,
}

/// An event that waits; small, as room for several is kept.
#[derive(Debug)]
enum Ready {
    Stream(Box<StreamInfo>),
    Packet(Packet),
}

/// Pictures in decoding order: one that restarts the order, and those that follow and are shown before it.
#[derive(Debug, Default)]
struct Held {
    units: VecDeque<(Packet, Timing)>,
    bytes: usize,
    /// Order counts: of the first picture, and the lowest.
    first: i64,
    lowest: i64,
}

/// Most pictures that are held.
const MAX_HELD: usize = 64;

/// Most bytes of them.
const MAX_HELD_BYTES: usize = 16 << 20;

impl Held {
    /// Whether the picture belongs to those that are held.
    fn takes(&self, timing: &Timing, bytes: usize) -> bool {
        let fits = self.units.len() < MAX_HELD && self.bytes.saturating_add(bytes) <= MAX_HELD_BYTES;
        let before = timing.order.is_none_or(|order| order < self.first);
        !self.units.is_empty() && fits && before && !timing.restarts
    }

    fn push(&mut self, packet: Packet, timing: Timing) {
        let order = timing.order.unwrap_or(self.lowest);
        if self.units.is_empty() {
            (self.first, self.lowest) = (order, order);
        }
        self.lowest = self.lowest.min(order);
        self.bytes = self.bytes.saturating_add(packet.data.len());
        self.units.push_back((packet, timing));
    }

    /// Steps that the others are shown before the first.
    fn leading(&self) -> Option<i64> {
        let (_, timing) = self.units.front()?;
        Some(self.first.saturating_sub(self.lowest).saturating_mul(timing.scale.max(1)))
    }
}

/// Ticks of all raw streams, as in the reference.
pub const RAW_TIME_BASE: TimeBase = TimeBase::hz(1_200_000);

/// Frames per second unless set otherwise.
const DEFAULT_RATE: (u32, u32) = (25, 1);

impl<C: RawCoding> RawStream<C> {
    /// Reads with `coding`. `rate`: frames per second, whatever the stream says.
    pub fn new(coding: C, rate: Option<(u32, u32)>) -> Self {
        Self {
            assembler: Assembler::default(),
            coding,
            clock: Clock::new(RAW_TIME_BASE),
            asked_rate: rate,
            described: None,
            ready: VecDeque::new(),
            held: Held::default(),
            rate_assumed: false,
            begun: false,
        }
    }

    /// The bytes fed so far end a unit: it is out at the next poll.
    pub fn finish_unit(&mut self) {
        self.assembler.finish_unit();
    }

    /// Takes a NAL unit, without start code, of an access unit whose bounds the carrier knows; `at` is its offset.
    pub fn nal(&mut self, nal: &[u8], at: u64) {
        self.coding.nal(nal, at);
    }

    /// The access unit of the NAL units so far is whole: `data`, from offset `at` on. Fetch it with [`RawStream::next_unit`].
    pub fn end_unit(&mut self, at: u64, data: Bytes, input: &mut Input) {
        let picture = self.coding.end();
        self.unit(at, data, &picture, input);
    }

    /// Whether parameter sets of a picture were met.
    pub fn is_described(&self) -> bool {
        self.described.as_ref().is_some_and(|(_, info)| !info.config.is_empty())
    }

    /// No access unit follows: those that were held can be fetched.
    pub fn end_units(&mut self) {
        self.release();
    }

    /// The next stream or packet of [`RawStream::end_unit`].
    pub fn next_unit(&mut self) -> Option<RawEvent> {
        Some(match self.ready.pop_front()? {
            Ready::Packet(packet) => RawEvent::Packet(packet),
            Ready::Stream(info) => RawEvent::Stream(*info),
        })
    }

    /// The next event.
    ///
    /// # Errors
    /// [`crate::error::Error::Limit`] for an access unit that is too long.
    pub fn poll(&mut self, input: &mut Input) -> Result<RawEvent> {
        loop {
            if let Some(event) = self.next_unit() {
                return Ok(event);
            }
            match self.assembler.poll(input, &mut self.coding)? {
                Assembled::Unit(at, data, picture) => self.unit(at, data, &picture, input),
                Assembled::NeedBytes => return Ok(RawEvent::NeedBytes),
                Assembled::End if self.held.units.is_empty() => return Ok(RawEvent::End),
                Assembled::End => self.release(),
            }
        }
    }

    fn unit(&mut self, at: u64, data: Bytes, picture: &C::Picture, input: &mut Input) {
        while let Some((at, kind, what)) = self.coding.next_warning() {
            input.remark_at(at, kind, what);
        }
        let (is_key, timing) = (self.coding.is_key(picture), self.coding.timing(picture));
        if !self.begun && timing.order.is_some() {
            self.begun = true;
            if !is_key {
                input.warn_at(at, "the stream begins inside a sequence: pictures before a keyframe may not decode");
            }
        }
        if !self.held.takes(&timing, data.len()) {
            self.release();
        }
        if let Some(info) = self.describe(picture, at, input) {
            self.release();
            self.ready.push_back(Ready::Stream(Box::new(info)));
        }
        let packet = Packet { flags: Flags::key(is_key), position: Some(at), data, ..Packet::default() };
        if !self.held.units.is_empty() || timing.awaits_leading && self.clock.has_begun() {
            self.held.push(packet, timing);
        } else {
            self.give(packet, timing);
        }
    }

    /// Gives times to the pictures that were held, now that it is known how many are shown before the first.
    fn release(&mut self) {
        let held = core::mem::take(&mut self.held);
        let leading = held.leading();
        for (n, (packet, timing)) in held.units.into_iter().enumerate() {
            let leading = leading.filter(|_| n == 0);
            self.give(packet, Timing { leading, ..timing });
        }
    }

    fn give(&mut self, packet: Packet, timing: Timing) {
        let stamps = self.clock.stamp(timing);
        let duration = Some(stamps.duration).filter(|duration| duration.0 != 0);
        let (pts, dts) = (stamps.pts, Some(stamps.dts));
        self.ready.push_back(Ready::Packet(Packet { pts, dts, duration, ..packet }));
    }

    /// The stream as it is from `picture` on, if that is news.
    fn describe(&mut self, picture: &C::Picture, at: u64, input: &mut Input) -> Option<StreamInfo> {
        let version = self.coding.version(picture);
        if let Some((known, _)) = &self.described
            && (version.is_none() || version == *known)
        {
            return None;
        }
        let description = self.coding.describe(picture);
        if description.is_none() && self.described.is_some() {
            return None;
        }
        let rate = self.rate(description.as_ref(), at, input);
        self.clock.set_rate(u64::from(rate.0) * u64::from(C::STEPS), u64::from(rate.1));
        let profile = description.as_ref().map(|description| description.profile);
        let Description { config, video, .. } = description.unwrap_or_default();
        let media = Media::Video(Video { frame_rate: Some(rate), ..video });
        let mut info = StreamInfo::new(C::CODEC, RAW_TIME_BASE, media);
        (info.config, info.profile) = (config, profile);
        let news = self.described.as_ref().is_none_or(|(_, known)| *known != info);
        self.described = Some((version, info.clone()));
        news.then_some(info)
    }

    fn rate(&mut self, description: Option<&Description>, at: u64, input: &mut Input) -> (u32, u32) {
        let plausible = |rate: &(u32, u32)| {
            let (num, den) = (u64::from(rate.0), u64::from(rate.1));
            num <= MAX_RATE * den && num * MAX_RATE >= den
        };
        let coded = description.and_then(|description| description.video.frame_rate).filter(plausible);
        if let Some(rate) = self.asked_rate.or(coded) {
            return rate;
        }
        if description.is_some() && !self.rate_assumed {
            self.rate_assumed = true;
            let kind = Remark::NoFrameRate { assumed: DEFAULT_RATE.0 };
            input.remark_at(at, kind, "the stream declares no frame rate, which is optional: 25 assumed");
        }
        DEFAULT_RATE
    }
}

/// Highest believed frame rate, and the longest believed frame in seconds.
const MAX_RATE: u64 = 1000;
