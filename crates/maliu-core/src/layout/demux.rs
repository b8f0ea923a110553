//! Reads messages by a layout: a demuxer whose every message is a unit of its own, and which finds its way after
//! garbage.

use alloc::{borrow::Cow, boxed::Box, collections::VecDeque, format, vec::Vec};
use core::task::Poll;

use bytes::{Bytes, BytesMut};

use super::{
    Fault, Fragment, Layout, MAX_STREAMS,
    facts::{as_annexb, from_config, from_key},
    message::{self, Facts, Lack, Message, Steady},
    payload::{self, Payload},
};
use crate::{
    error::{Error, Result},
    format::{Demuxer, Event},
    input::Input,
    packet::{Flags, Packet},
    remark::Remark,
    stream::{Audio, Codec, Kind, Media, StreamInfo, Video},
    syntax::annexb::{self, RAW_TIME_BASE, RawEvent},
    time::TimeBase,
};

mod inner;
mod search;
mod stream;
mod untimed;
mod whole;
use inner::Inner;
use search::Search;
use stream::{Stream, Unroll, refine};
use untimed::Untimed;

/// How many times the input, at most, is given back in all.
const GIVE_BACK: u64 = 8;

/// How an MPEG program stream begins (ISO 13818-1 §2.5.3.4).
const PACK_START_CODE: [u8; 4] = [0, 0, 1, 0xba];

/// Samples per second and channels of G.711 where nothing says otherwise (RFC 3551 §4.5.14).
const G711: (u32, u16) = (8000, 1);

const LAST_MISSING: &str = "a packet without its last part is dropped";

/// The name errors carry.
const NAME: &str = "layout";

/// A demuxer for a layout.
pub struct Reader {
    layout: Layout,
    opened: bool,
    refuses_cuts: bool,
    /// Where a message began that the end cuts.
    cut: Option<u64>,
    closed: bool,
    /// A field marks last parts and none marks first ones.
    marks: bool,
    preamble: Facts,
    steady: Steady,
    search: Option<Search>,
    /// A message that is not whole, by its offset, and how many of its bytes were looked at.
    looked_at: (u64, usize),
    streams: Vec<Stream>,
    events: VecDeque<Event>,
    /// The last count of messages, of each stream that has its own.
    sequences: Vec<(Option<u64>, u64)>,
    inner: Option<Box<Inner>>,
    /// The message before, until a good one follows it: where it stood, and its bytes.
    last: Option<(u64, Bytes)>,
    /// Bytes given back so far, and the end of the furthest message: the one stays within [`GIVE_BACK`] times the
    /// other.
    given_back: u64,
    furthest: u64,
}

impl Reader {
    /// A reader of `layout`.
    ///
    /// # Errors
    /// The layout's first [`Fault`].
    pub fn new(layout: Layout) -> core::result::Result<Self, Fault> {
        layout.check()?;
        Self::of(layout)
    }

    /// A reader of a layout that is sound, by itself or inside another.
    fn of(layout: Layout) -> core::result::Result<Self, Fault> {
        let inner = Inner::of(&layout.body.kind)?.map(Box::new);
        let (opened, marks) = (layout.preamble.is_empty(), layout.marks_ends());
        Ok(Self {
            layout,
            opened,
            refuses_cuts: false,
            cut: None,
            closed: false,
            marks,
            preamble: Facts::default(),
            steady: Steady::new(),
            search: None,
            looked_at: (0, 0),
            streams: Vec::new(),
            events: VecDeque::new(),
            sequences: Vec::new(),
            inner,
            last: None,
            given_back: 0,
            furthest: 0,
        })
    }

    /// Makes the end of the input inside a message an error, behind all that came before it, as where a connection breaks.
    pub fn refusing_cuts(self) -> Self {
        Self { refuses_cuts: true, ..self }
    }

    /// Whether what was read last is no message, and the next one is still looked for.
    pub fn is_lost(&self) -> bool {
        self.search.is_some()
    }

    /// Reads the preamble; `true` when it is behind us.
    fn open(&mut self, input: &mut Input) -> Result<bool> {
        let mut facts = Facts::default();
        match message::part(&self.layout.preamble, input.peek(), 0, None, &mut facts) {
            Ok(part) => {
                input.skip(part.end);
                self.preamble = facts;
            }
            Err(Lack::Need(_)) if !input.ended() => return Ok(false),
            Err(Lack::Need(_)) if input.peek().is_empty() => {}
            Err(Lack::Bad(why)) if self.layout.limits.resync => {
                input.warn(format!("{}: no preamble ({why}); joining in the middle", self.layout.name));
            }
            Err(Lack::Bad(why) | Lack::Other(why)) => return Err(self.malformed(&why, input.offset())),
            Err(_) => return Err(self.malformed("the preamble is cut short", input.offset())),
        }
        self.opened = true;
        Ok(true)
    }

