//! Four values at a time, as vector registers hold them.

/// A value aligned so that a vector register can be loaded from it at once.
#[derive(Clone, Debug)]
#[repr(align(16))]
pub(crate) struct Aligned<T>(pub(crate) T);

/// Rows and columns of four rows of four changed for each other.
#[inline(always)]
pub(crate) fn transposed([a, b, c, d]: [[f32; 4]; 4]) -> [[f32; 4]; 4] {
    [[a[0], b[0], c[0], d[0]], [a[1], b[1], c[1], d[1]], [a[2], b[2], c[2], d[2]], [a[3], b[3], c[3], d[3]]]
}
