//! Sans-IO media engine: bytes in → packets, packets in → bytes out.
//!
//! ```text
//!  push / fill ─▶ Input ─▶ PacketReader ─▶ Poll<Event::{Stream, Packet, End}>
//!  apply      ◀─ Output ◀─ PacketWriter ◀─ Packet
//! ```
//!
//! Nothing here reads a file, a socket or a clock; nothing panics on input; every parser takes its bytes in slices of
//! any size and gives the same answer for every way of slicing.
//!
//! ```
//! use maliu_core::{format::Event, formats, input::Input, reader::PacketReader};
//!
//! let mut input = Input::new();
//! let mut reader = PacketReader::detect(formats::ALL);
//! input.push(b"not media");
//! input.end();
//! assert!(reader.poll(&mut input).is_err());
//! ```
#![cfg_attr(docsrs, feature(doc_cfg))]
#![no_std]
#![warn(missing_docs)]
#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unreachable)]
#![cfg_attr(test, allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic))]

extern crate alloc;

// The order of this list is the dependency rule: a module uses only those above it (tests/architecture.rs).
pub mod error;
pub mod time;
pub mod remark;
pub mod bits;
pub mod digest;
pub mod plain;
pub mod packet;
pub mod stream;
pub mod account;
pub mod input;
pub mod output;
#[cfg(feature = "unstable")]
pub mod syntax;
#[cfg(not(feature = "unstable"))]
#[allow(dead_code, unreachable_pub, unused_imports, reason = "public with the feature `unstable`")]
mod syntax;
pub mod codec;
pub mod timing;
pub mod settings;
pub mod format;
pub mod rtp;
pub mod formats;
pub mod reader;
pub mod writer;
pub mod layout;
pub mod wire;
pub mod live;
pub mod hls;
