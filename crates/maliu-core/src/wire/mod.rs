//! Client a → client b: messages of a header and data, our own and anybody's.

pub mod layout;
