//! A stream that is played, as a source of FLV.

use std::{collections::VecDeque, io};

use bytes::{Buf, Bytes};
use maliu_core::wire::rtmp::{ClientEvent, Role, Url};

use super::{Link, transport::Wait, warn_of_reconnect};
use crate::io::Source;

/// The start of the bytes: an FLV file with audio and video, which may or may not come.
const HEADER: &[u8] = b"FLV\x01\x05\0\0\0\x09\0\0\0\0";

/// A stream of a server, read as an FLV file that grows. It ends where the server says that the stream ends.
pub struct Player {
    link: Link,
    /// Bytes that were received and not read.
    ready: VecDeque<Bytes>,
    ended: bool,
}

impl Player {
    /// Connects to the server and asks for the stream.
    ///
    /// # Errors
    /// Those of the connection; a [`Fault`](maliu_core::wire::rtmp::Fault) when the server refuses.
    pub fn connect(url: &Url) -> io::Result<Self> {
        let link = Link::connect(url, Role::Play)?;
        Ok(Self { link, ready: VecDeque::from([Bytes::from_static(HEADER)]), ended: false })
    }

    /// Waits a moment for the next tag.
    fn step(&mut self) -> io::Result<()> {
        match self.link.next(Wait::Tick)? {
            Some(ClientEvent::Tag(tag)) => {
                self.ready.push_back(Bytes::copy_from_slice(&tag.head()));
                let tail = Bytes::copy_from_slice(&tag.tail());
                self.ready.push_back(tag.body);
                self.ready.push_back(tail);
            }
            Some(ClientEvent::End) | None => self.ended = true,
            Some(ClientEvent::Reconnect(to)) => warn_of_reconnect(to.as_deref()),
            Some(_) => {}
        }
        Ok(())
    }
}

impl Source for Player {
    fn seekable(&self) -> bool {
        false
    }

    /// `WouldBlock`: nothing came for a moment.
    fn read_at(&mut self, _: u64, buf: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buf.len() {
            match self.ready.front_mut() {
                Some(bytes) => {
                    let part = bytes.len().min(buf.len() - filled);
                    bytes.copy_to_slice(&mut buf[filled..filled + part]);
                    filled += part;
                    if bytes.is_empty() {
                        self.ready.pop_front();
                    }
                }
                None if filled > 0 || self.ended => break,
                None => self.step()?,
            }
        }
        Ok(filled)
    }

    fn block_size(&self) -> usize {
        super::BLOCK
    }
}
