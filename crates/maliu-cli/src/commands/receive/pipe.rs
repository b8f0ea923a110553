//! From the network's task to the thread of a command: a bounded pipe of messages.

use std::io;

use bytes::{Buf, Bytes};
use maliu::io::Source;
use tokio::sync::mpsc;

/// Messages that wait for the command; then the network waits.
const WAITING: usize = 256;

/// The network's end. Dropping it ends the content.
pub type Feed = mpsc::Sender<Bytes>;

/// The command's end.
pub struct Pipe {
    feed: mpsc::Receiver<Bytes>,
    rest: Bytes,
}

impl Pipe {
    /// Both ends.
    pub fn new() -> (Feed, Self) {
        let (feed, messages) = mpsc::channel(WAITING);
        (feed, Self { feed: messages, rest: Bytes::new() })
    }
}

impl Source for Pipe {
    fn seekable(&self) -> bool {
        false
    }

    fn read_at(&mut self, _: u64, buf: &mut [u8]) -> io::Result<usize> {
        if self.rest.is_empty() {
            self.rest = self.feed.blocking_recv().unwrap_or_default();
        }
        let got = self.rest.len().min(buf.len());
        self.rest.copy_to_slice(&mut buf[..got]);
        Ok(got)
    }
}
