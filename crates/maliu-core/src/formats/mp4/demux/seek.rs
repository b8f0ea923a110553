//! Going to a time: by the tables, or from fragment to fragment.
//!
//! The first video track leads (else the first audio track): it goes on at the last key presented at or before the time.
//! The other tracks go on at the sample that holds the time of that key.

use crate::{
    error::{Error, Result},
    format::Event,
    input::Input,
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
    /// By play: the last fragment that begins at or before the time.
    places: alloc::vec::Vec<Option<u64>>,
    /// Key of the leading track: decoding and presentation time in its ticks.
    key: Option<(i64, i64)>,
    /// Fragments were followed from here; nothing is known of those in front.
    from: u64,
    /// It was tried from the first fragment.
    whole: bool,
}

impl Mp4 {
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
        let known = self.fragments.places.before(time).map(|(_, at)| at);
        let indexed = self.fragments.indexes.iter().filter_map(|index| {
            let ticks = TimeBase::MICROS.rescale(time, TimeBase::hz(index.timescale), Rounding::Down);
            index.before(u64::try_from(ticks.0).unwrap_or(0)).map(|(_, at)| at)
        });
        let access = self.accessible(time);
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
        let places = alloc::vec![None; self.plays.len()];
        self.fragments.seek = Some(Search { time, places, key: None, from, whole });
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
            if first.dts <= time || search.places.get(index).is_some_and(Option::is_none) {
                let holds = Some(index) != leader || play.kind != Kind::Video;
                if Some(index) == leader
                    && let Some(key) = play.key_in_pieces(time)
                {
                    search.key = Some(key);
                    if let Some(place) = search.places.get_mut(index) {
                        *place = Some(at);
                    }
                } else if holds && let Some(place) = search.places.get_mut(index) {
                    *place = Some(at);
                }
            } else if Some(index) == leader {
                behind = true;
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
        let from = search.places.iter().flatten().min().copied();
        // Fragments of other tracks for the same time may stand in front of the leader's.
        self.walker.jump(if search.key.is_some() { from.unwrap_or(search.from) } else { first });
        self.state = State::Walk;
        Ok(true)
    }
}
