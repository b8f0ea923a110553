//! A stream of an RTSP server as a stream of bytes in the form of `formats::rtsp`: over UDP, or over the connection.
//!
//! ```text
//!   server ─ lines ─▶ wire::rtsp::Client ─ description, RTP-Info ─┐
//!     └ packets: between the lines, or UDP ──────────────────────┴▶ "RTSP/1.0 200 OK" … "$" channel length │ packet
//! ```

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream, UdpSocket},
    task::Poll,
    time::{Duration, Instant},
};

use maliu_core::{
    rtp::{Header, Statistics, rtcp, rtcp::Message, sdp::Description},
    wire::rtsp::{Carrier, Client, Event, Fault, Url},
};

use super::{
    BLOCK, TICK,
    datagrams::{Datagrams, pair},
    described::{framed, written},
    streams::connect,
};
use crate::io::Source;

/// Time between receiver reports.
const REPORT_EVERY: Duration = Duration::from_secs(5);

/// How long the first datagram may take before the session is begun anew over TCP.
const UDP_PATIENCE: Duration = Duration::from_secs(4);

/// Silence that ends a session with an error.
const SILENCE: Duration = Duration::from_secs(30);

/// How packets come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Transport {
    /// By UDP, and over the connection where the server refuses that or nothing comes.
    #[default]
    Auto,
    /// By UDP only.
    Udp,
    /// Over the connection only.
    Tcp,
}

/// A stream that is played. It ends where the server says so (BYE of all streams, TEARDOWN, the end of the connection).
pub struct Player {
    url: Url,
    transport: Transport,
    link: Link,
    ready: Vec<u8>,
    taken: usize,
    /// A packet has come.
    begun: bool,
    ended: bool,
}

/// One session and its sockets.
struct Link {
    socket: TcpStream,
    client: Client,
    begun: Instant,
    heard: Instant,
    reported: Instant,
    udp: bool,
    datagrams: Option<Datagrams>,
    /// By UDP socket: the stream, and whether it is for RTCP.
    roles: Vec<(usize, bool)>,
    streams: Vec<Stream>,
    block: Vec<u8>,
}

#[derive(Default)]
struct Stream {
    statistics: Statistics,
    /// Sockets of RTP and RTCP, and the server's ports of them.
    sockets: Option<(UdpSocket, UdpSocket)>,
    ports: Option<(u16, u16)>,
    begun: bool,
    ended: bool,
}

impl Player {
    /// Connects, and asks for all streams.
    ///
    /// # Errors
    /// Those of the connection; a [`Fault`] when the server refuses.
    pub fn connect(url: &Url, transport: Transport) -> io::Result<Self> {
        let link = Link::connect(url, transport != Transport::Tcp)?;
        let mut player =
            Self { url: url.clone(), transport, link, ready: Vec::new(), taken: 0, begun: false, ended: false };
        while !player.link.client.is_playing() && !player.ended {
            match player.step() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                step => step?,
            }
        }
        Ok(player)
    }

    /// Waits a moment for what comes next.
    fn step(&mut self) -> io::Result<()> {
        let step = match self.link.step(&mut self.ready, &mut self.ended) {
            Err(error) if self.may_change() && is_about_transport(&error) => return self.over_tcp(&error.to_string()),
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
            step => step,
        };
        self.begun |= self.link.streams.iter().any(|stream| stream.begun);
        if self.link.client.is_playing() && !self.begun && self.link.udp && self.link.heard.elapsed() > UDP_PATIENCE {
            match self.may_change() {
                true => return self.over_tcp("nothing came by UDP"),
                false => return Err(io::Error::new(io::ErrorKind::TimedOut, "nothing came by UDP")),
            }
        }
        if self.ended && !self.begun {
            if self.may_change() {
                self.ended = false;
                return self.over_tcp("the server ended before a packet came by UDP");
            }
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server ended before a packet came"));
        }
        if self.link.client.is_playing() && self.link.heard.elapsed() > SILENCE {
            let what = format!("the server has sent nothing for {} s", SILENCE.as_secs());
            return Err(io::Error::new(io::ErrorKind::TimedOut, what));
        }
        step
    }

    fn may_change(&self) -> bool {
        self.transport == Transport::Auto && self.link.udp && !self.begun
    }

    /// Begins the session anew over the connection.
    fn over_tcp(&mut self, why: &str) -> io::Result<()> {
        tracing::info!("{why}: packets are asked for over TCP");
        self.link.client.finish();
        let _ = self.link.write();
        self.link = Link::connect(&self.url, false)?;
        let mut front = Vec::new();
        while !self.link.client.is_playing() && !self.ended {
            match self.link.step(&mut front, &mut self.ended) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                step => step?,
            }
        }
        // A second description is passed over by the reader, RTP-Info is not.
        self.ready.append(&mut front);
        Ok(())
    }
}

