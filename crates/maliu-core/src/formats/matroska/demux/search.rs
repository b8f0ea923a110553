//! A seek under way: which cluster to begin with, and the last key before the time.

use crate::{
    error::Result,
    input::Input,
    syntax::ebml::{self, Elements, Found, Head, ids},
    time::Ticks,
};

use super::super::facts;
use super::{Matroska, Step, lost};

/// A seek.
#[derive(Clone, Debug)]
pub(super) struct Search {
    pub leader: usize,
    /// Nanoseconds.
    pub time: i64,
    pub phase: Phase,
    /// The last key at or before the time.
    pub key: Option<Key>,
    /// How far before the time it was looked for, in nanoseconds.
    before: i64,
    /// Clusters were followed from the first one.
    whole: bool,
}

/// Where a key stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    pub cluster: u64,
    pub block: u64,
    /// Nanoseconds.
    pub time: i64,
}

/// The step that a seek is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Reads the index.
    Cues,
    /// Looks at the first cluster behind the middle of these offsets: one before the time, one behind it.
    Halve(u64, u64),
    /// Follows the clusters.
    Scan,
}

impl Search {
    pub(super) fn new(leader: usize, time: i64) -> Self {
        Self { leader, time, phase: Phase::Scan, key: None, before: 0, whole: false }
    }
}

/// Halving ends where so few bytes are left.
const NEAR: u64 = 128 << 10;

impl Matroska {
    /// The step of a search that reads no blocks.
    pub(super) fn search_step(&mut self, input: &mut Input) -> Result<Option<Step>> {
        let Some(search) = &self.search else { return Ok(None) };
        match search.phase {
            Phase::Scan => Ok(None),
            Phase::Cues => self.read_cues(input).map(Some),
            Phase::Halve(low, high) => self.halve(low, high, input).map(Some),
        }
    }

    fn read_cues(&mut self, input: &mut Input) -> Result<Step> {
        let found = match ebml::head(input.peek()) {
            Found::Short if !input.ended() => return Ok(Step::More),
            Found::Head(Head { id: ids::CUES, size: Some(size), length }) if size <= super::MAX_MASTER => {
                let all = length.saturating_add(size as usize);
                match input.peek().get(length..all) {
                    Some(body) => facts::cues(body),
                    None if !input.ended() => return Ok(Step::More),
                    None => input.peek().get(length..).map(facts::cues).unwrap_or_default(),
                }
            }
            _ => alloc::vec::Vec::new(),
        };
        self.cues = Some(found);
        self.choose(input)?;
        Ok(Step::On)
    }

    /// Chooses where to begin: at a cluster that holds a time before the wanted one.
    pub(super) fn choose(&mut self, input: &mut Input) -> Result<()> {
        let first = self.first_cluster.unwrap_or(0);
        let Some(search) = &mut self.search else { return Ok(()) };
        let time = search.time.saturating_sub(search.before);
        let scale = i64::try_from(self.info.scale).unwrap_or(1).max(1);
        let ticks = u64::try_from(time.div_euclid(scale)).unwrap_or(0);
        let number = self.tracks.get(search.leader).map_or(0, |track| track.number);
        let start = self.segments.first().map_or(0, |segment| segment.start);
        let cues = self.cues.as_deref().unwrap_or_default();
        let own = cues.iter().filter(|cue| cue.time <= ticks && cue.track == number).max_by_key(|cue| cue.time);
        let cue = own.or_else(|| cues.iter().filter(|cue| cue.time <= ticks).max_by_key(|cue| cue.time));
        let from = match cue {
            Some(cue) => start.saturating_add(cue.cluster).max(first),
            None if !cues.is_empty() => first,
            None => {
                let known = self.index.before(Ticks(time)).map_or(first, |(_, at)| at).max(first);
                match input.size().filter(|size| size.saturating_sub(known) > NEAR) {
                    Some(size) if self.index.is_last(known) => {
                        search.phase = Phase::Halve(known, size);
                        let middle = known + (size - known) / 2;
                        return input.goto(middle);
                    }
                    _ => known,
                }
            }
        };
        self.scan(from, input)
    }

