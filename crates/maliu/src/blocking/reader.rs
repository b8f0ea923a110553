//! A source and a packet reader, pumped: iterate over packets, or ask for events.

use std::{fs, path::Path, time::Duration};

use bytes::Bytes;
use std::task::Poll;

use maliu_core::{
    format::{Event, Format},
    formats::{self, mpegts::Multiplex},
    input::Input,
    packet::Packet,
    reader::{PacketReader, Verdict},
    remark::Warning,
    stream::StreamInfo,
    time::{Ticks, TimeBase},
};

use crate::{
    drive::{self, Drive, Landing, PREROLL},
    error::{Error, Result},
    io::{File, Source, tuning::Seal},
    log::Remarks,
};

/// Packets from a source.
///
/// After a `WouldBlock` ("not yet"), and after every other error of the source, the same call can be made again and
/// goes on where it stopped.
pub struct Reader<S> {
    source: S,
    pub(super) drive: Drive,
    /// The iterator has ended.
    over: bool,
}

impl Reader<File> {
    /// A reader of the file at `path` that finds out by content which format it is.
    ///
    /// # Errors
    /// Those of the system.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Ok(Self::new(File::open(path)?))
    }
}

impl From<fs::File> for Reader<File> {
    fn from(file: fs::File) -> Self {
        Self::new(file.into())
    }
}

impl From<Bytes> for Reader<Bytes> {
    fn from(bytes: Bytes) -> Self {
        Self::new(bytes)
    }
}

impl From<Vec<u8>> for Reader<Bytes> {
    fn from(bytes: Vec<u8>) -> Self {
        Self::new(bytes.into())
    }
}

/// Copies the bytes.
impl From<&[u8]> for Reader<Bytes> {
    fn from(bytes: &[u8]) -> Self {
        Self::new(Bytes::copy_from_slice(bytes))
    }
}

impl<S: Source> Reader<S> {
    /// A reader that finds out by content which format it is given. Nothing is read yet.
    pub fn new(source: S) -> Self {
        Self::with(source, PacketReader::detect(formats::ALL))
    }

    /// A reader of this format; nothing is probed.
    ///
    /// # Errors
    /// When the format is only written, or for its settings.
    pub fn of(source: S, format: &'static Format, settings: &[(&str, &str)]) -> Result<Self> {
        Ok(Self::with(source, PacketReader::of(format, settings)?))
    }

    /// A reader over a packet reader of the caller's choice.
    pub fn with(mut source: S, reader: PacketReader) -> Self {
        let input = if source.seekable() { Input::seekable(source.size()) } else { Input::new() };
        let block_size = source.block_size();
        Self { source, drive: Drive::new(input, reader, block_size), over: false }
    }

    /// Reads this many bytes at a time.
    pub fn with_block_size(mut self, bytes: usize) -> Self {
        self.drive.block_size = bytes.max(1);
        self
    }

    /// Keeps remarks for [`Reader::take_remarks`] instead of logging them.
    pub(crate) fn keep_remarks(&mut self) {
        self.drive.remarks = Some(Vec::new());
    }

    /// Remarks since the last call.
    pub(crate) fn take_remarks(&mut self) -> Vec<Warning> {
        let kept = self.drive.remarks.as_mut().map(std::mem::take).unwrap_or_default();
        kept.into_iter().flat_map(Remarks::into_warnings).collect()
    }

    /// Reads until the first packet is at hand, so that [`Reader::streams`] tells what is there. Loses nothing.
    ///
    /// # Errors
    /// As [`Reader::next_event`].
    pub fn start(&mut self) -> Result<()> {
        while !self.drive.is_started() {
            let event = self.read_event()?;
            self.drive.held.push_back(event);
        }
        Ok(())
    }

    /// Returns the next event. After [`Event::End`] it is the end again, unless the source grew.
    ///
    /// # Errors
    /// Those of the source and of the demuxer. [`Error::is_not_yet`] when a non-blocking source has nothing.
    #[inline(always)]
    pub fn next_event(&mut self) -> Result<Event> {
        match self.drive.held.pop_front() {
            Some(event) => Ok(event),
            None => self.read_event(),
        }
    }

    /// The next packet; `None` at the end.
    ///
    /// # Errors
    /// As [`Reader::next_event`].
    pub fn next_packet(&mut self) -> Result<Option<Packet>> {
        loop {
            match self.next_event()? {
                Event::Packet(packet) => return Ok(Some(packet)),
                Event::End => return Ok(None),
                _ => {}
            }
        }
    }

