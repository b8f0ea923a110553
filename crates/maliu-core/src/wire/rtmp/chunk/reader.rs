//! Chunks in, messages out.

use alloc::{format, vec::Vec};
use core::task::Poll;

use bytes::{Bytes, BytesMut};

use super::{
    super::{Fault, MAX_CHUNK_STREAMS, MAX_MESSAGE, MAX_OPEN, kind},
    EXTENDED, FIRST_SIZE, Message,
};
use crate::input::Input;

/// Reads chunks. Set Chunk Size and Abort act here and are not returned.
#[derive(Debug)]
pub struct Reader {
    size: usize,
    channels: Vec<Channel>,
    /// Bytes of messages that have begun, of all channels.
    open: usize,
    /// Whether headers of form 3 repeat an extended time: the standard wants it, a few peers leave it out.
    repeats: Option<bool>,
}

impl Default for Reader {
    fn default() -> Self {
        Self { size: FIRST_SIZE, channels: Vec::new(), open: 0, repeats: None }
    }
}

/// A chunk stream: its last header, and the part of its message that has come.
#[derive(Debug)]
struct Channel {
    id: u32,
    fields: Fields,
    part: BytesMut,
}

/// The fields of a message header, as far as they carry over to the next one.
#[derive(Clone, Copy, Debug, Default)]
struct Fields {
    time: u32,
    delta: u32,
    extended: Option<u32>,
    size: usize,
    kind: u8,
    stream: u32,
}

/// A chunk's header.
struct Head {
    /// Its bytes, those of an extended time included.
    length: usize,
    channel: u32,
    /// It begins a message.
    begins: bool,
    fields: Fields,
}

impl Reader {
    /// The next message; pending when its bytes are not all there. Only whole chunks are taken from the input.
    ///
    /// # Errors
    /// [`Fault::Malformed`], [`Fault::Limit`]; the connection cannot go on.
    pub fn poll(&mut self, input: &mut Input) -> Result<Poll<Message>, Fault> {
        loop {
            let at = input.offset();
            let Some(head) = self.head(input.peek(), at)? else { return Ok(Poll::Pending) };
            let kept = match self.channel(head.channel) {
                Some(channel) if !head.begins => channel.part.len(),
                _ => 0,
            };
            let wanted = head.fields.size.saturating_sub(kept).min(self.size);
            if input.peek().len() < head.length + wanted {
                return Ok(Poll::Pending);
            }
            input.skip(head.length);
            let bytes = input.take(wanted).unwrap_or_default();
            let Some(body) = self.gather(&head, bytes)? else { continue };
            let Head { channel, fields: Fields { kind, stream, time, .. }, .. } = head;
            if let Some(message) = self.obey(Message { channel, kind, stream, time, body }, at)? {
                return Ok(Poll::Ready(message));
            }
        }
    }

    fn channel(&mut self, id: u32) -> Option<&mut Channel> {
        self.channels.iter_mut().find(|channel| channel.id == id)
    }

    /// The header at the start of `bytes`; `None` when it is not all there.
    fn head(&mut self, bytes: &[u8], at: u64) -> Result<Option<Head>, Fault> {
        let Some(&first) = bytes.first() else { return Ok(None) };
        let (id, basic) = match (first & 0x3f, bytes) {
            (0, [_, low, ..]) => (64 + u32::from(*low), 2),
            (1, [_, low, high, ..]) => (64 + u32::from(*low) + 256 * u32::from(*high), 3),
            (0 | 1, _) => return Ok(None),
            (id, _) => (u32::from(id), 1),
        };
        let form = first >> 6;
        let known = self.channel(id).map(|channel| (channel.fields, channel.part.is_empty()));
        match known {
            None if self.channels.len() >= MAX_CHUNK_STREAMS => {
                return Err(Fault::Limit { what: "number of chunk streams", limit: MAX_CHUNK_STREAMS });
            }
            // Some encoders begin with form 1 on the channel of control messages.
            None if form > 1 => {
                return Err(Fault::malformed(format!("chunk stream {id} begins with a header of form {form}"), at));
            }
            _ => {}
        }
        let (before, is_whole) = known.unwrap_or((Fields::default(), true));
        let begins = form < 3 || is_whole;
        let Some((length, fields)) = self.fields(before, form, begins, bytes.get(basic..).unwrap_or_default()) else {
            return Ok(None);
        };
        match fields.size > MAX_MESSAGE {
            true => Err(Fault::Limit { what: "size of a message", limit: MAX_MESSAGE }),
            false => Ok(Some(Head { length: basic + length, channel: id, begins, fields })),
        }
    }

