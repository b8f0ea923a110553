//! A source that cannot go back, made seekable: what was read is kept, first in memory, then in a temporary file.
//!
//! ```text
//!   read_at(at) ─▶ kept? ─ yes ─▶ memory │ temporary file
//!                    └─ no ─▶ read on up to `at`, keeping everything ─▶ Source
//! ```

use std::{
    env, fmt,
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    process,
    sync::atomic::{AtomicU64, Ordering},
};

use bytes::Bytes;
use maliu_core::input::Block;

use super::{
    BLOCK_SIZE, Source, is_not_yet, overclaimed, patiently,
    tuning::{Seal, Tuning},
    uninterrupted,
};

mod need;

use need::Need;

/// Bytes that are kept in memory; with more of them everything goes to a temporary file.
pub(super) const IN_MEMORY: usize = 64 << 20;

/// Most bytes that are kept in the file.
pub(super) const MAX_SPOOLED: u64 = 64 << 30;

/// A source of which every byte that was read can be read again.
pub struct Spooled<S> {
    source: S,
    memory: Vec<u8>,
    file: Option<File>,
    /// Bytes kept so far.
    kept: u64,
    ended: bool,
    /// Nothing more is kept: the source passes as it is, behind what `memory` still holds of its front.
    passes: bool,
}

impl<S> fmt::Debug for Spooled<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spooled").field("kept", &self.kept).field("in_file", &self.file.is_some()).finish()
    }
}

impl<S: Source> Spooled<S> {
    /// Keeps what is read from `source`, which is asked for consecutive offsets from 0 on.
    pub fn new(source: S) -> Self {
        Self { source, memory: Vec::new(), file: None, kept: 0, ended: false, passes: false }
    }

    /// Keeps what is read only where it must be read twice: of an MP4 file whose media stand in front of its index. The
    /// boxes at the front are read at once to find that out; other sources pass as they are, with whether they can be
    /// sought.
    pub fn where_needed(source: S) -> Self {
        let mut spooled = Self::new(source);
        spooled.passes = spooled.source.seekable();
        while !spooled.passes {
            match need::of(&spooled.memory) {
                Need::Spool => break,
                Need::No => spooled.passes = true,
                // An error comes again, or goes away, with the next read.
                Need::More => match patiently(|| uninterrupted(|| spooled.read_on()), is_not_yet) {
                    Ok(()) if !spooled.ended => {}
                    _ => spooled.passes = true,
                },
            }
        }
        spooled
    }

    /// Reads one block more.
    fn read_on(&mut self) -> io::Result<()> {
        if self.kept >= MAX_SPOOLED {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("more than {MAX_SPOOLED} bytes to keep")));
        }
        let mut block = vec![0; self.source.block_size().clamp(1, BLOCK_SIZE)];
        let got = self.source.read_at(self.kept, &mut block)?;
        if got > block.len() {
            return Err(overclaimed(got, block.len()));
        }
        let got = block.get(..got).unwrap_or_default();
        self.ended = got.is_empty();
        if self.file.is_none() && self.memory.len().saturating_add(got.len()) > IN_MEMORY {
            let mut file = temporary()?;
            file.write_all(&self.memory)?;
            (self.memory, self.file) = (Vec::new(), Some(file));
        }
        match &mut self.file {
            Some(file) => {
                file.seek(SeekFrom::Start(self.kept))?;
                file.write_all(got)?;
            }
            None => self.memory.extend_from_slice(got),
        }
        self.kept += got.len() as u64;
        Ok(())
    }
}

impl<S: Source> Source for Spooled<S> {
    fn seekable(&self) -> bool {
        !self.passes || self.source.seekable()
    }

    fn read_at(&mut self, at: u64, buf: &mut [u8]) -> io::Result<usize> {
        if self.passes && at >= self.kept {
            self.memory = Vec::new();
            return self.source.read_at(at, buf);
        }
        while at >= self.kept && !self.ended {
            self.read_on()?;
        }
        let there = usize::try_from(self.kept.saturating_sub(at)).unwrap_or(usize::MAX).min(buf.len());
        let Some(buf) = buf.get_mut(..there).filter(|buf| !buf.is_empty()) else { return Ok(0) };
        match &mut self.file {
            Some(file) => {
                file.seek(SeekFrom::Start(at))?;
                file.read(buf)
            }
            None => {
                let from = usize::try_from(at).unwrap_or(usize::MAX);
                let kept = self.memory.get(from..).and_then(|rest| rest.get(..there)).unwrap_or_default();
                buf.get_mut(..kept.len()).unwrap_or_default().copy_from_slice(kept);
                Ok(kept.len())
            }
        }
    }