    fn scan(&mut self, from: u64, input: &mut Input) -> Result<()> {
        let first = self.first_cluster.unwrap_or(0);
        if let Some(search) = &mut self.search {
            (search.phase, search.key, search.whole) = (Phase::Scan, None, from <= first);
        }
        self.stand(from, input)
    }

    /// Looks for a cluster at the offset of the input, and halves what is between.
    fn halve(&mut self, low: u64, high: u64, input: &mut Input) -> Result<Step> {
        let mut at = 0;
        let (bytes, ended) = (input.peek(), input.ended());
        let found = loop {
            let rest = bytes.get(at..).unwrap_or_default();
            let past = input.offset().saturating_add(at as u64) >= high;
            if past || (rest.len() < HEAD && ended) {
                break None;
            }
            if rest.len() < HEAD {
                input.skip(at);
                return Ok(Step::More);
            }
            if lost::begins(rest) == Some(true)
                && let Some(time) = cluster_time(rest)
            {
                break Some((input.offset().saturating_add(at as u64), time));
            }
            at += 1;
        };
        let scale = i64::try_from(self.info.scale).unwrap_or(1);
        let Some(search) = &mut self.search else { return Ok(Step::On) };
        let wanted = search.time.saturating_sub(search.before);
        let middle = low + high.saturating_sub(low) / 2;
        let (low, high) = match found {
            Some((at, time)) if i64::try_from(time).unwrap_or(i64::MAX).saturating_mul(scale) <= wanted => (at, high),
            _ => (low, middle),
        };
        if high.saturating_sub(low) <= NEAR {
            self.scan(low, input)?;
        } else {
            search.phase = Phase::Halve(low, high);
            input.goto(low + (high - low) / 2)?;
        }
        Ok(Step::On)
    }

    /// A block of a stream begins at `at`, while a search goes on. Returns whether it is not to be given.
    pub(super) fn look(&mut self, stream: usize, time: i64, key: bool, at: u64, input: &mut Input) -> bool {
        let nanos = self.nanos(stream, time);
        let cluster = self.cluster.0;
        let Some(search) = &mut self.search else { return false };
        if stream != search.leader {
            return true;
        }
        if nanos <= search.time && key {
            search.key = Some(Key { cluster, block: at, time: nanos });
        }
        if nanos > search.time {
            // An input that cannot go there fails again at the next step.
            let _ = self.settle(input);
        }
        true
    }

    /// Ends a scan: goes on at the key that was found, or looks further in front. Returns whether there was one.
    pub(super) fn settle(&mut self, input: &mut Input) -> Result<bool> {
        let Some(mut search) = self.search.take() else { return Ok(false) };
        if search.phase != Phase::Scan {
            search.phase = Phase::Scan;
            self.search = Some(search);
            self.scan(self.first_cluster.unwrap_or(0), input)?;
            return Ok(true);
        }
        if search.key.is_none() && !search.whole {
            search.before = search.before.saturating_mul(2).max(STEP_BACK);
            self.search = Some(search);
            self.choose(input)?;
            return Ok(true);
        }
        self.go_on(&search, input)?;
        Ok(true)
    }
}

/// Bytes in which the time of a cluster must be found.
const HEAD: usize = 128;

/// How far in front of the time a key is looked for next, in nanoseconds.
const STEP_BACK: i64 = 5_000_000_000;

/// The time of the cluster that begins here.
fn cluster_time(bytes: &[u8]) -> Option<u64> {
    let Found::Head(head) = ebml::head(bytes) else { return None };
    if head.id != ids::CLUSTER {
        return None;
    }
    Elements::new(bytes.get(head.length..)?).body_of(ids::TIMESTAMP).map(ebml::unsigned)
}
