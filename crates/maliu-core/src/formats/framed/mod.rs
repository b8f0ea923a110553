//! Audio as frames in a row, among tags and junk: how its formats are recognised, walked over and sought in.
//!
//! ```text
//!  Input ─▶ Framing ─▶ Walk ─▶ tags, the end ─────────────────────▶ Event
//!                       └ frame at its time ─▶ format ─▶ pending ─┘
//! ```

pub mod adts;
pub mod coded;
pub mod loas;
pub mod mp3;
mod probe;
mod units;
mod walk;
