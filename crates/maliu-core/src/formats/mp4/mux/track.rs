//! One track being written: its samples as 16 bytes each, its chunks, and what waits for the next one.

use alloc::{collections::VecDeque, vec::Vec};

use bytes::Bytes;

use crate::{
    error::{Error, Result},
    packet::{Flags, Packet},
    stream::{Codec, Kind, Media, StreamInfo},
    syntax::{
        isobmff::{codecs, write::Writer},
        opus,
    },
    time::{Rounding, Ticks, TimeBase},
};

/// Most samples of one file; their records take 16 bytes each.
pub(super) const MAX_SAMPLES: usize = 1 << 24;

/// Facts of a sample for the tables.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record {
    pub size: u32,
    /// Ticks to the next one.
    pub duration: u32,
    /// Presentation less decoding time.
    pub composition: i32,
    pub sync: bool,
    /// No other sample needs it.
    pub disposable: bool,
}

/// A packet that waits to be written.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub data: Bytes,
    pub record: Record,
    pub dts: i64,
    /// Its duration as stated, until the next one comes.
    stated: i64,
}

/// A configuration that came on the way.
#[derive(Clone, Debug)]
pub(super) struct Description {
    /// The stream as it is from there on.
    pub info: StreamInfo,
    /// Data of the packet that describes it: the first, of video the first key.
    pub first: Bytes,
}

/// Samples behind each other in the file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chunk {
    pub offset: u64,
    pub samples: u32,
    /// Index of their description.
    pub entry: u32,
}

#[derive(Debug)]
pub(super) struct Track {
    pub info: StreamInfo,
    pub kind: Kind,
    /// Ticks per second.
    pub timescale: u32,
    pub id: u32,
    pub records: Vec<Record>,
    pub chunks: Vec<Chunk>,
    pub waiting: VecDeque<Waiting>,
    /// Data of the packet that describes the stream: the first, of video the first key.
    pub first: Bytes,
    /// Descriptions behind that of the stream.
    pub later: Vec<Description>,
    /// Index of the description that holds.
    pub entry: u32,
    /// The configuration in the packets, where no description states it.
    pub carried: Bytes,
    /// Decoding time of the first sample.
    pub start: Option<i64>,
    /// Lowest presentation time, and the highest end of one that is presented.
    pub shown: Option<(i64, i64)>,
    /// Decoding time of the last sample.
    last: i64,
    /// Media time at which the next fragment begins.
    pub fragment_time: i64,
    /// Times and offsets of fragments that begin with a sync sample, and which of their parts the track has, from 1.
    pub access: Vec<(u64, u64, u8)>,
    /// Bytes of an audio frame of PCM, each of which is a sample of the tables.
    unit: Option<u32>,
}

impl Track {
    /// A track of this stream, number `id` from 1.
    pub(super) fn new(info: &mut StreamInfo, id: u32) -> Self {
        let timescale = timescale(info);
        info.time_base = TimeBase::hz(timescale);
        Self {
            kind: info.media.kind(),
            info: info.clone(),
            timescale,
            id,
            records: Vec::new(),
            chunks: Vec::new(),
            waiting: VecDeque::new(),
            first: Bytes::new(),
            later: Vec::new(),
            entry: 0,
            carried: Bytes::new(),
            start: None,
            shown: None,
            last: 0,
            fragment_time: 0,
            access: Vec::new(),
            unit: unit(info),
        }
    }

    /// Takes a packet whose times are in ticks of the track; `data` is as the file carries it.
    ///
    /// # Errors
    /// [`Error::Mux`] for times that do not fit, or past [`MAX_SAMPLES`].
    pub(super) fn push(&mut self, packet: &Packet, data: Bytes, format: &'static str) -> Result<()> {
        let fault = |what: &'static str| Error::mux(format, what);
        let dts = packet.dts.or(packet.pts).ok_or_else(|| fault("a packet without times"))?.0;
        let pts = packet.pts.map_or(dts, |pts| pts.0);
        if self.records.len().saturating_add(self.waiting.len()) >= MAX_SAMPLES {
            return Err(Error::Limit { what: "samples of a written track (MAX_SAMPLES)", limit: MAX_SAMPLES as u64 });
        }
        let start = *self.start.get_or_insert(dts);
        if dts < start || (self.has_samples() && dts < self.last) {
            return Err(fault("decoding times that go back"));
        }
        if dts.saturating_sub(start) > i64::MAX / 4 {
            return Err(fault("decoding times too far apart"));
        }
        let composition = i32::try_from(pts.saturating_sub(dts))
            .map_err(|_| fault("presentation and decoding time too far apart"))?;
        self.close(dts)?;
        let size = u32::try_from(data.len()).map_err(|_| fault("a packet of more than 4 GiB"))?;
        if self.kind != Kind::Video || packet.is_key() {
            self.note_first(&data);
        }
        let mut stated = packet.duration.map_or(0, |duration| duration.0).clamp(0, u32::MAX.into());
        let trim = packet.side.trim().end;
        let rate = self.info.as_audio().map_or(1, |audio| audio.rate().max(1));
        let cut = TimeBase::hz(rate).rescale(Ticks(trim.into()), TimeBase::hz(self.timescale), Rounding::Near).0;
        if self.info.codec == Codec::Opus && cut > 0 {
            // Samples last as long as they decode to, and the edit list cuts the end; Ogg states what is left of a packet.
            stated = stated.max(opus::samples(&packet.data).into());
        }
        let disposable = packet.flags.has(Flags::DISPOSABLE);
        let record = Record { size, duration: stated as u32, composition, sync: packet.is_key(), disposable };
        // One tick is left of a packet that is trimmed away, so that readers keep it.
        let end = pts.saturating_add(stated).saturating_sub(cut).max(pts.saturating_add(1));
        let (low, high) = self.shown.unwrap_or((pts, end));
        self.shown = Some((low.min(pts), high.max(end)));
        self.waiting.push_back(Waiting { data, record, dts, stated });
        self.last = dts;
        Ok(())
    }

