//! A viewer's place in a ring: where it joins, what comes next, and what a slow one goes without.

use alloc::{collections::VecDeque, sync::Arc};
use core::time::Duration;

use super::{
    item::{Item, Kind},
    ring::Ring,
};

/// Where a viewer begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Join {
    /// At the last keyframe: video shows at once, and lies behind the live edge by as much as the group has run.
    #[default]
    Group,
    /// At the next keyframe: the least delay.
    Live,
    /// At the oldest keyframe that is kept: for a recording.
    First,
}

/// How far a viewer may fall behind, in media.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Policy {
    /// From here on video is left out up to the next keyframe.
    pub soft: Duration,
    /// From here on it jumps to the last keyframe, audio too.
    pub hard: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self { soft: Duration::from_secs(1), hard: Duration::from_secs(5) }
    }
}

/// The next thing for a viewer.
#[derive(Clone, Debug)]
pub enum Next<F = ()> {
    /// This item.
    Item(Arc<Item<F>>),
    /// This configuration, which came before: to be sent with the time of what follows, which is given.
    Config(Arc<Item<F>>, i64),
    /// Nothing yet.
    Wait,
}

/// A viewer's place.
#[derive(Debug)]
pub struct Cursor<F = ()> {
    policy: Policy,
    join: Join,
    place: Place,
    /// Configurations to be sent before anything else, and the time of what follows.
    configs: VecDeque<Arc<Item<F>>>,
    time: i64,
    /// It has been at the live edge since it joined or jumped: being behind is its own fault.
    current: bool,
    /// Video is left out up to the next keyframe.
    starved: bool,
    skipped: u64,
    jumps: u64,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    /// Nothing was sent.
    Outside,
    /// As [`Join::Live`] asks, this one or a later one is the first, if it is a keyframe.
    Expecting(u64),
    At(u64),
}

impl<F> Cursor<F> {
    /// A viewer that has got nothing yet.
    pub fn new(join: Join, policy: Policy) -> Self {
        Self {
            policy,
            join,
            place: Place::Outside,
            configs: VecDeque::new(),
            time: 0,
            current: false,
            starved: false,
            skipped: 0,
            jumps: 0,
        }
    }

    /// The next item for this viewer.
    pub fn next(&mut self, ring: &Ring<F>) -> Next<F> {
        if let Some(config) = self.configs.pop_front() {
            return Next::Config(config, self.time);
        }
        let seq = match self.place {
            Place::At(seq) => seq,
            _ => match self.enter(ring) {
                Some(seq) => seq,
                None => return Next::Wait,
            },
        };
        if let Some(config) = self.configs.pop_front() {
            return Next::Config(config, self.time);
        }
        self.advance(ring, seq)
    }

    /// Items that were left out since the start.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// How often it has jumped ahead.
    pub fn jumps(&self) -> u64 {
        self.jumps
    }

    /// How far behind the live edge it is, in ms of media; `None` before it has joined.
    pub fn behind(&self, ring: &Ring<F>) -> Option<i64> {
        let Place::At(seq) = self.place else { return None };
        Some(ring.at(seq).map_or(0, |item| ring.latest().saturating_sub(item.time)))
    }

    /// Joins if that can be done: at a keyframe, or without video at the live edge.
    fn enter(&mut self, ring: &Ring<F>) -> Option<u64> {
        let seq = match (self.join, self.place) {
            (Join::Group, _) => ring.key().or_else(|| soundless(ring))?,
            (Join::First, _) => ring.first_key().or_else(|| ring.has().1.then(|| ring.first()))?,
            (Join::Live, Place::Expecting(from)) => match ring.key() {
                Some(key) if key >= from => key,
                _ => soundless(ring).filter(|_| !ring.has().0)?,
            },
            (Join::Live, _) => {
                self.place = Place::Expecting(ring.end());
                return soundless(ring).filter(|_| !ring.has().0).inspect(|seq| self.land(ring, *seq));
            }
        };
        self.land(ring, seq);
        Some(seq)
    }

    /// Goes to an item, with the configurations in force there.
    fn land(&mut self, ring: &Ring<F>, seq: u64) {
        self.place = Place::At(seq);
        self.configs = ring.configs(seq).into();
        self.time = ring.at(seq).map_or(ring.latest(), |item| item.time);
        self.current = false;
        // Without a keyframe to start with, video waits for one.
        self.starved = ring.has().0 && ring.key() != Some(seq);
    }

    fn advance(&mut self, ring: &Ring<F>, mut seq: u64) -> Next<F> {
        let millis = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        loop {
            if seq >= ring.end() {
                (self.place, self.current) = (Place::At(seq), true);
                return Next::Wait;
            }
            let behind = ring.at(seq).map(|item| ring.latest().saturating_sub(item.time));
            let lost = behind.is_none_or(|behind| self.current && behind > millis(self.policy.hard));
            if lost {
                let to = ring.key().filter(|key| *key > seq).unwrap_or(ring.end());
                if behind.is_none() || to < ring.end() || !ring.has().0 {
                    self.skipped = self.skipped.saturating_add(to - seq);
                    self.jumps = self.jumps.saturating_add(1);
                    self.land(ring, to);
                    return match self.configs.pop_front() {
                        Some(config) => Next::Config(config, self.time),
                        None if to < ring.end() => self.advance(ring, to),
                        None => Next::Wait,
                    };
                }
            }
            let Some(item) = ring.at(seq) else { return Next::Wait };
            seq += 1;
            let late = self.current && behind.is_some_and(|behind| behind > millis(self.policy.soft));
            match item.kind {
                Kind::Key => self.starved = false,
                Kind::Inter if late || self.starved => {
                    self.starved = true;
                    self.skipped = self.skipped.saturating_add(1);
                    continue;
                }
                _ => {}
            }
            self.place = Place::At(seq);
            return Next::Item(Arc::clone(item));
        }
    }
}

/// Where a viewer of a stream without video joins: behind the last item, once there is audio.
fn soundless<F>(ring: &Ring<F>) -> Option<u64> {
    ring.has().1.then(|| ring.end().saturating_sub(1))
}
