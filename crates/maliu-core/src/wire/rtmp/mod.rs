//! RTMP and Enhanced RTMP v2, both ends, without a socket or a clock (Adobe RTMP 1.0; Veovera Enhanced RTMP v2).
//!
//! ```text
//!   push ─▶ Handshake ─▶ chunk::Reader ─▶ Message ─▶ Client | Server ─▶ poll ─▶ Event
//!   next_write ◀──────── chunk::Writer ◀─ Message ◀─ Client | Server ◀─ send(Tag), answers
//! ```
//!
//! A message of audio, video or data has the body of an FLV tag, and is exchanged as one: [`Tag`]. Enhanced RTMP is what
//! those bodies hold (see [`flv`](crate::formats::flv)), and what both ends say they can take: [`Capabilities`].
//!
//! Handled: the plain and the signed handshake, all chunk headers, aggregate messages, AMF0 and AMF3 commands,
//! reconnect requests, names with a query. Refused: RTMPE, RTMPT, credentials of Adobe's access scheme.

use alloc::{borrow::Cow, string::String};
use core::time::Duration;

use crate::plain::plain;

mod caps;
pub mod chunk;
mod command;
mod digest;
mod handshake;
mod outgoing;
mod session;
mod tag;
mod url;

pub use caps::Capabilities;
pub use session::{Client, ClientEvent, ClientOptions, Request, Role, Server, ServerEvent, ServerOptions};
pub use tag::Tag;
pub use url::Url;

/// The port when a URL names none.
pub const PORT: u16 = 1935;

/// Most bytes of a message.
pub const MAX_MESSAGE: usize = 8 << 20;

/// Most bytes of a command: what it holds becomes a tree, which is larger.
pub const MAX_COMMAND: usize = 64 << 10;

/// Most chunk streams of a connection that are remembered.
pub const MAX_CHUNK_STREAMS: usize = 64;

/// Most bytes of messages that have begun and are not whole yet, of all chunk streams.
pub const MAX_OPEN: usize = 16 << 20;

/// The chunk size that both ends here set.
pub const CHUNK_SIZE: usize = 64 << 10;

/// Most bytes of an application's or a stream's name, query included.
pub const MAX_KEY: usize = 512;

/// Most bytes that may wait to be sent when a reply is added: a peer that asks and never reads is cut.
pub const MAX_UNREAD: usize = 8 << 20;

/// Most message streams that one connection creates.
pub const MAX_STREAMS: u32 = 16;

/// How long the handshake may take.
pub const HANDSHAKE_LIMIT: Duration = Duration::from_secs(5);

/// How long a connection may take until something is published or played.
pub const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// How long nothing may come from a peer of a server.
pub const IDLE_LIMIT: Duration = Duration::from_secs(30);

/// How long nothing may come before a server asks for a sign of life.
pub const PING_AFTER: Duration = Duration::from_secs(10);

/// Why a connection cannot go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The first byte announces something else than RTMP.
    #[error("rtmp: version {0} instead of 3")]
    Version(u8),
    /// Bytes that make no sense where they stand.
    #[error("rtmp: {what} at offset {at}")]
    Malformed {
        /// The fault.
        what: Cow<'static, str>,
        /// Bytes that were read before it.
        at: u64,
    },
    /// The peer goes beyond a named limit.
    #[error("rtmp: {what} exceeds the limit of {limit}")]
    Limit {
        /// The quantity that is limited.
        what: &'static str,
        /// The largest value.
        limit: usize,
    },
    /// The peer has answered with an error.
    #[error("the peer refused: {}{}{}", plain(code), if description.is_empty() { "" } else { ": " }, plain(description))]
    Refused {
        /// Its code, such as `NetStream.Publish.BadName`.
        code: String,
        /// Its words, which may be empty.
        description: String,
    },
    /// Nothing came in time.
    #[error("rtmp: the peer was silent for {} s", .0.as_secs())]
    Silent(Duration),
    /// The connection has ended although the stream had not.
    #[error("rtmp: the peer closed the connection")]
    Cut,
}

impl Fault {
    fn malformed(what: impl Into<Cow<'static, str>>, at: u64) -> Self {
        Self::Malformed { what: what.into(), at }
    }
}

/// Numbers of message types (RTMP 1.0 §5.4, §7.1).
mod kind {
    pub(super) const SET_CHUNK_SIZE: u8 = 1;
    pub(super) const ABORT: u8 = 2;
    pub(super) const ACKNOWLEDGEMENT: u8 = 3;
    pub(super) const USER_CONTROL: u8 = 4;
    pub(super) const WINDOW_SIZE: u8 = 5;
    pub(super) const PEER_BANDWIDTH: u8 = 6;
    pub(super) const AUDIO: u8 = 8;
    pub(super) const VIDEO: u8 = 9;
    pub(super) const DATA_AMF3: u8 = 15;
    pub(super) const COMMAND_AMF3: u8 = 17;
    pub(super) const DATA: u8 = 18;
    pub(super) const COMMAND: u8 = 20;
    pub(super) const AGGREGATE: u8 = 22;
}