    /// Goes to the last packet at which decoding can start at or before `to`, and returns where that is; `None` when no
    /// packet follows. To hear or see what is at `to` itself, use [`Reader::seek_accurate`].
    ///
    /// # Errors
    /// `NotSeekable` when the source only moves forward, and as [`Reader::next_event`].
    pub fn seek(&mut self, to: Duration) -> Result<Option<Landing>> {
        self.seek_to(Ticks::from_duration(to, TimeBase::MICROS), TimeBase::MICROS)
    }

    /// As [`Reader::seek`], to ticks of `base`.
    ///
    /// # Errors
    /// As [`Reader::seek`].
    pub fn seek_to(&mut self, to: Ticks, base: TimeBase) -> Result<Option<Landing>> {
        self.start()?;
        self.drive.seek(to, base)?;
        self.over = false;
        self.start()?;
        Ok(self.drive.landing())
    }

    /// Goes far enough before `to` that a decoder has run in when it gets there. `Decoder::keep` of
    /// maliu-decode then drops what comes before `to`.
    ///
    /// # Errors
    /// As [`Reader::seek`].
    pub fn seek_accurate(&mut self, to: Duration) -> Result<Option<Landing>> {
        self.seek(to.saturating_sub(PREROLL))
    }

    /// Tells the format that what was read so far ends a unit: a raw stream gives its last unit at once, not at the
    /// next start code.
    pub fn finish_unit(&mut self) {
        self.drive.reader.finish_unit();
    }

    /// The streams met so far, as last described.
    pub fn streams(&self) -> &[StreamInfo] {
        self.drive.reader.streams()
    }

    /// The format, once it is known.
    pub fn format(&self) -> Option<&'static Format> {
        self.drive.reader.format()
    }

    /// Scores of the probes.
    pub fn verdict(&self) -> &Verdict {
        self.drive.reader.verdict()
    }

    /// Facts of a transport stream as a whole, as far as it was read; see [`PacketReader::multiplex`].
    pub fn multiplex(&self) -> Option<Multiplex> {
        self.drive.reader.multiplex()
    }

    /// Length of the whole input, when it is known.
    pub fn duration(&self) -> Option<(Ticks, TimeBase)> {
        self.drive.reader.duration()
    }

    /// Lines for people on how the input is laid out; none where the format shows nothing.
    pub fn layout(&self) -> Vec<String> {
        self.drive.reader.layout()
    }

    /// Offset of the first byte not yet taken by the demuxer.
    pub fn offset(&self) -> u64 {
        self.drive.input.offset()
    }

    /// Length of the source in bytes, when it is known.
    pub fn size(&mut self) -> Option<u64> {
        self.source.size()
    }

    /// The same reader over a source whose type does not show.
    pub fn boxed(self) -> Reader<Box<dyn Source + Send>>
    where
        S: Send + 'static,
    {
        let Self { source, drive, over } = self;
        Reader { source: Box::new(source), drive, over }
    }

    /// The source.
    pub fn source(&self) -> &S {
        &self.source
    }

    #[inline]
    fn read_event(&mut self) -> Result<Event> {
        loop {
            match self.drive.poll()? {
                Poll::Pending => self.feed()?,
                Poll::Ready(event) => return Ok(event),
            }
        }
    }

    /// The caller is a thread of its own.
    pub(super) fn settle(&mut self) {
        if let Some(tuning) = self.source.tuning(Seal) {
            tuning.settle();
        }
    }

    /// Asks the source once.
    pub(super) fn feed(&mut self) -> Result<()> {
        let input = &mut self.drive.input;
        if let Some(tuning) = self.source.tuning(Seal) {
            if let Some(bytes) = tuning.share(input.next_read()) {
                input.push_bytes(bytes);
                input.end();
                return Ok(());
            }
            if tuning.reads_blocks() {
                drive::feed_block(input, self.drive.block_size, |at, block| tuning.read_block(at, block))?;
                return Ok(());
            }
        }
        drive::feed(input, self.drive.block_size, |at, buf| self.source.read_at(at, buf))?;
        Ok(())
    }
}

/// Packets until the end. An error of the media is the last item; after one of the source the next call asks again.
impl<S: Source> Iterator for Reader<S> {
    type Item = Result<Packet>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let item = self.next_packet().transpose();
        self.over = matches!(item, None | Some(Err(Error::Media(_))));
        item
    }
}
