//! One input of a copy: its streams as far as they show at the start, and its packets in the order of reading.

use std::{collections::VecDeque, mem, thread, time::Duration};

use bytes::Bytes;
use maliu_core::{
    account::{Account, Sieve, Weigh},
    format::Event,
    packet::Packet,
    stream::{Codec, Kind, Metadata, StreamInfo},
    time::{Rounding, Ticks, TimeBase},
};

use super::{Jumps, Timeline, facts};
use crate::{
    blocking::{ReadAhead, Reader},
    error::{Error, MediaError, Result},
    io::Source,
    streams::Streams,
};

/// Packets that are read ahead, at most, to find streams that begin late.
const LOOK_PACKETS: usize = 512;

/// Bytes of memory that are read ahead at most.
const LOOK_BYTES: usize = 4 << 20;

/// Media, in µs, that is read ahead at most when a low latency is wanted.
const LOOK_LIVE: i64 = 1_000_000;

/// Size in bytes from which on an input is worth a thread that reads ahead.
const LONG: u64 = 8 << 20;

/// Pause before a non-blocking input that had nothing is asked again.
const NOT_YET_PAUSE: Duration = Duration::from_millis(20);

/// Most changes of codec that are kept; more are of a chain whose codecs are known by then.
const MAX_OTHERS: usize = 64;

/// One input: a reader, and what is known of it beforehand.
pub struct Feed {
    name: String,
    source: Origin,
    /// Whether streams of several kinds are expected whatever the format.
    many: bool,
    /// Whether as little as possible is read ahead.
    low_latency: bool,
    length: Option<Ticks>,
    /// Packets that were read ahead.
    held: VecDeque<Packet>,
    account: Account,
    /// Of packets that are not wanted.
    sieve: Sieve,
    /// The packet that goes next, ahead of it.
    front: Option<Packet>,
    /// When the input begins, in µs, as far as reading ahead has shown: the earliest time that is shown, and of any packet.
    first: Option<i64>,
    origin: i64,
    /// The streams, as described before the first packet was handed out.
    pub(super) streams: Streams<StreamInfo>,
    /// Tags of the input.
    pub(super) metadata: Metadata,
    /// Which output stream each input stream becomes.
    pub(super) outputs: Vec<Option<usize>>,
    /// Packets left out because they came before the parameter sets of their stream, by input stream.
    pub(super) undescribed: Vec<u64>,
    last: i64,
    timeline: Timeline,
    ended: bool,
    failure: Option<Error>,
    /// Configurations with which a stream goes on in another codec.
    others: Vec<(usize, Bytes, Codec)>,
    /// Whether the output may take packets of them.
    pub(super) takes_others: bool,
}

/// Where packets come from.
enum Origin {
    Pushed,
    Here(Box<Reader<Box<dyn Source + Send>>>),
    /// From behind what was looked at.
    Ahead(Box<ReadAhead<Box<dyn Source + Send>>>),
}

impl<S: Source + Send + 'static> From<Reader<S>> for Feed {
    fn from(reader: Reader<S>) -> Self {
        Self { source: Origin::Here(Box::new(reader.boxed())), ..Self::pushed() }
    }
}

impl Feed {
    /// An input whose packets come through [`Feed::push`].
    pub(super) fn pushed() -> Self {
        Self {
            name: "input".to_owned(),
            source: Origin::Pushed,
            many: false,
            low_latency: false,
            length: None,
            held: VecDeque::new(),
            account: Account::default(),
            sieve: Sieve::default(),
            front: None,
            first: None,
            origin: 0,
            streams: Streams::default(),
            metadata: Metadata::default(),
            outputs: Vec::new(),
            undescribed: Vec::new(),
            last: i64::MIN,
            timeline: Timeline::new(Jumps::Pass),
            ended: false,
            failure: None,
            others: Vec::new(),
            takes_others: false,
        }
    }

    /// The name of the input in warnings.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Expects audio and video even where the format's default is one stream, as layouts with a stream field need.
    pub fn with_many_streams(mut self, many: bool) -> Self {
        self.many = many;
        self
    }

    /// Takes the next event. An output that is begun takes packets with [`Feed::take`].
    pub(super) fn push(&mut self, event: Event) {
        if let Some(packet) = self.note(event) {
            self.hold(packet);
        }
    }

    fn hold(&mut self, packet: Packet) {
        if self.outputs.is_empty() && self.skips(&packet) {
            return;
        }
        self.account.add(&packet);
        self.held.push_back(packet);
    }

    /// Whether enough was pushed to stop reading ahead.
    pub(super) fn is_ready(&self) -> bool {
        self.held.len() >= LOOK_PACKETS || self.ahead() >= LOOK_BYTES || self.complete()
    }

