//! Client a → client b: messages of a header and data, as maliu sends them; RTMP, and RTSP. Other protocols are described by a
//! [`layout`](crate::layout).

mod crc32c;
pub mod message;
pub mod content;
pub mod session;
pub mod rtmp;
pub mod rtsp;
