//! A sink in memory, which can be overwritten and inserted into.

use std::io;

use maliu_core::output::{Edit, Reach};

use super::Sink;

/// Bytes written so far, bounded if asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Memory {
    bytes: Vec<u8>,
    most: usize,
}

impl Default for Memory {
    fn default() -> Self {
        Self { bytes: Vec::new(), most: usize::MAX }
    }
}

impl Memory {
    /// An empty sink without a limit of its own.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty sink that fails with `StorageFull` rather than hold more than `most` bytes.
    pub fn bounded(most: usize) -> Self {
        Self { bytes: Vec::new(), most }
    }

    /// Bytes that were written.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Bytes that were written, to keep.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    fn room_for(&self, more: usize) -> io::Result<()> {
        match self.bytes.len().checked_add(more) {
            Some(len) if len <= self.most => Ok(()),
            _ => Err(io::ErrorKind::StorageFull.into()),
        }
    }

    fn index(&self, at: u64) -> io::Result<usize> {
        usize::try_from(at).ok().filter(|at| *at <= self.bytes.len()).ok_or(io::ErrorKind::InvalidInput.into())
    }
}

impl Sink for Memory {
    fn reach(&self) -> Reach {
        Reach::Insert
    }

    fn apply(&mut self, edit: Edit) -> io::Result<()> {
        match edit {
            Edit::Append(piece) => {
                self.room_for(piece.len())?;
                piece.parts.iter().for_each(|part| self.bytes.extend_from_slice(part));
            }
            Edit::Overwrite { at, bytes } => {
                let at = self.index(at)?;
                let kept = bytes.len().min(self.bytes.len() - at);
                self.room_for(bytes.len() - kept)?;
                self.bytes.splice(at..at + kept, bytes);
            }
            Edit::Insert { at, bytes } => {
                let at = self.index(at)?;
                self.room_for(bytes.len())?;
                self.bytes.splice(at..at, bytes);
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use maliu_core::output::{Mark, Piece};

    #[test]
    fn edits_do_what_they_say_within_the_bound() {
        let mut memory = Memory::bounded(8);
        let piece = Piece { mark: Mark::Header, parts: vec![Bytes::from_static(b"ab"), Bytes::from_static(b"cd")] };
        memory.apply(Edit::Append(piece)).unwrap();
        memory.apply(Edit::Overwrite { at: 1, bytes: Bytes::from_static(b"BC") }).unwrap();
        memory.apply(Edit::Insert { at: 2, bytes: Bytes::from_static(b"--") }).unwrap();
        assert_eq!(memory.bytes(), b"aB--Cd");
        let error = memory.apply(Edit::Insert { at: 0, bytes: Bytes::from_static(b"xyz") }).unwrap_err();
        assert_eq!((error.kind(), memory.bytes()), (io::ErrorKind::StorageFull, &b"aB--Cd"[..]));
    }
}
