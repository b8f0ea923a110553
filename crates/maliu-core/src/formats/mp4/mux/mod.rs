//! Packets → MP4, QuickTime and M4A files, and fragmented files and streams.
//!
//! ```text
//!   whole:      ftyp  free mdat[size] chunks …  moov            faststart moves moov in front
//!   hybrid:     ftyp  free  moov(empty) moof mdat moof mdat …  moov    at the end `free` becomes one mdat up to the last moov
//!   fragmented: ftyp  moov(empty)  [sidx] moof mdat …  [mfra]
//! ```

use alloc::{boxed::Box, vec::Vec};

use bytes::Bytes;

use crate::{
    error::{Error, Result},
    format::{Muxer, Packaging},
    output::{Mark, Output, Reach},
    packet::Packet,
    stream::{Codec, Kind, Metadata, StreamInfo},
    syntax::isobmff::write::Writer,
    time::{Rounding, Ticks, TimeBase},
};

mod config;
mod describe;
mod entry;
mod fragment;
mod heads;
mod moov;
pub(super) mod settings;
mod titles;
mod track;

use moov::Movie;
use settings::{Brand, Cut, Options};
use titles::Titles;
use track::Track;

/// Longest fragment of streams without video, in µs.
const SOUND: Ticks = Ticks(500_000);

/// Longest fragment of a recording that must survive a crash, in µs.
const RECORDED: Ticks = Ticks(2_000_000);

/// Longest fragment without a keyframe, in µs, when fragments begin at keyframes.
const LONGEST: Ticks = Ticks(10_000_000);

/// Length of a chunk, in µs.
const CHUNK: Ticks = Ticks(500_000);

/// Most bytes that wait to be written; what comes on top ends the chunk or the fragment.
const MAX_WAITING: usize = 16 << 20;

/// How the file is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    Whole,
    Hybrid,
    Fragments,
}

pub(super) struct Mux {
    options: Options,
    layout: Layout,
    tracks: Vec<Track>,
    metadata: Metadata,
    /// Bytes that wait in all tracks.
    waiting: usize,
    /// Time of the first packet that waits, in µs.
    since: Option<Ticks>,
    /// Whether the head was written.
    begun: bool,
    /// Offset of the `free` box that becomes the head of the media data.
    head: u64,
    /// Offset of the room for the index in front.
    room: u64,
    /// A configuration that fragments cannot carry was met.
    warned: bool,
    /// Bytes of media data of a whole file.
    media: u64,
    sequence: u32,
    /// Titles of chapters, once they were written.
    titles: Option<Titles>,
}

/// Makes a muxer of this kind.
pub(super) fn make(brand: Brand, pairs: &[(&str, &str)]) -> Result<Box<dyn Muxer>> {
    let options = Options::parse(brand, pairs)?;
    Ok(Box::new(Mux {
        layout: if brand.is_fragmented() { Layout::Fragments } else { Layout::Whole },
        options,
        tracks: Vec::new(),
        metadata: Metadata::default(),
        waiting: 0,
        since: None,
        begun: false,
        head: 0,
        room: 0,
        warned: false,
        media: 0,
        sequence: 0,
        titles: None,
    }))
}

impl Muxer for Mux {
    fn start(&mut self, streams: &mut [StreamInfo], metadata: &Metadata, out: &mut Output) -> Result<()> {
        let brand = self.options.brand;
        if self.layout == Layout::Whole {
            match out.reach() {
                Reach::Append => {
                    let why = "needs an output that can be written again at its front; use fmp4 for pipes";
                    return Err(Error::mux(brand.name(), why));
                }
                Reach::Overwrite if self.options.faststart => {
                    return Err(Error::mux(brand.name(), "faststart needs an output whose tail can be moved"));
                }
                _ if self.options.hybrid && !self.options.faststart && self.options.reserve == 0 => {
                    self.layout = Layout::Hybrid;
                }
                _ => {}
            }
        }
        self.metadata = metadata.clone();
        for (index, stream) in streams.iter_mut().enumerate() {
            entry::check(stream, index, brand)?;
            self.tracks.push(Track::new(stream, index as u32 + 1));
        }
        if self.layout == Layout::Whole {
            self.write_head(None, out);
        }
        Ok(())
    }

