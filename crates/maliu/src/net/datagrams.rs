//! Datagrams of several sockets, received on a thread of their own: a burst is read while the caller computes.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread,
    time::{Duration, Instant},
};

use super::TICK;

/// Most bytes that wait for the caller; more are dropped and counted.
const MAX_WAITING: usize = 64 << 20;

/// Bytes that a waiting datagram counts for besides its own.
const ITEM: usize = 128;

/// Largest datagram.
const MAX_DATAGRAM: usize = 65_536;

/// A datagram that came.
pub(super) struct Datagram {
    /// The socket, by its number.
    pub socket: usize,
    pub from: SocketAddr,
    pub bytes: Vec<u8>,
    pub at: Instant,
}

/// Sockets that are read.
pub(super) struct Datagrams {
    came: Receiver<io::Result<Datagram>>,
    shared: Arc<Shared>,
    told: u64,
}

#[derive(Default)]
struct Shared {
    closed: AtomicBool,
    waiting: AtomicUsize,
    dropped: AtomicU64,
}

impl Datagrams {
    /// Reads these sockets from here on.
    pub(super) fn of(sockets: Vec<UdpSocket>) -> io::Result<Self> {
        let (sender, came) = channel();
        let shared = Arc::new(Shared::default());
        for (number, socket) in sockets.into_iter().enumerate() {
            socket.set_read_timeout(Some(TICK))?;
            let (sender, shared) = (sender.clone(), Arc::clone(&shared));
            thread::Builder::new()
                .name("datagrams".into())
                .spawn(move || receive(number, &socket, &sender, &shared))?;
        }
        Ok(Self { came, shared, told: 0 })
    }

    /// The next one, if it comes within `wait`.
    pub(super) fn next(&mut self, wait: Duration) -> io::Result<Option<Datagram>> {
        match self.came.recv_timeout(wait) {
            Ok(Ok(datagram)) => {
                self.shared.waiting.fetch_sub(datagram.bytes.len() + ITEM, Ordering::Relaxed);
                self.tell();
                Ok(Some(datagram))
            }
            Ok(Err(error)) => Err(error),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    fn tell(&mut self) {
        let dropped = self.shared.dropped.load(Ordering::Relaxed);
        if dropped > self.told {
            tracing::warn!("dropped {} datagrams that came faster than they were read", dropped - self.told);
            self.told = dropped;
        }
    }
}

impl Drop for Datagrams {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::Relaxed);
    }
}

fn receive(number: usize, socket: &UdpSocket, sender: &Sender<io::Result<Datagram>>, shared: &Shared) {
    let mut block = vec![0; MAX_DATAGRAM];
    while !shared.closed.load(Ordering::Relaxed) {
        let came = match socket.recv_from(&mut block) {
            Ok((got, from)) => {
                let weight = got + ITEM;
                if shared.waiting.fetch_add(weight, Ordering::Relaxed) > MAX_WAITING {
                    shared.waiting.fetch_sub(weight, Ordering::Relaxed);
                    shared.dropped.fetch_add(1, Ordering::Relaxed);
                    continue;
                }
                Ok(Datagram { socket: number, from, bytes: block[..got].to_vec(), at: Instant::now() })
            }
            // A peer that a report was sent to may have gone: its refusal comes up here.
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock
                | io::ErrorKind::TimedOut
                | io::ErrorKind::Interrupted
                | io::ErrorKind::ConnectionRefused
                | io::ErrorKind::ConnectionReset => continue,
                _ => Err(error),
            },
        };
        let failed = came.is_err();
        if sender.send(came).is_err() || failed {
            return;
        }
    }
}

/// Two sockets with ports that follow each other, the first of them even (RFC 3550 §11), and that port.
pub(super) fn pair(own: IpAddr) -> io::Result<(UdpSocket, UdpSocket, u16)> {
    for _ in 0..MAX_TRIES {
        let first = UdpSocket::bind((own, 0))?;
        let port = first.local_addr()?.port();
        let other = if port.is_multiple_of(2) { port.checked_add(1) } else { port.checked_sub(1) };
        if let Some(Ok(second)) = other.map(|other| UdpSocket::bind((own, other))) {
            return Ok(if port.is_multiple_of(2) { (first, second, port) } else { (second, first, port - 1) });
        }
    }
    Err(io::Error::new(io::ErrorKind::AddrInUse, "no two ports that follow each other are free"))
}

/// Trials to find two such ports.
const MAX_TRIES: usize = 64;

/// A socket that receives what is sent to `address`: a group, an address of this machine, or any (`None`).
pub(super) fn receiver(address: Option<IpAddr>, port: u16) -> io::Result<UdpSocket> {
    let any: IpAddr = match address {
        Some(IpAddr::V6(_)) => Ipv6Addr::UNSPECIFIED.into(),
        _ => Ipv4Addr::UNSPECIFIED.into(),
    };
    match address {
        Some(group) if group.is_multicast() => {
            let socket = UdpSocket::bind((any, port))?;
            match group {
                IpAddr::V4(group) => socket.join_multicast_v4(&group, &Ipv4Addr::UNSPECIFIED)?,
                IpAddr::V6(group) => socket.join_multicast_v6(&group, 0)?,
            }
            Ok(socket)
        }
        // The address of a description may be that of the sender: then any address of this machine receives.
        Some(own) => UdpSocket::bind((own, port)).or_else(|error| match error.kind() {
            io::ErrorKind::AddrNotAvailable => UdpSocket::bind((any, port)),
            _ => Err(error),
        }),
        None => UdpSocket::bind((any, port)),
    }
}
