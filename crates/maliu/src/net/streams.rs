//! A connection over TCP or a Unix socket that carries nothing but bytes.

use std::{
    io::{self, Read, Write},
    net::{TcpListener, TcpStream, ToSocketAddrs},
    thread,
    time::{Duration, Instant},
};

use maliu_core::output::{Edit, Reach};

use super::{BLOCK, Scheme, TICK, Url};
use crate::io::{Sink, Source};

/// How long connecting to an address of a host may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// How long a peer may take no bytes.
const WRITE_LIMIT: Duration = Duration::from_secs(30);

/// A connection, which may still wait for its peer.
pub struct Connection {
    place: Place,
    timeout: Option<Duration>,
    /// When a byte came last.
    heard: Instant,
}

enum Place {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(std::os::unix::net::UnixStream),
    Waiting(TcpListener),
    #[cfg(unix)]
    WaitingUnix {
        listener: std::os::unix::net::UnixListener,
        /// Removed with the listener.
        _file: crate::socket_file::Place,
    },
}

impl Connection {
    /// Connects, or begins to wait for a peer.
    ///
    /// # Errors
    /// Those of the system; `Unsupported` for Unix sockets elsewhere.
    pub fn open(url: &Url) -> io::Result<Self> {
        let place = match url.scheme {
            Scheme::Unix => unix(&url.host, url.listen)?,
            _ if url.listen => {
                let host = if url.host.is_empty() { "0.0.0.0" } else { &url.host };
                let listener = TcpListener::bind((host, url.port))?;
                listener.set_nonblocking(true)?;
                tracing::info!("waiting for a connection on {}", listener.local_addr()?);
                Place::Waiting(listener)
            }
            _ => Place::Tcp(connect(&url.host, url.port)?),
        };
        Ok(Self { place, timeout: url.timeout, heard: Instant::now() })
    }

    /// The same, once its peer is there.
    ///
    /// # Errors
    /// Those of the system; `TimedOut` when none came in the time of the URL.
    pub fn waiting(mut self) -> io::Result<Self> {
        while !self.accept()? {
            self.silence()?;
        }
        Ok(self)
    }

    /// Whether the peer is there; waits a moment for it.
    fn accept(&mut self) -> io::Result<bool> {
        let accepted = match &self.place {
            Place::Waiting(listener) => listener.accept().and_then(|(socket, peer)| {
                tracing::info!("{peer} has connected");
                tcp(socket)
            }),
            #[cfg(unix)]
            Place::WaitingUnix { listener, .. } => listener.accept().and_then(|(socket, _)| of_unix(socket)),
            Place::Tcp(_) => return Ok(true),
            #[cfg(unix)]
            Place::Unix(_) => return Ok(true),
        };
        match accepted {
            Ok(place) => {
                (self.place, self.heard) = (place, Instant::now());
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                thread::sleep(TICK / 4);
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Nothing came for a moment: whether that has gone on for too long.
    fn silence(&self) -> io::Result<()> {
        match self.timeout {
            Some(limit) if self.heard.elapsed() >= limit => {
                Err(io::Error::new(io::ErrorKind::TimedOut, format!("nothing came for {} s", limit.as_secs_f64())))
            }
            _ => Ok(()),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let wrote = match &mut self.place {
            Place::Tcp(socket) => socket.write_all(bytes),
            #[cfg(unix)]
            Place::Unix(socket) => socket.write_all(bytes),
            _ => Err(io::ErrorKind::NotConnected.into()),
        };
        wrote.map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                let what = format!("the peer took no bytes for {} s", WRITE_LIMIT.as_secs());
                io::Error::new(io::ErrorKind::TimedOut, what)
            }
            // A pipe whose reader has gone ends a command in good order; a peer that has gone is a failure.
            io::ErrorKind::BrokenPipe => {
                io::Error::new(io::ErrorKind::ConnectionReset, "the peer closed the connection")
            }
            _ => error,
        })
    }
}

/// Connects to the first address of a host that answers.
pub(super) fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    let mut end = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, CONNECT_LIMIT) {
            Ok(socket) => {
                socket.set_nodelay(true)?;
                socket.set_read_timeout(Some(TICK))?;
                socket.set_write_timeout(Some(WRITE_LIMIT))?;
                return Ok(socket);
            }
            Err(error) => end = error,
        }
    }
    Err(end)
}

fn tcp(socket: TcpStream) -> io::Result<Place> {
    socket.set_nonblocking(false)?;
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(TICK))?;
    socket.set_write_timeout(Some(WRITE_LIMIT))?;
    Ok(Place::Tcp(socket))
}

#[cfg(unix)]
fn unix(path: &str, listen: bool) -> io::Result<Place> {
    use std::os::unix::net::{UnixListener, UnixStream};
    if !listen {
        return of_unix(UnixStream::connect(path)?);
    }
    let listener = UnixListener::bind(path)?;
    listener.set_nonblocking(true)?;
    Ok(Place::WaitingUnix { listener, _file: crate::socket_file::Place::of(path.as_ref()) })
}

#[cfg(unix)]
fn of_unix(socket: std::os::unix::net::UnixStream) -> io::Result<Place> {
    socket.set_nonblocking(false)?;
    socket.set_read_timeout(Some(TICK))?;
    socket.set_write_timeout(Some(WRITE_LIMIT))?;
    Ok(Place::Unix(socket))
}

#[cfg(not(unix))]
fn unix(_: &str, _: bool) -> io::Result<Place> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "Unix sockets are not available on this system"))
}

impl Source for Connection {
    fn seekable(&self) -> bool {
        false
    }

    /// `WouldBlock`: nothing came for a moment.
    fn read_at(&mut self, _: u64, buf: &mut [u8]) -> io::Result<usize> {
        if !self.accept()? {
            self.silence()?;
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let read = match &mut self.place {
            Place::Tcp(socket) => socket.read(buf),
            #[cfg(unix)]
            Place::Unix(socket) => socket.read(buf),
            _ => return Err(io::ErrorKind::WouldBlock.into()),
        };
        match read {
            Ok(got) => {
                self.heard = Instant::now();
                Ok(got)
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                self.silence()?;
                Err(io::ErrorKind::WouldBlock.into())
            }
            Err(error) => Err(error),
        }
    }

    fn block_size(&self) -> usize {
        BLOCK
    }
}

impl Sink for Connection {
    fn reach(&self) -> Reach {
        Reach::Append
    }

    fn apply(&mut self, edit: Edit) -> io::Result<()> {
        let Edit::Append(piece) = edit else {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "what was sent cannot be changed"));
        };
        piece.parts.iter().try_for_each(|part| self.write(part))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        match &self.place {
            Place::Tcp(socket) => socket.shutdown(std::net::Shutdown::Write),
            #[cfg(unix)]
            Place::Unix(socket) => socket.shutdown(std::net::Shutdown::Write),
            _ => Ok(()),
        }
    }
}
