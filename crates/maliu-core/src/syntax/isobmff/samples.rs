//! The sample tables of a track in file form, and a cursor that walks them (ISO/IEC 14496-12 §8.6, §8.7).
//!
//! ```text
//!   stts (count, delta)…   ctts (count, offset)…   stss number…       what and when
//!   stsz size…             stsc (chunk, samples, entry)…   stco offset…     where
//!                   Cursor: one place in each of them ─▶ Sample
//! ```

use super::{fields::Fields, rows::Rows};

/// Offsets below this are taken for damage, and the table is not used (as the reference does).
const INSANE_OFFSET: i32 = -(1 << 28);

/// The tables of one track.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    /// `stts`.
    pub times: Rows,
    /// `ctts`.
    pub offsets: Rows,
    /// `stsc`.
    pub chunks: Rows,
    /// `stco` or `co64`.
    pub places: Places,
    /// `stsz` or `stz2`.
    pub sizes: Sizes,
    /// `stss`; `None` makes every sample a sync sample.
    pub sync: Option<Rows>,
    /// `stps`: samples that decoding can start at after dropping some pictures.
    pub partial_sync: Rows,
    /// `sbgp` of `rap `: (samples, group), a group other than 0 is a random access point.
    pub access: Rows,
    /// `sdtp`: one byte of dependencies per sample.
    pub dependencies: Rows,
    /// The units of uncompressed audio; `None` when each sample stands for itself.
    pub uniform: Option<Uniform>,
    /// By how much decoding times are moved back so that no composition time lies before its decoding time.
    pub shift: i64,
}

/// Samples of one audio frame each, counted in chunks (QuickTime sound tracks).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uniform {
    /// Audio frames in a block, at least 1.
    pub frames: u32,
    /// Bytes of a block, at least 1.
    pub bytes: u32,
}

/// Where chunks begin.
#[derive(Clone, Debug, Default)]
pub struct Places {
    rows: Rows,
    long: bool,
    shift: i64,
}

impl Places {
    /// The body of `stco`, or of `co64` if `long`.
    pub fn parse(body: &[u8], long: bool) -> Option<Self> {
        Some(Self { rows: Rows::full(body, if long { 8 } else { 4 })?, long, shift: 0 })
    }

    /// Number of chunks.
    pub fn len(&self) -> u32 {
        self.rows.len()
    }

    /// Whether there is no chunk.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Offset of chunk `index` in the file.
    pub fn get(&self, index: u32) -> Option<u64> {
        Some(self.rows.get(index)?.number(self.long)?.saturating_add_signed(self.shift))
    }

    /// Adds `by` to all offsets, where an edit of the file has made them wrong.
    pub fn shift(&mut self, by: i64) {
        self.shift = by;
    }
}

/// Sizes of samples.
#[derive(Clone, Debug, Default)]
pub struct Sizes {
    /// The size of all samples; 0 when `rows` holds them.
    constant: u32,
    count: u32,
    rows: Rows,
    /// Bits of a size in `rows`.
    bits: u8,
}

impl Sizes {
    /// The body of `stsz`.
    pub fn parse(body: &[u8]) -> Option<Self> {
        let mut fields = Fields::new(body);
        fields.version()?;
        let (constant, count) = (fields.u32()?, fields.u32()?);
        if constant > 0 {
            return Some(Self { constant, count, ..Self::default() });
        }
        let rows = Rows::new(fields.rest(), 4, count);
        Some(Self { constant, count: rows.len(), rows, bits: 32 })
    }

    /// The body of `stz2`.
    pub fn parse_compact(body: &[u8]) -> Option<Self> {
        let mut fields = Fields::new(body);
        fields.version()?;
        let bits = (fields.u32()? & 0xff) as u8;
        let count = fields.u32()?;
        let rows = match bits {
            4 => Rows::new(fields.rest(), 1, count.div_ceil(2)),
            8 => Rows::new(fields.rest(), 1, count),
            16 => Rows::new(fields.rest(), 2, count),
            _ => return None,
        };
        let there = if bits == 4 { rows.len().saturating_mul(2) } else { rows.len() };
        Some(Self { constant: 0, count: count.min(there), rows, bits })
    }

    /// Number of samples.
    pub fn len(&self) -> u32 {
        self.count
    }

    /// Whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The size of every sample, when they have one.
    pub fn constant(&self) -> Option<u32> {
        (self.constant > 0).then_some(self.constant)
    }

