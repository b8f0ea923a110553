//! The reading context: a buffer in front of a read callback (IO-2…IO-10, IO-16…IO-19, IO-43).

use super::{Checksum, Code, Errors, IO_BUFFER_SIZE, ReadFn, SeekFn, Whence, checksum::Running, size_through};

/// Reads through a buffer, with the calls and results of an `AVIOContext`.
///
/// ```
/// use maliu::avio::BufferedReader;
/// let mut left = &b"abcdefgh"[..];
/// let mut reader = BufferedReader::new(4, move |buf| Ok(std::io::Read::read(&mut left, buf).unwrap()));
/// let mut got = [0; 3];
/// assert_eq!((reader.read(&mut got), &got, reader.tell()), (Ok(3), b"abc", 3));
/// ```
pub struct BufferedReader {
    pub(super) read: Option<ReadFn>,
    pub(super) seek: Option<SeekFn>,
    pub(super) buffer: Vec<u8>,
    /// Capacity it was made with; the buffer returns to it after probing (IO-42).
    original: usize,
    pub(super) cur: usize,
    pub(super) end: usize,
    /// Absolute offset that the callback has reached.
    pub(super) pos: i64,
    pub(super) eof: bool,
    pub(super) error: Option<Code>,
    pub(super) seekable: bool,
    pub(super) direct: bool,
    max_packet: usize,
    errors: Errors,
    checksum: Running,
}

impl BufferedReader {
    /// A reader with a buffer of `capacity` bytes over `read`, which returns how many bytes it gave; 0 is the end.
    pub fn new(capacity: usize, read: impl FnMut(&mut [u8]) -> Result<usize, Code> + Send + 'static) -> Self {
        Self::make(Some(Box::new(read)), vec![0; capacity.max(1)])
    }

    /// A reader whose buffer is the whole input.
    pub fn over(bytes: Vec<u8>) -> Self {
        let len = bytes.len();
        Self { end: len, pos: len as i64, ..Self::make(None, bytes) }
    }

    fn make(read: Option<ReadFn>, buffer: Vec<u8>) -> Self {
        Self {
            read,
            seek: None,
            original: buffer.len(),
            buffer,
            cur: 0,
            end: 0,
            pos: 0,
            eof: false,
            error: None,
            seekable: false,
            direct: false,
            max_packet: 0,
            errors: Errors::Once,
            checksum: Running::default(),
        }
    }

    /// Seeks through `seek`.
    pub fn with_seek(mut self, seek: impl FnMut(i64, Whence) -> Result<i64, Code> + Send + 'static) -> Self {
        self.seek = Some(Box::new(seek));
        self.seekable = true;
        self
    }

    /// Whether seeking is to be preferred to reading on (IO-3, IO-13); it is when there is a seek callback.
    pub fn set_seekable(&mut self, seekable: bool) {
        self.seekable = seekable;
    }

    /// Reads and seeks past the buffer (`AVIO_FLAG_DIRECT`).
    pub fn set_direct(&mut self, direct: bool) {
        self.direct = direct;
    }

    /// Bytes the callback gives at a time at most; 0 when it does not say.
    pub fn set_max_packet(&mut self, bytes: usize) {
        self.max_packet = bytes;
    }

    /// How long errors are remembered.
    pub fn set_errors(&mut self, errors: Errors) {
        self.errors = errors;
    }

    /// Reads until `into` is full, the input ends or fails; fewer bytes than asked say that it did (IO-7, IO-8).
    ///
    /// # Errors
    /// [`Code::EOF`] or the callback's, when there is no byte before it.
    pub fn read(&mut self, into: &mut [u8]) -> Result<usize, Code> {
        let mut done = 0;
        while done < into.len() {
            let rest = into.get_mut(done..).unwrap_or_default();
            let got = self.take(rest);
            if got > 0 {
                done += got;
            } else if (self.direct || rest.len() > self.buffer.len())
                && !self.checksum.is_active()
                && self.read.is_some()
            {
                let room = rest.len();
                match self.call(|read| read(rest), room) {
                    Some(got) => done += got,
                    None => break,
                }
                (self.cur, self.end) = (0, 0);
            } else {
                self.fill();
                if self.cur == self.end {
                    break;
                }
            }
        }
        if done > 0 || into.is_empty() { Ok(done) } else { self.nothing() }
    }

    /// Reads what is there, asking the callback at most once, and only when nothing is (IO-9).
    ///
    /// # Errors
    /// As [`BufferedReader::read`].
    pub fn read_partial(&mut self, into: &mut [u8]) -> Result<usize, Code> {
        if self.cur == self.end {
            self.fill();
        }
        match self.take(into) {
            0 => self.nothing(),
            got => Ok(got),
        }
    }

    /// One byte; 0 beyond the end (IO-10).
    pub fn r8(&mut self) -> u8 {
        let mut byte = [0];
        if self.cur == self.end {
            self.fill();
        }
        self.take(&mut byte);
        byte[0]
    }

    /// Four bytes, the highest first; bytes beyond the end are 0 (IO-10).
    pub fn rb32(&mut self) -> u32 {
        u32::from_be_bytes([self.r8(), self.r8(), self.r8(), self.r8()])
    }

