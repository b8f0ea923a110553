//! The work behind a window: tags of a channel → packets → segments.

use std::{
    sync::{Arc, atomic::Ordering},
    task::Poll,
    time::Duration,
};

use bytes::Bytes;
use maliu::{
    account::Weigh,
    error::MediaError,
    format::Event,
    formats::flv,
    hls::{Date, Made, Options, Packager, Shelf},
    input::Input,
    live::Join,
    output::Output,
    packet::Packet,
    reader::PacketReader,
    stream::{Codec, Kind, Metadata, StreamInfo},
    time::{Rounding, TimeBase},
    wire::rtmp::Tag,
    writer::{PacketWriter, Plan},
};
use tokio::time::timeout;

use super::{
    Live, now,
    shelf::{Job, Shelf as Files},
};
use crate::{channel::Channel, follower::Follower, hub::Hub};

/// How long a stream that has not begun is waited for.
const EXPECT: Duration = Duration::from_secs(30);

/// Media, in ms, after which streams that are not described are left out.
const SETTLED: i64 = 1000;

/// Most packets, and most bytes of their memory, that wait until the streams are known.
const MAX_WAITING: usize = 4096;
const MAX_WAITING_BYTES: usize = 8 << 20;

/// Media of a ring, in ms, at most.
const MAX_WAITED: i64 = 60_000;

/// Makes segments of a channel until it ends.
pub(crate) async fn run(hub: Arc<Hub>, channel: Arc<Channel>, live: Arc<Live>) {
    let root = live.settings.folder.as_ref().filter(|_| !live.settings.dvr.is_zero());
    let files = root.map(|root| Arc::new(Files::new(hub, root, &channel.name)));
    if let (Some(files), Some(key)) = (&files, live.key) {
        files.put(Job::Write(format!("{}.key", live.epoch), vec![Bytes::copy_from_slice(&key)]));
    }
    let mut follower = Follower::new(Arc::clone(&channel), Join::First);
    let mut work = None;
    loop {
        let steps = match timeout(EXPECT, follower.next()).await {
            Ok(Some(steps)) => steps,
            Ok(None) => break,
            Err(_) if channel.has_begun() => continue,
            Err(_) => break,
        };
        let (flags, steps) = steps;
        let work = work.get_or_insert_with(|| Work::new(Arc::clone(&live), files.clone(), flags));
        let latest = channel.lock().stream.ring().latest();
        let taken = steps.iter().try_for_each(|step| {
            // Those that waited in the ring came earlier.
            let waited = latest.saturating_sub(step.time).clamp(0, MAX_WAITED);
            live.arrival.store(now().0.saturating_sub(waited), Ordering::Relaxed);
            work.tag(&step.tag)
        });
        live.announce();
        if let Err(error) = taken {
            tracing::warn!("{}: no HLS: {error}", channel.name);
            break;
        }
        if live.window().is_over() {
            tracing::warn!("{}: no HLS: a segment takes more memory than the stream's share", channel.name);
            break;
        }
    }
    if let Some(work) = work {
        work.finish();
    }
    live.end();
    if let Some(files) = files {
        let last = {
            let window = live.window();
            let list = window.recording();
            let key = live.key.map(|_| format!("{}.key", live.epoch));
            let names = || {
                list.segments.iter().flat_map(|segment| {
                    [Some(segment.uri.clone()), segment.map.as_ref().map(|map| map.uri.clone())].into_iter().flatten()
                })
            };
            match live.settings.keep && !list.segments.is_empty() {
                true => Job::Write(format!("{}.m3u8", live.epoch), vec![list.to_string().into()]),
                false => Job::Remove(names().chain(key).collect()),
            }
        };
        files.last(last).await;
    }
}

/// Puts what is made into the window.
struct Slot {
    live: Arc<Live>,
    files: Option<Arc<Files>>,
    /// The first segment comes behind those of another writer.
    anew: bool,
}

