//! HTTP Live Streaming: playlists read and written, packets cut into segments and parts (RFC 8216bis).
//!
//! ```text
//!   Packet ─▶ Packager: Cutter says where, a muxer makes bytes ─▶ Made::{Init, Part, Segment} ─▶ Shelf: files, or a Window
//!   Window ─▶ playlist text, made once per part ─▶ Ask::{Ready, Wait, TooFar}
//!   text ─▶ Parser ─▶ Playlist::{Media, Multivariant}
//! ```
//!
//! Handled: segments of fragmented MP4 and of MPEG-TS, parts and blocking reload, delta updates, byte ranges,
//! EXT-X-MAP, EXT-X-KEY, EXT-X-GAP, discontinuities, dates, variants and renditions. Tags that are not known are passed
//! over, as RFC 8216bis §6.3.1 wants; variables (EXT-X-DEFINE) are refused. Nothing here reads a clock, a file or a socket.
//!
//! ```
//! use maliu_core::hls::{Parser, Playlist};
//!
//! let mut parser = Parser::default();
//! parser.push(b"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:1.5,\na.ts\n#EXT-X-ENDLIST\n")?;
//! let Playlist::Media(media) = parser.finish()? else { panic!("it lists segments") };
//! assert_eq!((media.segments[0].uri.as_str(), media.segments[0].duration.as_millis()), ("a.ts", 1500));
//! # Ok::<(), maliu_core::error::Error>(())
//! ```

mod attributes;
#[cfg(feature = "crypt")]
mod cipher;
mod codecs;
mod cut;
mod date;
mod follow;
mod history;
mod multivariant;
mod packager;
mod parser;
mod past;
mod playlist;
mod settings;
mod window;

#[cfg(feature = "crypt")]
pub use cipher::Encryptor;
pub use codecs::codec_string;
pub use cut::{Cut, Cutter};
pub use date::Date;
pub use follow::Place;
pub use multivariant::{Multivariant, Rendition, Variant};
pub use packager::{Container, Made, Options, Packager, Piece, Shelf};
pub use parser::{MAX_LINE, MAX_SEGMENTS, MAX_TEXT, Parser, Playlist};
pub use playlist::{Control, Key, Kind, Map, Media, Part, Range, Segment};
pub use settings::SETTINGS;
pub use window::{Ask, File, Limits, Reload, Window};

#[cfg(test)]
mod tests;
