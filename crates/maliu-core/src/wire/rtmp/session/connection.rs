//! The common half of both ends: the handshake, chunks, acknowledgements and pings.

use core::{task::Poll, time::Duration};

use bytes::Bytes;

use super::super::{
    CHUNK_SIZE, Fault, HANDSHAKE_LIMIT, MAX_UNREAD,
    chunk::{Message, Reader, Writer},
    command,
    handshake::Handshake,
    kind,
    outgoing::Outgoing,
};
use crate::{input::Input, syntax::amf::Value};

/// User control events (RTMP 1.0 §7.1.7).
pub(super) const STREAM_BEGIN: u16 = 0;
pub(super) const STREAM_EOF: u16 = 1;
pub(super) const SET_BUFFER_LENGTH: u16 = 3;
const PING_REQUEST: u16 = 6;
const PING_RESPONSE: u16 = 7;

/// Bytes after which a peer is asked to acknowledge them.
const WINDOW: u32 = 2_500_000;

/// A connection of either end.
#[derive(Debug)]
pub(super) struct Connection {
    input: Input,
    handshake: Option<Handshake>,
    reader: Reader,
    writer: Writer,
    /// Bytes that wait to be sent.
    pub(super) out: Outgoing,
    received: u64,
    acknowledged: u64,
    window: u64,
    /// When it began.
    pub(super) began: Duration,
    /// When bytes came last.
    pub(super) heard: Duration,
}

/// A step of a connection.
#[derive(Debug)]
pub(super) enum Step {
    /// The handshake is done.
    Established,
    /// A message that is not about the connection itself.
    Message(Message),
}

impl Connection {
    /// The connecting end. `seed` differs from connection to connection.
    pub(super) fn client(seed: u64, now: Duration) -> Self {
        let mut out = Outgoing::default();
        let handshake = Handshake::client(seed, &mut out);
        Self::new(handshake, out, now)
    }

    /// The listening end.
    pub(super) fn server(seed: u64, now: Duration) -> Self {
        Self::new(Handshake::server(seed), Outgoing::default(), now)
    }

    fn new(handshake: Handshake, out: Outgoing, now: Duration) -> Self {
        Self {
            input: Input::new(),
            handshake: Some(handshake),
            reader: Reader::default(),
            writer: Writer::default(),
            out,
            received: 0,
            acknowledged: 0,
            window: u64::from(WINDOW),
            began: now,
            heard: now,
        }
    }

    /// Takes bytes of the peer.
    pub(super) fn push(&mut self, bytes: &[u8], now: Duration) {
        self.input.push(bytes);
        self.count(bytes.len(), now);
    }

    /// Takes bytes of the peer, and shares them.
    pub(super) fn push_bytes(&mut self, bytes: Bytes, now: Duration) {
        let len = bytes.len();
        self.input.push_bytes(bytes);
        self.count(len, now);
    }

    fn count(&mut self, len: usize, now: Duration) {
        self.received = self.received.saturating_add(len as u64);
        if len > 0 {
            self.heard = now;
        }
    }

    /// Bytes that were read.
    pub(super) fn offset(&self) -> u64 {
        self.input.offset()
    }

    /// The next step; pending when bytes are missing.
    pub(super) fn poll(&mut self) -> Result<Poll<Step>, Fault> {
        if let Some(handshake) = &mut self.handshake {
            if handshake.poll(&mut self.input, &mut self.out)?.is_pending() {
                return Ok(Poll::Pending);
            }
            self.handshake = None;
            return Ok(Poll::Ready(Step::Established));
        }
        loop {
            let Poll::Ready(message) = self.reader.poll(&mut self.input)? else {
                self.acknowledge();
                return Ok(Poll::Pending);
            };
            if !self.obey(&message)? {
                return Ok(Poll::Ready(Step::Message(message)));
            }
        }
    }

