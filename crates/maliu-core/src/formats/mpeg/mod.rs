//! MPEG systems: elementary streams in PES packets, in transport streams and in program streams (ISO/IEC 13818-1).
//!
//! ```text
//!   mpegts ─ PES payloads, marks ─▶ Track ─ elementary stream ─▶ Cutter ─▶ unit ─▶ Packet with its time
//!   mpegps ─────────────────────────┘
//! ```
//!
//! Both share the tracks: frames are cut by the cutters of the raw formats, times belong to the first frame that begins in
//! a PES packet, and the frames behind it are counted on.

mod cutters;
mod kinds;
pub mod mpegps;
pub mod mpegts;
mod payload;
mod remarks;
mod search;
mod track;
mod types;
