//! Bytes waiting to be parsed: fed on one side, peeked at and taken on the other.
//!
//! ```text
//!   push / fill ─▶ ┌───────────── window ─────────────┐ ─▶ peek, take, skip, goto
//!                  offset()                    next_read()
//! ```

use alloc::{borrow::Cow, vec::Vec};

use bytes::{Buf, Bytes, BytesMut};

pub use crate::remark::Warning;
use crate::{
    error::{Error, Result},
    remark::Remark,
};

/// Most unread bytes that a parser may let pile up while it asks for more.
pub const MAX_WINDOW: usize = 64 << 20;

/// Most warnings that wait to be fetched; later ones are only counted.
pub const MAX_WARNINGS: usize = 64;

/// Bytes of the largest buffer of its own of which an input shares small parts.
pub const MAX_SHARED: usize = 512 << 10;

/// Smallest room that a push makes when it must make some.
const MIN_ROOM: usize = 1024;

/// An idle window keeps fewer bytes alive when little of them is unread.
const MAX_RESTING: usize = 1024;

/// Reads of at least this many bytes use buffers again.
const POOLED_READ: usize = 64 << 10;

/// Most buffers that are kept for that.
const MAX_POOL: usize = 8;

/// Bytes that a [`Block`] keeps free in front, for what is unread when it comes.
const FRONT: usize = 64 << 10;

/// A buffer that is filled away from the input it is for.
#[derive(Debug)]
pub struct Block(BytesMut);

impl Block {
    /// A block for `size` bytes.
    pub fn new(size: usize) -> Self {
        Self(BytesMut::zeroed(FRONT.saturating_add(size)))
    }

    /// Where the bytes go.
    pub fn room(&mut self) -> &mut [u8] {
        self.0.get_mut(FRONT..).unwrap_or_default()
    }
}

/// A window on a stream of bytes, at absolute offsets.
#[derive(Debug, Default)]
pub struct Input {
    window: Window,
    /// Absolute offset of the first unread byte.
    offset: u64,
    /// Absolute offset of the next byte that is fed.
    fed: u64,
    ended: bool,
    seekable: bool,
    size: Option<u64>,
    /// Most bytes that the window keeps alive, read ones included; 0 when it stands in a buffer of the pool.
    held: usize,
    /// Bytes of a buffer of its own when it grew last; 0 for buffers of the pool and of others.
    grown_to: usize,
    warnings: Vec<Warning>,
    unheard: u64,
    /// Buffers of earlier large reads, to be used again once no part of them is held.
    pool: Vec<Bytes>,
    /// The last read filled its whole buffer.
    flowing: bool,
}

#[derive(Debug)]
enum Window {
    /// Pushed bytes, shared with their owner.
    Shared(Bytes),
    /// A buffer of our own whose first `filled` bytes are unread; all of it is initialised, so that reads go straight
    /// in.
    Own { buffer: BytesMut, filled: usize },
}

impl Default for Window {
    fn default() -> Self {
        Self::Own { buffer: BytesMut::new(), filled: 0 }
    }
}

/// The feeder's half.
impl Input {
    /// An input that only moves forward: a pipe, a socket, pushed slices.
    pub fn new() -> Self {
        Self::default()
    }

    /// An input that can be fed from any offset. `size` is its length in bytes, if known.
    pub fn seekable(size: Option<u64>) -> Self {
        Self { seekable: true, size, ..Self::default() }
    }

    /// Appends a copy of `bytes`, which stand at [`Input::next_read`].
    pub fn push(&mut self, bytes: &[u8]) {
        let bytes = self.accept(bytes.len()).and_then(|from| bytes.get(from..)).unwrap_or_default();
        self.fed = self.fed.saturating_add(bytes.len() as u64);
        let room = self.room(bytes.len(), MIN_ROOM);
        if let Some(room) = room.get_mut(..bytes.len()) {
            room.copy_from_slice(bytes);
        }
        self.grown(bytes.len());
    }

    /// Appends `bytes` without copying them when nothing is unread, else as [`Input::push`].
    pub fn push_bytes(&mut self, bytes: Bytes) {
        if !self.peek().is_empty() || self.fed < self.offset {
            return self.push(&bytes);
        }
        self.fed = self.fed.saturating_add(bytes.len() as u64);
        (self.held, self.grown_to) = (bytes.len(), 0);
        self.window = Window::Shared(bytes);
    }

