//! The listening end: a peer publishes one stream to it, or plays one.

use alloc::{collections::VecDeque, format, string::String, vec::Vec};
use core::{task::Poll, time::Duration};

use bytes::Bytes;

use super::{
    super::{
        CONNECT_LIMIT, Capabilities, Fault, IDLE_LIMIT, MAX_KEY, MAX_STREAMS, PING_AFTER, Tag,
        chunk::Message,
        command::{self, Command},
        kind,
    },
    client::Role,
    connection::{Connection, STREAM_BEGIN, STREAM_EOF, Step},
};
use crate::syntax::amf::Value;

/// How a server treats its peers.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// Any number that differs from connection to connection.
    pub seed: u64,
    /// How long nothing may come from a peer.
    pub idle: Duration,
    /// How long nothing may come before the peer is asked for a sign of life.
    pub ping: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { seed: 1, idle: IDLE_LIMIT, ping: PING_AFTER }
    }
}

/// A wish of a peer, to be answered by [`Server::accept`] or [`Server::refuse`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Request {
    /// The application, without a query and without slashes at its ends.
    pub app: String,
    /// The stream's name, without its query.
    pub name: String,
    /// The query of the name, or else of the application; without its question mark.
    pub query: String,
}

/// Progress of a server.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// The peer has connected, and can do this.
    Connect {
        /// The URL that it connected to, if it says so.
        url: Option<String>,
        /// The program at the other end, in its words.
        agent: String,
        /// Its capabilities.
        capabilities: Capabilities,
    },
    /// It wants to publish.
    Publish(Request),
    /// It wants to play.
    Play(Request),
    /// A tag of the stream that it publishes.
    Tag(Tag),
    /// It has stopped publishing or playing; the connection may go on.
    End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Connecting,
    /// Nothing is published or played.
    Idle,
    /// A request waits for its answer.
    Asked(Role, u32),
    Running(Role, u32),
}

/// A listening end. Push what the peer sends, poll until pending, write what [`Server::next_write`] returns.
#[derive(Debug)]
pub struct Server {
    connection: Connection,
    options: Options,
    state: State,
    app: String,
    app_query: String,
    name: String,
    streams: u32,
    pinged: Option<Duration>,
    /// When the last stream ended.
    idle_since: Duration,
    now: Duration,
    events: VecDeque<Event>,
}

impl Server {
    /// A server whose peer has just connected.
    pub fn new(options: Options, now: Duration) -> Self {
        Self {
            connection: Connection::server(options.seed, now),
            options,
            state: State::Connecting,
            app: String::new(),
            app_query: String::new(),
            name: String::new(),
            streams: 0,
            pinged: None,
            idle_since: now,
            now,
            events: VecDeque::new(),
        }
    }

    /// Takes bytes of the peer.
    pub fn push(&mut self, bytes: &[u8], now: Duration) {
        (self.now, self.pinged) = (now, None);
        self.connection.push(bytes, now);
    }

    /// Takes bytes of the peer. Bodies of messages share them.
    pub fn push_bytes(&mut self, bytes: Bytes, now: Duration) {
        (self.now, self.pinged) = (now, None);
        self.connection.push_bytes(bytes, now);
    }

