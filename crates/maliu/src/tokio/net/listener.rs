//! Listening and connecting. A handshake is done after a connection is accepted, so that a slow one delays no other.

use std::{io, time::Duration};

use ::tokio::{
    net::{TcpListener, TcpSocket, TcpStream, lookup_host},
    time::timeout,
};

use super::{Address, First, Identity, Stream, Trust, unsupported};

/// How long a handshake, or connecting, may take.
const LIMIT: Duration = Duration::from_secs(5);

/// Waits for connections.
pub enum Listener {
    /// TCP.
    Tcp(TcpListener),
    /// TLS over TCP.
    #[cfg(feature = "tls")]
    Tls(TcpListener, tokio_rustls::TlsAcceptor),
    /// QUIC.
    #[cfg(feature = "quic")]
    Quic(quinn::Endpoint),
    /// A Unix socket; its file is removed with it.
    #[cfg(unix)]
    Unix(::tokio::net::UnixListener, super::unix::Place),
}

/// A connection whose handshake is still to be done.
pub struct Arrived(Kind);

enum Kind {
    Open(Stream),
    #[cfg(feature = "tls")]
    Tls(TcpStream, tokio_rustls::TlsAcceptor),
    #[cfg(feature = "quic")]
    Quic(Box<quinn::Incoming>),
}

/// Connections that the system keeps until they are accepted: a thousand may come back at once after a break, and the
/// 128 of the standard library would leave most of them waiting for a repetition.
const BACKLOG: u32 = 1024;

/// Listens at the first address of `place` that can be had.
async fn listen(place: &str) -> io::Result<TcpListener> {
    let mut failed = None;
    for address in lookup_host(place).await? {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
        let listening = socket.and_then(|socket| {
            // A port whose last connections are still winding down can be had again.
            #[cfg(unix)]
            socket.set_reuseaddr(true)?;
            socket.bind(address)?;
            socket.listen(BACKLOG)
        });
        match listening {
            Ok(listener) => return Ok(listener),
            Err(error) => failed = Some(error),
        }
    }
    Err(failed.unwrap_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, format!("{place} is no address"))))
}

impl Listener {
    /// Listens at an address; TLS and QUIC need an identity.
    ///
    /// # Errors
    /// Those of the system; `Unsupported` for what this build does not have; `AddrInUse` for a path at which there is
    /// anything but a socket that has no listener.
    pub async fn bind(address: &Address, identity: Option<&Identity>) -> io::Result<Self> {
        match address {
            Address::Tcp(place) => Ok(Self::Tcp(listen(place).await?)),
            #[cfg(feature = "tls")]
            Address::Tls(place) => {
                let acceptor = identity.ok_or_else(|| unsupported("TLS needs a certificate"))?.acceptor()?;
                Ok(Self::Tls(listen(place).await?, acceptor))
            }
            #[cfg(feature = "quic")]
            Address::Quic(place) => {
                let identity = identity.ok_or_else(|| unsupported("QUIC needs a certificate"))?;
                Ok(Self::Quic(super::quic::listen(place, identity).await?))
            }
            #[cfg(unix)]
            Address::Unix(path) => {
                let (listener, place) = super::unix::bind(path).await?;
                Ok(Self::Unix(listener, place))
            }
            #[allow(unreachable_patterns)]
            _ => {
                let _ = identity;
                Err(unsupported("this build cannot listen at such an address"))
            }
        }
    }

