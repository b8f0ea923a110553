//! Going to a time: from the index, else by bisecting the file, then from head to head up to the last key frame
//! before it (FLD-29); and looking at the file's end for its duration (FLD-23).
//!
//! ```text
//!   seek ─▶ Bisect ─▶ Walk ─▶ Tags            first packet ─▶ Tail ─▶ Tags
//!      └─ index ──────▲  └─ no key: further back ─▶ Bisect
//! ```

use crate::{
    error::{Error, Result},
    input::Input,
    stream::Kind as StreamKind,
    time::{Rounding, Ticks, TimeBase},
};

use super::{
    super::{
        resync::{Found, Search},
        tag::{HEAD, Head, Kind, TAIL, u32_at},
        video,
    },
    Flv, State, Step,
};

/// Bytes between two places of a file below which bisecting gives way to walking.
const NEAR: u64 = 1 << 20;

/// Most tags without a time at the end of a file that are passed on the way to its duration.
const MAX_TAIL_TAGS: u32 = 64;

/// Bytes of a tag that tell whether decoding can start with it.
const PEEK: usize = HEAD + 2;

/// A seek under way.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Seek {
    /// ms.
    target: i64,
    /// A tag starts here whose time is at or before the target.
    low: u64,
    /// The target lies before this offset.
    high: u64,
    /// The last place to start from that was passed.
    best: Option<u64>,
    /// How far before `low` to look next, if there is no key frame behind it.
    back: u64,
    /// Whether such a look back is under way.
    retreats: bool,
    /// Whether `low` comes from the index.
    indexed: bool,
}

/// The search for the duration at the file's end.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Tail {
    /// Where to read on afterwards.
    resume: u64,
    /// Offset behind the PreviousTagSize to be looked at.
    end: u64,
    /// Length of the tag before it, once known.
    length: Option<u32>,
    passed: u32,
}

impl Flv {
    pub(super) fn start_seek(&mut self, to: Ticks, base: TimeBase, input: &mut Input) -> Result<()> {
        let Some(first) = self.first_tag else {
            return Err(Error::unsupported("flv: seeking before the header is read"));
        };
        if !input.is_seekable() {
            return Err(Error::NotSeekable { wanted: first, oldest: input.offset() });
        }
        let target = base.rescale(to, TimeBase::MILLIS, Rounding::Down).0;
        let (entry, known) = self.index.before(target);
        let low = entry.map_or(first, |entry| entry.at);
        let high = input.size().unwrap_or(0);
        let seek = Seek { target, low, high, best: None, back: NEAR, retreats: false, indexed: entry.is_some() };
        self.queue.clear();
        if known || high.saturating_sub(low) < 2 * NEAR {
            self.walk_from(low, seek, input)
        } else {
            self.bisect(seek, input)
        }
    }

    fn walk_from(&mut self, at: u64, seek: Seek, input: &mut Input) -> Result<()> {
        input.goto(at)?;
        self.state = State::Walk(seek);
        Ok(())
    }

    fn bisect(&mut self, seek: Seek, input: &mut Input) -> Result<()> {
        if seek.high.saturating_sub(seek.low) < NEAR {
            return self.walk_from(seek.low, seek, input);
        }
        let middle = seek.low + (seek.high - seek.low) / 2;
        input.goto(middle)?;
        self.state = State::Bisect(seek, Search::new(middle, true), middle);
        Ok(())
    }

    /// Looks for a tag behind the middle; its time tells which half to keep.
    pub(super) fn halve(&mut self, mut seek: Seek, mut search: Search, middle: u64, input: &mut Input) -> Result<Step> {
        let found = search.look(input.peek(), input.offset());
        match found {
            Found::Pair(at) => {
                input.goto(at)?;
                let time = Head::parse(input.peek()).map(|head| self.time_of(&head));
                let before = time.is_some_and(|time| time <= seek.target) && at < seek.high;
                if before {
                    (seek.low, seek.indexed) = (at, false);
                } else {
                    seek.high = middle;
                }
                if seek.retreats { self.walk_from(seek.low, seek, input)? } else { self.bisect(seek, input)? }
            }
            Found::Nothing if !input.ended() => {
                if search.from > input.offset() {
                    input.goto(search.from)?;
                }
                self.state = State::Bisect(seek, search, middle);
                return Ok(Step::Need);
            }
            Found::Nothing if seek.retreats => self.walk_from(seek.low, seek, input)?,
            Found::Nothing => {
                seek.high = middle;
                self.bisect(seek, input)?;
            }
            Found::Header(_) => self.state = State::Bisect(seek, search, middle),
        }
        Ok(Step::Again)
    }

