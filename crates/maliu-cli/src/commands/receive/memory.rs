//! Memory that all transfers together may hold: messages that are not whole, and content that is not written.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use crate::failure::{Failure, Result};

/// A limit on bytes, shared by transfers. Each may always hold an equal share of a half of it; the other half is for
/// those that need more at a time, as long as there is some.
pub(super) struct Memory {
    limit: usize,
    share: usize,
    used: AtomicUsize,
}

impl Memory {
    /// A memory of a number of bytes, shared by a number of transfers.
    pub(super) fn new(limit: usize, transfers: usize) -> Self {
        Self { limit, share: limit / 2 / transfers.max(1), used: AtomicUsize::new(0) }
    }

    /// As much as a single transfer wants; its own limits hold.
    pub(super) fn unlimited() -> Self {
        Self::new(usize::MAX, 1)
    }
}

/// Memory held by one transfer.
pub(super) struct Held {
    memory: Arc<Memory>,
    share: usize,
    bytes: usize,
}

impl Held {
    /// Nothing yet.
    pub(super) fn of(memory: &Arc<Memory>) -> Self {
        Self { memory: memory.clone(), share: memory.share, bytes: 0 }
    }

    /// The same for a sender that has no transfer yet, and no share: it may hold what others leave.
    pub(super) fn spare(memory: &Arc<Memory>) -> Self {
        Self { memory: memory.clone(), share: 0, bytes: 0 }
    }

    /// Sets the number of bytes that it holds.
    ///
    /// # Errors
    /// When that is more than its share and there is no more: it must go, so that others can be served.
    pub(super) fn hold(&mut self, bytes: usize) -> Result {
        let (limit, used, share) = (self.memory.limit, &self.memory.used, self.share);
        let before = match bytes >= self.bytes {
            true => used.fetch_add(bytes - self.bytes, Ordering::Relaxed),
            false => used.fetch_sub(self.bytes - bytes, Ordering::Relaxed),
        };
        let grown = bytes > self.bytes;
        let total = before.saturating_add(bytes).saturating_sub(self.bytes);
        self.bytes = bytes;
        if grown && bytes > share && total > limit / 2 {
            self.release();
            return Err(Failure::Failed(format!(
                "limit: {bytes} bytes wait, and all transfers may hold {limit} together (--max-memory)"
            )));
        }
        Ok(())
    }

    /// It holds nothing any more.
    pub(super) fn release(&mut self) {
        self.memory.used.fetch_sub(std::mem::take(&mut self.bytes), Ordering::Relaxed);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.release();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_always_there_and_more_only_while_there_is_some() {
        let memory = Arc::new(Memory::new(1000, 5));
        let mut all: Vec<Held> = (0..5).map(|_| Held::of(&memory)).collect();
        all[0].hold(450).unwrap();
        all[1].hold(50).unwrap();
        assert!(all[1].hold(101).is_err(), "more than a share of what is not there");
        all[1].hold(100).unwrap();
        all[2].hold(100).unwrap();
        all[0].hold(440).unwrap();
        all[0].hold(0).unwrap();
        all[1].hold(290).unwrap();
        drop(all);
        assert_eq!(memory.used.load(Ordering::Relaxed), 0);
    }
}
