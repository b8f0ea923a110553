//! RTSP as a client plays it, without a socket (RFC 2326): what a server sends in, what it is to be sent out.
//!
//! ```text
//!   OPTIONS ─▶ DESCRIBE ─▶ Event::Described ─ set_up() ─▶ SETUP… ─▶ PLAY ─▶ Event::Playing ─▶ Event::Packet… ─ finish() ─▶ TEARDOWN
//!                └ 401 ─▶ again, with credentials (Basic, Digest of MD5 or SHA-256)        └ timeout(): GET_PARAMETER keeps it alive
//! ```

mod access;
mod client;
mod url;
#[cfg(test)]
mod tests;

pub use client::{Carrier, Client, Event, Fault, MAX_UNREAD};
pub use url::Url;
