//! One stream of the relay: the stream itself, and a bell that wakes its viewers.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::Waker,
    time::{Duration, Instant},
};

use maliu::{
    hls::Container,
    live::{Busy, Epoch, Limits, Stream, Superseded, Takeover},
    wire::rtmp::Tag,
};

use crate::{hls::Live, metrics::Protocol, name::Name};

/// A stream of the relay.
#[derive(Debug)]
pub(crate) struct Channel {
    /// Its name.
    pub(crate) name: Name,
    inner: Mutex<Inner>,
    ended: AtomicBool,
    /// There is something new that viewers were not woken for.
    unheard: AtomicBool,
    viewers: [AtomicUsize; Protocol::ALL.len()],
    /// It is recorded and pushed, where the settings say so.
    pub(crate) followed: AtomicBool,
    /// It is fetched from another server.
    pub(crate) pulled: AtomicBool,
    /// Its segments for HLS, by container.
    segments: Mutex<Vec<Arc<Live>>>,
    begun: Instant,
}

/// A stream and those who wait for it.
#[derive(Debug)]
pub(crate) struct Inner {
    /// The stream.
    pub(crate) stream: Stream,
    /// Viewers that have got all there is.
    pub(crate) bell: Bell,
}

impl Channel {
    /// A channel that nothing was published to.
    pub(crate) fn new(name: Name, limits: Limits, begun: Instant) -> Self {
        let inner = Inner { stream: Stream::new(limits), bell: Bell::default() };
        Self {
            name,
            inner: Mutex::new(inner),
            ended: AtomicBool::new(false),
            unheard: AtomicBool::new(false),
            viewers: Default::default(),
            followed: AtomicBool::new(false),
            pulled: AtomicBool::new(false),
            segments: Mutex::default(),
            begun,
        }
    }

    /// The stream and its bell. They are never held across a wait.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to publish.
    ///
    /// # Errors
    /// As [`Stream::claim`].
    pub(crate) fn claim(&self, takeover: Takeover) -> Result<Epoch, Busy> {
        self.lock().stream.claim(takeover, self.begun.elapsed())
    }

    /// Takes a tag of a publisher, and wakes the viewers unless they are to be woken later.
    ///
    /// # Errors
    /// As [`Stream::push`].
    pub(crate) fn push(&self, by: Epoch, tag: Tag, at_once: bool) -> Result<(), Superseded> {
        let mut inner = self.lock();
        if inner.stream.push(by, tag, self.begun.elapsed())?.is_none() {
            return Ok(());
        }
        if !at_once {
            self.unheard.store(true, Ordering::Relaxed);
            return Ok(());
        }
        let waiting = inner.bell.ring();
        drop(inner);
        wake(waiting);
        Ok(())
    }

    /// Wakes the viewers if there is something new.
    pub(crate) fn ring(&self) {
        if self.unheard.swap(false, Ordering::Relaxed) {
            self.ring_for_all();
        }
    }

    fn ring_for_all(&self) {
        let waiting = self.lock().bell.ring();
        wake(waiting);
    }

    /// The publisher leaves.
    pub(crate) fn leave(&self, by: Epoch) {
        self.lock().stream.leave(by, self.begun.elapsed());
    }

    /// Ends the channel if no publisher came back within `linger`; returns whether it has ended.
    pub(crate) fn end_if_over(&self, linger: Duration) -> bool {
        if self.lock().stream.is_over(linger, self.begun.elapsed()) {
            self.end();
        }
        self.has_ended()
    }

    /// Nothing follows.
    pub(crate) fn end(&self) {
        self.ended.store(true, Ordering::Release);
        self.ring_for_all();
    }

    /// Whether nothing follows.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// Whether there is something to watch: it is published, or was a moment ago.
    pub(crate) fn has_begun(&self) -> bool {
        let inner = self.lock();
        inner.stream.is_live() || inner.stream.ring().end() > 0
    }

