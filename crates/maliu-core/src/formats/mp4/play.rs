//! One track on its way from tables and runs to packets: which sample is next, and when it is presented.
//!
//! ```text
//!   stretches of the edit list ─▶ samples of the tables ─┐
//!   runs of fragments ───────────────────────────────────┴─▶ Next (times of the movie, marks, trims)
//! ```

use alloc::{boxed::Box, collections::VecDeque, sync::Arc, vec::Vec};

use bytes::Bytes;

use crate::{
    packet::{Flags, Packet},
    stream::{Audio, Codec, Kind, StreamInfo},
    syntax::{
        h264,
        isobmff::{
            edits::Stretch,
            entry::Entry,
            fragment::{Run, RunCursor},
            protection::Groups,
            samples::{Cursor, Sample, Tables},
            senc::Entries,
        },
    },
    time::{Rounding, Ticks, TimeBase},
};

use super::{
    crypt::Secret,
    movie::{Track, to_rate},
};

/// A sample about to be read, its times on the movie's timeline.
#[derive(Clone, Copy, Debug)]
pub(super) struct Next {
    pub sample: Sample,
    /// Not to be presented.
    pub discard: bool,
    /// Audio samples to drop at the start and at the end of it.
    pub trim: (u32, u32),
}

/// One run and how to read it.
#[derive(Debug)]
pub(super) struct Piece {
    pub run: Run,
    pub cursor: RunCursor,
    /// Entries of encrypted samples of the fragment, and the number of the run's first one among them.
    secret: Option<(Box<Guard>, u32)>,
}

/// The encryption of the samples of a fragment.
#[derive(Clone, Debug, Default)]
pub(super) struct Guard {
    pub entries: Option<Entries>,
    /// Shared by the runs of the fragment.
    pub groups: Arc<Groups>,
}

#[derive(Debug)]
pub(super) struct Play {
    /// track_ID.
    pub id: u32,
    /// Index of the stream.
    pub stream: usize,
    pub base: TimeBase,
    pub kind: Kind,
    tables: Tables,
    stretches: Vec<Stretch>,
    /// The stretch that is played, and the place in it.
    stretch: usize,
    cursor: Cursor,
    /// A sample at the end of the stretch was met at which another could begin.
    ending: bool,
    /// The stretch is over behind the prepared sample.
    last: bool,
    /// The next sample is the first one after a start or a seek.
    fresh: bool,
    next: Option<Next>,
    pub pieces: VecDeque<Piece>,
    /// Offset added to the times of fragments.
    shift: i64,
    /// By how much fragments' composition times lie before decoding times at most; added to presentation times, as the
    /// reference does, so that none lies before its decoding time.
    lead: i64,
    /// Decoding time in the media behind the last known sample.
    pub end: i64,
    /// A fragment has come: what follows should begin at `end`.
    running: bool,
    /// Samples per tick at the start and all of them, as iTunes states them.
    gapless: Option<(u32, i64)>,
    /// Bytes that samples of one stated size may still have.
    left: u64,
    /// Samples before this are passed over after a seek.
    pub wanted: Option<Wanted>,
    /// Samples per second, of audio.
    rate: u32,
    /// Ticks of an audio frame, for fragments that state no duration; 0 when unknown.
    frame: i64,
    /// Sample description of the last packet.
    pub entry: u32,
    /// How its samples are encrypted.
    pub secret: Option<Box<Secret>>,
    /// The sample descriptions, where there are several.
    pub entries: Vec<Entry>,
    /// The body of the `prft` box for the fragment that comes next.
    pub produced: Option<Bytes>,
    /// How keyframes of H.264 show, which the container need not know.
    keys: Option<h264::Keys>,
}

/// Where playing goes on after a seek in fragments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// At the sample decoded at this time.
    Decoded(i64),
    /// At the sample that holds this presentation time.
    Holds(i64),
}

impl Play {
    /// The track, before its first sample. `size` is the input's, when known.
    pub(super) fn new(stream: usize, track: &mut Track, info: &StreamInfo, movie: u32, size: Option<u64>) -> Self {
        let mut tables = core::mem::take(&mut track.tables);
        if let Some(size) = size {
            tables.bound(size);
        }
        let stretches = track.stretches(movie);
        let shift = stretches.first().map_or(0, |stretch| stretch.shift);
        let counted = tables.uniform.is_some() || tables.sizes.constant().is_some();
        let left = size.filter(|_| counted).map_or(u64::MAX, |size| size.saturating_mul(stretches.len() as u64));
        let mut play = Self {
            id: track.id,
            stream,
            base: track.time_base(),
            kind: info.media.kind(),
            cursor: Cursor::default(),
            stretches,
            stretch: 0,
            ending: false,
            last: false,
            fresh: true,
            next: None,
            pieces: VecDeque::new(),
            shift,
            lead: 0,
            end: 0,
            running: false,
            gapless: None,
            left,
            wanted: None,
            rate: info.as_audio().map_or(0, Audio::rate),
            entries: if track.entries.len() > 1 { core::mem::take(&mut track.entries) } else { Vec::new() },
            frame: frame(info),
            entry: 0,
            secret: None,
            produced: None,
            keys: Some(&info.config).filter(|_| info.codec == Codec::H264).and_then(h264::Keys::of),
            tables,
        };
        play.end = play.tables.total();
        play.begin(0);
        play
    }

