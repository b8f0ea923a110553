//! The writing context: a buffer in front of a write callback (IO-20…IO-33).

use super::{Checksum, Code, Errors, SeekFn, Whence, checksum::Running, size_through};

/// Kinds of written bytes (IO-30).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// Needed by every receiver.
    Header,
    /// A place where a receiver can start.
    Sync,
    /// A place where the stream can be cut.
    Boundary,
    /// Nothing is known.
    Unknown,
    /// The part behind the last packet.
    Trailer,
}

type WriteFn = Box<dyn FnMut(&[u8], Label, Option<i64>) -> Result<(), Code> + Send>;

/// Writes through a buffer, with the calls and results of an `AVIOContext`.
///
/// ```
/// use maliu::avio::BufferedWriter;
/// let mut writer = BufferedWriter::new(4, |bytes| {
///     assert_eq!(bytes, b"abcd");
///     Ok(())
/// });
/// writer.write(b"abcde").unwrap();
/// assert_eq!((writer.tell(), writer.pending()), (5, 1));
/// ```
pub struct BufferedWriter {
    write: WriteFn,
    seek: Option<SeekFn>,
    typed: bool,
    buffer: Vec<u8>,
    cur: usize,
    /// Furthest pending byte that a seek or flush has noted.
    high: usize,
    /// Absolute offset that the callback has reached.
    pos: i64,
    /// Highest offset written.
    written: i64,
    error: Option<Code>,
    errors: Errors,
    direct: bool,
    min_packet: usize,
    ignore_boundary: bool,
    label: Label,
    time: Option<i64>,
    checksum: Running,
}

impl BufferedWriter {
    /// A writer with a buffer of `capacity` bytes over `write`, which writes all it is given or fails.
    pub fn new(capacity: usize, mut write: impl FnMut(&[u8]) -> Result<(), Code> + Send + 'static) -> Self {
        Self { typed: false, ..Self::typed(capacity, move |bytes, _, _| write(bytes)) }
    }

    /// As [`BufferedWriter::new`]; `write` is also given the label of the bytes and their time in µs (IO-30).
    pub fn typed(
        capacity: usize,
        write: impl FnMut(&[u8], Label, Option<i64>) -> Result<(), Code> + Send + 'static,
    ) -> Self {
        Self {
            write: Box::new(write),
            seek: None,
            typed: true,
            buffer: vec![0; capacity.max(1)],
            cur: 0,
            high: 0,
            pos: 0,
            written: 0,
            error: None,
            errors: Errors::Once,
            direct: false,
            min_packet: 0,
            ignore_boundary: false,
            label: Label::Unknown,
            time: None,
            checksum: Running::default(),
        }
    }

    /// Seeks through `seek`.
    pub fn with_seek(mut self, seek: impl FnMut(i64, Whence) -> Result<i64, Code> + Send + 'static) -> Self {
        self.seek = Some(Box::new(seek));
        self
    }

    /// Gives every write to the callback at once (`AVIO_FLAG_DIRECT`, IO-26).
    pub fn set_direct(&mut self, direct: bool) {
        self.direct = direct;
    }

    /// Fewer pending bytes than this are not written at a flush point (IO-33).
    pub fn set_min_packet(&mut self, bytes: usize) {
        self.min_packet = bytes;
    }

    /// Takes boundaries for unknown (IO-31).
    pub fn set_ignore_boundary(&mut self, ignore: bool) {
        self.ignore_boundary = ignore;
    }

    /// When errors are returned.
    pub fn set_errors(&mut self, errors: Errors) {
        self.errors = errors;
    }

