//! A source that announces each read that may block.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use maliu::io::Source;

/// A source that may keep its reader waiting, and says so before: each read is first "not yet".
pub(super) struct Pausing<S> {
    pub source: S,
    /// A read may block until data arrives.
    pub pausing: Arc<AtomicBool>,
}

impl<S: Source> Source for Pausing<S> {
    fn seekable(&self) -> bool {
        self.source.seekable()
    }

    fn read_at(&mut self, at: u64, buf: &mut [u8]) -> std::io::Result<usize> {
        if !self.pausing.swap(true, Ordering::Relaxed) {
            return Err(std::io::ErrorKind::WouldBlock.into());
        }
        let read = self.source.read_at(at, buf);
        self.pausing.store(false, Ordering::Relaxed);
        read
    }

    fn size(&mut self) -> Option<u64> {
        self.source.size()
    }

    fn block_size(&self) -> usize {
        self.source.block_size()
    }
}