    fn malformed(&self, why: &str, at: u64) -> Error {
        Error::malformed(NAME, format!("{}: {why}", self.layout.name), at)
    }

    /// Takes a whole message from the input and queues what it says.
    fn accept(&mut self, message: &Message, input: &mut Input) -> Result<()> {
        let at = input.offset();
        self.cut = None;
        message::hold(&self.layout, message, input.peek(), &mut self.steady);
        let Some(bytes) = input.take(message.total()) else { return Ok(()) };
        let body = bytes.slice(message.body.clone());
        self.last = Some((at, bytes));
        self.count(&message.facts, at, input);
        if message.facts.skip {
            return Ok(());
        }
        if !message.has_body {
            self.learn(&message.facts);
            return Ok(());
        }
        if body.is_empty() && !self.layout.body.transforms.is_empty() && self.layout.header.is_empty() {
            // Flags of a line that rests: frames of nothing are no messages (RFC 1662 section 4.3, RFC 1055).
            return Ok(());
        }
        let Some(body) = self.plain(body, at, input) else { return Ok(()) };
        let Self { inner, events, .. } = self;
        match inner {
            Some(inner) => inner.push(&body, at, input, events),
            None => {
                self.check_known(&message.facts, &body, message, at)?;
                self.deliver(&message.facts, body, at, input)
            }
        }
    }

    fn deliver(&mut self, facts: &Facts, body: Bytes, at: u64, input: &mut Input) -> Result<()> {
        let codec = facts.codec.flatten().or(self.layout.body.codec);
        if facts.codec == Some(None) && self.layout.body.codec.is_none() {
            input.warn_at(at, "a codec that the layout's map does not name");
        }
        let codec = codec.unwrap_or(Codec::Data);
        let index = self.stream(facts, codec)?;
        let kind = self.layout.body.kind.clone();
        let Some(stream) = self.streams.get_mut(index) else { return Ok(()) };
        if facts.config {
            if stream.info.config != body {
                let first = stream.info.config.is_empty();
                from_config(&mut stream.info, &body);
                stream.info.config = body.clone();
                stream.new_config = (!first).then_some(body);
                self.events.push_back(Event::Stream(index, Box::new(stream.info.clone())));
                let sets = as_annexb(codec, &stream.info.config);
                stream.untimed.iter_mut().for_each(|untimed| untimed.configure(&sets, at));
            }
            return Ok(());
        }
        let whole = matches!(facts.fragment, None | Some(Fragment::Whole));
        let frames = payload::unpack(&kind, codec, body, whole);
        if frames.is_empty() {
            input.warn_at(at, "a body that is not what the layout says");
        }
        for (n, unpacked) in frames.into_iter().enumerate() {
            self.unpacked(facts, unpacked, (n, index), at, input);
        }
        Ok(())
    }

    /// Queues a packet, the `n`th of its message.
    fn unpacked(&mut self, facts: &Facts, unpacked: Payload, (n, index): (usize, usize), at: u64, input: &mut Input) {
        let (kind, limit) = (self.layout.body.kind.clone(), self.layout.limits.body as usize);
        let Some(stream) = self.streams.get_mut(index) else { return };
        let codec = stream.info.codec;
        if let Some(changed) = refine(stream, &unpacked) {
            self.events.push_back(Event::Stream(index, Box::new(changed)));
        }
        let data = unpacked.data;
        if stream.untimed.is_none() && from_key(&mut stream.info, &data) {
            self.events.push_back(Event::Stream(index, Box::new(stream.info.clone())));
        }
        let key = |data: &[u8]| facts.key.unwrap_or_else(|| payload::is_key(&kind, codec, data));
        let mut packet = Packet { stream: index, position: Some(at), ..Packet::default() };
        stream.time(facts, n, &mut packet);
        let whole = match facts.fragment {
            None | Some(Fragment::Whole) => {
                packet.flags = Flags::key(key(&data));
                Some((data, packet))
            }
            Some(Fragment::First) => {
                stream.next_part = facts.part.map(|part| part.saturating_add(1));
                packet.flags = Flags::key(key(&data));
                if stream.parts.replace((BytesMut::from(&data[..]), packet)).is_some() {
                    input.warn_at(at, LAST_MISSING);
                }
                None
            }
            Some(fragment) if self.marks && stream.awaits_mark => {
                stream.awaits_mark = fragment != Fragment::Last;
                None
            }
            Some(fragment) if self.marks && stream.begins(&packet, at, input) => {
                packet.flags = Flags::key(key(&data));
                match fragment {
                    Fragment::Last => Some((data, packet)),
                    _ => {
                        stream.parts = Some((BytesMut::from(&data[..]), packet));
                        None
                    }
                }
            }
            Some(fragment) => stream.join(fragment, facts.part, &data, limit).unwrap_or_else(|why| {
                input.warn_at(at, why);
                None
            }),
        };
        if let Some((data, packet)) = whole {
            self.queue(data, packet, at, input);
        }
    }

