//! The payloads of datagrams as a stream of bytes, and a stream of bytes in datagrams.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket},
    time::{Duration, Instant},
};

use maliu_core::output::{Edit, Reach};

use super::{
    BLOCK, TICK, Url,
    datagrams::{Datagrams, receiver},
};
use crate::io::{Sink, Source};

/// Bytes of a datagram: seven packets of a transport stream, which fit into an Ethernet frame.
const PACKET: usize = 7 * 188;

/// Datagrams that come to an address, one behind another. They come in the order of their arrival.
pub struct Receiver {
    datagrams: Datagrams,
    rest: Vec<u8>,
    taken: usize,
    timeout: Option<Duration>,
    heard: Option<Instant>,
}

impl Receiver {
    /// Begins to receive.
    ///
    /// # Errors
    /// Those of the system: of the host's name, of the port.
    pub fn open(url: &Url) -> io::Result<Self> {
        let address = address(&url.host, url.port)?.map(|address| address.ip());
        let datagrams = Datagrams::of(vec![receiver(address, url.port)?])?;
        Ok(Self { datagrams, rest: Vec::new(), taken: 0, timeout: url.timeout, heard: None })
    }
}

/// The first address of a host; `None` for an empty name.
fn address(host: &str, port: u16) -> io::Result<Option<SocketAddr>> {
    if host.is_empty() {
        return Ok(None);
    }
    let found = (host, port).to_socket_addrs()?.next();
    found.map(Some).ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the host has no address"))
}

impl Source for Receiver {
    fn seekable(&self) -> bool {
        false
    }

    /// `WouldBlock`: nothing came for a moment. The end is a silence of the URL's timeout, behind the first datagram.
    fn read_at(&mut self, _: u64, buf: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.rest.len() {
            match self.datagrams.next(TICK)? {
                Some(datagram) => {
                    (self.rest, self.taken, self.heard) = (datagram.bytes, 0, Some(datagram.at));
                }
                None => {
                    let silent = self.heard.zip(self.timeout).is_some_and(|(at, limit)| at.elapsed() >= limit);
                    return if silent { Ok(0) } else { Err(io::ErrorKind::WouldBlock.into()) };
                }
            }
        }
        let part = (self.rest.len() - self.taken).min(buf.len());
        if part == 0 {
            // An empty datagram is not the end.
            return Err(io::ErrorKind::WouldBlock.into());
        }
        buf[..part].copy_from_slice(&self.rest[self.taken..self.taken + part]);
        self.taken += part;
        Ok(part)
    }

    fn block_size(&self) -> usize {
        BLOCK
    }
}

/// Bytes that go to an address in datagrams.
pub struct Sender {
    socket: UdpSocket,
    packet: usize,
    waiting: Vec<u8>,
}

impl Sender {
    /// Begins to send.
    ///
    /// # Errors
    /// Those of the system.
    pub fn open(url: &Url) -> io::Result<Self> {
        let to = address(&url.host, url.port)?;
        let to = to.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "udp:// names no host to send to"))?;
        let own: IpAddr = if to.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let socket = UdpSocket::bind((own, 0))?;
        if let (Some(hops), true) = (url.ttl, to.is_ipv4()) {
            socket.set_multicast_ttl_v4(hops)?;
        }
        socket.connect(to)?;
        Ok(Self { socket, packet: url.packet.unwrap_or(PACKET), waiting: Vec::new() })
    }

    fn send(&self, bytes: &[u8]) -> io::Result<()> {
        match self.socket.send(bytes) {
            // A receiver that is not there yet is not an error of UDP.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
            sent => sent.map(drop),
        }
    }
}

impl Sink for Sender {
    fn reach(&self) -> Reach {
        Reach::Append
    }

    fn apply(&mut self, edit: Edit) -> io::Result<()> {
        let Edit::Append(piece) = edit else {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "what was sent cannot be changed"));
        };
        piece.parts.iter().for_each(|part| self.waiting.extend_from_slice(part));
        let whole = self.waiting.len() / self.packet * self.packet;
        self.waiting[..whole].chunks(self.packet).try_for_each(|bytes| self.send(bytes))?;
        self.waiting.drain(..whole);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        let waiting = std::mem::take(&mut self.waiting);
        if waiting.is_empty() { Ok(()) } else { self.send(&waiting) }
    }

    fn finish(&mut self) -> io::Result<()> {
        self.flush()
    }
}
