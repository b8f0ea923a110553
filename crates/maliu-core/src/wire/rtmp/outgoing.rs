//! Bytes that wait to be sent: small ones joined, large ones shared.

use alloc::collections::VecDeque;

use bytes::{Bytes, BytesMut};

/// Parts below this size are copied into the block before them.
const SMALL: usize = 2 << 10;

/// A queue of bytes.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    parts: VecDeque<Bytes>,
    block: BytesMut,
    waiting: usize,
}

impl Outgoing {
    /// Appends a copy.
    pub(super) fn copy(&mut self, bytes: &[u8]) {
        self.waiting = self.waiting.saturating_add(bytes.len());
        self.block.extend_from_slice(bytes);
    }

    /// Appends bytes, shared if they are many.
    pub(super) fn share(&mut self, bytes: Bytes) {
        if bytes.len() < SMALL {
            return self.copy(&bytes);
        }
        self.close();
        self.waiting = self.waiting.saturating_add(bytes.len());
        self.parts.push_back(bytes);
    }

    fn close(&mut self) {
        if !self.block.is_empty() {
            self.parts.push_back(self.block.split().freeze());
        }
    }

    /// Takes the oldest bytes; `None` when nothing waits.
    pub(super) fn next(&mut self) -> Option<Bytes> {
        if self.parts.is_empty() {
            self.close();
        }
        let part = self.parts.pop_front()?;
        self.waiting = self.waiting.saturating_sub(part.len());
        Some(part)
    }

    /// Bytes that wait.
    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_kept_and_every_byte_counted() {
        let mut out = Outgoing::default();
        out.copy(b"head");
        out.share(Bytes::from_static(&[7; SMALL]));
        out.share(Bytes::from_static(b"tail"));
        assert_eq!(out.waiting(), 8 + SMALL);
        let sizes: alloc::vec::Vec<usize> = core::iter::from_fn(|| out.next()).map(|part| part.len()).collect();
        assert_eq!((sizes, out.waiting()), (alloc::vec![4, SMALL, 4], 0));
    }
}
