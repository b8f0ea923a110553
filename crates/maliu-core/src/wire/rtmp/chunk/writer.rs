//! Messages in, chunks out.

use alloc::vec::Vec;

use bytes::{Bytes, BytesMut};

use super::{
    super::{kind, outgoing::Outgoing},
    EXTENDED, FIRST_SIZE, Message,
};

/// Writes chunks with the shortest headers.
#[derive(Debug)]
pub struct Writer {
    size: usize,
    last: Vec<Last>,
}

impl Default for Writer {
    fn default() -> Self {
        Self { size: FIRST_SIZE, last: Vec::new() }
    }
}

/// The header of a channel that was written last.
#[derive(Clone, Copy, Debug)]
struct Last {
    channel: u32,
    stream: u32,
    time: u32,
    /// `None` behind a full header: some readers take its time for a difference, others do not.
    delta: Option<u32>,
    size: usize,
    kind: u8,
}

impl Writer {
    /// Sets the chunk size and says so.
    pub(in super::super) fn resize(&mut self, size: usize, out: &mut Outgoing) {
        let body = Bytes::copy_from_slice(&(size as u32).to_be_bytes());
        self.write(&Message { channel: 2, kind: kind::SET_CHUNK_SIZE, stream: 0, time: 0, body }, out);
        self.size = size.max(1);
    }

    /// Writes one message. Large bodies are shared.
    pub(in super::super) fn write(&mut self, message: &Message, out: &mut Outgoing) {
        let last = self.last.iter_mut().find(|last| last.channel == message.channel);
        let (form, delta) = match &last {
            Some(last) if last.stream == message.stream && message.time >= last.time => {
                let delta = message.time - last.time;
                let same = last.size == message.body.len() && last.kind == message.kind;
                match (same, last.delta == Some(delta)) {
                    (true, true) => (3, Some(delta)),
                    (true, false) => (2, Some(delta)),
                    (false, _) => (1, Some(delta)),
                }
            }
            _ => (0, None),
        };
        let Message { channel, kind, stream, time, ref body } = *message;
        let now = Last { channel, stream, time, delta, size: body.len(), kind };
        match last {
            Some(last) => *last = now,
            None => self.last.push(now),
        }
        let head = Head::new(message, form, delta.unwrap_or(time));
        let mut left = body.clone();
        out.copy(&head.bytes);
        out.share(left.split_to(left.len().min(self.size)));
        while !left.is_empty() {
            out.copy(&head.again);
            out.share(left.split_to(left.len().min(self.size)));
        }
    }
}

/// A message with a full header, in chunks of `size` bytes: the same bytes for every peer that has got this chunk size.
pub fn encode(message: &Message, size: usize) -> Bytes {
    let head = Head::new(message, 0, message.time);
    let mut pieces = message.body.chunks(size.max(1));
    let more = message.body.len().div_ceil(size.max(1)).saturating_sub(1);
    let mut bytes = BytesMut::with_capacity(head.bytes.len() + message.body.len() + more * head.again.len());
    bytes.extend_from_slice(&head.bytes);
    bytes.extend_from_slice(pieces.next().unwrap_or_default());
    for piece in pieces {
        bytes.extend_from_slice(&head.again);
        bytes.extend_from_slice(piece);
    }
    bytes.freeze()
}

/// A full header of a message, and that of its further chunks.
pub(in super::super) fn heads(message: &Message) -> (Vec<u8>, Vec<u8>) {
    let Head { bytes, again } = Head::new(message, 0, message.time);
    (bytes, again)
}

/// The header of a message, and that of its further chunks.
struct Head {
    bytes: Vec<u8>,
    again: Vec<u8>,
}

impl Head {
    fn new(message: &Message, form: u8, time: u32) -> Self {
        let Message { channel, kind, stream, ref body, .. } = *message;
        let (mut bytes, mut again) = (Vec::with_capacity(18), Vec::with_capacity(7));
        basic(form, channel, &mut bytes);
        basic(3, channel, &mut again);
        let [_, t2, t1, t0] = time.min(EXTENDED).to_be_bytes();
        let [_, s2, s1, s0] = (body.len() as u32).to_be_bytes();
        if form < 3 {
            bytes.extend([t2, t1, t0]);
        }
        if form < 2 {
            bytes.extend([s2, s1, s0, kind]);
        }
        if form == 0 {
            bytes.extend(stream.to_le_bytes());
        }
        if time >= EXTENDED {
            bytes.extend(time.to_be_bytes());
            again.extend(time.to_be_bytes());
        }
        Self { bytes, again }
    }
}

/// The basic header: form and channel.
fn basic(form: u8, channel: u32, out: &mut Vec<u8>) {
    let form = form << 6;
    match (u8::try_from(channel), u8::try_from(channel.saturating_sub(64))) {
        (Ok(id @ 2..64), _) => out.push(form | id),
        (_, Ok(id)) => out.extend([form, id]),
        _ => {
            let [low, high, ..] = channel.saturating_sub(64).to_le_bytes();
            out.extend([form | 1, low, high]);
        }
    }
}

#[cfg(test)]
mod tests {
    use core::task::Poll;

    use super::{super::Reader, *};
    use crate::input::Input;

    fn message(channel: u32, time: u32, size: usize) -> Message {
        let body = (0..size).map(|n| (n * 7) as u8).collect();
        Message { channel, kind: 9, stream: 1, time, body }
    }

    fn read(bytes: &[u8]) -> Vec<Message> {
        let (mut reader, mut input) = (Reader::default(), Input::new());
        input.push(bytes);
        core::iter::from_fn(|| match reader.poll(&mut input).unwrap() {
            Poll::Ready(message) => Some(message),
            Poll::Pending => None,
        })
        .collect()
    }

    #[test]
    fn messages_come_back_whatever_their_headers() {
        let sizes = [0, 1, 127, 128, 129, 5000];
        let channels = [2, 63, 64, 319, 320, 65_599];
        let steps = [0, 40, 80, 0xff_fffe, 0xff_ffff, 0x100_0000, 0x200_0001, 0x1ff_ffff, u32::MAX, 5];
        let messages: Vec<Message> = steps
            .iter()
            .flat_map(|time| channels.iter().zip(sizes).map(|(channel, size)| message(*channel, *time, size)))
            .flat_map(|message| [message.clone(), message])
            .collect();
        let (mut writer, mut out, mut bytes) = (Writer::default(), Outgoing::default(), Vec::new());
        for (count, message) in messages.iter().enumerate() {
            if count == messages.len() / 2 {
                writer.resize(1000, &mut out);
            }
            writer.write(message, &mut out);
        }
        while let Some(part) = out.next() {
            bytes.extend(part);
        }
        assert_eq!(read(&bytes), messages);
    }

    #[test]
    fn shared_messages_read_alike_on_any_connection() {
        for time in [0, 0xff_ffff, u32::MAX] {
            let message = message(6, time, 300);
            assert_eq!(read(&encode(&message, 128)), [message]);
        }
    }

    #[test]
    fn steady_messages_have_headers_of_one_byte() {
        let (mut writer, mut out) = (Writer::default(), Outgoing::default());
        let mut lengths = Vec::new();
        for time in [1000, 1020, 1040, 1060] {
            let before = out.waiting();
            writer.write(&message(4, time, 100), &mut out);
            lengths.push(out.waiting() - before - 100);
        }
        assert_eq!(lengths, [12, 4, 1, 1]);
    }
}
