//! Bytes kept on disk: standard input, so that it can be read twice, and what was mended, so that it can be mended again.

use std::{
    env,
    fs::{self, File, OpenOptions},
    io::{self, BufRead, BufReader, Read, Seek, Write},
    path::{Path, PathBuf},
    process,
};

use crate::io::{Editable, Seekable};

/// Most bytes that are kept.
pub const MAX_SCRATCH: u64 = 16 << 30;

/// Names that are tried, should others have left theirs.
const MAX_NAMES: u32 = 1000;

/// A file which is gone with this value, or at once where an open file can go.
pub struct Scratch {
    file: File,
    left_at: Option<PathBuf>,
}

impl Scratch {
    /// An empty one on the disk of `path` if there is a folder for it, else among temporary files.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn beside(path: Option<&Path>) -> io::Result<Self> {
        match path.and_then(folder).map(Self::inside) {
            Some(Ok(scratch)) => Ok(scratch),
            _ => Self::inside(&env::temp_dir()),
        }
    }

    fn inside(folder: &Path) -> io::Result<Self> {
        for number in 0..MAX_NAMES {
            let path = folder.join(format!(".maliu-repair-{}-{number}", process::id()));
            match OpenOptions::new().read(true).write(true).create_new(true).open(&path) {
                Ok(file) => return Ok(Self { file, left_at: fs::remove_file(&path).err().map(|_| path) }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// Reads `from` to its end.
    ///
    /// # Errors
    /// Those of reading and of the disk; `FileTooLarge` beyond [`MAX_SCRATCH`].
    pub fn keep(mut from: impl Read) -> io::Result<Self> {
        let mut scratch = Self::inside(&env::temp_dir())?;
        let kept = io::copy(&mut from.by_ref().take(MAX_SCRATCH), &mut scratch.file)?;
        if kept == MAX_SCRATCH && from.read(&mut [0])? > 0 {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("more than {MAX_SCRATCH} bytes")));
        }
        scratch.file.flush()?;
        Ok(scratch)
    }

    /// Where bytes are kept; to be called while there are none.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn write(&self) -> io::Result<Editable<File>> {
        Ok(Editable::new(self.file.try_clone()?))
    }

    /// The kept bytes from their start.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn read(&self) -> io::Result<Seekable<File>> {
        self.open().map(Seekable::new)
    }

    /// Whether both hold the same bytes.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn is(&self, other: &Self) -> io::Result<bool> {
        let (mut ours, mut theirs) = (BufReader::new(self.open()?), BufReader::new(other.open()?));
        loop {
            let (left, right) = (ours.fill_buf()?, theirs.fill_buf()?);
            let common = left.len().min(right.len());
            if left.get(..common) != right.get(..common) || left.is_empty() != right.is_empty() {
                return Ok(false);
            }
            if common == 0 {
                return Ok(true);
            }
            ours.consume(common);
            theirs.consume(common);
        }
    }

    /// As [`Scratch::read`], as a file.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn open(&self) -> io::Result<File> {
        let mut file = self.file.try_clone()?;
        file.rewind()?;
        Ok(file)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Some(path) = &self.left_at {
            // Nothing can be done about a file that does not go.
            let _ = fs::remove_file(path);
        }
    }
}

/// Where a file of this path stands; a device, whose folder is not on a disk, and standard output have none.
fn folder(path: &Path) -> Option<&Path> {
    if fs::metadata(path).is_ok_and(|about| !about.is_file()) {
        return None;
    }
    let folder = path.parent()?;
    Some(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_mended_is_kept_on_the_disk_of_the_output() {
        let folder = |path: &'static str| folder(Path::new(path)).map(Path::to_path_buf);
        assert_eq!(folder("out.flv"), Some(".".into()));
        assert_eq!(folder("films/out.flv"), Some("films".into()));
        assert_eq!(super::folder(&env::temp_dir()), None);
        if cfg!(unix) {
            assert_eq!(folder("/dev/null"), None);
        }
    }
}