    /// The message header at the start of `bytes` and its length, given the fields `before` it.
    fn fields(&mut self, before: Fields, form: u8, begins: bool, bytes: &[u8]) -> Option<(usize, Fields)> {
        let mut fields = before;
        let mut length = match form {
            0 => 11,
            1 => 7,
            2 => 3,
            _ => 0,
        };
        let (head, rest) = bytes.split_at_checked(length)?;
        if let [t2, t1, t0, more @ ..] = head {
            fields.delta = u32::from_be_bytes([0, *t2, *t1, *t0]);
            fields.extended = None;
            if fields.delta == EXTENDED {
                fields.delta = u32::from_be_bytes(*rest.first_chunk()?);
                fields.extended = Some(fields.delta);
                length += 4;
            }
            if let [s2, s1, s0, kind, stream @ ..] = more {
                fields.size = u32::from_be_bytes([0, *s2, *s1, *s0]) as usize;
                fields.kind = *kind;
                if let [i0, i1, i2, i3] = stream {
                    fields.stream = u32::from_le_bytes([*i0, *i1, *i2, *i3]);
                }
            }
        } else if let Some(extended) = fields.extended
            && self.repeats(extended, rest)?
        {
            length += 4;
        }
        if begins {
            fields.time = if form == 0 { fields.delta } else { fields.time.wrapping_add(fields.delta) };
        }
        Some((length, fields))
    }

    /// Whether the extended time stands again in front of `rest`; `None` when more bytes are needed to see.
    fn repeats(&mut self, extended: u32, rest: &[u8]) -> Option<bool> {
        let wanted = extended.to_be_bytes();
        match self.repeats {
            Some(true) => rest.get(..wanted.len()).map(|_| true),
            Some(false) => Some(false),
            None => {
                let same = rest.iter().zip(&wanted).all(|(a, b)| a == b);
                if same && rest.len() < wanted.len() {
                    return None;
                }
                self.repeats = Some(same);
                self.repeats
            }
        }
    }

    /// Takes the bytes of a chunk; returns the message that they complete.
    fn gather(&mut self, head: &Head, bytes: Bytes) -> Result<Option<Bytes>, Fault> {
        if self.channel(head.channel).is_none() {
            self.channels.push(Channel { id: head.channel, fields: head.fields, part: BytesMut::new() });
        }
        let Some(channel) = self.channels.iter_mut().find(|channel| channel.id == head.channel) else {
            return Ok(None);
        };
        channel.fields = head.fields;
        if head.begins && !channel.part.is_empty() {
            self.open = self.open.saturating_sub(channel.part.len());
            channel.part = BytesMut::new();
        }
        if channel.part.is_empty() && bytes.len() == head.fields.size {
            return Ok(Some(bytes));
        }
        channel.part.extend_from_slice(&bytes);
        self.open = self.open.saturating_add(bytes.len());
        if channel.part.len() >= head.fields.size {
            let body = core::mem::take(&mut channel.part).freeze();
            self.open = self.open.saturating_sub(body.len());
            return Ok(Some(body));
        }
        match self.open > MAX_OPEN {
            true => Err(Fault::Limit { what: "number of bytes of unfinished messages", limit: MAX_OPEN }),
            false => Ok(None),
        }
    }

