//! Packets → segments: a muxer makes the bytes, a [`Cutter`] says where they are cut.
//!
//! ```text
//!   Packet ─▶ queue: until its length is known ─▶ Cutter ─┬▶ cut: the muxer writes what waits ─▶ Made ─▶ Shelf
//!                                                         └▶ Muxer
//! ```

use alloc::{boxed::Box, collections::VecDeque, vec::Vec};
use core::time::Duration;

use bytes::Bytes;

use super::{
    cut::{Cut, Cutter},
    settings::SETTINGS,
};
use crate::{
    error::{Error, Result},
    format::{Format, Muxer, Packaging, Rules},
    formats::{mp4, mpegts},
    output::{Edit, Mark, Output, Reach},
    packet::Packet,
    stream::{Kind, Metadata, StreamInfo},
    time::{Rounding, Ticks, TimeBase},
};

/// Most packets that wait until the length of the first one is known.
const MAX_QUEUE: usize = 256;

/// The format of segments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Container {
    /// Fragments of MP4 behind an initialization.
    #[default]
    Fmp4,
    /// Transport streams.
    Ts,
}

/// How packets are cut.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Options {
    /// Format of segments.
    pub container: Container,
    /// Least length of a segment; it ends at the next keyframe.
    pub segment: Duration,
    /// Most length of a part; `None`: no parts.
    pub part: Option<Duration>,
    /// Segments never exceed the length that is declared once the first one has ended.
    pub live: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { container: Container::Fmp4, segment: Duration::from_secs(2), part: None, live: false }
    }
}

/// Bytes of a segment.
#[derive(Clone, Debug)]
pub struct Piece {
    /// The bytes, in a row.
    pub data: Vec<Bytes>,
    /// Length of the part; 0 where there are no parts.
    pub duration: Duration,
    /// It begins with a keyframe.
    pub independent: bool,
}

/// A result of the packager.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Made {
    /// The initialization of the segments that follow.
    Init(Vec<Bytes>),
    /// The next bytes of a segment: a part where there are parts.
    Piece(Piece),
    /// The pieces since the last one are a segment.
    Segment {
        /// Its length.
        duration: Duration,
        /// It begins with a keyframe.
        independent: bool,
        /// Codecs change in front of it.
        discontinuity: bool,
        /// The length in whole seconds that a playlist declares.
        target: u32,
        /// The length of parts that a playlist declares.
        part_target: Option<Duration>,
    },
    /// Nothing follows.
    End,
}

/// Where segments go.
pub trait Shelf: Send {
    /// Takes what was made.
    ///
    /// # Errors
    /// It cannot be kept.
    fn take(&mut self, made: Made) -> Result<()>;
}

/// A muxer whose output is cut into segments. The [`Output`] that it is given stays empty.
pub struct Packager<S> {
    options: Options,
    shelf: S,
    inner: Box<dyn Muxer>,
    out: Output,
    streams: Vec<StreamInfo>,
    metadata: Metadata,
    /// Index of the stream whose times decide.
    leading: usize,
    has_video: bool,
    cutter: Cutter,
    queue: VecDeque<Packet>,
    /// The last length of a packet of the leading stream, and the end of it, in µs.
    length: i64,
    end: i64,
    state: State,
}

/// The segment under way.
#[derive(Clone, Copy, Debug, Default)]
struct State {
    /// It has bytes, or packets that will become some.
    begun: bool,
    independent: bool,
    discontinuity: bool,
    /// The part begins with a keyframe.
    part_independent: bool,
    /// A segment of audio in a transport stream ends where tables are written next.
    due: bool,
}

impl Container {
    /// The row under which a writer of such segments presents itself. It is not in the list of formats: segments need a
    /// shelf.
    pub fn format(self) -> &'static Format {
        match self {
            Self::Fmp4 => &FMP4,
            Self::Ts => &TS,
        }
    }

    /// The extension of names of segments.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Fmp4 => "m4s",
            Self::Ts => "ts",
        }
    }
}

static FMP4: Format = ROW;

static TS: Format = Format {
    rules: Rules { negative: true, equal_dts: true, ..mpegts::FORMAT.rules },
    default_codecs: mpegts::FORMAT.default_codecs,
    ..ROW
};

