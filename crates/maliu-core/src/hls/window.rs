//! The segments of a live stream that are kept: their playlist, made once per part, and what a request gets of it.
//!
//! ```text
//!   Made ─▶ Window: [grace │ listed … │ under way: parts] ─┬▶ playlist text, shared by all who ask
//!                                                          └▶ segments, parts, initializations by name
//! ```
//!
//! Names are `EPOCH-NUMBER[.PART].EXTENSION`, each used once; numbers never go back (see [`Window::new`]).

use alloc::{
    collections::VecDeque,
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::time::Duration;

use bytes::{Bytes, BytesMut};

use super::{
    date::Date,
    packager::{Container, Made, Piece},
    past::Past,
    playlist::{Control, Key, Map, Media, Part, Segment},
};

/// Bounds of a window.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// Segments that are listed.
    pub segments: usize,
    /// Segments that are kept although they are listed no longer.
    pub grace: usize,
    /// Most bytes of all segments; the oldest ones go first.
    pub bytes: usize,
    /// Length of the segments that are remembered when their bytes are dropped, which the caller keeps elsewhere; 43,200
    /// segments at most.
    pub history: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { segments: 6, grace: 2, bytes: 32 << 20, history: Duration::ZERO }
    }
}

/// The condition that a request for a playlist waits for (RFC 8216bis §6.2.5.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reload {
    /// `_HLS_msn`: number of the segment that must be there.
    pub segment: Option<u64>,
    /// `_HLS_part`: index of its part that is enough.
    pub part: Option<u64>,
    /// `_HLS_skip`: old segments may be left out.
    pub skip: bool,
}

/// The answer to a request for a playlist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// The text.
    Ready(Bytes),
    /// It is not there yet.
    Wait,
    /// It is too far ahead, or the request makes no sense.
    TooFar,
}

/// The answer to a request for a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum File {
    /// Its bytes, in a row.
    Ready(Vec<Bytes>),
    /// It is the part that comes next.
    Wait,
    /// It is gone, or never was.
    Gone,
}

/// A part that is kept.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) data: Bytes,
    duration: Duration,
    pub(super) independent: bool,
}

/// A segment that is kept.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) parts: Vec<Kept>,
    bytes: usize,
    pub(super) duration: Duration,
    pub(super) independent: bool,
    pub(super) discontinuity: bool,
    pub(super) date: Date,
    /// Number of its initialization.
    pub(super) init: u64,
}

/// The segments of a live stream.
#[derive(Debug)]
pub struct Window {
    pub(super) epoch: String,
    pub(super) container: Container,
    pub(super) limits: Limits,
    /// Whether parts are listed.
    has_parts: bool,
    /// Number of the oldest segment that is kept.
    pub(super) first: u64,
    pub(super) segments: VecDeque<Stored>,
    /// Parts of the segment under way, and its bytes where there are no parts.
    pub(super) parts: Vec<Kept>,
    open: BytesMut,
    /// Initializations by the number of the first segment behind them.
    pub(super) inits: VecDeque<(u64, Bytes)>,
    pub(super) target: Option<u32>,
    part_target: Option<Duration>,
    /// Discontinuities in front of the oldest segment that is kept.
    pub(super) passed: u64,
    /// Segments before `first`, whose bytes are kept elsewhere, and their length.
    pub(super) past: VecDeque<Past>,
    pub(super) past_length: Duration,
    /// A segment is being moved to them.
    pub(super) retiring: bool,
    /// Names of files elsewhere that are listed no longer.
    pub(super) expired: Vec<String>,
    /// How segments are encrypted.
    seal: Option<Seal>,
    /// When the segment under way began.
    date: Option<Date>,
    pub(super) ended: bool,
    bytes: usize,
    /// The text of the playlist as it is.
    text: Option<Bytes>,
    skipping: Option<Bytes>,
    /// The last text of a playlist since a date: its first segment, the one under way, whether nothing follows.
    pub(super) since: Option<(u64, u64, bool, Bytes)>,
}

/// How segments are encrypted.
#[derive(Clone)]
struct Seal {
    #[cfg_attr(not(feature = "crypt"), allow(dead_code))]
    key: [u8; 16],
    uri: String,
}

impl core::fmt::Debug for Seal {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Seal").field("uri", &self.uri).finish_non_exhaustive()
    }
}

/// Bytes of a segment that are its share of all, at least: beyond it the segment is given up.
const SHARES: usize = 3;

