//! The bytes of a tag for viewers of a protocol: a head, the body that all share, a tail.

use std::io::Write;

use maliu::wire::rtmp::{CHUNK_SIZE, Tag};

use crate::{metrics::Protocol, queue::Queue, websocket};

/// How a viewer gets tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Messages of RTMP on a message stream of this number.
    Rtmp(u32),
    /// An FLV file; in chunks of HTTP/1.1, each of one tag, or plain.
    HttpFlv {
        /// In chunks.
        chunked: bool,
    },
    /// An FLV file, a tag in each binary frame of WebSocket.
    WsFlv,
}

/// The end of a body in chunks.
pub(crate) const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

impl Form {
    /// Its protocol.
    pub(crate) fn protocol(self) -> Protocol {
        match self {
            Self::Rtmp(_) => Protocol::Rtmp,
            Self::HttpFlv { .. } => Protocol::HttpFlv,
            Self::WsFlv => Protocol::WsFlv,
        }
    }

    /// Appends a tag.
    pub(crate) fn put(self, tag: &Tag, out: &mut Queue) {
        if let Self::Rtmp(stream) = self {
            return message(tag, stream, out);
        }
        let (head, tail) = (tag.head(), tag.tail());
        self.open(head.len() + tag.body.len() + tail.len(), &head, out);
        out.share(tag.body.clone());
        self.close(&tail, out);
    }

    /// Appends the header of a file with these flags; RTMP has none.
    pub(crate) fn begin(self, flags: u8, out: &mut Queue) {
        if let Self::Rtmp(_) = self {
            return;
        }
        let header = [b'F', b'L', b'V', 1, flags, 0, 0, 0, 9, 0, 0, 0, 0];
        self.open(header.len(), &header, out);
        self.close(&[], out);
    }

    /// A piece of `size` bytes begins, with these ones.
    fn open(self, size: usize, first: &[u8], out: &mut Queue) {
        // Behind a hexadecimal size, or a head of a frame, stands the head of a tag: 29 bytes at most.
        let mut bytes = [0; 32];
        let mut rest = &mut bytes[..];
        let room = rest.len();
        let fits = match self {
            Self::HttpFlv { chunked: true } => write!(rest, "{size:x}\r\n"),
            Self::WsFlv => rest.write_all(websocket::head(websocket::BINARY, size).bytes()),
            _ => Ok(()),
        };
        let fits = fits.and_then(|()| rest.write_all(first));
        debug_assert!(fits.is_ok(), "heads have a largest size");
        let used = room - rest.len();
        out.copy(bytes.get(..used).unwrap_or_default());
    }

    /// A piece ends, with these bytes.
    fn close(self, last: &[u8], out: &mut Queue) {
        match self {
            Self::HttpFlv { chunked: true } => out.copy(&[last, b"\r\n"].concat()),
            _ if last.is_empty() => {}
            _ => out.copy(last),
        }
    }
}

/// A message of RTMP with a full header, so that it depends on none before it.
fn message(tag: &Tag, stream: u32, out: &mut Queue) {
    let (first, again) = tag.message_heads(stream);
    out.copy(&first);
    let mut body = tag.body.clone();
    out.share(body.split_to(body.len().min(CHUNK_SIZE)));
    while !body.is_empty() {
        out.copy(&again);
        out.share(body.split_to(body.len().min(CHUNK_SIZE)));
    }
}
