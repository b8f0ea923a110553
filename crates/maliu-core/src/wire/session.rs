//! Two ends of a connection that exchange messages: who sends, who receives, and what survives when it breaks.
//!
//! ```text
//!   Sender ─ Hello, Stream, Packet, Bye ─▶ transport ─▶ Receiver ─▶ content, in order, once
//!          ◀─ Challenge, Welcome, Ack ────           ◀──
//!
//!   Sender ─ Challenge, Hello, Stream, … ──▶ transport ─▶ Receiver that has connected: a player
//!          ◀─ Hello, Welcome, Ack ─────────           ◀──
//! ```
//!
//! Nothing here reads a clock or a socket: times are passed in as spans since any fixed moment, bytes are pushed into
//! [`Sender::input`] and [`Receiver::input`] and fetched with `next`.

use alloc::string::String;
use core::time::Duration;

use crate::{error::Error, plain::plain};

mod flight;
mod link;
mod live;
mod proof;
mod receiver;
mod reliable;
mod sender;

pub use live::Limits as LiveLimits;
pub use receiver::{PlayerOptions, Received, Receiver, ReceiverOptions};
pub use sender::{Sender, SenderOptions, Stats as SenderStats};

use super::message::Reason;

/// How long the peer may take to say who it is.
pub const HANDSHAKE_LIMIT: Duration = Duration::from_secs(5);

/// How long no whole message may come before the peer counts as gone.
pub const SILENCE_LIMIT: Duration = Duration::from_secs(30);

/// How long nothing may be sent before a ping is.
pub const PING_AFTER: Duration = Duration::from_secs(5);

/// Most bytes of a body before the peer is known.
pub const MAX_HANDSHAKE_BODY: usize = 4096;

/// Why a connection, or a whole transfer, cannot go on.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The peer has ended the connection and said why.
    #[error("the peer refused: {}", plain(text))]
    Refused {
        /// In which class of reasons.
        reason: Reason,
        /// In its words.
        text: String,
    },
    /// Nothing was heard of the peer in time.
    #[error("nothing was heard of the peer for {} s", .0.as_secs())]
    Silent(Duration),
    /// The token is missing or wrong.
    #[error("the token is missing or wrong")]
    Unauthorized,
    /// This build has no tokens: it lacks the feature `crypt`. No peer is let in without the proof.
    #[error("a token needs a build with the feature crypt")]
    NoTokens,
    /// A player asks for what is not sent here.
    #[error("nothing of this name is sent here in this mode")]
    Absent,
    /// The receiver asks for messages that it had acknowledged and that are gone here: it was started anew, or has been
    /// done with the transfer for long. Sent from the beginning, the transfer may succeed.
    #[error("the receiver does not know this transfer any more: message {wanted} is wanted again")]
    Forgotten {
        /// The sequence number that is wanted.
        wanted: u64,
    },
    /// The receiver wants a message that the source does not have: it has kept another transfer under this id.
    #[error("the receiver wants message {wanted}, but the source ends after {end} messages")]
    BeyondEnd {
        /// The sequence number that is wanted.
        wanted: u64,
        /// The messages of the source.
        end: u64,
    },
    /// A message came that makes no sense at this point.
    #[error("protocol: {0}")]
    Protocol(&'static str),
    /// Messages are missing on a connection that must not lose any.
    #[error("message {wanted} was damaged on the way")]
    Gap {
        /// The sequence number that is missing.
        wanted: u64,
    },
    /// The bytes cannot be read.
    #[error(transparent)]
    Media(#[from] Error),
}

impl Fault {
    /// Whether a new connection cannot help.
    pub fn is_final(&self) -> bool {
        matches!(
            self,
            Self::Unauthorized
                | Self::NoTokens
                | Self::Forgotten { .. }
                | Self::BeyondEnd { .. }
                | Self::Refused { reason: Reason::Unauthorized | Reason::Busy | Reason::Limit | Reason::Absent, .. }
        )
    }

    /// The message to the peer before the connection is closed.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Unauthorized | Self::NoTokens => Reason::Unauthorized,
            Self::Silent(_) => Reason::Silent,
            Self::Absent => Reason::Absent,
            Self::Media(Error::Limit { .. }) => Reason::Limit,
            _ => Reason::Protocol,
        }
    }
}
