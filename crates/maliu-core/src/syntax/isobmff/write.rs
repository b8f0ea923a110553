//! Boxes being written: a closure fills each body, and the size in front follows from it.

use alloc::vec::Vec;

use super::boxes::Kind;

/// Bytes of boxes so far.
#[derive(Clone, Debug, Default)]
pub struct Writer(Vec<u8>);

/// Goes on behind bytes that are written.
impl From<Vec<u8>> for Writer {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl Writer {
    /// A writer without bytes.
    pub fn new() -> Self {
        Self::default()
    }

    /// The bytes written.
    pub fn finish(self) -> Vec<u8> {
        self.0
    }

    /// Number of bytes written.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A box whose body `fill` writes.
    pub fn boxed(&mut self, kind: &Kind, fill: impl FnOnce(&mut Self)) {
        let start = self.0.len();
        self.u32(0);
        self.bytes(kind);
        fill(self);
        let size = (self.0.len() - start) as u32;
        self.set_u32(start, size);
    }

    /// A box with version and flags in front of its fields.
    pub fn full(&mut self, kind: &Kind, version: u8, flags: u32, fill: impl FnOnce(&mut Self)) {
        self.boxed(kind, |w| {
            w.u32(u32::from(version) << 24 | (flags & 0xff_ffff));
            fill(w);
        });
    }

    /// Replaces 4 bytes that were written at `at`.
    pub fn set_u32(&mut self, at: usize, value: u32) {
        if let Some(place) = self.0.get_mut(at..at.saturating_add(4)) {
            place.copy_from_slice(&value.to_be_bytes());
        }
    }

    /// Appends bytes.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// Appends `n` zeros.
    pub fn zeros(&mut self, n: usize) {
        self.0.resize(self.0.len().saturating_add(n), 0);
    }

    /// Appends a byte.
    pub fn u8(&mut self, value: u8) {
        self.0.push(value);
    }

    /// Appends 2 bytes.
    pub fn u16(&mut self, value: u16) {
        self.bytes(&value.to_be_bytes());
    }

    /// Appends 3 bytes.
    pub fn u24(&mut self, value: u32) {
        let [_, a, b, c] = value.to_be_bytes();
        self.bytes(&[a, b, c]);
    }

    /// Appends 4 bytes.
    pub fn u32(&mut self, value: u32) {
        self.bytes(&value.to_be_bytes());
    }

    /// Appends 8 bytes.
    pub fn u64(&mut self, value: u64) {
        self.bytes(&value.to_be_bytes());
    }

    /// Appends 8 bytes if `long`, else 4.
    pub fn number(&mut self, long: bool, value: u64) {
        if long { self.u64(value) } else { self.u32(u32::try_from(value).unwrap_or(u32::MAX)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_follow_from_the_bodies() {
        let mut w = Writer::new();
        w.boxed(b"outr", |w| w.full(b"innr", 1, 2, |w| w.u16(7)));
        assert_eq!(w.finish(), b"\0\0\0\x16outr\0\0\0\x0einnr\x01\0\0\x02\0\x07");
    }
}
