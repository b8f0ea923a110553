//! Where bytes live: sources to read from and sinks to write to, the calls that each must answer, and no more.
//!
//! ```text
//!   File  Seekable(T)  Forward(T)  Callbacks  Bytes  ─▶ Source ─▶ Input
//!   File  AtomicFile  Seekable(T)  Editable(T)  Forward(T)  WriteCallbacks  Memory ◀─ Sink ◀─ Output
//! ```
//!
//! | wanted | take |
//! |---|---|
//! | a path | [`File::open`], [`File::create`], [`AtomicFile::create`] |
//! | standard input and output | [`stdin`], [`stdout`] |
//! | a socket, a pipe, any `Read` or `Write` | [`Forward::new`] |
//! | any `Read + Seek`, any `Write + Seek` | [`Seekable::new`] |
//! | memory | [`bytes::Bytes`] itself, [`Memory`] |
//! | closures | [`Callbacks::new`], [`WriteCallbacks::new`] |
//! | a file that still grows | [`Follow::new`] around any source |
//! | a file that can be played while it grows | [`Recording::create_new`] |
//! | a pipe that must be read back, such as an MP4 with its index behind | [`Spooled::new`] around any source |
//! | reads that a check can stop | [`Checked::new`] around any source |
//! | files behind each other, such as segments | [`Joined::new`] |
//! | reads on a thread of their own | [`Ahead::new`] around any source |
//! | writes on a thread of their own, if it is worth one | [`Behind::new`] around any sink |

use std::{io, thread, time::Duration};

use maliu_core::output::{Edit, Reach};

mod ahead;
mod atomic;
mod behind;
mod callbacks;
mod checked;
mod file;
mod follow;
mod forward;
pub(crate) mod gather;
mod hidden;
mod joined;
mod memory;
mod recording;
mod seekable;
mod spooled;
mod sticky;
pub(crate) mod tuning;
#[cfg(test)]
mod wrappers;

pub use ahead::Ahead;
pub use atomic::AtomicFile;
pub use behind::Behind;
pub use callbacks::{Callbacks, WriteCallbacks};
pub use checked::Checked;
pub use file::{File, stdin, stdout};
pub use follow::Follow;
pub use forward::Forward;
pub use hidden::{MAX_FILE_NAME, hidden_beside};
pub use joined::{Joined, MAX_JOINED};
pub use memory::Memory;
pub use recording::{Durable, Recording};
pub use seekable::{Editable, Seekable};
pub use spooled::Spooled;

use tuning::{Seal, Tuning};

/// Bytes that are asked of a source, or gathered for a sink, at a time, unless set otherwise.
pub const BLOCK_SIZE: usize = 256 << 10;

/// Interruptions in a row that are passed over; one more is an error, so that a source that only interrupts ends.
pub const MAX_INTERRUPTS: usize = 1000;

/// Bytes to read, at absolute offsets.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a source of bytes",
    label = "not a `Source`",
    note = "wrap a `Read + Seek` in `io::Seekable`, a `Read` in `io::Forward`, a closure in `io::Callbacks`; open a path with \
            `io::File::open`, or turn bytes in memory into `bytes::Bytes`"
)]
pub trait Source {
    /// Whether [`Source::read_at`] takes any offset. Otherwise it is asked for consecutive ones only.
    fn seekable(&self) -> bool;

    /// Puts up to `buf.len()` bytes that stand at offset `at` into `buf` and returns how many; 0 is the end of the
    /// input.
    ///
    /// # Errors
    /// `Interrupted` is retried; `WouldBlock` is "not yet"; every other error surfaces once, and the next call asks
    /// again.
    fn read_at(&mut self, at: u64, buf: &mut [u8]) -> io::Result<usize>;

    /// Length of the whole input in bytes, when it is known.
    fn size(&mut self) -> Option<u64> {
        None
    }

    /// How many bytes each read should ask for.
    fn block_size(&self) -> usize {
        BLOCK_SIZE
    }

    /// Faster ways to the same bytes, which sources of this crate have. The argument cannot be named outside of it:
    /// every byte of any other source, and of one inside it, goes through [`Source::read_at`].
    #[doc(hidden)]
    fn tuning(&mut self, _: Seal) -> Option<&mut dyn Tuning> {
        None
    }
}