    /// The next event; pending when more bytes are needed.
    ///
    /// # Errors
    /// Final ones: the connection is to be closed.
    pub fn poll(&mut self) -> Result<Poll<Event>, Fault> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(Poll::Ready(event));
            }
            match self.connection.poll()? {
                Poll::Pending => return Ok(Poll::Pending),
                Poll::Ready(Step::Established) => {}
                Poll::Ready(Step::Message(message)) => self.take(&message)?,
            }
        }
    }

    /// Says yes to the request that was returned last.
    pub fn accept(&mut self) {
        let State::Asked(role, stream) = self.state else { return };
        self.state = State::Running(role, stream);
        match role {
            Role::Publish => self.status("status", "NetStream.Publish.Start", "publishing"),
            Role::Play => {
                self.connection.user_control(STREAM_BEGIN, &stream.to_be_bytes());
                self.status("status", "NetStream.Play.Reset", "playing from the start");
                self.status("status", "NetStream.Play.Start", "playing");
            }
        }
    }

    /// Says no to the request that was returned last: `code` is that of NetStream's status, such as
    /// `NetStream.Publish.BadName`.
    pub fn refuse(&mut self, code: &str, description: &str) {
        if let State::Asked(..) = self.state {
            self.status("error", code, description);
            self.rest();
        }
    }

    /// Sends a tag to a player.
    pub fn send(&mut self, tag: &Tag) {
        if let State::Running(Role::Play, stream) = self.state {
            self.connection.send(&tag.message(stream, false));
        }
    }

    /// The number of the stream that is played; [`Server::send_encoded`] takes messages of this number only.
    pub fn playing(&self) -> Option<u32> {
        match self.state {
            State::Running(Role::Play, stream) => Some(stream),
            _ => None,
        }
    }

    /// Sends messages to a player that [`Tag::encode_message`] has made for its stream.
    pub fn send_encoded(&mut self, bytes: Bytes) {
        self.connection.out.share(bytes);
    }

    /// Reports to a player that its stream has ended.
    pub fn unpublish(&mut self) {
        if let State::Running(Role::Play, stream) = self.state {
            self.connection.user_control(STREAM_EOF, &stream.to_be_bytes());
            self.status("status", "NetStream.Play.UnpublishNotify", "the publisher has left");
        }
    }

    /// Asks the peer to connect again, to `url` if there is one, and then to leave.
    pub fn reconnect(&mut self, url: Option<&str>, description: &str) {
        let mut info = command::status("status", "NetConnection.Connect.ReconnectRequest", description);
        if let (Value::Object(members), Some(url)) = (&mut info, url) {
            members.push(("tcUrl".into(), Value::Text(url.into())));
        }
        self.connection.command(0, "onStatus", 0.0, &[Value::Nothing, info]);
    }

    /// Bytes for the peer.
    pub fn next_write(&mut self) -> Option<Bytes> {
        self.connection.out.next()
    }

    /// Bytes for the peer that wait. A caller that sends tags keeps them few.
    pub fn waiting(&self) -> usize {
        self.connection.out.waiting()
    }

    /// Checks the limits of time; to be called about once a second. It may add a ping to what is written.
    ///
    /// # Errors
    /// [`Fault::Silent`]: the connection is to be closed.
    pub fn timeout(&mut self, now: Duration) -> Result<(), Fault> {
        self.connection.timeout(now, self.options.idle)?;
        if matches!(self.state, State::Connecting | State::Idle) {
            return match now.saturating_sub(self.idle_since) >= CONNECT_LIMIT {
                true => Err(Fault::Silent(CONNECT_LIMIT)),
                false => Ok(()),
            };
        }
        let heard = self.pinged.unwrap_or(self.connection.heard);
        if now.saturating_sub(heard) >= self.options.ping {
            self.pinged = Some(now);
            self.connection.ping(now);
        }
        Ok(())
    }

    fn take(&mut self, message: &Message) -> Result<(), Fault> {
        if matches!(message.kind, kind::COMMAND | kind::COMMAND_AMF3) {
            return match Command::of(message)? {
                Some(command) => self.obey(message.stream, &command),
                None => Ok(()),
            };
        }
        if let State::Running(Role::Publish, _) = self.state {
            self.events.extend(Tag::of(message).map(Event::Tag));
        }
        Ok(())
    }

    fn obey(&mut self, stream: u32, command: &Command) -> Result<(), Fault> {
        self.connection.answerable()?;
        let transaction = command.transaction;
        match (command.name.as_str(), self.state) {
            ("connect", State::Connecting) => self.connect(command)?,
            (_, State::Connecting) => {
                let what = format!("the command {:?} before connect", command.name);
                return Err(Fault::malformed(what, self.connection.offset()));
            }
            ("createStream", _) if self.streams < MAX_STREAMS => {
                self.streams += 1;
                let number = Value::Number(f64::from(self.streams));
                self.connection.command(0, "_result", transaction, &[Value::Nothing, number]);
            }
            ("publish", State::Idle) => self.ask(Role::Publish, stream, command.text(1))?,
            ("play", State::Idle) => self.ask(Role::Play, stream, command.text(1))?,
            ("play2", State::Idle) => {
                let name = command.values.get(1).and_then(|options| options.member("streamName"));
                self.ask(Role::Play, stream, name.and_then(Value::text))?;
            }
            ("publish" | "play" | "play2", _) => {
                let info = command::status("error", "NetStream.Failed", "this connection has a stream");
                self.connection.command(stream, "onStatus", 0.0, &[Value::Nothing, info]);
            }
            ("deleteStream", State::Asked(_, active) | State::Running(_, active)) => {
                if command.number(1) == Some(f64::from(active)) {
                    self.end();
                }
            }
            ("closeStream", State::Asked(_, active) | State::Running(_, active)) if active == stream => self.end(),
            ("FCUnpublish", State::Running(Role::Publish, _)) => self.end(),
            ("deleteStream" | "closeStream" | "FCUnpublish", _) => {}
            ("seek", State::Running(..)) => self.status("status", "NetStream.Seek.Notify", "a live stream stays live"),
            ("pause", State::Running(..)) => self.status("status", "NetStream.Pause.Notify", "a live stream goes on"),
            ("receiveAudio" | "receiveVideo" | "seek" | "pause" | "_result" | "_error" | "onStatus", _) => {}
            ("releaseStream" | "FCPublish" | "FCSubscribe" | "_checkbw", _) => {
                self.connection.command(0, "_result", transaction, &[Value::Nothing, Value::Nothing]);
            }
            ("getStreamLength", _) => {
                self.connection.command(0, "_result", transaction, &[Value::Nothing, Value::Number(0.0)]);
            }
            _ if transaction == 0.0 => {}
            _ => {
                let info = command::status("error", "NetConnection.Call.Failed", "no such command");
                self.connection.command(stream, "_error", transaction, &[Value::Nothing, info]);
            }
        }
        Ok(())
    }

    fn connect(&mut self, command: &Command) -> Result<(), Fault> {
        let object = command.values.first().unwrap_or(&Value::Nothing);
        let text = |name: &str| object.member(name).and_then(Value::text);
        let app = short(text("app").unwrap_or_default())?;
        let (app, query) = app.split_once('?').unwrap_or((app, ""));
        (self.app, self.app_query) = (app.trim_matches('/').into(), query.into());
        let (url, agent) = (text("tcUrl").map(String::from), text("flashVer").unwrap_or_default().into());
        let capabilities = Capabilities::of(object);
        self.connection.announce(true);
        let server = command::object([
            ("fmsVer", Value::Text("FMS/3,5,3,888".into())),
            ("capabilities", Value::Number(127.0)),
            ("mode", Value::Number(1.0)),
        ]);
        let mut info = command::status("status", "NetConnection.Connect.Success", "connected");
        if let Value::Object(members) = &mut info {
            let encoding = object.member("objectEncoding").and_then(Value::number).unwrap_or(0.0);
            members.push(("objectEncoding".into(), Value::Number(encoding)));
            members.extend(Capabilities::all().members());
        }
        self.connection.command(0, "_result", command.transaction, &[server, info]);
        self.state = State::Idle;
        self.events.push_back(Event::Connect { url, agent, capabilities });
        Ok(())
    }

    fn ask(&mut self, role: Role, stream: u32, name: Option<&str>) -> Result<(), Fault> {
        let wrong = || Fault::malformed("a stream without a name is asked for", self.connection.offset());
        let whole = short(name.ok_or_else(wrong)?)?;
        let (name, query) = whole.split_once('?').unwrap_or((whole, &self.app_query));
        self.name = name.into();
        let request = Request { app: self.app.clone(), name: name.into(), query: query.into() };
        self.state = State::Asked(role, stream);
        self.events.push_back(match role {
            Role::Publish => Event::Publish(request),
            Role::Play => Event::Play(request),
        });
        Ok(())
    }

    fn end(&mut self) {
        if let State::Running(Role::Publish, _) = self.state {
            self.status("status", "NetStream.Unpublish.Success", "the stream has ended");
        }
        self.rest();
        self.events.push_back(Event::End);
    }

    fn rest(&mut self) {
        (self.state, self.idle_since) = (State::Idle, self.now);
    }

    /// Sends a status of the stream.
    fn status(&mut self, level: &str, code: &str, description: &str) {
        let (State::Asked(_, stream) | State::Running(_, stream)) = self.state else { return };
        let mut info = command::status(level, code, description);
        if let Value::Object(members) = &mut info {
            members.push(("details".into(), Value::Text(self.name.clone())));
        }
        self.connection.command(stream, "onStatus", 0.0, &[Value::Nothing, info]);
    }
}

/// A name within [`MAX_KEY`].
fn short(name: &str) -> Result<&str, Fault> {
    match name.len() > MAX_KEY {
        true => Err(Fault::Limit { what: "number of bytes of a name", limit: MAX_KEY }),
        false => Ok(name),
    }
}

impl Request {
    /// The values of a member of the query, such as `token`.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let pairs = self.query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.filter(move |(key, _)| *key == name).map(|(_, value)| value).collect::<Vec<_>>().into_iter()
    }
}