    fn packet(&mut self, packet: &Packet, out: &mut Output) -> Result<()> {
        let name = self.options.brand.name();
        let index = packet.stream;
        let Some(track) = self.tracks.get(index) else { return Ok(()) };
        let base = TimeBase::hz(track.timescale);
        let time = packet.dts.or(packet.pts).map(|time| base.rescale(time, TimeBase::MICROS, Rounding::Near));
        if self.ends_before(packet, index, time) {
            self.flush_waiting(out)?;
        }
        let changed = match packet.side.new_config() {
            Some(config) => self.configure(index, config, out)?,
            None => false,
        };
        let Some(track) = self.tracks.get_mut(index) else { return Ok(()) };
        let data = match track.info.codec {
            codec @ (Codec::H264 | Codec::H265) if changed && self.layout == Layout::Fragments => {
                let config = packet.side.new_config().unwrap_or(&track.info.config);
                describe::with_sets(codec, &packet.data, config).into_owned()
            }
            Codec::H265 if !self.options.in_band && track.config().first() == Some(&1) => {
                entry::without_sets(&packet.data, track.config()).into_owned()
            }
            _ => packet.data.clone(),
        };
        let size = data.len();
        track.push(packet, data, name)?;
        self.waiting = self.waiting.saturating_add(size);
        if self.since.is_none() {
            self.since = time;
        }
        if self.options.cut == Cut::Frame && self.layout == Layout::Fragments && !self.awaits_video() {
            self.flush_waiting(out)?;
        }
        Ok(())
    }

    fn flush(&mut self, out: &mut Output) -> Result<()> {
        self.flush_waiting(out)
    }

    fn finish(&mut self, out: &mut Output) -> Result<()> {
        self.tracks.iter_mut().for_each(Track::settle);
        self.flush_waiting(out)?;
        match self.layout {
            Layout::Whole => self.finish_whole(out),
            Layout::Hybrid => self.finish_hybrid(out),
            Layout::Fragments => {
                if !self.begun {
                    self.begin(out)?;
                }
                if self.options.mfra {
                    out.append(Mark::Trailer, [fragment::access(&self.tracks)]);
                }
                Ok(())
            }
        }
    }

    fn packaging(&self, stream: &StreamInfo) -> Packaging {
        match stream.codec {
            Codec::Aac => Packaging::RawAac,
            Codec::H264 | Codec::H265 => Packaging::LengthPrefixed,
            _ => Packaging::AsIs,
        }
    }

    fn metadata(&mut self, metadata: &Metadata) {
        self.metadata = metadata.clone();
    }
}

impl Mux {
    /// Whether what waits is to be written before this packet.
    fn ends_before(&self, packet: &Packet, index: usize, time: Option<Ticks>) -> bool {
        let Some((since, time)) = self.since.zip(time) else { return false };
        let lasted = time - since;
        if self.waiting.saturating_add(packet.data.len()) > MAX_WAITING {
            return true;
        }
        if self.awaits_video() {
            return false;
        }
        let video = self.tracks.iter().position(|track| track.kind == Kind::Video);
        let key = packet.is_key() && video == Some(index);
        match (self.layout, self.options.cut) {
            (Layout::Whole, _) => lasted >= CHUNK,
            // A whole group of pictures, unless it is long.
            (Layout::Hybrid, _) => lasted >= RECORDED || (key && lasted >= CHUNK),
            (Layout::Fragments, Cut::Frame) => true,
            (Layout::Fragments, Cut::Key) if video.is_some() => key || lasted >= LONGEST,
            (Layout::Fragments, Cut::Key) => lasted >= SOUND,
            (Layout::Fragments, Cut::After(span)) => lasted >= span && (key || video.is_none()),
        }
    }

    /// Whether the index in front cannot be written yet: the description of video without a configuration is made from its
    /// first packet.
    fn awaits_video(&self) -> bool {
        let awaits =
            |track: &Track| track.kind == Kind::Video && track.info.config.is_empty() && track.waiting.is_empty();
        !self.begun && self.layout != Layout::Whole && self.tracks.iter().any(awaits)
    }

    /// Takes a configuration that holds from the next packet of a track on. Returns whether it is another one than before.
    fn configure(&mut self, index: usize, config: &Bytes, out: &mut Output) -> Result<bool> {
        let Some(track) = self.tracks.get_mut(index) else { return Ok(false) };
        if track.info.config.is_empty() {
            track.info.config = config.clone();
            return Ok(false);
        }
        if !track.changes_to(config) {
            return Ok(false);
        }
        let codec = track.info.codec;
        if self.layout != Layout::Fragments {
            // A chunk is of one description.
            self.flush_waiting(out)?;
            self.tracks.get_mut(index).map_or(Ok(()), |track| track.turn_to(config))?;
        } else if matches!(codec, Codec::H264 | Codec::H265) {
            track.carried = config.clone();
        } else if !core::mem::replace(&mut self.warned, true) {
            out.warn(alloc::format!(
                "stream {index}: another configuration of {codec} has no place behind the start of fragments; a new file is needed"
            ));
        }
        Ok(true)
    }

