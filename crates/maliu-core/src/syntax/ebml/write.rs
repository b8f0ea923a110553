//! Elements to bytes.

use alloc::vec::Vec;

use super::ids;

/// Bytes being made.
#[derive(Clone, Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

/// Fewest bytes that hold the size `value`.
pub fn size_bytes(value: u64) -> usize {
    (1..8).find(|length| value < (1 << (7 * length)) - 1).unwrap_or(8)
}

impl Writer {
    /// With room for this many bytes.
    pub fn with_capacity(bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes) }
    }

    /// The bytes that were written.
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }

    /// Bytes written so far.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Raw bytes.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// An identifier.
    pub fn id(&mut self, id: u32) {
        let length = (4 - id.leading_zeros() as usize / 8).max(1);
        self.bytes.extend(id.to_be_bytes().iter().skip(4 - length));
    }

    /// A size in `length` bytes, 1 to 8, which must hold it.
    pub fn size(&mut self, value: u64, length: usize) {
        let length = length.clamp(1, 8);
        let marked = value | 1 << (7 * length);
        self.bytes.extend(marked.to_be_bytes().iter().skip(8 - length));
    }

    /// An unknown size, in eight bytes.
    pub fn unknown_size(&mut self) {
        self.raw(&[1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    }

    /// An element of these bytes.
    pub fn binary(&mut self, id: u32, body: &[u8]) {
        self.id(id);
        self.size(body.len() as u64, size_bytes(body.len() as u64));
        self.raw(body);
    }

    /// An element of text.
    pub fn text(&mut self, id: u32, text: &str) {
        self.binary(id, text.as_bytes());
    }

    /// An element of an unsigned integer, in the fewest bytes, at least one.
    pub fn unsigned(&mut self, id: u32, value: u64) {
        let skip = (value.leading_zeros() as usize / 8).min(7);
        self.binary(id, value.to_be_bytes().get(skip..).unwrap_or_default());
    }

    /// An element of an unsigned integer, in eight bytes, which can be replaced in place.
    pub fn unsigned_8(&mut self, id: u32, value: u64) {
        self.binary(id, &value.to_be_bytes());
    }

    /// An element of a signed integer, in eight bytes.
    pub fn signed(&mut self, id: u32, value: i64) {
        self.binary(id, &value.to_be_bytes());
    }

    /// An element of a floating-point number, in eight bytes.
    pub fn float(&mut self, id: u32, value: f64) {
        self.binary(id, &value.to_be_bytes());
    }

    /// An element that holds what `fill` writes.
    pub fn master(&mut self, id: u32, fill: impl FnOnce(&mut Self)) {
        let mut inside = Self::default();
        fill(&mut inside);
        self.binary(id, &inside.bytes);
    }

    /// An element of `length` bytes, at least 2, that holds nothing.
    pub fn void(&mut self, length: usize) {
        self.id(ids::VOID);
        let (size, body) = if length < 10 { (1, length.saturating_sub(2)) } else { (8, length - 9) };
        self.size(body as u64, size);
        self.bytes.resize(self.bytes.len().saturating_add(body), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_take_the_fewest_bytes() {
        assert_eq!([0, 126, 127, 16_382, 16_383, u64::MAX >> 8].map(size_bytes), [1, 1, 2, 2, 3, 8]);
        for length in 2..40 {
            let mut writer = Writer::default();
            writer.void(length);
            assert_eq!(writer.len(), length);
        }
    }
}
