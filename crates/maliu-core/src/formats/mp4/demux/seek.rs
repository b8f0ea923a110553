//! Going to a time: by the tables, or from fragment to fragment.
//!
//! The first video track leads (else the first audio track): it goes on at the last key presented at or before the time.
//! The other tracks go on at the sample that holds the time of that key.

use alloc::collections::VecDeque;

use crate::{
    error::{Error, Result},
    format::Event,
    input::Input,
    packet::Packet,
    stream::Kind,
    time::{Rounding, Ticks, TimeBase},
};

use super::{
    super::play::{Play, Wanted},
    Mp4, State,
};

/// A seek that goes from fragment to fragment.
#[derive(Clone, Debug)]
pub(in super::super) struct Search {
    /// µs.
    time: Ticks,
    /// By play, but for the leading one: the last fragments that begin at or before the time, as decoding times and offsets.
    places: alloc::vec::Vec<VecDeque<(i64, u64)>>,
    /// Key of the leading track: decoding and presentation time in its ticks; the offset of its fragment.
    key: Option<(i64, i64)>,
    place: Option<u64>,
    /// Fragments were followed from here; nothing is known of those in front.
    from: u64,
    /// It was tried from the first fragment.
    whole: bool,
}

/// Most fragments of a track that are remembered during a seek: the one that holds the time of the keyframe is among them.
const MAX_PLACES: usize = 64;

/// µs by which the search begins in front of the time: samples of other tracks that hold the time of a keyframe may stand
/// in fragments in front of its own.
const LEAD: Ticks = Ticks(250_000);

/// A seek whose first packet of the leading track has not come: it must be a keyframe. Where the bitstream denies what the
/// container says, the seek goes on further in front.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Landing {
    /// How often it may still go on.
    tries: u8,
    /// When the last packet that was none is presented.
    last: Option<Ticks>,
    /// Where to go on, in the ticks of the leading track.
    back: Option<(Ticks, TimeBase)>,
}

/// Most packets that a seek passes over because they are not keyframes.
const MAX_TRIES: u8 = 100;

/// Most events that wait for the first packet of the leading track.
const MAX_HELD: usize = 4096;

impl Mp4 {
    /// Goes to a time, at a keyframe that is one.
    pub(super) fn start_seek(&mut self, to: Ticks, base: TimeBase, input: &mut Input) -> Result<()> {
        let judged = self.leader().and_then(|leader| self.plays.get(leader)).is_some_and(Play::judges_keys);
        self.landing = None;
        self.seek_to(to, base, input)?;
        self.landing = judged.then_some(Landing { tries: MAX_TRIES, last: None, back: None });
        Ok(())
    }

    /// A packet was read: behind a seek the first one of the leading track decides whether the seek goes on.
    pub(super) fn landed(&mut self, index: usize, packet: &Packet) {
        let Some(landing) = self.landing.filter(|_| self.leader() == Some(index)) else { return };
        let goes_on = !packet.is_key() && landing.tries > 0 && landing.last != packet.pts;
        let base = self.plays.get(index).map(|play| play.base);
        self.landing = packet.pts.zip(base).filter(|_| goes_on).map(|(time, base)| Landing {
            tries: landing.tries - 1,
            last: Some(time),
            back: Some((time - Ticks(1), base)),
        });
    }

    /// The next event that can be given; goes on with a seek that has not met a keyframe.
    pub(super) fn next_event(&mut self, input: &mut Input) -> Result<Option<Event>> {
        if let Some(landing) = &mut self.landing {
            if let Some((time, base)) = landing.back.take() {
                self.seek_to(time, base, input)?;
                return Ok(None);
            }
            if self.state != State::End && self.queue.len() < MAX_HELD {
                return Ok(None);
            }
            self.landing = None;
        }
        Ok(self.queue.pop_front())
    }

    pub(super) fn seek_to(&mut self, to: Ticks, base: TimeBase, input: &mut Input) -> Result<()> {
        if !self.told || matches!(self.state, State::Chapters) {
            return Err(Error::unsupported("seeking before the moov box was read"));
        }
        if !input.is_seekable() {
            return Err(Error::NotSeekable { wanted: 0, oldest: input.offset() });
        }
        self.queue.retain(|event| !matches!(event, Event::Packet(_)));
        self.fragments.seek = None;
        let Some(leader) = self.leader() else { return Ok(()) };
        let fragments = self.fragments.met() || !self.movie.defaults.is_empty();
        if fragments && self.in_fragments(leader, to, base) {
            return self.search(to, base, input);
        }
        let mut reach = (to, base);
        if let Some(play) = self.plays.get_mut(leader) {
            play.clear_pieces();
            let time = base.rescale(to, play.base, Rounding::Down).0;
            if let Some((_, pts)) = play.seek(time, play.kind == Kind::Video) {
                reach = (Ticks(pts.min(time)), play.base);
            }
        }
        for (index, play) in self.plays.iter_mut().enumerate().filter(|(index, _)| *index != leader) {
            let _ = index;
            play.clear_pieces();
            let time = reach.1.rescale(reach.0, play.base, Rounding::Down).0;
            play.seek(time, play.kind == Kind::Video);
        }
        if let Some(first) = self.fragments.first {
            self.walker.jump(first);
        }
        self.state = State::Play(u64::MAX);
        Ok(())
    }