    /// The next connection.
    ///
    /// # Errors
    /// Those of the system.
    pub async fn accept(&self) -> io::Result<Arrived> {
        Ok(Arrived(match self {
            Self::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Kind::Open(Box::new(stream))
            }
            #[cfg(feature = "tls")]
            Self::Tls(listener, acceptor) => {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Kind::Tls(stream, acceptor.clone())
            }
            #[cfg(feature = "quic")]
            Self::Quic(endpoint) => Kind::Quic(Box::new(endpoint.accept().await.ok_or(io::ErrorKind::NotConnected)?)),
            #[cfg(unix)]
            Self::Unix(listener, _) => Kind::Open(Box::new(listener.accept().await?.0)),
        }))
    }

    /// The file of a Unix socket; it is for a program that is ended without dropping this to remove.
    pub fn file(&self) -> Option<&std::path::Path> {
        match self {
            #[cfg(unix)]
            Self::Unix(_, place) => Some(place.path()),
            #[allow(unreachable_patterns)]
            _ => None,
        }
    }

    /// Where it listens, with the port that the system chose for port 0.
    pub fn address(&self) -> String {
        let of = |scheme: &str, place: io::Result<std::net::SocketAddr>| match place {
            Ok(place) => format!("{scheme}://{place}"),
            Err(error) => error.to_string(),
        };
        match self {
            Self::Tcp(listener) => of("tcp", listener.local_addr()),
            #[cfg(feature = "tls")]
            Self::Tls(listener, _) => of("tls", listener.local_addr()),
            #[cfg(feature = "quic")]
            Self::Quic(endpoint) => of("quic", endpoint.local_addr()),
            #[cfg(unix)]
            Self::Unix(_, place) => format!("unix:{}", place.path().display()),
        }
    }
}

impl Arrived {
    /// Does the handshake of a connection in which the listener speaks first.
    ///
    /// # Errors
    /// `TimedOut` when the peer takes too long, or those of the handshake.
    pub async fn stream(self) -> io::Result<Stream> {
        self.stream_with(First::Listener).await
    }

    /// As [`Arrived::stream`], for the end that speaks first.
    ///
    /// # Errors
    /// As [`Arrived::stream`].
    pub async fn stream_with(self, first: First) -> io::Result<Stream> {
        let _ = first; // Only QUIC asks.
        let stream = async {
            match self.0 {
                Kind::Open(stream) => Ok(stream),
                #[cfg(feature = "tls")]
                Kind::Tls(stream, acceptor) => Ok(Box::new(acceptor.accept(stream).await?) as Stream),
                #[cfg(feature = "quic")]
                Kind::Quic(incoming) => super::quic::accept(*incoming, first).await,
            }
        };
        timeout(LIMIT, stream).await.unwrap_or(Err(io::ErrorKind::TimedOut.into()))
    }
}

/// Connects to an address whose listener speaks first; TLS and QUIC need to know whom to believe.
///
/// # Errors
/// Those of the system and of the handshake; `TimedOut` when it takes too long.
pub async fn connect(address: &Address, trust: Option<&Trust>) -> io::Result<Stream> {
    connect_with(address, trust, First::Listener).await
}

/// As [`connect`], for the end that speaks first.
///
/// # Errors
/// As [`connect`].
pub async fn connect_with(address: &Address, trust: Option<&Trust>, first: First) -> io::Result<Stream> {
    let stream = async {
        match address {
            Address::Tcp(place) => Ok(Box::new(tcp(place).await?) as Stream),
            #[cfg(feature = "tls")]
            Address::Tls(place) => {
                let trust = trust.ok_or_else(|| unsupported("TLS needs a fingerprint or a certificate to believe"))?;
                let stream = trust.connector()?.connect(super::tls::name(place)?, tcp(place).await?).await?;
                Ok(Box::new(stream) as Stream)
            }
            #[cfg(feature = "quic")]
            Address::Quic(place) => {
                let trust = trust.ok_or_else(|| unsupported("QUIC needs a fingerprint or a certificate to believe"))?;
                super::quic::connect(place, trust, first).await
            }
            #[cfg(unix)]
            Address::Unix(path) => Ok(Box::new(::tokio::net::UnixStream::connect(path).await?) as Stream),
            #[allow(unreachable_patterns)]
            _ => {
                let _ = (trust, first);
                Err(unsupported("this build cannot connect to such an address"))
            }
        }
    };
    timeout(LIMIT, stream).await.unwrap_or(Err(io::ErrorKind::TimedOut.into()))
}

async fn tcp(place: &str) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(place).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}