const ROW: Format = Format {
    name: "hls",
    long_name: "HTTP Live Streaming",
    mime: &["application/vnd.apple.mpegurl"],
    extensions: &["m3u8", "m3u"],
    demuxer: None,
    muxer: None,
    settings: SETTINGS,
    ..mp4::FMP4
};

fn muxer(options: &Options) -> Result<Box<dyn Muxer>> {
    let (format, settings): (&Format, &[(&str, &str)]) = match options.container {
        Container::Ts => (&mpegts::FORMAT, &[]),
        Container::Fmp4 if options.live => (&mp4::CMAF, &[("fragment", "100000")]),
        Container::Fmp4 => (&mp4::FMP4, &[]),
    };
    let make = format.muxer.ok_or_else(|| Error::unsupported("writing segments"))?;
    make(settings)
}

impl<S: Shelf> Packager<S> {
    /// A packager whose segments go to `shelf`.
    ///
    /// # Errors
    /// [`Error::Unsupported`].
    pub fn new(options: Options, shelf: S) -> Result<Self> {
        Ok(Self {
            options,
            shelf,
            inner: muxer(&options)?,
            out: Output::new(Reach::Append),
            streams: Vec::new(),
            metadata: Metadata::default(),
            leading: 0,
            has_video: false,
            cutter: Cutter::new(options.segment, options.part, options.live),
            queue: VecDeque::new(),
            length: 0,
            end: 0,
            state: State::default(),
        })
    }

    /// Places packets whose length is known; all of them when nothing follows.
    fn release(&mut self, all: bool) -> Result<()> {
        while let Some(front) = self.queue.front() {
            let stated = front.duration.filter(|length| length.0 > 0);
            let timed = matches!(self.kind(front.stream), Kind::Video | Kind::Audio);
            let next = self.queue.iter().skip(1).find(|later| later.stream == front.stream);
            let length = match (stated, next.and_then(|next| next.dts.zip(front.dts))) {
                (Some(stated), _) => Some(stated),
                (None, Some((next, this))) => Some(next - this),
                (None, None) if all || !timed || self.queue.len() > MAX_QUEUE => front.duration,
                (None, None) => return Ok(()),
            };
            if let Some(packet) = self.queue.pop_front() {
                self.place(Packet { duration: length, ..packet })?;
            }
        }
        Ok(())
    }

    fn kind(&self, stream: usize) -> Kind {
        self.streams.get(stream).map_or(Kind::Data, |info| info.media.kind())
    }

    fn place(&mut self, packet: Packet) -> Result<()> {
        let base = self.streams.get(packet.stream).map_or(TimeBase::MICROS, |info| info.time_base);
        let micros = |time: Ticks| base.rescale(time, TimeBase::MICROS, Rounding::Near).0;
        let time = packet.dts.or(packet.pts).map_or(self.end, micros);
        let leads = packet.stream == self.leading;
        let changed = self.changes(&packet);
        let mut cut = if changed && self.state.begun { Cut::Segment } else { Cut::No };
        if leads {
            let length = packet.duration.map_or(0, micros);
            self.length = if length > 0 { length } else { self.length };
            match self.cutter.next(time, self.length, packet.is_key()) {
                Cut::No => {}
                other if cut == Cut::No => cut = other,
                _ => {}
            }
            self.end = time.saturating_add(self.length);
        }
        self.cut(cut, if leads { time } else { self.end })?;
        if changed {
            self.reconfigure(&packet)?;
        }
        if !self.state.begun {
            self.state.begun = true;
            (self.state.independent, self.state.part_independent) =
                (packet.is_key() && leads, packet.is_key() && leads);
        } else if cut != Cut::No {
            self.state.part_independent = packet.is_key() && leads;
        }
        self.inner.packet(&packet, &mut self.out)?;
        if self.options.container == Container::Ts || self.options.part.is_none() {
            self.drain(Duration::ZERO, time)?;
        }
        Ok(())
    }

    /// Whether a packet brings another configuration than the one that holds.
    fn changes(&mut self, packet: &Packet) -> bool {
        let Some((config, info)) = packet.side.new_config().zip(self.streams.get_mut(packet.stream)) else {
            return false;
        };
        if info.config.is_empty() {
            info.config = config.clone();
        }
        info.config != *config
    }

