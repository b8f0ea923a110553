//! The pump loops for threads that may wait: a reader over a source, a writer over a sink.
//!
//! ```text
//!   Source ─ feed() ─▶ Input ─▶ PacketReader ─▶ Event        Packet ─▶ PacketWriter ─▶ Output ─ apply() ─▶ Sink
//! ```
//!
//! [`ReadAhead`] moves the left half to a thread of its own when the rest is seen to take longer.

mod ahead;
mod pump;
mod reader;
mod writer;

pub use crate::drive::{Landing, feed};
pub use ahead::ReadAhead;
pub use pump::{MAX_WAITING, Pump};
pub use reader::Reader;
pub use writer::Writer;
