//! The thread of a sink, and the steps that wait for it.

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use maliu_core::output::Edit;

use super::{
    super::{Sink, sticky::Sticky},
    WAITING,
};
use crate::threads;

/// How long the thread waits for a sink that said "not yet".
const PAUSE: Duration = Duration::from_millis(1);

/// A sink, and the errors it has had.
pub(super) type Seat = (Box<dyn Sink + Send>, Sticky);

/// One thing for a sink to do.
#[derive(Debug)]
pub(super) enum Step {
    Edit(Edit),
    Flush,
    Finish,
}

/// The thread with the sink, as its caller sees it.
#[derive(Debug)]
pub(super) struct Thread {
    desk: Arc<Desk>,
    handle: Option<thread::JoinHandle<Option<()>>>,
}

/// State shared by both sides.
#[derive(Debug, Default)]
struct Desk {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    steps: VecDeque<Step>,
    /// In the edits of `steps`.
    bytes: usize,
    /// The outcome of the flush that the caller waits for.
    answer: Option<io::Result<()>>,
    /// Something has failed; nothing is written any more, and every answer is that error.
    failed: bool,
    /// Nothing follows, or the worker has gone.
    over: bool,
    /// Sides that wait for a change: waking costs a system call, also where none waits.
    waits: u32,
}

impl Thread {
    /// Gives a sink a thread.
    ///
    /// # Errors
    /// The sink, when the system has no thread left.
    pub(super) fn with(sink: Box<dyn Sink + Send>, sticky: Sticky) -> Result<Self, Option<Seat>> {
        let desk = Arc::new(Desk::default());
        let shared = desk.clone();
        let handle = threads::spawn("writer", (sink, sticky), move |(sink, sticky)| shared.work(sink, sticky))?;
        Ok(Self { desk, handle: Some(handle) })
    }

    /// Hands a step on, and waits for its outcome if it is a question or something has failed.
    pub(super) fn step(&self, step: Step) -> io::Result<()> {
        match step {
            Step::Edit(_) if self.desk.lock().failed => self.ask(Step::Flush),
            Step::Edit(_) => self.desk.put(step),
            Step::Flush | Step::Finish => self.ask(step),
        }
    }

    fn ask(&self, step: Step) -> io::Result<()> {
        self.desk.put(step)?;
        let mut state = self.desk.lock();
        loop {
            if let Some(answer) = state.answer.take() {
                return answer;
            }
            if state.over {
                return Err(gone());
            }
            state = self.desk.wait(state);
        }
    }
}

/// Waits until the sink is dropped as well: what it leaves behind is settled then.
impl Drop for Thread {
    fn drop(&mut self) {
        self.desk.lock().over = true;
        self.desk.changed.notify_all();
        if let Some(handle) = self.handle.take() {
            // A panic of the sink was printed where it happened.
            let _ = handle.join();
        }
    }
}

impl Desk {
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

    /// Waits for room, then adds a step. One that is larger than all room goes alone.
    fn put(&self, step: Step) -> io::Result<()> {
        let size = step.size();
        let mut state = self.lock();
        while state.bytes > 0 && state.bytes.saturating_add(size) > WAITING && !state.over {
            state = self.wait(state);
        }
        if state.over {
            return Err(gone());
        }
        state.bytes = state.bytes.saturating_add(size);
        state.steps.push_back(step);
        self.changed(state);
        Ok(())
    }

    /// The thread.
    fn work(&self, mut sink: Box<dyn Sink + Send>, mut sticky: Sticky) {
        let _over = Over(self);
        while let Some(step) = self.next() {
            let (size, asked) = (step.size(), step.is_question());
            let result = sticky.check().and_then(|()| patiently(&mut sink, step));
            let result = sticky.keep(result);
            let mut state = self.lock();
            state.bytes = state.bytes.saturating_sub(size);
            state.failed |= result.is_err();
            if asked {
                state.answer = Some(result);
            }
            self.changed(state);
        }
    }

    /// The next step; `None` when none follows.
    fn next(&self) -> Option<Step> {
        let mut state = self.lock();
        loop {
            match state.steps.pop_front() {
                Some(step) => return Some(step),
                None if state.over => return None,
                None => state = self.wait(state),
            }
        }
    }
}

impl Step {
    /// Bytes that it writes.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Edit(Edit::Append(piece)) => piece.len(),
            Self::Edit(Edit::Overwrite { bytes, .. } | Edit::Insert { bytes, .. }) => bytes.len(),
            Self::Flush | Self::Finish => 0,
        }
    }

    /// Whether its outcome is waited for.
    fn is_question(&self) -> bool {
        !matches!(self, Self::Edit(_))
    }
}

/// Marks the worker as gone, however the work ended.
struct Over<'a>(&'a Desk);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.lock().over = true;
        self.0.changed.notify_all();
    }
}

/// Takes a step, and waits for a sink that says "not yet".
pub(super) fn patiently(sink: &mut dyn Sink, step: Step) -> io::Result<()> {
    let finish = matches!(step, Step::Finish);
    let mut result = match step {
        Step::Edit(edit) => sink.apply(edit),
        Step::Flush => sink.flush(),
        Step::Finish => sink.finish(),
    };
    while result.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock) {
        thread::sleep(PAUSE);
        result = if finish { sink.finish() } else { sink.flush() };
    }
    result
}

/// The sink has panicked.
pub(super) fn gone() -> io::Error {
    io::Error::other("the thread that writes has ended")
}