    /// Bytes of memory that are read ahead.
    pub(super) fn ahead(&self) -> usize {
        self.account.bytes()
    }

    /// Bytes of memory of what is known of the streams.
    pub(super) fn described(&self) -> usize {
        self.streams.iter().map(Weigh::weight).sum::<usize>() + self.metadata.weight()
    }

    /// Reads ahead until the streams are known, and goes to `start` behind the first time where the input can.
    pub(super) fn begin(&mut self, start: Option<Ticks>, low_latency: bool, jumps: Jumps) -> Result<()> {
        self.low_latency = low_latency;
        self.timeline = Timeline::new(jumps);
        self.look_ahead()?;
        self.first = (0..self.streams.len()).filter_map(|index| self.earliest(index, true)).min();
        let origin = (0..self.streams.len()).filter_map(|index| self.earliest(index, false)).min();
        self.origin = origin.unwrap_or(0).max(0);
        let Origin::Here(mut reader) = mem::replace(&mut self.source, Origin::Pushed) else { return Ok(()) };
        if let Some(start) = start.filter(|start| start.0 > 0) {
            match reader.seek_to(start + Ticks(self.origin()), TimeBase::MICROS) {
                Ok(_) => {
                    self.held.clear();
                    self.account.clear();
                    self.ended = false;
                }
                Err(error) => tracing::info!("{}: {error}; reading from the beginning", self.name),
            }
        }
        let length = reader.duration();
        self.length = length.map(|(time, base)| base.rescale(time, TimeBase::MICROS, Rounding::Near));
        self.source = match reader.size() {
            Some(LONG..) => Origin::Ahead(Box::new(ReadAhead::new(*reader))),
            _ => Origin::Here(reader),
        };
        Ok(())
    }

    fn look_ahead(&mut self) -> Result<()> {
        while self.held.len() < LOOK_PACKETS && self.ahead() < LOOK_BYTES && !self.complete() {
            match self.read() {
                Some(packet) => self.hold(packet),
                None => break,
            }
        }
        for (index, stream) in self.streams.iter_mut().enumerate() {
            facts::complete(stream, self.held.iter().find(|packet| packet.stream == index));
        }
        match self.failure.take() {
            Some(error) if self.held.is_empty() => Err(error),
            error => {
                self.failure = error;
                Ok(())
            }
        }
    }

    /// Whether no further stream is expected, and of each that is known when it begins. With a low
    /// latency, a second of media is enough.
    fn complete(&self) -> bool {
        let times = || self.held.iter().filter_map(|packet| self.micros(packet));
        let span = || times().max().zip(times().min()).map_or(0, |(last, first)| last.saturating_sub(first));
        let timed = |stream: &StreamInfo| matches!(stream.media.kind(), Kind::Audio | Kind::Video);
        let begun = |index: usize| self.held.iter().any(|packet| packet.stream == index);
        let described = || self.streams.iter().all(is_described);
        let all = || (0..).zip(&*self.streams).all(|(index, stream)| !timed(stream) || begun(index)) && described();
        let expected = match &self.source {
            Origin::Here(reader) => shows_all(self.many, reader, &self.streams),
            _ => true,
        };
        let shown = expected && all();
        !self.held.is_empty() && (shown || (self.low_latency && span() >= LOOK_LIVE && described()))
    }

    /// Whether the packet cannot be decoded, as its stream was joined before its parameter sets came. It is counted.
    fn skips(&mut self, packet: &Packet) -> bool {
        let index = packet.stream;
        let bare = self.streams.get(index).is_some_and(|stream| !is_described(stream));
        let skips = bare && !packet.is_key() && !self.held.iter().any(|held| held.stream == index);
        if skips {
            self.undescribed.resize(self.streams.len(), 0);
            if let Some(count) = self.undescribed.get_mut(index) {
                *count += 1;
            }
        }
        skips
    }

