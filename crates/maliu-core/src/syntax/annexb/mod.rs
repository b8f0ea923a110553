//! NAL units in a stream of bytes: behind start codes or behind their length (ISO/IEC 14496-10 Annex B, 14496-15 §4.3).
//!
//! ```text
//!   … 00 | 00 00 01  NAL unit  00 00 | 00 00 01  NAL unit …        start codes: zeros before a code belong to it
//!          len len len len  NAL unit  len len len len  NAL unit    lengths: 1, 2 or 4 bytes, as the config says
//! ```
//!
//! Shared by H.264 and H.265. [`units`] walks bytes that are whole, [`Splitter`] finds the same units in bytes that
//! still arrive, [`Framing`] converts between the two packagings, [`unescape`] and [`escape`] remove and put in
//! emulation prevention bytes.

mod assemble;
mod carried;
mod clock;
mod escape;
mod framing;
mod order;
mod raw;
mod remarks;
mod scan;
mod sei;
mod sets;
mod split;
mod vui;

pub use assemble::{Assembled, Assembler, Coding, MAX_JUNK, MAX_UNIT};
pub use carried::parameter_sets;
pub use clock::{Clock, Stamps, Timing};
pub use escape::{escape, unescape, unescape_head};
pub use framing::{Framing, Lengths, from_lengths, lengths, to_lengths};
pub(super) use order::order_msb;
pub use raw::{Description, RAW_TIME_BASE, RawCoding, RawEvent, RawStream};
pub(super) use remarks::Remarks;
pub use scan::{StartCodes, Unit, starts_with_code, trimmed, units};
pub use sei::{SeiMessage, SeiMessages, USER_DATA_T35, USER_DATA_UNREGISTERED, sei_messages};
pub(super) use sets::{SetsById, behind_codes, sized};
pub use split::{MAX_NAL, Splitter, Step};
pub use vui::VideoSignal;
pub(super) use vui::reduced;
