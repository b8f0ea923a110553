//! Files, devices and the standard streams: what can be sought is found out, not assumed.

use std::{
    fs,
    io::{self, Seek},
    path::Path,
};

use bytes::Bytes;
use maliu_core::{
    input::Block,
    output::{Edit, Reach},
};

use super::{
    Editable, Forward, Seekable, Sink, Source,
    tuning::{Seal, Tuning},
};

/// An open file. Regular files can be sought; pipes and devices only move forward.
#[derive(Debug)]
pub struct File(Kind);

#[derive(Debug)]
enum Kind {
    Regular(Editable<fs::File>),
    WriteOnly(Seekable<fs::File>),
    Stream(Forward<fs::File>),
    /// To be read; offsets count from `base`.
    Reading {
        file: Seekable<fs::File>,
        base: u64,
    },
}

impl File {
    /// Opens a file to read.
    ///
    /// # Errors
    /// Those of the system; a folder is `IsADirectory`.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        Self::reading(fs::File::open(path)?)
    }

    /// A source over a file that is open; offset 0 is where it stands.
    ///
    /// # Errors
    /// Those of the system; a folder is `IsADirectory`.
    pub fn reading(file: fs::File) -> io::Result<Self> {
        let about = file.metadata()?;
        if about.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        Ok(file.into())
    }

    /// Creates a file to write, or empties the one that is there. See [`super::AtomicFile`] for one that appears whole.
    ///
    /// # Errors
    /// Those of the system.
    pub fn create(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        if fs::metadata(path).is_ok_and(|about| !about.is_file()) {
            return Ok(Self(Kind::Stream(Forward::new(fs::OpenOptions::new().write(true).open(path)?))));
        }
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        match options.clone().read(true).open(path) {
            Ok(file) => Ok(Self(Kind::Regular(Editable::new(file)))),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                Ok(Self(Kind::WriteOnly(Seekable::new(options.open(path)?))))
            }
            Err(error) => Err(error),
        }
    }

    /// A sink over an empty file that is open to read and write.
    pub fn writing(file: fs::File) -> Self {
        Self(Kind::Regular(Editable::new(file)))
    }

    /// A sink that writes on where an open file stands, and changes nothing that is in it.
    pub fn appending(file: fs::File) -> Self {
        Self(Kind::Stream(Forward::new(file)))
    }

    /// As a sink: gathers this many bytes before each write, [`super::BLOCK_SIZE`] otherwise; 0 writes every piece at
    /// once.
    pub fn with_block_size(mut self, bytes: usize) -> Self {
        self.gather(bytes);
        self
    }

    pub(super) fn gather(&mut self, bytes: usize) {
        match &mut self.0 {
            Kind::Regular(file) => file.gather().block_size = bytes,
            Kind::WriteOnly(file) | Kind::Reading { file, .. } => file.gather().block_size = bytes,
            Kind::Stream(file) => file.gather().block_size = bytes,
        }
    }

    /// The file below.
    pub fn inner(&self) -> &fs::File {
        match &self.0 {
            Kind::Regular(file) => file.inner(),
            Kind::WriteOnly(file) | Kind::Reading { file, .. } => file.inner(),
            Kind::Stream(file) => file.inner(),
        }
    }
}

/// A source over a file that is open; offset 0 is where it stands.
impl From<fs::File> for File {
    fn from(mut file: fs::File) -> Self {
        let regular = file.metadata().is_ok_and(|about| about.is_file());
        Self(match file.stream_position() {
            Ok(base) if regular => Kind::Reading { file: Seekable::new(file), base },
            _ => Kind::Stream(Forward::new(file)),
        })
    }
}

impl Source for File {
    fn seekable(&self) -> bool {
        matches!(self.0, Kind::Reading { .. })
    }