    /// Ends a part or a segment in front of what comes at `time`.
    fn cut(&mut self, cut: Cut, time: i64) -> Result<()> {
        match (cut, self.options.container) {
            (Cut::No, _) => Ok(()),
            (Cut::Segment, Container::Ts) if !self.has_video && !self.state.due => {
                self.state.due = true;
                Ok(())
            }
            (_, Container::Ts) => {
                if cut == Cut::Segment {
                    self.end_segment(time)
                } else {
                    Ok(())
                }
            }
            (_, Container::Fmp4) => {
                self.inner.flush(&mut self.out)?;
                let lasted = self.cutter.end_part(time, cut == Cut::Segment);
                self.drain(lasted, time)?;
                if cut == Cut::Segment { self.end_segment(time) } else { Ok(()) }
            }
        }
    }

    fn end_segment(&mut self, time: i64) -> Result<()> {
        let State { independent, discontinuity, .. } = core::mem::take(&mut self.state);
        let duration = self.cutter.end_segment(time);
        let (target, part_target) = (self.cutter.target(), self.cutter.part_target());
        self.shelf.take(Made::Segment { duration, independent, discontinuity, target, part_target })
    }

    /// Goes on in another configuration: behind another initialization.
    fn reconfigure(&mut self, packet: &Packet) -> Result<()> {
        self.state.discontinuity = true;
        if let Some((config, info)) = packet.side.new_config().zip(self.streams.get_mut(packet.stream)) {
            info.config = config.clone();
        }
        if self.options.container == Container::Ts {
            return Ok(());
        }
        self.inner = muxer(&self.options)?;
        let mut streams = self.streams.clone();
        self.inner.start(&mut streams, &self.metadata, &mut self.out)
    }

    /// Hands on what the muxer has written: as one piece where there are parts.
    fn drain(&mut self, lasted: Duration, time: i64) -> Result<()> {
        let independent = self.state.part_independent;
        let mut whole = Vec::new();
        while let Some(edit) = self.out.next_edit() {
            let Edit::Append(piece) = edit else { return Err(Error::mux("hls", "a muxer that patches its output")) };
            if piece.mark == Mark::Header {
                self.shelf.take(Made::Init(piece.parts))?;
                continue;
            }
            if self.state.due && matches!(piece.mark, Mark::Key { .. }) {
                self.end_segment(time)?;
                (self.state.begun, self.state.independent) = (true, true);
            }
            if self.options.part.is_some() {
                whole.extend(piece.parts);
                continue;
            }
            self.shelf.take(Made::Piece(Piece { data: piece.parts, duration: lasted, independent }))?;
        }
        match whole.is_empty() {
            true => Ok(()),
            false => self.shelf.take(Made::Piece(Piece { data: whole, duration: lasted, independent })),
        }
    }
}

impl<S: Shelf> Muxer for Packager<S> {
    fn start(&mut self, streams: &mut [StreamInfo], metadata: &Metadata, _: &mut Output) -> Result<()> {
        self.inner.start(streams, metadata, &mut self.out)?;
        (self.streams, self.metadata) = (streams.to_vec(), metadata.clone());
        let first = |kind| streams.iter().position(|stream| stream.media.kind() == kind);
        self.has_video = first(Kind::Video).is_some();
        self.leading = first(Kind::Video).or(first(Kind::Audio)).unwrap_or(0);
        Ok(())
    }

    fn packet(&mut self, packet: &Packet, out: &mut Output) -> Result<()> {
        self.queue.push_back(packet.clone());
        let released = self.release(false);
        self.out.take_warnings().into_iter().for_each(|warning| out.warn(warning.what));
        released
    }

    fn finish(&mut self, _: &mut Output) -> Result<()> {
        self.release(true)?;
        self.inner.finish(&mut self.out)?;
        self.state.due = false;
        let lasted = self.cutter.end_part(self.end, true);
        self.drain(lasted, self.end)?;
        if self.state.begun {
            self.end_segment(self.end)?;
        }
        self.shelf.take(Made::End)
    }

    fn packaging(&self, stream: &StreamInfo) -> Packaging {
        self.inner.packaging(stream)
    }
}
