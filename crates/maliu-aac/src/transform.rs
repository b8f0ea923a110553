//! From spectral lines to samples: the cosine transform under the filter banks, and their windows.

mod dct4;
pub(crate) mod overlap;
pub(crate) mod window;

pub(crate) use dct4::Dct4;