    /// Queues a whole packet, or keeps it until its time is known.
    fn queue(&mut self, data: Bytes, mut packet: Packet, at: u64, input: &mut Input) {
        let Some(stream) = self.streams.get_mut(packet.stream) else { return };
        if let Some(untimed) = &mut stream.untimed {
            let framed = !stream.info.config.is_empty() && !annexb::starts_with_code(&stream.info.config);
            let place = packet.position.unwrap_or(at);
            if untimed.push(&self.layout.body.kind, framed, data.clone(), place, input) {
                return self.time(packet.stream);
            }
            if !untimed.has_begun() {
                stream.untimed = None;
            }
        }
        packet.data = data;
        if let Some(config) = stream.new_config.take() {
            packet.side.set_new_config(config);
        }
        self.events.push_back(Event::Packet(packet));
    }

    /// Queues what a stream without times has by now.
    fn time(&mut self, index: usize) {
        let Some(stream) = self.streams.get_mut(index) else { return };
        let Some(untimed) = &mut stream.untimed else { return };
        while let Some(event) = untimed.next() {
            self.events.push_back(match event {
                RawEvent::Packet(packet) => Event::Packet(Packet { stream: index, ..packet }),
                RawEvent::Stream(mut info) => {
                    if let (Media::Video(told), Media::Video(known)) = (&mut info.media, &stream.info.media) {
                        told.width = told.width.or(known.width);
                        told.height = told.height.or(known.height);
                    }
                    if !stream.info.config.is_empty() {
                        info.config = stream.info.config.clone();
                    }
                    let config = core::mem::replace(&mut stream.info, info.clone()).config;
                    stream.info.config = config;
                    Event::Stream(index, Box::new(info))
                }
                RawEvent::NeedBytes | RawEvent::End => return,
            });
        }
    }

    /// The index of the stream that these facts name; a new one is announced.
    fn stream(&mut self, facts: &Facts, codec: Codec) -> Result<usize> {
        let value = facts.stream.unwrap_or(facts.media.map_or(0, |kind| kind as u64));
        let known = |stream: &Stream| stream.value == value && stream.info.codec == codec;
        if let Some(index) = self.streams.iter().position(known) {
            return Ok(index);
        }
        if self.streams.len() >= MAX_STREAMS {
            return Err(Error::Limit { what: "streams of a layout (MAX_STREAMS)", limit: MAX_STREAMS as u64 });
        }
        let untimed = if self.layout.tells_times() { None } else { Untimed::of(codec, self.layout.body.frame_rate) };
        let base = match untimed {
            Some(_) => RAW_TIME_BASE,
            None => facts.dts.or(facts.pts).map_or(TimeBase::MICROS, |stamp| stamp.clock.base),
        };
        let (rate, channels) = match (self.layout.body.audio, codec) {
            ((0, _), Codec::PcmALaw | Codec::PcmMuLaw) => G711,
            (audio, _) => audio,
        };
        let media = match codec.kind() {
            Kind::Audio => Media::Audio(Audio {
                frame_size: if codec == Codec::Aac { 1024 } else { 0 },
                ..Audio::new(facts.sample_rate.unwrap_or(rate), facts.channels.unwrap_or(channels))
            }),
            Kind::Video => {
                let (width, height) = (facts.width.unwrap_or(0), facts.height.unwrap_or(0));
                Media::Video(Video { frame_rate: self.layout.body.frame_rate, ..Video::new(width, height) })
            }
            Kind::Subtitle => Media::Subtitle,
            Kind::Data | Kind::Attachment => Media::Data,
        };
        let mut info = StreamInfo::new(codec, base, media);
        if let Some(config) = &self.layout.body.config {
            let config = Bytes::from(config.clone());
            from_config(&mut info, &config);
            info.config = config;
        }
        let index = self.streams.len();
        self.events.push_back(Event::Stream(index, Box::new(info.clone())));
        let (pts, dts) = (Unroll::default(), Unroll::default());
        self.streams.push(Stream {
            value,
            info,
            pts,
            dts,
            parts: None,
            awaits_mark: false,
            next_part: None,
            new_config: None,
            untimed: untimed.map(Box::new),
        });
        Ok(index)
    }