    /// Whether there is a viewer.
    pub(crate) fn is_watched(&self) -> bool {
        let asked = self.segments().iter().any(|live| live.is_watched());
        asked || self.viewers.iter().any(|count| count.load(Ordering::Relaxed) > 0)
    }

    fn segments(&self) -> MutexGuard<'_, Vec<Arc<Live>>> {
        self.segments.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its segments in a container, if they are made.
    pub(crate) fn hls(&self, container: Container) -> Option<Arc<Live>> {
        self.segments().iter().find(|live| live.container == container).cloned()
    }

    /// Its segments that this key is for.
    pub(crate) fn hls_with_key(&self, name: &str) -> Option<Arc<Live>> {
        self.segments().iter().find(|live| live.key(name).is_some()).cloned()
    }

    /// Its segments in a container, and whether they are new: what `make` made. Those that ended are made anew after a while.
    pub(crate) fn hls_or(
        &self,
        container: Container,
        make: impl FnOnce() -> Option<Live>,
    ) -> Option<(Arc<Live>, bool)> {
        let mut segments = self.segments();
        if let Some(live) = segments.iter().find(|live| live.container == container && !live.is_stale()) {
            return Some((Arc::clone(live), false));
        }
        let live = Arc::new(make()?);
        segments.retain(|live| live.container != container);
        segments.push(Arc::clone(&live));
        Some((live, true))
    }

    /// Sets how many bytes of memory it may take: items and segments share them evenly.
    pub(crate) fn limit(&self, bytes: usize) {
        let segments = self.segments().clone();
        let share = bytes / (segments.len() + 1);
        self.lock().stream.limit(share);
        segments.iter().for_each(|live| live.window().limit(share));
    }

    /// Bytes of memory that it takes.
    pub(crate) fn bytes(&self) -> usize {
        let segments: usize = self.segments().iter().map(|live| live.window().bytes()).sum();
        segments + self.lock().stream.ring().bytes()
    }

    /// Viewers of HLS: peers that asked for a playlist a moment ago.
    pub(crate) fn hls_viewers(&self) -> usize {
        self.segments().iter().map(|live| live.viewers()).sum()
    }

    /// Viewers of a protocol that have a connection of their own.
    pub(crate) fn viewers(&self, protocol: Protocol) -> &AtomicUsize {
        &self.viewers[protocol as usize]
    }
}

/// Wakers of viewers that wait.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    round: u64,
    waiting: Vec<Option<Waker>>,
}

/// The place of a viewer at a bell.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticket {
    round: u64,
    place: usize,
}

impl Bell {
    /// Waits for the next ring.
    pub(crate) fn register(&mut self, ticket: &mut Option<Ticket>, waker: &Waker) {
        if let Some(Some(known)) = self.place(*ticket) {
            return known.clone_from(waker);
        }
        *ticket = Some(Ticket { round: self.round, place: self.waiting.len() });
        self.waiting.push(Some(waker.clone()));
    }

    /// Waits no longer.
    pub(crate) fn leave(&mut self, ticket: Option<Ticket>) {
        if let Some(place) = self.place(ticket) {
            *place = None;
        }
        while let Some(None) = self.waiting.last() {
            self.waiting.pop();
        }
    }

    fn place(&mut self, ticket: Option<Ticket>) -> Option<&mut Option<Waker>> {
        let Ticket { place, .. } = ticket.filter(|ticket| ticket.round == self.round)?;
        self.waiting.get_mut(place)
    }

    /// Those to be woken, outside of the lock.
    fn ring(&mut self) -> Vec<Option<Waker>> {
        self.round += 1;
        let room = Vec::with_capacity(self.waiting.len());
        std::mem::replace(&mut self.waiting, room)
    }
}

fn wake(waiting: Vec<Option<Waker>>) {
    waiting.into_iter().flatten().for_each(Waker::wake);
}
