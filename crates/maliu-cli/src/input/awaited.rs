//! A pipe or terminal that is not read before it has something, so that a stop is noticed however long nothing comes.

use std::{fs, io, time::Duration};

use maliu::io::{File, Source};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
};

use crate::stop::Stop;

/// How often it is looked whether the user has asked to stop.
const PAUSE: Duration = Duration::from_millis(100);

/// A file that fails once the user has asked to stop, also while it gives nothing.
pub(super) struct Awaited {
    file: File,
    stop: Stop,
    /// The same, to be waited for.
    pipe: fs::File,
}

impl Awaited {
    /// Reads `file`; `pipe` is a second handle on it.
    pub(super) fn new(file: File, pipe: fs::File, stop: &Stop) -> Self {
        Self { file, stop: stop.clone(), pipe }
    }
}

impl Source for Awaited {
    fn seekable(&self) -> bool {
        self.file.seekable()
    }

    fn read_at(&mut self, at: u64, buf: &mut [u8]) -> io::Result<usize> {
        let pause = Timespec { tv_sec: 0, tv_nsec: PAUSE.subsec_nanos().into() };
        loop {
            self.stop.check()?;
            match poll(&mut [PollFd::new(&self.pipe, PollFlags::IN)], Some(&pause)) {
                Ok(0) | Err(Errno::INTR) => {}
                // An error of waiting shows when it is read.
                _ => return self.file.read_at(at, buf),
            }
        }
    }

    fn size(&mut self) -> Option<u64> {
        self.file.size()
    }

    fn block_size(&self) -> usize {
        self.file.block_size()
    }
}