    /// Lets `read(at, buffer)` put up to `size` bytes that stand at offset `at` straight into the window. It returns
    /// how many it put there; more than the buffer holds counts as the whole buffer. Returns the count.
    ///
    /// # Errors
    /// Those of `read`; the input is then as before.
    pub fn fill<E>(
        &mut self,
        size: usize,
        read: impl FnOnce(u64, &mut [u8]) -> core::result::Result<usize, E>,
    ) -> core::result::Result<usize, E> {
        let at = self.next_read();
        if self.flowing
            && size >= POOLED_READ
            && self.peek().len() <= FRONT
            && at == self.offset + self.peek().len() as u64
        {
            return self.fill_pooled(size, |buffer| read(at, buffer));
        }
        let room = self.room(size, size);
        let room = room.get_mut(..size).unwrap_or_default();
        let got = read(at, room)?.min(size);
        self.flowing = got == size;
        let skipped = self.accept(got).unwrap_or(got);
        if skipped > 0 {
            // Bytes before a forward goto on an input that cannot jump: what is left of them moves to the front.
            let wanted = got - skipped;
            if let Window::Own { buffer, filled } = &mut self.window {
                buffer.copy_within(*filled + skipped..*filled + got, *filled);
            }
            self.fed = self.fed.saturating_add(wanted as u64);
            self.grown(wanted);
        } else {
            self.fed = self.fed.saturating_add(got as u64);
            self.grown(got);
        }
        Ok(got)
    }

    /// A large read into a block that was used before: nothing is allocated, nothing is cleared.
    fn fill_pooled<E>(
        &mut self,
        size: usize,
        read: impl FnOnce(&mut [u8]) -> core::result::Result<usize, E>,
    ) -> core::result::Result<usize, E> {
        let mut block = self.block(size);
        let got = match read(block.room().get_mut(..size).unwrap_or_default()) {
            Ok(got) => got.min(size),
            Err(error) => {
                // A source that has nothing yet is asked again soon.
                self.keep(block.0.freeze());
                return Err(error);
            }
        };
        self.attach(block, got);
        self.flowing = got == size;
        Ok(got)
    }

    /// An empty block for at least `size` bytes, to be filled elsewhere and given to [`Input::attach`]: one that was
    /// used before, once no part of it is held.
    pub fn block(&mut self, size: usize) -> Block {
        let free = self.pool.iter().position(|chunk| chunk.is_unique() && chunk.len() >= FRONT.saturating_add(size));
        let used = free.and_then(|index| self.pool.swap_remove(index).try_into_mut().ok());
        used.map_or_else(|| Block::new(size), Block)
    }

    /// Appends the first `got` bytes of a block, which stand at [`Input::next_read`]. If little is unread it is moved
    /// in front of them; else, and if they are few, so that their packets should not hold the whole block, they are
    /// copied.
    pub fn attach(&mut self, mut block: Block, got: usize) {
        let (unread, got) = (self.peek().len(), got.min(block.room().len()));
        let in_a_row = self.fed == self.offset.saturating_add(unread as u64);
        let front = FRONT.checked_sub(unread).filter(|_| in_a_row && got >= FRONT);
        if let Some((at, front)) = front.and_then(|at| Some((at, block.0.get_mut(at..FRONT)?))) {
            front.copy_from_slice(self.peek());
            let chunk = block.0.freeze();
            (self.held, self.grown_to) = (0, 0);
            self.window = Window::Shared(chunk.slice(at..FRONT + got));
            self.fed = self.fed.saturating_add(got as u64);
            self.ended = false;
            self.keep(chunk);
        } else {
            self.push(block.room().get(..got).unwrap_or_default());
            self.keep(block.0.freeze());
        }
    }

    /// Keeps a buffer to be used again.
    fn keep(&mut self, chunk: Bytes) {
        if self.pool.len() >= MAX_POOL {
            self.pool.remove(0);
        }
        self.pool.push(chunk);
    }

    /// Says that no byte follows those already fed. Feeding more, or a seek, takes it back.
    pub fn end(&mut self) {
        self.ended = true;
    }

    /// The absolute offset at which the next fed byte must stand. It jumps only on a seekable input.
    pub fn next_read(&self) -> u64 {
        self.fed
    }