impl Shelf for Slot {
    fn take(&mut self, mut made: Made) -> Result<(), MediaError> {
        match &mut made {
            // The writer ends; the stream may go on with another one.
            Made::End => return Ok(()),
            Made::Segment { discontinuity, .. } => *discontinuity |= std::mem::take(&mut self.anew),
            _ => {}
        }
        let arrival = Date(self.live.arrival.load(Ordering::Relaxed));
        let (is_segment, is_init) = (matches!(made, Made::Segment { .. }), matches!(made, Made::Init(_)));
        let mut window = self.live.window();
        window.take(made, arrival);
        let Some(files) = &self.files else { return Ok(()) };
        let new = match (is_segment, is_init) {
            (true, _) => window.newest(),
            (_, true) => window.newest_init(),
            _ => None,
        };
        if let Some((name, data)) = new {
            files.put(Job::Write(name, data));
        }
        let old = window.take_expired();
        if !old.is_empty() {
            files.put(Job::Remove(old));
        }
        Ok(())
    }
}

struct Work {
    live: Arc<Live>,
    files: Option<Arc<Files>>,
    flags: u8,
    input: Input,
    reader: PacketReader,
    streams: Vec<Option<StreamInfo>>,
    writer: Option<Writer>,
    waiting: Vec<Packet>,
    /// Bytes of memory that wait.
    waiting_bytes: usize,
    /// A writer was there before.
    again: bool,
}

struct Writer {
    inner: PacketWriter,
    out: Output,
    /// The index in the output of each stream of the input.
    indices: Vec<Option<usize>>,
}

impl Work {
    fn new(live: Arc<Live>, files: Option<Arc<Files>>, flags: u8) -> Self {
        let mut input = Input::new();
        input.push(&[b'F', b'L', b'V', 1, flags, 0, 0, 0, 9, 0, 0, 0, 0]);
        let reader = PacketReader::detect(FLV);
        Self {
            live,
            files,
            flags,
            input,
            reader,
            streams: Vec::new(),
            writer: None,
            waiting: Vec::new(),
            waiting_bytes: 0,
            again: false,
        }
    }

    fn tag(&mut self, tag: &Tag) -> Result<(), MediaError> {
        self.input.push(&tag.head());
        self.input.push_bytes(tag.body.clone());
        self.input.push(&tag.tail());
        loop {
            match self.reader.poll(&mut self.input)? {
                Poll::Pending | Poll::Ready(Event::End) => break,
                Poll::Ready(Event::Stream(index, info)) => self.stream(index, *info)?,
                Poll::Ready(Event::Packet(packet)) => self.packet(packet)?,
                Poll::Ready(_) => {}
            }
        }
        let (warnings, _) = self.input.take_warnings();
        warnings.iter().for_each(|warning| tracing::debug!("HLS: {}", warning.what));
        Ok(())
    }

    fn stream(&mut self, index: usize, info: StreamInfo) -> Result<(), MediaError> {
        if self.streams.len() <= index {
            self.streams.resize(index + 1, None);
        }
        if let Some(slot) = self.streams.get_mut(index) {
            *slot = Some(info);
        }
        let carried = self.writer.as_ref().is_none_or(|writer| writer.indices.get(index).copied().flatten().is_some());
        if !carried && self.is_described(index) {
            // A stream that comes late: all go on behind a discontinuity.
            self.end_writer();
        }
        Ok(())
    }

    fn is_described(&self, index: usize) -> bool {
        let Some(info) = self.streams.get(index).and_then(Option::as_ref) else { return false };
        match info.codec {
            Codec::H264 | Codec::H265 | Codec::Aac | Codec::Av1 | Codec::Flac => !info.config.is_empty(),
            _ => matches!(info.media.kind(), Kind::Video | Kind::Audio),
        }
    }

