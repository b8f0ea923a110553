//! Finds messages in bytes that may hold garbage: only messages that were touched are lost.

use core::task::Poll;

use bytes::Bytes;
use memchr::memmem;

use super::{HEADER, Head, MAGIC, MAX_BODY, MAX_DESCRIPTION, Message, body, kind};
use crate::{
    account::Sieve,
    error::{Error, Result},
    format::Event,
    input::Input,
};

/// Kind of the bytes.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// A message and its sequence number.
    Message(u64, Message),
    /// Bytes that belong to no message; those next to each other come as one.
    Skipped {
        /// Offset of the first of them.
        at: u64,
        /// How many.
        bytes: u64,
    },
    /// There is nothing more.
    End,
}

/// Reads messages from an input.
#[derive(Debug)]
pub struct Parser {
    most: usize,
    /// Bytes passed over and not yet told: offset of the first, and how many.
    skipped: Option<(u64, u64)>,
    /// Bytes of bodies whose sum was computed in vain.
    wasted: u64,
    last: Bytes,
    sieve: Sieve,
}

impl Default for Parser {
    fn default() -> Self {
        Self { most: MAX_BODY, skipped: None, wasted: 0, last: Bytes::new(), sieve: Sieve::default() }
    }
}

/// Bytes whose sums may be computed in vain before that must be outweighed by bytes fed.
const MAX_WASTE: u64 = 128 << 20;

impl Parser {
    /// A parser that accepts bodies up to [`MAX_BODY`].
    pub fn new() -> Self {
        Self::default()
    }

    /// Accepts bodies up to `bytes`; before a peer is known it needs none larger.
    pub fn limit_body(&mut self, bytes: usize) {
        self.most = bytes.min(MAX_BODY);
    }

    /// Returns the next message; pending until more bytes are pushed.
    ///
    /// # Errors
    /// [`Error::Limit`] for a body that is too large, or for too many damaged ones; [`Error::Malformed`] for a message
    /// whose sums are right and whose fields are not: it is passed over, and polling can go on.
    pub fn poll(&mut self, input: &mut Input) -> Result<Poll<Found>> {
        loop {
            self.find_magic(input);
            let Some(bytes) = input.peek().first_chunk::<HEADER>() else {
                match self.short(input) {
                    Some(found) => return Ok(found),
                    None => continue,
                }
            };
            let Some(head) = Head::decode(bytes) else {
                self.skip(input, 1);
                continue;
            };
            let length = usize::try_from(head.length).unwrap_or(usize::MAX);
            self.check(head.kind, length)?;
            let Some(body) = input.peek().get(HEADER..HEADER + length) else {
                match self.short(input) {
                    Some(found) => return Ok(found),
                    None => continue,
                }
            };
            if super::crc32c(body) != head.sum {
                self.waste(length, input)?;
                self.skip(input, 1);
                continue;
            }
            if let Some(found) = self.told() {
                return Ok(Poll::Ready(found));
            }
            if let Some(found) = self.take(&head, length, input)? {
                return Ok(Poll::Ready(found));
            }
        }
    }

    /// Refuses a body that is too large for its kind.
    fn check(&self, kind: u8, length: usize) -> Result<()> {
        let (what, limit) = match kind {
            kind::STREAM | kind::METADATA => {
                ("description of a stream, or tags (wire::MAX_DESCRIPTION)", self.most.min(MAX_DESCRIPTION))
            }
            _ => ("body of a message (wire::MAX_BODY)", self.most),
        };
        if length > limit { Err(Error::Limit { what, limit: limit as u64 }) } else { Ok(()) }
    }

    /// Passes over what cannot be the start of a header.
    fn find_magic(&mut self, input: &mut Input) {
        let bytes = input.peek();
        let partial = bytes.len().min(MAGIC.len());
        if bytes.get(..partial) == MAGIC.get(..partial) {
            return;
        }
        let at = memmem::find(bytes, &MAGIC).unwrap_or_else(|| {
            let tail = |n: &usize| bytes.ends_with(MAGIC.get(..*n).unwrap_or_default());
            bytes.len() - (1..MAGIC.len()).rev().find(tail).unwrap_or(0)
        });
        self.skip(input, at);
    }

    fn skip(&mut self, input: &mut Input, bytes: usize) {
        let at = input.offset();
        let skipped = input.skip(bytes);
        self.sieve.pass(skipped);
        let skipped = skipped as u64;
        let (first, before) = self.skipped.unwrap_or((at, 0));
        if skipped > 0 {
            self.skipped = Some((first, before.saturating_add(skipped)));
        }
    }

    /// Meaning of an incomplete message: more is to come, or the rest is not a message. Then its first byte is passed
    /// over, because a damaged length may hide messages behind it.
    fn short(&mut self, input: &mut Input) -> Option<Poll<Found>> {
        if !input.ended() {
            return Some(Poll::Pending);
        }
        if input.peek().is_empty() {
            return Some(Poll::Ready(self.told().unwrap_or(Found::End)));
        }
        self.skip(input, 1);
        None
    }

    fn told(&mut self) -> Option<Found> {
        self.skipped.take().map(|(at, bytes)| Found::Skipped { at, bytes })
    }

    /// A peer must not make this end compute much for few bytes.
    fn waste(&mut self, bytes: usize, input: &Input) -> Result<()> {
        self.wasted = self.wasted.saturating_add(bytes as u64);
        let allowed = input.next_read().saturating_mul(8).saturating_add(MAX_WASTE);
        if self.wasted > allowed {
            return Err(Error::Limit { what: "damaged messages (MAX_WASTE)", limit: MAX_WASTE });
        }
        Ok(())
    }

    /// Takes a message that is whole; `None` when its kind is not known.
    fn take(&mut self, head: &Head, length: usize, input: &mut Input) -> Result<Option<Found>> {
        let at = input.offset();
        self.last = input.take(HEADER.saturating_add(length)).unwrap_or_default();
        self.sieve.pass(self.last.len());
        match body::decode(head.kind, head.stream, &self.last.slice(HEADER.min(self.last.len())..)) {
            Ok(message) => Ok(message.map(|mut message| {
                if let Message::Content(Event::Packet(packet)) = &mut message {
                    self.sieve.keep(packet);
                }
                Found::Message(head.sequence, message)
            })),
            Err(()) => Err(Error::malformed("wire", "a message whose fields make no sense", at)),
        }
    }

    /// Bytes that were passed over and are not yet told.
    pub fn skipping(&self) -> u64 {
        self.skipped.map_or(0, |(_, bytes)| bytes)
    }

    /// The bytes of the last message, header and body, as they came.
    pub fn last(&self) -> &Bytes {
        &self.last
    }
}
