//! Any `Read + Seek` as a source, any `Write + Seek` as a sink that overwrites, any of all three as one that inserts.

use std::io::{self, Read, Seek, SeekFrom, Write};

use bytes::Bytes;
use maliu_core::{
    input::Block,
    output::{Edit, Reach},
};

use super::{
    BLOCK_SIZE, Sink, Source, accepted, arrive,
    forward::beyond_reach,
    gather::Gather,
    in_one_go, overclaimed,
    tuning::{Seal, Tuning},
};

/// A stream that can be sought. Offsets count from its start.
#[derive(Debug)]
pub struct Seekable<T> {
    inner: T,
    /// Where the stream stands; `None` when a failed call left that unknown.
    at: Option<u64>,
    /// As a sink: bytes taken so far.
    end: u64,
    gather: Gather,
}

impl<T> Seekable<T> {
    /// A source or a sink over `inner`, which a sink takes to be empty.
    pub fn new(inner: T) -> Self {
        Self { inner, at: None, end: 0, gather: Gather::default() }
    }

    /// As a sink: gathers this many bytes before each write; 0 writes every piece at once.
    pub fn with_block_size(mut self, bytes: usize) -> Self {
        self.gather.block_size = bytes;
        self
    }

    /// The stream. Unflushed data of a sink is discarded.
    pub fn into_inner(self) -> T {
        self.inner
    }

    pub(super) fn gather(&mut self) -> &mut Gather {
        &mut self.gather
    }

    /// The stream, to look at.
    pub fn inner(&self) -> &T {
        &self.inner
    }
}

impl<T: Seek> Seekable<T> {
    fn stand_at(&mut self, at: u64) -> io::Result<()> {
        if self.at != Some(at) {
            self.at = None;
            arrive(at, || self.inner.seek(SeekFrom::Start(at)))?;
            self.at = Some(at);
        }
        Ok(())
    }
}

impl<T: Read + Seek> Source for Seekable<T> {
    fn seekable(&self) -> bool {
        true
    }

    fn read_at(&mut self, at: u64, buf: &mut [u8]) -> io::Result<usize> {
        self.stand_at(at)?;
        let got = self.inner.read(buf)?;
        self.at = at.checked_add(got as u64);
        Ok(got)
    }

    fn size(&mut self) -> Option<u64> {
        self.at = None;
        self.inner.seek(SeekFrom::End(0)).ok()
    }
}

impl<T: Write + Seek> Seekable<T> {
    fn append(&mut self, piece: maliu_core::output::Piece) -> io::Result<()> {
        self.gather.check()?;
        self.end = self.end.saturating_add(piece.len() as u64);
        if self.gather.push(piece) { self.write_gathered() } else { Ok(()) }
    }

    fn write_gathered(&mut self) -> io::Result<()> {
        if self.at.is_none() {
            let start = self.stand_at(0);
            self.gather.keep(start)?;
        }
        self.gather.write(&mut self.inner)?;
        self.at = Some(self.end);
        Ok(())
    }

    fn overwrite(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        in_one_go(|| self.write_gathered())?;
        let done = self.put(at, bytes).and_then(|()| {
            self.end = self.end.max(at.saturating_add(bytes.len() as u64));
            in_one_go(|| self.stand_at(self.end))
        });
        self.gather.keep(done)
    }

    fn put(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        in_one_go(|| self.stand_at(at))?;
        let mut rest = bytes;
        while !rest.is_empty() {
            let wrote = in_one_go(|| self.inner.write(rest))?;
            rest = &rest[accepted(wrote, rest.len())?..];
        }
        self.at = at.checked_add(bytes.len() as u64);
        Ok(())
    }
}

impl<T: Read + Write + Seek> Seekable<T> {
    /// Moves the tail back block by block, the last block first, then puts `bytes` into the gap.
    fn insert(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        in_one_go(|| self.write_gathered())?;
        let done = self.make_room(at, bytes.len() as u64).and_then(|()| self.put(at, bytes));
        let done = done.and_then(|()| {
            self.end = self.end.saturating_add(bytes.len() as u64);
            in_one_go(|| self.stand_at(self.end))
        });
        self.gather.keep(done)
    }

    fn make_room(&mut self, at: u64, by: u64) -> io::Result<()> {
        let mut block = vec![0; BLOCK_SIZE];
        let mut rest = self.end.saturating_sub(at);
        while rest > 0 {
            let size = rest.min(BLOCK_SIZE as u64);
            rest -= size;
            let from = at + rest;
            let block = &mut block[..size as usize];
            in_one_go(|| self.stand_at(from))?;
            self.at = None;
            self.read_back(block)?;
            self.put(from.saturating_add(by), block)?;
        }
        Ok(())
    }

    fn read_back(&mut self, block: &mut [u8]) -> io::Result<()> {
        let mut rest = block;
        while !rest.is_empty() {
            match in_one_go(|| self.inner.read(rest))? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                got if got > rest.len() => return Err(overclaimed(got, rest.len())),
                got => rest = &mut rest[got..],
            }
        }
        Ok(())
    }
}

