//! Packets → Matroska and WebM.
//!
//! ```text
//!   EBML │ Segment ─ [room for SeekHead] Info Tracks [Chapters] [Tags] [room for Cues] Cluster … [Cues]
//!                                    cluster: head │ block │ block …      its size is patched when it ends
//! ```
//!
//! Blocks leave at once: a recording that is killed is whole up to its last block. Sizes stay unknown until they are
//! patched, and for good where the output cannot be written again.

use alloc::{boxed::Box, format, vec::Vec};

use bytes::Bytes;

use crate::{
    error::{Error, Result},
    format::{Muxer, Packaging, mark},
    output::{Mark, Output, Reach},
    packet::{Flags, Packet},
    stream::{Codec, Disposition, Kind, Metadata, StreamInfo},
    syntax::ebml::{Writer, ids, size_bytes},
    time::TimeBase,
};

mod blocks;
mod finish;
mod head;
mod private;
pub(super) mod settings;
mod track;

use settings::{Brand, Options};
use track::Track;

/// Most packets, and bytes of them, that wait for the configuration of another stream.
const MAX_HELD: usize = 512;
const MAX_HELD_BYTES: usize = 8 << 20;

/// Most entries of the index.
const MAX_CUES: usize = 1 << 18;

/// Bytes of a cluster below which a keyframe begins no new one.
const SMALL_CLUSTER: u64 = 4 << 10;

/// Bytes that are kept free for SeekHead.
const SEEK_ROOM: usize = 160;

/// The cluster that is being written.
#[derive(Clone, Copy, Debug)]
struct Cluster {
    /// Offset of its head, and of its body.
    at: u64,
    body: u64,
    /// Milliseconds.
    time: i64,
}

/// An entry of the index.
#[derive(Clone, Copy, Debug)]
struct Cue {
    time: i64,
    track: u64,
    cluster: u64,
    relative: u64,
}

pub(super) struct Mux {
    options: Options,
    tracks: Vec<Track>,
    metadata: Metadata,
    /// Packets that wait for the head.
    held: Vec<Packet>,
    held_bytes: usize,
    begun: bool,
    /// Written bytes can be written again.
    patched: bool,
    /// Offset of the body of the Segment.
    segment: u64,
    /// Offsets of elements that SeekHead names.
    places: Vec<(u32, u64)>,
    /// Offset of the room for the duration.
    duration: Option<u64>,
    /// Offset of the room for the index.
    reserved: u64,
    first_cluster: Option<u64>,
    cluster: Option<Cluster>,
    cues: Vec<Cue>,
    has_video: bool,
    /// The first video track.
    leader: Option<usize>,
    /// A change of configuration was remarked on.
    warned: bool,
}

/// Makes a muxer of this kind.
pub(super) fn make(brand: Brand, pairs: &[(&str, &str)]) -> Result<Box<dyn Muxer>> {
    Ok(Box::new(Mux {
        options: Options::parse(brand, pairs)?,
        tracks: Vec::new(),
        metadata: Metadata::default(),
        held: Vec::new(),
        held_bytes: 0,
        begun: false,
        patched: false,
        segment: 0,
        places: Vec::new(),
        duration: None,
        reserved: 0,
        first_cluster: None,
        cluster: None,
        cues: Vec::new(),
        has_video: false,
        leader: None,
        warned: false,
    }))
}

impl Muxer for Mux {
    fn start(&mut self, streams: &mut [StreamInfo], metadata: &Metadata, out: &mut Output) -> Result<()> {
        let (brand, name) = (self.options.brand, self.options.brand.name());
        self.patched = out.reach() != Reach::Append && !self.options.live;
        if self.options.cues_to_front && out.reach() != Reach::Insert {
            let why = "cues_to_front needs an output whose tail can be moved; use reserve_index_space";
            return Err(Error::mux(name, why));
        }
        if (self.options.cues_to_front || self.options.reserve > 0) && !self.patched {
            return Err(Error::mux(
                name,
                "an index in front needs an output that can be written again, and not live=1",
            ));
        }
        for (index, stream) in streams.iter_mut().enumerate() {
            stream.time_base = TimeBase::MILLIS;
            let track = Track::new(stream, index, brand)?;
            if !track.open && (brand == Brand::WebM || !track.is_file()) {
                out.warn(format!("attachment {index} is left out: its content is not kept"));
            }
            self.tracks.push(track);
        }
        if self.tracks.iter().all(|track| !track.open) {
            return Err(Error::mux(name, "no stream of video, audio or subtitles"));
        }
        for kind in [Kind::Video, Kind::Audio] {
            let of_kind = |track: &&mut Track| track.open && track.info.media.kind() == kind;
            let mut tracks: Vec<&mut Track> = self.tracks.iter_mut().filter(of_kind).collect();
            let default = |track: &&mut Track| track.info.disposition.has(Disposition::DEFAULT);
            // As the reference: players would choose none otherwise.
            if !tracks.iter().any(default)
                && let Some(first) = tracks.first_mut()
            {
                first.info.disposition |= Disposition::DEFAULT;
            }
        }
        let video = |track: &Track| track.open && track.info.media.kind() == Kind::Video;
        self.leader = self.tracks.iter().position(video);
        self.has_video = self.leader.is_some();
        self.metadata = metadata.clone();
        if !self.tracks.iter().any(|track| track.open && private::is_missing(&track.info)) {
            self.begin(out)?;
        }
        Ok(())
    }