    fn read_at(&mut self, at: u64, buf: &mut [u8]) -> io::Result<usize> {
        match &mut self.0 {
            Kind::Reading { file, base } => match base.checked_add(at) {
                Some(at) => file.read_at(at, buf),
                None => Ok(0),
            },
            Kind::Stream(file) => file.read_at(at, buf),
            Kind::Regular(_) | Kind::WriteOnly(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    fn size(&mut self) -> Option<u64> {
        match &self.0 {
            Kind::Reading { file, base } => Some(file.inner().metadata().ok()?.len().saturating_sub(*base)),
            _ => None,
        }
    }

    fn tuning(&mut self, _: Seal) -> Option<&mut dyn Tuning> {
        Some(self)
    }
}

impl Tuning for File {
    fn share(&mut self, _: u64) -> Option<Bytes> {
        None
    }

    fn reads_blocks(&mut self) -> bool {
        false
    }

    fn read_block(&mut self, at: u64, block: &mut Block) -> io::Result<usize> {
        self.read_at(at, block.room())
    }

    fn twin(&mut self) -> Option<Box<dyn Source + Send>> {
        match &self.0 {
            Kind::Reading { file, base } => twin::of(file.inner(), *base),
            _ => None,
        }
    }

    fn settle(&mut self) {}
}

/// A second handle on a file that is read without moving the place that it shares with the first.
#[cfg(unix)]
mod twin {
    use std::{fs, io, os::unix::fs::FileExt};

    use super::Source;

    struct Twin {
        file: fs::File,
        base: u64,
    }

    pub(super) fn of(file: &fs::File, base: u64) -> Option<Box<dyn Source + Send>> {
        Some(Box::new(Twin { file: file.try_clone().ok()?, base }))
    }

    impl Source for Twin {
        fn seekable(&self) -> bool {
            true
        }

        fn read_at(&mut self, at: u64, buf: &mut [u8]) -> io::Result<usize> {
            self.base.checked_add(at).map_or(Ok(0), |at| self.file.read_at(buf, at))
        }
    }
}

/// Reading elsewhere always moves the place that handles share.
#[cfg(not(unix))]
mod twin {
    use std::fs;

    use super::Source;

    pub(super) fn of(_: &fs::File, _: u64) -> Option<Box<dyn Source + Send>> {
        None
    }
}

impl File {
    fn sink(&mut self) -> io::Result<&mut dyn Sink> {
        match &mut self.0 {
            Kind::Regular(file) => Ok(file),
            Kind::WriteOnly(file) => Ok(file),
            Kind::Stream(file) => Ok(file),
            Kind::Reading { .. } => Err(io::Error::new(io::ErrorKind::Unsupported, "opened to be read")),
        }
    }
}

impl Sink for File {
    fn reach(&self) -> Reach {
        match &self.0 {
            Kind::Regular(file) => file.reach(),
            Kind::WriteOnly(file) => file.reach(),
            Kind::Stream(_) | Kind::Reading { .. } => Reach::Append,
        }
    }
    fn gathers(&self, _: Seal) -> usize {
        match &self.0 {
            Kind::Regular(file) => file.gathers(Seal),
            Kind::WriteOnly(file) => file.gathers(Seal),
            Kind::Stream(file) => file.gathers(Seal),
            Kind::Reading { .. } => 0,
        }
    }
    fn apply(&mut self, edit: Edit) -> io::Result<()> {
        self.sink()?.apply(edit)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.sink()?.flush()
    }

    fn finish(&mut self) -> io::Result<()> {
        self.flush()
    }
}

/// Standard input. It can be sought when it is a regular file (`maliu … - < file`).
///
/// # Errors
/// Those of the system.
pub fn stdin() -> io::Result<File> {
    File::reading(duplicate::of(&io::stdin())?)
}

/// Standard output. It is only appended to, even when it is a regular file: others may write to it, too.
///
/// # Errors
/// Those of the system.
pub fn stdout() -> io::Result<File> {
    Ok(File(Kind::Stream(Forward::new(duplicate::of(&io::stdout())?))))
}

/// A second handle on a standard stream, past the buffer of the first.
#[cfg(unix)]
mod duplicate {
    use std::{fs, io, os::fd::AsFd};

    pub(super) fn of(stream: &impl AsFd) -> io::Result<fs::File> {
        Ok(stream.as_fd().try_clone_to_owned()?.into())
    }
}

/// A second handle on a standard stream, past the buffer of the first.
#[cfg(windows)]
mod duplicate {
    use std::{fs, io, os::windows::io::AsHandle};

    pub(super) fn of(stream: &impl AsHandle) -> io::Result<fs::File> {
        Ok(stream.as_handle().try_clone_to_owned()?.into())
    }
}