    /// Believes no more samples of one size than `bytes` can hold.
    fn bound(&mut self, bytes: u64) {
        if let Some(most) = bytes.checked_div(self.constant.into()) {
            self.count = self.count.min(u32::try_from(most).unwrap_or(u32::MAX));
        }
    }

    /// Bytes of sample `index`.
    pub fn get(&self, index: u32) -> Option<u32> {
        if index >= self.count {
            return None;
        }
        match self.bits {
            _ if self.constant > 0 => Some(self.constant),
            4 => {
                let pair = self.rows.get(index / 2)?.u8()?;
                Some(u32::from(if index.is_multiple_of(2) { pair >> 4 } else { pair & 15 }))
            }
            8 => self.rows.get(index)?.u8().map(u32::from),
            16 => self.rows.get(index)?.u16().map(u32::from),
            _ => self.rows.u32(index),
        }
    }
}

/// One sample: where it stands and when it happens, in ticks of the track.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Offset of its first byte in the file.
    pub offset: u64,
    /// Its bytes.
    pub size: u32,
    /// When it is decoded.
    pub dts: i64,
    /// When it is presented.
    pub pts: i64,
    /// How long it lasts.
    pub duration: i64,
    /// Whether decoding can start at it.
    pub sync: bool,
    /// Index of its sample description, from 0.
    pub entry: u32,
    /// Whether no other sample depends on it.
    pub disposable: bool,
}

/// A place in the tables of a track.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cursor {
    /// Number of the sample, from 0; for uniform samples the audio frame.
    pub sample: u32,
    chunk: u32,
    /// Row of `stsc` that holds for the chunk.
    run: u32,
    /// Samples of the chunk that are behind.
    into: u32,
    offset: u64,
    time: Place,
    composition: Place,
    access: Place,
    dts: i64,
    /// Row of `stss` that is the next one.
    sync: u32,
    partial: u32,
}

/// A place in a table of runs.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    row: u32,
    used: u32,
}

impl Place {
    /// The value that holds here. Rows of no samples are passed over.
    fn value(&mut self, rows: &Rows) -> Option<u32> {
        loop {
            let (count, value) = rows.pair(self.row)?;
            if self.used < count {
                return Some(value);
            }
            (self.row, self.used) = (self.row + 1, 0);
        }
    }

    /// Moves on by up to `n` samples within the row; returns how many and its value.
    fn advance(&mut self, rows: &Rows, n: u32) -> Option<(u32, u32)> {
        let value = self.value(rows)?;
        let (count, _) = rows.pair(self.row)?;
        let moved = n.min(count - self.used);
        self.used += moved;
        Some((moved, value))
    }

    fn skip(&mut self, rows: &Rows, mut n: u32) {
        while n > 0 {
            let Some((moved, _)) = self.advance(rows, n) else { return };
            n -= moved;
        }
    }
}

/// Audio frames of one packet of uniform samples.
const FRAMES: u32 = 1024;

