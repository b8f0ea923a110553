//! A stream and the messages on their way into it: small parts are joined, large ones shared, reads as large as the
//! flow.

use std::{
    collections::VecDeque,
    future::poll_fn,
    io::IoSlice,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use ::tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::timeout,
};
use bytes::{Buf, Bytes};
use maliu_core::input::Input;

use super::{super::net::Stream, BLOCK, Error};

/// Bytes that are read at a time while little comes. A read that is filled doubles it, up to the largest.
const SMALLEST_READ: usize = 4 << 10;

/// Parts up to this many bytes are copied together.
const SMALL: usize = 4 << 10;

/// Most bytes that a peer may have sent in vain when it gets the reason.
const MAX_UNHEARD: usize = 16 << 20;

/// Slices in one vectored write.
const SLICES: usize = 64;

pub(super) struct Channel {
    stream: Stream,
    out: VecDeque<Bytes>,
    /// Joined small parts, behind all of `out`.
    small: Vec<u8>,
    /// Bytes in `out`.
    queued: usize,
    read_size: usize,
    largest_read: usize,
}

impl Channel {
    pub(super) fn new(stream: Stream) -> Self {
        let (read_size, largest_read) = (SMALLEST_READ, BLOCK);
        Self { stream, out: VecDeque::new(), small: Vec::new(), queued: 0, read_size, largest_read }
    }

    /// Reads at most `bytes` bytes at a time.
    pub(super) fn limit_reads(&mut self, bytes: usize) {
        self.largest_read = bytes.max(1);
        self.read_size = self.read_size.min(self.largest_read);
    }

    /// Bytes that wait to be written.
    pub(super) fn waiting(&self) -> usize {
        self.queued + self.small.len()
    }

    /// Where small parts are appended; [`Channel::put`] what is to follow them.
    pub(super) fn small(&mut self) -> &mut Vec<u8> {
        &mut self.small
    }

    pub(super) fn put(&mut self, part: Bytes) {
        if part.len() <= SMALL {
            self.small.extend_from_slice(&part);
        } else {
            self.close_small();
            self.queued += part.len();
            self.out.push_back(part);
        }
    }

    pub(super) fn put_all(&mut self, parts: Vec<Bytes>) {
        parts.into_iter().for_each(|part| self.put(part));
    }

    fn close_small(&mut self) {
        if !self.small.is_empty() {
            // The next bytes are probably about as many.
            let next = Vec::with_capacity(self.small.len());
            let part = Bytes::from(std::mem::replace(&mut self.small, next));
            self.queued += part.len();
            self.out.push_back(part);
        }
    }

    /// Reads once, straight into the input.
    pub(super) fn poll_fill(&mut self, cx: &mut Context<'_>, input: &mut Input) -> Poll<Result<(), Error>> {
        let size = self.read_size;
        let got = input.fill(size, |_, buf| {
            let mut buf = ReadBuf::new(buf);
            match Pin::new(&mut self.stream).poll_read(cx, &mut buf) {
                Poll::Pending => Err(None),
                Poll::Ready(Err(error)) => Err(Some(error)),
                Poll::Ready(Ok(())) => Ok(buf.filled().len()),
            }
        });
        match got {
            Err(None) => Poll::Pending,
            Err(Some(error)) => Poll::Ready(Err(error.into())),
            Ok(0) => Poll::Ready(Err(Error::Closed)),
            Ok(got) => {
                if got == size {
                    self.read_size = (size * 2).min(self.largest_read);
                } else if got < size / 4 {
                    self.read_size = (size / 2).max(SMALLEST_READ.min(self.largest_read));
                }
                Poll::Ready(Ok(()))
            }
        }
    }

    /// Writes once.
    pub(super) fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.close_small();
        if self.out.is_empty() {
            return Poll::Pending;
        }
        let mut slices = [IoSlice::new(&[]); SLICES];
        let used = slices.iter_mut().zip(&self.out).map(|(slice, part)| *slice = IoSlice::new(part)).count();
        match Pin::new(&mut self.stream).poll_write_vectored(cx, &slices[..used]) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error.into())),
            Poll::Ready(Ok(0)) => return Poll::Ready(Err(Error::Closed)),
            Poll::Ready(Ok(wrote)) => self.advance(wrote),
        }
        match self.out.is_empty().then(|| Pin::new(&mut self.stream).poll_flush(cx)) {
            Some(Poll::Ready(Err(error))) => Poll::Ready(Err(error.into())),
            _ => Poll::Ready(Ok(())),
        }
    }

    fn advance(&mut self, mut wrote: usize) {
        self.queued = self.queued.saturating_sub(wrote);
        while let Some(front) = self.out.front_mut() {
            if wrote < front.len() {
                front.advance(wrote);
                return;
            }
            wrote -= front.len();
            self.out.pop_front();
        }
    }

    /// Writes all that waits, and nothing more.
    pub(super) async fn close(mut self, limit: Duration) {
        let farewell = async {
            while self.waiting() > 0 && poll_fn(|cx| self.poll_send(cx)).await.is_ok() {}
            let _ = poll_fn(|cx| Pin::new(&mut self.stream).poll_flush(cx)).await;
            let _ = poll_fn(|cx| Pin::new(&mut self.stream).poll_shutdown(cx)).await;
            // Written bytes are safe only when the peer has read them: it closes then.
            let (mut rest, mut heard) = (Input::new(), 0);
            while heard < MAX_UNHEARD && poll_fn(|cx| self.poll_fill(cx, &mut rest)).await.is_ok() {
                heard += rest.skip(usize::MAX);
            }
        };
        let _ = timeout(limit, farewell).await;
    }
}
