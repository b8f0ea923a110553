//! A source that asks before and behind each read whether to go on.

use std::{fmt, io};

use bytes::Bytes;
use maliu_core::input::Block;

use super::{
    Source,
    tuning::{Seal, Tuning},
};

/// A source whose reads fail once a check does: a user who has asked to stop, a budget that is spent. It is read in as few
/// calls as the source in it: by blocks, or by two threads, where that one can be.
///
/// ```
/// use std::sync::atomic::{AtomicBool, Ordering};
/// use bytes::Bytes;
/// use maliu::io::{Checked, Source};
///
/// static STOP: AtomicBool = AtomicBool::new(false);
/// let check = || if STOP.load(Ordering::Relaxed) { Err(std::io::Error::other("stopped")) } else { Ok(()) };
/// let mut source = Checked::new(Bytes::from_static(b"bytes"), check);
/// assert_eq!(source.read_at(0, &mut [0; 9]).unwrap(), 5);
/// STOP.store(true, Ordering::Relaxed);
/// assert!(source.read_at(5, &mut [0; 9]).is_err());
/// ```
pub struct Checked<S, F> {
    source: S,
    check: F,
}

impl<S: Source, F: Fn() -> io::Result<()> + Clone + Send + 'static> Checked<S, F> {
    /// Reads `source` as long as `check` is `Ok`. A clone of it is called on each thread that reads.
    pub fn new(source: S, check: F) -> Self {
        Self { source, check }
    }
}

impl<S: Source, F: Fn() -> io::Result<()> + Clone + Send + 'static> Source for Checked<S, F> {
    fn seekable(&self) -> bool {
        self.source.seekable()
    }

    fn read_at(&mut self, at: u64, buf: &mut [u8]) -> io::Result<usize> {
        (self.check)()?;
        let got = self.source.read_at(at, buf)?;
        // A pipe may have ended for the reason that is checked.
        (self.check)()?;
        Ok(got)
    }

    fn size(&mut self) -> Option<u64> {
        self.source.size()
    }

    fn block_size(&self) -> usize {
        self.source.block_size()
    }

    fn tuning(&mut self, seal: Seal) -> Option<&mut dyn Tuning> {
        self.source.tuning(seal).is_some().then_some(self)
    }
}

impl<S: Source, F: Fn() -> io::Result<()> + Clone + Send + 'static> Tuning for Checked<S, F> {
    /// Never: what is shared at once cannot be checked on the way.
    fn share(&mut self, _: u64) -> Option<Bytes> {
        None
    }

    fn reads_blocks(&mut self) -> bool {
        self.source.tuning(Seal).is_some_and(|tuning| tuning.reads_blocks())
    }

    fn read_block(&mut self, at: u64, block: &mut Block) -> io::Result<usize> {
        (self.check)()?;
        let got = match self.source.tuning(Seal) {
            Some(tuning) => tuning.read_block(at, block)?,
            None => self.source.read_at(at, block.room())?,
        };
        (self.check)()?;
        Ok(got)
    }

    fn twin(&mut self) -> Option<Box<dyn Source + Send>> {
        let twin = self.source.tuning(Seal)?.twin()?;
        Some(Box::new(Checked::new(twin, self.check.clone())))
    }

    fn settle(&mut self) {
        if let Some(tuning) = self.source.tuning(Seal) {
            tuning.settle();
        }
    }
}

impl<S: fmt::Debug, F> fmt::Debug for Checked<S, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checked").field("source", &self.source).finish_non_exhaustive()
    }
}
