//! Client a → client b: messages of a header and data, our own and any other.

mod crc32c;
pub mod message;
pub mod content;
pub mod session;
pub mod layout;
