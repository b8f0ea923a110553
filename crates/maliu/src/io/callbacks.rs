//! Closures as a source or a sink: the counterpart of `avio_alloc_context` (IO-2, IO-4, IO-20).
//!
//! A closure's captures replace `opaque`, ownership replaces the rules about who frees the buffer, and which of the two
//! types is used replaces `write_flag`.

use std::io::{self, SeekFrom};

use bytes::{Bytes, BytesMut};
use maliu_core::output::{Edit, Mark, Reach};

use super::{
    BLOCK_SIZE, Sink, Source, accepted, arrive, forward::beyond_reach, in_one_go, overclaimed, sticky::Sticky,
    uninterrupted,
};

type Seek = Box<dyn FnMut(SeekFrom) -> io::Result<u64> + Send>;

/// A source made of closures.
///
/// | the read closure returns | outcome |
/// |---|---|
/// | 1 to `buf.len()` | that number of bytes; fewer than asked is not the end |
/// | 0 | the end of the input |
/// | more than `buf.len()` | `InvalidData`; nothing is taken from that call |
/// | `Interrupted` | it is asked again, [`super::MAX_INTERRUPTS`] times in a row |
/// | `WouldBlock` | "not yet": the reader passes it on, the next call asks again |
/// | any other error | it surfaces once; the next call asks again, from the same offset |
///
/// ```
/// use maliu::{blocking::Reader, io::Callbacks};
/// let mut bytes = &b"..."[..];
/// let source = Callbacks::new(move |buf: &mut [u8]| std::io::Read::read(&mut bytes, buf)).with_block_size(4096);
/// let mut reader = Reader::new(source);
/// assert!(reader.next_event().is_err());
/// ```
pub struct Callbacks<R> {
    read: R,
    seek: Option<Seek>,
    at: Option<u64>,
    block_size: usize,
}

impl<R: FnMut(&mut [u8]) -> io::Result<usize>> Callbacks<R> {
    /// A source that calls `read` for the bytes that follow.
    pub fn new(read: R) -> Self {
        Self { read, seek: None, at: Some(0), block_size: BLOCK_SIZE }
    }

    /// Calls `seek` before reading elsewhere; it returns the new offset. `SeekFrom::End(0)` is asked for the size, and
    /// may fail.
    pub fn with_seek(mut self, seek: impl FnMut(SeekFrom) -> io::Result<u64> + Send + 'static) -> Self {
        self.seek = Some(Box::new(seek));
        self
    }

    /// Asks `read` for `bytes` bytes each time, as devices with fixed blocks want it.
    pub fn with_block_size(mut self, bytes: usize) -> Self {
        self.block_size = bytes.max(1);
        self
    }
}

impl<R: FnMut(&mut [u8]) -> io::Result<usize>> Source for Callbacks<R> {
    fn seekable(&self) -> bool {
        self.seek.is_some()
    }

    fn read_at(&mut self, at: u64, buf: &mut [u8]) -> io::Result<usize> {
        if let Some(seek) = self.seek.as_mut().filter(|_| self.at != Some(at)) {
            self.at = None;
            seek_to(seek, at)?;
            self.at = Some(at);
        }
        let got = (self.read)(buf)?;
        if got > buf.len() {
            // The position of the closure is unknown.
            self.at = None;
            return Err(overclaimed(got, buf.len()));
        }
        self.at = at.checked_add(got as u64);
        Ok(got)
    }

    fn size(&mut self) -> Option<u64> {
        self.at = None;
        let seek = self.seek.as_mut()?;
        seek(SeekFrom::End(0)).ok()
    }

    fn block_size(&self) -> usize {
        self.block_size
    }
}

fn seek_to(seek: &mut Seek, at: u64) -> io::Result<()> {
    arrive(at, || seek(SeekFrom::Start(at)))
}

