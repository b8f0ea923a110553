//! Ctrl-C: the first one ends reading, and what was read so far is written whole; a second one ends everything at once.

use std::{
    io,
    process::exit,
    sync::atomic::{AtomicBool, Ordering},
};

use maliu::io::Source;

static ASKED: AtomicBool = AtomicBool::new(false);
static AT_ONCE: AtomicBool = AtomicBool::new(false);

/// Listens from here on, to a polite request to end, too.
pub fn listen() {
    let asked = || {
        if AT_ONCE.load(Ordering::Relaxed) || ASKED.swap(true, Ordering::Relaxed) {
            exit(BY_SIGNAL);
        }
    };
    // Without a handler Ctrl-C ends the program at once, as it would without this module.
    if let Err(error) = ctrlc::set_handler(asked) {
        tracing::debug!("Ctrl-C ends at once: {error}");
    }
}

/// From here on the first Ctrl-C ends everything: a transfer that goes on later must not be ended as if it were whole.
pub fn at_once() {
    AT_ONCE.store(true, Ordering::Relaxed);
}

/// Whether the user has asked to stop.
pub fn asked() -> bool {
    ASKED.load(Ordering::Relaxed)
}

/// What shells expect of a program that SIGINT has ended.
const BY_SIGNAL: i32 = 130;

/// A source that fails once the user has asked to stop.
pub struct Stoppable<S>(pub S);

impl<S: Source> Source for Stoppable<S> {
    fn seekable(&self) -> bool {
        self.0.seekable()
    }

    fn read_at(&mut self, at: u64, buf: &mut [u8]) -> io::Result<usize> {
        if ASKED.load(Ordering::Relaxed) {
            return Err(io::Error::other("stopped by the user"));
        }
        self.0.read_at(at, buf)
    }

    fn size(&mut self) -> Option<u64> {
        self.0.size()
    }

    fn block_size(&self) -> usize {
        self.0.block_size()
    }
}
