//! The thread that reads, and the blocks on their way to it and back. A caller that waits for a block reads another one
//! meanwhile, where the source can be read by two.
//!
//! ```text
//!   exchange ─ empty blocks ─▶ [open][open][taken] ─▶ thread: Source::read_at ─┬─▶ [done] in the order of asks
//!                                               └─ while it waits: the twin's ─┘
//! ```

use std::{
    collections::VecDeque,
    fmt, io, mem,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};

use maliu_core::input::Block;

use super::gone;
use crate::{
    io::{
        Source,
        tuning::{Seal, Tuning},
        uninterrupted,
    },
    threads,
};

/// Blocks that are read before they are wanted, at most.
const BLOCKS: usize = 4;

/// A source on a thread of its own, as its caller sees it. The thread ends after it.
pub(super) struct Readers<S> {
    desk: Arc<Desk>,
    handle: Option<thread::JoinHandle<Option<S>>>,
    /// The same bytes, for the caller.
    twin: Option<Box<dyn Source + Send>>,
    /// Where the wanted block begins, and the one that is asked for next.
    wanted: u64,
    asking: u64,
    /// Directs the thread to read on elsewhere. Otherwise it reads in a row, also behind a block that came out short.
    jump: bool,
}

/// State shared by both sides.
#[derive(Default)]
struct Desk {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    asks: VecDeque<Ask>,
    /// The number of the first of them; what has a lower one is not wanted any more.
    first: u64,
    /// The other end has gone.
    over: bool,
    /// Sides that wait for a change: waking costs a system call, also where none waits.
    waits: u32,
}

/// A block on its way.
enum Ask {
    /// To be filled, from this offset if it is not simply the next one.
    Open(Option<u64>, Block),
    Taken,
    Done(Block, io::Result<usize>),
}

impl<S: Source + Send + 'static> Readers<S> {
    /// Reads `source` from offset `at` on.
    ///
    /// # Errors
    /// The source, when the system has no thread left.
    pub(super) fn with(mut source: S, at: u64) -> Result<Self, Option<S>> {
        let desk = Arc::new(Desk::default());
        let shared = End(desk.clone());
        let twin = if source.seekable() { source.tuning(Seal).and_then(Tuning::twin) } else { None };
        let handle = threads::spawn("reader", source, move |mut source| {
            shared.0.serve(&mut source, at);
            source
        })?;
        Ok(Self { desk, handle: Some(handle), twin, wanted: at, asking: at, jump: false })
    }

    /// Gives an empty block for the full one that begins at `at`.
    pub(super) fn exchange(&mut self, at: u64, block: &mut Block) -> io::Result<usize> {
        if at != self.wanted {
            self.go(at);
        }
        self.ask(block.room().len());
        let (mut next, got) = self.answer()?;
        let (read, asked) = (*got.as_ref().unwrap_or(&0), next.room().len());
        self.wanted = self.wanted.saturating_add(read as u64);
        if self.twin.is_some() && read < asked {
            // The requested bytes begin elsewhere.
            self.go(self.wanted);
        }
        let empty = mem::replace(block, next);
        let mut state = self.desk.lock();
        push(&mut state, empty, &mut self.asking, mem::take(&mut self.jump) || self.twin.is_some());
        self.desk.changed(state);
        got
    }

    /// Goes on at `at`; what was asked for is not wanted any more.
    fn go(&mut self, at: u64) {
        (self.wanted, self.asking, self.jump) = (at, at, true);
        let mut state = self.desk.lock();
        state.first = state.first.saturating_add(state.asks.len() as u64);
        state.asks.clear();
    }

    /// Asks for as many blocks as may wait, of this size.
    fn ask(&mut self, size: usize) {
        let mut state = self.desk.lock();
        if state.asks.len() >= BLOCKS {
            return;
        }
        while state.asks.len() < BLOCKS {
            let told = mem::take(&mut self.jump) || self.twin.is_some();
            push(&mut state, Block::new(size), &mut self.asking, told);
        }
        self.desk.changed(state);
    }

    /// The oldest block, when it is filled.
    fn answer(&mut self) -> io::Result<(Block, io::Result<usize>)> {
        let mut state = self.desk.lock();
        loop {
            match state.asks.pop_front() {
                Some(Ask::Done(block, got)) => {
                    state.first = state.first.saturating_add(1);
                    return Ok((block, got));
                }
                Some(other) => state.asks.push_front(other),
                None => return Err(gone()),
            }
            if state.over {
                return Err(gone());
            }
            let twin = self.twin.as_mut().and_then(|twin| Some((twin, state.take()?)));
            state = match twin {
                Some((twin, (number, at, block))) => {
                    drop(state);
                    self.desk.fill(&mut **twin, number, at.unwrap_or_default(), block)
                }
                None => self.desk.wait(state),
            };
        }
    }

    /// Gives the source back, unless it has panicked.
    pub(super) fn end(mut self) -> Option<S> {
        self.desk.end();
        self.handle.take()?.join().ok()?
    }
}