impl Window {
    /// A window of segments whose names begin with `epoch`, which no other window has, numbered from `first`: the unix
    /// time in seconds, so that numbers do not go back after a restart or at another server, since segments last for a
    /// second or more.
    pub fn new(epoch: impl Into<String>, first: u64, container: Container, has_parts: bool, limits: Limits) -> Self {
        Self {
            epoch: epoch.into(),
            container,
            limits,
            has_parts,
            first,
            segments: VecDeque::new(),
            parts: Vec::new(),
            open: BytesMut::new(),
            inits: VecDeque::new(),
            target: None,
            part_target: None,
            passed: 0,
            past: VecDeque::new(),
            past_length: Duration::ZERO,
            retiring: false,
            expired: Vec::new(),
            seal: None,
            date: None,
            ended: false,
            bytes: 0,
            text: None,
            skipping: None,
            since: None,
        }
    }

    /// Encrypts segments whole by AES-128 with this key, which players get at `uri`. There are no parts then.
    #[cfg(feature = "crypt")]
    pub fn encrypted(mut self, key: [u8; 16], uri: impl Into<String>) -> Self {
        self.seal = Some(Seal { key, uri: uri.into() });
        self.has_parts = false;
        self
    }

    /// Takes what was made, at `now`.
    pub fn take(&mut self, made: Made, now: Date) {
        match made {
            Made::Init(data) => {
                let number = self.under_way();
                self.inits.retain(|(old, _)| *old != number);
                self.inits.push_back((number, joined(&data)));
                return;
            }
            Made::Piece(piece) => self.piece(piece, now),
            Made::Segment { duration, independent, discontinuity, target, part_target } => {
                // Declared lengths do not change.
                self.target = self.target.or(Some(target));
                self.part_target = self.part_target.or(part_target);
                self.segment(duration, independent, discontinuity, now);
            }
            Made::End => self.ended = true,
        }
        (self.text, self.skipping) = (None, None);
    }

    fn piece(&mut self, piece: Piece, now: Date) {
        if self.date.is_none() {
            // A part is there when its last packet has come.
            self.date = Some(Date(now.0.saturating_sub(millis(piece.duration))));
        }
        let size: usize = piece.data.iter().map(Bytes::len).sum();
        self.bytes = self.bytes.saturating_add(size);
        if self.has_parts {
            let Piece { data, duration, independent } = piece;
            self.parts.push(Kept { data: joined(&data), duration, independent });
        } else {
            piece.data.iter().for_each(|data| self.open.extend_from_slice(data));
        }
        self.trim();
    }

    fn segment(&mut self, duration: Duration, independent: bool, discontinuity: bool, now: Date) {
        let mut parts = core::mem::take(&mut self.parts);
        if !self.has_parts {
            let plain = self.open.split().freeze();
            self.bytes = self.bytes.saturating_sub(plain.len());
            let data = self.sealed(plain);
            self.bytes = self.bytes.saturating_add(data.len());
            parts.push(Kept { data, duration, independent });
        }
        let bytes = parts.iter().map(|part| part.data.len()).sum();
        let date = self.date.take().unwrap_or(now);
        let init = self.inits.back().map_or(0, |(number, _)| *number);
        // The next one begins where this one ends, unless the stream has stood still. Dates never go back.
        let next = Date(date.0.saturating_add(millis(duration)));
        self.date = (now.0.saturating_sub(next.0) < MAX_DRIFT).then_some(next);
        self.segments.push_back(Stored { parts, bytes, duration, independent, discontinuity, date, init });
        self.trim();
    }

    /// A segment as it is served.
    fn sealed(&self, plain: Bytes) -> Bytes {
        #[cfg(feature = "crypt")]
        if let Some(Seal { key, .. }) = &self.seal {
            let mut encryptor = super::Encryptor::new(key, u128::from(self.under_way()).to_be_bytes());
            let mut out = Vec::new();
            encryptor.push(&plain, &mut out);
            encryptor.finish(&mut out);
            return out.into();
        }
        plain
    }

    /// Drops what is too old or too much.
    fn trim(&mut self) {
        let most = self.limits.segments.saturating_add(self.limits.grace).max(1);
        while self.segments.len() > most || (self.bytes > self.limits.bytes && self.segments.len() > 1) {
            let Some(gone) = self.segments.pop_front() else { return };
            self.bytes = self.bytes.saturating_sub(gone.bytes);
            self.retiring = true;
            self.retire(&gone);
            self.retiring = false;
            self.first = self.first.saturating_add(1);
            self.passed = self.passed.saturating_add(u64::from(gone.discontinuity));
        }
        let oldest = self.past.front().map(|past| past.init);
        let oldest = oldest.or(self.segments.front().map(|segment| segment.init)).unwrap_or(u64::MAX);
        while self.inits.len() > 1 && self.inits.front().is_some_and(|(number, _)| *number < oldest) {
            if let Some((number, _)) = self.inits.pop_front() {
                self.expire(format!("{}-{number}.mp4", self.epoch));
            }
        }
    }

