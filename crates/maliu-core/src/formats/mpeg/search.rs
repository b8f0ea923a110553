//! Going to a time: a file is bisected by the times in it, then read from a place before the target on, up to a keyframe.
//!
//! ```text
//!   Bisect ─▶ a place well before the target ─▶ Landing: packets are dropped up to a keyframe ─▶ packets
//!      ▲                                            │ none before the target
//!      └────────────── further back ◀───────────────┘
//! ```

use alloc::{collections::VecDeque, format};

use super::{kinds::BASE, track::Track};
use crate::{
    error::{Error, Result},
    format::Event,
    input::Input,
    stream::Kind,
    time::{Rounding, Ticks, TimeBase},
};

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
    pub(super) fn next(&mut self) -> core::result::Result<u64, Landing> {
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

/// A demuxer of a multiplex that goes to a time by bisecting.
pub(super) trait Seeks {
    /// Name in errors.
    const NAME: &'static str;

    /// Offset and time of the first packet.
    fn first(&self) -> Option<(u64, Option<Ticks>)>;

    /// Events that wait.
    fn queue(&mut self) -> &mut VecDeque<Event>;

    /// The landing under way.
    fn landing(&mut self) -> &mut Option<Landing>;

    /// Judges an event during a landing.
    fn judge(&self, landing: &Landing, event: &Event) -> Passed;

    /// The input stands where this search looks next.
    fn look(&mut self, search: Bisect);

    /// Reads on from a place.
    fn land(&mut self, landing: Landing, input: &mut Input) -> Result<()>;

    fn start_seek(&mut self, to: Ticks, base: TimeBase, input: &mut Input) -> Result<()> {
        let Some((first, time)) = self.first() else {
            return Err(Error::unsupported(format!("{}: seeking before the first packet", Self::NAME)));
        };
        if !input.is_seekable() {
            return Err(Error::NotSeekable { wanted: first, oldest: input.offset() });
        }
        let target = base.rescale(to, BASE, Rounding::Down).max(time.unwrap_or(Ticks(0))).0;
        self.forget_packets();
        self.bisect(Bisect::new(target, first, input.size().unwrap_or(0)), input)
    }

    /// Goes on with a search whose last place was judged.
    fn bisect(&mut self, mut search: Bisect, input: &mut Input) -> Result<()> {
        match search.next() {
            Ok(place) => input.goto(place)?,
            Err(landing) => return self.land(landing, input),
        }
        self.look(search);
        Ok(())
    }

    /// Whether an event behind a seek is to be given; goes further back when there is no keyframe before the target.
    fn passes(&mut self, event: &Event, input: &mut Input) -> Result<bool> {
        let Some(landing) = *self.landing() else { return Ok(true) };
        match self.judge(&landing, event) {
            Passed::Given(over) => {
                if over {
                    *self.landing() = None;
                }
                Ok(true)
            }
            Passed::Dropped => Ok(false),
            Passed::Back(landing) => {
                self.forget_packets();
                self.land(landing, input)?;
                Ok(false)
            }
        }
    }

    fn forget_packets(&mut self) {
        self.queue().retain(|event| !matches!(event, Event::Packet(_) | Event::End));
    }
}
