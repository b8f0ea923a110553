//! A reader of a channel within the relay: it gets tags, where viewers get bytes.

use std::{future::poll_fn, sync::Arc, task::Poll, time::Duration};

use maliu::{
    live::{Cursor, Join, Next, Policy},
    wire::rtmp::Tag,
};

use crate::{
    channel::{Channel, Ticket},
    viewer::flags,
};

/// Tags of a batch, at most.
const BATCH: usize = 256;

/// A recording and a push lose nothing that the ring still has.
const PATIENCE: Duration = Duration::from_secs(3600);

/// A place in a channel.
#[derive(Debug)]
pub(crate) struct Follower {
    channel: Arc<Channel>,
    cursor: Cursor,
    ticket: Option<Ticket>,
    /// The flags of a file's header, once they are known.
    flags: Option<u8>,
}

/// A tag, and its role for a file.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// The tag.
    pub(crate) tag: Tag,
    /// Milliseconds, which do not wrap.
    pub(crate) time: i64,
    /// Number of the item; `None` for a configuration that was sent before.
    pub(crate) seq: Option<u64>,
    /// Whether a file can begin here.
    pub(crate) begins: bool,
}

impl Follower {
    /// A place that has read nothing yet.
    pub(crate) fn new(channel: Arc<Channel>, join: Join) -> Self {
        let mut policy = Policy::default();
        (policy.soft, policy.hard) = (PATIENCE, PATIENCE);
        Self { channel, cursor: Cursor::new(join, policy), ticket: None, flags: None }
    }

    /// The next tags, with the flags of a file's header; `None` when nothing follows.
    pub(crate) async fn next(&mut self) -> Option<(u8, Vec<Step>)> {
        poll_fn(|cx| {
            let mut inner = self.channel.lock();
            let ring = inner.stream.ring();
            self.flags = self.flags.or_else(|| flags(ring));
            let (mut steps, has_video) = (Vec::new(), ring.has().0);
            while self.flags.is_some() && steps.len() < BATCH {
                steps.push(match self.cursor.next(ring) {
                    Next::Item(item) => Step {
                        begins: item.kind == maliu::live::Kind::Key || !has_video,
                        tag: item.tag.clone(),
                        time: item.time,
                        seq: Some(item.seq),
                    },
                    Next::Config(item, time) => Step { tag: item.tag.clone(), time, seq: None, begins: false },
                    Next::Wait => break,
                });
            }
            match (self.flags.filter(|_| !steps.is_empty()), self.channel.has_ended()) {
                (Some(flags), _) => Poll::Ready(Some((flags, steps))),
                (None, true) => Poll::Ready(None),
                (None, false) => {
                    inner.bell.register(&mut self.ticket, cx.waker());
                    Poll::Pending
                }
            }
        })
        .await
    }

    /// The configurations in force at an item.
    pub(crate) fn configs(&self, seq: u64) -> Vec<Tag> {
        self.channel.lock().stream.ring().configs(seq).iter().map(|item| item.tag.clone()).collect()
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.channel.lock().bell.leave(self.ticket);
    }
}
