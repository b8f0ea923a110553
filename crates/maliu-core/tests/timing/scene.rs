//! A writer over a muxer that notes what it gets, spoken to in short texts.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use bytes::Bytes;
use maliu_core::{
    error::{Error, Result},
    format::{Format, Muxer, Rules, Score},
    output::{Output, Reach},
    packet::Packet,
    stream::{Audio, Codec, Media, Metadata, StreamInfo, Video},
    time::{Ticks, TimeBase},
    timing::Fired,
    writer::{PacketWriter, Plan},
};

/// dts must rise.
pub(crate) const STRICT: Rules = Rules::STRICT;

/// dts may stay.
pub(crate) const LOOSE: Rules = Rules { equal_dts: true, negative: true, ..Rules::STRICT };

/// There are no times.
pub(crate) const NAMELESS: Rules = Rules { no_timestamps: true, ..Rules::STRICT };

pub(crate) fn video(reorder: u8) -> StreamInfo {
    let media = {
        let mut video = Video::new(16, 16);
        video.reorder = reorder;
        Media::Video(video)
    };
    StreamInfo::new(Codec::Mpeg4, TimeBase::MILLIS, media)
}

pub(crate) fn picture(codec: Codec) -> StreamInfo {
    let mut stream = video(0);
    stream.codec = codec;
    stream
}

pub(crate) fn audio(codec: Codec) -> StreamInfo {
    let media = Media::Audio(Audio::new(44_100, 2));
    StreamInfo::new(codec, TimeBase::MILLIS, media)
}

pub(crate) fn subtitle() -> StreamInfo {
    StreamInfo::new(Codec::Srt, TimeBase::MILLIS, Media::Subtitle)
}

pub(crate) fn attachment() -> StreamInfo {
    StreamInfo::new(Codec::Ttf, TimeBase::MILLIS, Media::Attachment)
}

pub(crate) struct Scene {
    writer: PacketWriter,
    out: Output,
    seen: Arc<Mutex<Vec<Packet>>>,
    fail: Arc<AtomicBool>,
}

struct Noting {
    seen: Arc<Mutex<Vec<Packet>>>,
    fail: Arc<AtomicBool>,
}

impl Muxer for Noting {
    fn start(&mut self, _: &mut [StreamInfo], _: &Metadata, _: &mut Output) -> Result<()> {
        Ok(())
    }

    fn packet(&mut self, packet: &Packet, _: &mut Output) -> Result<()> {
        if self.fail.swap(false, Ordering::Relaxed) {
            return Err(Error::mux("scene", "told to fail"));
        }
        self.seen.lock().unwrap().push(packet.clone());
        Ok(())
    }

    fn finish(&mut self, _: &mut Output) -> Result<()> {
        Ok(())
    }
}

impl Scene {
    pub(crate) fn new(rules: Rules, streams: &[StreamInfo]) -> Self {
        Self::with(rules, streams, &[])
    }

    pub(crate) fn with(rules: Rules, streams: &[StreamInfo], settings: &[(&str, &str)]) -> Self {
        let format = Box::leak(Box::new(Format {
            name: "scene",
            long_name: "scene",
            mime: &[],
            extensions: &[],
            probe: |_| Score::No("scene"),
            demuxer: None,
            muxer: None,
            settings: &[],
            rules,
            default_codecs: (None, None),
        }));
        let (seen, fail) = (Arc::default(), Arc::default());
        let muxer = Box::new(Noting { seen: Arc::clone(&seen), fail: Arc::clone(&fail) });
        let mut out = Output::new(Reach::Append);
        let metadata = Metadata::default();
        let plan = Plan::new(format, settings, &metadata);
        let writer = plan.start_muxer(muxer, streams, &mut out).unwrap();
        Self { writer, out, seen, fail }
    }

    /// Writes `pts[/duration] dts` to stream 0 at once; `-` is unknown.
    pub(crate) fn write(&mut self, times: &str) -> String {
        self.write_to(0, times)
    }

    pub(crate) fn write_to(&mut self, stream: usize, times: &str) -> String {
        match self.writer.write(packet(stream, times, 9), &mut self.out) {
            Ok(()) => self.seen().pop().map(|packet| format!("{} {}", text(packet.pts), text(packet.dts))).unwrap(),
            Err(error) => error.to_string(),
        }
    }

    /// Writes in order; returns `stream: dts` of what the muxer got, then the refusal if there was one.
    pub(crate) fn interleave(&mut self, stream: usize, times: &str) -> Vec<String> {
        self.interleave_sized(stream, times, 9)
    }

    pub(crate) fn interleave_sized(&mut self, stream: usize, times: &str, size: usize) -> Vec<String> {
        let result = self.writer.write_interleaved(packet(stream, times, size), &mut self.out);
        self.report(result)
    }

    pub(crate) fn drain(&mut self) -> Vec<String> {
        let result = self.writer.drain(&mut self.out);
        self.report(result)
    }

    pub(crate) fn fail_next(&mut self) {
        self.fail.store(true, Ordering::Relaxed);
    }

    pub(crate) fn explain(&mut self) {
        self.writer.explain(true);
    }

    pub(crate) fn explanations(&mut self) -> Vec<Fired> {
        std::iter::from_fn(|| self.writer.next_explanation()).collect()
    }

    pub(crate) fn writer(&mut self) -> (&mut PacketWriter, &mut Output) {
        (&mut self.writer, &mut self.out)
    }

    pub(crate) fn seen(&mut self) -> Vec<Packet> {
        std::mem::take(&mut *self.seen.lock().unwrap())
    }

    fn report(&mut self, result: Result<()>) -> Vec<String> {
        let seen = self.seen().into_iter().map(|packet| format!("{}: {}", packet.stream, text(packet.dts)));
        seen.chain(result.err().map(|error| error.to_string())).collect()
    }
}

fn packet(stream: usize, times: &str, size: usize) -> Packet {
    let (pts, dts) = times.split_once(' ').unwrap();
    let (pts, duration) = pts.split_once('/').unwrap_or((pts, "-"));
    let time = |text: &str| text.parse().ok().map(Ticks);
    let (pts, dts, duration) = (time(pts), time(dts), time(duration));
    Packet::of(stream, Bytes::from(vec![1; size])).with_pts(pts).with_dts(dts).with_duration(duration)
}

fn text(time: Option<Ticks>) -> String {
    time.map_or("-".to_owned(), |time| time.to_string())
}
