//! Streams that are fetched from other servers while they have viewers.

use std::{
    io::{self, Read, Write},
    net::{TcpStream, ToSocketAddrs},
    sync::{Arc, atomic::Ordering},
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;
use maliu::{
    io::Source,
    rtmp::{Player, Tags, Url},
};

use crate::{channel::Channel, config::Pull, hub::Hub, pattern};

/// How long a stream is fetched on without a viewer.
const IDLE: Duration = Duration::from_secs(10);

/// The first pause before another attempt; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// A moment: between two looks at who watches.
const TICK: Duration = Duration::from_millis(100);

/// How long a server may send nothing.
const SILENCE: Duration = Duration::from_secs(15);

/// Bytes that are read at a time.
const BLOCK: usize = 64 << 10;

/// Most bytes of the head of an answer.
const MAX_HEAD: usize = 16 << 10;

/// Fetches a stream until it has had no viewer for a while.
pub(crate) fn run(hub: &Arc<Hub>, channel: &Arc<Channel>, pull: &Pull) {
    let from = pattern::filled(&pull.from, &channel.name.to_string(), pattern::escaped);
    let (mut interest, mut pause) = (Interest { channel, seen: Instant::now() }, FIRST_PAUSE);
    while interest.lasts() && !hub.is_draining() {
        let begun = Instant::now();
        let end = once(hub, &from, &mut interest);
        let why = match end {
            Ok(()) => "the stream has ended".to_owned(),
            Err(error) => error.to_string(),
        };
        if !interest.lasts() || hub.is_draining() {
            break;
        }
        hub.metrics.pulls_failed.fetch_add(1, Ordering::Relaxed);
        tracing::warn!("{}: pulling: {why}; trying again in {:.1} s", channel.name, pause.as_secs_f64());
        pause = if begun.elapsed() > LONGEST_PAUSE { FIRST_PAUSE } else { pause };
        let until = Instant::now() + pause;
        while Instant::now() < until && interest.lasts() && !hub.is_draining() {
            thread::sleep(TICK);
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    channel.pulled.store(false, Ordering::Release);
}

/// Whether a channel has viewers.
struct Interest<'a> {
    channel: &'a Channel,
    seen: Instant,
}

impl Interest<'_> {
    fn lasts(&mut self) -> bool {
        if self.channel.is_watched() {
            self.seen = Instant::now();
        }
        self.seen.elapsed() < IDLE
    }
}

/// Fetches over one connection.
fn once(hub: &Arc<Hub>, from: &str, interest: &mut Interest<'_>) -> io::Result<()> {
    let mut source = Flv::open(from)?;
    let publisher = hub.publish_known(Some(interest.channel.name.clone()));
    let publisher = publisher.map_err(|refusal| io::Error::other(refusal.why))?;
    tracing::info!("{} is pulled", interest.channel.name);
    let at_once = hub.settings().batch.is_zero();
    let (mut tags, mut block, mut heard) = (Tags::new(), vec![0; BLOCK], Instant::now());
    while interest.lasts() && !hub.is_draining() {
        match source.read(&mut block) {
            Ok(0) => return Ok(()),
            Ok(got) => {
                heard = Instant::now();
                tags.push(Bytes::copy_from_slice(&block[..got]));
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                if heard.elapsed() >= SILENCE {
                    return Err(io::Error::new(io::ErrorKind::TimedOut, "the server sends nothing"));
                }
            }
            Err(error) => return Err(error),
        }
        while let Some(mut tag) = tags.next_tag()? {
            hub.metrics.received.fetch_add(tag.body.len() as u64, Ordering::Relaxed);
            tag.body = Bytes::copy_from_slice(&tag.body);
            publisher.channel.push(publisher.epoch, tag, at_once).map_err(io::Error::other)?;
        }
    }
    Ok(())
}

/// Where a stream comes from, as an FLV file that grows.
enum Flv {
    Rtmp(Box<Player>),
    Http(TcpStream, Vec<u8>),
}

impl Flv {
    fn open(from: &str) -> io::Result<Self> {
        match Url::is_one(from) {
            true => Ok(Self::Rtmp(Box::new(Player::connect(&from.parse().map_err(io::Error::other)?)?))),
            false => get(from),
        }
    }

    fn read(&mut self, block: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Rtmp(player) => player.read_at(0, block),
            Self::Http(socket, behind) if behind.is_empty() => socket.read(block),
            Self::Http(_, behind) => {
                let part = behind.len().min(block.len());
                block[..part].copy_from_slice(&behind[..part]);
                behind.drain(..part);
                Ok(part)
            }
        }
    }
}

/// Host with port, and path, of `http://HOST[:PORT]/PATH`.
pub(crate) fn place(url: &str) -> Option<(String, String)> {
    let (place, path) = url.strip_prefix("http://")?.split_once('/')?;
    if place.is_empty() || place.contains('@') || url.bytes().any(|byte| byte.is_ascii_control() || byte == b' ') {
        return None;
    }
    let has_port = place.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    Some((if has_port { place.to_owned() } else { format!("{place}:80") }, format!("/{path}")))
}

/// Asks for an FLV file by HTTP/1.0, so that it comes as it is.
fn get(from: &str) -> io::Result<Flv> {
    let wrong = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let (place, path) = place(from).ok_or_else(|| wrong("the URL is not http://HOST/PATH"))?;
    let address = place.to_socket_addrs()?.next().ok_or_else(|| wrong("the host has no address"))?;
    let mut socket = TcpStream::connect_timeout(&address, SILENCE)?;
    socket.set_read_timeout(Some(SILENCE))?;
    socket.set_write_timeout(Some(SILENCE))?;
    write!(socket, "GET {path} HTTP/1.0\r\nHost: {place}\r\nUser-Agent: maliu\r\n\r\n")?;
    let (mut head, mut block) = (Vec::new(), [0; 2048]);
    let end = loop {
        if let Some(at) = head.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        let got = socket.read(&mut block)?;
        if got == 0 || head.len() > MAX_HEAD {
            return Err(wrong("the server gives no answer of HTTP"));
        }
        head.extend_from_slice(&block[..got]);
    };
    let behind = head.split_off(end);
    let text = String::from_utf8_lossy(&head).to_ascii_lowercase();
    match text.split(' ').nth(1) {
        Some("200") if !text.contains("transfer-encoding: chunked") => {
            socket.set_read_timeout(Some(TICK))?;
            Ok(Flv::Http(socket, behind))
        }
        Some("200") => Err(wrong("the server answers in chunks to a request that cannot have them")),
        Some(status) => Err(wrong(&format!("the server answers {}", status.escape_default()))),
        None => Err(wrong("the server gives no answer of HTTP")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_come_apart() {
        let parts = |url| place(url).map(|(place, path)| format!("{place} {path}"));
        assert_eq!(parts("http://h/live/a.flv?x").as_deref(), Some("h:80 /live/a.flv?x"));
        assert_eq!(parts("http://[::1]:8080/a").as_deref(), Some("[::1]:8080 /a"));
        for wrong in ["https://h/a", "http://h", "http:///a", "http://u:p@h/a", "http://h/a b"] {
            assert_eq!(parts(wrong), None, "{wrong}");
        }
    }
}
