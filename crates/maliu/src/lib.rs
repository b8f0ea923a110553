//! Media bytes in and out of anywhere: everything of `maliu-core`, re-exported.

pub use maliu_core::*;