    fn packet(&mut self, packet: &Packet, out: &mut Output) -> Result<()> {
        if self.begun {
            return self.write(packet, out);
        }
        self.learn(packet);
        let waits = self.tracks.iter().any(|track| track.open && private::is_missing(&track.info));
        self.held_bytes = self.held_bytes.saturating_add(packet.data.len());
        self.held.push(packet.clone());
        if waits && self.held.len() < MAX_HELD && self.held_bytes < MAX_HELD_BYTES {
            return Ok(());
        }
        self.release(out)
    }

    fn flush(&mut self, out: &mut Output) -> Result<()> {
        if self.begun {
            self.end_cluster(out);
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Output) -> Result<()> {
        if !self.begun {
            self.release(out)?;
        }
        self.end_cluster(out);
        self.conclude(out);
        Ok(())
    }

    fn packaging(&self, stream: &StreamInfo) -> Packaging {
        match stream.codec {
            Codec::Aac => Packaging::RawAac,
            Codec::H264 | Codec::H265 => Packaging::LengthPrefixed,
            _ => Packaging::AsIs,
        }
    }
}

impl Mux {
    /// Takes the configuration that a packet brings.
    fn learn(&mut self, packet: &Packet) {
        let Some(track) = self.tracks.get_mut(packet.stream) else { return };
        if !private::is_missing(&track.info) {
            return;
        }
        let own = packet.side.new_config().cloned();
        if let Some(config) = own.or_else(|| private::from_packet(track.info.codec, &packet.data)) {
            track.info.config = config;
        }
    }

    /// Writes the head, and the packets that waited for it.
    fn release(&mut self, out: &mut Output) -> Result<()> {
        self.begin(out)?;
        self.held_bytes = 0;
        core::mem::take(&mut self.held).iter().try_for_each(|packet| self.write(packet, out))
    }

    /// Writes everything in front of the first cluster.
    fn begin(&mut self, out: &mut Output) -> Result<()> {
        let brand = self.options.brand;
        let start = out.position();
        let mut w = Writer::default();
        head::ebml(brand, &mut w);
        w.id(ids::SEGMENT);
        w.unknown_size();
        self.segment = start.saturating_add(w.len() as u64);
        if self.patched {
            w.void(SEEK_ROOM);
        }
        let mut place = |id, w: &Writer| self.places.push((id, start.saturating_add(w.len() as u64)));
        place(ids::INFO, &w);
        self.duration = head::info(&self.metadata, self.patched, &mut w).map(|at| start.saturating_add(at as u64));
        place(ids::TRACKS, &w);
        let mut entries = Writer::default();
        for track in self.tracks.iter().filter(|track| track.open) {
            track.write(&mut entries, brand)?;
        }
        w.binary(ids::TRACKS, &entries.finish());
        if !self.metadata.chapters().is_empty() {
            place(ids::CHAPTERS, &w);
            head::chapters(&self.metadata, &mut w);
        }
        let attachments = head::attachments(&self.tracks, &self.metadata);
        if brand == Brand::Matroska && !attachments.is_empty() {
            place(ids::ATTACHMENTS, &w);
            w.binary(ids::ATTACHMENTS, &attachments);
        }
        let before = w.len();
        head::tags(&self.metadata, &mut self.tracks, self.patched, &mut w);
        if w.len() > before {
            self.places.push((ids::TAGS, start.saturating_add(before as u64)));
        }
        for at in self.tracks.iter_mut().filter_map(|track| track.statistics.as_mut()) {
            *at = at.saturating_add(start);
        }
        self.reserved = start.saturating_add(w.len() as u64);
        if self.options.reserve > 0 {
            self.options.reserve = self.options.reserve.max(16);
            w.void(self.options.reserve);
        }
        out.append(Mark::Header, [Bytes::from(w.finish())]);
        self.begun = true;
        Ok(())
    }

