//! The items that a stream keeps: the group that runs and the one before, and the configuration of every track.

use alloc::{collections::VecDeque, sync::Arc, vec::Vec};
use core::time::Duration;

use bytes::Bytes;

use super::item::{Item, Kind, Slot};
use crate::account::Weigh;

/// Most configurations that are kept.
pub const MAX_CONFIGS: usize = 64;

/// Most bytes of memory of configurations that are kept.
pub const MAX_CONFIG_BYTES: usize = 1 << 20;

/// Bounds of a ring.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// Media that is kept at most.
    pub time: Duration,
    /// Media that is kept at least, within the other limits: viewers may be this far behind.
    pub kept: Duration,
    /// Bytes of memory of items that are kept at most: of their bodies, and a fixed cost for each.
    pub bytes: usize,
    /// Items that are kept at most.
    pub items: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { time: Duration::from_secs(20), kept: Duration::from_secs(5), bytes: 32 << 20, items: 1 << 16 }
    }
}

/// The newest items of a stream.
#[derive(Debug)]
pub struct Ring<F = ()> {
    limits: Limits,
    items: VecDeque<Arc<Item<F>>>,
    next: u64,
    bytes: usize,
    /// Sequence numbers of keyframes that are here.
    keys: VecDeque<u64>,
    configs: Vec<Config<F>>,
    config_bytes: usize,
    latest: i64,
    /// Times of the last video and the last audio.
    seen: [Option<i64>; 2],
}

/// The configuration of a slot, and the one before.
#[derive(Debug)]
struct Config<F> {
    slot: Slot,
    last: Arc<Item<F>>,
    before: Option<Arc<Item<F>>>,
}

impl<F> Ring<F> {
    /// An empty ring.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            items: VecDeque::new(),
            next: 0,
            bytes: 0,
            keys: VecDeque::new(),
            configs: Vec::new(),
            config_bytes: 0,
            latest: 0,
            seen: [None; 2],
        }
    }

    /// Appends an item, and drops those that are too old.
    pub(super) fn push(&mut self, mut item: Item<F>) -> Arc<Item<F>> {
        item.seq = self.next;
        self.next += 1;
        self.latest = if self.items.is_empty() { item.time } else { self.latest.max(item.time) };
        match item.kind {
            Kind::Key | Kind::Inter => self.seen[0] = Some(item.time),
            Kind::Sound => self.seen[1] = Some(item.time),
            Kind::Config | Kind::Data => {}
        }
        if item.kind == Kind::Key {
            self.keys.push_back(item.seq);
        }
        if item.slot.is_some() {
            // It is kept for long, and is not to keep the buffer that it was read into.
            item.tag.body = Bytes::copy_from_slice(&item.tag.body);
        }
        self.bytes = self.bytes.saturating_add(item.weight());
        let item = Arc::new(item);
        self.items.push_back(Arc::clone(&item));
        if let Some(slot) = item.slot {
            self.keep(slot, &item);
        }
        self.trim();
        item
    }

    /// Sets the bytes that are kept at most.
    pub(super) fn limit(&mut self, bytes: usize) {
        self.limits.bytes = bytes;
        self.trim();
    }

    fn keep(&mut self, slot: Slot, item: &Arc<Item<F>>) {
        let old = self.configs.iter().position(|config| config.slot == slot);
        let removed = old.map(|index| self.configs.swap_remove(index));
        let weigh = |item: &Arc<Item<F>>| item.weight();
        let mut before = None;
        if let Some(Config { last, before: older, .. }) = removed {
            self.config_bytes -= weigh(&last) + older.as_ref().map_or(0, weigh);
            // The one that was in force at the last keyframe.
            let key = self.keys.back().copied().unwrap_or(0);
            before = if last.seq < key { Some(last) } else { older.or(Some(last)) };
        }
        let bytes = weigh(item) + before.as_ref().map_or(0, weigh);
        if self.configs.len() < MAX_CONFIGS && self.config_bytes + bytes <= MAX_CONFIG_BYTES {
            self.config_bytes += bytes;
            self.configs.push(Config { slot, last: Arc::clone(item), before });
        }
    }

    fn trim(&mut self) {
        let millis = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        let (most, least) = (millis(self.limits.time), millis(self.limits.kept));
        while let Some(front) = self.items.front() {
            let age = self.latest.saturating_sub(front.time);
            // Two groups: the last key and the one before it.
            let wanted = self.keys.len().checked_sub(2).and_then(|index| self.keys.get(index)).or(self.keys.front());
            let old = age > least && wanted.is_none_or(|key| front.seq < *key);
            let over = self.bytes > self.limits.bytes || self.items.len() > self.limits.items || age > most;
            if !(old || over) || self.items.len() == 1 {
                return;
            }
            self.bytes = self.bytes.saturating_sub(front.weight());
            if self.keys.front() == Some(&front.seq) {
                self.keys.pop_front();
            }
            self.items.pop_front();
        }
    }

    /// The item of this number, if it is still here, or already.
    pub fn at(&self, seq: u64) -> Option<&Arc<Item<F>>> {
        self.items.get(usize::try_from(seq.checked_sub(self.first())?).ok()?)
    }

    /// Number of the oldest item.
    pub fn first(&self) -> u64 {
        self.next.saturating_sub(self.items.len() as u64)
    }

    /// Number of the item that comes next.
    pub fn end(&self) -> u64 {
        self.next
    }

    /// Number of the last keyframe.
    pub fn key(&self) -> Option<u64> {
        self.keys.back().copied()
    }

    /// Number of the oldest keyframe.
    pub(super) fn first_key(&self) -> Option<u64> {
        self.keys.front().copied()
    }

    /// The latest time, in ms.
    pub fn latest(&self) -> i64 {
        self.latest
    }

    /// Bytes of memory of the items that are here, configurations included.
    pub fn bytes(&self) -> usize {
        self.bytes.saturating_add(self.config_bytes)
    }

    /// Whether video, and audio, came within the last 3 s of media.
    pub fn has(&self) -> (bool, bool) {
        let [video, audio] = self.seen.map(|time| time.is_some_and(|time| self.latest.saturating_sub(time) <= RECENT));
        (video, audio)
    }

    /// The configurations in force at item `seq`, metadata first.
    pub fn configs(&self, seq: u64) -> Vec<Arc<Item<F>>> {
        let force = |config: &Config<F>| {
            let last = (config.last.seq < seq).then(|| Arc::clone(&config.last));
            last.or_else(|| config.before.clone().filter(|before| before.seq < seq))
        };
        let mut configs: Vec<Arc<Item<F>>> = self.configs.iter().filter_map(force).collect();
        configs.sort_by_key(|item| (item.slot.is_some_and(|slot| !slot.is_metadata()), item.seq));
        configs
    }

    /// Forgets configurations that stand before item `seq`: those of a publisher that has gone.
    pub(super) fn forget_configs_before(&mut self, seq: u64) {
        self.configs.retain(|config| config.last.seq >= seq);
        let weigh = |item: &Arc<Item<F>>| item.weight();
        self.config_bytes =
            self.configs.iter().map(|config| weigh(&config.last) + config.before.as_ref().map_or(0, weigh)).sum();
    }
}

/// Media, in ms, that counts as recent.
const RECENT: i64 = 3000;
