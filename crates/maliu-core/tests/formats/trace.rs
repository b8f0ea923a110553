//! Runs a reader over bytes that come in any slicing, and writes what it says as lines of text.

use std::task::Poll;

use std::fmt::Write as _;

use maliu_core::{
    format::{Event, Format},
    formats,
    input::Input,
    packet::Packet,
    reader::PacketReader,
    stream::{Media, Metadata, StreamInfo},
};

/// How bytes reach the reader.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Feed {
    /// All at once.
    Whole,
    /// In slices of this size.
    Slices(usize),
    /// In slices of pseudo-random size up to 600, from this seed.
    Random(u32),
    /// From any offset, in blocks of this size.
    Seekable(usize),
}

/// How the format is chosen.
#[derive(Clone, Copy)]
pub(crate) enum Open {
    Of(&'static Format),
    Detect,
}

/// The output: one line per event, and the error that ended it.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Trace {
    pub lines: Vec<String>,
    pub packets: Vec<String>,
    pub error: Option<String>,
}

impl Trace {
    pub(crate) fn text(&self) -> String {
        let mut text = self.lines.join("\n");
        if let Some(error) = &self.error {
            let _ = write!(text, "\nerror {error}");
        }
        text + "\n"
    }
}

/// Everything the reader says about `data`. Panics when it stops making progress.
pub(crate) fn trace(open: Open, data: &[u8], feed: Feed) -> Trace {
    let mut reader = match open {
        Open::Of(format) => PacketReader::of(format, &[]).expect("the format is read"),
        Open::Detect => PacketReader::detect(formats::ALL),
    };
    let mut input = match feed {
        Feed::Seekable(_) => Input::seekable(Some(data.len() as u64)),
        _ => Input::new(),
    };
    let mut slices = Slices { feed, state: 1 };
    let mut trace = Trace::default();
    for _ in 0..data.len() * 8 + 100_000 {
        let event = reader.poll(&mut input);
        for warning in input.take_warnings().0 {
            trace.lines.push(format!("warning at {} {}", warning.at, warning.what));
        }
        match event {
            Ok(Poll::Pending) => feed_one(&mut input, data, slices.next()),
            Ok(Poll::Ready(Event::Stream(index, info))) => trace.lines.push(stream_line(index, &info)),
            Ok(Poll::Ready(Event::Metadata(metadata))) => trace.lines.extend(metadata_lines(&metadata)),
            Ok(Poll::Ready(Event::Packet(packet))) => {
                trace.lines.push(packet_line(&packet));
                trace.packets.push(packet_line(&packet));
            }
            Ok(Poll::Ready(Event::End)) => return trace,
            Err(error) => {
                trace.error = Some(error.to_string());
                return trace;
            }
        }
    }
    panic!("no progress after {} lines; last {:?}", trace.lines.len(), trace.lines.last());
}

fn feed_one(input: &mut Input, data: &[u8], len: usize) {
    let at = usize::try_from(input.next_read()).unwrap_or(usize::MAX).min(data.len());
    let slice = &data[at..data.len().min(at + len)];
    if slice.is_empty() {
        assert!(!input.ended(), "NeedBytes after the end");
        input.end();
    } else {
        input.push(slice);
    }
}

struct Slices {
    feed: Feed,
    state: u32,
}

impl Slices {
    fn next(&mut self) -> usize {
        match self.feed {
            Feed::Whole => usize::MAX / 2,
            Feed::Slices(n) | Feed::Seekable(n) => n,
            Feed::Random(seed) => {
                self.state = (self.state ^ seed).wrapping_mul(0x9E37_79B1).rotate_left(13) | 1;
                self.state as usize % 600 + 1
            }
        }
    }
}

fn stream_line(index: usize, info: &StreamInfo) -> String {
    let mut line = format!("stream {index} {} {} tb={}", info.media.kind().name(), info.codec, info.time_base);
    match &info.media {
        Media::Audio(a) => {
            let _ = write!(
                line,
                " rate={} channels={} frame={} bits={}",
                a.rate(),
                a.channel_count(),
                a.frame_size,
                a.bits_per_sample
            );
        }
        Media::Video(v) => {
            let _ = write!(line, " size={}x{} reorder={} rate={:?}", v.size().0, v.size().1, v.reorder, v.frame_rate);
        }
        _ => {}
    }
    if !info.config.is_empty() {
        let _ = write!(line, " config={}:{:08x}", info.config.len(), crc32fast::hash(&info.config));
    }
    if let Some(start) = info.start {
        let _ = write!(line, " start={start}");
    }
    if let Some(duration) = info.duration {
        let _ = write!(line, " duration={duration}");
    }
    line
}

fn metadata_lines(metadata: &Metadata) -> Vec<String> {
    let tags = metadata.entries().iter().map(|(key, value)| format!("tag {key}={value:?}"));
    let pictures = metadata.pictures().iter().map(|p| format!("picture {} {} bytes", p.mime, p.size));
    tags.chain(pictures).collect()
}

fn packet_line(packet: &Packet) -> String {
    let time = |t: Option<maliu_core::time::Ticks>| t.map_or("-".to_owned(), |t| t.to_string());
    let mut line = format!(
        "packet {} pts={} dts={} dur={} flags={} size={} crc={:08x}",
        packet.stream,
        time(packet.pts),
        time(packet.dts),
        packet.duration.unwrap_or_default(),
        packet.flags.bits(),
        packet.data.len(),
        crc32fast::hash(&packet.data)
    );
    let trim = packet.side.trim();
    if trim.start > 0 || trim.end > 0 {
        let _ = write!(line, " trim={},{}", trim.start, trim.end);
    }
    if let Some(config) = packet.side.new_config() {
        let _ = write!(line, " new_config={}:{:08x}", config.len(), crc32fast::hash(config));
    }
    if let Some((rate, channels)) = packet.side.new_audio() {
        let _ = write!(line, " new_audio={rate},{channels}");
    }
    line
}
