//! LATM: AAC in AudioMuxElements, and LOAS, their framing in a stream of bytes (ISO/IEC 14496-3 §1.7).
//!
//! ```text
//!   LOAS:            2b7(11) length(13) │ AudioMuxElement
//!   AudioMuxElement: same(1) [StreamMuxConfig] │ lengths │ payloads │ … a subframe each │ other data │ to a byte
//! ```

mod config;
mod element;
mod frames;
mod write;

pub use config::{Layer, LengthType, StreamMuxConfig};
pub use element::{Element, Latm, MAX_HELD, Payload};
pub use frames::{HEADER, LoasFrames, LoasHeader};
pub use write::LoasWriter;
