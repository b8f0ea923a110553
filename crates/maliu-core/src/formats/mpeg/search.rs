//! Going to a time: a file is bisected by the times in it, then read from a place before the target on, up to a keyframe.
//!
//! ```text
//!   Bisect ─▶ a place well before the target ─▶ Landing: packets are dropped up to a keyframe ─▶ packets
//!      ▲                                            │ none before the target
//!      └────────────── further back ◀───────────────┘
//! ```

use super::track::Track;
use crate::{format::Event, stream::Kind};

/// Bytes between two places of a file below which bisecting ends.
const NEAR: u64 = 1 << 20;

/// Bytes that are looked through for a time at one place.
pub(super) const MAX_LOOK: usize = 1 << 20;

/// Ticks by which the keyframe lies before the target at least: sound of the same time may stand that far behind it.
const LEAD: i64 = 63_000;

/// A search for a place before the target.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bisect {
    pub target: i64,
    /// The time here is before the target.
    low: u64,
    high: u64,
    middle: u64,
}

/// Packets are dropped until a keyframe.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Landing {
    pub target: i64,
    pub from: u64,
    /// How far to go back if there is no keyframe.
    back: u64,
}

/// Fate of an event behind a seek.
pub(super) enum Passed {
    /// It is given; with true the seek is over.
    Given(bool),
    Dropped,
    /// There is no keyframe before the target here.
    Back(Landing),
}

impl Bisect {
    pub(super) fn new(target: i64, first: u64, size: u64) -> Self {
        Self { target, low: first, high: size, middle: first }
    }

    /// The next place to look at, or where to read on.
    pub(super) fn next(&mut self) -> Result<u64, Landing> {
        if self.high.saturating_sub(self.low) < NEAR {
            return Err(Landing { target: self.target, from: self.low, back: NEAR });
        }
        self.middle = self.low + (self.high - self.low) / 2;
        Ok(self.middle)
    }

    /// The first time behind the middle, of a packet at `start` bytes behind it.
    pub(super) fn found(&mut self, time: Option<i64>, start: usize) {
        let start = self.middle.saturating_add(start as u64);
        match time {
            Some(time) if time <= self.target.saturating_sub(2 * LEAD) && start < self.high => self.low = start,
            _ => self.high = self.middle,
        }
    }
}

impl Landing {
    /// Judges an event of `tracks`; `first` is the offset of the first packet.
    pub(super) fn judge<'a>(&self, event: &Event, mut tracks: impl Iterator<Item = &'a Track>, first: u64) -> Passed {
        let (late, key) = match event {
            Event::Packet(packet) => {
                let is_video =
                    |track: &Track| track.index == Some(packet.stream) && track.info.media.kind() == Kind::Video;
                let time = packet.pts.or(packet.dts).map(|time| time.0);
                let late = time.is_some_and(|time| time > self.target.saturating_sub(LEAD));
                (late, packet.is_key() && tracks.any(is_video))
            }
            Event::End => (true, false),
            _ => return Passed::Given(false),
        };
        match (late, key) {
            (false, true) => Passed::Given(true),
            (true, _) => {
                let from = self.from.saturating_sub(self.back).max(first);
                Passed::Back(Self { from, back: self.back.saturating_mul(2), ..*self })
            }
            (false, false) => Passed::Dropped,
        }
    }
}

/// Whether there is video among `tracks` that packets can be dropped up to.
pub(super) fn has_video<'a>(mut tracks: impl Iterator<Item = &'a Track>) -> bool {
    tracks.any(|track| track.index.is_some() && track.info.media.kind() == Kind::Video)
}