    /// The sample before lasts until `dts`.
    fn close(&mut self, dts: i64) -> Result<()> {
        let lasts = |from: i64| u32::try_from(dts.saturating_sub(from));
        let fault = |_| Error::mux("mp4", "decoding times too far apart");
        if let Some(before) = self.waiting.back_mut() {
            before.record.duration = lasts(before.dts).map_err(fault)?;
        } else if let Some(before) = self.records.last_mut() {
            // Written in a fragment with the duration that was stated; the tables know better.
            before.duration = lasts(self.last).map_err(fault)?;
        }
        Ok(())
    }

    /// Whether anything was taken.
    pub(super) fn has_samples(&self) -> bool {
        !self.records.is_empty() || !self.waiting.is_empty()
    }

    /// A last sample without a duration lasts as long as the one before.
    pub(super) fn settle(&mut self) {
        let before = match self.waiting.len().checked_sub(2).and_then(|index| self.waiting.get(index)) {
            Some(before) => before.record.duration,
            None => self.records.last().map_or(0, |record| record.duration),
        };
        if let Some(last) = self.waiting.back_mut()
            && last.stated == 0
            && last.record.duration == 0
        {
            last.record.duration = before;
            let end = last.dts.saturating_add(last.record.composition.into()).saturating_add(before.into());
            if let Some((_, shown)) = &mut self.shown {
                *shown = (*shown).max(end);
            }
        }
    }

    /// Bytes that wait.
    pub(super) fn waiting_bytes(&self) -> usize {
        self.waiting.iter().map(|waiting| waiting.data.len()).sum()
    }

    /// Takes what waits; its data stand at `offset`.
    pub(super) fn take(&mut self, offset: u64) -> Vec<Bytes> {
        let samples = self.waiting.len() as u32;
        if samples > 0 {
            self.chunks.push(Chunk { offset, samples, entry: self.entry });
        }
        let mut parts = Vec::with_capacity(self.waiting.len());
        for waiting in self.waiting.drain(..) {
            self.records.push(waiting.record);
            parts.push(waiting.data);
        }
        parts
    }

    /// Forgets the samples that were written, as where no table follows.
    pub(super) fn forget(&mut self) {
        self.records.clear();
        self.chunks.clear();
    }

    /// Ticks of all samples.
    pub(super) fn length(&self) -> u64 {
        self.records.iter().map(|record| u64::from(record.duration)).sum()
    }

    /// Ticks of the movie's timeline before it, first media time that is shown, and length shown, in its own ticks.
    pub(super) fn edit(&self) -> (i64, i64, i64) {
        let (Some(start), Some((low, high))) = (self.start, self.shown) else { return (0, 0, 0) };
        let from = low.max(0);
        (from, from.saturating_sub(start), high.saturating_sub(from).max(0))
    }

