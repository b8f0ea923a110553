//! The way of edits from an output to an asynchronous stream: what waits is kept here, not in a future.

use std::{
    collections::VecDeque,
    future::poll_fn,
    io::{self, SeekFrom},
    pin::Pin,
    task::{Context, Poll, ready},
};

use ::tokio::io::{AsyncSeek, AsyncWrite};
use maliu_core::output::{Edit, Output, Parts, Reach};

use crate::{
    error::Result,
    io::{BLOCK_SIZE, gather::slices, overclaimed},
    log,
};

/// An output and the stream its edits go to.
pub struct Pump<W> {
    stream: W,
    output: Output,
    /// Bytes to be written one behind the other, behind a seek each but the first.
    runs: VecDeque<Run>,
    /// Bytes appended so far: where the stream stands between patches.
    end: u64,
    seek: Option<SeekWith<W>>,
    seeking: bool,
}

/// Bytes that follow each other.
#[derive(Default)]
struct Run {
    /// Where to go before they are written; `None` when the stream is there.
    at: Option<u64>,
    parts: Parts,
}

/// How a `W` is sought; kept as a function so that a stream that cannot be sought needs no such bound.
type SeekWith<W> = fn(&mut W, &mut Context<'_>, &mut bool, u64) -> Poll<io::Result<()>>;

impl<W: AsyncWrite + Unpin> Pump<W> {
    /// An output that is only appended to.
    pub fn new(stream: W) -> Self {
        Self::make(stream, Reach::Append, None)
    }

    fn make(stream: W, reach: Reach, seek: Option<SeekWith<W>>) -> Self {
        Self { stream, output: Output::new(reach), runs: VecDeque::new(), end: 0, seek, seeking: false }
    }

    /// Where a muxer puts its edits.
    pub fn output(&mut self) -> &mut Output {
        &mut self.output
    }

    /// Bytes that wait to be written.
    pub fn waiting(&self) -> usize {
        self.runs.iter().map(|run| run.parts.len()).sum::<usize>() + self.output.waiting()
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

    /// Turns edits into runs.
    fn plan(&mut self) {
        while let Some(edit) = self.output.next_edit() {
            match edit {
                Edit::Append(piece) => {
                    if self.runs.is_empty() {
                        self.runs.push_back(Run::default());
                    }
                    let run = self.runs.back_mut().expect("one was put there");
                    self.end = self.end.saturating_add(piece.len() as u64);
                    piece.parts.iter().for_each(|part| run.parts.push(part));
                }
                // An output of this reach gets no inserts; should one come, it is at least not lost.
                Edit::Overwrite { at, bytes } | Edit::Insert { at, bytes } => {
                    let mut run = Run { at: Some(at), parts: Parts::default() };
                    run.parts.push(&bytes);
                    self.runs.extend([run, Run { at: Some(self.end), parts: Parts::default() }]);
                }
            }
        }
        self.runs.iter_mut().for_each(|run| run.parts.close());
        log::remarks_of_output(&mut self.output);
    }

    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(run) = self.runs.front_mut() {
            if let Some(to) = run.at {
                let seek = self.seek.ok_or(io::ErrorKind::Unsupported)?;
                ready!(seek(&mut self.stream, cx, &mut self.seeking, to))?;
                run.at = None;
            }
            if run.parts.is_empty() {
                if self.runs.len() == 1 {
                    // Its buffer serves again.
                    break;
                }
                self.runs.pop_front();
                continue;
            }
            let (slices, used, given) = slices(&run.parts);
            let wrote = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, &slices[..used]))?;
            match wrote {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                wrote if wrote > given => return Poll::Ready(Err(overclaimed(wrote, given))),
                wrote => run.parts.advance(wrote),
            }
        }
        Poll::Ready(Ok(()))
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
