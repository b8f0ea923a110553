//! Audio behind a header: Sun AU, AIFF with AIFF-C, and CAF.

mod aiff;
mod au;
mod blocks;
mod caf;

pub use aiff::FORMAT as AIFF;
pub use au::FORMAT as AU;
pub use caf::FORMAT as CAF;
