//! MPEG-1, MPEG-2 and MPEG-4 part 2 video: where pictures end and what their headers say (ISO/IEC 11172-2, 13818-2, 14496-2).
//!
//! ```text
//!   MPEG-1/2: [sequence b3 …] [group b8] picture 00 │ extension b5 │ slices 01…af │ …   fields in pairs are one unit
//!   MPEG-4:   [VOS b0 …] [VOL 20…2f] VOP b6 │ …
//! ```

mod ends;
mod part4;
mod sequence;

pub use ends::{End, Ends, PictureEnds, VopEnds};
pub use part4::{VideoObjectLayer, vop_coding_type};
pub use sequence::Sequence;

/// picture_start_code.
pub const PICTURE: u8 = 0x00;
/// sequence_header_code.
pub const SEQUENCE: u8 = 0xb3;
/// extension_start_code.
pub const EXTENSION: u8 = 0xb5;
/// vop_start_code.
pub const VOP: u8 = 0xb6;
/// sequence_end_code.
pub const SEQUENCE_END: u8 = 0xb7;
/// group_start_code.
pub const GROUP: u8 = 0xb8;
