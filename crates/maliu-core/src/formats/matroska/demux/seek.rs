//! Going to a time: by the index, by clusters that were met, or by halving the file.

use alloc::{boxed::Box, vec::Vec};

use crate::{
    error::{Error, Result},
    format::Event,
    input::Input,
    packet::Packet,
    stream::Kind,
    syntax::ebml::ids,
    time::{Rounding, Ticks, TimeBase},
};

use super::{
    Level, Matroska,
    restart::Restart,
    search::{Phase, Search},
};

/// Packets that are left out until each stream has reached its place.
#[derive(Debug)]
pub(super) struct Wanted {
    leader: usize,
    /// Offset of the block at which the leading stream goes on.
    block: u64,
    /// Its time, in nanoseconds.
    time: i64,
    /// The time that was asked for, in nanoseconds, for a leader whose every packet is a key.
    holds: i64,
    /// Streams that have reached their place.
    reached: Vec<bool>,
}

impl Matroska {
    pub(super) fn seek_to(&mut self, to: Ticks, base: TimeBase, input: &mut Input) -> Result<()> {
        if !self.told {
            return Err(Error::unsupported("seeking before the tracks were read"));
        }
        if !input.is_seekable() {
            return Err(Error::NotSeekable { wanted: 0, oldest: input.offset() });
        }
        self.queue.retain(|event| !matches!(event, Event::Packet(_)));
        (self.lost, self.ended, self.visit) = (None, false, None);
        (self.wanted, self.restart) = (None, None);
        let Some(leader) = self.leader() else { return Ok(()) };
        let time = base.rescale(to, TimeBase::NANOS, Rounding::Down).0;
        let mut search = Search::new(leader, time);
        let index = self.seeks.iter().find(|(id, _)| *id == ids::CUES).map(|(_, place)| *place);
        match index.filter(|_| self.cues.is_none()) {
            Some(place) => {
                let start = self.segments.first().map_or(0, |segment| segment.start);
                search.phase = Phase::Cues;
                input.goto(start.saturating_add(place))?;
                self.search = Some(Box::new(search));
                Ok(())
            }
            None => {
                self.search = Some(Box::new(search));
                self.choose(input)
            }
        }
    }

    /// The stream that leads: the first video, else the first audio, else the first one.
    pub(super) fn leader(&self) -> Option<usize> {
        let of = |kind| self.tracks.iter().position(|track| track.info.media.kind() == kind);
        of(Kind::Video).or_else(|| of(Kind::Audio)).or((!self.tracks.is_empty()).then_some(0))
    }

    /// Stands at the cluster at `at`, inside a segment.
    pub(super) fn stand(&mut self, at: u64, input: &mut Input) -> Result<()> {
        self.lost = None;
        let segment = self.segments.iter().rev().find(|segment| segment.start <= at);
        let known = segment.is_some();
        self.levels.clear();
        if known {
            self.levels.push(Level { id: ids::SEGMENT, end: None });
        }
        self.cluster = (at, 0);
        let start = Some(at) == self.first_cluster;
        for track in &mut self.tracks {
            track.order.reset();
            track.delay_left = track.info.as_audio().filter(|_| start).map_or(0, |audio| audio.delay);
        }
        input.goto(at)
    }

    /// Packets go on here: at a block of the leading stream, from the cluster that holds it.
    pub(super) fn go_on(&mut self, search: &Search, input: &mut Input) -> Result<()> {
        let Some(key) = search.key else {
            return self.stand(self.first_cluster.unwrap_or(0), input);
        };
        let reached = alloc::vec![false; self.tracks.len()];
        let (leader, time) = (search.leader, key.time);
        self.wanted = Some(Box::new(Wanted { leader, block: key.block, time, holds: search.time, reached }));
        let depth = self.tracks.get(leader).and_then(|track| track.info.as_video()).map_or(0, |video| video.reorder);
        self.restart = (depth > 0).then(|| Box::new(Restart::new(leader, depth)));
        self.stand(key.cluster, input)
    }

    /// Whether a packet is to be given: not one in front of the place that a seek went to.
    pub(super) fn is_wanted(&mut self, packet: &Packet) -> bool {
        let Some(wanted) = &self.wanted else { return true };
        let stream = packet.stream;
        if wanted.reached.get(stream) == Some(&true) {
            return true;
        }
        let time = packet.pts.or(packet.dts).map_or(0, |time| time.0);
        let (start, lasts) = (self.nanos(stream, time), packet.duration.map_or(0, |duration| duration.0));
        let end = self.nanos(stream, time.saturating_add(lasts));
        let Some(wanted) = &mut self.wanted else { return true };
        let video = self.tracks.get(stream).is_some_and(|track| track.info.media.kind() == Kind::Video);
        let there = if stream == wanted.leader {
            let here = packet.position.is_some_and(|at| at >= wanted.block);
            here && (video || end > wanted.holds || start >= wanted.holds)
        } else {
            (end > wanted.time || start >= wanted.time) && packet.is_key()
        };
        if there && let Some(reached) = wanted.reached.get_mut(stream) {
            *reached = true;
        }
        if wanted.reached.iter().all(|reached| *reached) {
            self.wanted = None;
        }
        there
    }
}