    /// From head to head: past the target, or where there is no tag, the last place to start from is it.
    pub(super) fn walk(&mut self, mut seek: Seek, input: &mut Input) -> Result<Step> {
        let (seen, at) = (input.peek(), input.offset());
        if seen.len() < PEEK && !input.ended() {
            return Ok(Step::Need);
        }
        let head = Head::parse(seen).filter(|head| !matches!(head.kind, Kind::Other(_)));
        let starts = head.is_some_and(|head| self.can_start(&head, seen));
        if head.is_none() && seek.best.is_none() && seek.indexed {
            // The index lies.
            self.index.clear();
            (seek.low, seek.indexed) = (self.first_tag.unwrap_or(0), false);
            self.bisect(seek, input)?;
            return Ok(Step::Again);
        }
        let Some(head) = head.filter(|head| !starts || self.time_of(head) <= seek.target) else {
            return self.arrive(seek, input);
        };
        if starts {
            seek.best = Some(at);
        }
        self.walk_from(at.saturating_add((head.length() + TAIL) as u64), seek, input)?;
        Ok(Step::Again)
    }

    fn arrive(&mut self, mut seek: Seek, input: &mut Input) -> Result<Step> {
        let first = self.first_tag.unwrap_or(0);
        match seek.best {
            Some(best) => input.goto(best)?,
            None if seek.low > first => {
                // No key frame between here and the target: look further back.
                let from = seek.low.saturating_sub(seek.back).max(first);
                (seek.high, seek.low) = (seek.low, first);
                (seek.back, seek.retreats) = (seek.back.saturating_mul(2), from > first);
                input.goto(from)?;
                self.state = match seek.retreats {
                    true => State::Bisect(seek, Search::new(from, true), from),
                    false => State::Walk(seek),
                };
                return Ok(Step::Again);
            }
            None => input.goto(first)?,
        }
        self.state = State::Tags;
        Ok(Step::Again)
    }

    fn time_of(&self, head: &Head) -> i64 {
        self.clock.unroll(self.clock.join(head.time)).0
    }

    /// Whether decoding can start with this tag: a key frame, or any audio where there is no video.
    fn can_start(&self, head: &Head, seen: &[u8]) -> bool {
        let (Some(&flags), packet_type) = (seen.get(HEAD), seen.get(HEAD + 1)) else { return false };
        match head.kind {
            Kind::Video if head.size > 1 => {
                let enhanced = flags & 0x80 != 0;
                let packet_type = if enhanced { flags & 0x0f } else { packet_type.copied().unwrap_or(1) };
                let configures = packet_type != 1 && (enhanced || video::has_packet_type(video::codec(flags & 0x0f)));
                flags >> 4 & 7 == video::KEY && (!configures || packet_type == 3 || packet_type > 5)
            }
            Kind::Audio => self.streams.first(StreamKind::Video).is_none() && head.size > 1,
            _ => false,
        }
    }

    /// FLD-23: at the first packet of a file whose metadata name no duration.
    pub(super) fn wants_tail(&mut self, head: &Head, input: &Input) -> Option<State> {
        if self.tail_seen || !matches!(head.kind, Kind::Audio | Kind::Video) {
            return None;
        }
        self.tail_seen = true;
        let end = input.size().filter(|_| input.is_seekable() && self.duration.is_none())?;
        Some(State::Tail(Tail { resume: input.offset(), end, length: None, passed: 0 }))
    }

    pub(super) fn tail(&mut self, mut tail: Tail, input: &mut Input) -> Result<Step> {
        let (from, size) = match tail.length {
            None => (tail.end.saturating_sub(TAIL as u64), TAIL),
            Some(length) => (tail.end.saturating_sub(TAIL as u64 + u64::from(length)), HEAD),
        };
        if input.offset() != from {
            input.goto(from)?;
        }
        if input.peek().len() < size && !input.ended() {
            return Ok(Step::Need);
        }
        let next = match tail.length {
            None => u32_at(input.peek(), 0).filter(|length| u64::from(*length) + 4 <= tail.end).map(|length| {
                tail.length = Some(length);
                tail
            }),
            Some(length) => match Head::parse(input.peek()).filter(|head| head.length() == length as usize) {
                Some(Head { time: 0, .. }) if tail.passed < MAX_TAIL_TAGS && from >= 8 => {
                    Some(Tail { end: from, length: None, passed: tail.passed + 1, ..tail })
                }
                Some(head) if head.time > 0 => {
                    self.duration = Some(Ticks(i64::from(head.time) * 1000));
                    None
                }
                _ => None,
            },
        };
        match next {
            Some(next) => self.state = State::Tail(next),
            None => {
                input.goto(tail.resume)?;
                self.state = State::Tags;
            }
        }
        Ok(Step::Again)
    }
}
