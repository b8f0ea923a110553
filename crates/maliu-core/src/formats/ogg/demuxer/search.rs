//! Going to a time: bisecting by the positions of pages, a walk that finds the last keyframe, and one that leaves out what
//! stands before it.
//!
//! ```text
//!   Bisect ─▶ Walk: the last keyframe at or before the target ─▶ Bisect to well before it ─▶ Land: packets from it on
//!                │ none: from further back                          │ a stream begins behind it: from further back
//! ```

use core::task::Poll;

use super::{super::logical::Logical, Ogg};
use crate::{
    error::{Error, Result},
    format::Event,
    input::Input,
    packet::Packet,
    stream::Kind,
    syntax::ogg::{self, CAPTURE, Front, MAX_PAGE},
    time::{Rounding, Ticks, TimeBase},
};

/// Bytes between two places below which bisecting ends.
const NEAR: u64 = 2 * MAX_PAGE as u64;

/// Most bytes that are looked through for a page of the stream.
const MAX_LOOK: usize = 1 << 20;

/// µs before a time at which a walk begins at first.
const LEAD: i64 = 2_000_000;

/// A search under way. Times are in µs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Search {
    target: i64,
    /// How far before the goal the walk begins.
    lead: i64,
    /// The stream by which is sought.
    stream: usize,
    /// The last keyframe at or before the target, as far as it was met.
    key: Option<i64>,
    step: Step,
    /// Streams that a landing has met, as bits.
    met: u64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    Bisect { low: u64, high: u64, middle: u64, lands: bool },
    Walk,
    Land,
}

impl Ogg {
    pub(super) fn start_seek(&mut self, to: Ticks, base: TimeBase, input: &mut Input) -> Result<()> {
        let Some(first) = self.data.or(self.first) else {
            return Err(Error::unsupported("ogg: seeking before the first packet"));
        };
        if !input.is_seekable() {
            return Err(Error::NotSeekable { wanted: first, oldest: input.offset() });
        }
        let of_kind = |kind| {
            self.known.iter().position(|known| known.info.as_ref().is_some_and(|info| info.media.kind() == kind))
        };
        let stream = of_kind(Kind::Video).or_else(|| of_kind(Kind::Audio)).unwrap_or(0);
        let target = base.rescale(to, TimeBase::MICROS, Rounding::Down).0.max(0);
        let search = Search { target, lead: LEAD, stream, key: None, step: Step::Walk, met: 0 };
        self.queue.clear();
        self.approach(search, target, false, input)
    }

    /// Begins to go to `lead` before a time.
    fn approach(&mut self, mut search: Search, goal: i64, lands: bool, input: &mut Input) -> Result<()> {
        let (low, high) = (self.data.or(self.first).unwrap_or(0), input.size().unwrap_or(0));
        let linear = self.link > 0 || self.tail.is_foreign(self.logical.iter().map(|logical| logical.serial));
        if linear || goal <= search.lead || high <= low {
            return self.walk(search, low, linear, lands, input);
        }
        search.step = Step::Bisect { low, high, middle: low, lands };
        self.search = Some(search);
        self.halve(search, low, high, lands, input)
    }

    fn halve(&mut self, mut search: Search, low: u64, high: u64, lands: bool, input: &mut Input) -> Result<()> {
        if high.saturating_sub(low) < NEAR {
            return self.walk(search, low, false, lands, input);
        }
        let middle = low + (high - low) / 2;
        input.goto(middle)?;
        search.step = Step::Bisect { low, high, middle, lands };
        self.search = Some(search);
        Ok(())
    }

    /// Begins to read packets at an offset, or at the start of all links.
    fn walk(&mut self, mut search: Search, from: u64, linear: bool, lands: bool, input: &mut Input) -> Result<()> {
        let from = if linear { self.first.unwrap_or(from) } else { from };
        input.goto(from)?;
        self.pages.restart();
        self.moved = true;
        if linear {
            self.start_over();
        } else {
            self.logical.iter_mut().for_each(Logical::restart);
            if self.data.is_some_and(|data| from <= data) {
                self.logical.iter_mut().for_each(Logical::stand_at_start);
            }
        }
        search.step = if lands { Step::Land } else { Step::Walk };
        search.met = 0;
        self.search = Some(search);
        Ok(())
    }

