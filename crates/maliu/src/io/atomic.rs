//! A file that appears whole or not at all: written beside its place, then renamed into it.

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU64, Ordering},
};

use maliu_core::output::{Edit, Reach};

use super::{File, Sink};

/// A file that takes its place at [`Sink::finish`]. Dropped before, it leaves what was there as it was. A pipe or a
/// device is written directly.
#[derive(Debug)]
pub struct AtomicFile {
    file: File,
    /// Where the bytes are and where they go; `None` once they are there, and for pipes and devices.
    rename: Option<(PathBuf, PathBuf)>,
    durable: bool,
}

impl AtomicFile {
    /// Starts a file that is to stand at `path`. A symbolic link stays, its target is replaced.
    ///
    /// # Errors
    /// Those of the system.
    pub fn create(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        let about = fs::metadata(path).ok();
        if about.as_ref().is_some_and(|about| about.is_dir()) {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        if about.as_ref().is_some_and(|about| !about.is_file()) {
            return Ok(Self { file: File::create(path)?, rename: None, durable: false });
        }
        let place = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
        let (file, beside) = create_beside(&place)?;
        if let Some(about) = about {
            file.set_permissions(about.permissions())?;
        }
        Ok(Self { file: File::writing(file), rename: Some((beside, place)), durable: false })
    }

    /// Gathers this many bytes before each write, [`super::BLOCK_SIZE`] otherwise; 0 writes every piece at once.
    pub fn with_block_size(mut self, bytes: usize) -> Self {
        self.file.gather(bytes);
        self
    }

    /// Where the bytes are until the file takes its place; `None` for pipes and devices. It is for a program that is ended
    /// without dropping this to remove.
    pub fn beside(&self) -> Option<&Path> {
        self.rename.as_ref().map(|(beside, _)| beside.as_path())
    }

    /// Waits in [`Sink::finish`] until the bytes are on the disk, before the file takes its place.
    pub fn durable(mut self) -> Self {
        self.durable = true;
        self
    }
}

impl Sink for AtomicFile {
    fn reach(&self) -> Reach {
        Sink::reach(&self.file)
    }

    fn gathers(&self) -> usize {
        self.file.gathers()
    }

    fn apply(&mut self, edit: Edit) -> io::Result<()> {
        self.file.apply(edit)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }

    fn finish(&mut self) -> io::Result<()> {
        self.file.flush()?;
        if self.durable {
            self.file.inner().sync_all()?;
        }
        if let Some((beside, place)) = &self.rename {
            fs::rename(beside, place)?;
            self.rename = None;
        }
        Ok(())
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if let Some((beside, _)) = &self.rename {
            // Nobody is left to tell; a file that stays is only litter.
            let _ = fs::remove_file(beside);
        }
    }
}

fn create_beside(place: &Path) -> io::Result<(fs::File, PathBuf)> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let name = place.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    loop {
        let mut hidden = OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".{}-{}.part", process::id(), COUNT.fetch_add(1, Ordering::Relaxed)));
        let beside = place.with_file_name(hidden);
        match fs::OpenOptions::new().read(true).write(true).create_new(true).open(&beside) {
            Ok(file) => return Ok((file, beside)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}