    /// Writes `stts`, `ctts`, `stss`, `stsz`, `stsc` and `stco` or `co64`; offsets grow by `shift`.
    pub(super) fn tables(&self, w: &mut Writer, shift: u64) {
        let records = &self.records;
        if let Some(unit) = self.unit {
            return self.uniform(w, unit, shift);
        }
        runs(w, b"stts", 0, records.iter().map(|record| record.duration));
        if records.iter().any(|record| record.composition != 0) {
            let version = u8::from(records.iter().any(|record| record.composition < 0));
            runs(w, b"ctts", version, records.iter().map(|record| record.composition as u32));
        }
        if records.iter().any(|record| !record.sync) {
            w.full(b"stss", 0, 0, |w| {
                let keys = || records.iter().enumerate().filter(|(_, record)| record.sync);
                w.u32(keys().count() as u32);
                keys().for_each(|(index, _)| w.u32(index as u32 + 1));
            });
        }
        if records.iter().any(|record| record.disposable) {
            w.full(b"sdtp", 0, 0, |w| records.iter().for_each(|record| w.u8(dependencies(record))));
        }
        chunk_runs(w, self.chunks.iter().map(|chunk| (chunk.samples, chunk.entry)));
        w.full(b"stsz", 0, 0, |w| {
            let first = records.first().map_or(0, |record| record.size);
            let constant = first > 0 && records.iter().all(|record| record.size == first);
            w.u32(if constant { first } else { 0 });
            w.u32(records.len() as u32);
            if !constant {
                records.iter().for_each(|record| w.u32(record.size));
            }
        });
        self.places(w, shift);
    }

    /// The tables of PCM: each audio frame is a sample of one tick.
    fn uniform(&self, w: &mut Writer, unit: u32, shift: u64) {
        let mut records = self.records.iter();
        let frames = |size: u64| u32::try_from(size / u64::from(unit)).unwrap_or(u32::MAX);
        let chunks: Vec<u32> = self
            .chunks
            .iter()
            .map(|chunk| {
                frames(records.by_ref().take(chunk.samples as usize).map(|record| u64::from(record.size)).sum())
            })
            .collect();
        let all = chunks.iter().fold(0_u32, |sum, frames| sum.saturating_add(*frames));
        w.full(b"stts", 0, 0, |w| [1, all, 1].iter().for_each(|number| w.u32(*number)));
        chunk_runs(w, chunks.into_iter().map(|frames| (frames, 0)));
        w.full(b"stsz", 0, 0, |w| {
            w.u32(unit);
            w.u32(all);
        });
        self.places(w, shift);
    }

    fn places(&self, w: &mut Writer, shift: u64) {
        let end = self.chunks.last().map_or(0, |chunk| chunk.offset).saturating_add(shift);
        let long = end > u64::from(u32::MAX);
        w.full(if long { b"co64" } else { b"stco" }, 0, 0, |w| {
            w.u32(self.chunks.len() as u32);
            self.chunks.iter().for_each(|chunk| w.number(long, chunk.offset.saturating_add(shift)));
        });
    }
}

/// The byte of `sdtp`: sample_depends_on, and sample_is_depended_on where it is known.
fn dependencies(record: &Record) -> u8 {
    (if record.sync { 2 } else { 1 }) << 4 | (if record.disposable { 2 } else { 0 }) << 2
}

/// `stsc`: chunks of equal numbers of samples of one description share a row.
fn chunk_runs(w: &mut Writer, chunks: impl Iterator<Item = (u32, u32)>) {
    w.full(b"stsc", 0, 0, |w| {
        let at = w.len();
        w.u32(0);
        let (mut rows, mut last) = (0, None);
        for (index, (samples, entry)) in chunks.enumerate() {
            if last != Some((samples, entry)) {
                [index as u32 + 1, samples, entry + 1].iter().for_each(|number| w.u32(*number));
                (rows, last) = (rows + 1, Some((samples, entry)));
            }
        }
        w.set_u32(at, rows);
    });
}

/// Bytes of an audio frame of PCM; `None` for other codecs.
fn unit(info: &StreamInfo) -> Option<u32> {
    let bits = codecs::pcm_bits(info.codec);
    let channels = info.as_audio().map_or(0, |audio| u32::from(audio.channel_count()));
    Some(bits / 8 * channels).filter(|bytes| *bytes > 0)
}

/// A table of runs of equal values.
fn runs(w: &mut Writer, kind: &[u8; 4], version: u8, values: impl Iterator<Item = u32>) {
    w.full(kind, version, 0, |w| {
        let at = w.len();
        w.u32(0);
        let (mut rows, mut run): (u32, Option<(u32, u32)>) = (0, None);
        let mut write = |w: &mut Writer, (count, value): (u32, u32)| {
            w.u32(count);
            w.u32(value);
            rows += 1;
        };
        for value in values {
            match &mut run {
                Some((count, last)) if *last == value => *count += 1,
                _ => {
                    if let Some(run) = run.replace((1, value)) {
                        write(w, run);
                    }
                }
            }
        }
        if let Some(run) = run {
            write(w, run);
        }
        w.set_u32(at, rows);
    });
}

/// Ticks per second of a stream in the file: samples for audio, else those of its time base, at least 10 000.
fn timescale(info: &StreamInfo) -> u32 {
    let rate = match &info.media {
        Media::Audio(audio) if audio.rate() > 0 => return audio.rate(),
        _ => info.time_base.den.get(),
    };
    let mut scale = rate;
    while scale < 10_000 {
        scale = scale.saturating_mul(2);
    }
    scale
}
