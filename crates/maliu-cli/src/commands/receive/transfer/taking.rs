//! Content that has come: kept, made safe, acknowledged, and at the end written.

use std::time::{Duration, Instant};

use maliu::{
    format::Event,
    tokio::wire::{Error, Incoming},
    wire::session::Received,
};

use super::Transfer;
use crate::failure::{Failure, Result};

/// Received content is made safe and acknowledged once there are this many bytes of it, or once it is this old.
const SETTLE_BYTES: usize = 512 << 10;
pub(super) const SETTLE_AFTER: Duration = Duration::from_millis(50);

impl Transfer {
    /// Takes all content that has come, and acknowledges what is kept. The end is acknowledged when the output is
    /// written.
    pub(super) fn take(&mut self, connection: &mut Incoming) -> std::result::Result<(), Trouble> {
        while self.store.as_ref().is_some_and(|store| store.full().is_none())
            && let Some(Received::Content(sequence, content)) =
                connection.next_content().map_err(Trouble::Connection)?
        {
            self.keep(connection, sequence, content).map_err(Trouble::Here)?;
        }
        let Some(store) = &mut self.store else { return Ok(()) };
        let unread = connection.session().input().peek().len();
        self.held.hold(unread + store.waiting()).map_err(Trouble::Here)?;
        self.settle(connection).map_err(Trouble::Here)?;
        self.write_if_ended().map_err(Trouble::Here)?;
        self.report.tell(connection.session().damage());
        Ok(())
    }

    /// Keeps the content of the last message of a connection.
    pub(super) fn keep(&mut self, connection: &mut Incoming, sequence: u64, content: Event) -> Result {
        let Some(store) = &mut self.store else { return Ok(()) };
        let message = connection.session().last_message().clone();
        self.report.count(&content, message.len());
        let (_, bytes) = self.unsettled.get_or_insert((Instant::now(), 0));
        *bytes += message.len();
        // The end comes again when it was not acknowledged.
        if sequence >= store.next { store.take(sequence, content, message) } else { Ok(()) }
    }

    /// Acknowledges what is safe, when there is enough of it.
    fn settle(&mut self, connection: &mut Incoming) -> Result {
        let Some(store) = &mut self.store else { return Ok(()) };
        let due = |(since, bytes): (Instant, usize)| bytes >= SETTLE_BYTES || since.elapsed() >= SETTLE_AFTER;
        if store.ended || self.unsettled.is_some_and(due) {
            if self.unsettled.take().is_some() {
                store.settle()?;
            }
            let kept = self.acknowledged();
            connection.session().acknowledge(kept);
        }
        Ok(())
    }

    /// The number of the first message that the sender has to keep still: that of the end, until the output is written.
    pub(super) fn acknowledged(&self) -> u64 {
        let Some(store) = &self.store else { return 0 };
        let all = !store.ended || self.complete;
        if all { store.next } else { store.next.saturating_sub(1) }
    }

    /// Content that is whole becomes the output.
    pub(super) fn write_if_ended(&mut self) -> Result {
        if let Some(store) = self.store.as_mut().filter(|store| store.ended)
            && self.writing.is_none()
            && !self.complete
        {
            self.writing = store.finish(&self.output)?;
        }
        Ok(())
    }
}

/// Whose fault it is.
pub(super) enum Trouble {
    Connection(Error),
    Here(Failure),
}
