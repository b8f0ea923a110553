//! An assembly line: batches go through stages in their order, several batches at a time.
//!
//! ```text
//! push ─▶ waiting ─▶ stage ─▶ waiting ─▶ stage ─▶ … ─▶ finished ─▶ take
//! ```
//!
//! A stage has one worker, which then sees every batch in order, or several, which see one batch each. Threads take the
//! latest stage that has both a batch and a worker, and so does the caller instead of waiting: which thread does what
//! never shows in the result. The first stage waits while the work that it has let through and the caller has not taken
//! weighs too much, and may leave some of a batch for another round.

use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
};

/// One of those who do what a stage does.
pub(super) trait Worker<B>: Send {
    fn work(&mut self, batch: &mut B);
}

/// Item that goes along a line.
pub(super) trait Load {
    /// How many common ones it weighs as much as, known when the first stage is done with it.
    fn load(&self) -> usize;

    /// Whether the first stage has left some of it for another round, which begins when this one ends, before any other
    /// batch. Only where the first stage has one worker.
    fn again(&self) -> bool;
}

/// The workers of each stage.
pub(super) type Stages<B> = Vec<Vec<Box<dyn Worker<B>>>>;

/// A line of stages and the threads that serve it.
pub(super) struct Line<B> {
    shared: Arc<Shared<B>>,
    threads: Vec<JoinHandle<()>>,
    /// Threads to start with the first batch.
    wanted: usize,
    pushed: u64,
    taken: u64,
}

struct Shared<B> {
    state: Mutex<State<B>>,
    changed: Condvar,
}

struct State<B> {
    stages: Vec<Stage<B>>,
    finished: BTreeMap<u64, B>,
    /// Of batches that are done with the first stage and not taken, and from where on it waits.
    load: usize,
    most: usize,
    /// Threads that wait for something to do.
    asleep: usize,
    /// No more work is wanted.
    closed: bool,
    /// A thread has panicked.
    broken: bool,
}

struct Stage<B> {
    waiting: BTreeMap<u64, B>,
    idle: Vec<Box<dyn Worker<B>>>,
    /// The batch that is to be taken next.
    next: u64,
}

struct Job<B> {
    stage: usize,
    number: u64,
    batch: B,
    worker: Box<dyn Worker<B>>,
}

impl<B: Load + Send + 'static> Line<B> {
    /// A line of these stages, each with its workers, served by `threads` threads: the caller is one of them. At most
    /// `load` is on it, and one batch more.
    pub(super) fn new(stages: Stages<B>, threads: NonZeroUsize, load: NonZeroUsize) -> Self {
        let workers = stages.iter().map(Vec::len).sum::<usize>().max(1);
        let stages = stages.into_iter().map(|idle| Stage { waiting: BTreeMap::new(), idle, next: 0 });
        let state = State {
            stages: stages.collect(),
            finished: BTreeMap::new(),
            load: 0,
            most: load.get(),
            asleep: 0,
            closed: false,
            broken: false,
        };
        Self {
            shared: Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() }),
            threads: Vec::new(),
            wanted: threads.get().min(workers) - 1,
            pushed: 0,
            taken: 0,
        }
    }

    /// Puts a batch on the line.
    pub(super) fn push(&mut self, batch: B) {
        while self.threads.len() < self.wanted {
            let shared = self.shared.clone();
            match std::thread::Builder::new().name("maliu-decode".to_owned()).spawn(move || serve(&shared)) {
                Ok(thread) => self.threads.push(thread),
                // Without more threads the line is slower, not wrong.
                Err(_) => self.wanted = self.threads.len(),
            }
        }
        let mut state = self.shared.lock();
        let next = match state.stages.first_mut() {
            Some(stage) => &mut stage.waiting,
            None => {
                state.load += batch.load();
                &mut state.finished
            }
        };
        next.insert(self.pushed, batch);
        self.pushed += 1;
        self.shared.wake(&state);
    }

    /// Batches on the line.
    pub(super) fn len(&self) -> u64 {
        self.pushed - self.taken
    }

    /// The oldest batch, if it is finished.
    pub(super) fn poll(&mut self) -> Option<B> {
        let mut state = self.shared.lock();
        let batch = state.finished.remove(&self.taken)?;
        self.taken += 1;
        self.shared.unload(&mut state, &batch);
        Some(batch)
    }

    /// The oldest batch, worked on and waited for; `None` when there is none.
    pub(super) fn take(&mut self) -> Option<B> {
        let mut state = self.shared.lock();
        while self.taken < self.pushed {
            if let Some(batch) = state.finished.remove(&self.taken) {
                self.taken += 1;
                self.shared.unload(&mut state, &batch);
                return Some(batch);
            }
            assert!(!state.broken, "a decoding thread has panicked");
            state = match state.job() {
                Some(job) => self.shared.work(state, job),
                None => self.shared.sleep(state),
            };
        }
        None
    }
}

