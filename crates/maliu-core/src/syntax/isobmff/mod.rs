//! ISO base media files and QuickTime movies: boxes, sample tables, fragments, tags (ISO/IEC 14496-12, QuickTime File Format).
//!
//! ```text
//!   size(32) name(32) [size(64)] body        a box; its body holds fields, or boxes
//!   moov ─ trak ─ stbl: stsd stts ctts stsc stsz stco stss     what, when and where the samples are
//!   moof ─ traf: tfhd tfdt trun                                the same for one fragment
//! ```
//!
//! Tables stay as they stand in the file ([`rows::Rows`]) and are walked by cursors ([`samples::Cursor`],
//! [`fragment::RunCursor`]): memory is what the file spends on them, and no count is believed.

pub mod boxes;
#[cfg(feature = "crypt")]
pub mod cipher;
pub mod codecs;
pub mod descriptor;
pub mod edits;
pub mod entry;
pub mod fields;
pub mod fragment;
pub mod index;
pub mod protection;
pub mod rows;
pub mod samples;
pub mod senc;
pub mod tags;
pub mod write;
