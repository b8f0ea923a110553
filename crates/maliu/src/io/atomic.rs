//! A file that appears whole or not at all: written beside its place, then renamed into it.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU64, Ordering},
};

use maliu_core::output::{Edit, Reach};

use super::{File, Sink, hidden_beside, tuning::Seal};

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
    /// Starts a file that is to stand at `path`. A symbolic link stays, its target is replaced, or created where the link
    /// points to nothing.
    ///
    /// # Errors
    /// Those of the system, among them those of a link whose target has no folder.
    pub fn create(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        let about = fs::metadata(path).ok();
        if about.as_ref().is_some_and(|about| about.is_dir()) {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        if about.as_ref().is_some_and(|about| !about.is_file()) {
            return Ok(Self { file: File::create(path)?, rename: None, durable: false });
        }
        let place = follow(path)?;
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

    fn gathers(&self, _: Seal) -> usize {
        self.file.gathers(Seal)
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
            // No caller is left for the error; a file that stays is only litter.
            let _ = fs::remove_file(beside);
        }
    }
}

/// The place that a path means when its last component may be a link, to a file or to nothing.
fn follow(path: &Path) -> io::Result<PathBuf> {
    let mut place = path.to_path_buf();
    for _ in 0..MAX_LINKS {
        match fs::read_link(&place) {
            Ok(target) => place = place.parent().unwrap_or(Path::new("")).join(target),
            // No link, or nothing.
            Err(_) => return Ok(place),
        }
    }
    Err(io::Error::other("too many levels of symbolic links"))
}

/// Links that lead to links are followed so often, as Linux does.
const MAX_LINKS: usize = 40;

fn create_beside(place: &Path) -> io::Result<(fs::File, PathBuf)> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    place.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    loop {
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let beside = hidden_beside(place, &format!(".{}-{count}.part", process::id()));
        match fs::OpenOptions::new().read(true).write(true).create_new(true).open(&beside) {
            Ok(file) => return Ok((file, beside)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}