    /// iTunes' count of samples: dropped at the start, and presented in all. An edit list that cuts the start wins.
    pub(super) fn set_gapless(&mut self, start: u32, all: u64) {
        let cut = self.stretches.first().is_some_and(|stretch| stretch.from > 0);
        if !cut {
            // The count is in ticks of the track, half the samples where a bandwidth extension doubles them.
            let all = to_rate(i64::try_from(all).unwrap_or(0), self.base, self.rate);
            self.gapless = Some((start, all.into()));
        }
    }

    /// Samples and chunks of its tables.
    pub(super) fn counts(&self) -> (u32, u32) {
        (self.tables.sizes.len(), self.tables.places.len())
    }

    /// Its stretches on the movie's timeline.
    pub(super) fn stretches(&self) -> &[Stretch] {
        &self.stretches
    }

    /// Whether there are tables to play.
    pub(super) fn has_tables(&self) -> bool {
        !self.tables.is_empty()
    }

    fn begin(&mut self, stretch: usize) {
        self.stretch = stretch;
        (self.ending, self.last, self.fresh, self.next) = (false, false, true, None);
        if let Some(stretch) = self.stretches.get(stretch).copied().filter(|_| !self.tables.is_empty()) {
            self.cursor = self.lead_in(stretch.from);
        }
    }

    /// The sample at which decoding of the media time `from` starts: a second ahead for audio, which needs a run-in.
    fn lead_in(&self, from: i64) -> Cursor {
        if from == i64::MIN || from <= 0 {
            return self.tables.start();
        }
        match self.kind {
            Kind::Audio => self.holding(from.saturating_sub(self.base.den.get().into())),
            _ => self.key_for(from),
        }
    }

    /// The sample that is decoded at `time`, or the first one.
    fn holding(&self, time: i64) -> Cursor {
        self.tables.decoded_by(time).map_or_else(|| self.tables.start(), |sample| self.tables.at(sample))
    }

    /// The last sync sample that is presented at or before `time`, or the first one.
    fn key_for(&self, time: i64) -> Cursor {
        let mut number = self.tables.decoded_by(time).and_then(|number| self.tables.sync_by(number));
        for _ in 0..MAX_TRIES {
            let Some(sync) = number else { break };
            let mut cursor = self.tables.at(sync);
            if self.tables.sample(&mut cursor).is_none_or(|sample| sample.pts <= time) {
                return cursor;
            }
            number = sync.checked_sub(1).and_then(|before| self.tables.sync_by(before));
        }
        self.tables.start()
    }

    /// The sample that is next, of the tables or, behind them, of the fragments.
    #[inline]
    pub(super) fn peek(&mut self) -> Option<&Next> {
        if self.next.is_none() {
            self.next = self.prepare();
        }
        self.next.as_ref()
    }

    fn prepare(&mut self) -> Option<Next> {
        loop {
            let Some(stretch) = self.stretches.get(self.stretch).copied() else { return self.prepare_piece() };
            if self.tables.is_empty() || self.left == 0 {
                return self.prepare_piece();
            }
            match self.tables.sample(&mut self.cursor).filter(|_| !self.last) {
                Some(sample) => return Some(self.placed(sample, stretch)),
                None => self.begin(self.stretch + 1),
            }
        }
    }

    /// A sample of the tables with its times on the movie's timeline.
    fn placed(&mut self, sample: Sample, stretch: Stretch) -> Next {
        let end = sample.pts.saturating_add(sample.duration);
        let outside = sample.pts < stretch.from || sample.pts >= stretch.to;
        let over = end >= stretch.to;
        if over && (sample.sync || self.kind == Kind::Audio) {
            // A picture behind the end may be the reference of some that are shown before it.
            let again = self.kind != Kind::Audio && !self.tables.offsets.is_empty() && !self.ending;
            (self.ending, self.last) = (true, !again);
        }
        let mut trim = (0, 0);
        if self.kind == Kind::Audio {
            if self.fresh && stretch.from > sample.pts {
                trim.0 = to_rate(stretch.from.saturating_sub(sample.pts), self.base, self.rate);
            }
            let excess = end.saturating_sub(stretch.to).min(sample.duration);
            if stretch.to < i64::MAX && excess > 0 {
                trim.1 = to_rate(excess, self.base, self.rate);
            }
            if let Some((start, all)) = self.gapless {
                trim = self.itunes(&sample, start, all, trim);
            }
        }
        let sample = Sample {
            pts: sample.pts.saturating_add(stretch.shift),
            dts: sample.dts.saturating_add(stretch.shift),
            ..sample
        };
        Next { sample, discard: outside, trim }
    }