    /// Writes all of `bytes` (IO-21).
    ///
    /// # Errors
    /// The callback's, now and for every later call; never with [`Errors::Sticky`], where only
    /// [`BufferedWriter::error`] tells.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Code> {
        if self.direct && !self.checksum.is_active() {
            self.flush()?;
            if !bytes.is_empty() {
                self.give(bytes);
            }
            return self.told();
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            let room = self.buffer.get_mut(self.cur..).unwrap_or_default();
            let (now, later) = rest.split_at(rest.len().min(room.len()));
            if let Some(room) = room.get_mut(..now.len()) {
                room.copy_from_slice(now);
            }
            self.cur += now.len();
            self.flush_if_full();
            rest = later;
        }
        self.told()
    }

    /// Writes one byte, through the buffer even in direct mode.
    ///
    /// # Errors
    /// As [`BufferedWriter::write`].
    pub fn w8(&mut self, byte: u8) -> Result<(), Code> {
        if let Some(place) = self.buffer.get_mut(self.cur) {
            *place = byte;
        }
        self.cur += 1;
        self.flush_if_full();
        self.told()
    }

    /// Writes four bytes, the highest first, each as [`BufferedWriter::w8`].
    ///
    /// # Errors
    /// As [`BufferedWriter::write`].
    pub fn wb32(&mut self, value: u32) -> Result<(), Code> {
        value.to_be_bytes().into_iter().try_for_each(|byte| self.w8(byte))
    }

    /// Gives the callback all that is pending and returns to where the writer stood, if it can (IO-24).
    ///
    /// # Errors
    /// As [`BufferedWriter::write`].
    pub fn flush(&mut self) -> Result<(), Code> {
        let back = self.cur as i64 - self.high.max(self.cur) as i64;
        self.give_pending();
        if back < 0 {
            // An output that cannot seek stays behind its highest byte.
            let _ = self.seek(back, Whence::Cur);
        }
        self.told()
    }

    /// Goes to `offset`, counted from `whence`; inside the pending bytes without a callback (IO-23, IO-25).
    ///
    /// # Errors
    /// [`Code::EINVAL`] from the end or to before the start, [`Code::EPIPE`] without a seek callback, or the
    /// callback's.
    pub fn seek(&mut self, offset: i64, whence: Whence) -> Result<i64, Code> {
        let target = match whence {
            Whence::Size => return self.seek.as_mut().map_or(Err(Code::ENOSYS), |seek| seek(offset, whence)),
            Whence::Cur if offset == 0 => return Ok(self.tell()),
            _ => whence.target(offset, self.tell())?,
        };
        self.high = self.high.max(self.cur);
        let ahead = usize::try_from(target.saturating_sub(self.pos)).ok().filter(|ahead| *ahead <= self.high);
        match ahead {
            Some(ahead) if !(self.direct && self.seek.is_some()) => self.cur = ahead,
            _ => {
                self.give_pending();
                let seek = self.seek.as_mut().ok_or(Code::EPIPE)?;
                seek(target, Whence::Set)?;
                self.pos = target;
                self.checksum.restart(0);
            }
        }
        Ok(target)
    }

    /// Says what the bytes from here on are, and when they are presented (µs). Only for typed writers (IO-31).
    ///
    /// # Errors
    /// As [`BufferedWriter::write`].
    pub fn marker(&mut self, label: Label, time: Option<i64>) -> Result<(), Code> {
        let label = if self.ignore_boundary && label == Label::Boundary { Label::Unknown } else { label };
        let lasting = matches!(self.label, Label::Header | Label::Trailer);
        let changes = match label {
            Label::Unknown => lasting,
            Label::Header | Label::Trailer => label != self.label,
            Label::Sync | Label::Boundary => true,
        };
        if !self.typed || !changes {
            return Ok(());
        }
        self.flush()?;
        (self.label, self.time) = (label, time);
        Ok(())
    }

    /// A good moment to write, if enough is pending (IO-33).
    ///
    /// # Errors
    /// As [`BufferedWriter::write`].
    pub fn flush_point(&mut self) -> Result<(), Code> {
        if self.cur >= self.min_packet { self.flush() } else { Ok(()) }
    }

    /// Offset of the next byte.
    pub fn tell(&self) -> i64 {
        self.pos.saturating_add(self.cur as i64)
    }

    /// Highest offset given to the callback, or what the seek callback says when nothing was (IO-16).
    ///
    /// # Errors
    /// [`Code::ENOSYS`] without either, or the callback's.
    pub fn size(&mut self) -> Result<i64, Code> {
        if self.written > 0 { Ok(self.written) } else { size_through(self.seek.as_mut(), self.pos) }
    }

    /// Writes all that is pending; the error that was met, if any (IO-29).
    ///
    /// # Errors
    /// The first one of the callback.
    pub fn close(mut self) -> Result<(), Code> {
        self.give_pending();
        self.error.map_or(Ok(()), Err)
    }

    /// The error that was met.
    pub fn error(&self) -> Option<Code> {
        self.error
    }

    /// Offset that the callback has reached.
    pub fn position(&self) -> i64 {
        self.pos
    }

    /// Bytes in the buffer before the next one.
    pub fn pending(&self) -> usize {
        self.cur
    }

    /// Bytes in the buffer that will be written.
    pub fn high(&self) -> usize {
        self.high.max(self.cur)
    }

    /// Folds all bytes from here on into a checksum.
    pub fn start_checksum(&mut self, function: Checksum, seed: u32) {
        self.checksum.start(function, seed, self.cur);
    }

    /// The checksum of the bytes written since it was started; ends it.
    pub fn checksum(&mut self) -> u32 {
        self.checksum.finish(&self.buffer, self.cur)
    }

    fn flush_if_full(&mut self) {
        if self.cur >= self.buffer.len() {
            self.give_pending();
        }
    }

    /// One callback with all pending bytes; none when there are none (IO-22).
    fn give_pending(&mut self) {
        let high = self.high();
        if high > 0 {
            let buffer = std::mem::take(&mut self.buffer);
            self.give(buffer.get(..high).unwrap_or_default());
            self.checksum.fold(&buffer, high, 0);
            self.buffer = buffer;
        }
        (self.cur, self.high) = (0, 0);
    }

    fn give(&mut self, bytes: &[u8]) {
        let behind = self.pos.saturating_add(bytes.len() as i64);
        if self.error.is_none() {
            match (self.write)(bytes, self.label, self.time) {
                Ok(()) => self.written = self.written.max(behind),
                Err(code) => self.error = Some(code),
            }
        }
        if matches!(self.label, Label::Sync | Label::Boundary) {
            self.label = Label::Unknown;
        }
        self.time = None;
        self.pos = behind;
    }

    fn told(&self) -> Result<(), Code> {
        match (self.errors, self.error) {
            (Errors::Once, Some(code)) => Err(code),
            _ => Ok(()),
        }
    }
}
