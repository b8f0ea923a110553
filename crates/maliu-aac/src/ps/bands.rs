//! Which parameter band each subband of the hybrid bank belongs to (ISO/IEC 14496-3 tables 8.48 and 8.49).

use super::hybrid::SUBBANDS;

/// By subband of 71: the band of 20. Entries past the end are unused.
#[rustfmt::skip]
pub(super) const BANDS_20: [u8; SUBBANDS] = padded(&[
     1,  0,  0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14, 14, 15,
    15, 15, 16, 16, 16, 16, 17, 17, 17, 17, 17, 18, 18, 18, 18, 18, 18, 18, 18,
    18, 18, 18, 18, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19,
    19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19,
]);

/// By subband of 91: the band of 34.
#[rustfmt::skip]
pub(super) const BANDS_34: [u8; SUBBANDS] = padded(&[
     0,  1,  2,  3,  4,  5,  6,  6,  7,  2,  1,  0, 10, 10,  4,  5,  6,  7,  8,
     9, 10, 11, 12,  9, 14, 11, 12, 13, 14, 15, 16, 13, 16, 17, 18, 19, 20, 21,
    22, 22, 23, 23, 24, 24, 25, 25, 26, 26, 27, 27, 27, 28, 28, 28, 29, 29, 29,
    30, 30, 30, 31, 31, 31, 31, 32, 32, 32, 32, 33, 33, 33, 33, 33, 33, 33, 33,
    33, 33, 33, 33, 33, 33, 33, 33, 33, 33, 33, 33, 33, 33, 33,
]);

const fn padded<const N: usize>(bands: &[u8; N]) -> [u8; SUBBANDS] {
    let mut all = [bands[N - 1]; SUBBANDS];
    let mut k = 0;
    while k < N {
        all[k] = bands[k];
        k += 1;
    }
    all
}