    /// Goes on with a search. `None` when it has made a step, or is done.
    pub(super) fn seek_on(&mut self, input: &mut Input) -> Result<Option<Poll<Event>>> {
        let Some(search) = self.search else { return Ok(None) };
        if let Step::Bisect { low, high, middle, lands } = search.step {
            let goal = if lands { search.key.unwrap_or(search.target) } else { search.target };
            return match self.time_here(search.stream, input) {
                None => Ok(Some(Poll::Pending)),
                Some(Some((time, at))) if time <= goal.saturating_sub(search.lead) && at < high && at > low => {
                    self.halve(search, at, high, lands, input).map(|()| None)
                }
                Some(_) => self.halve(search, low, middle, lands, input).map(|()| None),
            };
        }
        let ended = match self.step(input)? {
            Some(Poll::Pending) => return Ok(Some(Poll::Pending)),
            Some(Poll::Ready(_)) => true,
            None => false,
        };
        match search.step {
            Step::Land => self.land(search, ended, input)?,
            _ => self.look(search, ended, input)?,
        }
        Ok(None)
    }

    /// The time behind the first page of the stream that stands here, and its offset. `None` when more bytes are needed.
    fn time_here(&self, stream: usize, input: &Input) -> Option<Option<(i64, u64)>> {
        let logical = self.logical.iter().find(|logical| logical.index == stream && logical.mapping.is_some())?;
        let (bytes, base) = (input.peek(), self.known.get(stream)?.base);
        let mut at = 0;
        while let Some(next) = bytes.get(at..).and_then(|rest| memchr::memmem::find(rest, CAPTURE)) {
            at += next;
            match ogg::front(bytes.get(at..).unwrap_or_default()) {
                Front::Page(page) => {
                    let time = page.granule.filter(|_| page.serial == logical.serial);
                    if let Some((granule, mapping)) = time.zip(logical.mapping.as_ref()) {
                        let time = base.rescale(mapping.time(granule), TimeBase::MICROS, Rounding::Near).0;
                        return Some(Some((time, input.offset().saturating_add(at as u64))));
                    }
                    at += page.length;
                }
                Front::More if !input.ended() => return None,
                _ => at += 1,
            }
        }
        if bytes.len() >= MAX_LOOK || input.ended() { Some(None) } else { None }
    }

    fn micros(&self, packet: &Packet) -> Option<(i64, i64)> {
        let base = self.known.get(packet.stream)?.base;
        let micros = |time| base.rescale(time, TimeBase::MICROS, Rounding::Near).0;
        let start = micros(packet.pts?);
        Some((start, start.saturating_add(packet.duration.map_or(0, micros))))
    }

    /// Looks for the last keyframe among the packets that were read.
    fn look(&mut self, mut search: Search, ended: bool, input: &mut Input) -> Result<()> {
        let mut past = ended;
        while let Some(event) = self.queue.pop_front() {
            let Event::Packet(packet) = event else { continue };
            let Some((time, _)) = self.micros(&packet).filter(|_| packet.stream == search.stream) else { continue };
            past |= time > search.target;
            if packet.is_key() && (time <= search.target || search.key.is_none() && self.is_at_start(search)) {
                search.key = Some(time);
            }
        }
        self.search = Some(search);
        match search.key {
            _ if !past => Ok(()),
            Some(key) => self.approach(Search { lead: LEAD, ..search }, key, true, input),
            None if self.is_at_start(search) => {
                // There is no keyframe: all of it from the start.
                self.approach(Search { key: Some(i64::MIN), ..search }, 0, true, input)
            }
            None => {
                search.lead = search.lead.saturating_mul(4);
                self.approach(search, search.target, false, input)
            }
        }
    }

    fn is_at_start(&self, search: Search) -> bool {
        search.lead >= search.target
    }

    /// Leaves out what ends before the keyframe, and goes further back when a stream begins behind it.
    fn land(&mut self, mut search: Search, ended: bool, input: &mut Input) -> Result<()> {
        let key = search.key.unwrap_or(search.target);
        let mut events = core::mem::take(&mut self.queue);
        let (mut found, mut late) = (false, false);
        events.retain(|event| {
            let Event::Packet(packet) = event else { return true };
            let Some((start, end)) = self.micros(packet) else { return false };
            let bit = 1u64 << (packet.stream & 63);
            late |= search.met & bit == 0 && start > key;
            search.met |= bit;
            let kept = if packet.stream == search.stream { start >= key } else { end > key };
            found |= kept && packet.stream == search.stream;
            kept
        });
        if late && search.lead < key {
            search.lead = search.lead.saturating_mul(4);
            return self.approach(search, key, true, input);
        }
        self.queue = events;
        // Other streams are filtered until the stream of the keyframe has come.
        self.search = (!found && !ended).then_some(search);
        Ok(())
    }
}
