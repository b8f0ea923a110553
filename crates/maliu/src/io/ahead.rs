//! A source that is read on a thread of its own, so that reading and parsing overlap.
//!
//! ```text
//!   read_block ── empty blocks ─▶ [ask][ask] ─▶ thread: Source::read_at, in a row
//!              ◀─ a full block ── [answer]  ◀──┘
//! ```

use std::{
    io, mem,
    sync::mpsc::{Receiver, Sender, channel},
    thread,
};

use maliu_core::input::Block;

use super::{Source, uninterrupted};

/// Bytes read in a row before a thread is worth it: what is only looked at never has one.
pub const AFTER: u64 = 2 << 20;

/// Bytes read at a time: each hand-over takes as long as reading some 30 KiB.
pub const BLOCK: usize = 512 << 10;

/// Blocks that are read before they are wanted, at most.
pub const BLOCKS: usize = 4;

/// A source whose next blocks are read before they are wanted, once it has been read in a row for 2 MiB. Every
/// byte, every error and the end come where they would come without it; a file that grows should not be read ahead.
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
    There(Thread<S>),
    /// There is no thread to be had.
    Nowhere,
}

/// A thread with the source, as its caller sees it. It ends when it can answer nobody.
#[derive(Debug)]
struct Thread<S> {
    asks: Sender<(Option<u64>, Block)>,
    answers: Receiver<(Block, io::Result<usize>)>,
    /// Asks without an answer yet, and how many of the answers are not wanted any more.
    open: usize,
    stale: usize,
    handle: thread::JoinHandle<S>,
}

impl<S: Source + Send + 'static> Ahead<S> {
    /// Reads `source` ahead.
    pub fn new(mut source: S) -> Self {
        let (seekable, size, block_size) = (source.seekable(), source.size(), source.block_size().max(BLOCK));
        Self { seekable, size, block_size, next: 0, row: 0, place: Place::Here(source), settled: false }
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

    fn reads_blocks(&self) -> bool {
        (self.row >= AFTER && !self.settled) || matches!(self.place, Place::There(_))
    }

    fn read_at(&mut self, at: u64, buf: &mut [u8]) -> io::Result<usize> {
        let Place::Here(source) = &mut self.place else { return Err(by_blocks()) };
        let got = source.read_at(at, buf)?;
        self.count(at, got);
        Ok(got)
    }

    fn read_block(&mut self, at: u64, block: &mut Block) -> io::Result<usize> {
        if let Place::Here(_) = self.place
            && let Place::Here(source) = mem::replace(&mut self.place, Place::Nowhere)
        {
            self.place = Place::There(Thread::with(source, at)?);
        }
        let Place::There(thread) = &mut self.place else { return Err(gone()) };
        if at != self.next {
            thread.stale = thread.open;
        }
        let got = thread.exchange((at != self.next).then_some(at), block)?;
        self.count(at, got);
        Ok(got)
    }

    /// What was read ahead is read again: only where that can be done.
    fn settle(&mut self) {
        self.settled = self.seekable;
        if self.settled
            && let Place::There(_) = self.place
            && let Place::There(thread) = mem::replace(&mut self.place, Place::Nowhere)
        {
            self.place = thread.end().map_or(Place::Nowhere, Place::Here);
        }
    }
}

impl<S: Source + Send + 'static> Thread<S> {
    fn with(mut source: S, mut at: u64) -> io::Result<Self> {
        let (asks, asked) = channel::<(Option<u64>, Block)>();
        let (answer, answers) = channel();
        let work = move || {
            for (jump, mut block) in asked {
                at = jump.unwrap_or(at);
                let got = uninterrupted(|| source.read_at(at, block.room()));
                at = at.saturating_add(got.as_ref().map_or(0, |got| *got as u64));
                if answer.send((block, got)).is_err() {
                    break;
                }
            }
            source
        };
        let handle = thread::Builder::new().name("reader".into()).spawn(work)?;
        Ok(Self { asks, answers, open: 0, stale: 0, handle })
    }

    /// Gives the source back, unless it has panicked.
    fn end(self) -> Option<S> {
        drop((self.asks, self.answers));
        self.handle.join().ok()
    }

    /// Gives an empty block for a full one. With `jump` reading goes on there, and what was read ahead is dropped.
    fn exchange(&mut self, mut jump: Option<u64>, block: &mut Block) -> io::Result<usize> {
        let size = block.room().len();
        while self.open - self.stale < BLOCKS {
            self.ask(jump.take(), Block::new(size))?;
        }
        loop {
            let (next, got) = self.answers.recv().map_err(|_| gone())?;
            self.open -= 1;
            if self.stale == 0 {
                let empty = mem::replace(block, next);
                self.ask(None, empty)?;
                return got;
            }
            self.stale -= 1;
        }
    }

    fn ask(&mut self, jump: Option<u64>, block: Block) -> io::Result<()> {
        self.asks.send((jump, block)).map_err(|_| gone())?;
        self.open += 1;
        Ok(())
    }
}

fn by_blocks() -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, "a source that is read ahead is read by blocks")
}

/// The source has panicked, or the system had no thread.
fn gone() -> io::Error {
    io::Error::other("the thread that reads has ended")
}

#[cfg(test)]
mod tests;
