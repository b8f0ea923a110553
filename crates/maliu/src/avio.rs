//! A buffered reader and a buffered writer that behave, call for call, like FFmpeg's `AVIOContext` (IO-1…IO-43), for
//! programs that move from it and rely on when its callbacks are called, with how many bytes, at which positions.
//!
//! New programs want [`crate::io::Callbacks`] and [`crate::io::WriteCallbacks`], which have less to get wrong.
//!
//! | FFmpeg | here |
//! |---|---|
//! | `avio_alloc_context(buf, size, 0, opaque, read, 0, seek)` | [`BufferedReader::new`], [`BufferedReader::with_seek`] |
//! | `avio_alloc_context(buf, size, 1, opaque, 0, write, seek)` | [`BufferedWriter::new`], [`BufferedWriter::with_seek`] |
//! | `avio_read`, `avio_read_partial`, `avio_r8`, `avio_rb32` | [`BufferedReader::read`], `read_partial`, `r8`, `rb32` |
//! | `avio_seek`, `avio_tell`, `avio_size`, `avio_feof` | `seek`, `tell`, `size`, `feof` |
//! | `avio_write`, `avio_w8`, `avio_wb32`, `avio_flush` | [`BufferedWriter::write`], `w8`, `wb32`, `flush` |
//! | `avio_write_marker`, `write_data_type` | [`BufferedWriter::marker`], [`BufferedWriter::typed`] |
//! | `ffio_init_checksum`, `ffio_get_checksum` | `start_checksum`, `checksum` |
//! | `av_probe_input_buffer2` | [`BufferedReader::probe`] |
//!
//! Deliberate differences (the rows IO-4, IO-19, IO-20 of docs/differences.md): a read callback that returns 0 has
//! ended; with [`Errors::Once`], the default, an error is returned once, at the call that met it, and the next call
//! asks again. [`Errors::Sticky`] is FFmpeg's way. No sequence of calls and answers panics or loops without end.

mod checksum;
mod probe;
mod reader;
mod seek;
mod writer;

pub use checksum::Checksum;
pub use probe::Probed;
pub use reader::BufferedReader;
pub use writer::{BufferedWriter, Label};

/// An error as FFmpeg numbers it: negative; a negated errno of Linux, or one of the tags below.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Code(pub i32);

impl Code {
    /// The end of the input.
    pub const EOF: Self = Self(-0x2046_4f45);
    /// No format was recognised.
    pub const INVALID_DATA: Self = Self(-0x4144_4e49);
    /// An argument is out of range.
    pub const EINVAL: Self = Self(-22);
    /// There is no seek callback.
    pub const EPIPE: Self = Self(-32);
    /// There is no seek callback to ask for the size.
    pub const ENOSYS: Self = Self(-38);
    /// Reading or writing failed, or a callback reported more than it was given.
    pub const EIO: Self = Self(-5);
    /// Nothing is there yet.
    pub const EAGAIN: Self = Self(-11);
}

/// Origin of an offset given to a seek callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whence {
    /// The start.
    Set,
    /// The current position.
    Cur,
    /// The end.
    End,
    /// Nothing: the size is asked for.
    Size,
}

impl Whence {
    /// The offset from the start that `offset` means for one who stands at `at`.
    fn target(self, offset: i64, at: i64) -> Result<i64, Code> {
        let target = match self {
            Self::Set => Some(offset),
            Self::Cur => at.checked_add(offset),
            Self::End | Self::Size => None,
        };
        target.filter(|target| *target >= 0).ok_or(Code::EINVAL)
    }
}

/// How long an error is remembered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Errors {
    /// An error is returned once; the next call asks the callback again. A writer returns it at once and keeps
    /// refusing.
    #[default]
    Once,
    /// As in FFmpeg: a reader keeps it across seeks, a writer's calls go on as if they succeeded (IO-19, IO-20).
    Sticky,
}

/// Fills a buffer from where it stands and moves on.
pub type ReadFn = Box<dyn FnMut(&mut [u8]) -> Result<usize, Code> + Send>;
/// Moves, or tells the size; returns the new offset or the size.
pub type SeekFn = Box<dyn FnMut(i64, Whence) -> Result<i64, Code> + Send>;

/// Bytes to read or write at once when the callback names no packet size (IO-5).
pub const IO_BUFFER_SIZE: usize = 32768;

/// The size of what a seek callback stands for (IO-16), `position` being where it is to stand afterwards.
fn size_through(seek: Option<&mut SeekFn>, position: i64) -> Result<i64, Code> {
    let seek = seek.ok_or(Code::ENOSYS)?;
    if let Ok(size) = seek(0, Whence::Size) {
        return Ok(size);
    }
    let last = seek(-1, Whence::End)?;
    // Where it stands if this fails is found out by the next read or write.
    let _ = seek(position, Whence::Set);
    Ok(last.saturating_add(1))
}
