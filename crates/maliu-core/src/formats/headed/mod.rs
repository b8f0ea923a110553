//! Audio samples behind a header: Sun AU, and AIFF with AIFF-C.

mod aiff;
mod au;
mod blocks;

pub use aiff::FORMAT as AIFF;
pub use au::FORMAT as AU;