    /// Acts on the messages that are about chunks.
    fn obey(&mut self, message: Message, at: u64) -> Result<Option<Message>, Fault> {
        let number = message.body.first_chunk().map(|bytes| u32::from_be_bytes(*bytes));
        match (message.kind, number) {
            (kind::SET_CHUNK_SIZE, Some(0)) => Err(Fault::malformed("a chunk size of 0", at)),
            (kind::SET_CHUNK_SIZE, Some(0x8000_0000..)) => Err(Fault::malformed("a negative chunk size", at)),
            (kind::SET_CHUNK_SIZE, Some(size)) => {
                // More than a message holds is as good as one message per chunk.
                self.size = size as usize;
                Ok(None)
            }
            (kind::ABORT, Some(id)) => {
                if let Some(channel) = self.channel(id) {
                    let part = core::mem::take(&mut channel.part);
                    self.open = self.open.saturating_sub(part.len());
                }
                Ok(None)
            }
            (kind::SET_CHUNK_SIZE | kind::ABORT, None) => {
                Err(Fault::malformed("a control message that is too short", at))
            }
            _ => Ok(Some(message)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8], step: usize) -> Result<Vec<Message>, Fault> {
        let (mut reader, mut input, mut messages) = (Reader::default(), Input::new(), Vec::new());
        for part in bytes.chunks(step) {
            input.push(part);
            while let Poll::Ready(message) = reader.poll(&mut input)? {
                messages.push(message);
            }
        }
        Ok(messages)
    }

    fn times(bytes: &[u8]) -> Vec<(u32, usize)> {
        let whole = all(bytes, usize::MAX).unwrap();
        for step in [1, 3] {
            assert_eq!(all(bytes, step).unwrap(), whole);
        }
        whole.iter().map(|message| (message.time, message.body.len())).collect()
    }

    #[test]
    fn headers_of_all_forms_carry_over() {
        let bytes = b"\x04\0\0\x0a\0\0\x02\x08\x01\0\0\0ab\x44\0\0\x05\0\0\x01\x08c\x84\0\0\x07d\xc4e";
        assert_eq!(times(bytes), [(10, 2), (15, 1), (22, 1), (29, 1)]);
    }

    #[test]
    fn extended_times_are_repeated_or_not() {
        let head = b"\x04\xff\xff\xff\0\0\x84\x09\x01\0\0\0\x01\0\0\0";
        let repeated = [
            &head[..],
            &[1; 128],
            b"\xc4\x01\0\0\0",
            &[2; 4],
            b"\xc4\x01\0\0\0",
            &[3; 128],
            b"\xc4\x01\0\0\0",
            &[4; 4],
        ]
        .concat();
        assert_eq!(times(&repeated), [(0x100_0000, 132), (0x200_0000, 132)]);
        let left_out = [&head[..], &[1; 128], b"\xc4", &[2; 4], b"\xc4", &[3; 128], b"\xc4", &[4; 4]].concat();
        assert_eq!(times(&left_out), [(0x100_0000, 132), (0x200_0000, 132)]);
    }

    #[test]
    fn messages_of_several_channels_mix_and_one_is_aborted() {
        let head = |channel: u8| [&[channel, 0, 0, 1, 0, 0, 0x84, 9, 1, 0, 0, 0][..], &[channel; 128]].concat();
        let mixed = [&head(4)[..], &head(5), b"\xc5", &[5; 4], b"\xc4", &[4; 4]].concat();
        let bodies: Vec<u8> = all(&mixed, 7).unwrap().iter().map(|message| message.body[131]).collect();
        assert_eq!(bodies, [5, 4]);
        let aborted =
            [&head(4)[..], b"\x02\0\0\0\0\0\x04\x02\0\0\0\0\0\0\0\x04", b"\x04\0\0\x09\0\0\x01\x08\x01\0\0\0x"]
                .concat();
        assert_eq!(times(&aborted), [(9, 1)]);
    }

    #[test]
    fn limits_hold() {
        let open = |id: u16| {
            let [high, low] = (id - 64).to_be_bytes();
            [&[1, low, high, 0, 0, 0, 0x7f, 0xff, 0xff, 9, 1, 0, 0, 0][..], &[0; 128]].concat()
        };
        let many: Vec<u8> = (64..200).flat_map(open).collect();
        assert_eq!(all(&many, 4096), Err(Fault::Limit { what: "number of chunk streams", limit: 64 }));
        assert!(matches!(
            all(b"\x04\0\0\0\xff\xff\xff\x09\0\0\0\0", 12),
            Err(Fault::Limit { what: "size of a message", .. })
        ));
        let size = |size: u32| [&b"\x02\0\0\0\0\0\x04\x01\0\0\0\0"[..], &size.to_be_bytes()].concat();
        for wrong in [0, u32::MAX] {
            assert!(matches!(all(&size(wrong), 16), Err(Fault::Malformed { .. })));
        }
        assert_eq!(all(&size(0x7fff_ffff), 16), Ok(Vec::new()));
        assert!(matches!(all(b"\xc4", 1), Err(Fault::Malformed { .. })));
        let big = size(0x10_0000).into_iter().chain((64..67).flat_map(|id| {
            let [high, low] = (id - 64u16).to_be_bytes();
            [&[1, low, high, 0, 0, 0, 0x7f, 0xff, 0xff, 9, 1, 0, 0, 0][..], &[0; 0x10_0000]].concat()
        }));
        assert_eq!(all(&big.collect::<Vec<u8>>(), 1 << 20), Ok(Vec::new()));
    }
}
