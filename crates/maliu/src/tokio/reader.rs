//! A source and a packet reader, pumped by a task.

use std::{
    collections::VecDeque,
    future::poll_fn,
    io,
    task::{Context, Poll},
};

use ::tokio::io::{AsyncRead, AsyncSeek};
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
    blocking::{log_warnings, stuck},
    error::Result,
    io::{BLOCK_SIZE, MAX_INTERRUPTS, overclaimed},
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
    input: Input,
    reader: PacketReader,
    block_size: usize,
    held: VecDeque<Event>,
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

impl<S: Source> Reader<S> {
    /// A reader over a source and a packet reader of the caller's choice.
    pub fn with(source: S, reader: PacketReader) -> Self {
        let input = if source.seekable() { Input::seekable(None) } else { Input::new() };
        Self { source, input, reader, block_size: BLOCK_SIZE, held: VecDeque::new() }
    }

    /// Reads up to this many bytes at a time.
    pub fn with_block_size(mut self, bytes: usize) -> Self {
        self.block_size = bytes.max(1);
        self
    }

    /// What comes next; never [`Event::NeedBytes`].
    ///
    /// # Errors
    /// Those of the source, after which the next call asks again, and of the demuxer.
    pub async fn next_event(&mut self) -> Result<Event> {
        match self.held.pop_front() {
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

    /// Goes to the last packet at which decoding can start at or before `to` (in `base`).
    ///
    /// # Errors
    /// `NotSeekable` when the source only moves forward, and as [`Reader::next_event`].
    pub async fn seek(&mut self, to: Ticks, base: TimeBase) -> Result<()> {
        while self.reader.format().is_none() {
            let event = poll_fn(|cx| self.poll_event(cx)).await?;
            self.held.push_back(event);
        }
        self.reader.seek(to, base, &mut self.input)?;
        self.held.retain(|event| !matches!(event, Event::Packet(_) | Event::End));
        Ok(())
    }

    /// The streams met so far, as last described.
    pub fn streams(&self) -> &[StreamInfo] {
        self.reader.streams()
    }

    /// The format, once it is known.
    pub fn format(&self) -> Option<&'static Format> {
        self.reader.format()
    }

    /// What the probes said.
    pub fn verdict(&self) -> &Verdict {
        self.reader.verdict()
    }

    /// What comes next, for futures of the caller's own.
    pub fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<Event>> {
        let mut interrupts = 0;
        loop {
            let polled = self.reader.poll(&mut self.input);
            log_warnings(&mut self.input, &self.reader);
            match polled {
                Ok(Event::NeedBytes) if self.input.ended() => {
                    return Poll::Ready(Err(stuck(&self.reader, &self.input)));
                }
                Ok(Event::NeedBytes) => {}
                polled => return Poll::Ready(Ok(polled?)),
            }
            match self.fill(cx) {
                Ok(0) => self.input.end(),
                Ok(_) => interrupts = 0,
                Err(Unfilled::NotYet) => return Poll::Pending,
                Err(Unfilled::Failed(error))
                    if error.kind() == io::ErrorKind::Interrupted && interrupts < MAX_INTERRUPTS =>
                {
                    interrupts += 1;
                }
                Err(Unfilled::Failed(error)) => return Poll::Ready(Err(error.into())),
            }
        }
    }

    fn fill(&mut self, cx: &mut Context<'_>) -> Result<usize, Unfilled> {
        self.input.fill(self.block_size, |at, buf| {
            let room = buf.len();
            match self.source.poll_read_at(cx, at, buf) {
                Poll::Pending => Err(Unfilled::NotYet),
                Poll::Ready(Err(error)) => Err(Unfilled::Failed(error)),
                Poll::Ready(Ok(got)) if got > room => Err(Unfilled::Failed(overclaimed(got, room))),
                Poll::Ready(Ok(got)) => Ok(got),
            }
        })
    }
}

/// Why nothing was read.
enum Unfilled {
    NotYet,
    Failed(io::Error),
}
