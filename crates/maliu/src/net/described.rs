//! The RTP streams of a session description, received over UDP as a stream of bytes in the form of `formats::rtsp`.
//!
//! ```text
//!   SDP ─▶ sockets ─▶ datagrams ─▶ "RTSP/1.0 200 OK" SDP { "$" channel length │ packet }…
//!                        └──────▶ Statistics ─▶ receiver reports every five seconds
//! ```

use std::{
    io,
    net::{IpAddr, SocketAddr, UdpSocket},
    time::{Duration, Instant},
};

use maliu_core::rtp::{
    Header, Statistics, is_rtcp,
    rtcp::{self, Message},
    sdp::{Description, Media},
};

use super::{
    BLOCK, TICK,
    datagrams::{Datagram, Datagrams, receiver},
};
use crate::io::Source;

/// Time between receiver reports (RFC 3550 §6.2).
const REPORT_EVERY: Duration = Duration::from_secs(5);

/// Silence behind the first datagram that is the end, as in FFmpeg: many senders say no farewell.
const SILENCE: Duration = Duration::from_secs(10);

/// Streams of a session. They end when the sender says so (RTCP BYE), or when nothing has come for ten seconds.
pub struct Described {
    datagrams: Datagrams,
    /// By socket: the stream, and whether it is for RTCP.
    roles: Vec<(usize, bool)>,
    streams: Vec<Stream>,
    ready: Vec<u8>,
    taken: usize,
    begun: Instant,
    /// When a datagram came last.
    heard: Option<Instant>,
    reported: Instant,
    own: u32,
}

struct Stream {
    statistics: Statistics,
    /// The socket of RTCP, and where the sender's reports come from.
    control: Option<UdpSocket>,
    peer: Option<SocketAddr>,
    begun: bool,
    ended: bool,
}

