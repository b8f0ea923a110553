//! Tables of equal rows, kept as they stand in the file.

use bytes::Bytes;

use super::fields::Fields;

/// Rows of a table in file form; what is cut off is not there, whatever the table's count says.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    bytes: Bytes,
    row: usize,
    len: u32,
}

impl Rows {
    /// The rows of `row` bytes in `bytes`, at most `count` of them. Copies what is kept, so that nothing else is held.
    pub fn new(bytes: &[u8], row: usize, count: u32) -> Self {
        let len = bytes.len().checked_div(row).unwrap_or(0).min(count as usize);
        let kept = bytes.get(..len.saturating_mul(row)).unwrap_or_default();
        Self { bytes: Bytes::copy_from_slice(kept), row, len: len as u32 }
    }

    /// The rows of a full box whose fields are a count and `row` bytes each.
    pub fn full(body: &[u8], row: usize) -> Option<Self> {
        let mut fields = Fields::new(body);
        fields.version()?;
        let count = fields.u32()?;
        Some(Self::new(fields.rest(), row, count))
    }

    /// Number of rows.
    pub fn len(&self) -> u32 {
        self.len
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The fields of row `index`.
    pub fn get(&self, index: u32) -> Option<Fields<'_>> {
        let at = (index as usize).checked_mul(self.row)?;
        self.bytes.get(at..at.checked_add(self.row)?).map(Fields::new)
    }

    /// The first number of row `index`.
    pub fn u32(&self, index: u32) -> Option<u32> {
        self.get(index)?.u32()
    }

    /// The first two numbers of row `index`.
    pub fn pair(&self, index: u32) -> Option<(u32, u32)> {
        let mut fields = self.get(index)?;
        Some((fields.u32()?, fields.u32()?))
    }

    /// Bytes that are kept.
    pub fn weight(&self) -> usize {
        self.bytes.len()
    }

    /// The first index whose row does not satisfy `low`, of rows sorted by it.
    pub fn partition(&self, low: impl Fn(u32) -> bool) -> u32 {
        let (mut first, mut last) = (0, self.len);
        while first < last {
            let middle = first + (last - first) / 2;
            match self.u32(middle) {
                Some(value) if low(value) => first = middle + 1,
                _ => last = middle,
            }
        }
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_larger_than_the_body_is_not_believed() {
        let rows = Rows::full(b"\0\0\0\0\xff\xff\xff\xff\0\0\0\x01\0\0\0\x05\0\0", 4).unwrap();
        assert_eq!((rows.len(), rows.u32(0), rows.u32(1), rows.u32(2)), (2, Some(1), Some(5), None));
        assert_eq!((rows.partition(|value| value < 5), rows.partition(|value| value < 9)), (1, 2));
        assert!(Rows::full(b"\0\0\0\0\0\0", 4).is_none());
        assert!(Rows::new(b"abc", 0, 9).is_empty());
    }
}
