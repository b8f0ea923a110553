//! Tables of the standard that no formula gives.

pub(crate) mod codes;
pub(crate) mod window;