impl Described {
    /// Opens the ports of a description; of each stream that has one.
    ///
    /// # Errors
    /// `InvalidInput` for a description without a port or with a name in place of an address; those of the system.
    pub fn open(description: &Description) -> io::Result<Self> {
        let (mut sockets, mut roles, mut streams) = (Vec::new(), Vec::new(), Vec::new());
        for (number, media) in description.media.iter().enumerate() {
            let mut stream = Stream {
                statistics: Statistics::new(media.clock),
                control: None,
                peer: None,
                begun: false,
                ended: false,
            };
            if media.port > 0 {
                let address = address(description, media)?;
                sockets.push(receiver(address, media.port).map_err(|error| at_port(&error, media.port))?);
                roles.push((number, false));
                let port = media.rtcp_port.or(media.port.checked_add(1)).filter(|_| !media.rtcp_mux);
                match port.map(|port| receiver(address, port)) {
                    Some(Ok(socket)) => {
                        stream.control = Some(socket.try_clone()?);
                        sockets.push(socket);
                        roles.push((number, true));
                    }
                    Some(Err(error)) => tracing::warn!("no RTCP of stream {number}: {error}"),
                    None => {}
                }
            }
            streams.push(stream);
        }
        if sockets.is_empty() {
            let why = "the description names no port; that of an RTSP session is read from its rtsp:// URL";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        let text = written(description);
        let head =
            format!("RTSP/1.0 200 OK\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n", text.len());
        let now = Instant::now();
        Ok(Self {
            datagrams: Datagrams::of(sockets)?,
            roles,
            streams,
            ready: [head, text].concat().into_bytes(),
            taken: 0,
            begun: now,
            heard: None,
            reported: now,
            own: std::process::id() ^ 0x6d61_6c69,
        })
    }

    /// Takes a datagram: what is read of it, and what it says of its stream.
    fn take(&mut self, datagram: &Datagram) {
        let Some((number, mut control)) = self.roles.get(datagram.socket).copied() else { return };
        let Some(stream) = self.streams.get_mut(number) else { return };
        self.heard = Some(datagram.at);
        let now = datagram.at.saturating_duration_since(self.begun);
        control |= is_rtcp(&datagram.bytes);
        if control {
            stream.peer = Some(datagram.from);
            for message in rtcp::parse(&datagram.bytes) {
                match message {
                    Message::SenderReport(report) => stream.statistics.reported(&report, now),
                    Message::Bye { .. } => stream.ended = true,
                    _ => {}
                }
            }
        } else {
            let bytes = bytes::Bytes::copy_from_slice(&datagram.bytes);
            if let Ok((header, _)) = Header::split(&bytes) {
                stream.statistics.observe(&header, now);
                (stream.begun, stream.ended) = (true, false);
            }
        }
        framed(number, control, &datagram.bytes, &mut self.ready);
    }

    /// Sends reports to the senders when it is time.
    fn report(&mut self) {
        if self.reported.elapsed() < REPORT_EVERY {
            return;
        }
        self.reported = Instant::now();
        let now = self.begun.elapsed();
        for stream in &mut self.streams {
            let (Some(socket), Some(peer)) = (&stream.control, stream.peer) else { continue };
            let Some(block) = stream.statistics.block(now) else { continue };
            let sent = socket.send_to(&rtcp::receiver_report(self.own, &block, "maliu"), peer);
            if let Err(error) = sent {
                tracing::debug!("a receiver report was not sent: {error}");
            }
        }
    }

    fn has_ended(&self) -> bool {
        let mut begun = self.streams.iter().filter(|stream| stream.begun).peekable();
        begun.peek().is_some() && begun.all(|stream| stream.ended)
    }
}

/// Where a stream is sent to.
fn address(description: &Description, media: &Media) -> io::Result<Option<IpAddr>> {
    let Some(text) = media.address.as_ref().or(description.address.as_ref()) else { return Ok(None) };
    match text.parse() {
        Ok(address) => Ok(Some(address)),
        Err(_) if text == "localhost" => Ok(None),
        Err(_) => Err(io::Error::new(io::ErrorKind::InvalidInput, format!("sdp: {text:?} is not an IP address"))),
    }
}

fn at_port(error: &io::Error, port: u16) -> io::Error {
    io::Error::new(error.kind(), format!("port {port}: {error}"))
}

/// Appends a packet of a stream as it stands between lines of RTSP.
pub(super) fn framed(stream: usize, control: bool, packet: &[u8], to: &mut Vec<u8>) {
    let channel = 2 * stream as u8 + u8::from(control);
    let Ok(length) = u16::try_from(packet.len()) else { return };
    let [high, low] = length.to_be_bytes();
    to.extend_from_slice(&[b'$', channel, high, low]);
    to.extend_from_slice(packet);
}

/// The lines of a description that say how streams are coded.
pub(super) fn written(description: &Description) -> String {
    let mut text = String::from("v=0\r\n");
    for (stream, media) in description.media.iter().enumerate() {
        let number = media.payload_type;
        text += &format!("m={} {} {} {number}\r\n", media.kind, media.port, media.protocol);
        if !media.encoding.is_empty() {
            text += &format!("a=rtpmap:{number} {}/{}/{}\r\n", media.encoding, media.clock, media.channels);
        }
        let parameters = media.parameters.iter();
        let pairs: Vec<String> = parameters.map(|(name, value)| format!("{name}={value}")).collect();
        if !pairs.is_empty() {
            text += &format!("a=fmtp:{number} {}\r\n", pairs.join(";"));
        }
        text += &format!("a=control:track{stream}\r\n");
        if !media.language.is_empty() {
            text += &format!("a=lang:{}\r\n", media.language);
        }
    }
    text
}

impl Source for Described {
    fn seekable(&self) -> bool {
        false
    }

    /// `WouldBlock`: nothing came for a moment.
    fn read_at(&mut self, _: u64, buf: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.ready.len() {
            self.ready.clear();
            self.taken = 0;
            self.report();
            match self.datagrams.next(TICK)? {
                Some(datagram) => self.take(&datagram),
                None if self.has_ended() || self.heard.is_some_and(|at| at.elapsed() >= SILENCE) => return Ok(0),
                None => return Err(io::ErrorKind::WouldBlock.into()),
            }
            // More that has come already, up to a block.
            while self.ready.len() < BLOCK
                && let Some(datagram) = self.datagrams.next(Duration::ZERO)?
            {
                self.take(&datagram);
            }
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
