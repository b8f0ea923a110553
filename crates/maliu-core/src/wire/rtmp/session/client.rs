//! The connecting end: it publishes one stream, or plays one.

use alloc::{collections::VecDeque, string::String, vec::Vec};
use core::{task::Poll, time::Duration};

use bytes::Bytes;

use super::{
    super::{CONNECT_LIMIT, Capabilities, Fault, Tag, Url, chunk::Message, command::Command, kind},
    connection::{Connection, SET_BUFFER_LENGTH, STREAM_EOF, Step},
};
use crate::syntax::amf::Value;

/// The direction of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Tags go to the server.
    Publish,
    /// Tags come from the server.
    Play,
}

/// A client's wishes.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// Where the stream is.
    pub url: Url,
    /// The direction.
    pub role: Role,
    /// Any number that differs from connection to connection.
    pub seed: u64,
    /// How long nothing may come while a stream is played. Servers that live send a ping from time to time.
    pub idle: Duration,
}

impl Options {
    /// A stream and its direction.
    pub fn new(url: Url, role: Role) -> Self {
        Self { url, role, seed: 1, idle: Duration::from_secs(90) }
    }
}

/// Progress of a client.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// The server has accepted: tags can be sent, or will come. Holds the capabilities that the server announced.
    Started(Capabilities),
    /// A tag of the stream that is played.
    Tag(Tag),
    /// The server wants the client to connect again, to this URL if there is one, and goes on until it leaves.
    Reconnect(Option<String>),
    /// The server has ended the stream.
    End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Connecting,
    Creating,
    Starting,
    Running,
    Ended,
}

/// Numbers of commands whose answers matter.
const CONNECT: f64 = 1.0;
const CREATE: f64 = 4.0;

/// A connecting end. Push what the server sends, poll until pending, write what [`Client::next_write`] returns.
#[derive(Debug)]
pub struct Client {
    connection: Connection,
    options: Options,
    state: State,
    stream: u32,
    capabilities: Capabilities,
    events: VecDeque<Event>,
}

impl Client {
    /// A client whose transport is connected.
    pub fn new(options: Options, now: Duration) -> Self {
        let connection = Connection::client(options.seed, now);
        let (capabilities, events) = (Capabilities::default(), VecDeque::new());
        Self { connection, options, state: State::Connecting, stream: 0, capabilities, events }
    }

    /// Takes bytes of the server.
    pub fn push(&mut self, bytes: &[u8], now: Duration) {
        self.connection.push(bytes, now);
    }