    /// Starts a search. The message before is suspect, too: garbage in its header may have made it swallow others, so
    /// its bytes are searched as well. The sum of returned bytes is bounded, which keeps the work linear.
    fn lose(&mut self, input: &mut Input, why: Cow<'static, str>) {
        self.furthest = self.furthest.max(input.offset());
        self.lose_parts();
        if let Some((at, bytes)) = self.last.take()
            && at.saturating_add(bytes.len() as u64) == input.offset()
            && let given_back = self.given_back.saturating_add(bytes.len() as u64)
            && given_back <= self.furthest.saturating_mul(GIVE_BACK)
        {
            self.given_back = given_back;
            input.give_back(&bytes);
            self.search = Some(Search::within(input, bytes.len() as u64, why));
        } else {
            self.search = Some(Search::within(input, 0, why));
        }
    }

    /// Messages are missing. Where only the last part of a packet is marked, the next part may be of any packet.
    fn lose_parts(&mut self) {
        for stream in self.streams.iter_mut().filter(|_| self.marks) {
            (stream.parts, stream.awaits_mark) = (None, true);
        }
    }

    /// Nothing more comes: what is left is cut, and unfinished packets are dropped.
    fn close(&mut self, input: &mut Input) {
        let left = input.peek().len();
        if left > 0 {
            self.cut = self.cut.or(Some(input.offset()));
            input.remark(Remark::Cut { missing: None }, format!("{left} bytes of a message that is cut short"));
            input.skip(left);
        }
        for stream in &mut self.streams {
            if stream.parts.take().is_some() {
                input.warn(LAST_MISSING);
            }
            stream.untimed.iter_mut().for_each(|untimed| untimed.finish(input));
        }
        (0..self.streams.len()).for_each(|index| self.time(index));
        if let Some(inner) = &mut self.inner {
            inner.finish(input, &mut self.events);
        }
        self.closed = true;
    }

    /// The end, or why it comes too early.
    fn end(&mut self) -> Result<Poll<Event>> {
        match self.cut.take().filter(|_| self.refuses_cuts) {
            Some(at) => Err(self.malformed("the end cuts a message short", at)),
            None => Ok(Poll::Ready(Event::End)),
        }
    }
}

impl Demuxer for Reader {
    fn poll(&mut self, input: &mut Input) -> Result<Poll<Event>> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(Poll::Ready(event));
            }
            if self.closed {
                return self.end();
            }
            if !self.opened && !self.open(input)? {
                return Ok(Poll::Pending);
            }
            if let Some(search) = &mut self.search {
                match search.step(&self.layout, &self.steady, &self.preamble, input) {
                    search::Step::NeedBytes => return Ok(Poll::Pending),
                    search::Step::Nothing => {
                        self.search = None;
                        self.close(input);
                        continue;
                    }
                    search::Step::Found { anew } => {
                        self.search = None;
                        if anew {
                            self.steady.clear();
                        }
                    }
                }
            }
            if input.peek().is_empty() {
                if !input.ended() {
                    return Ok(Poll::Pending);
                }
                self.close(input);
                continue;
            }
            if self.layout.body.rest {
                self.take_whole(input)?;
                continue;
            }
            let known = if self.looked_at.0 == input.offset() { self.looked_at.1 } else { 0 };
            match message::look_behind(&self.layout, input.peek(), known, &self.steady, &self.preamble) {
                Ok(message) => self.accept(&message, input)?,
                Err(Lack::Need(_)) if !input.ended() => {
                    self.looked_at = (input.offset(), input.peek().len());
                    return Ok(Poll::Pending);
                }
                Err(Lack::Need(_)) if !self.layout.limits.resync => self.close(input),
                Err(Lack::Need(_)) => {
                    self.cut = Some(input.offset());
                    self.lose(input, Cow::Borrowed("a message is cut short"));
                }
                Err(Lack::Bad(why) | Lack::Other(why)) if self.layout.limits.resync => self.lose(input, why),
                Err(Lack::Bad(why) | Lack::Other(why)) => return Err(self.malformed(&why, input.offset())),
            }
        }
    }
}
