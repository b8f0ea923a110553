//! Sources and sinks by URL: bytes over TCP, UDP and Unix sockets, and RTP streams of a session description.
//!
//! ```text
//!   tcp://host:port[?listen]  unix:PATH[?listen]   ─▶ Source of the bytes    ◀─ Sink
//!   udp://host:port                                ─▶ payloads of datagrams  ◀─ datagrams of 1316 bytes
//!   rtsp://host/path, NAME.sdp                     ─▶ packets of its streams, in the form of formats::rtsp
//! ```
//!
//! Addresses of UDP are where datagrams come to, or go to; that of a multicast group is joined. Reads give `WouldBlock` when
//! nothing came for a moment, so that a caller can stop.

use std::{fs, io, time::Duration};

use maliu_core::{plain::plain, rtp::sdp, wire};

use crate::io::{Sink, Source};

mod datagrams;
mod described;
pub mod rtsp;
mod streams;
mod udp;
mod url;

pub use described::Described;
pub use streams::Connection;
pub use udp::{Receiver, Sender};
pub use url::{Scheme, Url};

/// A moment: long enough to cost nothing, short enough for a user who wants to stop.
const TICK: Duration = Duration::from_millis(100);

/// Most bytes that are read at a time.
const BLOCK: usize = 64 << 10;

/// Whether a text names something that this module opens: a URL of one of its schemes, or a session description.
pub fn is_one(text: &str) -> bool {
    is_description(text) || Url::is_one(text)
}

fn is_description(text: &str) -> bool {
    text.len() > 4
        && text.get(text.len() - 4..).is_some_and(|end| end.eq_ignore_ascii_case(".sdp"))
        && !text.contains("://")
}

/// Opens a source.
///
/// # Errors
/// `InvalidInput` for a URL or description that cannot be read, `Unsupported` for a scheme that this build has not, and
/// those of the system.
pub fn source(text: &str) -> io::Result<Box<dyn Source + Send>> {
    if is_description(text) {
        let description = fs::read(text)?;
        let description = sdp::parse(&String::from_utf8_lossy(&description));
        let description = description.map_err(|fault| io::Error::new(io::ErrorKind::InvalidInput, fault))?;
        return Ok(Box::new(Described::open(&description)?));
    }
    if wire::rtsp::Url::is_one(text) {
        // FFmpeg's way to choose, which no server sees.
        let (place, transport) = match text.rsplit_once(['?', '&']) {
            Some((place, "tcp")) => (place, rtsp::Transport::Tcp),
            Some((place, "udp")) => (place, rtsp::Transport::Udp),
            _ => (text, rtsp::Transport::Auto),
        };
        return Ok(Box::new(rtsp::Player::connect(&place.parse().map_err(refused)?, transport)?));
    }
    let url: Url = text.parse().map_err(refused)?;
    match url.scheme {
        Scheme::Tcp | Scheme::Unix => Ok(Box::new(Connection::open(&url)?)),
        Scheme::Udp => Ok(Box::new(Receiver::open(&url)?)),
        Scheme::Other(name) => Err(unsupported(name, "read", "rtsp, tcp, udp and unix")),
    }
}

/// Opens a sink.
///
/// # Errors
/// As [`source`].
pub fn sink(text: &str) -> io::Result<Box<dyn Sink + Send>> {
    if is_description(text) {
        return Err(io::Error::new(io::ErrorKind::Unsupported, "session descriptions are only read"));
    }
    let url: Url = text.parse().map_err(refused)?;
    match url.scheme {
        Scheme::Tcp | Scheme::Unix => Ok(Box::new(Connection::open(&url)?.waiting()?)),
        Scheme::Udp => Ok(Box::new(Sender::open(&url)?)),
        Scheme::Other(name) => Err(unsupported(name, "written", "tcp, udp and unix")),
    }
}

fn refused(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}

fn unsupported(scheme: &str, verb: &str, known: &str) -> io::Error {
    let what = format!("{}:// is not {verb} by this build; it has {known}", plain(scheme));
    io::Error::new(io::ErrorKind::Unsupported, what)
}