    /// Fetches the warnings noted so far, and how many more were not kept.
    pub fn take_warnings(&mut self) -> (Vec<Warning>, u64) {
        (core::mem::take(&mut self.warnings), core::mem::take(&mut self.unheard))
    }

    /// Whether there is no warning to be fetched.
    #[inline]
    pub fn is_quiet(&self) -> bool {
        self.warnings.is_empty() && self.unheard == 0
    }

    /// Of `len` bytes about to be fed, the index of the first one that is wanted; `None` when none is.
    fn accept(&mut self, len: usize) -> Option<usize> {
        if len > 0 {
            self.ended = false;
        }
        let skip = self.offset.saturating_sub(self.fed).min(len as u64);
        self.fed = self.fed.saturating_add(skip);
        usize::try_from(skip).ok()
    }

    /// A place for at least `len` bytes behind the unread ones; makes room for `grow` when there is none.
    fn room(&mut self, len: usize, grow: usize) -> &mut [u8] {
        if let Window::Shared(bytes) = &self.window {
            let mut buffer = BytesMut::zeroed(bytes.len().saturating_add(len.max(grow)));
            if let Some(front) = buffer.get_mut(..bytes.len()) {
                front.copy_from_slice(bytes);
            }
            (self.held, self.grown_to) = (buffer.len(), buffer.len());
            self.window = Window::Own { filled: bytes.len(), buffer };
        }
        match &mut self.window {
            Window::Own { buffer, filled } => {
                if buffer.len() - *filled < len {
                    buffer.truncate(*filled);
                    // Doubling keeps byte-by-byte feeding linear.
                    let wanted = filled.saturating_add(len.max(grow).max(*filled));
                    buffer.resize(wanted, 0);
                    // The read bytes in front may be kept.
                    self.held = self.held.saturating_add(wanted);
                    self.grown_to = wanted;
                }
                buffer.get_mut(*filled..).unwrap_or_default()
            }
            Window::Shared(_) => &mut [],
        }
    }

    fn grown(&mut self, by: usize) {
        if let Window::Own { filled, .. } = &mut self.window {
            *filled += by;
        }
    }
}

/// The parser's half.
impl Input {
    /// All unread bytes.
    pub fn peek(&self) -> &[u8] {
        match &self.window {
            Window::Shared(bytes) => bytes,
            Window::Own { buffer, filled } => buffer.get(..*filled).unwrap_or_default(),
        }
    }

    /// The next `n` bytes, shared and not copied; `None`, with nothing taken, when fewer are unread. Less than
    /// most of a window that has grown beyond [`MAX_SHARED`] is copied: alone it would keep all of it in memory.
    pub fn take(&mut self, n: usize) -> Option<Bytes> {
        if n > self.peek().len() {
            return None;
        }
        if self.grown_to > MAX_SHARED && n < self.grown_to - self.grown_to / 4 {
            let copy = self.peek().get(..n).map(Bytes::copy_from_slice);
            self.skip(n);
            return copy;
        }
        self.offset = self.offset.saturating_add(n as u64);
        let taken = match &mut self.window {
            Window::Shared(bytes) => bytes.split_to(n),
            Window::Own { buffer, filled } => {
                *filled -= n;
                buffer.split_to(n).freeze()
            }
        };
        self.leave_large();
        Some(taken)
    }

    /// Passes over up to `n` unread bytes; returns how many.
    pub fn skip(&mut self, n: usize) -> usize {
        let n = n.min(self.peek().len());
        self.offset = self.offset.saturating_add(n as u64);
        match &mut self.window {
            Window::Shared(bytes) => bytes.advance(n),
            Window::Own { buffer, filled } => {
                *filled -= n;
                buffer.advance(n);
            }
        }
        self.leave_large();
        n
    }

    /// Moves what is unread out of a window that has grown large once it is little: what is taken from there on would
    /// keep all of the window in memory.
    #[inline]
    fn leave_large(&mut self) {
        if self.grown_to > MAX_SHARED && self.peek().len() <= self.grown_to / 8 {
            let buffer = BytesMut::from(self.peek());
            (self.held, self.grown_to) = (buffer.len(), 0);
            self.window = Window::Own { filled: buffer.len(), buffer };
        }
    }

