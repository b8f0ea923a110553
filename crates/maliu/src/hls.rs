//! HTTP Live Streaming in files: a playlist with its segments read as one input, and packets written as one.
//!
//! ```text
//!   a.m3u8 ─▶ Segments: files in a row, byte ranges, AES-128 ─▶ any demuxer
//!   Packet ─▶ Packager ─▶ Files: segments, then the playlist that lists them
//! ```
//!
//! Names in a playlist are files below its folder: no scheme, no `..`, no link that leads elsewhere.

pub use maliu_core::hls::*;

mod files;
mod seal;
mod segments;

pub use files::muxer;
pub use segments::{MAX_DEPTH, Segments, is_playlist};
