//! A file without its movie: streams made of what the walk finds, with the configurations of a good file.

use std::{io, num::NonZeroU32, task::Poll};

use bytes::Bytes;
use maliu_core::{
    error::Result as CoreResult,
    format::{Demuxer, Event},
    formats,
    input::Input,
    packet::Packet,
    reader::PacketReader,
    stream::{Codec, Kind, Media, StreamInfo, Video as Picture},
    syntax::{aac::AudioSpecificConfig, annexb, h264, h265},
    time::{Ticks, TimeBase},
};

use super::{
    super::LeftOut,
    Cut, Error, FORMAT, Feed, Feeds, Like, Open, Options, Report, Track,
    units::Audio,
    walk::{Found, Unit, Video, Walk},
};
use crate::{
    blocking::Reader,
    io::Source,
    mp4::{TopLevel, fill},
};

/// Bytes in which parameter sets are looked for.
const LOOK: usize = 1 << 20;

/// Audio frames of a packet of uncompressed audio.
const FRAMES: u32 = 1024;

/// The streams of the file, each as an input of its own.
pub(super) fn feeds<S: Source + Send + 'static>(
    open: Open<'_, S>,
    boxes: &TopLevel,
    options: &Options,
) -> Result<Feeds, Error> {
    let mut source = open().map_err(Error::Open)?;
    let ranges = boxes.media();
    let like = match &options.like {
        Some(like) => like.clone(),
        None => in_band(&mut source, &ranges).map_err(Error::Open)?.ok_or(Error::NoMovie)?,
    };
    let track = |kind| like.tracks.iter().find(|track| track.info.media.kind() == kind);
    let (video, audio) = (track(Kind::Video), track(Kind::Audio));
    let make = options.split;
    let split = audio.and_then(|track| Audio::of(&track.info, make));
    let unit = match &split {
        Some(Audio::Frames(bytes)) => *bytes,
        _ => 0,
    };
    let mut report = Report::default();
    let skipped = like.tracks.iter().enumerate().filter(|(_, track)| {
        let same = |other: Option<&Track>| other.is_some_and(|other| std::ptr::eq(other, *track));
        !(same(video) || same(audio) && split.is_some())
    });
    for (stream, _) in skipped {
        let why = "its samples do not show where they end".to_owned();
        report.streams.push(LeftOut { stream, packets: 0, why });
    }
    let mut walk = Walk::new(&mut source, video.and_then(|track| Video::of(&track.info)), split);
    for (at, end) in ranges {
        walk.range(at, end).map_err(Error::Open)?;
    }
    let Found { video: nals, audio: units, lost, cut } = walk.found;
    report.rebuilt = Some((nals.len() as u64, units.len() as u64, lost));
    let mut feeds = Vec::new();
    if let Some(track) = video.filter(|_| !nals.is_empty()) {
        feeds.push(pictures(source_of(open)?, track, nals)?);
    }
    if let Some(track) = audio.filter(|_| !units.is_empty()) {
        feeds.push(sound(source_of(open)?, track, units, unit)?);
    }
    let count = Cut::default();
    count.store(cut.into(), std::sync::atomic::Ordering::Relaxed);
    Ok((feeds, report, count))
}

fn source_of<S>(open: Open<'_, S>) -> Result<S, Error> {
    open().map_err(Error::Open)
}

