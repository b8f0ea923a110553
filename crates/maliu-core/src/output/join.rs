//! Pieces on their way to a sink that does not tell them apart, joined: small parts are copied behind each other, large
//! ones are shared.

use alloc::vec::Vec;

use bytes::{Bytes, BytesMut};

use super::{Mark, Piece};

/// Parts up to this many bytes are copied.
const SMALL: usize = 4 << 10;

/// Pieces joined so far.
#[derive(Debug, Default)]
pub(super) struct Join {
    /// Bytes that make it a piece; 0 when nothing is joined at all.
    limit: usize,
    /// Of the first piece in it.
    mark: Option<Mark>,
    parts: Vec<Bytes>,
    /// Copied parts, behind all of `parts`.
    small: BytesMut,
    len: usize,
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
            if self.small.capacity() < self.limit + SMALL {
                self.small.reserve(self.limit + SMALL);
            }
        }
    }

    /// Adds a copy of a small part.
    pub(super) fn copy(&mut self, part: &[u8]) {
        self.len += part.len();
        self.small.extend_from_slice(part);
    }

    /// Adds a part.
    pub(super) fn push(&mut self, part: &Bytes) {
        if part.len() <= SMALL {
            return self.copy(part);
        }
        self.close_small();
        self.len += part.len();
        self.parts.push(part.clone());
    }

    /// Whether it is enough for a piece.
    pub(super) fn is_full(&self) -> bool {
        self.len >= self.limit
    }

    /// Takes what is joined.
    pub(super) fn close(&mut self) -> Option<Piece> {
        self.close_small();
        self.len = 0;
        let mark = self.mark.take()?;
        let parts = core::mem::take(&mut self.parts);
        (!parts.is_empty()).then_some(Piece { mark, parts })
    }

    fn close_small(&mut self) {
        if !self.small.is_empty() {
            self.parts.push(self.small.split().freeze());
        }
    }
}
