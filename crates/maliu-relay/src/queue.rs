//! Bytes that wait for a socket: small ones held here, bodies shared with every other viewer.

use std::{
    collections::VecDeque,
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use tokio::io::AsyncWrite;

/// Most bytes of a [`Part::Small`].
const SMALL: usize = 30;

/// Parts of one write.
const PARTS: usize = 64;

/// Places of a queue that are kept when it is empty.
const KEPT: usize = 16;

/// Bytes in a row.
#[derive(Debug)]
enum Part {
    Small { bytes: [u8; SMALL], from: u8, to: u8 },
    Shared(Bytes),
}

impl Part {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Small { bytes, from, to } => bytes.get(usize::from(*from)..usize::from(*to)).unwrap_or_default(),
            Self::Shared(bytes) => bytes,
        }
    }

    fn advance(&mut self, by: usize) {
        match self {
            Self::Small { from, .. } => *from += by as u8,
            Self::Shared(bytes) => bytes.advance(by),
        }
    }
}

/// A queue of bytes.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    parts: VecDeque<Part>,
    len: usize,
}

impl Queue {
    /// Appends a copy of a few bytes.
    pub(crate) fn copy(&mut self, bytes: &[u8]) {
        let mut small = [0; SMALL];
        match small.get_mut(..bytes.len()) {
            Some(place) if !bytes.is_empty() => {
                place.copy_from_slice(bytes);
                self.parts.push_back(Part::Small { bytes: small, from: 0, to: bytes.len() as u8 });
                self.len += bytes.len();
            }
            _ => self.share(Bytes::copy_from_slice(bytes)),
        }
    }

    /// Appends bytes.
    pub(crate) fn share(&mut self, bytes: Bytes) {
        if !bytes.is_empty() {
            self.len += bytes.len();
            self.parts.push_back(Part::Shared(bytes));
        }
    }

    /// Bytes that wait.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Writes once; ready with the number of bytes that were taken.
    pub(crate) fn poll_write(
        &mut self,
        mut to: impl AsyncWrite + Unpin,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let mut slices = [IoSlice::new(&[]); PARTS];
        let count = self.parts.len().min(PARTS);
        for (slice, part) in slices.iter_mut().zip(&self.parts) {
            *slice = IoSlice::new(part.bytes());
        }
        let wrote = ready!(Pin::new(&mut to).poll_write_vectored(cx, &slices[..count]))?;
        if wrote == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        self.take(wrote);
        Poll::Ready(Ok(wrote))
    }

    fn take(&mut self, mut bytes: usize) {
        self.len = self.len.saturating_sub(bytes);
        while let Some(front) = self.parts.front_mut() {
            let all = front.bytes().len();
            if all > bytes {
                front.advance(bytes);
                return;
            }
            bytes -= all;
            self.parts.pop_front();
        }
        if self.parts.capacity() > KEPT {
            self.parts.shrink_to(KEPT);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn parts_arrive_in_order_whatever_the_reader_takes() {
        let mut expected = Vec::new();
        let mut queue = Queue::default();
        for number in 0..200u8 {
            let bytes = vec![number; usize::from(number)];
            expected.extend_from_slice(&bytes);
            match number % 2 {
                0 => queue.copy(&bytes),
                _ => queue.share(bytes.into()),
            }
        }
        assert_eq!(queue.len(), expected.len());
        for size in [1, 7, 4096] {
            let (mut from, to) = tokio::io::duplex(size);
            let mut one = Queue::default();
            one.parts.extend(queue.parts.iter().map(|part| Part::Shared(Bytes::copy_from_slice(part.bytes()))));
            one.len = queue.len();
            let writer = tokio::spawn(async move {
                let mut to = to;
                while !one.is_empty() {
                    std::future::poll_fn(|cx| one.poll_write(&mut to, cx)).await.unwrap();
                }
                one.len()
            });
            let mut got = Vec::new();
            tokio::io::AsyncReadExt::read_to_end(&mut from, &mut got).await.unwrap();
            assert_eq!((got == expected, writer.await.unwrap()), (true, 0), "{size}");
        }
    }
}
