//! Any `Read` as a source, any `Write` as a sink, in one direction only: pipes, sockets, decompressors.

use std::io::{self, Read, Write};

use maliu_core::output::{Edit, Reach};

use super::{Sink, Source, gather::Gather, tuning::Seal};

/// A stream that only moves forward.
///
/// ```
/// use maliu::io::{Forward, Source};
/// let mut source = Forward::new(&b"abc"[..]);
/// assert!(!source.seekable());
/// assert_eq!(source.read_at(0, &mut [0; 8]).unwrap(), 3);
/// ```
#[derive(Debug)]
pub struct Forward<T> {
    inner: T,
    gather: Gather,
}

impl<T> Forward<T> {
    /// A source or a sink over `inner`.
    pub fn new(inner: T) -> Self {
        Self { inner, gather: Gather::default() }
    }

    /// As a sink: gathers this many bytes before each write; 0 writes every piece at once.
    pub fn with_block_size(mut self, bytes: usize) -> Self {
        self.gather.block_size = bytes;
        self
    }

    pub(super) fn gather(&mut self) -> &mut Gather {
        &mut self.gather
    }

    /// The stream, to look at.
    pub fn inner(&self) -> &T {
        &self.inner
    }

    /// The stream, to change: to close it, once a sink is flushed.
    pub fn inner_mut(&mut self) -> &mut T {
        &mut self.inner
    }

    /// The stream. Unflushed data of a sink is discarded.
    pub fn into_inner(self) -> T {
        self.inner
    }
}

impl<T: Read> Source for Forward<T> {
    fn seekable(&self) -> bool {
        false
    }
    fn read_at(&mut self, _at: u64, buf: &mut [u8]) -> io::Result<usize> {
        self.inner.read(buf)
    }
}

impl<T: Write> Sink for Forward<T> {
    fn reach(&self) -> Reach {
        Reach::Append
    }

    fn gathers(&self, _: Seal) -> usize {
        self.gather.block_size
    }

    fn apply(&mut self, edit: Edit) -> io::Result<()> {
        self.gather.check()?;
        match edit {
            Edit::Append(piece) => match self.gather.push(piece) {
                true => self.gather.write(&mut self.inner),
                false => Ok(()),
            },
            Edit::Overwrite { .. } | Edit::Insert { .. } => self.gather.keep(Err(beyond_reach())),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.gather.write(&mut self.inner)?;
        self.inner.flush()
    }

    fn finish(&mut self) -> io::Result<()> {
        self.flush()
    }
}

/// The error of an edit that the sink's reach excludes.
pub(super) fn beyond_reach() -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, "this output cannot change bytes already written")
}
