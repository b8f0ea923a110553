//! A recorded or piped wire stream as a format: its streams, packets and tags become a demuxer's events.

use alloc::{boxed::Box, collections::BTreeSet, format};
use core::task::Poll;

use super::message::{Found, MAGIC, Message, Parser};
use crate::{
    error::{Error, Result},
    format::{Demuxer, Event, Format, Score},
    input::Input,
    remark::Remark,
    timing::Rules,
};

/// The row of the format, for [`crate::reader::PacketReader::with`]. It is not in the list of formats: what a peer
/// sends is declared, not recognised.
pub static FORMAT: Format = Format {
    name: "wire",
    long_name: "maliu wire protocol",
    mime: &[],
    extensions: &[],
    probe,
    demuxer: Some(|_| Ok(Box::new(Content::default()))),
    muxer: None,
    settings: &[],
    rules: Rules::STRICT,
    default_codecs: (None, None),
};

fn probe(bytes: &[u8]) -> Score {
    let seen = bytes.len().min(MAGIC.len());
    match (bytes.get(..seen) == MAGIC.get(..seen), seen == MAGIC.len()) {
        (true, true) => Score::Maybe("the magic of a message"),
        (true, false) => Score::More("the start of a magic"),
        (false, _) => Score::No("no magic at the start"),
    }
}

/// Reads the content of a wire stream; messages between peers are passed over.
#[derive(Debug, Default)]
pub struct Content {
    parser: Parser,
    /// The sequence number that should come next.
    next: u64,
    known: BTreeSet<usize>,
    ended: bool,
}

impl Demuxer for Content {
    fn poll(&mut self, input: &mut Input) -> Result<Poll<Event>> {
        loop {
            let found = match self.parser.poll(input) {
                Ok(Poll::Ready(found)) => found,
                Ok(Poll::Pending) => return Ok(Poll::Pending),
                Err(Error::Malformed { what, at, .. }) => {
                    input.warn_at(at, what);
                    continue;
                }
                Err(error) => return Err(error),
            };
            match found {
                Found::Skipped { at, bytes } => {
                    let kind = Remark::Junk { bytes: Some(bytes) };
                    input.remark_at(at, kind, format!("skipped {bytes} bytes that are not a message"));
                }
                Found::End => {
                    if !core::mem::replace(&mut self.ended, true) {
                        input.warn("the stream ends without a farewell");
                    }
                    return Ok(Poll::Ready(Event::End));
                }
                Found::Message(sequence, message) => {
                    if let Some(event) = self.content(sequence, message, input) {
                        return Ok(Poll::Ready(event));
                    }
                }
            }
        }
    }
}

impl Content {
    fn content(&mut self, sequence: u64, message: Message, input: &mut Input) -> Option<Event> {
        let Message::Content(event) = message else { return None };
        if sequence > self.next {
            let units = sequence - self.next;
            input.remark(Remark::Missing { units }, format!("{units} messages are missing"));
        }
        self.next = sequence.saturating_add(1);
        match &event {
            Event::Stream(index, _) => drop(self.known.insert(*index)),
            Event::Packet(packet) if !self.known.contains(&packet.stream) => {
                input.warn(format!("a packet of stream {}, which was not described", packet.stream));
                return None;
            }
            Event::Packet(_) | Event::Metadata(_) => {}
            Event::End => {
                self.ended = true;
                return None;
            }
        }
        Some(event)
    }
}
