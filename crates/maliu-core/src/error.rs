//! Errors by fault: the input's (with an offset), the caller's (an enum to match on), or a limit's.
//!
//! ```
//! use maliu_core::error::Error;
//!
//! let error = Error::malformed("flv", "tag size 12 after a tag of 15", 4096);
//! assert!(error.to_string().contains("4096"));
//! ```

use alloc::{
    borrow::Cow,
    string::{String, ToString},
};

/// The result of everything in this crate.
pub type Result<T> = core::result::Result<T, Error>;

/// Why a call failed. No I/O errors: core does no I/O.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The input breaks its format's rules at a byte that can be found in a hex dump.
    #[error("{format}: {what} at byte {at}")]
    Malformed {
        /// The format's short name.
        format: &'static str,
        /// The value that was found and the one that was expected.
        what: Cow<'static, str>,
        /// Absolute offset in the input, in bytes.
        at: u64,
    },
    /// The input is right, but uses a feature this build does not have.
    #[error("unsupported: {0}")]
    Unsupported(Cow<'static, str>),
    /// No format recognised the input.
    #[error("unrecognized: {why} ({looked_at} bytes looked at)")]
    Unrecognized {
        /// Bytes that were looked at, all still unread.
        looked_at: u64,
        /// The best guess and why it was not enough.
        why: Cow<'static, str>,
    },
    /// Going back was asked of an input that only moves forward.
    #[error("not seekable: byte {wanted} lies behind byte {oldest}, the oldest one kept")]
    NotSeekable {
        /// The offset that was asked for.
        wanted: u64,
        /// The lowest offset that can still be read.
        oldest: u64,
    },
    /// A named limit was passed.
    #[error("limit: {what} exceeds {limit}")]
    Limit {
        /// The limit's name.
        what: &'static str,
        /// Its value, in the unit its name says.
        limit: u64,
    },
    /// A setting has an unknown name or a value that does not fit.
    #[error("setting {name}: {why}")]
    Setting {
        /// The setting's name.
        name: String,
        /// The fault, and a value that would fit.
        why: String,
    },
    /// A packet given to a writer breaks a rule of writing frames.
    #[error("packet of stream {stream}: {why}")]
    Packet {
        /// The stream the packet names.
        stream: usize,
        /// The rule.
        why: PacketError,
    },
    /// A muxer cannot carry these streams or this packet.
    #[error("{format}: {why}")]
    Mux {
        /// The format's short name.
        format: &'static str,
        /// The value that was given and the values that are accepted.
        why: Cow<'static, str>,
    },
}

/// The caller's mistakes with a packet; each names the rule it breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PacketError {
    /// The stream index names no stream (WF-21).
    #[error("no such stream (WF-21)")]
    NoSuchStream,
    /// The stream is an attachment, which takes no packets (WF-21).
    #[error("the stream is an attachment (WF-21)")]
    Attachment,
    /// The dts is lower than, or in strict formats equal to, the one before (WF-35).
    #[error("dts {} after {}, which the format does not allow (WF-35)", known(*dts), known(*last))]
    DtsOrder {
        /// The stream's last accepted dts.
        last: Option<i64>,
        /// The dts of this packet.
        dts: Option<i64>,
    },
    /// The pts lies before the dts (WF-36).
    #[error("pts {pts} before dts {dts} (WF-36)")]
    PtsBeforeDts {
        /// The packet's pts.
        pts: i64,
        /// The packet's dts.
        dts: i64,
    },
    /// No dts could be derived for an interleaved write (WF-40).
    #[error("the packet has no dts, and none can be derived to interleave by (WF-40)")]
    NoDts,
}

/// A time as text.
fn known(time: Option<i64>) -> String {
    time.map_or_else(|| "unknown".to_string(), |time| time.to_string())
}

impl Error {
    /// Shorthand for [`Error::Malformed`].
    pub fn malformed(format: &'static str, what: impl Into<Cow<'static, str>>, at: u64) -> Self {
        Self::Malformed { format, what: what.into(), at }
    }

    /// Shorthand for [`Error::Unsupported`].
    pub fn unsupported(what: impl Into<Cow<'static, str>>) -> Self {
        Self::Unsupported(what.into())
    }

    /// Shorthand for [`Error::Mux`].
    pub fn mux(format: &'static str, why: impl Into<Cow<'static, str>>) -> Self {
        Self::Mux { format, why: why.into() }
    }
}
