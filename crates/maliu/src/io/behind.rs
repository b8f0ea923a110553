//! A sink that works on a thread of its own, so that making bytes and writing them overlap.
//!
//! ```text
//!   apply, flush, finish ─▶ [step][step]… at most WAITING bytes ─▶ thread ─▶ Sink
//!            ◀────────────── the first error, the outcome of a flush ──────┘
//! ```

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use maliu_core::output::{Edit, Reach};

use super::{Sink, sticky::Sticky};

/// Bytes that wait for the thread before the next change waits for it, too.
pub const WAITING: usize = 1 << 20;

/// How long the thread waits for a sink that said "not yet".
const PAUSE: Duration = Duration::from_millis(1);

/// A sink that takes changes at once and applies them, in order, on a thread of its own. Errors come up with a later call;
/// a flush waits until everything is written. "Not yet" does not come up: the thread waits for the sink.
#[derive(Debug)]
pub struct Behind {
    reach: Reach,
    gathers: usize,
    desk: Arc<Desk>,
    thread: Option<thread::JoinHandle<()>>,
}

/// What both sides see.
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
    /// Nothing follows, or nobody works any more.
    over: bool,
}

#[derive(Debug)]
enum Step {
    Edit(Edit),
    Flush,
    Finish,
}

impl Behind {
    /// Gives `sink` a thread.
    ///
    /// # Errors
    /// Those of the system when it has no thread left.
    pub fn new(sink: impl Sink + Send + 'static) -> io::Result<Self> {
        let (reach, gathers, desk) = (sink.reach(), sink.gathers(), Arc::new(Desk::default()));
        let shared = desk.clone();
        let thread = thread::Builder::new().name("writer".into()).spawn(move || shared.work(sink))?;
        Ok(Self { reach, gathers, desk, thread: Some(thread) })
    }

    /// Hands a step on and waits for its outcome.
    fn ask(&mut self, step: Step) -> io::Result<()> {
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

impl Sink for Behind {
    fn reach(&self) -> Reach {
        self.reach
    }

    fn gathers(&self) -> usize {
        self.gathers
    }

    fn apply(&mut self, edit: Edit) -> io::Result<()> {
        if self.desk.lock().failed {
            return self.ask(Step::Flush);
        }
        self.desk.put(Step::Edit(edit))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.ask(Step::Flush)
    }

    fn finish(&mut self) -> io::Result<()> {
        self.ask(Step::Finish)
    }
}

/// Waits until the sink is dropped as well: what it leaves behind is settled then.
impl Drop for Behind {
    fn drop(&mut self) {
        self.desk.lock().over = true;
        self.desk.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            // A panic of the sink was printed where it happened.
            let _ = thread.join();
        }
    }
}

impl Desk {
    /// Whoever panics here leaves nothing half changed.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
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
        drop(state);
        self.changed.notify_all();
        Ok(())
    }

    /// The thread.
    fn work(&self, mut sink: impl Sink) {
        let _over = Over(self);
        let mut sticky = Sticky::default();
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
            drop(state);
            self.changed.notify_all();
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
    fn size(&self) -> usize {
        match self {
            Self::Edit(Edit::Append(piece)) => piece.len(),
            Self::Edit(Edit::Overwrite { bytes, .. } | Edit::Insert { bytes, .. }) => bytes.len(),
            Self::Flush | Self::Finish => 0,
        }
    }

    /// Whether somebody waits for its outcome.
    fn is_question(&self) -> bool {
        !matches!(self, Self::Edit(_))
    }
}

/// Says that nobody works any more, however the work ended.
struct Over<'a>(&'a Desk);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.lock().over = true;
        self.0.changed.notify_all();
    }
}

fn patiently(sink: &mut impl Sink, step: Step) -> io::Result<()> {
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
fn gone() -> io::Error {
    io::Error::other("the thread that writes has ended")
}

#[cfg(test)]
mod tests;
