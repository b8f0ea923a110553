//! A file that is written under its own name and can be read while it grows, for formats that are whole at any time.

use std::{
    fs,
    io::{self, Read, Seek, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use maliu_core::output::{Edit, Reach};

use super::{Editable, Sink, tuning::Seal};

/// How long bytes stay in the memory of the program, unless set otherwise.
const HELD: Duration = Duration::from_millis(250);

/// Storage that can keep written bytes even if the power fails.
pub trait Durable {
    /// Returns once everything written before is on the disk.
    ///
    /// # Errors
    /// Those of the system.
    fn sync(&self) -> io::Result<()>;
}

impl Durable for fs::File {
    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}

/// A file that stands in its place from its first byte on: after a crash it holds everything but what came in the last
/// quarter of a second. Bytes that were written are replaced only when everything in front of the change is on the
/// disk. Dropped before anything was written, it leaves no file.
#[derive(Debug)]
pub struct Recording<F = fs::File> {
    file: Editable<F>,
    /// Removed if nothing is written.
    empty: Option<PathBuf>,
    flushed: Instant,
    held: Duration,
}

impl Recording {
    /// Starts a file at `path`, where none may stand.
    ///
    /// # Errors
    /// `AlreadyExists`, and others of the system.
    pub fn create_new(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        let file = fs::OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
        let mut recording = Self::new(file);
        recording.empty = Some(path.to_path_buf());
        Ok(recording)
    }
}

impl<F> Recording<F> {
    /// Writes to `file`, which it takes to be empty.
    pub fn new(file: F) -> Self {
        Self { file: Editable::new(file), empty: None, flushed: Instant::now(), held: HELD }
    }

    /// How long written bytes may stay in the memory of the program once more of them come (250 ms).
    pub fn holding(mut self, held: Duration) -> Self {
        self.held = held;
        self
    }

    /// The storage, to look at.
    pub fn inner(&self) -> &F {
        self.file.inner()
    }
}

impl<F: Read + Write + Seek + Durable> Sink for Recording<F> {
    fn reach(&self) -> Reach {
        Reach::Insert
    }

    /// Nothing is joined on the way: each fragment is written when it is complete.
    fn gathers(&self, _: Seal) -> usize {
        0
    }

    fn apply(&mut self, edit: Edit) -> io::Result<()> {
        if let Edit::Append(_) = edit {
            self.file.apply(edit)?;
            self.empty = None;
            return if self.flushed.elapsed() >= self.held { self.flush() } else { Ok(()) };
        }
        self.flush()?;
        self.file.inner().sync()?;
        self.file.apply(edit)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.flushed = Instant::now();
        self.file.flush()
    }

    fn finish(&mut self) -> io::Result<()> {
        self.flush()
    }
}

impl<F> Drop for Recording<F> {
    fn drop(&mut self) {
        if let Some(path) = &self.empty {
            // An empty file that stays is only litter.
            let _ = fs::remove_file(path);
        }
    }
}
