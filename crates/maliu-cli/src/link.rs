//! A connection that carries nothing but media: commands read and write it as they do a file.
//!
//! ```text
//!   remux, decode ◀─ Source ─ Link ◀── connection        a thread drives the transport, so that QUIC goes on
//!           remux ──▶ Sink ── Link ──▶ connection        while a command computes
//! ```

use std::{
    io::{self, Read, Write},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::{Buf, Bytes};
use maliu::{
    io::{Forward, Sink},
    output::{Edit, Reach},
    tokio::{
        net::{self, Address, First, Stream, Trust},
        wire::Retry,
    },
};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    runtime::{Builder, Handle},
    time::{sleep, timeout},
};

/// Starts what drives connections.
pub(crate) fn runtime() -> io::Result<Handle> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let handle = runtime.handle().clone();
    std::thread::Builder::new().spawn(move || runtime.block_on(std::future::pending::<()>()))?;
    Ok(handle)
}

/// Connects to a peer that `greet` is content with, again and again until `give_up` is over.
pub(crate) async fn connect<T, F: Future<Output = io::Result<T>>>(
    address: &Address,
    trust: Option<&Trust>,
    first: First,
    give_up: Option<Duration>,
    greet: impl Fn(Stream) -> F,
) -> io::Result<T> {
    let (begun, Retry { first: mut pause, longest, .. }) = (Instant::now(), Retry::default());
    loop {
        let (error, is_final) = match net::connect_with(address, trust, first).await {
            Ok(stream) => match greet(stream).await {
                Ok(guest) => return Ok(guest),
                Err(error) => (error, false),
            },
            Err(error) => {
                let is_final = matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::InvalidData);
                (error, is_final)
            }
        };
        if is_final || give_up.is_some_and(|limit| begun.elapsed() >= limit) {
            return Err(error);
        }
        tracing::info!("{error}");
        sleep(pause).await;
        pause = (pause * 2).min(longest);
    }
}

/// A connection in one direction.
pub(crate) struct Link {
    handle: Handle,
    stream: Stream,
    /// Bytes that were read before.
    front: Bytes,
    /// How long the peer may do nothing; `None` sets no limit.
    silence: Option<Duration>,
    report: Option<Arc<Report>>,
}

impl Link {
    /// Over a stream of which `front` was read already.
    pub(crate) fn new(handle: Handle, stream: Stream, front: Bytes, silence: Option<Duration>) -> Self {
        Self { handle, stream, front, silence, report: None }
    }

    /// Tells how much it has carried.
    pub(crate) fn telling(mut self, report: Option<Arc<Report>>) -> Self {
        self.report = report;
        self
    }

    fn count(&self, bytes: usize) {
        if let Some(report) = &self.report {
            report.count(bytes);
        }
    }
}

/// Waits for some work of a connection, within what is allowed.
async fn within<T>(limit: Option<Duration>, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let Some(limit) = limit else { return work.await };
    let silent = || io::Error::new(io::ErrorKind::TimedOut, format!("the peer did nothing for {} s", limit.as_secs()));
    timeout(limit, work).await.unwrap_or_else(|_| Err(silent()))
}

impl Read for Link {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.front.is_empty() {
            let got = self.handle.block_on(within(self.silence, self.stream.read(buf)))?;
            self.count(got);
            if got == 0 && !buf.is_empty() {
                self.part();
            }
            return Ok(got);
        }
        let got = self.front.len().min(buf.len());
        self.front.copy_to_slice(&mut buf[..got]);
        self.count(got);
        Ok(got)
    }
}

impl Write for Link {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let wrote = self.handle.block_on(within(self.silence, self.stream.write(buf))).map_err(gone)?;
        self.count(wrote);
        Ok(wrote)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.handle.block_on(within(self.silence, self.stream.flush())).map_err(gone)
    }
}

/// A pipe whose reader has gone is the end of a command, but a peer that has gone is a failure.
fn gone(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::BrokenPipe => io::Error::other("the peer has closed the connection"),
        _ => error,
    }
}

/// The sending end as a sink: its end reaches the peer.
pub(crate) struct Outgoing(Forward<Link>);

impl Outgoing {
    /// Over a link.
    pub(crate) fn new(link: Link) -> Self {
        Self(Forward::new(link))
    }
}

impl Sink for Outgoing {
    fn reach(&self) -> Reach {
        self.0.reach()
    }

    fn apply(&mut self, edit: Edit) -> io::Result<()> {
        self.0.apply(edit)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }

    fn finish(&mut self) -> io::Result<()> {
        self.0.flush()?;
        self.0.inner_mut().close()
    }
}

impl Link {
    /// Says that nothing follows, and waits for the peer to close: what it has not read might be lost otherwise.
    fn close(&mut self) -> io::Result<()> {
        let Self { handle, stream, silence, .. } = self;
        handle.block_on(within(*silence, stream.shutdown())).map_err(gone)?;
        let mut unread = [0; 4096];
        let farewell = async { while stream.read(&mut unread).await.is_ok_and(|got| got > 0) {} };
        // A peer that keeps its end open has had everything sent to it all the same.
        let _ = handle.block_on(async { timeout(FAREWELL, farewell).await });
        Ok(())
    }
}

/// How long to wait for the peer to close.
const FAREWELL: Duration = Duration::from_secs(2);

impl Link {
    /// After the peer's end: says that nothing follows from here either. Over QUIC this takes along the acknowledgement
    /// of all that has come, for which the peer waits; the process might end before it is sent otherwise.
    fn part(&mut self) {
        let Self { handle, stream, .. } = self;
        // A peer that has gone already knows enough.
        let _ = handle.block_on(async { timeout(PARTING, stream.shutdown()).await });
    }
}

/// How long parting may take.
const PARTING: Duration = Duration::from_millis(500);

/// Lines of JSON about a link.
pub(crate) struct Report {
    tell: Box<dyn Fn(&serde_json::Value) + Send + Sync>,
    begun: Instant,
    /// When the next line is due, in ms from the beginning.
    next: AtomicU64,
    bytes: AtomicU64,
}

impl Report {
    /// Lines that `tell` prints: one every second, and one at the end.
    pub(crate) fn new(tell: impl Fn(&serde_json::Value) + Send + Sync + 'static) -> Arc<Self> {
        let (begun, next, bytes) = (Instant::now(), AtomicU64::new(EVERY), AtomicU64::new(0));
        Arc::new(Self { tell: Box::new(tell), begun, next, bytes })
    }

    fn count(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        let now = self.begun.elapsed().as_millis() as u64;
        if now >= self.next.load(Ordering::Relaxed) {
            self.next.store(now + EVERY, Ordering::Relaxed);
            self.line("progress");
        }
    }

    /// A line with what was carried so far.
    pub(crate) fn line(&self, event: &str) {
        let seconds = self.begun.elapsed().as_secs_f64().max(1e-3);
        let bytes = self.bytes.load(Ordering::Relaxed);
        let rate = (bytes as f64 / seconds) as u64;
        (self.tell)(&json!({"event": event, "seconds": seconds, "bytes": bytes, "bytes_per_second": rate}));
    }
}

/// Between two lines, in ms.
const EVERY: u64 = 1000;