fn push(state: &mut State, mut block: Block, asking: &mut u64, told: bool) {
    let at = told.then_some(*asking);
    *asking = asking.saturating_add(block.room().len() as u64);
    state.asks.push_back(Ask::Open(at, block));
}

impl State {
    /// The first block that is not being filled yet, and its number.
    fn take(&mut self) -> Option<(u64, Option<u64>, Block)> {
        let (index, ask) = self.asks.iter_mut().enumerate().find(|(_, ask)| matches!(ask, Ask::Open(..)))?;
        match mem::replace(ask, Ask::Taken) {
            Ask::Open(at, block) => Some((self.first.saturating_add(index as u64), at, block)),
            _ => None,
        }
    }
}

impl Desk {
    /// Reads requested blocks until the requester has gone.
    fn serve(&self, source: &mut impl Source, mut at: u64) {
        let mut state = self.lock();
        while !state.over {
            state = match state.take() {
                Some((number, jump, block)) => {
                    drop(state);
                    let from = jump.unwrap_or(at);
                    let state = self.fill(source, number, from, block);
                    at = from.saturating_add(state.read(number));
                    state
                }
                None => self.wait(state),
            };
        }
    }

    /// Fills a block, and puts it in its place if that is still there.
    fn fill(
        &self,
        source: &mut (impl Source + ?Sized),
        number: u64,
        at: u64,
        mut block: Block,
    ) -> MutexGuard<'_, State> {
        let got = uninterrupted(|| source.read_at(at, block.room()));
        let mut state = self.lock();
        let index = number.checked_sub(state.first).and_then(|index| usize::try_from(index).ok());
        if let Some(ask) = index.and_then(|index| state.asks.get_mut(index)) {
            *ask = Ask::Done(block, got);
            if state.waits > 0 {
                self.changed.notify_all();
            }
        }
        state
    }

    fn end(&self) {
        self.lock().over = true;
        self.changed.notify_all();
    }

    /// A panic here leaves nothing half changed.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        state.waits += 1;
        let mut state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        state.waits -= 1;
        state
    }

    /// Lets go of a state that has changed.
    fn changed(&self, state: MutexGuard<'_, State>) {
        let waits = state.waits;
        drop(state);
        if waits > 0 {
            self.changed.notify_all();
        }
    }
}

impl State {
    /// Bytes that were read into the block of this number; none if it is not wanted any more.
    fn read(&self, number: u64) -> u64 {
        let index = number.checked_sub(self.first).and_then(|index| usize::try_from(index).ok());
        match index.and_then(|index| self.asks.get(index)) {
            Some(Ask::Done(_, Ok(got))) => *got as u64,
            _ => 0,
        }
    }
}

/// Marks the reader as gone, also when the source panics.
struct End(Arc<Desk>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl<S> Drop for Readers<S> {
    fn drop(&mut self) {
        self.desk.end();
    }
}

impl<S> fmt::Debug for Readers<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readers").field("wanted", &self.wanted).field("asking", &self.asking).finish_non_exhaustive()
    }
}