    fn itunes(&self, sample: &Sample, start: u32, all: i64, trim: (u32, u32)) -> (u32, u32) {
        let front = if self.cursor.sample == 0 { trim.0.max(start) } else { trim.0 };
        let place = i64::from(to_rate(sample.pts.saturating_add(sample.duration), self.base, self.rate));
        let length = to_rate(sample.duration, self.base, self.rate);
        let behind = place - i64::from(start) - all;
        let back = if all > 0 && behind > 0 { (behind.min(length.into())) as u32 } else { 0 };
        (front, trim.1.max(back))
    }

    fn prepare_piece(&mut self) -> Option<Next> {
        loop {
            let piece = self.pieces.front_mut()?;
            let Some(mut sample) = piece.run.sample(&piece.cursor, self.shift, self.lead) else {
                self.pieces.pop_front();
                continue;
            };
            sample.sync |= self.kind == Kind::Audio;
            if sample.duration == 0 && self.frame > 0 {
                sample.duration = self.frame;
            }
            let behind = match self.wanted {
                Some(Wanted::Decoded(dts)) => sample.dts < dts,
                Some(Wanted::Holds(time)) => sample.dts.saturating_add(sample.duration) <= time,
                None => false,
            };
            if behind {
                piece.run.advance(&mut piece.cursor);
                continue;
            }
            self.wanted = None;
            let discard = self.shift < 0 && sample.pts < 0 && self.kind == Kind::Audio;
            let mut trim = (0, 0);
            if discard && self.fresh {
                trim.0 = to_rate(sample.pts.saturating_neg(), self.base, self.rate);
            }
            return Some(Next { sample, discard, trim });
        }
    }

    /// The prepared sample was read or given up: on to the one behind it.
    #[inline]
    pub(super) fn advance(&mut self) {
        let Some(next) = self.next.take() else { return };
        self.fresh = false;
        if self.plays_pieces() {
            if let Some(piece) = self.pieces.front_mut() {
                piece.run.advance(&mut piece.cursor);
            }
            return;
        }
        if self.left != u64::MAX {
            self.left = self.left.saturating_sub(next.sample.size.into());
        }
        self.tables.advance(&mut self.cursor);
    }

