//! Bytes on their way out, gathered: small parts are copied behind each other, large ones are shared.
//!
//! ```text
//!   push, copy ─▶ [large][small small …][large] … [small …▒▒▒ room] ─▶ iter, advance, take
//! ```

use alloc::{collections::VecDeque, vec::Vec};

use bytes::{Buf, Bytes, BytesMut};

/// Parts that wait to be written, in order.
#[derive(Debug, Default)]
pub struct Parts {
    closed: VecDeque<Bytes>,
    /// Copied parts, behind all of `closed`.
    small: BytesMut,
    len: usize,
}

impl Parts {
    /// Parts up to this many bytes are copied.
    pub const SMALL: usize = 4 << 10;

    /// Bytes that wait.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether none waits.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes that can be copied into the buffer there is.
    #[inline]
    pub fn room(&self) -> usize {
        self.small.capacity().saturating_sub(self.small.len())
    }

    /// Makes room for `bytes` copied ones: in the same buffer again, once what was cut from it is written.
    pub fn reserve(&mut self, bytes: usize) {
        self.small.reserve(bytes);
    }

    /// Adds a copy of a part.
    #[inline]
    pub fn copy(&mut self, part: &[u8]) {
        self.len = self.len.saturating_add(part.len());
        self.small.extend_from_slice(part);
    }

    /// Adds a part.
    #[inline]
    pub fn push(&mut self, part: &Bytes) {
        if part.len() <= Self::SMALL {
            return self.copy(part);
        }
        self.close();
        self.len = self.len.saturating_add(part.len());
        self.closed.push_back(part.clone());
    }

    /// Makes what is copied a part of its own: [`Parts::iter`] and [`Parts::advance`] see closed parts only.
    pub fn close(&mut self) {
        if !self.small.is_empty() {
            self.closed.push_back(self.small.split().freeze());
        }
    }

    /// The closed parts in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Bytes> {
        self.closed.iter()
    }

    /// Drops the first `written` bytes of the closed parts.
    pub fn advance(&mut self, mut written: usize) {
        while let Some(front) = self.closed.front_mut() {
            let step = written.min(front.len());
            self.len = self.len.saturating_sub(step);
            if step < front.len() {
                front.advance(step);
                return;
            }
            written = written.saturating_sub(step);
            self.closed.pop_front();
        }
    }

    /// Takes all parts.
    pub fn take(&mut self) -> Vec<Bytes> {
        self.close();
        self.len = 0;
        core::mem::take(&mut self.closed).into()
    }
}
