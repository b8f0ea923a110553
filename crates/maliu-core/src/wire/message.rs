//! One message of maliu's own protocol: a header of 32 bytes and a body (docs/wire-protocol.md).
//!
//! ```text
//!   0      4 5 6     8      12         20       24         28        32
//!   ├magic─┼v┼k┼flags┼stream┼─sequence─┼─length─┼body sum──┼head sum─┼─ body …
//! ```
//!
//! All numbers are big-endian, both sums are CRC-32C. A reader that knows the version passes over kinds and trailing
//! fields that it does not know.

use alloc::{string::String, vec, vec::Vec};

use bytes::Bytes;

use crate::{
    account::{ITEM, Weigh},
    format::Event,
};

use super::crc32c::{Crc32c, crc32c};

mod body;
mod fields;
mod parser;

pub use parser::{Found, Parser};

/// The first bytes of every header.
pub const MAGIC: [u8; 4] = [0xab, b'M', b'L', b'U'];

/// The version of the header and of all bodies.
pub const VERSION: u8 = 1;

/// Bytes of a header.
pub const HEADER: usize = 32;

/// Most bytes of a body. A header that declares more is refused before anything is kept for it.
pub const MAX_BODY: usize = 32 << 20;

/// Most bytes of a body that describes a stream, or of tags: a reader keeps them as long as it reads.
pub const MAX_DESCRIPTION: usize = 4 << 20;

/// Messages between two ends.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Message {
    /// The listening end begins: a number that is used once, for proofs of the token.
    Challenge([u8; 16]),
    /// The connecting end says who it is.
    Hello(Hello),
    /// It is welcome; the sequence number of the first message that is wanted.
    Welcome(u64),
    /// Content, which is numbered: what a reader reports of an input, the end included.
    Content(Event),
    /// All messages with lower sequence numbers are kept safely.
    Ack(u64),
    /// Keep-alive request, to be answered with the same number.
    Ping(u64),
    /// Here.
    Pong(u64),
    /// The connection ends for a reason.
    Error(Reason, String),
}

/// Identity and purpose of a connecting end.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hello {
    /// Its purpose.
    pub role: Role,
    /// Whether everything must arrive, or what arrives must be fresh.
    pub mode: Mode,
    /// The same for every connection of one transfer, so that it can be resumed.
    pub id: u64,
    /// The sender's name for its content.
    pub name: String,
    /// Proof of the token: HMAC-SHA-256 of challenge, role, mode, id and name; zeros when there is none.
    pub proof: [u8; 32],
}

impl Hello {
    /// One that proves nothing.
    pub fn new(role: Role, mode: Mode, id: u64, name: impl Into<String>) -> Self {
        Self { role, mode, id, name: name.into(), proof: [0; 32] }
    }

    /// With this proof of the token.
    #[must_use]
    pub fn with_proof(self, proof: [u8; 32]) -> Self {
        Self { proof, ..self }
    }
}

/// Purpose of a connecting end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// To send packets.
    Sender,
    /// To be sent packets.
    Player,
}

/// The mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Nothing is lost, nothing comes twice.
    Reliable,
    /// Late packets are dropped, in whole groups of pictures.
    Live,
}

/// Why a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The token is missing or wrong. Trying again does not help.
    Unauthorized,
    /// Another transfer is under way, or an unfinished one waits. Trying again does not help.
    Busy,
    /// This transfer has another connection that is alive. Trying again helps once that one is gone. On the wire it is
    /// [`Reason::Busy`] with a 1 behind the text.
    Connected,
    /// The peer broke the protocol.
    Protocol,
    /// A named limit was passed.
    Limit,
    /// Nothing was heard in time.
    Silent,
    /// The content that a player asks for is not sent here. Trying again does not help.
    Absent,
    /// Something else; the text says what.
    Other(u16),
}

/// Numbers of the kinds; those a reader does not know are passed over.
mod kind {
    pub(super) const CHALLENGE: u8 = 1;
    pub(super) const HELLO: u8 = 2;
    pub(super) const WELCOME: u8 = 3;
    pub(super) const STREAM: u8 = 4;
    pub(super) const PACKET: u8 = 5;
    pub(super) const METADATA: u8 = 6;
    pub(super) const ACK: u8 = 7;
    pub(super) const PING: u8 = 8;
    pub(super) const PONG: u8 = 9;
    pub(super) const BYE: u8 = 10;
    pub(super) const ERROR: u8 = 11;
}

impl From<Event> for Message {
    fn from(event: Event) -> Self {
        Self::Content(event)
    }
}

