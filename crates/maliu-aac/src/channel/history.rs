//! State that a channel carries from unit to unit for its filter bank.

use super::info::Sequence;

/// State that a channel carries from unit to unit.
pub(crate) struct History {
    /// Folded falling half; after short windows finished samples, then the folded half of the last window. AAC-ELD:
    /// three units of transformed lines, the newest first.
    pub(crate) overlap: Vec<f32>,
    /// Windows of the last unit.
    pub(crate) sequence: Sequence,
    pub(crate) kbd: bool,
}

impl History {
    /// Silence, for units of `frame_length` samples.
    pub(crate) fn new(frame_length: usize, eld: bool) -> History {
        let length = if eld { 3 * frame_length } else { frame_length / 2 };
        History { overlap: vec![0.0; length], sequence: Sequence::Long, kbd: false }
    }
}