    fn flush_waiting(&mut self, out: &mut Output) -> Result<()> {
        (self.waiting, self.since) = (0, None);
        if self.tracks.iter().all(|track| track.waiting.is_empty()) {
            return Ok(());
        }
        match self.layout {
            Layout::Whole => self.write_chunks(out),
            _ => return self.write_fragment(out),
        }
        Ok(())
    }

    fn write_chunks(&mut self, out: &mut Output) {
        for track in &mut self.tracks {
            let time = track.waiting.front().map(|waiting| Ticks(waiting.dts));
            let base = TimeBase::hz(track.timescale);
            let time = time.map(|time| base.rescale(time, TimeBase::MICROS, Rounding::Near));
            let parts = track.take(out.position());
            self.media += parts.iter().map(|part| part.len() as u64).sum::<u64>();
            out.append_parts(Mark::Body { time }, parts);
        }
    }

    /// The head of a file of fragments.
    fn begin(&mut self, out: &mut Output) -> Result<()> {
        let movie = self.movie(true, 0).build();
        if movie.is_err() {
            // Packets that no head can describe are not kept: the error comes again with the next ones.
            self.tracks.iter_mut().for_each(|track| track.waiting.clear());
        }
        let movie = movie?;
        self.begun = true;
        self.write_head(Some(movie), out);
        Ok(())
    }

