//! Remarks of the parsers of MPEG systems, on their way to the input.

use alloc::{borrow::Cow, collections::VecDeque};

use crate::{
    input::{Input, Warning},
    remark::Remark,
};

/// Remarks on their way to the input, few enough that none is lost between two events.
#[derive(Debug, Default)]
pub(super) struct Remarks {
    waiting: VecDeque<Warning>,
    noted: usize,
}

/// Most remarks about one input; later ones are left out.
const MAX_REMARKS: usize = 48;

impl Remarks {
    /// Notes a remark about the byte at `at`.
    pub(super) fn note(&mut self, at: u64, what: impl Into<Cow<'static, str>>) {
        self.push(Warning::new(at, what));
    }

    /// As [`Remarks::note`], of a kind.
    pub(super) fn note_kind(&mut self, at: u64, kind: Remark, what: impl Into<Cow<'static, str>>) {
        self.push(Warning { kind, ..Warning::new(at, what) });
    }

    pub(super) fn push(&mut self, warning: Warning) {
        self.noted += 1;
        if self.noted <= MAX_REMARKS {
            self.waiting.push_back(warning);
        } else if self.noted == MAX_REMARKS + 1 {
            self.waiting.push_back(Warning::new(warning.at, "further remarks are left out"));
        }
    }

    /// Hands the remarks to the input.
    pub(super) fn flush(&mut self, input: &mut Input) {
        for warning in self.waiting.drain(..) {
            input.pass_on(warning);
        }
    }
}
