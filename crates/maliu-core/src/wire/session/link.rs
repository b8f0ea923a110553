//! State of one connection that both ends share: bytes in, messages out of them, control messages to send, the clock.

use alloc::{collections::VecDeque, vec::Vec};
use core::{task::Poll, time::Duration};

use bytes::Bytes;

use super::{
    super::message::{Found, MAX_BODY, Message, Parser},
    Fault, HANDSHAKE_LIMIT, MAX_HANDSHAKE_BODY, PING_AFTER, SILENCE_LIMIT,
};
use crate::{error::Error, input::Input};

/// Control messages that wait at most; a peer that asks faster than it reads is cut.
const MAX_CONTROL: usize = 64;

/// Kind of first bytes that are not a message.
const STRANGE: Fault = Fault::Protocol("the peer does not speak this protocol");

/// One connection.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) input: Input,
    parser: Parser,
    control: VecDeque<Vec<Bytes>>,
    /// Whether the peer has said who it is.
    known: bool,
    begun: Duration,
    /// When the peer was heard last, or was not listened to.
    heard: Duration,
    /// When its last whole message came.
    spoken: Duration,
    said: Duration,
    /// The highest number of a ping that was answered.
    answered: Option<u64>,
    /// Bytes of the stream that were no message.
    pub(super) skipped: u64,
}

impl Link {
    pub(super) fn new(now: Duration) -> Self {
        let mut parser = Parser::new();
        parser.limit_body(MAX_HANDSHAKE_BODY);
        Self {
            input: Input::new(),
            parser,
            control: VecDeque::new(),
            known: false,
            begun: now,
            heard: now,
            spoken: now,
            said: now,
            answered: None,
            skipped: 0,
        }
    }

    /// The peer has said who it is.
    pub(super) fn know(&mut self) {
        self.known = true;
        self.parser.limit_body(MAX_BODY);
    }

    /// The next message; `None` until more bytes come. Pings are answered here.
    pub(super) fn next_message(&mut self, now: Duration) -> Result<Option<(u64, Message)>, Fault> {
        loop {
            match self.parser.poll(&mut self.input) {
                Ok(Poll::Ready(Found::Skipped { .. })) if !self.known => return Err(STRANGE),
                Ok(Poll::Pending | Poll::Ready(Found::End)) if !self.known && self.parser.skipping() > 0 => {
                    return Err(STRANGE);
                }
                Ok(Poll::Pending | Poll::Ready(Found::End)) => return Ok(None),
                Ok(Poll::Ready(Found::Skipped { bytes, .. })) => self.skipped = self.skipped.saturating_add(bytes),
                Ok(Poll::Ready(Found::Message(_, Message::Ping(number)))) if self.known => {
                    self.hear(now);
                    self.say(&Message::Pong(number))?;
                }
                Ok(Poll::Ready(Found::Message(_, Message::Pong(number)))) => {
                    self.answered = self.answered.max(Some(number));
                    self.hear(now);
                }
                Ok(Poll::Ready(Found::Message(_, Message::Error(reason, text)))) => {
                    return Err(Fault::Refused { reason, text });
                }
                Ok(Poll::Ready(Found::Message(sequence, message))) => {
                    self.hear(now);
                    return Ok(Some((sequence, message)));
                }
                Err(error @ Error::Malformed { .. }) if !self.known => return Err(error.into()),
                Err(Error::Malformed { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn hear(&mut self, now: Duration) {
        (self.heard, self.spoken) = (now, now);
    }

    /// When the last whole message came.
    pub(super) fn heard_at(&self) -> Duration {
        self.spoken
    }

    /// The bytes of the last message.
    pub(super) fn last(&self) -> &Bytes {
        self.parser.last()
    }

    /// Queues a control message.
    pub(super) fn say(&mut self, message: &Message) -> Result<(), Fault> {
        if self.control.len() >= MAX_CONTROL {
            return Err(Error::Limit { what: "unread answers (MAX_CONTROL)", limit: MAX_CONTROL as u64 }.into());
        }
        self.control.push_back(message.encode(0));
        Ok(())
    }

    /// The next control message to send.
    pub(super) fn next_control(&mut self, now: Duration) -> Option<Vec<Bytes>> {
        let parts = self.control.pop_front()?;
        self.said = now;
        Some(parts)
    }

    /// Something is sent.
    pub(super) fn spoke(&mut self, now: Duration) {
        self.said = now;
    }

    /// Checks the limits on silence, and queues a ping when nothing was sent for long.
    pub(super) fn tick(&mut self, now: Duration) -> Result<(), Fault> {
        let (since, limit) = if self.known { (self.heard, SILENCE_LIMIT) } else { (self.begun, HANDSHAKE_LIMIT) };
        if now.saturating_sub(since) >= limit {
            return Err(Fault::Silent(limit));
        }
        if self.known && now.saturating_sub(self.said) >= PING_AFTER && self.control.is_empty() {
            self.ping(now)?;
        }
        Ok(())
    }

    /// The highest number of a ping that was answered since the last call.
    pub(super) fn take_answered(&mut self) -> Option<u64> {
        self.answered.take()
    }

    /// Queues a ping.
    pub(super) fn ping(&mut self, now: Duration) -> Result<(), Fault> {
        self.said = now;
        self.say(&Message::Ping(now.as_millis() as u64))
    }

    /// Whether this end should send a keep-alive while it reads nothing. Messages of the peer are not heard meanwhile.
    pub(super) fn hold(&mut self, now: Duration) -> bool {
        self.heard = now;
        let due = now.saturating_sub(self.said) >= PING_AFTER;
        if due {
            self.said = now;
        }
        due
    }

    /// When [`Link::tick`] has something to do at the latest.
    pub(super) fn wake(&self) -> Duration {
        match self.known {
            true => self.heard.saturating_add(SILENCE_LIMIT).min(self.said.saturating_add(PING_AFTER)),
            false => self.begun.saturating_add(HANDSHAKE_LIMIT),
        }
    }
}
