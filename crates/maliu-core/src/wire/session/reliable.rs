//! The queue of a reliable sender: nothing leaves it before the receiver keeps it safely.

use alloc::{collections::VecDeque, vec::Vec};

use bytes::Bytes;

use super::{super::message::Message, Fault};
use crate::{account::Account, format::Event};

/// Bytes that may wait for their acknowledgement before the source is asked to wait.
pub(super) const WINDOW: usize = 16 << 20;

/// The fault of a receiver that acknowledges too much.
pub(super) const UNSENT: Fault = Fault::Protocol("messages are acknowledged that were not sent");

/// Content, numbered, from the first that is not acknowledged.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: VecDeque<Message>,
    /// Sequence number of the first one waiting.
    first: u64,
    /// How many of those waiting were sent on this connection.
    sent: usize,
    /// Messages before this number are known to be kept: a restarted sender passes over them.
    wanted: u64,
    account: Account,
}

impl Queue {
    /// Whether the source should wait.
    pub(super) fn is_full(&self) -> bool {
        self.account.bytes() >= WINDOW
    }

    pub(super) fn push(&mut self, event: Event) {
        if self.next() < self.wanted {
            self.first = self.first.saturating_add(1);
            return;
        }
        self.account.add(&event);
        self.waiting.push_back(event.into());
    }

    /// The number of the next message pushed.
    pub(super) fn next(&self) -> u64 {
        self.first.saturating_add(self.waiting.len() as u64)
    }

    /// A connection begins at which the receiver wants this message first.
    pub(super) fn resume(&mut self, wanted: u64) -> Result<(), Fault> {
        if wanted < self.first {
            return Err(Fault::Forgotten { wanted });
        }
        self.wanted = self.wanted.max(wanted);
        self.drop_before(wanted);
        self.sent = 0;
        Ok(())
    }

    /// Everything before this number is kept safely.
    pub(super) fn acknowledge(&mut self, next: u64) -> Result<(), Fault> {
        if next > self.first.saturating_add(self.sent as u64).max(self.wanted) {
            return Err(UNSENT);
        }
        self.drop_before(next);
        Ok(())
    }

    fn drop_before(&mut self, next: u64) {
        while self.first < next {
            let Some(message) = self.waiting.pop_front() else { break };
            self.account.remove(&message);
            self.first = self.first.saturating_add(1);
            self.sent = self.sent.saturating_sub(1);
        }
    }

    /// Appends the next message to send, but for the data of a packet, which is to follow.
    pub(super) fn send(&mut self, out: &mut Vec<u8>) -> Option<Bytes> {
        let message = self.waiting.get(self.sent)?;
        let data = message.encode_into(self.first.saturating_add(self.sent as u64), out);
        self.sent = self.sent.saturating_add(1);
        Some(data)
    }

    /// The message that the receiver wants although the source has ended before it.
    pub(super) fn beyond(&self) -> Option<u64> {
        (self.next() < self.wanted).then_some(self.wanted)
    }

    /// Whether all that was pushed is acknowledged.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Messages and bytes that wait.
    pub(super) fn waiting(&self) -> (usize, usize) {
        (self.waiting.len(), self.account.bytes())
    }
}
