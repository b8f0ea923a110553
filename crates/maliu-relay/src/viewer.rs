//! A viewer of any protocol: its place in a channel, and its bytes a batch at a time.

use std::{
    sync::{Arc, atomic::Ordering},
    task::Context,
    time::Instant,
};

use maliu::{
    live::{Cursor, Item, Join, Kind, Next, Policy, Ring},
    wire::rtmp::Tag,
};

use crate::{
    channel::{Channel, Ticket},
    form::Form,
    hooks::Event,
    hub::Hub,
    metrics::Metrics,
    queue::Queue,
};

/// Bytes of a batch: enough for a pass, little enough to be taken at once by a socket.
const BATCH: usize = 64 << 10;

/// Media, in ms, after which a stream that has shown one kind only is taken to have no other.
const SETTLED: i64 = 500;

/// A viewer. It is counted as long as this lives.
#[derive(Debug)]
pub(crate) struct Viewer {
    channel: Arc<Channel>,
    hub: Arc<Hub>,
    form: Form,
    cursor: Cursor,
    ticket: Option<Ticket>,
    /// Whether tags that browsers' players stumble over are left out.
    plain: bool,
    skipped: u64,
    /// Since when it waits for its first keyframe.
    waiting: Option<Instant>,
    /// The header of the file was sent.
    begun: bool,
}

/// The outcome of filling a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Filled {
    /// Bytes.
    Some,
    /// Nothing yet; the task is woken when there is something.
    Wait,
    /// Nothing follows.
    End,
}

impl Viewer {
    /// A viewer of a channel.
    pub(crate) fn new(channel: Arc<Channel>, hub: Arc<Hub>, form: Form, join: Join, plain: bool) -> Self {
        channel.viewers(form.protocol()).fetch_add(1, Ordering::Relaxed);
        hub.metrics.viewers(form.protocol()).fetch_add(1, Ordering::Relaxed);
        let cursor = Cursor::new(join, Policy::default());
        // There is no header of a file to wait for.
        let begun = matches!(form, Form::Rtmp(_));
        Self { channel, hub, form, cursor, ticket: None, plain, skipped: 0, waiting: Some(Instant::now()), begun }
    }

    /// Appends the next bytes to a queue that is empty.
    pub(crate) fn fill(&mut self, out: &mut Queue, cx: &mut Context<'_>) -> Filled {
        let mut inner = self.channel.lock();
        let ring = inner.stream.ring();
        if !self.begun
            && let Some(flags) = flags(ring)
        {
            self.begun = true;
            self.form.begin(flags, out);
        }
        while self.begun && out.len() < BATCH {
            match self.cursor.next(ring) {
                Next::Item(item) if leaves_out(self.plain, &item) => {}
                Next::Item(item) => {
                    if item.kind == Kind::Key {
                        arrived(&mut self.waiting, &self.hub.metrics);
                    }
                    self.form.put(&item.tag, out);
                }
                Next::Config(item, _) if leaves_out(self.plain, &item) => {}
                Next::Config(item, time) => self.form.put(&Tag { time: time as u32, ..item.tag.clone() }, out),
                Next::Wait => break,
            }
        }
        let filled = match (out.is_empty(), self.channel.has_ended()) {
            (false, _) => Filled::Some,
            (true, true) => Filled::End,
            (true, false) => {
                inner.bell.register(&mut self.ticket, cx.waker());
                Filled::Wait
            }
        };
        drop(inner);
        self.count(out.len());
        filled
    }

    fn count(&mut self, size: usize) {
        let metrics = &self.hub.metrics;
        metrics.sent(self.form.protocol(), size);
        let skipped = self.cursor.skipped();
        if skipped > self.skipped {
            metrics.skipped.fetch_add(skipped - self.skipped, Ordering::Relaxed);
            self.skipped = skipped;
        }
    }

    /// Whether anything was ever published.
    pub(crate) fn has_begun(&self) -> bool {
        self.channel.has_begun()
    }

    /// Counts a viewer that took nothing for too long.
    pub(crate) fn stalled(&self) {
        self.hub.metrics.stalled.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        self.channel.lock().bell.leave(self.ticket);
        self.channel.viewers(self.form.protocol()).fetch_sub(1, Ordering::Relaxed);
        self.hub.metrics.viewers(self.form.protocol()).fetch_sub(1, Ordering::Relaxed);
        self.hub.report(Event { action: "stop", name: self.channel.name.to_string(), path: None });
    }
}

/// Counts the first keyframe of a viewer.
fn arrived(waiting: &mut Option<Instant>, metrics: &Metrics) {
    if let Some(since) = waiting.take() {
        let millis = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
        metrics.first_keyframes.fetch_add(1, Ordering::Relaxed);
        metrics.first_keyframe_millis.fetch_add(millis, Ordering::Relaxed);
    }
}

fn leaves_out(plain: bool, item: &Item) -> bool {
    plain && item.extra
}

/// The flags of a file header that are true of a stream; `None` while that cannot be known.
pub(crate) fn flags(ring: &Ring) -> Option<u8> {
    let (video, audio) = ring.has();
    let first = ring.at(ring.first())?.time;
    let settled = ring.latest().saturating_sub(first) >= SETTLED;
    (video && audio || settled && (video || audio)).then_some(u8::from(video) | u8::from(audio) << 2)
}
