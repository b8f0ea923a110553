//! A source that still grows: its end counts only when nothing has come for a while.

use std::{
    io, thread,
    time::{Duration, Instant},
};

use super::Source;

/// Waits at the end of a source for more to come, as `tail -f` does.
#[derive(Debug)]
pub struct Follow<S> {
    source: S,
    every: Duration,
    quiet: Option<Duration>,
}

impl<S: Source> Follow<S> {
    /// Follows `source`, looking ten times a second, without limit.
    pub fn new(source: S) -> Self {
        Self { source, every: Duration::from_millis(100), quiet: None }
    }

    /// Looks this often.
    pub fn every(mut self, interval: Duration) -> Self {
        self.every = interval;
        self
    }

    /// Takes the end for the end when nothing has come for this long.
    pub fn until_quiet(mut self, quiet: Duration) -> Self {
        self.quiet = Some(quiet);
        self
    }
}

impl<S: Source> Source for Follow<S> {
    fn seekable(&self) -> bool {
        self.source.seekable()
    }

    fn read_at(&mut self, at: u64, buf: &mut [u8]) -> io::Result<usize> {
        let since = Instant::now();
        loop {
            let got = self.source.read_at(at, buf)?;
            if got > 0 || self.quiet.is_some_and(|quiet| since.elapsed() >= quiet) {
                return Ok(got);
            }
            thread::sleep(self.every);
        }
    }

    /// Unknown: it grows.
    fn size(&mut self) -> Option<u64> {
        None
    }

    fn block_size(&self) -> usize {
        self.source.block_size()
    }
}