    /// Offset of the next byte.
    pub fn tell(&self) -> i64 {
        self.pos.saturating_sub((self.end - self.cur) as i64)
    }

    /// Whether the input has ended. Asks again, so a growing input goes on (IO-17).
    pub fn feof(&mut self) -> bool {
        if self.eof {
            self.eof = false;
            self.fill();
        }
        self.eof
    }

    /// Size of the whole input (IO-16).
    ///
    /// # Errors
    /// [`Code::ENOSYS`] without a seek callback, or the callback's.
    pub fn size(&mut self) -> Result<i64, Code> {
        size_through(self.seek.as_mut(), self.pos)
    }

    /// Drops what is buffered; the next byte comes from the callback (IO-24).
    pub fn flush(&mut self) {
        (self.cur, self.end) = (0, 0);
    }

    /// The error that is remembered.
    pub fn error(&self) -> Option<Code> {
        self.error
    }

    /// Whether the end, or an error, was met by the last fill.
    pub fn eof_reached(&self) -> bool {
        self.eof
    }

    /// Offset that the callback has reached.
    pub fn position(&self) -> i64 {
        self.pos
    }

    /// Bytes of the buffer before and behind the next byte.
    pub fn buffered(&self) -> (usize, usize) {
        (self.cur, self.end - self.cur)
    }

    /// Capacity of the buffer, which probing may have enlarged.
    pub fn capacity(&self) -> usize {
        self.buffer.len()
    }

    /// Folds all bytes from here on into a checksum.
    pub fn start_checksum(&mut self, function: Checksum, seed: u32) {
        self.checksum.start(function, seed, self.cur);
    }

    /// The checksum of the bytes read since it was started; ends it.
    pub fn checksum(&mut self) -> u32 {
        self.checksum.finish(&self.buffer, self.cur)
    }

    /// Makes sure that the next `bytes` can be read again by seeking back, on inputs that cannot seek (IO-43).
    ///
    /// # Errors
    /// [`Code::EINVAL`] when that is more than fits an `int`.
    pub fn ensure_seekback(&mut self, bytes: usize) -> Result<(), Code> {
        let filled = self.end - self.cur;
        if bytes <= filled {
            return Ok(());
        }
        let wanted = bytes.checked_add(self.packet() - 1).filter(|n| i32::try_from(*n).is_ok()).ok_or(Code::EINVAL)?;
        if wanted.saturating_add(self.cur) <= self.buffer.len() || self.seekable || self.read.is_none() {
            return Ok(());
        }
        self.checksum.fold(&self.buffer, self.cur, 0);
        self.buffer.copy_within(self.cur..self.end, 0);
        if wanted > self.buffer.len() {
            self.buffer.resize(wanted, 0);
        }
        (self.cur, self.end) = (0, filled);
        Ok(())
    }

    /// Asks the callback once, behind what is buffered if there is room, else over it (IO-5).
    pub(super) fn fill(&mut self) {
        if self.read.is_none() {
            self.eof |= self.cur >= self.end;
        }
        if self.eof {
            return;
        }
        let behind = self.end + self.packet() <= self.buffer.len();
        let at = if behind { self.end } else { 0 };
        if at == 0 {
            self.checksum.fold(&self.buffer, self.cur, 0);
        }
        let mut room = self.buffer.len() - at;
        if self.buffer.len() > self.original && room >= self.original {
            if at == 0 && self.cur != 0 {
                self.buffer.truncate(self.original);
                (self.cur, self.end) = (0, 0);
            }
            room = self.original;
        }
        let mut buffer = std::mem::take(&mut self.buffer);
        let got = self.call(|read| read(buffer.get_mut(at..at + room).unwrap_or_default()), room);
        self.buffer = buffer;
        if let Some(got) = got {
            (self.cur, self.end) = (at, at + got);
        }
    }

    /// Calls the read callback and keeps the books; `None` when it gave nothing.
    fn call(&mut self, ask: impl FnOnce(&mut ReadFn) -> Result<usize, Code>, room: usize) -> Option<usize> {
        let result = self.read.as_mut().map_or(Err(Code::EINVAL), ask);
        match result {
            Ok(got) if got > 0 && got <= room => {
                self.pos = self.pos.saturating_add(got as i64);
                return Some(got);
            }
            Ok(0) | Err(Code::EOF) => {}
            Ok(_) => self.error = Some(Code::EIO),
            Err(code) => self.error = Some(code),
        }
        self.eof = true;
        None
    }

    /// Moves buffered bytes out.
    fn take(&mut self, into: &mut [u8]) -> usize {
        let got = into.len().min(self.end - self.cur);
        if let (Some(into), Some(from)) = (into.get_mut(..got), self.buffer.get(self.cur..self.cur + got)) {
            into.copy_from_slice(from);
        }
        self.cur += got;
        got
    }

    /// The result of a call that got no byte (IO-8).
    fn nothing(&mut self) -> Result<usize, Code> {
        if let Some(code) = self.error {
            if self.errors == Errors::Once {
                (self.error, self.eof) = (None, false);
            }
            return Err(code);
        }
        if self.feof() { Err(Code::EOF) } else { Ok(0) }
    }

    fn packet(&self) -> usize {
        if self.max_packet > 0 { self.max_packet } else { IO_BUFFER_SIZE }
    }
}
