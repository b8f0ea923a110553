//! WebSocket, as far as a viewer needs it: the handshake's answer, heads of frames, and what viewers send (RFC 6455).

use std::io;

use base64::{Engine, prelude::BASE64_STANDARD};
use sha1::{Digest, Sha1};

use crate::{link::TICK, queue::Queue, watch::Ear};

/// A whole text message, and a whole binary one.
pub(crate) const TEXT: u8 = 0x81;
pub(crate) const BINARY: u8 = 0x82;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;

/// Seconds between two pings.
const PING_EVERY: u64 = 20;

/// Bytes that a viewer may send.
const MAX_SAID: usize = 64 << 10;

/// Most bytes of a control frame (§5.5).
const MAX_CONTROL: usize = 125;

/// The answer to a key of a handshake (§4.2.2).
pub(crate) fn accept(key: &[u8]) -> String {
    let mut hash = Sha1::new();
    hash.update(key);
    hash.update(b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    BASE64_STANDARD.encode(hash.finalize())
}

/// The head of a frame.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    bytes: [u8; 10],
    len: usize,
}

impl Head {
    /// Its bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

/// The head of a frame of this kind with a content of `size` bytes (§5.2).
pub(crate) fn head(kind: u8, size: usize) -> Head {
    let mut bytes = [0; 10];
    let len = match size {
        ..=125 => {
            bytes[1] = size as u8;
            2
        }
        126..=0xffff => {
            bytes[1] = 126;
            bytes[2..4].copy_from_slice(&(size as u16).to_be_bytes());
            4
        }
        _ => {
            bytes[1] = 127;
            bytes[2..].copy_from_slice(&(size as u64).to_be_bytes());
            10
        }
    };
    bytes[0] = kind;
    Head { bytes, len }
}

/// The words of a viewer: few, and most are passed over.
#[derive(Debug, Default)]
pub(crate) struct Peer {
    /// The start of a frame.
    waiting: Vec<u8>,
    said: usize,
    ticks: u64,
}

/// The first frame of these bytes.
struct Frame<'a> {
    kind: u8,
    mask: [u8; 4],
    content: &'a [u8],
    len: usize,
}

impl<'a> Frame<'a> {
    /// The first frame; `None` when it is not whole.
    fn parse(bytes: &'a [u8]) -> io::Result<Option<Self>> {
        let [kind, size, rest @ ..] = bytes else { return Ok(None) };
        if size & 0x80 == 0 {
            return Err(wrong("a frame without a mask"));
        }
        let (size, rest) = match (size & 0x7f, rest) {
            (126, [a, b, rest @ ..]) => (usize::from(u16::from_be_bytes([*a, *b])), rest),
            (126, _) => return Ok(None),
            (127, _) => return Err(wrong(TOO_MUCH)),
            (size, rest) => (usize::from(size), rest),
        };
        let Some((mask, rest)) = rest.split_first_chunk() else { return Ok(None) };
        let Some(content) = rest.get(..size) else { return Ok(None) };
        let len = bytes.len() - rest.len() + size;
        Ok(Some(Self { kind: kind & 0x0f, mask: *mask, content, len }))
    }
}

const TOO_MUCH: &str = "the viewer sends more than it may";

fn wrong(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

impl Ear for Peer {
    fn hear(&mut self, bytes: &[u8], out: &mut Queue) -> io::Result<bool> {
        self.said = self.said.saturating_add(bytes.len());
        if self.said > MAX_SAID {
            return Err(wrong(TOO_MUCH));
        }
        self.waiting.extend_from_slice(bytes);
        let mut at = 0;
        while let Some(frame) = Frame::parse(self.waiting.get(at..).unwrap_or_default())? {
            at += frame.len;
            match frame.kind | 0x80 {
                CLOSE => {
                    out.copy(head(CLOSE, 0).bytes());
                    return Ok(false);
                }
                PING if frame.content.len() > MAX_CONTROL => return Err(wrong("a ping that is too long")),
                PING => {
                    let content = frame.content.iter().zip(frame.mask.iter().cycle());
                    let content: Vec<u8> = content.map(|(byte, mask)| byte ^ mask).collect();
                    out.copy(head(PONG, content.len()).bytes());
                    out.copy(&content);
                }
                // Answers to pings come as long as the viewer stays.
                PONG => self.said = self.said.saturating_sub(frame.len),
                _ => {}
            }
        }
        self.waiting.drain(..at);
        Ok(true)
    }

    fn tick(&mut self, out: &mut Queue) {
        self.ticks += 1;
        if self.ticks.is_multiple_of(PING_EVERY / TICK.as_secs()) && out.is_empty() {
            out.copy(head(PING, 0).bytes());
        }
    }

    fn end(&mut self, out: &mut Queue) {
        out.copy(head(CLOSE, 0).bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The verdict of `peer` on bytes that come in steps, and the length of its answers.
    fn answers(peer: &mut Peer, bytes: &[u8], step: usize) -> io::Result<(bool, usize)> {
        let mut out = Queue::default();
        for part in bytes.chunks(step) {
            if !peer.hear(part, &mut out)? {
                return Ok((false, out.len()));
            }
        }
        Ok((true, out.len()))
    }

    #[test]
    fn the_key_of_the_standard_has_its_answer() {
        assert_eq!(accept(b"dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn frames_have_the_shortest_length() {
        for (size, expected) in
            [(5, &[0x82, 5][..]), (126, &[0x82, 126, 0, 126]), (70_000, &[0x82, 127, 0, 0, 0, 0, 0, 1, 0x11, 0x70])]
        {
            assert_eq!(head(BINARY, size).bytes(), expected);
        }
    }

    #[test]
    fn pings_are_answered_whatever_the_split() {
        let ping = [0x89, 0x82, 1, 2, 3, 4, b'h' ^ 1, b'i' ^ 2];
        for step in 1..=ping.len() {
            let mut peer = Peer::default();
            assert_eq!(answers(&mut peer, &ping, step).unwrap(), (true, 4), "{step}");
            assert!(peer.waiting.is_empty());
        }
        assert_eq!(answers(&mut Peer::default(), &[0x88, 0x80, 0, 0, 0, 0], 1).unwrap(), (false, 2));
    }

    #[test]
    fn viewers_that_say_too_much_or_nonsense_are_cut() {
        let text = [&[0x81, 0xfe, 0x7f, 0, 0, 0, 0, 0][..], &[0; 0x7f00]].concat();
        let mut peer = Peer::default();
        assert!(answers(&mut peer, &text, 1000).is_ok() && answers(&mut peer, &text, 1000).is_ok());
        assert!(answers(&mut peer, &text, 1000).is_err());
        // Without a mask; with a size of 64 bits; a ping beyond 125 bytes.
        for bytes in [&[0x81, 1, 0][..], &[0x82, 0xff], &[&[0x89, 0xfe, 0, 200, 0, 0, 0, 0][..], &[0; 200]].concat()] {
            assert!(answers(&mut Peer::default(), bytes, 1).is_err(), "{bytes:?}");
        }
        // A million pongs are no reason to cut.
        let mut peer = Peer::default();
        assert!((0..20_000).all(|_| answers(&mut peer, &[0x8a, 0x80, 0, 0, 0, 0], 6).is_ok()));
    }
}