fn is_about_transport(error: &io::Error) -> bool {
    error.get_ref().and_then(|error| error.downcast_ref()).is_some_and(|fault| matches!(fault, Fault::Transport(_)))
}

impl Link {
    fn connect(url: &Url, udp: bool) -> io::Result<Self> {
        let socket = connect(&url.host, url.port)?;
        let now = Instant::now();
        let mut link = Self {
            socket,
            client: Client::new(url.clone(), Duration::ZERO),
            begun: now,
            heard: now,
            reported: now,
            udp,
            datagrams: None,
            roles: Vec::new(),
            streams: Vec::new(),
            block: vec![0; BLOCK],
        };
        link.write()?;
        Ok(link)
    }

    fn write(&mut self) -> io::Result<()> {
        while let Some(bytes) = self.client.next_write() {
            self.socket.write_all(&bytes)?;
        }
        Ok(())
    }

    /// Waits a moment, and appends what has come to `ready`.
    fn step(&mut self, ready: &mut Vec<u8>, ended: &mut bool) -> io::Result<()> {
        let before = ready.len();
        self.client.timeout(self.begun.elapsed()).map_err(fault)?;
        self.report();
        self.events(ready, ended)?;
        let by_udp = self.datagrams.is_some() && self.client.is_playing();
        if by_udp {
            self.datagrams(ready)?;
        }
        self.socket.set_read_timeout(Some(if by_udp { Duration::from_millis(1) } else { TICK }))?;
        match self.socket.read(&mut self.block) {
            Ok(0) => *ended = true,
            Ok(got) => self.client.push(&self.block[..got], self.begun.elapsed()),
            Err(error) if is_not_yet(&error) => {}
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => *ended = true,
            Err(error) => return Err(error),
        }
        self.events(ready, ended)?;
        if *ended && !self.client.is_playing() {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed the connection"));
        }
        let mut begun = self.streams.iter().filter(|stream| stream.begun).peekable();
        *ended |= begun.peek().is_some() && begun.all(|stream| stream.ended);
        if ready.len() > before || *ended { Ok(()) } else { Err(io::ErrorKind::WouldBlock.into()) }
    }

    fn events(&mut self, ready: &mut Vec<u8>, ended: &mut bool) -> io::Result<()> {
        loop {
            let polled = self.client.poll();
            self.write()?;
            match polled.map_err(fault)? {
                Poll::Pending => return Ok(()),
                Poll::Ready(Event::Described(description)) => self.described(&description, ready)?,
                Poll::Ready(Event::SetUp { stream, ports }) => {
                    if let Some(stream) = self.streams.get_mut(stream) {
                        stream.ports = ports;
                    }
                }
                Poll::Ready(Event::Playing(begins)) => self.playing(&begins, ready)?,
                Poll::Ready(Event::Packet { stream, control, data }) => self.take(stream, control, &data, ready),
                Poll::Ready(Event::End) => *ended = true,
                Poll::Ready(_) => {}
            }
        }
    }

    /// Chooses all streams, and opens their ports.
    fn described(&mut self, description: &Description, ready: &mut Vec<u8>) -> io::Result<()> {
        let text = written(description);
        let head =
            format!("RTSP/1.0 200 OK\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n", text.len());
        ready.extend_from_slice(head.as_bytes());
        ready.extend_from_slice(text.as_bytes());
        let (mut wanted, mut sockets) = (Vec::new(), Vec::new());
        for (number, media) in description.media.iter().enumerate() {
            let mut stream = Stream { statistics: Statistics::new(media.clock), ..Stream::default() };
            let carrier = match self.udp {
                true => {
                    let (rtp, rtcp, port) = pair(self.socket.local_addr()?.ip())?;
                    sockets.extend([rtp.try_clone()?, rtcp.try_clone()?]);
                    self.roles.extend([(number, false), (number, true)]);
                    stream.sockets = Some((rtp, rtcp));
                    Carrier::Udp(port)
                }
                false => Carrier::Interleaved,
            };
            wanted.push((number, carrier));
            self.streams.push(stream);
        }
        if self.udp {
            self.datagrams = Some(Datagrams::of(sockets)?);
        }
        self.client.set_up(&wanted);
        self.write()
    }