impl Tables {
    /// Whether the tables name no sample.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty() || self.chunks.is_empty() || (self.uniform.is_none() && self.sizes.is_empty())
    }

    /// Computes what depends on all tables. Call it once they are complete.
    pub fn settle(&mut self) {
        let offset = |row| self.offsets.pair(row).map(|(_, offset)| offset as i32);
        let rows = 0..self.offsets.len();
        let insane = |row: u32| offset(row).is_some_and(|offset| offset < INSANE_OFFSET && offset > i32::MIN);
        if rows.clone().any(|row| row + 2 < self.offsets.len() && insane(row)) {
            self.offsets = Rows::default();
        }
        let offset = |row| self.offsets.pair(row).map(|(_, offset)| offset as i32);
        let least = rows.filter_map(offset).filter(|offset| *offset > i32::MIN).min().unwrap_or(0);
        self.shift = i64::from(least.min(0)).saturating_neg();
    }

    /// The first sample.
    pub fn start(&self) -> Cursor {
        let mut cursor = Cursor { dts: self.shift.saturating_neg(), ..Cursor::default() };
        cursor.offset = self.places.get(0).unwrap_or(0);
        self.enter(&mut cursor);
        cursor
    }

    /// The sample of this number, from 0; for uniform samples the audio frame at which a packet begins.
    pub fn at(&self, sample: u32) -> Cursor {
        let mut cursor = self.start();
        let mut left = sample;
        // Whole rows of chunks, then whole chunks.
        loop {
            let (samples, _) = self.chunk(&cursor);
            let end = self.chunks.u32(cursor.run + 1).map_or(u32::MAX, |first| first.saturating_sub(1));
            let chunks = end.min(self.places.len()).saturating_sub(cursor.chunk);
            if chunks == 0 || samples == 0 {
                break;
            }
            let whole = (left / samples).min(chunks);
            left -= whole * samples;
            cursor.chunk += whole;
            if whole < chunks {
                break;
            }
            self.enter(&mut cursor);
        }
        cursor.offset = self.places.get(cursor.chunk).unwrap_or(0);
        self.enter(&mut cursor);
        let passed = sample - left;
        match self.uniform {
            Some(_) => cursor.dts = cursor.dts.saturating_add(passed.into()),
            None => self.pass(&mut cursor, passed),
        }
        cursor.sample = passed;
        while left > 0 && cursor.chunk < self.places.len() {
            let before = cursor.sample;
            self.advance(&mut cursor);
            left = left.saturating_sub(cursor.sample.saturating_sub(before).max(1));
        }
        cursor
    }

    /// The last sample that is decoded at or before `time`, counted from 0; `None` when there is none.
    pub fn decoded_by(&self, time: i64) -> Option<u32> {
        let Ok(mut left) = u64::try_from(time.saturating_add(self.shift)) else { return None };
        if let Some(uniform) = self.uniform {
            // Packets begin at multiples of their length within a chunk, which [`Tables::at`] finds.
            let frame = u32::try_from(left).unwrap_or(u32::MAX);
            return Some(frame / uniform.frames * uniform.frames);
        }
        let mut sample = 0_u32;
        for row in 0..self.times.len() {
            let (count, delta) = self.times.pair(row)?;
            let inside = left.checked_div(delta.into()).unwrap_or(u64::MAX);
            if inside < count.into() {
                return Some(sample.saturating_add(inside as u32));
            }
            left -= u64::from(count) * u64::from(delta);
            sample = sample.saturating_add(count);
        }
        sample.checked_sub(1)
    }

    /// The last sync sample at or before sample `number`; `None` when there is none.
    pub fn sync_by(&self, number: u32) -> Option<u32> {
        let Some(rows) = &self.sync else { return Some(number) };
        let base = u32::from(rows.u32(0).is_some_and(|first| first > 0));
        let behind = rows.partition(|listed| listed <= number.saturating_add(base));
        Some(rows.u32(behind.checked_sub(1)?)?.saturating_sub(base))
    }

    /// Ticks from the first sample to behind the last one.
    pub fn total(&self) -> i64 {
        let rows = (0..self.times.len()).filter_map(|row| self.times.pair(row));
        rows.fold(0_i64, |sum, (count, delta)| sum.saturating_add(i64::from(count).saturating_mul(delta.into())))
    }

    /// Believes no more samples than `bytes`, the size of the input, can hold.
    pub fn bound(&mut self, bytes: u64) {
        self.sizes.bound(bytes);
    }

    /// Samples in the chunk of `cursor`, and their sample description.
    fn chunk(&self, cursor: &Cursor) -> (u32, u32) {
        let fields = self.chunks.get(cursor.run).and_then(|mut row| {
            row.u32()?;
            Some((row.u32()?, row.u32()?))
        });
        let (samples, entry) = fields.unwrap_or((0, 1));
        (samples, entry.saturating_sub(1))
    }

    /// Finds the row for the chunk of `cursor`, and moves on while a chunk holds nothing.
    fn enter(&self, cursor: &mut Cursor) {
        while cursor.chunk < self.places.len() {
            while let Some(first) = self.chunks.u32(cursor.run + 1)
                && first.saturating_sub(1) <= cursor.chunk
            {
                cursor.run += 1;
            }
            if self.chunk(cursor).0 > 0 {
                return;
            }
            self.next_chunk(cursor);
        }
    }

    fn next_chunk(&self, cursor: &mut Cursor) {
        (cursor.chunk, cursor.into) = (cursor.chunk.saturating_add(1), 0);
        cursor.offset = self.places.get(cursor.chunk).unwrap_or(0);
    }

    /// The sample at `cursor`; `None` behind the last one.
    pub fn sample(&self, cursor: &mut Cursor) -> Option<Sample> {
        if cursor.chunk >= self.places.len() {
            return None;
        }
        let (samples, entry) = self.chunk(cursor);
        if let Some(uniform) = self.uniform {
            let (frames, size) = uniform.packet(samples.saturating_sub(cursor.into));
            let (dts, duration) = (cursor.dts, i64::from(frames));
            let offset = cursor.offset;
            return Some(Sample { offset, size, dts, pts: dts, duration, sync: true, entry, disposable: false });
        }
        let size = self.sizes.get(cursor.sample)?;
        let duration = i64::from(cursor.time.value(&self.times).unwrap_or(0));
        let offset = cursor.composition.value(&self.offsets).unwrap_or(0) as i32;
        let offset = if offset == i32::MIN { 0 } else { i64::from(offset) };
        let pts = cursor.dts.saturating_add(self.shift).saturating_add(offset);
        let sync = self.is_sync(cursor);
        // sample_is_depended_on 2: by none.
        let depended = self.dependencies.get(cursor.sample).and_then(|mut row| row.u8());
        let disposable = depended.is_some_and(|byte| byte >> 2 & 3 == 2);
        Some(Sample { offset: cursor.offset, size, dts: cursor.dts, pts, duration, sync, entry, disposable })
    }

    fn is_sync(&self, cursor: &mut Cursor) -> bool {
        let listed = |rows: &Rows, at: &mut u32| {
            // Some writers number samples from 0.
            let base = u32::from(rows.u32(0).is_some_and(|first| first > 0));
            let number = cursor.sample.saturating_add(base);
            while rows.u32(*at).is_some_and(|listed| listed < number) {
                *at += 1;
            }
            rows.u32(*at) == Some(number)
        };
        let full = self.sync.as_ref().is_none_or(|rows| listed(rows, &mut cursor.sync));
        full || listed(&self.partial_sync, &mut cursor.partial)
            || (!self.access.is_empty() && cursor.access.value(&self.access).is_some_and(|group| group > 0))
    }

    /// Moves on by one sample (or one packet of uniform samples).
    pub fn advance(&self, cursor: &mut Cursor) {
        let (samples, _) = self.chunk(cursor);
        match self.uniform {
            Some(uniform) => {
                let (frames, size) = uniform.packet(samples.saturating_sub(cursor.into));
                cursor.sample = cursor.sample.saturating_add(frames);
                cursor.into = cursor.into.saturating_add(frames.max(1));
                cursor.offset = cursor.offset.saturating_add(size.into());
                cursor.dts = cursor.dts.saturating_add(frames.into());
            }
            None => {
                let size = self.sizes.get(cursor.sample).unwrap_or(0);
                cursor.sample = cursor.sample.saturating_add(1);
                cursor.into = cursor.into.saturating_add(1);
                cursor.offset = cursor.offset.saturating_add(size.into());
                self.pass(cursor, 1);
            }
        }
        if cursor.into >= samples {
            self.next_chunk(cursor);
            self.enter(cursor);
        }
    }

    /// Passes over what is left of the chunk, as for data that is not there.
    pub fn skip_chunk(&self, cursor: &mut Cursor) {
        let left = self.chunk(cursor).0.saturating_sub(cursor.into);
        cursor.sample = cursor.sample.saturating_add(left);
        match self.uniform {
            Some(_) => cursor.dts = cursor.dts.saturating_add(left.into()),
            None => self.pass(cursor, left),
        }
        self.next_chunk(cursor);
        self.enter(cursor);
    }

    /// Moves the cursor's times on by `n` samples.
    fn pass(&self, cursor: &mut Cursor, n: u32) {
        let mut left = n;
        while left > 0 {
            let Some((moved, delta)) = cursor.time.advance(&self.times, left) else { break };
            left -= moved;
            cursor.dts = cursor.dts.saturating_add(i64::from(moved).saturating_mul(delta.into()));
        }
        cursor.composition.skip(&self.offsets, n);
        cursor.access.skip(&self.access, n);
    }
}

impl Uniform {
    /// Frames and bytes of the packet at the front of `left` frames of a chunk.
    fn packet(self, left: u32) -> (u32, u32) {
        let most = (FRAMES / self.frames).max(1) * self.frames;
        let frames = left.min(most);
        let blocks = if frames == left { frames.div_ceil(self.frames) } else { frames / self.frames };
        (frames, blocks.saturating_mul(self.bytes))
    }
}

#[cfg(test)]
mod tests;