    /// Whether the segment under way takes more memory than it may: the stream then has no place here.
    pub fn is_over(&self) -> bool {
        self.bytes > self.limits.bytes.saturating_add(self.limits.bytes / SHARES)
    }

    /// Sets how many bytes all segments may have.
    pub fn limit(&mut self, bytes: usize) {
        self.limits.bytes = bytes;
        self.trim();
        (self.text, self.skipping) = (None, None);
    }

    /// Bytes that are kept.
    pub fn bytes(&self) -> usize {
        self.bytes.saturating_add(self.inits.iter().map(|(_, init)| init.len()).sum())
    }

    /// Length of segments in whole seconds; `None` before the first one has ended.
    pub fn target(&self) -> Option<u32> {
        self.target
    }

    /// Whether every segment that is kept begins with a keyframe.
    pub fn is_independent(&self) -> bool {
        self.segments.iter().all(|segment| segment.independent)
    }

    /// Peak and mean bits a second of the segments that are kept.
    pub fn bit_rates(&self) -> (u64, u64) {
        let rate = |bytes: usize, span: Duration| {
            (bytes as u128).saturating_mul(8_000_000).checked_div(span.as_micros()).unwrap_or(0) as u64
        };
        let peak = self.segments.iter().map(|segment| rate(segment.bytes, segment.duration)).max().unwrap_or(0);
        let bytes = self.segments.iter().map(|segment| segment.bytes).sum();
        (peak, rate(bytes, self.segments.iter().map(|segment| segment.duration).sum()))
    }

    /// Number of the segment under way.
    pub(super) fn under_way(&self) -> u64 {
        self.first.saturating_add(self.segments.len() as u64)
    }

    /// Answers a request for the playlist.
    pub fn ask(&mut self, reload: Reload) -> Ask {
        let next = self.under_way();
        let there = match (reload.segment, reload.part) {
            (None, Some(_)) => return Ask::TooFar,
            _ if self.target.is_none() && !self.ended => false,
            (None, None) => true,
            _ if self.ended => true,
            (Some(number), _) if number > next.saturating_add(1) => return Ask::TooFar,
            (Some(number), _) if number < next => true,
            (Some(number), Some(part)) if number == next => part < self.parts.len() as u64,
            _ => false,
        };
        match there {
            true => Ask::Ready(self.text(reload.skip)),
            false => Ask::Wait,
        }
    }

    fn text(&mut self, skip: bool) -> Bytes {
        let kept = if skip { &self.skipping } else { &self.text };
        if let Some(text) = kept {
            return text.clone();
        }
        let text = Bytes::from(self.playlist(skip).to_string());
        *(if skip { &mut self.skipping } else { &mut self.text }) = Some(text.clone());
        text
    }

    /// The playlist as it is; with `skip` without the segments that a player knows.
    pub fn playlist(&self, skip: bool) -> Media {
        let target = Duration::from_secs(self.target.unwrap_or(1).into());
        let mut media = Media { target: self.target.unwrap_or(1), ended: self.ended, ..Media::default() };
        let passed = self.segments.len().saturating_sub(self.limits.segments);
        let gone = self.segments.iter().take(passed).filter(|segment| segment.discontinuity).count();
        media.sequence = self.first.saturating_add(passed as u64);
        media.discontinuity_sequence = self.passed.saturating_add(gone as u64);
        media.independent = self.is_independent();
        media.part_target = self.part_target.filter(|_| self.has_parts);
        let mut control = Control { hold_back: Some(target * 3), can_block_reload: true, ..Control::default() };
        if let Some(part) = media.part_target {
            control.part_hold_back = Some(part * 3);
            control.can_skip_until = Some(target * 6);
        }
        media.control = Some(control);
        let mut left: Duration = self.segments.iter().map(|segment| segment.duration).sum();
        left += self.parts.iter().map(|part| part.duration).sum::<Duration>();
        for (index, segment) in self.segments.iter().enumerate() {
            let skips = skip && control.can_skip_until.is_some_and(|until| left > until);
            match index < passed {
                true => {}
                false if skips => media.skipped = media.skipped.saturating_add(1),
                // Parts are of use close to the edge only (§6.2.2).
                false => media.segments.push(self.listed(index, segment, left <= target * 3)),
            }
            left = left.saturating_sub(segment.duration);
        }
        if self.has_parts {
            let number = self.under_way();
            media.parts = self.part_list(number, &self.parts);
            // Behind segments, another initialization is another configuration.
            let changes = self.inits.back().is_some_and(|(first, _)| *first == number) && !self.segments.is_empty();
            media.parts_discontinuity = changes && !self.parts.is_empty();
            let map = || Map { uri: format!("{}-{number}.mp4", self.epoch), range: None };
            media.parts_map = media.parts_discontinuity.then(map);
            let hint = format!("{}-{number}.{}.{}", self.epoch, self.parts.len(), self.container.extension());
            media.hint = Some(hint).filter(|_| !self.ended);
        }
        media
    }

