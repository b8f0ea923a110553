//! A client that plays a stream: requests out, answers and packets in.

use alloc::{
    collections::VecDeque,
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::{task::Poll, time::Duration};

use bytes::{Buf, Bytes, BytesMut};

use super::{Url, access::Challenge};
use crate::rtp::{
    message::{MAX_BODY, MAX_HEAD, Message},
    sdp::{self, Description},
};

/// Most bytes that are not understood yet: a message, or a packet.
pub const MAX_UNREAD: usize = 2 << 20;

/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Lifetime of a session when the server states none (RFC 2326 §12.37).
const LIFETIME: Duration = Duration::from_secs(60);

/// How packets of a stream are to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// Between the lines of the connection.
    Interleaved,
    /// By UDP to this port, RTCP to the next one.
    Udp(u16),
}

/// A step of a session.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// The server has described the stream: [`Client::set_up`] is to be called now.
    Described(Description),
    /// A stream is set up.
    SetUp {
        /// Its number in the description.
        stream: usize,
        /// Where its packets come from over UDP: ports of RTP and RTCP, where the server says.
        ports: Option<(u16, u16)>,
    },
    /// Packets follow. Number of a stream and the timestamp at which it begins, where the server says.
    Playing(Vec<(usize, u32)>),
    /// A packet that came between the lines.
    Packet {
        /// Number of the stream.
        stream: usize,
        /// Whether it is RTCP.
        control: bool,
        /// The packet.
        data: Bytes,
    },
    /// The server has ended the session.
    End,
}

/// Why a session cannot go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The server has refused a request.
    #[error("the server answered {method} with {status} {reason}")]
    Refused {
        /// The method.
        method: &'static str,
        /// The status code.
        status: u16,
        /// The server's words for it.
        reason: String,
    },
    /// The server wants credentials, or others.
    #[error("the server wants credentials: {0}")]
    Access(&'static str),
    /// The server does not send this way; another [`Carrier`] may do.
    #[error("the server refuses the transport ({0})")]
    Transport(u16),
    /// Bytes that are not RTSP.
    #[error("rtsp: {0}")]
    Malformed(String),
    /// Nothing came for too long.
    #[error("rtsp: the server has not answered for {} s", .0.as_secs())]
    Silent(Duration),
}

/// A session with a server. It does nothing without being called.
#[derive(Debug)]
pub struct Client {
    url: Url,
    state: State,
    buffer: BytesMut,
    searched: usize,
    out: VecDeque<Bytes>,
    events: VecDeque<Event>,
    number: u32,
    /// The request that is waited for: its number, when it was sent, and what it was.
    asked: Option<(u32, Duration, &'static str, String)>,
    now: Duration,
    challenge: Option<Challenge>,
    answers: u32,
    session: Option<String>,
    lifetime: Duration,
    alive: Duration,
    parameters: bool,
    base: String,
    description: Description,
    wanted: VecDeque<(usize, Carrier)>,
    /// Channel, stream, whether it carries RTCP.
    channels: Vec<(u8, usize, bool)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Options,
    Describe,
    /// The caller is to choose.
    Chosen,
    SetUp(usize, Carrier),
    Play,
    Playing,
    Ended,
}

impl Client {
    /// Begins a session; times are those of any clock that only moves forward.
    pub fn new(url: Url, now: Duration) -> Self {
        let mut client = Self {
            base: url.request.clone(),
            url,
            state: State::Options,
            buffer: BytesMut::new(),
            searched: 0,
            out: VecDeque::new(),
            events: VecDeque::new(),
            number: 0,
            asked: None,
            now,
            challenge: None,
            answers: 0,
            session: None,
            lifetime: LIFETIME,
            alive: now,
            parameters: false,
            description: Description::default(),
            wanted: VecDeque::new(),
            channels: Vec::new(),
        };
        client.ask("OPTIONS", client.url.request.clone(), "");
        client
    }

    /// Takes bytes of the server, received at `now`.
    pub fn push(&mut self, bytes: &[u8], now: Duration) {
        self.now = now;
        self.buffer.extend_from_slice(bytes);
    }

