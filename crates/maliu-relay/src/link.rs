//! A socket, the bytes that wait for it, and the time since it takes none.

use std::{
    cell::RefCell,
    io,
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::queue::Queue;

/// How long a peer may take nothing although there is something.
pub(crate) const STALL_LIMIT: Duration = Duration::from_secs(15);

/// How long a viewer waits for a stream that was never published.
pub(crate) const EXPECT_LIMIT: Duration = Duration::from_secs(10);

/// Between two looks at the clock.
pub(crate) const TICK: Duration = Duration::from_secs(2);

/// Bytes that are read at a time.
const BLOCK: usize = 64 << 10;

thread_local! {
    /// Connections read one after another, and none keeps a buffer of its own.
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; BLOCK]);
}

/// A stream of bytes in both directions.
pub(crate) trait Socket: AsyncRead + AsyncWrite + Send + Unpin + 'static {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Socket for T {}

/// A socket and its queue.
#[derive(Debug)]
pub(crate) struct Link<S> {
    socket: S,
    /// Bytes for the peer.
    pub(crate) out: Queue,
    blocked: Option<Instant>,
}

impl<S: Socket> Link<S> {
    /// A link over a socket.
    pub(crate) fn new(socket: S) -> Self {
        Self { socket, out: Queue::default(), blocked: None }
    }

    /// Reads once, and hands the bytes over; of none at the end.
    pub(crate) fn poll_read<T>(
        &mut self,
        cx: &mut Context<'_>,
        hear: impl FnOnce(&[u8], &mut Queue) -> T,
    ) -> Poll<io::Result<T>> {
        BUFFER.with_borrow_mut(|buffer| {
            let mut block = ReadBuf::new(buffer);
            match Pin::new(&mut self.socket).poll_read(cx, &mut block) {
                Poll::Pending => Poll::Pending,
                Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::ConnectionReset => {
                    Poll::Ready(Ok(hear(&[], &mut self.out)))
                }
                Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
                Poll::Ready(Ok(())) => Poll::Ready(Ok(hear(block.filled(), &mut self.out))),
            }
        })
    }

    /// Writes what waits; ready when nothing does.
    pub(crate) fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.out.is_empty() {
            match self.out.poll_write(&mut self.socket, cx) {
                Poll::Ready(Ok(_)) => self.blocked = None,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    self.blocked.get_or_insert_with(Instant::now);
                    return Poll::Pending;
                }
            }
        }
        // Layers below may hold bytes back.
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    /// Whether the peer has taken nothing for [`STALL_LIMIT`].
    pub(crate) fn is_stalled(&self) -> bool {
        self.blocked.is_some_and(|since| since.elapsed() >= STALL_LIMIT)
    }

    /// Ends the connection: a peer that has read everything sees an end, not a fault.
    pub(crate) async fn close(mut self) {
        let end = std::future::poll_fn(|cx| Pin::new(&mut self.socket).poll_shutdown(cx));
        // The connection has ended whatever the answer.
        let _ = tokio::time::timeout(STALL_LIMIT, end).await;
    }
}
