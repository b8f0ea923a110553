//! A sink that works on a thread of its own once it is slow, so that making bytes and writing them overlap.
//!
//! ```text
//!   apply, flush, finish ─▶ Here: Sink
//!                     then  There: Desk [step][step]… at most WAITING bytes ─▶ thread ─▶ Sink
//!            ◀──────────── the first error, the outcome of a flush ──────────────┘
//! ```

use std::{
    fmt, io, mem,
    time::{Duration, Instant},
};

use maliu_core::output::{Edit, Reach};

use super::{Sink, sticky::Sticky, tuning::Seal};

mod desk;

use desk::{Step, Thread, gone, patiently};

/// Bytes that wait for the thread before the next change waits for it, too.
pub(super) const WAITING: usize = 1 << 20;

/// Bytes after which it is asked, again and again, whether a thread is worth it.
const AFTER: usize = 2 << 20;

/// A thread is worth it when writing takes more than this part of all time: handing over costs about as much.
const WORTH: u32 = 8;

/// A sink that applies changes in order, on a thread of its own as soon as they are seen to take their time: more than an
/// eighth of all time. Errors may then come up with a later call; a flush waits until everything is written. "Not yet"
/// does not come up: the sink is waited for.
#[derive(Debug)]
pub struct Behind {
    reach: Reach,
    gathers: usize,
    place: Place,
}

/// Where the sink is.
#[derive(Debug)]
enum Place {
    Here(Here),
    There(Thread),
    /// On its way, or lost with its thread.
    Nowhere,
}

/// A sink that has been quick so far.
struct Here {
    sink: Box<dyn Sink + Send>,
    sticky: Sticky,
    begun: Instant,
    spent: Duration,
    bytes: usize,
    /// There is no thread to be had.
    alone: bool,
}

impl Behind {
    /// Gives `sink` a thread when it is worth one. Where the system has none left, it works without.
    pub fn new(sink: impl Sink + Send + 'static) -> Self {
        let (reach, gathers) = (sink.reach(), sink.gathers(Seal));
        Self { reach, gathers, place: Place::Here(Here::new(Box::new(sink))) }
    }

    fn step(&mut self, step: Step) -> io::Result<()> {
        match &mut self.place {
            Place::Here(here) => {
                let more = matches!(step, Step::Edit(_));
                let result = here.step(step);
                // A flush or finish is over, however long it took.
                if more
                    && here.is_slow()
                    && let Place::Here(here) = mem::replace(&mut self.place, Place::Nowhere)
                {
                    self.place = here.leave();
                }
                result
            }
            Place::There(thread) => thread.step(step),
            Place::Nowhere => Err(gone()),
        }
    }
}

impl Sink for Behind {
    fn reach(&self) -> Reach {
        self.reach
    }

    fn gathers(&self, _: Seal) -> usize {
        self.gathers
    }

    fn apply(&mut self, edit: Edit) -> io::Result<()> {
        self.step(Step::Edit(edit))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.step(Step::Flush)
    }

    fn finish(&mut self) -> io::Result<()> {
        self.step(Step::Finish)
    }
}

impl Here {
    fn new(sink: Box<dyn Sink + Send>) -> Self {
        let (begun, spent) = (Instant::now(), Duration::ZERO);
        Self { sink, sticky: Sticky::default(), begun, spent, bytes: 0, alone: false }
    }

    fn step(&mut self, step: Step) -> io::Result<()> {
        let (begun, size) = (Instant::now(), step.size());
        let result = self.sticky.check().and_then(|()| patiently(&mut *self.sink, step));
        self.spent = self.spent.saturating_add(begun.elapsed());
        self.bytes = self.bytes.saturating_add(size);
        self.sticky.keep(result)
    }

    fn is_slow(&self) -> bool {
        self.bytes >= AFTER && !self.alone && self.spent.saturating_mul(WORTH) > self.begun.elapsed()
    }

    /// Moves to a thread, if there is one.
    fn leave(self) -> Place {
        match Thread::with(self.sink, self.sticky) {
            Ok(thread) => Place::There(thread),
            Err(Some((sink, sticky))) => Place::Here(Self { sticky, alone: true, ..Self::new(sink) }),
            Err(None) => Place::Nowhere,
        }
    }
}

impl fmt::Debug for Here {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Here").field("bytes", &self.bytes).field("spent", &self.spent).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