    /// The next event; [`Poll::Pending`] until more bytes come.
    ///
    /// # Errors
    /// A [`Fault`], after which the session is over.
    pub fn poll(&mut self) -> Result<Poll<Event>, Fault> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(Poll::Ready(event));
            }
            if !self.step()? {
                return Ok(Poll::Pending);
            }
        }
    }

    /// Bytes for the server; to be asked for after every other call.
    pub fn next_write(&mut self) -> Option<Bytes> {
        self.out.pop_front()
    }

    /// Time has passed: keeps the session alive.
    ///
    /// # Errors
    /// [`Fault::Silent`] when the server has not answered in time.
    pub fn timeout(&mut self, now: Duration) -> Result<(), Fault> {
        self.now = now;
        let late = |(_, since, ..): &(u32, Duration, &str, String)| now.saturating_sub(*since) > PATIENCE;
        if self.state != State::Playing && self.asked.as_ref().is_some_and(late) {
            return Err(Fault::Silent(PATIENCE));
        }
        if self.state == State::Playing && now.saturating_sub(self.alive) >= self.lifetime / 2 {
            self.alive = now;
            self.ask(if self.parameters { "GET_PARAMETER" } else { "OPTIONS" }, self.base.clone(), "");
        }
        Ok(())
    }

    /// Chooses the streams to play, by their numbers in the description, and how they come. At least one is to be chosen.
    pub fn set_up(&mut self, wanted: &[(usize, Carrier)]) {
        if self.state == State::Chosen {
            self.wanted = wanted.iter().copied().take(sdp::MAX_MEDIA).collect();
            self.next_set_up();
        }
    }

    /// Sends a packet between the lines, such as a receiver report of a stream that comes there.
    pub fn send(&mut self, stream: usize, control: bool, packet: &[u8]) {
        let channel = self.channels.iter().find(|(_, known, is_control)| *known == stream && *is_control == control);
        if let (Some((channel, ..)), Ok(length)) = (channel, u16::try_from(packet.len())) {
            let [high, low] = length.to_be_bytes();
            self.out.push_back([&[b'$', *channel, high, low], packet].concat().into());
        }
    }

    /// Ends the session in an orderly way.
    pub fn finish(&mut self) {
        if self.session.is_some() && self.state != State::Ended {
            self.ask("TEARDOWN", self.base.clone(), "");
        }
        self.state = State::Ended;
    }

    /// Whether packets may come.
    pub fn is_playing(&self) -> bool {
        self.state == State::Playing
    }

    /// Takes a message or packet, if one is whole.
    fn step(&mut self) -> Result<bool, Fault> {
        while let Some(b'\r' | b'\n') = self.buffer.first() {
            self.buffer.advance(1);
        }
        match *self.buffer {
            [] => Ok(false),
            [b'$', channel, high, low, ..] => {
                let length = usize::from(u16::from_be_bytes([high, low]));
                if self.buffer.len() < 4 + length {
                    return Ok(false);
                }
                self.buffer.advance(4);
                let data = self.buffer.split_to(length).freeze();
                let known = self.channels.iter().find(|(known, ..)| *known == channel);
                if let Some((_, stream, control)) = known.copied() {
                    self.events.push_back(Event::Packet { stream, control, data });
                }
                Ok(true)
            }
            [b'$', ..] => Ok(false),
            _ => self.message(),
        }
    }

    fn message(&mut self) -> Result<bool, Fault> {
        let Some(length) = Message::length(&self.buffer, self.searched) else {
            self.searched = self.buffer.len();
            let start = self.buffer.get(..4).unwrap_or(&self.buffer);
            if self.buffer.len() > MAX_HEAD || !start.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ') {
                return Err(Fault::Malformed("bytes that are neither a message nor a packet".into()));
            }
            return Ok(false);
        };
        let message = Message::parse(self.buffer.get(..length).unwrap_or_default());
        let body = message.body();
        if body > MAX_BODY {
            return Err(Fault::Malformed(format!("a body of {body} bytes, at most {MAX_BODY}")));
        }
        if self.buffer.len() < length + body {
            return Ok(false);
        }
        self.searched = 0;
        self.buffer.advance(length);
        let body = self.buffer.split_to(body).freeze();
        match (&message.request, message.status) {
            (Some((method, _)), _) => self.asked_by_server(method.clone().as_str(), &message),
            (None, Some(status)) => self.answered(status, &message, &body)?,
            (None, None) => {}
        }
        Ok(true)
    }

    /// The server has a request of its own.
    fn asked_by_server(&mut self, method: &str, message: &Message) {
        let number = message.value("CSeq").unwrap_or("0");
        let status = if matches!(method, "OPTIONS" | "GET_PARAMETER" | "SET_PARAMETER" | "ANNOUNCE" | "TEARDOWN") {
            "200 OK"
        } else {
            "501 Not Implemented"
        };
        self.out.push_back(format!("RTSP/1.0 {status}\r\nCSeq: {number}\r\n\r\n").into());
        if method == "TEARDOWN" {
            self.state = State::Ended;
            self.events.push_back(Event::End);
        }
    }

    fn answered(&mut self, status: u16, message: &Message, body: &Bytes) -> Result<(), Fault> {
        let number = message.value("CSeq").and_then(|number| number.parse::<u32>().ok());
        let Some((_, _, method, url)) = self.asked.take_if(|(asked, ..)| number.is_none_or(|number| number == *asked))
        else {
            return Ok(());
        };
        if status == 401 {
            return self.challenged(method, url, message);
        }
        if let Some(session) = message.value("Session") {
            let mut parts = session.split(';');
            self.session = parts.next().map(|id| id.trim().to_string());
            let timeout = parts.find_map(|part| part.trim().strip_prefix("timeout="));
            let seconds = timeout.and_then(|seconds| seconds.trim().parse().ok()).filter(|seconds| *seconds > 0);
            self.lifetime = seconds.map_or(self.lifetime, Duration::from_secs);
        }
        // A server may refuse OPTIONS and requests that keep it alive: neither matters.
        let matters = !matches!(method, "OPTIONS" | "GET_PARAMETER" | "TEARDOWN");
        match status {
            200..=299 => {}
            400..=499 if method == "SETUP" && matches!(status, 400 | 406 | 415 | 461) => {
                return Err(Fault::Transport(status));
            }
            _ if matters => {
                let reason = message.reason().to_string();
                return Err(Fault::Refused { method, status, reason });
            }
            _ => {}
        }
        match self.state {
            State::Options => {
                self.parameters = message.value("Public").is_some_and(|list| list.contains("GET_PARAMETER"));
                self.state = State::Describe;
                self.ask("DESCRIBE", self.url.request.clone(), "Accept: application/sdp\r\n");
            }
            State::Describe => self.described(message, body)?,
            State::SetUp(stream, carrier) => self.was_set_up(stream, carrier, message),
            State::Play => {
                self.state = State::Playing;
                self.alive = self.now;
                let begins = message.rtp_info().into_iter().enumerate();
                let begins = begins.map(|(n, (url, time))| (self.stream_of(&url).unwrap_or(n), time)).collect();
                self.events.push_back(Event::Playing(begins));
            }
            State::Chosen | State::Playing | State::Ended => {}
        }
        Ok(())
    }

    fn challenged(&mut self, method: &'static str, url: String, message: &Message) -> Result<(), Fault> {
        let Some(challenge) = Challenge::of(message.values("WWW-Authenticate")) else {
            return Err(Fault::Access("by a scheme that is not known (Basic and Digest are)"));
        };
        if self.url.credentials.is_none() {
            return Err(Fault::Access("write them into the URL, rtsp://USER:PASSWORD@HOST/…"));
        }
        // A nonce that has grown old is replaced; the same one again is a refusal.
        if self.challenge.as_ref() == Some(&challenge) || self.answers >= MAX_ANSWERS {
            return Err(Fault::Access("those of the URL are refused"));
        }
        self.answers += 1;
        self.challenge = Some(challenge);
        let lines = match (self.state, method) {
            (State::SetUp(_, carrier), "SETUP") => self.transport(carrier),
            (_, "DESCRIBE") => "Accept: application/sdp\r\n".into(),
            (_, "PLAY") => "Range: npt=0.000-\r\n".into(),
            _ => String::new(),
        };
        self.ask(method, url, &lines);
        Ok(())
    }

    fn described(&mut self, message: &Message, body: &Bytes) -> Result<(), Fault> {
        let base = message.value("Content-Base").or(message.value("Content-Location"));
        if let Some(base) = base.filter(|base| base.contains("://")) {
            self.base = base.to_string();
        }
        let description = sdp::parse(&String::from_utf8_lossy(body));
        self.description = description.map_err(|fault| Fault::Malformed(fault.to_string()))?;
        self.state = State::Chosen;
        self.events.push_back(Event::Described(self.description.clone()));
        Ok(())
    }

    fn was_set_up(&mut self, stream: usize, carrier: Carrier, message: &Message) {
        let ports = match carrier {
            Carrier::Interleaved => {
                let own = channel_of(self.channels.len());
                let (rtp, rtcp) = message.channels().unwrap_or((own, own.wrapping_add(1)));
                self.channels.extend([(rtp, stream, false), (rtcp, stream, true)]);
                None
            }
            Carrier::Udp(_) => message.ports(),
        };
        self.events.push_back(Event::SetUp { stream, ports });
        self.next_set_up();
    }

    fn next_set_up(&mut self) {
        match self.wanted.pop_front() {
            Some((stream, carrier)) => {
                self.state = State::SetUp(stream, carrier);
                let control = self.description.media.get(stream).and_then(|media| media.control.as_deref());
                let url = self.resolved(control.unwrap_or("*"));
                let lines = self.transport(carrier);
                self.ask("SETUP", url, &lines);
            }
            None => {
                self.state = State::Play;
                let url = self.resolved(self.description.control.as_deref().unwrap_or("*"));
                self.base.clone_from(&url);
                self.ask("PLAY", url, "Range: npt=0.000-\r\n");
            }
        }
    }

    fn transport(&self, carrier: Carrier) -> String {
        match carrier {
            Carrier::Interleaved => {
                let channel = channel_of(self.channels.len());
                format!("Transport: RTP/AVP/TCP;unicast;interleaved={channel}-{}\r\n", channel.wrapping_add(1))
            }
            Carrier::Udp(port) => {
                format!("Transport: RTP/AVP;unicast;client_port={port}-{}\r\n", port.wrapping_add(1))
            }
        }
    }

    /// A control attribute as a URL (RFC 2326 §C.1.1).
    fn resolved(&self, control: &str) -> String {
        match control {
            "*" | "" => self.base.clone(),
            absolute if absolute.contains("://") => absolute.to_string(),
            relative => {
                let slash = if self.base.ends_with('/') || relative.starts_with('?') { "" } else { "/" };
                format!("{}{slash}{}", self.base, relative.trim_start_matches('/'))
            }
        }
    }

    fn stream_of(&self, url: &str) -> Option<usize> {
        self.description.media.iter().position(|media| {
            media.control.as_deref().is_some_and(|control| {
                url.strip_suffix(control).is_some_and(|base| base.is_empty() || base.ends_with('/'))
            })
        })
    }

    fn ask(&mut self, method: &'static str, url: String, lines: &str) {
        self.number = self.number.wrapping_add(1);
        let mut text = format!("{method} {url} RTSP/1.0\r\nCSeq: {}\r\nUser-Agent: maliu\r\n{lines}", self.number);
        if let Some(session) = &self.session {
            text += &format!("Session: {session}\r\n");
        }
        if let (Some(challenge), Some((user, password))) = (&self.challenge, &self.url.credentials) {
            let answer = challenge.answer((user, password), method, &url, self.number);
            text += &format!("Authorization: {answer}\r\n");
        }
        text += "\r\n";
        self.out.push_back(text.into());
        self.asked = Some((self.number, self.now, method, url));
    }
}

/// Most challenges that are answered in a session.
const MAX_ANSWERS: u32 = 64;

/// The channel of the next stream.
fn channel_of(channels: usize) -> u8 {
    (channels & 0xfe) as u8
}