    fn listed(&self, index: usize, segment: &Stored, near: bool) -> Segment {
        let number = self.first.saturating_add(index as u64);
        let Stored { duration, discontinuity, date, init, .. } = *segment;
        let parts = if self.has_parts && near { self.part_list(number, &segment.parts) } else { Vec::new() };
        Segment { parts, ..self.entry(number, duration, discontinuity, date, init) }
    }

    /// A segment in a playlist, without parts.
    pub(super) fn entry(&self, number: u64, duration: Duration, discontinuity: bool, date: Date, init: u64) -> Segment {
        let map = Map { uri: format!("{}-{init}.mp4", self.epoch), range: None };
        let key =
            |seal: &Seal| Key { method: "AES-128".into(), uri: seal.uri.clone(), iv: None, format: String::new() };
        Segment {
            uri: format!("{}-{number}.{}", self.epoch, self.container.extension()),
            duration,
            map: Some(map).filter(|_| self.container == Container::Fmp4),
            key: self.seal.as_ref().map(key),
            discontinuity,
            date: Some(date),
            ..Segment::default()
        }
    }

    fn part_list(&self, number: u64, parts: &[Kept]) -> Vec<Part> {
        let listed = |(index, part): (usize, &Kept)| Part {
            uri: format!("{}-{number}.{index}.{}", self.epoch, self.container.extension()),
            duration: part.duration,
            independent: part.independent,
            ..Part::default()
        };
        parts.iter().enumerate().map(listed).collect()
    }

    /// The file of a name.
    pub fn file(&self, name: &str) -> File {
        self.find(name).unwrap_or(File::Gone)
    }

    fn find(&self, name: &str) -> Option<File> {
        let rest = name.strip_prefix(&*self.epoch)?.strip_prefix('-')?;
        let (numbers, extension) = rest.rsplit_once('.')?;
        let (number, part) = match numbers.split_once('.') {
            Some((number, part)) => (number, Some(part.parse::<usize>().ok()?)),
            None => (numbers, None),
        };
        let number: u64 = number.parse().ok()?;
        if extension == "mp4" && part.is_none() && self.container == Container::Fmp4 {
            let (_, init) = self.inits.iter().find(|(first, _)| *first == number)?;
            return Some(File::Ready(Vec::from([init.clone()])));
        }
        if extension != self.container.extension() {
            return None;
        }
        if number == self.under_way() && !self.ended {
            let part = part.filter(|_| self.has_parts)?;
            return match self.parts.get(part) {
                Some(kept) => Some(File::Ready(Vec::from([kept.data.clone()]))),
                None => (part == self.parts.len()).then_some(File::Wait),
            };
        }
        let segment = self.segments.get(usize::try_from(number.checked_sub(self.first)?).ok()?)?;
        Some(File::Ready(match part {
            Some(part) => Vec::from([segment.parts.get(part).filter(|_| self.has_parts)?.data.clone()]),
            None => segment.parts.iter().map(|part| part.data.clone()).collect(),
        }))
    }
}

/// Milliseconds by which dates may be behind the clock.
const MAX_DRIFT: i64 = 3000;

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

fn joined(parts: &[Bytes]) -> Bytes {
    match parts {
        // Copied, too: a part of a large buffer would keep all of it.
        [] => Bytes::new(),
        parts => {
            let mut all = BytesMut::with_capacity(parts.iter().map(Bytes::len).sum());
            parts.iter().for_each(|part| all.extend_from_slice(part));
            all.freeze()
        }
    }
}
