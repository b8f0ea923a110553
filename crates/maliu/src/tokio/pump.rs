//! The way of edits from an output to an asynchronous stream: what waits is kept here, not in a future.

use std::{
    collections::VecDeque,
    future::poll_fn,
    io::{self, IoSlice, SeekFrom},
    pin::Pin,
    task::{Context, Poll, ready},
};

use ::tokio::io::{AsyncSeek, AsyncWrite};
use bytes::{Buf, Bytes, BytesMut};
use maliu_core::output::{Edit, Output, Reach};

use crate::{
    error::Result,
    io::{BLOCK_SIZE, overclaimed},
    log,
};

/// Parts up to this many bytes are copied together.
const SMALL: usize = 4 << 10;

/// Slices in one vectored write.
const SLICES: usize = 64;

/// An output and the stream its edits go to.
pub struct Pump<W> {
    stream: W,
    output: Output,
    steps: VecDeque<Step>,
    /// Joined small parts, behind all of `steps`.
    small: BytesMut,
    waiting: usize,
    /// Bytes appended so far: where the stream stands between patches.
    end: u64,
    seek: Option<SeekWith<W>>,
    seeking: bool,
}

enum Step {
    Write(Bytes),
    Seek(u64),
}

/// How a `W` is sought; kept as a function so that a stream that cannot be sought needs no such bound.
type SeekWith<W> = fn(&mut W, &mut Context<'_>, &mut bool, u64) -> Poll<io::Result<()>>;

impl<W: AsyncWrite + Unpin> Pump<W> {
    /// An output that is only appended to.
    pub fn new(stream: W) -> Self {
        Self::make(stream, Reach::Append, None)
    }

    fn make(stream: W, reach: Reach, seek: Option<SeekWith<W>>) -> Self {
        let (output, steps, small) = (Output::new(reach), VecDeque::new(), BytesMut::new());
        Self { stream, output, steps, small, waiting: 0, end: 0, seek, seeking: false }
    }

    /// Where a muxer puts its edits.
    pub fn output(&mut self) -> &mut Output {
        &mut self.output
    }

    /// Bytes that wait to be written.
    pub fn waiting(&self) -> usize {
        self.waiting + self.output.waiting()
    }

    /// Writes if a block's worth waits.
    ///
    /// # Errors
    /// Those of the stream.
    pub async fn pump(&mut self) -> Result<()> {
        if self.waiting() >= BLOCK_SIZE { self.drain().await } else { Ok(()) }
    }

    /// Writes all that waits.
    ///
    /// # Errors
    /// Those of the stream.
    pub async fn flush(&mut self) -> Result<()> {
        self.drain().await?;
        Ok(poll_fn(|cx| Pin::new(&mut self.stream).poll_flush(cx)).await?)
    }

    /// Writes all that waits and shuts the stream down.
    ///
    /// # Errors
    /// Those of the stream.
    pub async fn finish(&mut self) -> Result<()> {
        self.drain().await?;
        // A shutdown flushes, too.
        Ok(poll_fn(|cx| Pin::new(&mut self.stream).poll_shutdown(cx)).await?)
    }

    /// The stream. Unwritten data is discarded.
    pub fn into_inner(self) -> W {
        self.stream
    }

    async fn drain(&mut self) -> Result<()> {
        self.plan();
        Ok(poll_fn(|cx| self.poll_drain(cx)).await?)
    }

    /// Turns edits into steps.
    fn plan(&mut self) {
        while let Some(edit) = self.output.next_edit() {
            match edit {
                Edit::Append(piece) => piece.parts.into_iter().for_each(|part| {
                    self.end = self.end.saturating_add(part.len() as u64);
                    self.put(part);
                }),
                // An output of this reach gets no inserts; should one come, it is at least not lost.
                Edit::Overwrite { at, bytes } | Edit::Insert { at, bytes } => {
                    self.close_small();
                    self.steps.push_back(Step::Seek(at));
                    self.put(bytes);
                    self.close_small();
                    self.steps.push_back(Step::Seek(self.end));
                }
            }
        }
        self.close_small();
        log::remarks_of_output(&mut self.output);
    }

    fn put(&mut self, part: Bytes) {
        self.waiting += part.len();
        if part.len() <= SMALL {
            self.small.extend_from_slice(&part);
        } else {
            self.close_small();
            self.steps.push_back(Step::Write(part));
        }
    }

    fn close_small(&mut self) {
        if !self.small.is_empty() {
            self.steps.push_back(Step::Write(self.small.split().freeze()));
        }
    }

    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(step) = self.steps.front() {
            if let Step::Seek(to) = step {
                let seek = self.seek.ok_or(io::ErrorKind::Unsupported)?;
                ready!(seek(&mut self.stream, cx, &mut self.seeking, *to))?;
                self.steps.pop_front();
                continue;
            }
            let mut slices = [IoSlice::new(&[]); SLICES];
            let (mut used, mut given) = (0, 0);
            for (slice, step) in slices.iter_mut().zip(&self.steps) {
                let Step::Write(bytes) = step else { break };
                *slice = IoSlice::new(bytes);
                (used, given) = (used + 1, given + bytes.len());
            }
            let wrote = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, &slices[..used]))?;
            match wrote {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                wrote if wrote > given => return Poll::Ready(Err(overclaimed(wrote, given))),
                wrote => self.advance(wrote),
            }
        }
        Poll::Ready(Ok(()))
    }

    fn advance(&mut self, mut wrote: usize) {
        self.waiting -= wrote;
        while let Some(Step::Write(front)) = self.steps.front_mut() {
            if wrote < front.len() {
                front.advance(wrote);
                return;
            }
            wrote -= front.len();
            self.steps.pop_front();
        }
    }
}

impl<W: AsyncWrite + AsyncSeek + Unpin> Pump<W> {
    /// An output whose bytes can be overwritten.
    pub fn seekable(stream: W) -> Self {
        Self::make(stream, Reach::Overwrite, Some(seek_to))
    }
}

fn seek_to<W: AsyncSeek + Unpin>(
    stream: &mut W,
    cx: &mut Context<'_>,
    seeking: &mut bool,
    to: u64,
) -> Poll<io::Result<()>> {
    if !*seeking {
        Pin::new(&mut *stream).start_seek(SeekFrom::Start(to))?;
        *seeking = true;
    }
    let arrived = ready!(Pin::new(stream).poll_complete(cx));
    *seeking = false;
    Poll::Ready(arrived.map(|_| ()))
}
