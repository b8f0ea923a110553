//! The connection below RTMP: TCP, or TLS over it.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpStream, ToSocketAddrs},
    time::Duration,
};

use maliu_core::wire::rtmp::{Fault, Url};

/// How long to wait for bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    /// Not at all.
    No,
    /// A moment: long enough to cost nothing, short enough for a user who wants to stop.
    Tick,
}

/// A moment.
const TICK: Duration = Duration::from_millis(100);

/// How long a server may take no bytes.
const WRITE_LIMIT: Duration = Duration::from_secs(30);

/// A connection.
pub(super) struct Transport {
    socket: TcpStream,
    #[cfg(feature = "tls")]
    tls: Option<Box<rustls::ClientConnection>>,
}

impl Transport {
    /// Connects to the host of a URL; each of its addresses may take `limit`.
    pub(super) fn connect(url: &Url, limit: Duration) -> io::Result<Self> {
        let mut end = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
        for address in (url.host.as_str(), url.port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, limit) {
                Ok(socket) => return Self::over(socket, url),
                Err(error) => end = error,
            }
        }
        Err(end)
    }

    #[cfg_attr(not(feature = "tls"), allow(unused_mut))]
    fn over(mut socket: TcpStream, url: &Url) -> io::Result<Self> {
        socket.set_nodelay(true)?;
        socket.set_write_timeout(Some(WRITE_LIMIT))?;
        #[cfg(feature = "tls")]
        let tls = match url.secure {
            true => {
                let mut tls = Box::new(
                    rustls::ClientConnection::new(
                        super::super::tokio::net::public_trust()?,
                        rustls::pki_types::ServerName::try_from(url.host.clone()).map_err(io::Error::other)?,
                    )
                    .map_err(io::Error::other)?,
                );
                socket.set_read_timeout(Some(WRITE_LIMIT))?;
                while tls.is_handshaking() {
                    tls.complete_io(&mut socket).map_err(|error| shown(&error))?;
                }
                Some(tls)
            }
            false => None,
        };
        #[cfg(not(feature = "tls"))]
        if url.secure {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "rtmps:// needs a build with the feature tls"));
        }
        socket.set_read_timeout(Some(TICK))?;
        Ok(Self {
            socket,
            #[cfg(feature = "tls")]
            tls,
        })
    }

    /// Reads into `buf`; 0 is the end.
    ///
    /// # Errors
    /// `WouldBlock` when nothing came in time.
    pub(super) fn read(&mut self, wait: Wait, buf: &mut [u8]) -> io::Result<usize> {
        if wait == Wait::Tick {
            return self.read_some(buf);
        }
        self.socket.set_nonblocking(true)?;
        let read = self.read_some(buf);
        self.socket.set_nonblocking(false)?;
        read
    }

    fn read_some(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            #[cfg(feature = "tls")]
            let read = match &mut self.tls {
                Some(tls) => read_tls(tls, &mut self.socket, buf),
                None => self.socket.read(buf),
            };
            #[cfg(not(feature = "tls"))]
            let read = self.socket.read(buf);
            return match read {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                // A read that has timed out is one or the other, by platform.
                Err(error) if error.kind() == io::ErrorKind::TimedOut => Err(io::ErrorKind::WouldBlock.into()),
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok(0),
                read => read,
            };
        }
    }

    /// Writes all of `bytes`.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        #[cfg(feature = "tls")]
        if let Some(tls) = &mut self.tls {
            let mut left = bytes;
            while !left.is_empty() {
                let took = tls.writer().write(left)?;
                left = &left[took..];
                while tls.wants_write() {
                    tls.write_tls(&mut self.socket).map_err(gone)?;
                }
            }
            return Ok(());
        }
        self.socket.write_all(bytes).map_err(gone)
    }

    /// Writes what the layer below has to say.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        #[cfg(feature = "tls")]
        if let Some(tls) = &mut self.tls {
            while tls.wants_write() {
                tls.write_tls(&mut self.socket).map_err(gone)?;
            }
        }
        Ok(())
    }

    /// Says that nothing follows.
    pub(super) fn shut(&mut self) -> io::Result<()> {
        #[cfg(feature = "tls")]
        if let Some(tls) = &mut self.tls {
            tls.send_close_notify();
        }
        self.flush()?;
        match self.socket.shutdown(Shutdown::Write) {
            // The server was faster.
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
            shut => shut,
        }
    }
}

#[cfg(feature = "tls")]
fn read_tls(tls: &mut rustls::ClientConnection, socket: &mut TcpStream, buf: &mut [u8]) -> io::Result<usize> {
    loop {
        match tls.reader().read(buf) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            // An end without farewell is judged by the layer above.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(0),
            read => return read,
        }
        if tls.read_tls(socket)? == 0 {
            return Ok(0);
        }
        tls.process_new_packets().map_err(io::Error::other)?;
    }
}

/// The error of TLS alone: the layer between wraps it in one that says less.
#[cfg(feature = "tls")]
fn shown(error: &io::Error) -> io::Error {
    let kind = error.kind();
    match error.get_ref() {
        Some(inner) => io::Error::new(kind, inner.to_string()),
        None => io::Error::new(kind, error.to_string()),
    }
}

/// A pipe whose reader has gone is the end of a command, but a server that has gone is a failure.
fn gone(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => {
            io::Error::other(Fault::Cut)
        }
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
            io::Error::new(io::ErrorKind::TimedOut, format!("the server took no bytes for {} s", WRITE_LIMIT.as_secs()))
        }
        _ => error,
    }
}
