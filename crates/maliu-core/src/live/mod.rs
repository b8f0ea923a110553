//! Live streams while they run: one publisher, many viewers, and what each of them is to get next.
//!
//! ```text
//!   publisher ─ Tag ─▶ Stream::push ─ Timeline ─▶ Item ─▶ Ring ─▶ Cursor::next ─▶ viewer: Arc<Item>
//!                                                  │       └ the group that runs and the one before
//!                                                  └ Kind: configuration, keyframe, inter frame, audio, data
//! ```
//!
//! A viewer is a [`Cursor`] into the [`Ring`]: it has no queue of its own that could grow. A slow one leaves out video up to
//! the next keyframe and keeps audio; a slower one jumps ahead. Nothing here reads a clock or a socket.
//!
//! ```
//! use std::time::Duration;
//! use maliu_core::{formats::flv::tag::Kind, live::{Join, Limits, Next, Policy, Stream, Cursor, Takeover}, wire::rtmp::Tag};
//!
//! let mut stream: Stream = Stream::new(Limits::default());
//! let publisher = stream.claim(Takeover::Stale, Duration::ZERO).unwrap();
//! let tag = Tag { kind: Kind::Video, time: 40, body: b"\x17\x01\0\0\0keyframe".as_slice().into() };
//! stream.push(publisher, tag, Duration::ZERO).unwrap();
//! let mut viewer = Cursor::new(Join::Group, Policy::default());
//! let Next::Item(item) = viewer.next(stream.ring()) else { panic!() };
//! assert_eq!(item.tag.time, 40);
//! assert!(matches!(viewer.next(stream.ring()), Next::Wait));
//! ```

mod cursor;
mod item;
mod ring;
mod stream;
mod timeline;
#[cfg(test)]
mod tests;

pub use cursor::{Cursor, Join, Next, Policy};
pub use item::{Item, Kind};
pub use ring::{Limits, MAX_CONFIG_BYTES, MAX_CONFIGS, Ring};
pub use stream::{Busy, Epoch, STALE, Stream, Superseded, Takeover};