    /// Acts on messages about the connection; returns whether it was one.
    fn obey(&mut self, message: &Message) -> Result<bool, Fault> {
        let number = message.body.first_chunk().map(|bytes| u32::from_be_bytes(*bytes));
        match (message.kind, number) {
            (kind::WINDOW_SIZE, Some(window)) => self.window = u64::from(window).max(1),
            (kind::PEER_BANDWIDTH, Some(window)) => {
                self.control(kind::WINDOW_SIZE, &window.to_be_bytes());
                self.answerable()?;
            }
            (kind::ACKNOWLEDGEMENT | kind::WINDOW_SIZE | kind::PEER_BANDWIDTH, _) => {}
            (kind::USER_CONTROL, _) => {
                let Some((event, data)) = message.body.split_first_chunk() else { return Ok(true) };
                match u16::from_be_bytes(*event) {
                    PING_REQUEST => {
                        self.user_control(PING_RESPONSE, data.get(..4).unwrap_or(data));
                        self.answerable()?;
                    }
                    STREAM_EOF => return Ok(false),
                    _ => {}
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Fails when a peer asks for answers and reads none.
    pub(super) fn answerable(&self) -> Result<(), Fault> {
        match self.out.waiting() > MAX_UNREAD {
            true => Err(Fault::Limit { what: "number of unread bytes", limit: MAX_UNREAD }),
            false => Ok(()),
        }
    }

    /// Reports bytes that have come, when half of what the peer lets go unreported has.
    fn acknowledge(&mut self) {
        if self.received - self.acknowledged > self.window / 2 && self.out.waiting() <= MAX_UNREAD {
            self.acknowledged = self.received;
            // The number wraps like the counter of the peer.
            self.control(kind::ACKNOWLEDGEMENT, &(self.received as u32).to_be_bytes());
        }
    }

    /// Sends what is said before the first answer: how often to acknowledge, and how large chunks are from here on.
    pub(super) fn announce(&mut self, to_a_peer_that_listens: bool) {
        self.control(kind::WINDOW_SIZE, &WINDOW.to_be_bytes());
        if to_a_peer_that_listens {
            let [a, b, c, d] = WINDOW.to_be_bytes();
            // 2: the peer may treat the limit as hard or soft, as it did the one before.
            self.control(kind::PEER_BANDWIDTH, &[a, b, c, d, 2]);
        }
        self.writer.resize(CHUNK_SIZE, &mut self.out);
    }

    /// Asks for a sign of life.
    pub(super) fn ping(&mut self, now: Duration) {
        self.user_control(PING_REQUEST, &(now.as_millis() as u32).to_be_bytes());
    }

    /// Sends a user control event.
    pub(super) fn user_control(&mut self, event: u16, data: &[u8]) {
        self.control(kind::USER_CONTROL, &[&event.to_be_bytes(), data].concat());
    }

    fn control(&mut self, kind: u8, body: &[u8]) {
        self.send(&Message { channel: 2, kind, stream: 0, time: 0, body: Bytes::copy_from_slice(body) });
    }

    /// Sends a command about a message stream; 0 is the connection.
    pub(super) fn command(&mut self, stream: u32, name: &str, transaction: f64, values: &[Value]) {
        let channel = if stream == 0 { 3 } else { 8 };
        let body = command::body(name, transaction, values);
        self.send(&Message { channel, kind: kind::COMMAND, stream, time: 0, body });
    }

    /// Sends a message.
    pub(super) fn send(&mut self, message: &Message) {
        self.writer.write(message, &mut self.out);
    }

    /// Fails when the handshake takes too long, or when nothing was heard for `idle`.
    pub(super) fn timeout(&self, now: Duration, idle: Duration) -> Result<(), Fault> {
        if self.handshake.is_some() && now.saturating_sub(self.began) >= HANDSHAKE_LIMIT {
            return Err(Fault::Silent(HANDSHAKE_LIMIT));
        }
        match now.saturating_sub(self.heard) >= idle {
            true => Err(Fault::Silent(idle)),
            false => Ok(()),
        }
    }
}