    /// The next event; pending when more bytes are needed.
    ///
    /// # Errors
    /// Final ones: [`Fault::Refused`] when the server does not want the stream, and those of a broken connection.
    pub fn poll(&mut self) -> Result<Poll<Event>, Fault> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(Poll::Ready(event));
            }
            match self.connection.poll()? {
                Poll::Pending => return Ok(Poll::Pending),
                Poll::Ready(Step::Established) => self.connect(),
                Poll::Ready(Step::Message(message)) => self.take(&message)?,
            }
        }
    }

    /// Sends a tag of the stream that is published. Nothing is sent before [`Event::Started`] or behind the end.
    pub fn send(&mut self, tag: &Tag) {
        if self.state == State::Running && self.options.role == Role::Publish {
            self.connection.send(&tag.message(self.stream, true));
        }
    }

    /// Ends the stream in an orderly way; what [`Client::next_write`] still returns is to be sent.
    pub fn finish(&mut self) {
        if matches!(self.state, State::Starting | State::Running) {
            if self.options.role == Role::Publish {
                let name = Value::Text(self.options.url.name.clone());
                self.connection.command(0, "FCUnpublish", 6.0, &[Value::Nothing, name]);
            }
            let stream = Value::Number(f64::from(self.stream));
            self.connection.command(0, "deleteStream", 7.0, &[Value::Nothing, stream]);
        }
        self.state = State::Ended;
    }

    /// The verdict when the transport has ended: [`Fault::Cut`] unless the stream had, too.
    pub fn closed(&self) -> Result<(), Fault> {
        if self.state == State::Ended { Ok(()) } else { Err(Fault::Cut) }
    }

    /// Bytes for the server.
    pub fn next_write(&mut self) -> Option<Bytes> {
        self.connection.out.next()
    }

    /// Bytes for the server that wait.
    pub fn waiting(&self) -> usize {
        self.connection.out.waiting()
    }

    /// Checks the limits of time; to be called once in a while.
    ///
    /// # Errors
    /// [`Fault::Silent`].
    pub fn timeout(&mut self, now: Duration) -> Result<(), Fault> {
        let idle = match (self.state, self.options.role) {
            (State::Running, Role::Play) => self.options.idle,
            (State::Running | State::Ended, _) => Duration::MAX,
            _ if now.saturating_sub(self.connection.began) >= CONNECT_LIMIT => {
                return Err(Fault::Silent(CONNECT_LIMIT));
            }
            _ => CONNECT_LIMIT,
        };
        self.connection.timeout(now, idle)
    }

    fn connect(&mut self) {
        let Options { url, role, .. } = &self.options;
        let text = |text: &str| Value::Text(text.into());
        let mut object: Vec<(String, Value)> = [("app", text(&url.app)), ("tcUrl", text(&url.connection()))]
            .into_iter()
            .map(|(name, value)| (name.into(), value))
            .collect();
        let mut add = |name: &str, value: Value| object.push((name.into(), value));
        match role {
            Role::Publish => {
                add("type", text("nonprivate"));
                add("flashVer", text("FMLE/3.0 (compatible; maliu)"));
            }
            Role::Play => {
                add("flashVer", text("LNX 9,0,124,2"));
                add("fpad", Value::Bool(false));
                add("capabilities", Value::Number(15.0));
                add("audioCodecs", Value::Number(4071.0));
                add("videoCodecs", Value::Number(252.0));
                add("videoFunction", Value::Number(1.0));
            }
        }
        object.extend(Capabilities::all().members());
        self.connection.command(0, "connect", CONNECT, &[Value::Object(object)]);
    }

    fn take(&mut self, message: &Message) -> Result<(), Fault> {
        match message.kind {
            kind::USER_CONTROL => {
                let is_eof = message.body.first_chunk() == Some(&STREAM_EOF.to_be_bytes());
                if is_eof && self.state == State::Running && self.options.role == Role::Play {
                    self.end();
                }
            }
            kind::COMMAND | kind::COMMAND_AMF3 => {
                if let Some(command) = Command::of(message)? {
                    self.obey(message.stream, &command)?;
                }
            }
            _ if self.options.role == Role::Play && matches!(self.state, State::Starting | State::Running) => {
                let tags = Tag::of(message).map(Event::Tag);
                // A server that never says that it plays does so all the same.
                if self.state == State::Starting {
                    self.start();
                }
                self.events.extend(tags);
            }
            _ => {}
        }
        Ok(())
    }

    fn obey(&mut self, stream: u32, command: &Command) -> Result<(), Fault> {
        let answers = |to: f64| command.transaction == to;
        match (command.name.as_str(), self.state) {
            ("_result", State::Connecting) if answers(CONNECT) => {
                let info = command.values.last().unwrap_or(&Value::Nothing);
                let object = command.values.first().unwrap_or(&Value::Nothing);
                let is_here = info.member("capsEx").is_some() || info.member("fourCcList").is_some();
                self.capabilities = Capabilities::of(if is_here { info } else { object });
                self.create();
            }
            ("_result", State::Creating) if answers(CREATE) => {
                let number = command.number(1).filter(|number| (0.0..f64::from(u32::MAX)).contains(number));
                let wrong = || Fault::malformed("an answer to createStream without a number", self.connection.offset());
                self.stream = number.ok_or_else(wrong)? as u32;
                self.ask();
            }
            ("_error", State::Connecting) if answers(CONNECT) => return Err(refused(command)),
            ("_error", State::Creating) if answers(CREATE) => return Err(refused(command)),
            ("onStatus", _) => self.status(stream, command)?,
            ("close", _) => self.end(),
            // The end of a publisher, passed on by servers that answer players as it did.
            ("FCUnpublish" | "deleteStream" | "closeStream", State::Running) => self.end(),
            _ => {}
        }
        Ok(())
    }

    fn create(&mut self) {
        self.connection.announce(false);
        if self.options.role == Role::Publish {
            let name = Value::Text(self.options.url.name.clone());
            self.connection.command(0, "releaseStream", 2.0, &[Value::Nothing, name.clone()]);
            self.connection.command(0, "FCPublish", 3.0, &[Value::Nothing, name]);
        }
        self.connection.command(0, "createStream", CREATE, &[Value::Nothing]);
        self.state = State::Creating;
    }

    fn ask(&mut self) {
        let name = Value::Text(self.options.url.name.clone());
        match self.options.role {
            Role::Publish => {
                let values = [Value::Nothing, name, Value::Text("live".into())];
                self.connection.command(self.stream, "publish", 5.0, &values);
            }
            Role::Play => {
                // -2: the live stream of this name, else the recorded one; in thousandths.
                let values = [Value::Nothing, name, Value::Number(-2000.0)];
                self.connection.command(self.stream, "play", 5.0, &values);
                let [a, b, c, d] = self.stream.to_be_bytes();
                let [e, f, g, h] = BUFFER_MS.to_be_bytes();
                self.connection.user_control(SET_BUFFER_LENGTH, &[a, b, c, d, e, f, g, h]);
            }
        }
        self.state = State::Starting;
    }

    fn status(&mut self, stream: u32, command: &Command) -> Result<(), Fault> {
        let code = command.info("code").unwrap_or_default();
        if command.info("level") == Some("error") {
            return Err(refused(command));
        }
        match (code, self.state, self.options.role) {
            ("NetConnection.Connect.ReconnectRequest", ..) => {
                self.events.push_back(Event::Reconnect(command.info("tcUrl").map(String::from)));
            }
            ("NetStream.Publish.Start", State::Starting, Role::Publish) => self.start(),
            ("NetStream.Play.Start", State::Starting, Role::Play) => self.start(),
            ("NetStream.Play.UnpublishNotify" | "NetStream.Play.Stop" | "NetStream.Play.Complete", _, Role::Play) => {
                self.end();
            }
            ("NetConnection.Connect.Closed", ..) if stream == 0 => self.end(),
            _ => {}
        }
        Ok(())
    }

    fn start(&mut self) {
        self.state = State::Running;
        self.events.push_back(Event::Started(self.capabilities.clone()));
    }

    fn end(&mut self) {
        if self.state != State::Ended {
            self.state = State::Ended;
            self.events.push_back(Event::End);
        }
    }
}

/// The buffer that a player says it has, in ms: servers send that much at once.
const BUFFER_MS: u32 = 3000;

fn refused(command: &Command) -> Fault {
    let text = |name: &str| command.info(name).unwrap_or_default().into();
    Fault::Refused { code: text("code"), description: text("description") }
}