    /// The length is known once the end was met.
    fn size(&mut self) -> Option<u64> {
        if self.passes { self.source.size() } else { self.ended.then_some(self.kept) }
    }

    fn block_size(&self) -> usize {
        self.source.block_size()
    }

    fn tuning(&mut self, _: Seal) -> Option<&mut dyn Tuning> {
        Some(self)
    }
}

/// Those of the source once the front that was looked at has been read.
impl<S: Source> Tuning for Spooled<S> {
    fn share(&mut self, at: u64) -> Option<Bytes> {
        if self.passes && at >= self.kept { self.source.tuning(Seal)?.share(at) } else { None }
    }

    fn reads_blocks(&mut self) -> bool {
        self.passes && self.memory.is_empty() && self.source.tuning(Seal).is_some_and(Tuning::reads_blocks)
    }

    fn read_block(&mut self, at: u64, block: &mut Block) -> io::Result<usize> {
        match self.source.tuning(Seal) {
            Some(tuning) if self.passes && at >= self.kept => tuning.read_block(at, block),
            _ => self.read_at(at, block.room()),
        }
    }

    fn twin(&mut self) -> Option<Box<dyn Source + Send>> {
        None
    }

    fn settle(&mut self) {
        if let Some(tuning) = self.source.tuning(Seal) {
            tuning.settle();
        }
    }
}

/// A file that is gone with its handle where the system allows it.
fn temporary() -> io::Result<File> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    loop {
        let name = format!(".maliu-spool-{}-{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = env::temp_dir().join(name);
        match OpenOptions::new().read(true).write(true).create_new(true).open(&path) {
            Ok(file) => {
                let _ = fs::remove_file(&path);
                return Ok(file);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that count, and cannot be read twice.
    struct Pipe {
        at: u64,
        size: u64,
    }

    impl Source for Pipe {
        fn seekable(&self) -> bool {
            false
        }

        fn read_at(&mut self, at: u64, buf: &mut [u8]) -> io::Result<usize> {
            assert_eq!(at, self.at, "in order");
            let got = usize::try_from(self.size - at).unwrap().min(buf.len());
            for (byte, n) in buf.iter_mut().zip(at..self.size) {
                *byte = (n % 251) as u8;
            }
            self.at += got as u64;
            Ok(got)
        }
    }

    #[test]
    fn every_offset_can_be_read_again_from_memory_and_from_the_file() {
        for size in [0, 1000, IN_MEMORY as u64 + 3_000_000] {
            let mut spooled = Spooled::new(Pipe { at: 0, size });
            assert_eq!(spooled.size(), None);
            for at in [0, 10, size / 2, size.saturating_sub(1), 0, size, size + 5] {
                let mut buf = [0; 3];
                let got = spooled.read_at(at, &mut buf).unwrap();
                let expected: Vec<u8> = (at..size).take(got).map(|n| (n % 251) as u8).collect();
                assert_eq!(buf[..got], expected, "{at} of {size}");
                assert_eq!(got == 0, at >= size, "{at} of {size}");
            }
            assert_eq!(spooled.size(), Some(size));
            assert_eq!(spooled.file.is_some(), size > IN_MEMORY as u64);
        }
    }
    /// A file that can only be read forward.
    fn pipe(bytes: &'static [u8]) -> Spooled<super::super::Forward<&'static [u8]>> {
        Spooled::where_needed(super::super::Forward::new(bytes))
    }

    #[test]
    fn only_media_in_front_of_their_index_are_kept() {
        let cases: [(&[u8], bool); 8] = [
            (b"", false),
            (b"FLV\x01\x05\0\0\0\x09\0\0\0\0", false),
            (b"\0\0\0\x10ftypisom\0\0\0\0\0\0\0\x08moov", false),
            (b"\0\0\0\x10ftypisom\0\0\0\0\0\0\0\x08moof", false),
            (b"\0\0\0\x10ftypisom\0\0\0\0\0\0\0\x08free\0\0\0\x09mdatx", true),
            (b"\0\0\0\x08wide\0\0\0\0mdat", true),
            (b"\0\0\0\x10ftypisom", false),
            (b"\0\0\0\x10abcdisom\0\0\0\0\0\0\0\x09mdatx", false),
        ];
        for (bytes, kept) in cases {
            let mut spooled = pipe(bytes);
            assert_eq!(spooled.seekable(), kept, "{bytes:?}");
            let (mut read, mut buf) = (Vec::new(), [0; 5]);
            while let got @ 1.. = spooled.read_at(read.len() as u64, &mut buf).unwrap() {
                read.extend_from_slice(&buf[..got]);
            }
            assert_eq!(read, bytes);
        }
    }
}
