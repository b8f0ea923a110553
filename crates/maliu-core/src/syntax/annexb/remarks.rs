//! Remarks about a stream that wait to be fetched.

use alloc::collections::VecDeque;

/// Most remarks that wait; further ones are lost.
const MAX_WAITING: usize = 16;

/// Remarks with the offset of what they are about.
#[derive(Clone, Debug, Default)]
pub(in crate::syntax) struct Remarks {
    waiting: VecDeque<(u64, &'static str)>,
    /// Parameter sets are missing, and it was said.
    sets_missing: bool,
}

impl Remarks {
    pub fn note(&mut self, at: u64, what: &'static str) {
        if self.waiting.len() < MAX_WAITING {
            self.waiting.push_back((at, what));
        }
    }

    /// Whether the parameter sets of the picture at `at` are there. Of several in a row that lack them the first is
    /// remarked on.
    pub fn note_sets(&mut self, at: u64, there: bool) {
        if !core::mem::replace(&mut self.sets_missing, !there) && !there {
            self.note(at, "pictures whose parameter sets are missing or unreadable: waiting for them");
        }
    }

    pub fn next(&mut self) -> Option<(u64, &'static str)> {
        self.waiting.pop_front()
    }
}