/// Video from NAL units: the raw demuxer finds its access units and, from the picture order, its times.
fn pictures<S: Source + Send + 'static>(
    source: S,
    track: &Track,
    units: Vec<Unit>,
) -> Result<(Feed, Vec<StreamInfo>), Error> {
    let (format, sets) = match track.info.codec {
        Codec::H265 => {
            let nals = h265::Config::parse(&track.info.config).map_or_else(Vec::new, |config| config.nals);
            (&formats::h265::FORMAT, nals)
        }
        _ => {
            let config = h264::Config::parse(&track.info.config);
            (&formats::h264::FORMAT, config.map_or_else(Vec::new, |config| [config.sps, config.pps].concat()))
        }
    };
    let rate = track.rate().map(|(num, den)| format!("{num}/{den}"));
    let settings: Vec<(&str, &str)> = rate.iter().map(|rate| ("framerate", rate.as_str())).collect();
    let head = sets.iter().flat_map(|nal| [&CODE[..], nal]).flatten().copied().collect::<Vec<u8>>();
    let head = Bytes::from(head);
    let codes = StartCodes { source, head: head.clone(), units, unit: 0, into: 0, at: 0 };
    let media = |error| Error::Read(crate::Error::Media(error));
    let demuxer = (format.demuxer.ok_or(Error::NoPacket)?)(&settings).map_err(media)?;
    let mut reader = Reader::with(codes, PacketReader::with(format, Box::new(Bare { demuxer, head })));
    let streams = super::streams(&mut reader)?;
    Ok((Feed::from(reader).named("the rebuilt video"), streams))
}

/// Takes what was put in front of the stream off its first packet.
struct Bare {
    demuxer: Box<dyn Demuxer>,
    head: Bytes,
}

impl Demuxer for Bare {
    fn poll(&mut self, input: &mut Input) -> CoreResult<Poll<Event>> {
        let mut polled = self.demuxer.poll(input)?;
        if let Poll::Ready(Event::Packet(packet)) = &mut polled {
            let head = std::mem::take(&mut self.head);
            if packet.data.starts_with(&head) {
                packet.data = packet.data.slice(head.len()..);
            }
        }
        Ok(polled)
    }
}

/// A start code without the zero in front that would count to the unit before.
const CODE: [u8; 3] = [0, 0, 1];

/// NAL units of a file behind start codes, read once from front to back.
struct StartCodes<S> {
    source: S,
    /// Parameter sets in front of everything.
    head: Bytes,
    units: Vec<Unit>,
    unit: usize,
    /// Bytes of the unit, with its start code, that were given.
    into: u64,
    at: u64,
}

impl<S: Source> Source for StartCodes<S> {
    fn seekable(&self) -> bool {
        false
    }

    fn read_at(&mut self, at: u64, buf: &mut [u8]) -> io::Result<usize> {
        debug_assert_eq!(at, self.at, "in order");
        let mut done = 0;
        while let Some(room) = buf.get_mut(done..).filter(|room| !room.is_empty()) {
            if !self.head.is_empty() {
                let take = room.len().min(self.head.len());
                let front = self.head.split_to(take);
                room.get_mut(..take).unwrap_or_default().copy_from_slice(&front);
                done += take;
                continue;
            }
            let Some(unit) = self.units.get(self.unit) else { break };
            if self.into < CODE.len() as u64 {
                let rest = CODE.get(self.into as usize..).unwrap_or_default();
                let take = room.len().min(rest.len());
                room.get_mut(..take).unwrap_or_default().copy_from_slice(rest.get(..take).unwrap_or_default());
                (self.into, done) = (self.into + take as u64, done + take);
                continue;
            }
            let left = u64::from(unit.len) + CODE.len() as u64 - self.into;
            let take = usize::try_from(left).unwrap_or(usize::MAX).min(room.len());
            let got = fill(
                &mut self.source,
                unit.at + self.into - CODE.len() as u64,
                room.get_mut(..take).unwrap_or_default(),
            )?;
            (self.into, done) = (self.into + got as u64, done + got);
            if got < take || self.into == u64::from(unit.len) + CODE.len() as u64 {
                (self.unit, self.into) = (self.unit + 1, 0);
            }
        }
        self.at += done as u64;
        Ok(done)
    }
}

