//! Audio, video and script data, between messages and FLV tags.

use alloc::vec::Vec;

use bytes::{BufMut, Bytes, BytesMut};

use super::{
    CHUNK_SIZE,
    chunk::{self, Message},
    command, kind,
};
use crate::formats::flv::tag::{HEAD, Head, Kind, TAIL, head};

/// The command by which a publisher hands metadata to a server, and the one that takes it back.
const SET_DATA_FRAME: &[u8] = b"@setDataFrame";
const CLEAR_DATA_FRAME: &[u8] = b"@clearDataFrame";

/// A tag of FLV, without its head: what a publisher sends and a player gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    /// Its content.
    pub kind: Kind,
    /// Milliseconds, which wrap after 49.7 days.
    pub time: u32,
    /// Its body. Script data begins with the name of a handler, such as `onMetaData`.
    pub body: Bytes,
}

impl Tag {
    /// The tag as it stands in a file: head, body, size.
    pub fn encode(&self) -> Bytes {
        let mut bytes = BytesMut::with_capacity(HEAD + self.body.len() + TAIL);
        bytes.put_slice(&self.head());
        bytes.put_slice(&self.body);
        bytes.put_slice(&self.tail());
        bytes.freeze()
    }

    /// The 11 bytes in front of the body. All 32 bits of the time are kept.
    pub fn head(&self) -> [u8; HEAD] {
        let mut bytes = head(number(self.kind), self.body.len(), self.time, 0);
        let [.., t3, _, _, _] = &mut bytes;
        let [top, ..] = self.time.to_be_bytes();
        *t3 = top;
        bytes
    }

    /// The 4 bytes behind the body.
    pub fn tail(&self) -> [u8; TAIL] {
        ((HEAD + self.body.len()) as u32).to_be_bytes()
    }

    /// The tag as a message to players whose stream has this number: the same bytes for all of them.
    pub fn encode_message(&self, stream: u32) -> Bytes {
        chunk::encode(&self.message(stream, false), CHUNK_SIZE)
    }

    /// The header of that message, and the one before each further [`CHUNK_SIZE`] bytes of its body: for a caller that
    /// writes the body without copying it.
    pub fn message_heads(&self, stream: u32) -> (Vec<u8>, Vec<u8>) {
        chunk::heads(&self.message(stream, false))
    }

    /// The tags that a message holds: one, or those of an aggregate; none of other messages.
    pub(super) fn of(message: &Message) -> Tags<'_> {
        let one = match message.kind {
            kind::AUDIO => Some(Self { kind: Kind::Audio, time: message.time, body: message.body.clone() }),
            kind::VIDEO => Some(Self { kind: Kind::Video, time: message.time, body: message.body.clone() }),
            kind::DATA | kind::DATA_AMF3 => data(message),
            _ => None,
        };
        let rest = if message.kind == kind::AGGREGATE { message.body.clone() } else { Bytes::new() };
        Tags { message, one, rest, first: None }
    }

    /// The message of this tag on a stream; script data of a publisher says that it is to be kept.
    pub(super) fn message(&self, stream: u32, publishes: bool) -> Message {
        let (channel, kind) = channel(self.kind);
        let mut body = self.body.clone();
        if publishes && self.kind == Kind::Script {
            let mut set = BytesMut::from(&command::text(SET_DATA_FRAME)[..]);
            set.extend_from_slice(&body);
            body = set.freeze();
        }
        Message { channel, kind, stream, time: self.time, body }
    }
}

/// The chunk stream and the message type of a tag.
fn channel(tag: Kind) -> (u32, u8) {
    match tag {
        Kind::Audio => (4, kind::AUDIO),
        Kind::Video => (6, kind::VIDEO),
        Kind::Script3 => (5, kind::DATA_AMF3),
        Kind::Script | Kind::Other(_) => (5, kind::DATA),
    }
}

fn number(tag: Kind) -> u8 {
    match tag {
        Kind::Audio => 8,
        Kind::Video => 9,
        Kind::Script => 18,
        Kind::Script3 => 15,
        Kind::Other(number) => number,
    }
}