    fn movie(&self, fragments: bool, shift: u64) -> Movie<'_> {
        let titles = self.titles.as_ref().filter(|_| !fragments);
        Movie { tracks: &self.tracks, metadata: &self.metadata, options: self.options, titles, fragments, shift }
    }

    fn write_head(&mut self, movie: Option<Vec<u8>>, out: &mut Output) {
        let mut w = Writer::new();
        brands(&mut w, self.options.brand, self.layout, &self.tracks);
        if self.layout == Layout::Whole && self.options.reserve > 0 {
            self.room = w.len() as u64;
            w.boxed(b"free", |w| w.zeros(self.reserved().saturating_sub(8)));
        }
        self.head = w.len() as u64;
        match self.layout {
            // Room for a head of 16 bytes.
            Layout::Whole => {
                w.boxed(b"free", |_| {});
                w.boxed(b"mdat", |_| {});
            }
            Layout::Hybrid => w.boxed(b"free", |w| w.zeros(8)),
            Layout::Fragments => {}
        }
        w.bytes(&movie.unwrap_or_default());
        out.append(Mark::Header, [Bytes::from(w.finish())]);
    }

    fn write_fragment(&mut self, out: &mut Output) -> Result<()> {
        if !self.begun {
            for track in &mut self.tracks {
                // Times of the media are not negative: what lies before 0 is cut by an edit list.
                track.fragment_time = track.start.map_or(0, |start| start.max(0));
            }
            self.begin(out)?;
        }
        self.sequence = self.sequence.wrapping_add(1);
        for track in &mut self.tracks {
            if let (Some(first), Some(start)) = (track.waiting.front(), track.start) {
                track.fragment_time = first.dts.saturating_add(start.min(0).saturating_neg());
            }
        }
        let head = fragment::head(&self.tracks, self.sequence);
        let size = head.bytes.len() as u64 + head.media;
        let index = if self.options.sidx { fragment::index(&self.tracks, size) } else { Vec::new() };
        let at = out.position() + index.len() as u64;
        let mut offset = at + head.bytes.len() as u64;
        let mark = self.mark();
        let mut part = 0_u8;
        let mut parts = alloc::vec![Bytes::from(index), Bytes::from(head.bytes)];
        for track in &mut self.tracks {
            let first = track.waiting.front().map(|waiting| waiting.record.sync);
            if first.is_some() {
                part = part.saturating_add(1);
            }
            if first == Some(true) && self.options.mfra {
                track.access.push((u64::try_from(track.fragment_time).unwrap_or(0), at, part));
            }
            let taken = track.take(offset);
            offset += taken.iter().map(|part| part.len() as u64).sum::<u64>();
            parts.extend(taken);
            if self.layout == Layout::Fragments {
                track.forget();
            }
        }
        out.append_parts(mark, parts);
        Ok(())
    }

    /// A receiver can start at a fragment whose video begins with a keyframe.
    fn mark(&self) -> Mark {
        let leading = self.tracks.iter().find(|track| track.kind == Kind::Video).or_else(|| self.tracks.first());
        let first = leading.and_then(|track| Some((track, track.waiting.front()?)));
        let any = || self.tracks.iter().find_map(|track| Some((track, track.waiting.front()?)));
        let key = first.is_some_and(|(_, waiting)| waiting.record.sync);
        let time = first.or_else(any).map(|(track, waiting)| {
            TimeBase::hz(track.timescale).rescale(Ticks(waiting.dts), TimeBase::MICROS, Rounding::Near)
        });
        if key { Mark::Key { time } } else { Mark::Body { time } }
    }

    fn finish_whole(&mut self, out: &mut Output) -> Result<()> {
        self.write_titles(out);
        let size = self.media + 8;
        let mut w = Writer::new();
        if size > u64::from(u32::MAX) {
            w.u32(1);
            w.bytes(b"mdat");
            w.u64(size + 8);
        } else {
            w.boxed(b"free", |_| {});
            w.u32(size as u32);
            w.bytes(b"mdat");
        }
        let mut movie = self.movie(false, 0).build()?;
        if self.options.reserve > 0 && self.fits(movie.len()) {
            let rest = self.reserved() - movie.len();
            let mut front = Writer::from(movie);
            if rest > 0 {
                front.boxed(b"free", |w| w.zeros(rest - 8));
            }
            out.overwrite(self.head, Bytes::from(w.finish()));
            out.overwrite(self.room, Bytes::from(front.finish()));
            return Ok(());
        }
        if self.options.reserve > 0 {
            let (wanted, room) = (movie.len(), self.reserved());
            out.warn(alloc::format!(
                "the index has {wanted} bytes, which do not fit into the {room} that were reserved"
            ));
        }
        if !self.options.faststart {
            out.append(Mark::Trailer, [Bytes::from(movie)]);
            out.overwrite(self.head, Bytes::from(w.finish()));
            return Ok(());
        }
        out.overwrite(self.head, Bytes::from(w.finish()));
        // The size of the box depends on the offsets in it, which grow by that size.
        for _ in 0..2 {
            movie = self.movie(false, movie.len() as u64).build()?;
        }
        out.insert(self.head, Bytes::from(movie));
        Ok(())
    }

    /// Bytes of room for the index in front.
    fn reserved(&self) -> usize {
        (self.options.reserve as usize).max(16)
    }

    /// Whether an index of this many bytes fills the room, or leaves enough of it for a box.
    fn fits(&self, bytes: usize) -> bool {
        bytes == self.reserved() || bytes.saturating_add(8) <= self.reserved()
    }

    /// The index goes behind everything; only then the fragments become one box of media data.
    fn finish_hybrid(&mut self, out: &mut Output) -> Result<()> {
        if !self.begun {
            self.begin(out)?;
        }
        self.write_titles(out);
        let end = out.position();
        let movie = self.movie(false, 0).build()?;
        out.append(Mark::Trailer, [Bytes::from(movie)]);
        let size = end - self.head;
        let mut w = Writer::new();
        w.u32(1);
        w.bytes(b"mdat");
        w.u64(size);
        out.overwrite(self.head, Bytes::from(w.finish()));
        Ok(())
    }
}

/// `ftyp`, with brands that are true of the content.
fn brands(w: &mut Writer, brand: Brand, layout: Layout, tracks: &[Track]) {
    let has = |codec| tracks.iter().any(|track| track.info.codec == codec);
    let mut all: Vec<&[u8; 4]> = Vec::new();
    let (major, minor): (&[u8; 4], u32) = match brand {
        Brand::Mov => (b"qt  ", 0x200),
        Brand::M4a => (b"M4A ", 0x200),
        Brand::Mp4 => (b"isom", 0x200),
        Brand::Fragmented => (b"iso6", 0),
        Brand::Cmaf => (b"cmfc", 0),
    };
    all.push(major);
    if brand != Brand::Mov {
        all.extend([b"isom", if layout == Layout::Whole { b"iso2" } else { b"iso6" }]);
        if has(Codec::H264) {
            all.push(b"avc1");
        }
        if has(Codec::Av1) {
            all.push(b"av01");
        }
        all.push(b"mp41");
        if brand == Brand::Cmaf {
            all.push(b"iso9");
        }
    }
    let mut unique: Vec<&[u8; 4]> = Vec::new();
    for name in all {
        if !unique.contains(&name) {
            unique.push(name);
        }
    }
    w.boxed(b"ftyp", |w| {
        w.bytes(major);
        w.u32(minor);
        unique.iter().for_each(|name| w.bytes(*name));
    });
}
