//! Standard input, kept on disk so that it can be read twice.

use std::{
    env,
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, Write},
    path::PathBuf,
    process,
};

use maliu::io::Seekable;

/// Most bytes that are kept.
pub const MAX_SPOOL: u64 = 16 << 30;

/// A file in the folder for temporary ones, which is gone with this value, or at once where an open file can go.
pub struct Spool {
    file: File,
    left_at: Option<PathBuf>,
}

impl Spool {
    /// Reads `from` to its end.
    ///
    /// # Errors
    /// Those of reading and of the disk; `FileTooLarge` beyond [`MAX_SPOOL`].
    pub fn of(mut from: impl Read) -> io::Result<Self> {
        let path = env::temp_dir().join(format!("maliu-repair-{}", process::id()));
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path)?;
        let mut spool = Self { file, left_at: fs::remove_file(&path).err().map(|_| path) };
        let kept = io::copy(&mut from.by_ref().take(MAX_SPOOL), &mut spool.file)?;
        if kept == MAX_SPOOL && from.read(&mut [0])? > 0 {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("more than {MAX_SPOOL} bytes")));
        }
        spool.file.flush()?;
        Ok(spool)
    }

    /// The kept bytes from their start.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn read(&self) -> io::Result<Seekable<File>> {
        let mut file = self.file.try_clone()?;
        file.rewind()?;
        Ok(Seekable::new(file))
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        if let Some(path) = &self.left_at {
            // Nothing can be done about a file that does not go.
            let _ = fs::remove_file(path);
        }
    }
}
