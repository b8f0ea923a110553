//! Media I/O that cannot be crashed by its input: bytes from anywhere → packets, packets → bytes to anywhere.
//!
//! ```text
//!  file ─┐                                                                ┌▶ file
//!  tcp  ─┼▶ Source ─▶ blocking::Reader ─▶ Packet ─▶ PacketWriter ─▶ Sink ─┼▶ tcp
//!  fn() ─┘                                                                └▶ fn()
//! ```
//!
//! To feed bytes yourself, use [`input::Input`] and [`reader::PacketReader`], which read nothing on their own.
//!
//! ```
//! use maliu::blocking::Reader;
//! # fn main() -> maliu::Result<()> {
//! for packet in Reader::open("samples/adts/stereo_44100.aac")? {
//!     let packet = packet?;
//!     println!("{:?} {} bytes", packet.pts, packet.data.len());
//! }
//! # Ok(()) }
//! ```
#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(missing_docs)]

pub mod error;
#[cfg(unix)]
mod socket_file;
mod threads;
pub mod io;
mod log;
mod drive;
pub mod blocking;
pub mod streams;
pub mod copy;
mod mp4;
pub mod check;
pub mod repair;
pub mod pcm;
pub mod hls;
pub mod rtmp;
pub mod net;
#[cfg(feature = "avio")]
pub mod avio;
#[cfg(feature = "layout")]
pub mod layout;
#[cfg(feature = "tokio")]
pub mod tokio;

#[doc(no_inline)]
pub use error::{Error, MediaError, Result};
#[cfg(not(feature = "layout"))]
pub use maliu_core::layout;
#[cfg(feature = "unstable")]
pub use maliu_core::syntax;
pub use maliu_core::{
    account, bits, codec, digest, format, formats, input, live, output, packet, plain, reader, remark, rtp, settings,
    stream, time, timing, wire, writer,
};
#[doc(no_inline)]
pub use maliu_core::{
    format::{Event, Format},
    packet::Packet,
    stream::{Codec, StreamInfo},
    time::{Ticks, TimeBase},
};

/// The examples of the README, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