    /// Packets follow. Those of UDP pass a firewall once something was sent to where they come from.
    fn playing(&mut self, begins: &[(usize, u32)], ready: &mut Vec<u8>) -> io::Result<()> {
        let parts = begins.iter().map(|(stream, time)| format!("url=track{stream};rtptime={time}"));
        let parts: Vec<String> = parts.collect();
        if !parts.is_empty() {
            ready.extend_from_slice(format!("RTSP/1.0 200 OK\r\nRTP-Info: {}\r\n\r\n", parts.join(",")).as_bytes());
        }
        self.heard = Instant::now();
        let host = self.socket.peer_addr()?.ip();
        for stream in &self.streams {
            if let (Some((rtp, rtcp)), Some((to, control))) = (&stream.sockets, stream.ports) {
                let _ = rtp.send_to(&Header::default().build(), SocketAddr::new(host, to));
                let _ = rtcp.send_to(&[0x80, 201, 0, 1, 0, 0, 0, 1], SocketAddr::new(host, control));
            }
        }
        Ok(())
    }

    fn datagrams(&mut self, ready: &mut Vec<u8>) -> io::Result<()> {
        let mut wait = TICK;
        while ready.len() < BLOCK {
            let Some(datagrams) = &mut self.datagrams else { return Ok(()) };
            let Some(datagram) = datagrams.next(wait)? else { return Ok(()) };
            wait = Duration::ZERO;
            if let Some((stream, control)) = self.roles.get(datagram.socket).copied() {
                self.take(stream, control, &bytes::Bytes::from(datagram.bytes), ready);
            }
        }
        Ok(())
    }

    fn take(&mut self, number: usize, control: bool, packet: &bytes::Bytes, ready: &mut Vec<u8>) {
        let now = self.begun.elapsed();
        self.heard = Instant::now();
        let Some(stream) = self.streams.get_mut(number) else { return };
        if control {
            for message in rtcp::parse(packet) {
                match message {
                    Message::SenderReport(report) => stream.statistics.reported(&report, now),
                    Message::Bye { .. } => stream.ended = true,
                    _ => {}
                }
            }
        } else if let Ok((header, _)) = Header::split(packet) {
            stream.statistics.observe(&header, now);
            (stream.begun, stream.ended) = (true, false);
        }
        framed(number, control, packet, ready);
    }

    /// Sends reports when it is time: by UDP, or between the lines.
    fn report(&mut self) {
        if self.reported.elapsed() < REPORT_EVERY || !self.client.is_playing() {
            return;
        }
        self.reported = Instant::now();
        let (now, own) = (self.begun.elapsed(), std::process::id());
        let host = self.socket.peer_addr().map(|address| address.ip());
        for (number, stream) in self.streams.iter_mut().enumerate() {
            let Some(block) = stream.statistics.block(now) else { continue };
            let packet = rtcp::receiver_report(own, &block, "maliu");
            match (&stream.sockets, stream.ports, &host) {
                (Some((_, socket)), Some((_, port)), Ok(host)) => {
                    let _ = socket.send_to(&packet, SocketAddr::new(*host, port));
                }
                (None, ..) => self.client.send(number, true, &packet),
                _ => {}
            }
        }
    }
}

fn is_not_yet(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted)
}

fn fault(fault: Fault) -> io::Error {
    match fault {
        Fault::Silent(_) => io::Error::new(io::ErrorKind::TimedOut, fault),
        Fault::Access(_) => io::Error::new(io::ErrorKind::PermissionDenied, fault),
        _ => io::Error::other(fault),
    }
}

impl Source for Player {
    fn seekable(&self) -> bool {
        false
    }

    /// `WouldBlock`: nothing came for a moment.
    fn read_at(&mut self, _: u64, buf: &mut [u8]) -> io::Result<usize> {
        while self.taken == self.ready.len() {
            if self.ended {
                return Ok(0);
            }
            self.ready.clear();
            self.taken = 0;
            self.step()?;
        }
        let part = (self.ready.len() - self.taken).min(buf.len());
        buf[..part].copy_from_slice(&self.ready[self.taken..self.taken + part]);
        self.taken += part;
        Ok(part)
    }

    fn block_size(&self) -> usize {
        BLOCK
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        self.link.client.finish();
        let _ = self.link.write();
    }
}