    /// Writes one packet.
    fn write(&mut self, packet: &Packet, out: &mut Output) -> Result<()> {
        let name = self.options.brand.name();
        let Some(track) = self.tracks.get(packet.stream).filter(|track| track.open) else { return Ok(()) };
        let (stored, number) = (self.stored(track, packet)?, track.number);
        let (key, video) = (packet.is_key(), track.info.media.kind() == Kind::Video);
        let leads = Some(packet.stream) == self.leader || !self.has_video;
        self.remark(packet, out);
        if self.ends_before(stored, key && leads && video, out) {
            self.end_cluster(out);
        }
        let (mut start, at, begins) = (Writer::with_capacity(48), out.position(), self.cluster.is_none());
        let cluster = self.cluster.unwrap_or_else(|| open(at, stored, &mut start));
        let relative = i16::try_from(stored.saturating_sub(cluster.time));
        let relative = relative.map_err(|_| Error::mux(name, "times more than 32 s apart in one cluster"))?;
        let block = at.saturating_add(start.len() as u64);
        let Some(track) = self.tracks.get_mut(packet.stream) else { return Ok(()) };
        let (data, tail) = blocks::write(track, packet, relative, self.options.brand, &mut start);
        if start.len() + data.len() + tail.len() > super::MAX_BLOCK {
            return Err(Error::mux(name, format!("a packet of {} bytes, at most {}", data.len(), super::MAX_BLOCK)));
        }
        track.note(packet, stored);
        if self.patched && leads && key && (video || begins) && self.cues.len() < MAX_CUES {
            let relative = block.saturating_sub(cluster.body);
            self.cues.push(Cue { time: stored, track: number, cluster: cluster.at, relative });
        }
        self.first_cluster.get_or_insert(cluster.at);
        self.cluster = Some(cluster);
        let marked = match mark(packet, TimeBase::MILLIS, video, self.has_video) {
            Mark::Key { time } if !begins => Mark::Body { time },
            marked => marked,
        };
        out.append_between(marked, &start.finish(), &data, &tail);
        Ok(())
    }

    /// The time of a packet as it is stored.
    fn stored(&self, track: &Track, packet: &Packet) -> Result<i64> {
        let name = self.options.brand.name();
        let time = packet.pts.or(packet.dts).ok_or_else(|| Error::mux(name, "a packet without a time"))?;
        let stored = time.0.saturating_add(track.delay);
        if stored < 0 {
            return Err(Error::mux(name, format!("a packet at {} ms: times before 0 cannot be stored", time.0)));
        }
        Ok(stored)
    }

    /// Remarks on a configuration that has no place behind the head.
    fn remark(&mut self, packet: &Packet, out: &mut Output) {
        let Some(track) = self.tracks.get(packet.stream) else { return };
        let new = packet.side.new_config().filter(|config| **config != track.info.config);
        if let Some(config) = new
            && !core::mem::replace(&mut self.warned, true)
        {
            let (stream, bytes) = (packet.stream, config.len());
            out.warn(format!("stream {stream} changes its configuration ({bytes} bytes), which is left out"));
        }
    }

    /// Whether a packet of this time begins a new cluster.
    fn ends_before(&self, stored: i64, key: bool, out: &Output) -> bool {
        let Some(cluster) = self.cluster else { return false };
        let size = out.position().saturating_sub(cluster.body);
        let lasts = stored.saturating_sub(cluster.time);
        // Receivers of a stream can only join where a cluster begins.
        let small = if self.patched { size < SMALL_CLUSTER } else { size == 0 };
        lasts > self.options.cluster_time
            || size >= self.options.cluster_size
            || i16::try_from(lasts).is_err()
            || (key && !small)
    }

    /// Ends the cluster: its size is known.
    fn end_cluster(&mut self, out: &mut Output) {
        let Some(cluster) = self.cluster.take() else { return };
        if self.patched {
            out.overwrite(cluster.at.saturating_add(4), finish::size(out.position().saturating_sub(cluster.body)));
        }
    }
}

/// Begins a cluster at this offset and time.
fn open(at: u64, time: i64, w: &mut Writer) -> Cluster {
    w.id(ids::CLUSTER);
    w.unknown_size();
    let body = at.saturating_add(w.len() as u64);
    w.unsigned(ids::TIMESTAMP, time.unsigned_abs());
    Cluster { at, body, time }
}

/// Flags of a block.
fn flags(packet: &Packet, simple: bool) -> u8 {
    let mut flags = 0;
    if packet.flags.has(Flags::DISCARD) {
        flags |= super::block::INVISIBLE;
    }
    if simple && packet.is_key() {
        flags |= super::block::KEY;
    }
    if simple && packet.flags.has(Flags::DISPOSABLE) {
        flags |= super::block::DISCARDABLE;
    }
    flags
}

/// Bytes of the head of an element of this identifier and size.
fn head_bytes(id_bytes: usize, size: u64) -> u64 {
    (id_bytes + size_bytes(size)) as u64
}
