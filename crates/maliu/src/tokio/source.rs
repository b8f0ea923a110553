//! Bytes to read, asked for by polling: any `AsyncRead`, with `AsyncSeek` or without.

use std::{
    io::{self, SeekFrom},
    pin::Pin,
    task::{Context, Poll, ready},
};

use ::tokio::io::{AsyncRead, AsyncSeek, ReadBuf};

/// Bytes to read, at absolute offsets; the asynchronous counterpart of [`crate::io::Source`].
pub trait Source {
    /// Whether any offset can be asked for. Otherwise they are consecutive.
    fn seekable(&self) -> bool;

    /// Puts up to `buf.len()` bytes that stand at offset `at` into `buf`; 0 is the end. Once it has said "pending", it
    /// is asked for the same offset again.
    fn poll_read_at(&mut self, cx: &mut Context<'_>, at: u64, buf: &mut [u8]) -> Poll<io::Result<usize>>;
}

/// A stream that only moves forward.
#[derive(Debug)]
pub struct Forward<T>(pub T);

impl<T: AsyncRead + Unpin> Source for Forward<T> {
    fn seekable(&self) -> bool {
        false
    }

    fn poll_read_at(&mut self, cx: &mut Context<'_>, _at: u64, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        poll_read(&mut self.0, cx, buf)
    }
}

/// A stream that can be sought.
#[derive(Debug)]
pub struct Seekable<T> {
    inner: T,
    stands: Stands,
}

/// Where a stream stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stands {
    At(u64),
    GoingTo(u64),
    Unknown,
}

impl<T> Seekable<T> {
    /// A source over `inner`; offsets count from its start.
    pub fn new(inner: T) -> Self {
        Self { inner, stands: Stands::Unknown }
    }
}

impl<T: AsyncRead + AsyncSeek + Unpin> Source for Seekable<T> {
    fn seekable(&self) -> bool {
        true
    }

    fn poll_read_at(&mut self, cx: &mut Context<'_>, at: u64, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        while self.stands != Stands::At(at) {
            if let Stands::GoingTo(to) = self.stands {
                let arrived = ready!(Pin::new(&mut self.inner).poll_complete(cx));
                self.stands = Stands::Unknown;
                arrived?;
                self.stands = Stands::At(to);
            } else {
                Pin::new(&mut self.inner).start_seek(SeekFrom::Start(at))?;
                self.stands = Stands::GoingTo(at);
            }
        }
        let got = ready!(poll_read(&mut self.inner, cx, buf))?;
        self.stands = Stands::At(at.saturating_add(got as u64));
        Poll::Ready(Ok(got))
    }
}

fn poll_read(from: &mut (impl AsyncRead + Unpin), cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
    let mut buf = ReadBuf::new(buf);
    ready!(Pin::new(from).poll_read(cx, &mut buf))?;
    Poll::Ready(Ok(buf.filled().len()))
}
