//! The record that a window keeps of a segment whose bytes are elsewhere.

use core::time::Duration;

use super::date::Date;

/// A segment whose bytes are kept elsewhere.
#[derive(Clone, Copy, Debug)]
pub(super) struct Past {
    pub(super) duration: Duration,
    pub(super) independent: bool,
    pub(super) discontinuity: bool,
    pub(super) date: Date,
    pub(super) init: u64,
}