    /// Decrypts a packet of the prepared sample, or marks it as encrypted. Returns what to warn of.
    pub(super) fn decrypt(&mut self, packet: &mut Packet) -> Option<&'static str> {
        let in_pieces = self.plays_pieces();
        let secret = self.secret.as_mut()?;
        if !in_pieces {
            let entry = secret.tables.as_mut().and_then(|tables| tables.get(self.cursor.sample));
            return secret.packet(packet, entry.as_ref(), None);
        }
        let piece = self.pieces.front_mut()?;
        let number = piece.cursor.sample;
        let Some((guard, first)) = &mut piece.secret else { return secret.packet(packet, None, None) };
        let number = first.saturating_add(number);
        let entry = guard.entries.as_mut().and_then(|entries| entries.get(number));
        secret.packet(packet, entry.as_ref(), guard.groups.of(number))
    }

    /// Marks a packet as a keyframe, or not, by what it holds, as far as that shows: encrypted tracks are believed.
    pub(super) fn mark_key(&self, packet: &mut Packet) {
        let keys = self.keys.filter(|_| self.secret.is_none());
        if let Some(key) = keys.and_then(|keys| keys.is_key(&packet.data)) {
            let others = Flags::from_bits(packet.flags.bits() & !Flags::KEY.bits());
            packet.flags = others | Flags::key(key);
        }
    }

    /// The configuration of a sample description that holds from here on.
    pub(super) fn turn_to(&mut self, entry: u32) -> Option<Bytes> {
        self.entry = entry;
        let config = self.entries.get(entry as usize)?.config.clone();
        if self.keys.is_some() {
            self.keys = h264::Keys::of(&config);
        }
        Some(config)
    }

    /// Whether packets can turn out not to be the keyframes that the container names.
    pub(super) fn judges_keys(&self) -> bool {
        self.keys.is_some() && self.secret.is_none()
    }

    /// Whether what is prepared stands in fragments.
    fn plays_pieces(&self) -> bool {
        self.left == 0 || self.tables.is_empty() || self.stretch >= self.stretches.len()
    }

    /// The data of the prepared sample is not there: passes over what stands behind it in its chunk.
    pub(super) fn skip_missing(&mut self) {
        let tables = !self.tables.is_empty() && self.stretch < self.stretches.len() && self.left > 0;
        if tables && self.next.take().is_some() {
            self.tables.skip_chunk(&mut self.cursor);
        } else {
            self.advance();
        }
    }

    /// Takes the runs of a fragment, decoded from `time` on (or behind what is known). Returns the time of the first.
    pub(super) fn add(&mut self, runs: Vec<Run>, time: Option<u64>, guard: Option<Guard>) -> i64 {
        let mut dts = time.map_or(self.end, |time| i64::try_from(time).unwrap_or(i64::MAX));
        let (start, mut number) = (dts, 0_u32);
        for run in runs {
            self.lead = self.lead.max(run.lowest().saturating_neg());
            let duration = run.duration();
            let cursor = run.start(dts);
            let secret = guard.as_ref().map(|guard| (Box::new(guard.clone()), number));
            number = number.saturating_add(run.count);
            self.pieces.push_back(Piece { run, cursor, secret });
            dts = dts.saturating_add(duration);
        }
        (self.end, self.running) = (dts, true);
        start.saturating_add(self.shift)
    }

    /// Time in µs, more than a moment, that is missing between what is known and a part of a fragment of audio or video
    /// that begins at `time`.
    pub(super) fn hole(&self, time: Option<u64>) -> Option<u64> {
        let known = self.running && matches!(self.kind, Kind::Audio | Kind::Video);
        let behind = i64::try_from(time.filter(|_| known)?).ok()?.saturating_sub(self.end);
        let micros = self.base.rescale(Ticks(behind), TimeBase::MICROS, Rounding::Near).0;
        u64::try_from(micros).ok().filter(|micros| *micros > MOMENT)
    }

    /// The last sync sample of the waiting runs that is presented at or before `time`: its decoding and presentation
    /// time.
    pub(super) fn key_in_pieces(&self, time: i64) -> Option<(i64, i64)> {
        let mut found = None;
        for piece in &self.pieces {
            let mut cursor = piece.cursor;
            while let Some(sample) = piece.run.sample(&cursor, self.shift, self.lead) {
                if (sample.sync || self.kind == Kind::Audio) && sample.pts <= time {
                    found = Some((sample.dts, sample.pts));
                }
                piece.run.advance(&mut cursor);
            }
        }
        found
    }

    /// Forgets all runs, as for a seek.
    pub(super) fn clear_pieces(&mut self) {
        self.pieces.clear();
        (self.next, self.fresh, self.produced, self.running) = (None, true, None, false);
    }

    /// Time in the media of a time on the movie's timeline.
    pub(super) fn media_time(&self, time: i64) -> i64 {
        time.saturating_sub(self.shift)
    }

    /// Plays the tables from `time` of the movie's timeline on, in its own ticks: from a key if `key`, else from the
    /// sample that holds the time. Returns decoding and presentation time of what comes next.
    pub(super) fn seek(&mut self, time: i64, key: bool) -> Option<(i64, i64)> {
        let holds = |stretch: &Stretch| stretch.from == i64::MIN || stretch.from.saturating_add(stretch.shift) <= time;
        let index = self.stretches.iter().rposition(holds).unwrap_or(0);
        self.begin(index);
        let stretch = self.stretches.get(index).copied()?;
        let media = time.saturating_sub(stretch.shift);
        let cursor = if key { self.key_for(media) } else { self.holding(media) };
        if cursor.sample > self.cursor.sample {
            self.cursor = cursor;
        }
        self.left = if self.left == u64::MAX { u64::MAX } else { self.left.max(1 << 32) };
        let next = self.peek()?;
        Some((next.sample.dts, next.sample.pts))
    }

    /// Plays nothing of the tables: what is wanted stands in fragments.
    pub(super) fn leave_tables(&mut self) {
        self.stretch = self.stretches.len();
        self.next = None;
    }

    /// Decoding time on the movie's timeline behind the tables.
    pub(super) fn tables_end(&self) -> i64 {
        self.tables.total().saturating_add(self.shift)
    }
}

/// Ticks of one audio frame of the stream; 0 when it is not known.
fn frame(info: &StreamInfo) -> i64 {
    let audio = info.as_audio().filter(|audio| audio.rate() > 0 && audio.frame_size > 0);
    audio.map_or(0, |audio| {
        let rate = TimeBase::hz(audio.rate());
        rate.rescale(Ticks(audio.frame_size.into()), info.time_base, Rounding::Near).0
    })
}

/// Longest pause between fragments, in µs, that is not missing media.
const MOMENT: u64 = 250_000;

/// Most keys that are looked at for one that is presented early enough.
const MAX_TRIES: usize = 64;
