//! Messages in chunks: several messages share a connection, each cut into pieces (RTMP 1.0 §5.3).
//!
//! ```text
//!  form(2) id(6…22) │ 0: time(24) size(24) kind(8) stream(32 LE)  1: delta size kind  2: delta  3: nothing │ [time(32)] │ bytes
//! ```

use bytes::Bytes;

mod reader;
mod writer;

pub use reader::Reader;
pub(super) use writer::heads;
pub use writer::{Writer, encode};

/// The chunk size until one is set.
pub const FIRST_SIZE: usize = 128;

/// A time, or a difference, of this value stands in the four bytes behind the header.
const EXTENDED: u32 = 0xff_ffff;

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The chunk stream that it came in, or goes into: 2 to 65599.
    pub channel: u32,
    /// Its type.
    pub kind: u8,
    /// The message stream that it belongs to; 0 is the connection itself.
    pub stream: u32,
    /// Milliseconds, which wrap after 49.7 days.
    pub time: u32,
    /// Its content.
    pub body: Bytes,
}