/// Script data without the commands around it; `None` when it is only a command.
fn data(message: &Message) -> Option<Tag> {
    let mut body = message.body.clone();
    // A format byte of 0 says that AMF0 follows.
    if message.kind == kind::DATA_AMF3 && body.first() == Some(&0) {
        body = body.slice(1..);
    } else if message.kind == kind::DATA_AMF3 {
        return Some(Tag { kind: Kind::Script3, time: message.time, body });
    }
    let (set, clear) = (command::text(SET_DATA_FRAME), command::text(CLEAR_DATA_FRAME));
    if body.starts_with(&clear) {
        return None;
    }
    if body.starts_with(&set) {
        body = body.slice(set.len()..);
    }
    (!body.is_empty()).then_some(Tag { kind: Kind::Script, time: message.time, body })
}

/// The tags of a message.
pub(super) struct Tags<'a> {
    message: &'a Message,
    one: Option<Tag>,
    /// Of an aggregate: tags as in a file, with the times of another clock.
    rest: Bytes,
    first: Option<u32>,
}

impl Iterator for Tags<'_> {
    type Item = Tag;

    fn next(&mut self) -> Option<Tag> {
        loop {
            if let Some(tag) = self.one.take() {
                return Some(tag);
            }
            let head = Head::parse(&self.rest)?;
            let end = HEAD + head.size;
            if self.rest.len() < end {
                return None;
            }
            let body = self.rest.slice(HEAD..end);
            self.rest = self.rest.slice((end + TAIL).min(self.rest.len())..);
            let first = *self.first.get_or_insert(head.time);
            let time = self.message.time.wrapping_add(head.time.wrapping_sub(first));
            self.one = match head.kind {
                Kind::Audio | Kind::Video => Some(Self::Item { kind: head.kind, time, body }),
                Kind::Script => data(&Message { kind: kind::DATA, time, body, ..self.message.clone() }),
                Kind::Script3 => data(&Message { kind: kind::DATA_AMF3, time, body, ..self.message.clone() }),
                Kind::Other(_) => None,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aggregates_come_apart_at_their_message_s_time() {
        let tag = |kind, time| Tag { kind, time, body: Bytes::from_static(b"\xaf\x01x") };
        let body = [tag(Kind::Audio, 700).encode(), tag(Kind::Video, 720).encode()].concat().into();
        let message = Message { channel: 4, kind: kind::AGGREGATE, stream: 1, time: 90, body };
        assert_eq!(Tag::of(&message).collect::<Vec<_>>(), [tag(Kind::Audio, 90), tag(Kind::Video, 110)]);
        let cut = Message { body: message.body.slice(..30), ..message };
        assert_eq!(Tag::of(&cut).count(), 1);
    }

    #[test]
    fn metadata_loses_the_command_around_it_and_gets_it_again() {
        let body = Bytes::from_static(b"\x02\0\x0aonMetaData\x08\0\0\0\0\0\0\x09");
        let tag = Tag { kind: Kind::Script, time: 3, body };
        let sent = tag.message(1, true);
        assert!(sent.body.starts_with(b"\x02\0\x0d@setDataFrame\x02\0\x0aonMetaData"));
        assert_eq!(Tag::of(&sent).collect::<Vec<_>>(), core::slice::from_ref(&tag));
        let amf3 = Message { kind: kind::DATA_AMF3, body: [&[0], &sent.body[..]].concat().into(), ..sent };
        assert_eq!(Tag::of(&amf3).collect::<Vec<_>>(), [tag]);
    }

    #[test]
    fn a_body_between_its_heads_is_the_message() {
        for (size, time) in [(3, 5), (CHUNK_SIZE, 0xff_ffff), (2 * CHUNK_SIZE + 1, u32::MAX)] {
            let tag = Tag { kind: Kind::Video, time, body: alloc::vec![7; size].into() };
            let (first, again) = tag.message_heads(1);
            let pieces: Vec<&[u8]> = tag.body.chunks(CHUNK_SIZE).collect();
            assert_eq!([&first[..], &pieces.join(&again[..])].concat(), tag.encode_message(1));
        }
    }

    #[test]
    fn heads_keep_all_bits_of_the_time() {
        let tag = Tag { kind: Kind::Audio, time: u32::MAX, body: Bytes::new() };
        assert_eq!(Head::parse(&tag.encode()).unwrap().time, u32::MAX);
    }
}