    /// The track that leads: the first video, else the first audio, else the first one.
    fn leader(&self) -> Option<usize> {
        let plays = || self.plays.iter().enumerate();
        let playable = |play: &Play| play.has_tables() || !self.movie.defaults.is_empty();
        let of = |kind| plays().find(|(_, play)| play.kind == kind && playable(play)).map(|(index, _)| index);
        of(Kind::Video).or_else(|| of(Kind::Audio)).or((!self.plays.is_empty()).then_some(0))
    }

    /// Whether the time lies behind the tables of the leading track.
    fn in_fragments(&self, leader: usize, to: Ticks, base: TimeBase) -> bool {
        self.plays.get(leader).is_some_and(|play| {
            !play.has_tables() || TimeBase::compare(to, base, Ticks(play.tables_end()), play.base).is_ge()
        })
    }

    pub(super) fn search(&mut self, to: Ticks, base: TimeBase, input: &Input) -> Result<()> {
        if self.fragments.indexes.is_empty() && self.looks_for_access(to, base, input) {
            return Ok(());
        }
        let time = base.rescale(to, TimeBase::MICROS, Rounding::Down);
        let early = time - LEAD;
        let known = self.fragments.places.before(early).map(|(_, at)| at);
        let indexed = self.fragments.indexes.iter().filter_map(|index| {
            let ticks = TimeBase::MICROS.rescale(early, TimeBase::hz(index.timescale), Rounding::Down);
            index.before(u64::try_from(ticks.0).unwrap_or(0)).map(|(_, at)| at)
        });
        let access = self.accessible(early);
        // Where none was met, all lie ahead of the walker.
        let first = *self.fragments.first.get_or_insert(self.walker.at);
        let from = indexed.chain(known).chain(access).max().unwrap_or(first).max(first);
        self.search_from(time, from, from == first);
        Ok(())
    }

    fn search_from(&mut self, time: Ticks, from: u64, whole: bool) {
        for play in &mut self.plays {
            play.leave_tables();
            play.clear_pieces();
            play.wanted = None;
        }
        let places = alloc::vec![VecDeque::new(); self.plays.len()];
        self.fragments.seek = Some(Search { time, places, key: None, place: None, from, whole });
        self.walker.jump(from);
        self.state = State::Walk;
    }

    /// A fragment was met while searching: whether it lies behind the time.
    pub(super) fn look_at_fragment(&mut self, at: u64, input: &mut Input) -> Result<()> {
        let leader = self.leader();
        let Some(search) = &mut self.fragments.seek else { return Ok(()) };
        let mut behind = false;
        for (index, play) in self.plays.iter_mut().enumerate() {
            let time = TimeBase::MICROS.rescale(search.time, play.base, Rounding::Down).0;
            let Some(first) = play.peek().map(|next| next.sample) else { continue };
            if Some(index) == leader {
                if let Some(key) = play.key_in_pieces(time) {
                    (search.key, search.place) = (Some(key), Some(at));
                }
                behind = first.dts > time;
            } else if let Some(places) = search.places.get_mut(index)
                && (first.dts <= time || places.is_empty())
            {
                if places.len() >= MAX_PLACES {
                    places.pop_front();
                }
                places.push_back((first.dts, at));
            }
            let end = play.end;
            play.clear_pieces();
            play.end = end;
        }
        if behind {
            self.settle_seek(input)?;
        }
        Ok(())
    }

    /// Ends a search: plays from the fragments that were found. Returns whether there was one.
    pub(super) fn settle_seek(&mut self, _input: &mut Input) -> Result<bool> {
        let Some(search) = self.fragments.seek.take() else { return Ok(false) };
        self.fragments.forget_last();
        let leader = self.leader();
        let first = self.fragments.first.unwrap_or(0);
        if search.key.is_none() && !search.whole {
            self.search_from(search.time, first, true);
            return Ok(true);
        }
        let mut reach = (search.time, TimeBase::MICROS);
        if let (Some((_, pts)), Some(play)) = (search.key, leader.and_then(|leader| self.plays.get(leader))) {
            let time = TimeBase::MICROS.rescale(search.time, play.base, Rounding::Down).0;
            reach = (Ticks(pts.min(time)), play.base);
        }
        for (index, play) in self.plays.iter_mut().enumerate() {
            play.clear_pieces();
            let time = reach.1.rescale(reach.0, play.base, Rounding::Down).0;
            play.wanted = match search.key {
                Some((dts, _)) if Some(index) == leader => Some(Wanted::Decoded(dts)),
                _ => Some(Wanted::Holds(time)),
            };
        }
        // Of each other track the last fragment that begins before the key, or the first that was met.
        let others = search.places.iter().zip(&self.plays).filter_map(|(places, play)| {
            let time = reach.1.rescale(reach.0, play.base, Rounding::Down).0;
            places.iter().rev().find(|(dts, _)| *dts <= time).or(places.front()).map(|(_, at)| *at)
        });
        let from = others.chain(search.place).min().unwrap_or(search.from);
        self.walker.jump(if search.key.is_some() { from } else { first });
        self.state = State::Walk;
        Ok(true)
    }
}
