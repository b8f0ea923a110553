//! RTP without sockets: datagrams in any order → packets of streams (RFC 3550, RFC 8866 and payload formats).
//!
//! ```text
//!   SDP text ─▶ sdp::Description ─▶ Session ─▶ Event::{Stream, Packet}
//!   RTP ──────▶ Header ─▶ Window ─▶ payload format ─▶ unit ─┘  times: RTP clock, sender reports, RTP-Info
//!   RTCP ─────▶ rtcp::parse ────────────────────────▶┘
//! ```
//!
//! | payload format | codecs | units |
//! |---|---|---|
//! | RFC 6184, RFC 7798 | H.264, H.265 | access units behind start codes |
//! | RFC 3640, RFC 6416 | AAC (AAC-hbr, AAC-lbr, LATM), MPEG-4 video | raw data blocks; pictures |
//! | RFC 7587, RFC 3551 | Opus, G.711, G.722, G.726, L8, L16, L24 | packets as sent |
//! | RFC 2250 | MPEG audio and video | frames; pictures |
//! | RFC 4184, RFC 4598 | AC-3, E-AC-3 | frames |
//! | RFC 7741, RFC 9628, AV1 RTP specification | VP8, VP9, AV1 | frames, temporal units |
//! | RFC 2435 | Motion JPEG | JPEG images |
//! | RFC 6597 | KLV | units |
//!
//! An encoding without a row is carried as data, one packet per unit. Interleaved modes (H.264 packetization mode 2) are
//! reported and not reordered. Nothing here is encrypted (SRTP).

mod header;
pub(crate) mod message;
mod reorder;
pub mod rtcp;
pub mod sdp;
mod statistics;
mod facts;
mod unpack;
mod receiver;
mod session;
#[cfg(test)]
mod tests;

pub use header::{Extension, Fault, Header, is_rtcp};
pub use receiver::MAX_UNIT;
pub use reorder::{MAX_WAITING, MAX_WAITING_BYTES, Step, Window};
pub use session::{Losses, MAX_GATHERED, MAX_GATHERED_BYTES, Session};
pub use statistics::Statistics;