/// A sink made of closures. The write closure also gets the mark of what it is given; `None` for a patch.
///
/// | the write closure returns | outcome |
/// |---|---|
/// | `buf.len()` | all is written |
/// | 1 to less | the rest is offered again |
/// | 0 | `WriteZero`, final |
/// | more than `buf.len()` | `InvalidData`, final |
/// | `Interrupted` | it is called again, [`super::MAX_INTERRUPTS`] times in a row |
/// | `WouldBlock` | "not yet": `flush` goes on at the same byte |
/// | any other error | final: it is repeated by every later call, the closure is not called again |
///
/// ```
/// use maliu::{io::{Sink, WriteCallbacks}, output::{Edit, Mark, Piece}};
/// let mut sink = WriteCallbacks::new(|bytes: &[u8], mark| {
///     assert_eq!((bytes, mark), (&b"FLV"[..], Some(Mark::Header)));
///     Ok(bytes.len())
/// });
/// sink.apply(Edit::Append(Piece { mark: Mark::Header, parts: vec!["FLV".into()] })).unwrap();
/// ```
pub struct WriteCallbacks<W> {
    write: W,
    seek: Option<Seek>,
    block_size: usize,
    /// Waiting pieces, oldest first, each with the mark of its first byte.
    waiting: BytesMut,
    mark: Option<Mark>,
    end: u64,
    health: Sticky,
}

impl<W: FnMut(&[u8], Option<Mark>) -> io::Result<usize>> WriteCallbacks<W> {
    /// A sink that calls `write` once for every piece.
    pub fn new(write: W) -> Self {
        let health = Sticky::default();
        Self { write, seek: None, block_size: 0, waiting: BytesMut::new(), mark: None, end: 0, health }
    }

    /// Calls `seek` to overwrite bytes; it returns the new offset.
    pub fn with_seek(mut self, seek: impl FnMut(SeekFrom) -> io::Result<u64> + Send + 'static) -> Self {
        self.seek = Some(Box::new(seek));
        self
    }

    /// Gives `write` exactly `bytes` bytes each time, fewer only at a flush; the mark is that of the piece in which the
    /// first of them lies. 0: one call for each piece.
    pub fn with_block_size(mut self, bytes: usize) -> Self {
        self.block_size = bytes;
        self
    }

    fn append(&mut self, mark: Mark, parts: &[Bytes]) -> io::Result<()> {
        // After "not yet" the rest of a piece waits; the next one starts behind it.
        self.write_waiting(self.block_size.max(1))?;
        if self.waiting.is_empty() {
            self.mark = Some(mark);
        }
        parts.iter().for_each(|part| self.waiting.extend_from_slice(part));
        if self.block_size == 0 {
            return self.write_waiting(1);
        }
        while self.waiting.len() >= self.block_size {
            let block = self.block_size;
            self.write_front(block)?;
            self.mark = Some(mark);
        }
        Ok(())
    }

    /// Writes blocks, as long as at least `least` bytes wait.
    fn write_waiting(&mut self, least: usize) -> io::Result<()> {
        while self.waiting.len() >= least {
            let block = if self.block_size == 0 { self.waiting.len() } else { self.block_size.min(self.waiting.len()) };
            self.write_front(block)?;
        }
        Ok(())
    }

    fn write_front(&mut self, mut size: usize) -> io::Result<()> {
        while size > 0 {
            let given = &self.waiting[..size];
            let result = uninterrupted(|| (self.write)(given, self.mark)).and_then(|wrote| accepted(wrote, size));
            let wrote = self.health.keep(result)?;
            let _ = self.waiting.split_to(wrote);
            self.end = self.end.saturating_add(wrote as u64);
            size -= wrote;
        }
        Ok(())
    }

    fn overwrite(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        in_one_go(|| self.write_waiting(1))?;
        let Some(seek) = &mut self.seek else { return self.health.keep(Err(beyond_reach())) };
        let mut patch = || {
            seek_to(seek, at)?;
            let mut rest = bytes;
            while !rest.is_empty() {
                let wrote = in_one_go(|| (self.write)(rest, None))?;
                rest = &rest[accepted(wrote, rest.len())?..];
            }
            seek_to(seek, self.end)
        };
        let done = patch();
        self.health.keep(done)
    }
}

impl<W: FnMut(&[u8], Option<Mark>) -> io::Result<usize>> Sink for WriteCallbacks<W> {
    fn reach(&self) -> Reach {
        if self.seek.is_some() { Reach::Overwrite } else { Reach::Append }
    }

    fn apply(&mut self, edit: Edit) -> io::Result<()> {
        self.health.check()?;
        match edit {
            Edit::Append(piece) => self.append(piece.mark, &piece.parts),
            Edit::Overwrite { at, bytes } => self.overwrite(at, &bytes),
            Edit::Insert { .. } => self.health.keep(Err(beyond_reach())),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.health.check()?;
        self.write_waiting(1)
    }

    fn finish(&mut self) -> io::Result<()> {
        self.flush()
    }
}
