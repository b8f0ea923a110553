//! Remarks about a stream that wait to be fetched.

use alloc::{borrow::Cow, collections::VecDeque, format};

use crate::remark::{Refusal, Remark};

/// Most remarks that wait; further ones are lost.
const MAX_WAITING: usize = 16;

/// Remarks with the offset of what they are about.
#[derive(Clone, Debug, Default)]
pub(in crate::syntax) struct Remarks {
    waiting: VecDeque<(u64, Remark, Cow<'static, str>)>,
    /// Parameter sets are missing, and it was said.
    sets_missing: bool,
}

impl Remarks {
    fn note(&mut self, at: u64, kind: Remark, what: impl FnOnce() -> Cow<'static, str>) {
        if self.waiting.len() < MAX_WAITING {
            self.waiting.push_back((at, kind, what()));
        }
    }

    /// A parameter set at `at` cannot be read.
    pub(crate) fn note_refused(&mut self, at: u64, why: Refusal) {
        self.note(at, Remark::BadConfig(Some(why)), || format!("a parameter set that cannot be read: {why}").into());
    }

    /// Notes whether the first slice of the picture at `at` can be read. Of several in a row that cannot the first is
    /// remarked on.
    pub(crate) fn note_sets(&mut self, at: u64, refused: Option<Refusal>) {
        let was_missing = core::mem::replace(&mut self.sets_missing, refused.is_some());
        if let Some(why) = refused.filter(|_| !was_missing) {
            self.note(at, Remark::NoConfig(Some(why)), || {
                format!("pictures whose parameter sets are missing or unreadable: waiting for them ({why})").into()
            });
        }
    }

    pub(crate) fn next(&mut self) -> Option<(u64, Remark, Cow<'static, str>)> {
        self.waiting.pop_front()
    }
}