/// A place for bytes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a sink for bytes",
    label = "not a `Sink`",
    note = "wrap a `Write + Seek` in `io::Seekable`, a `Write` in `io::Forward`, a closure in `io::WriteCallbacks`; create a \
            path with `io::File::create`, or write to `io::Memory`"
)]
pub trait Sink {
    /// Abilities with bytes that are already written.
    fn reach(&self) -> Reach;

    /// Takes one change. It may gather appended bytes until [`Sink::flush`].
    ///
    /// # Errors
    /// `WouldBlock`: the edit is taken, but not all is written; [`Sink::flush`] goes on. Every other error is final:
    /// all later calls repeat it.
    fn apply(&mut self, edit: Edit) -> io::Result<()>;

    /// Writes all that was taken. Without a default, so that no sink around another leaves its bytes unwritten.
    ///
    /// # Errors
    /// As [`Sink::apply`].
    fn flush(&mut self) -> io::Result<()>;

    /// Writes all that was taken; nothing follows. A file may take its place now, a connection may close: without a
    /// default, so that no sink around another leaves that out.
    ///
    /// # Errors
    /// As [`Sink::apply`].
    fn finish(&mut self) -> io::Result<()>;

    /// How many appended bytes a sink of this crate gathers before it writes; pieces may be joined up to that number on
    /// their way to it. 0 when every piece, with its mark, counts on its own, as it does in any other sink, and in one
    /// inside it. The argument cannot be named outside of this crate.
    #[doc(hidden)]
    fn gathers(&self, _: Seal) -> usize {
        0
    }
}

impl<S: Source + ?Sized> Source for Box<S> {
    fn seekable(&self) -> bool {
        (**self).seekable()
    }
    fn read_at(&mut self, at: u64, buf: &mut [u8]) -> io::Result<usize> {
        (**self).read_at(at, buf)
    }
    fn size(&mut self) -> Option<u64> {
        (**self).size()
    }
    fn block_size(&self) -> usize {
        (**self).block_size()
    }
    fn tuning(&mut self, seal: Seal) -> Option<&mut dyn Tuning> {
        (**self).tuning(seal)
    }
}

impl<S: Sink + ?Sized> Sink for Box<S> {
    fn reach(&self) -> Reach {
        (**self).reach()
    }
    fn gathers(&self, seal: Seal) -> usize {
        (**self).gathers(seal)
    }
    fn apply(&mut self, edit: Edit) -> io::Result<()> {
        (**self).apply(edit)
    }
    fn flush(&mut self) -> io::Result<()> {
        (**self).flush()
    }
    fn finish(&mut self) -> io::Result<()> {
        (**self).finish()
    }
}

/// Runs `call` again, after a pause, while `is_not_yet` says that its error is "not yet".
///
/// # Errors
/// The first other one.
pub fn patiently<T, E>(mut call: impl FnMut() -> Result<T, E>, is_not_yet: impl Fn(&E) -> bool) -> Result<T, E> {
    loop {
        match call() {
            Err(error) if is_not_yet(&error) => thread::sleep(PAUSE),
            result => return result,
        }
    }
}

/// How long to wait before asking again.
const PAUSE: Duration = Duration::from_millis(1);

/// Whether a stream that does not block has nothing, or no room, yet.
pub fn is_not_yet(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}

/// One call of a patch, which is done in one go: interrupted and "not yet" are passed over.
pub(crate) fn in_one_go<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    patiently(|| uninterrupted(&mut call), is_not_yet)
}

/// Goes to offset `at` by a call that says where it has arrived, and believes it.
pub(crate) fn arrive(at: u64, call: impl FnMut() -> io::Result<u64>) -> io::Result<()> {
    match uninterrupted(call)? {
        reached if reached == at => Ok(()),
        reached => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("the seek to {at} claims to have reached {reached}"),
        )),
    }
}

/// Runs `call` again while it is interrupted, within [`MAX_INTERRUPTS`].
pub(crate) fn uninterrupted<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    let mut interrupts = 0;
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted && interrupts < MAX_INTERRUPTS => interrupts += 1,
            result => return result,
        }
    }
}

/// The error of a callback or stream that reports more bytes than it was given room or data for.
pub(crate) fn overclaimed(claimed: usize, given: usize) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{claimed} bytes reported of {given} given"))
}

/// How many bytes a stream took of those it was given.
pub(crate) fn accepted(wrote: usize, given: usize) -> io::Result<usize> {
    match wrote {
        0 => Err(io::ErrorKind::WriteZero.into()),
        wrote if wrote > given => Err(overclaimed(wrote, given)),
        wrote => Ok(wrote),
    }
}
