//! When a packet happens: the rules of writing frames, once, for all formats (WF-27…WF-52).
//!
//! ```text
//!   Packet ─▶ fill ──▶ order ──▶ shift ─▶ Muxer
//!             pts⇄dts  by dts    offset, no negative times
//!             checks   bounded
//! ```

use crate::stream::Codec;

mod clock;
mod decoding;
mod explain;
mod fill;
pub(crate) mod index;
pub mod jumps;
pub(crate) mod order;
pub(crate) mod samples;
pub(crate) mod shift;
pub(crate) mod turns;

pub(crate) use decoding::DecodingTimes;
pub use explain::{At, Fired, MAX_NOTES, Notes};
pub use fill::{Fill, Path};
pub use order::MAX_SPAN;
pub use samples::{samples, stored_bits};

/// How timestamps are treated on the way to a muxer (WF-3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Equal consecutive dts are allowed (TS_NONSTRICT).
    pub equal_dts: bool,
    /// Negative times are allowed (TS_NEGATIVE).
    pub negative: bool,
    /// The format stores no times (NOTIMESTAMPS).
    pub no_timestamps: bool,
    /// A flush reaches the muxer (ALLOW_FLUSH).
    pub flush: bool,
    /// Pictures need no size in the header (NODIMENSIONS).
    pub no_dimensions: bool,
    /// It can be written without a stream (NOSTREAMS).
    pub no_streams: bool,
    /// The muxer needs no output (NOFILE).
    pub no_output: bool,
    /// Negative times are found in pts instead of dts (WF-13).
    pub shift_by_pts: bool,
    /// Packets are written in the order in which they come, however many streams there are (WF-9).
    pub no_order: bool,
    /// A stream may go on in another codec, whose configuration a packet brings.
    pub other_codecs: bool,
    /// The codec tags the format knows; empty when it has none (WF-8).
    pub codec_tags: &'static [(Codec, u32)],
}

impl Rules {
    /// No exception at all: dts must rise, times must not be negative.
    pub const STRICT: Self = Self {
        equal_dts: false,
        negative: false,
        no_timestamps: false,
        flush: false,
        no_dimensions: false,
        no_streams: false,
        no_output: false,
        shift_by_pts: false,
        no_order: false,
        other_codecs: false,
        codec_tags: &[],
    };
}
