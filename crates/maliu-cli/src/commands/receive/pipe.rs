//! From the network's task to the thread of a command: a pipe of messages, bounded in bytes.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::{Buf, Bytes};
use maliu::{account::ITEM, io::Source};
use tokio::sync::{Notify, mpsc};

/// Both ends of a pipe in which `most` bytes may wait, and one message more.
pub(super) fn pipe(most: usize) -> (Feed, Pipe) {
    let (messages, waiting) = mpsc::unbounded_channel();
    let level = Arc::new(Level { most, bytes: AtomicUsize::new(0), fell: Notify::new() });
    (Feed { messages, level: level.clone() }, Pipe { messages: waiting, rest: Bytes::new(), level })
}

/// How much waits.
struct Level {
    most: usize,
    bytes: AtomicUsize,
    fell: Notify,
}

/// The network's end. Dropping it ends the content.
pub(super) struct Feed {
    messages: mpsc::UnboundedSender<Bytes>,
    level: Arc<Level>,
}

impl Feed {
    /// Puts a message in; false when the command has ended.
    pub(super) fn push(&self, message: Bytes) -> bool {
        self.level.bytes.fetch_add(message.len() + ITEM, Ordering::Relaxed);
        self.messages.send(message).is_ok()
    }

    /// Bytes that wait for the command.
    pub(super) fn waiting(&self) -> usize {
        self.level.bytes.load(Ordering::Relaxed)
    }

    /// Whether no more is to be put in.
    pub(super) fn is_full(&self) -> bool {
        self.waiting() >= self.level.most && !self.messages.is_closed()
    }

    /// Waits until there is room, or the command has ended.
    pub(super) async fn room(&self) {
        while self.is_full() {
            tokio::select! {
                () = self.level.fell.notified() => {}
                () = self.messages.closed() => return,
            }
        }
    }
}

/// The command's end.
pub(super) struct Pipe {
    messages: mpsc::UnboundedReceiver<Bytes>,
    rest: Bytes,
    level: Arc<Level>,
}

impl Source for Pipe {
    fn seekable(&self) -> bool {
        false
    }

    fn read_at(&mut self, _: u64, buf: &mut [u8]) -> io::Result<usize> {
        if self.rest.is_empty() {
            self.rest = self.messages.blocking_recv().unwrap_or_default();
            if !self.rest.is_empty() {
                self.level.bytes.fetch_sub(self.rest.len() + ITEM, Ordering::Relaxed);
                self.level.fell.notify_one();
            }
        }
        let got = self.rest.len().min(buf.len());
        self.rest.copy_to_slice(&mut buf[..got]);
        Ok(got)
    }
}
