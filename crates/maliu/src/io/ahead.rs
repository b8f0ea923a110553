//! A source that is read on a thread of its own, so that reading and parsing overlap.
//!
//! ```text
//!   read_at ─▶ Here: Source, for the first 2 MiB in a row
//!              then  read_block ─▶ There: Readers
//! ```

use std::{io, mem};

use bytes::Bytes;
use maliu_core::input::Block;

use super::{
    Source,
    tuning::{Seal, Tuning},
};

mod readers;

use readers::Readers;

/// Bytes read in a row before a thread is worth it: what is only looked at never has one.
pub(super) const AFTER: u64 = 2 << 20;

/// Bytes read at a time: each hand-over takes as long as reading some 30 KiB.
pub(super) const BLOCK: usize = 512 << 10;

/// A source whose next blocks are read before they are wanted, once it has been read in a row for 2 MiB. A caller that
/// has to wait for a block reads another one meanwhile, if the source has a twin: a second handle on the same file. Every
/// byte, every error and the end come where they would come without it, and where the system has no thread left it works
/// without; a file that grows should not be read ahead.
#[derive(Debug)]
pub struct Ahead<S> {
    seekable: bool,
    size: Option<u64>,
    block_size: usize,
    /// Where a read in a row goes on.
    next: u64,
    /// Bytes read in a row.
    row: u64,
    place: Place<S>,
    /// No thread is wanted.
    settled: bool,
}

/// Where the source is.
#[derive(Debug)]
enum Place<S> {
    Here(S),
    There(Readers<S>),
    /// It went with a thread that has panicked.
    Nowhere,
}

impl<S: Source + Send + 'static> Ahead<S> {
    /// Reads `source` ahead.
    pub fn new(mut source: S) -> Self {
        let (seekable, size, block_size) = (source.seekable(), source.size(), source.block_size().max(BLOCK));
        Self { seekable, size, block_size, next: 0, row: 0, place: Place::Here(source), settled: false }
    }

    /// Moves to a thread, if there is one.
    fn leave(&mut self, at: u64) {
        if let Place::Here(_) = self.place
            && let Place::Here(source) = mem::replace(&mut self.place, Place::Nowhere)
        {
            self.place = match Readers::with(source, at) {
                Ok(readers) => Place::There(readers),
                Err(Some(source)) => {
                    self.settled = true;
                    Place::Here(source)
                }
                Err(None) => Place::Nowhere,
            };
        }
    }

    fn count(&mut self, at: u64, got: usize) {
        self.row = if at == self.next { self.row.saturating_add(got as u64) } else { got as u64 };
        self.next = at.saturating_add(got as u64);
    }
}

impl<S: Source + Send + 'static> Source for Ahead<S> {
    fn seekable(&self) -> bool {
        self.seekable
    }

    fn size(&mut self) -> Option<u64> {
        self.size
    }

    fn block_size(&self) -> usize {
        self.block_size
    }

    fn read_at(&mut self, at: u64, buf: &mut [u8]) -> io::Result<usize> {
        let Place::Here(source) = &mut self.place else { return Err(by_blocks()) };
        let got = source.read_at(at, buf)?;
        self.count(at, got);
        Ok(got)
    }

    fn tuning(&mut self, _: Seal) -> Option<&mut dyn Tuning> {
        Some(self)
    }
}

impl<S: Source + Send + 'static> Tuning for Ahead<S> {
    /// A source in memory needs no thread.
    fn share(&mut self, at: u64) -> Option<Bytes> {
        match &mut self.place {
            Place::Here(source) => source.tuning(Seal)?.share(at),
            Place::There(_) | Place::Nowhere => None,
        }
    }

    fn reads_blocks(&mut self) -> bool {
        (self.row >= AFTER && !self.settled) || matches!(self.place, Place::There(_))
    }

    fn read_block(&mut self, at: u64, block: &mut Block) -> io::Result<usize> {
        if !self.settled {
            self.leave(at);
        }
        let got = match &mut self.place {
            Place::Here(source) => source.read_at(at, block.room())?,
            Place::There(readers) => readers.exchange(at, block)?,
            Place::Nowhere => return Err(gone()),
        };
        self.count(at, got);
        Ok(got)
    }

    /// None: its threads read the source already.
    fn twin(&mut self) -> Option<Box<dyn Source + Send>> {
        None
    }

    /// Blocks that were read ahead are read again: only where that can be done.
    fn settle(&mut self) {
        self.settled = self.seekable;
        if self.settled
            && let Place::There(_) = self.place
            && let Place::There(readers) = mem::replace(&mut self.place, Place::Nowhere)
        {
            self.place = readers.end().map_or(Place::Nowhere, Place::Here);
        }
    }
}

fn by_blocks() -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, "a source that is read ahead is read by blocks")
}

/// The source has panicked.
fn gone() -> io::Error {
    io::Error::other("the thread that reads has ended")
}

#[cfg(test)]
mod tests;