    /// The next packet of the input, whatever its stream; `None` also when none was pushed yet.
    #[inline(always)]
    fn read(&mut self) -> Option<Packet> {
        while !self.ended {
            let next = match &mut self.source {
                Origin::Ahead(ahead) => ahead.next_event(),
                Origin::Here(reader) => reader.next_event(),
                Origin::Pushed => return None,
            };
            match next {
                Ok(Event::End) => self.ended = true,
                Ok(event) => {
                    if let Some(packet) = self.note(event) {
                        return Some(packet);
                    }
                }
                Err(error) if error.is_not_yet() => thread::sleep(NOT_YET_PAUSE),
                Err(error) => {
                    self.ended = true;
                    self.failure = Some(error);
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
            Event::Stream(index, info) => self.describe(index, *info),
            Event::Metadata(metadata) if self.outputs.is_empty() => self.metadata = *metadata,
            _ => {}
        }
        None
    }

    fn describe(&mut self, index: usize, info: StreamInfo) {
        let begun = !self.outputs.is_empty() || self.held.iter().any(|packet| packet.stream == index);
        if let Some(known) = self.streams.get(index).filter(|_| begun) {
            if known.codec != info.codec && self.others.len() < MAX_OTHERS {
                self.others.push((index, info.config.clone(), info.codec));
            }
            // The first packets are of the first description; later ones bring what replaces it.
            if self.outputs.is_empty() && !known.config.is_empty() && known.config != info.config {
                return;
            }
        }
        if self.outputs.is_empty() || index < self.streams.len() {
            return self.streams.describe(index, info, StreamInfo::clone, |known, info| {
                *known = info;
                facts::complete(known, None);
            });
        }
        if info.media.kind() != Kind::Data {
            tracing::warn!("{}: stream {index} begins too late and is left out", self.name);
        }
    }

    /// When the next packet of a wanted stream is decoded, in µs; `None` at the end.
    #[inline(always)]
    pub(super) fn next_time(&mut self) -> Option<i64> {
        loop {
            if self.front.is_none() {
                self.front = match self.held.pop_front() {
                    None => self.read(),
                    Some(packet) => {
                        self.account.remove(&packet);
                        Some(packet)
                    }
                };
                let packet = self.front.as_mut()?;
                if self.outputs.get(packet.stream).copied().flatten().is_none() {
                    self.sieve.pass(packet.data.len());
                    self.front = None;
                    continue;
                }
                self.sieve.keep(packet);
                let base = self.streams.get(packet.stream).map_or(TimeBase::MICROS, |stream| stream.time_base);
                let raw = packet.dts.or(packet.pts).map(|time| base.rescale(time, TimeBase::MICROS, Rounding::Near).0);
                let placed = match raw {
                    Some(raw) => self.timeline.place(packet, base, raw),
                    None => Some(self.last).filter(|_| !self.timeline.is_cut()),
                };
                let Some(time) = placed else {
                    self.front = None;
                    self.held.clear();
                    self.account.clear();
                    self.ended = true;
                    return None;
                };
                self.last = time;
            }
            return Some(self.last);
        }
    }

    /// The packet of [`Feed::next_time`], with the index of its output stream.
    #[inline(always)]
    pub(super) fn take(&mut self) -> Option<Packet> {
        let mut packet = self.front.take()?;
        if let Some(codec) = self.other(&packet) {
            let why = format!("stream {} goes on as {codec}, which the output cannot carry", packet.stream);
            self.failure = Some(MediaError::unsupported(why).into());
            self.held.clear();
            self.account.clear();
            self.ended = true;
            return None;
        }
        if let Some(stream) = self.streams.get(packet.stream).filter(|_| packet.duration.unwrap_or_default().0 == 0) {
            packet.duration = Some(facts::duration(stream, &packet)).filter(|duration| duration.0 != 0);
        }
        packet.stream = self.outputs.get(packet.stream).copied().flatten()?;
        Some(packet)
    }

    /// The codec in which a stream goes on with this packet, where the output cannot take it.
    #[inline]
    fn other(&self, packet: &Packet) -> Option<Codec> {
        if self.others.is_empty() || self.takes_others {
            return None;
        }
        let config = packet.side.new_config()?;
        let other = self.others.iter().find(|(stream, other, _)| *stream == packet.stream && other == config);
        other.map(|(.., codec)| *codec)
    }

    /// When the input begins, in µs: the earliest first time of its streams that is shown; samples to drop are not.
    pub(super) fn first_time(&self) -> Option<i64> {
        self.first
    }

    /// The time, in µs, from which a wanted start is counted: the first one, or 0 when the input begins before.
    pub(super) fn origin(&self) -> i64 {
        self.origin
    }

    /// The time, in µs, of a stream's first packet; where it is `shown`, behind the samples to drop.
    fn earliest(&self, index: usize, shown: bool) -> Option<i64> {
        let packet = self.held.iter().find(|packet| packet.stream == index)?;
        let info = self.streams.get(index)?;
        let samples = TimeBase::new(1, info.as_audio().map_or(0, |audio| audio.rate())).filter(|_| shown);
        let drop = Ticks(packet.side.trim().start.into());
        let drop = samples.map_or(Ticks(0), |samples| samples.rescale(drop, info.time_base, Rounding::Near));
        let time = packet.pts.or(packet.dts)? + drop;
        Some(info.time_base.rescale(time, TimeBase::MICROS, Rounding::Near).0)
    }

    fn micros(&self, packet: &Packet) -> Option<i64> {
        let base = self.streams.get(packet.stream)?.time_base;
        Some(base.rescale(packet.dts.or(packet.pts)?, TimeBase::MICROS, Rounding::Near).0)
    }

    /// Length of the input in µs, when it is known.
    pub(super) fn length(&self) -> Option<Ticks> {
        self.length
    }

    /// Bytes read and understood.
    pub(super) fn position(&self) -> u64 {
        match &self.source {
            Origin::Pushed => 0,
            Origin::Here(reader) => reader.offset(),
            Origin::Ahead(ahead) => ahead.offset(),
        }
    }

    /// Jumps of time and their treatment: by input stream and its output, and whether one ended the input.
    pub(super) fn jumps(&self) -> (impl Iterator<Item = (usize, u64)>, bool) {
        let outputs = self.outputs.iter().enumerate();
        let jumps = outputs.filter_map(|(stream, output)| Some(((*output)?, self.timeline.jumps(stream))));
        (jumps, self.timeline.is_cut())
    }

    /// Why reading ended early, if it did; returned once.
    pub(super) fn failure(&mut self) -> Option<Error> {
        self.failure.take()
    }
}

/// Whether a stream that needs parameter sets has them, or its size is known from elsewhere.
fn is_described(stream: &StreamInfo) -> bool {
    let coded = matches!(stream.codec, Codec::H264 | Codec::H265);
    !coded || !stream.config.is_empty() || stream.as_video().is_none_or(|video| video.width.is_some())
}

/// Whether no further stream is expected: formats of one stream show it at once, others have audio and video.
fn shows_all<S: Source>(many: bool, reader: &Reader<S>, streams: &[StreamInfo]) -> bool {
    let many = many || reader.format().is_some_and(|format| matches!(format.default_codecs, (Some(_), Some(_))));
    let has = |kind| streams.iter().any(|stream| stream.media.kind() == kind);
    !many || (has(Kind::Audio) && has(Kind::Video))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use maliu_core::stream::{Audio, Media};

    use super::*;

    /// Times in ms at which packets of these times go.
    fn placed(policy: Jumps, times: &[Option<i64>]) -> Vec<i64> {
        let mut feed = Feed::pushed();
        let stream = StreamInfo::new(Codec::Aac, TimeBase::MILLIS, Media::Audio(Audio::new(8000, 1)));
        feed.push(Event::Stream(0, Box::new(stream)));
        for time in times {
            feed.push(Event::Packet(Packet::of(0, Bytes::new()).with_dts(time.map(Ticks))));
        }
        feed.begin(None, false, policy).unwrap();
        feed.outputs = vec![Some(0)];
        let mut placed = Vec::new();
        while let Some(time) = feed.next_time() {
            placed.push(time / 1000);
            feed.take();
        }
        placed
    }

    #[test]
    fn a_stream_goes_on_in_another_codec_only_where_the_output_takes_it() {
        let described = |codec, config: &'static [u8]| {
            let info = StreamInfo::new(codec, TimeBase::MILLIS, Media::Audio(Audio::new(48_000, 2)));
            Event::Stream(0, Box::new(info.with_config(Bytes::from_static(config))))
        };
        for (takes, expected) in [(false, 1), (true, 2)] {
            let mut feed = Feed::pushed();
            feed.push(described(Codec::Vorbis, b"first"));
            feed.push(Event::Packet(Packet::of(0, Bytes::new()).with_dts(Ticks(0))));
            feed.push(described(Codec::Opus, b"second"));
            let mut packet = Packet::of(0, Bytes::new()).with_dts(Ticks(20));
            packet.side.set_new_config(Bytes::from_static(b"second"));
            feed.push(Event::Packet(packet));
            feed.begin(None, false, Jumps::Pass).unwrap();
            assert_eq!(feed.streams[0].codec, Codec::Vorbis, "the first packet is of the first description");
            (feed.outputs, feed.takes_others) = (vec![Some(0)], takes);
            let mut taken = 0;
            while feed.next_time().is_some() {
                taken += usize::from(feed.take().is_some());
            }
            assert_eq!((taken, feed.failure().is_some()), (expected, !takes));
        }
    }

    #[test]
    fn packets_without_times_go_where_their_stream_is_and_end_where_it_is_cut() {
        let times = [Some(0), None, Some(40), Some(80), Some(9000), None, Some(9040)];
        assert_eq!(placed(Jumps::Restamp, &times), [0, 0, 40, 80, 120, 120, 160]);
        assert_eq!(placed(Jumps::Pass, &times), [0, 0, 40, 80, 9000, 9000, 9040]);
        assert_eq!(placed(Jumps::Cut, &times), [0, 0, 40, 80]);
        assert_eq!(placed(Jumps::Cut, &[Some(0), Some(40), Some(80), None, Some(9000), None]), [0, 40, 80, 80]);
    }
}