    /// Puts back bytes that were taken or skipped last: they stand in front of the unread ones again. Copies them.
    pub fn give_back(&mut self, bytes: &[u8]) {
        let rest = self.peek();
        let mut buffer = BytesMut::with_capacity(bytes.len().saturating_add(rest.len()));
        buffer.extend_from_slice(bytes);
        buffer.extend_from_slice(rest);
        self.offset = self.offset.saturating_sub(bytes.len() as u64);
        self.grown_to = buffer.len();
        self.window = Window::Own { filled: buffer.len(), buffer };
    }

    /// Moves to the absolute offset `at`. Forward always works (bytes on the way are passed over as they come), back
    /// only on a seekable input.
    ///
    /// # Errors
    /// [`Error::NotSeekable`].
    pub fn goto(&mut self, at: u64) -> Result<()> {
        let ahead = at.checked_sub(self.offset);
        match ahead.and_then(|n| usize::try_from(n).ok()) {
            Some(n) if n <= self.peek().len() => {
                self.skip(n);
            }
            _ if self.seekable => {
                (self.offset, self.fed, self.ended) = (at, at, false);
                self.clear();
            }
            _ if ahead.is_some() => {
                self.offset = at;
                self.clear();
            }
            _ => return Err(Error::NotSeekable { wanted: at, oldest: self.offset }),
        }
        Ok(())
    }

    /// Absolute offset of the first unread byte.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether the unread bytes are the last ones.
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// Whether [`Input::goto`] can go back.
    pub fn is_seekable(&self) -> bool {
        self.seekable
    }

    /// Length of the whole input in bytes, if known.
    pub fn size(&self) -> Option<u64> {
        self.size
    }

    /// The largest offset that names a place inside the input, or its end: what is known of it so far.
    pub(crate) fn known_end(&self) -> u64 {
        let received = (self.ended && !self.seekable).then_some(self.fed);
        self.size.or(received).unwrap_or(u64::MAX)
    }

    /// Notes a remark of no particular kind about the byte at the current offset.
    pub fn warn(&mut self, what: impl Into<Cow<'static, str>>) {
        self.remark(Remark::Other, what);
    }

    /// Notes a remark of no particular kind about the byte at `at`.
    pub fn warn_at(&mut self, at: u64, what: impl Into<Cow<'static, str>>) {
        self.remark_at(at, Remark::Other, what);
    }

    /// Notes a remark about the byte at the current offset.
    pub fn remark(&mut self, kind: Remark, what: impl Into<Cow<'static, str>>) {
        self.remark_at(self.offset, kind, what);
    }

    /// Notes a remark about the byte at `at`.
    pub fn remark_at(&mut self, at: u64, kind: Remark, what: impl Into<Cow<'static, str>>) {
        self.note(|| Warning { at, stream: None, kind, what: what.into() });
    }

    /// Notes a remark about the byte at `at`, which is about stream `stream`.
    pub fn remark_on(&mut self, stream: usize, at: u64, kind: Remark, what: impl Into<Cow<'static, str>>) {
        self.note(|| Warning { at, stream: Some(stream), kind, what: what.into() });
    }

    /// Notes a remark that another parser has made, at its place in this input.
    pub fn pass_on(&mut self, warning: Warning) {
        self.note(|| warning);
    }

    fn note(&mut self, warning: impl FnOnce() -> Warning) {
        if self.warnings.len() < MAX_WARNINGS {
            let warning = warning();
            let at = warning.at.min(self.known_end());
            self.warnings.push(Warning { at, ..warning });
        } else {
            self.unheard = self.unheard.saturating_add(1);
        }
    }

    /// Nothing more can be understood before bytes come, which may take long: lets go of a buffer of which little is
    /// unread.
    pub(crate) fn rest(&mut self) {
        if self.held >= MAX_RESTING && self.peek().len() <= self.held / 8 {
            let buffer = BytesMut::from(self.peek());
            (self.held, self.grown_to) = (buffer.len(), 0);
            self.window = Window::Own { filled: buffer.len(), buffer };
        }
    }

    fn clear(&mut self) {
        match &mut self.window {
            Window::Shared(_) => self.window = Window::default(),
            Window::Own { filled, .. } => *filled = 0,
        }
        self.leave_large();
    }
}

#[cfg(test)]
mod tests;