impl<B> Drop for Line<B> {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_all();
        for thread in self.threads.drain(..) {
            // A panic was reported to the taker of a batch.
            let _ = thread.join();
        }
    }
}

/// Work of a thread until the line is closed.
fn serve<B: Load + Send>(shared: &Shared<B>) {
    let alarm = Alarm(shared);
    let mut state = shared.lock();
    while !state.closed {
        state = match state.job() {
            Some(job) => shared.work(state, job),
            None => shared.sleep(state),
        };
    }
    drop(state);
    drop(alarm);
}

/// Wakes all threads when its own panics, so that none waits without end.
struct Alarm<'a, B>(&'a Shared<B>);

impl<B> Drop for Alarm<'_, B> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.lock().broken = true;
            self.0.changed.notify_all();
        }
    }
}

impl<B> Shared<B> {
    /// No worker runs under the lock, so that a panic leaves the state whole.
    fn lock(&self) -> MutexGuard<'_, State<B>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self, state: &State<B>) {
        if state.asleep > 0 {
            self.changed.notify_all();
        }
    }

    fn sleep<'a>(&'a self, mut state: MutexGuard<'a, State<B>>) -> MutexGuard<'a, State<B>> {
        state.asleep += 1;
        let mut state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        state.asleep -= 1;
        state
    }
}

impl<B: Load> Shared<B> {
    /// A batch is taken.
    fn unload(&self, state: &mut State<B>, batch: &B) {
        let waits = state.waits();
        state.load -= batch.load();
        if waits && !state.waits() {
            self.wake(state);
        }
    }

    fn work<'a>(&'a self, state: MutexGuard<'a, State<B>>, mut job: Job<B>) -> MutexGuard<'a, State<B>> {
        drop(state);
        job.worker.work(&mut job.batch);
        let mut state = self.lock();
        state.put(job);
        self.wake(&state);
        state
    }
}

impl<B: Load> State<B> {
    /// Whether the first stage has something to do and is not to do it now.
    fn waits(&self) -> bool {
        self.load >= self.most && self.stages.first().is_some_and(|stage| !stage.waiting.is_empty())
    }

    /// Work that can be done now, the latest stage first.
    fn job(&mut self) -> Option<Job<B>> {
        for (index, stage) in self.stages.iter_mut().enumerate().rev() {
            if stage.idle.is_empty() || (index == 0 && self.load >= self.most) {
                continue;
            }
            let Some(batch) = stage.waiting.remove(&stage.next) else { continue };
            let Some(worker) = stage.idle.pop() else { continue };
            stage.next += 1;
            return Some(Job { stage: index, number: stage.next - 1, batch, worker });
        }
        None
    }

    /// A job is done.
    fn put(&mut self, job: Job<B>) {
        let Job { stage, number, batch, worker } = job;
        let again = batch.again();
        if let Some(stage) = self.stages.get_mut(stage) {
            stage.idle.push(worker);
            if again {
                stage.next = number;
            }
        }
        if stage == 0 {
            self.load += batch.load();
        }
        let last = stage + 1 == self.stages.len();
        if last && again {
            self.load -= batch.load();
        }
        let next = match self.stages.get_mut(if last { 0 } else { stage + 1 }) {
            Some(stage) if again || !last => &mut stage.waiting,
            _ => &mut self.finished,
        };
        next.insert(number, batch);
    }
}

#[cfg(test)]
mod tests;
