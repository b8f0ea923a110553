//! The damaged input as a file, a slow pipe or memory, and outputs that go nowhere.

use std::io::{self, Cursor, Write};

use bytes::Bytes;
use maliu::io::{Forward, Memory, Seekable, Sink, Source};
use maliu_cli::Places;

use crate::damage::Random;

/// Streams lent to one run.
pub(crate) struct Streams {
    input: Bytes,
    kind: usize,
}

impl Streams {
    /// The kinds of streams are chosen by chance.
    pub(crate) fn new(input: Bytes, random: &mut Random) -> Self {
        Self { input, kind: random.below(6) }
    }
}

impl Places for Streams {
    fn source(&mut self, path: &str) -> Option<io::Result<Box<dyn Source + Send>>> {
        let input = self.input.clone();
        let source: Box<dyn Source + Send> = match self.kind % 3 {
            0 => Box::new(Seekable::new(Cursor::new(input))),
            1 => Box::new(Forward::new(Cursor::new(input))),
            _ => Box::new(Slow(Seekable::new(Cursor::new(input)))),
        };
        (path == "IN").then_some(Ok(source))
    }

    fn sink(&mut self, _: &str) -> Option<io::Result<Box<dyn Sink>>> {
        Some(Ok(match self.kind / 3 {
            0 => Box::new(Forward::new(io::sink())),
            _ => Box::new(Memory::bounded(MOST_WRITTEN)),
        }))
    }

    fn text(&mut self) -> Option<Box<dyn Write>> {
        Some(Box::new(io::sink()))
    }
}

/// Most bytes of an output that are held.
const MOST_WRITTEN: usize = 8 << 20;

/// Gives 1000 bytes at a time.
struct Slow<S>(S);

impl<S: Source> Source for Slow<S> {
    fn seekable(&self) -> bool {
        self.0.seekable()
    }

    fn read_at(&mut self, at: u64, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read_at(at, buf)
    }

    fn size(&mut self) -> Option<u64> {
        self.0.size()
    }

    fn block_size(&self) -> usize {
        1000
    }
}