    fn packet(&mut self, packet: Packet) -> Result<(), MediaError> {
        if self.writer.is_some() {
            return self.write(packet);
        }
        self.waiting_bytes = self.waiting_bytes.saturating_add(packet.weight());
        self.waiting.push(packet);
        if !self.is_ready() {
            return Ok(());
        }
        self.waiting_bytes = 0;
        self.begin()?;
        std::mem::take(&mut self.waiting).into_iter().try_for_each(|packet| self.write(packet))
    }

    /// Whether the streams that the header declares are described, or were waited for long enough.
    fn is_ready(&self) -> bool {
        let has = |kind| {
            let of_kind = |(index, info): (usize, &Option<StreamInfo>)| {
                info.as_ref().is_some_and(|info| info.media.kind() == kind) && self.is_described(index)
            };
            self.streams.iter().enumerate().any(of_kind)
        };
        let all = (self.flags & 1 == 0 || has(Kind::Video)) && (self.flags & 4 == 0 || has(Kind::Audio));
        let millis = |packet: &Packet| {
            packet
                .dts
                .or(packet.pts)
                .map_or(0, |time| packet.time_base.rescale(time, TimeBase::MILLIS, Rounding::Near).0)
        };
        let span = self.waiting.first().zip(self.waiting.last()).map_or(0, |(a, b)| millis(b) - millis(a));
        let full = self.waiting.len() > MAX_WAITING || self.waiting_bytes > MAX_WAITING_BYTES;
        all || full || (span > SETTLED && (has(Kind::Video) || has(Kind::Audio)))
    }

    fn begin(&mut self) -> Result<(), MediaError> {
        let mut options = Options::default();
        (options.container, options.segment, options.live) = (self.live.container, self.live.settings.segment, true);
        let has_parts = options.container == maliu::hls::Container::Fmp4 && !self.live.settings.encrypt;
        options.part = has_parts.then_some(self.live.settings.part);
        let (mut indices, mut streams) = (vec![None; self.streams.len()], Vec::new());
        let described = (0..self.streams.len()).filter(|index| self.is_described(*index));
        for index in described.collect::<Vec<_>>() {
            if let (Some(Some(info)), Some(slot)) = (self.streams.get(index), indices.get_mut(index)) {
                *slot = Some(streams.len());
                streams.push(info.clone());
            }
        }
        let files = self.files.clone();
        let slot = Slot { live: Arc::clone(&self.live), files, anew: std::mem::replace(&mut self.again, true) };
        let packager = Box::new(Packager::new(options, slot)?);
        let (mut out, metadata) = (Output::default(), Metadata::default());
        let plan = Plan::new(options.container.format(), &[], &metadata);
        let inner = plan.start_muxer(packager, &streams, &mut out)?;
        *self.live.streams() = streams;
        self.writer = Some(Writer { inner, out, indices });
        Ok(())
    }

    fn write(&mut self, packet: Packet) -> Result<(), MediaError> {
        let Some(writer) = &mut self.writer else { return Ok(()) };
        let Some(stream) = writer.indices.get(packet.stream).copied().flatten() else { return Ok(()) };
        let written = writer.inner.write(packet.with_stream(stream), &mut writer.out);
        while writer.out.next_edit().is_some() {}
        writer.out.take_warnings().iter().for_each(|warning| tracing::debug!("HLS: {}", warning.what));
        match written {
            // One packet is lost, the stream goes on.
            Err(MediaError::Packet { why, .. }) => {
                tracing::debug!("HLS leaves out a packet: {why}");
                Ok(())
            }
            written => written,
        }
    }

    fn end_writer(&mut self) {
        if let Some(Writer { inner, mut out, .. }) = self.writer.take()
            && let Err(error) = inner.finish(&mut out)
        {
            tracing::debug!("HLS: {error}");
        }
    }

    fn finish(mut self) {
        self.end_writer();
    }
}

/// Tags are those of FLV.
const FLV: &[&maliu::format::Format] = &[&flv::FORMAT];
