//! Connections for the wire: TCP, TLS 1.3, QUIC and Unix sockets behind one address and one stream type.
//!
//! ```text
//!   tcp://host:port   tls://host:port   quic://host:port   unix:/path
//! ```

use std::{fmt, io, net::IpAddr, path::PathBuf, str::FromStr};

use ::tokio::io::{AsyncRead, AsyncWrite};

mod listener;
#[cfg(feature = "quic")]
mod quic;
#[cfg(feature = "tls")]
mod tls;
#[cfg(unix)]
mod unix;

pub use listener::{Arrived, Listener, connect, connect_with};
#[cfg(feature = "tls")]
pub(crate) use tls::public_trust;
#[cfg(feature = "tls")]
pub use tls::{Identity, Trust};

/// Keys and certificates of a listener; without the feature `tls` there are none.
#[cfg(not(feature = "tls"))]
#[derive(Debug)]
pub enum Identity {}

/// Which listener a connecting end believes; without the feature `tls` there is nothing to believe.
#[cfg(not(feature = "tls"))]
#[derive(Debug)]
pub enum Trust {}

/// A stream of bytes in both directions.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// An open connection.
pub type Stream = Box<dyn Duplex>;

/// Which end of a connection sends the first byte. QUIC must know: a stream shows at the other end with its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum First {
    /// The end that listens, as in sessions of the wire.
    Listener,
    /// The end that connects.
    Connector,
}

/// Where to listen, or to connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// `tcp://host:port`
    Tcp(String),
    /// `tls://host:port`
    Tls(String),
    /// `quic://host:port`
    Quic(String),
    /// `unix:/path`
    Unix(PathBuf),
}

impl Address {
    /// Whether the connection is private: encrypted, or within this machine.
    pub fn is_private(&self) -> bool {
        match self {
            Self::Tls(_) | Self::Quic(_) | Self::Unix(_) => true,
            Self::Tcp(place) => {
                let host = host(place);
                host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
            }
        }
    }

    /// Whether the listener shows a certificate.
    pub fn is_encrypted(&self) -> bool {
        matches!(self, Self::Tls(_) | Self::Quic(_))
    }
}

/// The host of `host:port`, without the brackets of IPv6.
fn host(place: &str) -> &str {
    let host = place.rsplit_once(':').map_or(place, |(host, _)| host);
    host.trim_start_matches('[').trim_end_matches(']')
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("unix:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return match path.is_empty() {
                true => Err(format!("{text:?} names no socket; expected unix:/PATH")),
                false => Ok(Self::Unix(path.into())),
            };
        }
        let wrong = || format!("{text:?} is none of tcp://HOST:PORT, tls://HOST:PORT, quic://HOST:PORT, unix:/PATH");
        let (scheme, place) = text.split_once("://").ok_or_else(wrong)?;
        let port = place.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
        port.ok_or_else(wrong)?;
        match scheme {
            "tcp" => Ok(Self::Tcp(place.into())),
            "tls" => Ok(Self::Tls(place.into())),
            "quic" => Ok(Self::Quic(place.into())),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(place) => write!(f, "tcp://{place}"),
            Self::Tls(place) => write!(f, "tls://{place}"),
            Self::Quic(place) => write!(f, "quic://{place}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// The error of a transport that this build does not have, or of keys that are missing.
fn unsupported(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_shown_alike() {
        for text in ["tcp://127.0.0.1:9", "tls://[::1]:9", "quic://example.org:9", "unix:/run/maliu"] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
        assert_eq!("unix:///run/maliu".parse::<Address>().unwrap(), Address::Unix("/run/maliu".into()));
        for text in ["tcp://host", "ftp://host:9", "host:9", "tcp://host:99999", "unix:", "unix://"] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }

    #[test]
    fn only_encrypted_and_local_ways_are_private() {
        let private = |text: &str| text.parse::<Address>().unwrap().is_private();
        assert!(private("tcp://127.0.0.1:9") && private("tcp://[::1]:9") && private("tls://a:9") && private("unix:/a"));
        assert!(!private("tcp://192.0.2.1:9") && !private("tcp://0.0.0.0:9"));
    }
}
