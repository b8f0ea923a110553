//! Pieces on their way to a sink that does not tell them apart, joined.

use bytes::Bytes;

use super::{Mark, Parts, Piece};

/// Pieces joined so far.
#[derive(Debug, Default)]
pub(super) struct Join {
    /// Bytes that make it a piece; 0 when nothing is joined at all.
    limit: usize,
    /// Of the first piece in it.
    mark: Option<Mark>,
    parts: Parts,
}

impl Join {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, ..Self::default() }
    }

    pub(super) fn is_on(&self) -> bool {
        self.limit > 0
    }

    /// Another piece follows.
    pub(super) fn begin(&mut self, mark: Mark) {
        if self.mark.is_none() {
            self.mark = Some(mark);
            // The same buffer again once what was cut from it is written; asked for while it is empty, nothing is
            // moved.
            if self.parts.room() < self.limit + Parts::SMALL {
                self.parts.reserve(self.limit + Parts::SMALL);
            }
        }
    }

    /// Adds a copy of a small part.
    pub(super) fn copy(&mut self, part: &[u8]) {
        self.parts.copy(part);
    }

    /// Adds a part.
    pub(super) fn push(&mut self, part: &Bytes) {
        self.parts.push(part);
    }

    /// Whether it is enough for a piece.
    pub(super) fn is_full(&self) -> bool {
        self.parts.len() >= self.limit
    }

    /// Takes what is joined.
    pub(super) fn close(&mut self) -> Option<Piece> {
        let mark = self.mark.take()?;
        let parts = self.parts.take();
        (!parts.is_empty()).then_some(Piece { mark, parts })
    }
}
