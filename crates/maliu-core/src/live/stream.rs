//! One stream: who publishes it, who may take over, and how long it waits for a publisher that has gone.

use alloc::sync::Arc;
use core::time::Duration;

use super::{
    item::{Class, Item, Kind},
    ring::{Limits, Ring},
    timeline::Timeline,
};
use crate::wire::rtmp::Tag;

/// How long a publisher may send nothing before another one may take over.
pub const STALE: Duration = Duration::from_secs(2);

/// Media, in ms, after which a new publisher of a stream that had video is taken without a keyframe.
const PATIENCE: i64 = 3000;

/// Whether a second publisher may take over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Takeover {
    /// When the first has sent nothing for [`STALE`].
    #[default]
    Stale,
    /// Never.
    Never,
    /// At once.
    Always,
}

/// One publishing session of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Epoch(u64);

/// Another publisher is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("another publisher is sending this stream")]
pub struct Busy;

/// Another publisher has taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("another publisher has taken over this stream")]
pub struct Superseded;

/// A live stream. Times are spans since any fixed moment.
#[derive(Debug)]
pub struct Stream<F = ()> {
    ring: Ring<F>,
    timeline: Timeline,
    epoch: u64,
    /// When the publisher sent something last.
    publisher: Option<Duration>,
    /// When the last publisher left.
    left: Duration,
    entry: Entry,
}

/// Whether the items of the publisher are taken.
#[derive(Clone, Copy, Debug)]
enum Entry {
    /// All of them.
    Open,
    /// Media from the next keyframe on, or after some time: it went on for this long, from this time, without one.
    AtKey { since: Option<i64>, first: u64 },
}

impl<F: Default> Stream<F> {
    /// A stream that nothing was published to.
    pub fn new(limits: Limits) -> Self {
        Self {
            ring: Ring::new(limits),
            timeline: Timeline::new(),
            epoch: 0,
            publisher: None,
            left: Duration::ZERO,
            entry: Entry::Open,
        }
    }

    /// Begins to publish. An earlier publisher, if there is one, is superseded.
    ///
    /// # Errors
    /// [`Busy`], as the policy says.
    pub fn claim(&mut self, takeover: Takeover, now: Duration) -> Result<Epoch, Busy> {
        let stale = |heard: Duration| now.saturating_sub(heard) >= STALE;
        match (self.publisher, takeover) {
            (None, _) | (_, Takeover::Always) => {}
            (Some(heard), Takeover::Stale) if stale(heard) => {}
            _ => return Err(Busy),
        }
        self.epoch += 1;
        self.publisher = Some(now);
        self.timeline.restart();
        if self.ring.end() > 0 {
            self.entry = Entry::AtKey { since: None, first: self.ring.end() };
        }
        Ok(Epoch(self.epoch))
    }

    /// Takes a tag of a publisher; returns the item that it became, if it is one for viewers.
    ///
    /// # Errors
    /// [`Superseded`].
    pub fn push(&mut self, by: Epoch, tag: Tag, now: Duration) -> Result<Option<Arc<Item<F>>>, Superseded> {
        if by.0 != self.epoch {
            return Err(Superseded);
        }
        self.publisher = Some(now);
        let Some(Class { kind, extra, slot }) = Class::of(&tag) else { return Ok(None) };
        if !self.enters(kind, tag.time) {
            return Ok(None);
        }
        let time = self.timeline.place(tag.kind, tag.time);
        let tag = Tag { time: time as u32, ..tag };
        Ok(Some(self.ring.push(Item { seq: 0, kind, time, tag, extra, forms: F::default(), slot })))
    }

    /// Whether an item of a new publisher is taken.
    fn enters(&mut self, kind: Kind, raw: u32) -> bool {
        let Entry::AtKey { since, .. } = &mut self.entry else { return true };
        let had_video = self.ring.key().is_some();
        let raw = i64::from(raw);
        let waited = raw.saturating_sub(*since.get_or_insert(raw)) >= PATIENCE;
        match kind {
            Kind::Config => true,
            Kind::Key => self.open_from(),
            Kind::Sound | Kind::Inter | Kind::Data if had_video && !waited => false,
            _ => self.open_from(),
        }
    }

    /// Takes all from here on; configurations of the publisher before that were not renewed are forgotten.
    fn open_from(&mut self) -> bool {
        if let Entry::AtKey { first, .. } = self.entry {
            self.ring.forget_configs_before(first);
        }
        self.entry = Entry::Open;
        true
    }

    /// The publisher leaves; one that was superseded has left already.
    pub fn leave(&mut self, by: Epoch, now: Duration) {
        if by.0 == self.epoch && self.publisher.take().is_some() {
            self.left = now;
        }
    }

    /// Whether something is published.
    pub fn is_live(&self) -> bool {
        self.publisher.is_some()
    }

    /// Whether a publisher is the one that was let in last.
    pub fn is_current(&self, epoch: Epoch) -> bool {
        epoch.0 == self.epoch
    }

    /// Whether nothing was published for as long as viewers wait.
    pub fn is_over(&self, linger: Duration, now: Duration) -> bool {
        self.publisher.is_none() && now.saturating_sub(self.left) >= linger
    }

    /// Sets how many bytes of memory the items may take, as [`Limits::bytes`], and drops the oldest ones beyond.
    pub fn limit(&mut self, bytes: usize) {
        self.ring.limit(bytes);
    }

    /// The items for viewers.
    pub fn ring(&self) -> &Ring<F> {
        &self.ring
    }
}