impl Message {
    fn kind(&self) -> u8 {
        match self {
            Self::Challenge(_) => kind::CHALLENGE,
            Self::Hello(_) => kind::HELLO,
            Self::Welcome(_) => kind::WELCOME,
            Self::Content(Event::Stream(..)) => kind::STREAM,
            Self::Content(Event::Packet(_)) => kind::PACKET,
            Self::Content(Event::Metadata(_)) => kind::METADATA,
            Self::Ack(_) => kind::ACK,
            Self::Ping(_) => kind::PING,
            Self::Pong(_) => kind::PONG,
            Self::Content(Event::End) => kind::BYE,
            Self::Error(..) => kind::ERROR,
        }
    }

    fn stream(&self) -> u32 {
        let index = match self {
            Self::Content(Event::Stream(index, _)) => *index,
            Self::Content(Event::Packet(packet)) => packet.stream,
            _ => 0,
        };
        u32::try_from(index).unwrap_or(u32::MAX)
    }

    /// The message as bytes: one part, and for packets a second one that shares the packet's data. `sequence` numbers
    /// content from 0 and is 0 for everything else.
    pub fn encode(&self, sequence: u64) -> Vec<Bytes> {
        let mut front = Vec::new();
        let data = self.encode_into(sequence, &mut front);
        let mut parts = vec![Bytes::from(front)];
        if !data.is_empty() {
            parts.push(data);
        }
        parts
    }

    /// Appends the message to `out`, but for the data of a packet, which is to follow: it is returned, shared, and
    /// empty for everything else.
    pub fn encode_into(&self, sequence: u64, out: &mut Vec<u8>) -> Bytes {
        let at = out.len();
        out.extend_from_slice(&[0; HEADER]);
        body::encode(self, out);
        let data = match self {
            Self::Content(Event::Packet(packet)) => packet.data.clone(),
            _ => Bytes::new(),
        };
        let body = out.get(at.saturating_add(HEADER)..).unwrap_or_default();
        let mut sum = Crc32c::new();
        sum.update(body);
        sum.update(&data);
        let head = Head {
            kind: self.kind(),
            stream: self.stream(),
            sequence,
            length: u32::try_from(body.len().saturating_add(data.len())).unwrap_or(u32::MAX),
            sum: sum.value(),
        };
        if let Some(place) = out.get_mut(at..).and_then(<[u8]>::first_chunk_mut::<HEADER>) {
            *place = head.encode();
        }
        data
    }
}

impl Weigh for Message {
    fn weight(&self) -> usize {
        match self {
            Self::Content(event) => event.weight(),
            Self::Hello(hello) => ITEM.saturating_add(hello.name.len()),
            Self::Error(_, text) => ITEM.saturating_add(text.len()),
            _ => ITEM,
        }
    }
}

/// A header, but for what is the same in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Head {
    kind: u8,
    stream: u32,
    sequence: u64,
    length: u32,
    sum: u32,
}

impl Head {
    fn encode(self) -> [u8; HEADER] {
        let [m0, m1, m2, m3] = MAGIC;
        let [t0, t1, t2, t3] = self.stream.to_be_bytes();
        let [q0, q1, q2, q3, q4, q5, q6, q7] = self.sequence.to_be_bytes();
        let [l0, l1, l2, l3] = self.length.to_be_bytes();
        let [s0, s1, s2, s3] = self.sum.to_be_bytes();
        let covered = [
            [m0, m1, m2, m3, VERSION, self.kind, 0, 0, t0, t1, t2, t3, q0, q1],
            [q2, q3, q4, q5, q6, q7, l0, l1, l2, l3, s0, s1, s2, s3],
        ];
        let sum = crc32c(covered.as_flattened()).to_be_bytes();
        let mut out = [0; HEADER];
        let (front, back) = out.split_at_mut(HEADER - sum.len());
        front.copy_from_slice(covered.as_flattened());
        back.copy_from_slice(&sum);
        out
    }

    /// The header in these bytes, if they are one.
    fn decode(bytes: &[u8; HEADER]) -> Option<Self> {
        let (covered, sum) = bytes.split_last_chunk::<4>()?;
        let mut fields = fields::Get(covered);
        if fields.array()? != MAGIC || fields.u8()? != VERSION {
            return None;
        }
        let kind = fields.u8()?;
        fields.u16()?;
        let head =
            Self { kind, stream: fields.u32()?, sequence: fields.u64()?, length: fields.u32()?, sum: fields.u32()? };
        (crc32c(covered) == u32::from_be_bytes(*sum)).then_some(head)
    }
}