/// Audio from its units, each as long as its codec says.
fn sound<S: Source + Send + 'static>(
    source: S,
    track: &Track,
    units: Vec<Unit>,
    frame: u32,
) -> Result<(Feed, Vec<StreamInfo>), Error> {
    let mut info = track.info.clone();
    let rate = info.as_audio().map_or(0, |audio| audio.rate());
    let size = info.as_audio().map_or(0, |audio| audio.frame_size);
    let size = match info.codec {
        Codec::Aac if size == 0 => AudioSpecificConfig::parse(&info.config).map_or(1024, |config| config.frame_size()),
        _ => size,
    };
    // A step that was seen is right even where half of the samples are left to a bandwidth extension.
    let step = if track.step > 0 { track.step } else { i64::from(size.max(1)) };
    let step = if frame > 0 { 1 } else { step };
    if frame > 0 {
        info.time_base = TimeBase::hz(NonZeroU32::new(rate).map_or(info.time_base.den.get(), NonZeroU32::get));
    }
    let first = Some(Ticks(track.first)).filter(|_| frame == 0).unwrap_or_default().0;
    let demuxer = Units { info: Some(info), units, unit: 0, into: 0, frame, step, time: first };
    let mut reader = Reader::with(source, PacketReader::with(&FORMAT, Box::new(demuxer)));
    let streams = super::streams(&mut reader)?;
    Ok((Feed::from(reader).named("the rebuilt audio"), streams))
}

/// Units of a file as packets.
struct Units {
    info: Option<StreamInfo>,
    units: Vec<Unit>,
    unit: usize,
    /// Bytes of a run of uncompressed audio that were given.
    into: u32,
    /// Bytes of an audio frame in such runs; 0 for coded units.
    frame: u32,
    step: i64,
    time: i64,
}

impl Demuxer for Units {
    fn poll(&mut self, input: &mut Input) -> CoreResult<Poll<Event>> {
        if let Some(info) = self.info.take() {
            return Ok(Poll::Ready(Event::Stream(0, Box::new(info))));
        }
        let Some(unit) = self.units.get(self.unit).copied() else { return Ok(Poll::Ready(Event::End)) };
        let at = unit.at + u64::from(self.into);
        let rest = unit.len - self.into;
        let len = if self.frame > 0 { rest.min(FRAMES.saturating_mul(self.frame)) } else { rest };
        if input.offset() != at {
            input.goto(at)?;
        }
        if input.peek().len() < len as usize && !input.ended() {
            return Ok(Poll::Pending);
        }
        let data = input.take((len as usize).min(input.peek().len())).unwrap_or_default();
        let lasts = if self.frame > 0 { i64::from(len / self.frame.max(1)) } else { self.step };
        let time = Some(Ticks(self.time));
        let duration = Some(Ticks(lasts));
        self.time = self.time.saturating_add(lasts);
        self.into += len;
        if self.into >= unit.len {
            (self.unit, self.into) = (self.unit + 1, 0);
        }
        let packet = Packet::of(0, data).at(time).with_duration(duration).with_key(true).with_position(at);
        Ok(Poll::Ready(Event::Packet(packet)))
    }
}

/// A track of H.264 whose parameter sets stand in the media data; `None` if there are none.
fn in_band<S: Source>(source: &mut S, ranges: &[(u64, u64)]) -> io::Result<Option<Like>> {
    let Some((at, end)) = ranges.first().copied() else { return Ok(None) };
    let mut bytes = vec![0; LOOK.min(usize::try_from(end - at).unwrap_or(LOOK))];
    let there = fill(source, at, &mut bytes)?;
    bytes.truncate(there);
    let mut sets: Vec<u8> = Vec::new();
    for start in 0..bytes.len() {
        let rest = bytes.get(start..).unwrap_or_default();
        if rest.get(4).is_none_or(|head| head & 0x9f != 7) {
            continue;
        }
        let units = annexb::lengths(rest, 4).take(16).filter(|unit| unit.len() < 4096);
        sets = units.filter(|unit| matches!(unit.first().map(|head| head & 0x1f), Some(7 | 8))).fold(
            Vec::new(),
            |mut sets, unit| {
                sets.extend_from_slice(&[0, 0, 0, 1]);
                sets.extend_from_slice(unit);
                sets
            },
        );
        if h264::build_config(&Bytes::copy_from_slice(&sets)).is_ok() {
            break;
        }
        sets.clear();
    }
    let Ok(config) = h264::build_config(&sets.into()) else { return Ok(None) };
    let mut info = StreamInfo::new(Codec::H264, TimeBase::hz(90_000), Media::Video(Picture::default()));
    info.config = config;
    Ok(Some(Like { tracks: vec![Track { info, step: 0, first: 0 }] }))
}