impl<T: Write + Seek> Sink for Seekable<T> {
    fn reach(&self) -> Reach {
        Reach::Overwrite
    }

    fn gathers(&self, _: Seal) -> usize {
        self.gather.block_size
    }

    fn apply(&mut self, edit: Edit) -> io::Result<()> {
        match edit {
            Edit::Append(piece) => self.append(piece),
            Edit::Overwrite { at, bytes } => self.overwrite(at, &bytes),
            Edit::Insert { .. } => self.gather.keep(Err(beyond_reach())),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.write_gathered()?;
        self.inner.flush()
    }

    fn finish(&mut self) -> io::Result<()> {
        self.flush()
    }
}

/// A stream that can be sought and read back, so that bytes can be inserted. Memory stays bounded by one block.
#[derive(Debug)]
pub struct Editable<T>(Seekable<T>);

impl<T> Editable<T> {
    /// A sink over `inner`, which it takes to be empty.
    pub fn new(inner: T) -> Self {
        Self(Seekable::new(inner))
    }

    /// Gathers this many bytes before each write; 0 writes every piece at once.
    pub fn with_block_size(self, bytes: usize) -> Self {
        Self(self.0.with_block_size(bytes))
    }

    /// The stream. Unflushed data is discarded.
    pub fn into_inner(self) -> T {
        self.0.inner
    }

    pub(super) fn gather(&mut self) -> &mut Gather {
        &mut self.0.gather
    }

    /// The stream, to look at.
    pub fn inner(&self) -> &T {
        &self.0.inner
    }
}

impl<T: Read + Write + Seek> Sink for Editable<T> {
    fn reach(&self) -> Reach {
        Reach::Insert
    }

    fn gathers(&self, _: Seal) -> usize {
        self.0.gathers(Seal)
    }

    fn apply(&mut self, edit: Edit) -> io::Result<()> {
        match edit {
            Edit::Insert { at, bytes } => self.0.insert(at, &bytes),
            edit => self.0.apply(edit),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }

    fn finish(&mut self) -> io::Result<()> {
        self.flush()
    }
}

impl Source for Bytes {
    fn seekable(&self) -> bool {
        true
    }

    fn read_at(&mut self, at: u64, buf: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(at).ok().and_then(|at| self.get(at..)).unwrap_or_default();
        let got = rest.len().min(buf.len());
        buf[..got].copy_from_slice(&rest[..got]);
        Ok(got)
    }

    fn size(&mut self) -> Option<u64> {
        Some(self.len() as u64)
    }

    fn tuning(&mut self, _: Seal) -> Option<&mut dyn Tuning> {
        Some(self)
    }
}

impl Tuning for Bytes {
    fn share(&mut self, at: u64) -> Option<Bytes> {
        let at = usize::try_from(at).map_or(self.len(), |at| at.min(self.len()));
        Some(self.slice(at..))
    }

    fn reads_blocks(&mut self) -> bool {
        false
    }

    fn read_block(&mut self, at: u64, block: &mut Block) -> io::Result<usize> {
        self.read_at(at, block.room())
    }

    fn twin(&mut self) -> Option<Box<dyn Source + Send>> {
        Some(Box::new(self.clone()))
    }

    fn settle(&mut self) {}
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use maliu_core::output::{Mark, Piece};

    fn append(bytes: Vec<u8>) -> Edit {
        Edit::Append(Piece { mark: Mark::Header, parts: vec![bytes.into()] })
    }

    #[test]
    fn inserts_move_tails_longer_than_a_block() {
        let body: Vec<u8> = (0..BLOCK_SIZE * 2 + 777).map(|i| (i * 7) as u8).collect();
        let mut sink = Editable::new(Cursor::new(Vec::new()));
        sink.apply(append(b"head".to_vec())).unwrap();
        sink.apply(append(body.clone())).unwrap();
        sink.apply(Edit::Insert { at: 4, bytes: Bytes::from_static(b"index") }).unwrap();
        sink.apply(Edit::Overwrite { at: 0, bytes: Bytes::from_static(b"H") }).unwrap();
        sink.apply(append(b"tail".to_vec())).unwrap();
        sink.flush().unwrap();
        let expected = [b"Headindex", body.as_slice(), b"tail"].concat();
        assert!(sink.into_inner().into_inner() == expected);
    }

    #[test]
    fn inserting_is_refused_where_reading_back_is_impossible() {
        let mut sink = Seekable::new(Cursor::new(Vec::new()));
        sink.apply(append(b"head".to_vec())).unwrap();
        assert!(sink.apply(Edit::Insert { at: 0, bytes: Bytes::from_static(b"x") }).is_err());
        assert!(sink.flush().is_err(), "an error is final");
    }

    #[test]
    fn reads_come_from_where_they_are_asked() {
        let mut source = Seekable::new(Cursor::new(b"0123456789"));
        let mut buf = [0; 2];
        for at in [0, 2, 7, 1] {
            source.read_at(at, &mut buf).unwrap();
            assert_eq!(u64::from(buf[0] - b'0'), at);
        }
        assert_eq!((source.size(), source.read_at(10, &mut buf).unwrap()), (Some(10), 0));
    }
}
