//! A source and a packet reader, pumped by a task.

use std::{
    future::poll_fn,
    io,
    path::Path,
    task::{Context, Poll},
    time::Duration,
};

use ::tokio::{
    fs,
    io::{AsyncRead, AsyncSeek},
};
use maliu_core::{
    format::{Event, Format},
    formats,
    input::Input,
    packet::Packet,
    reader::{PacketReader, Verdict},
    stream::StreamInfo,
    time::{Ticks, TimeBase},
};

use super::{Forward, Seekable, Source};
use crate::{
    drive::{self, Drive, Landing, PREROLL},
    error::Result,
    io::BLOCK_SIZE,
};

/// Packets from an asynchronous source. Every future can be dropped; the next call goes on.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let mut reader = maliu::tokio::Reader::new(&b"no media"[..]);
/// assert!(reader.next_packet().await.is_err());
/// # })
/// ```
pub struct Reader<S> {
    source: S,
    drive: Drive,
}

impl<T: AsyncRead + Unpin> Reader<Forward<T>> {
    /// A reader over a stream that finds out by content which format it is given.
    pub fn new(stream: T) -> Self {
        Self::with(Forward(stream), PacketReader::detect(formats::ALL))
    }
}

impl<T: AsyncRead + AsyncSeek + Unpin> Reader<Seekable<T>> {
    /// As [`Reader::new`], over a stream that can be sought.
    pub fn seekable(stream: T) -> Self {
        Self::with(Seekable::new(stream), PacketReader::detect(formats::ALL))
    }
}

impl Reader<Seekable<fs::File>> {
    /// A reader of the file at `path` that finds out by content which format it is.
    ///
    /// # Errors
    /// Those of the system.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self> {
        Ok(Self::seekable(fs::File::open(path).await?))
    }
}

impl<S: Source> Reader<S> {
    /// A reader of this format; nothing is probed.
    ///
    /// # Errors
    /// When the format is only written, or for its settings.
    pub fn of(source: S, format: &'static Format, settings: &[(&str, &str)]) -> Result<Self> {
        Ok(Self::with(source, PacketReader::of(format, settings)?))
    }

    /// A reader over a source and a packet reader of the caller's choice.
    pub fn with(source: S, reader: PacketReader) -> Self {
        let input = if source.seekable() { Input::seekable(None) } else { Input::new() };
        Self { source, drive: Drive::new(input, reader, BLOCK_SIZE) }
    }

    /// Reads up to this many bytes at a time.
    pub fn with_block_size(mut self, bytes: usize) -> Self {
        self.drive.block_size = bytes.max(1);
        self
    }

    /// Returns the next event.
    ///
    /// # Errors
    /// Those of the source, after which the next call asks again, and of the demuxer.
    pub async fn next_event(&mut self) -> Result<Event> {
        match self.drive.held.pop_front() {
            Some(event) => Ok(event),
            None => poll_fn(|cx| self.poll_event(cx)).await,
        }
    }

    /// The next packet; `None` at the end.
    ///
    /// # Errors
    /// As [`Reader::next_event`].
    pub async fn next_packet(&mut self) -> Result<Option<Packet>> {
        loop {
            match self.next_event().await? {
                Event::Packet(packet) => return Ok(Some(packet)),
                Event::End => return Ok(None),
                _ => {}
            }
        }
    }

    /// Reads until the first packet is at hand, so that [`Reader::streams`] lists what is there. Loses nothing.
    ///
    /// # Errors
    /// As [`Reader::next_event`].
    pub async fn start(&mut self) -> Result<()> {
        while !self.drive.is_started() {
            let event = poll_fn(|cx| self.poll_event(cx)).await?;
            self.drive.held.push_back(event);
        }
        Ok(())
    }

    /// Goes to the last packet at which decoding can start at or before `to`, and returns where that is; `None` when no
    /// packet follows.
    ///
    /// # Errors
    /// `NotSeekable` when the source only moves forward, and as [`Reader::next_event`].
    pub async fn seek(&mut self, to: Duration) -> Result<Option<Landing>> {
        self.seek_to(Ticks::from_duration(to, TimeBase::MICROS), TimeBase::MICROS).await
    }

    /// As [`Reader::seek`], to ticks of `base`.
    ///
    /// # Errors
    /// As [`Reader::seek`].
    pub async fn seek_to(&mut self, to: Ticks, base: TimeBase) -> Result<Option<Landing>> {
        self.start().await?;
        self.drive.seek(to, base)?;
        self.start().await?;
        Ok(self.drive.landing())
    }

    /// Goes far enough before `to` that a decoder has run in when it gets there. `Decoder::keep` of
    /// maliu-decode then drops what comes before `to`.
    ///
    /// # Errors
    /// As [`Reader::seek`].
    pub async fn seek_accurate(&mut self, to: Duration) -> Result<Option<Landing>> {
        self.seek(to.saturating_sub(PREROLL)).await
    }

    /// Tells the format that what was read so far ends a unit: a raw stream gives its last unit at once, not at the
    /// next start code.
    pub fn finish_unit(&mut self) {
        self.drive.reader.finish_unit();
    }

    /// Length of the whole input, when it is known.
    pub fn duration(&self) -> Option<(Ticks, TimeBase)> {
        self.drive.reader.duration()
    }

    /// Offset of the first byte not yet taken by the demuxer.
    pub fn offset(&self) -> u64 {
        self.drive.input.offset()
    }

    /// The source.
    pub fn source(&self) -> &S {
        &self.source
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

    /// The next event, for futures of the caller's own.
    pub fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<Event>> {
        loop {
            match self.drive.poll()? {
                Poll::Pending => {}
                Poll::Ready(event) => return Poll::Ready(Ok(event)),
            }
            let mut pending = false;
            let fed = drive::feed(&mut self.drive.input, self.drive.block_size, |at, buf| {
                let polled = self.source.poll_read_at(cx, at, buf);
                pending = polled.is_pending();
                match polled {
                    Poll::Ready(result) => result,
                    Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
                }
            });
            if pending {
                return Poll::Pending;
            }
            fed?;
        }
    }
}
