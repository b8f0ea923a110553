//! The end that gets packets: it listens and challenges, or connects and asks to be sent them; hands on content in
//! order and once, and acknowledges it.

use alloc::{collections::BTreeMap, string::String, vec::Vec};
use core::time::Duration;

use bytes::Bytes;

use super::{
    super::message::{Hello, Message, Mode, Reason, Role},
    Fault,
    link::Link,
    proof,
};
use crate::{
    account::Weigh,
    error::Error,
    format::Event,
    input::Input,
    reader::MAX_STREAMS,
    stream::{
        StreamInfo,
        limits::{MAX_DESCRIPTIONS, check_audio},
    },
    time::TimeBase,
};

/// Demands of a receiver on connecting ends.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ReceiverOptions {
    /// The token that senders must prove to know.
    pub token: Option<String>,
}

impl ReceiverOptions {
    /// Asks senders for this token, if there is one.
    pub fn new(token: Option<String>) -> Self {
        Self { token }
    }
}

/// Wishes of a receiver that connects.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PlayerOptions {
    /// The sender's name for its content; empty for any content.
    pub name: String,
    /// The same for every connection of one transfer, also after a restart.
    pub id: u64,
    /// The mode.
    pub mode: Mode,
    /// The token of the sender, if it asks for one.
    pub token: Option<String>,
}

impl PlayerOptions {
    /// Without a token. An empty name asks for whatever the sender has.
    pub fn new(name: impl Into<String>, id: u64, mode: Mode) -> Self {
        Self { name: name.into(), id, mode, token: None }
    }

    /// With this token of the sender, if there is one.
    #[must_use]
    pub fn with_token(self, token: Option<String>) -> Self {
        Self { token, ..self }
    }
}

/// A report of [`Receiver::poll`].
#[derive(Clone, Debug, PartialEq)]
pub enum Received {
    /// An authorized peer connected; answer with [`Receiver::welcome`] or [`Receiver::refuse`].
    Hello(Hello),
    /// Content and its sequence number. Packets are in the time base of their stream if that was described on this
    /// connection.
    Content(u64, Event),
}

/// The receiving end of one connection.
#[derive(Debug)]
pub struct Receiver {
    link: Link,
    options: ReceiverOptions,
    challenge: [u8; 16],
    /// The hello of a player.
    hello: Option<Hello>,
    state: State,
    mode: Mode,
    next: u64,
    acknowledged: u64,
    due: Option<u64>,
    lost: u64,
    /// The end of the content has come, on this connection or an earlier one.
    ended: bool,
    /// The last acknowledgement that the sender has repeated.
    repeated: u64,
    /// Bytes of memory that the description of each stream takes, and its time base.
    described: BTreeMap<usize, (usize, TimeBase)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    AwaitHello,
    AwaitChallenge,
    /// The caller decides.
    Deciding,
    Open,
    Refused,
}

impl Receiver {
    /// For a connection that begins now. `challenge` must be random and never used before.
    pub fn new(options: ReceiverOptions, challenge: [u8; 16], now: Duration) -> Self {
        let mut receiver = Self::begin(State::AwaitHello, options, now);
        receiver.challenge = challenge;
        // The queue is empty, there is room for one.
        let _ = receiver.link.say(&Message::Challenge(challenge));
        receiver
    }

    /// For a connection that this end has made, to be sent something. [`Received::Hello`] is then the sender's.
    pub fn player(options: PlayerOptions, now: Duration) -> Self {
        let PlayerOptions { name, id, mode, token } = options;
        let mut receiver = Self::begin(State::AwaitChallenge, ReceiverOptions::new(token), now);
        receiver.hello = Some(Hello::new(Role::Player, mode, id, name));
        receiver
    }

    fn begin(state: State, options: ReceiverOptions, now: Duration) -> Self {
        Self {
            link: Link::new(now),
            options,
            challenge: [0; 16],
            hello: None,
            state,
            mode: Mode::Reliable,
            next: 0,
            acknowledged: 0,
            due: None,
            lost: 0,
            ended: false,
            repeated: 0,
            described: BTreeMap::new(),
        }
    }

    /// Where bytes of the connection are pushed.
    pub fn input(&mut self) -> &mut Input {
        &mut self.link.input
    }

    /// Reads what came, keeps the clock; `None` until more bytes come.
    ///
    /// # Errors
    /// Why the connection is to be closed, after [`Receiver::refuse`] was sent.
    pub fn poll(&mut self, now: Duration) -> Result<Option<Received>, Fault> {
        self.link.tick(now)?;
        loop {
            if matches!(self.state, State::Deciding | State::Refused) {
                return Ok(None);
            }
            let Some((sequence, message)) = self.link.next_message(now)? else { return Ok(None) };
            match (self.state, message) {
                (State::AwaitHello, Message::Hello(hello)) => return self.hello(hello).map(Some),
                (State::AwaitChallenge, Message::Challenge(challenge)) => self.challenged(&challenge)?,
                (State::Open, Message::Content(event)) => {
                    if let Some(event) = self.content(sequence, event)? {
                        return Ok(Some(Received::Content(sequence, event)));
                    }
                }
                // One that was not said to it acknowledges nothing.
                (State::Open, Message::Ack(next)) if next > self.acknowledged => {}
                (State::Open, Message::Ack(next)) => self.repeated = self.repeated.max(next),
                _ => return Err(Fault::Protocol("an unexpected message of the sender")),
            }
        }
    }

    fn hello(&mut self, hello: Hello) -> Result<Received, Fault> {
        if hello.role != Role::Sender {
            return Err(Fault::Protocol("this end has nothing to play"));
        }
        // A player has asked for what it gets; it is the other end that must be shown a proof.
        if self.hello.is_none()
            && let Some(token) = &self.options.token
        {
            proof::check(token, &self.challenge, &hello)?;
        }
        (self.state, self.mode) = (State::Deciding, hello.mode);
        Ok(Received::Hello(hello))
    }

    /// A player says what it wants, and proves that it knows the token.
    fn challenged(&mut self, challenge: &[u8; 16]) -> Result<(), Fault> {
        let Some(mut hello) = self.hello.clone() else { return Ok(()) };
        if let Some(token) = &self.options.token {
            hello.proof = proof::of(token, challenge, &hello)?;
        }
        self.state = State::AwaitHello;
        self.link.say(&Message::Hello(hello))
    }

    /// The sender may go on, or begin, from this message.
    pub fn welcome(&mut self, next: u64) {
        if self.state == State::Deciding {
            (self.state, self.next, self.acknowledged) = (State::Open, next, next);
            self.link.know();
            let _ = self.link.say(&Message::Welcome(next));
        }
    }

    /// The sender must go.
    pub fn refuse(&mut self, reason: Reason, text: &str) {
        self.state = State::Refused;
        let _ = self.link.say(&Message::Error(reason, text.into()));
    }

    fn content(&mut self, sequence: u64, mut event: Event) -> Result<Option<Event>, Fault> {
        if sequence < self.next && self.mode == Mode::Reliable {
            return Ok(None);
        }
        if sequence > self.next {
            match self.mode {
                Mode::Reliable => return Err(Fault::Gap { wanted: self.next }),
                Mode::Live => self.lost = self.lost.saturating_add(sequence - self.next),
            }
        }
        match &mut event {
            Event::Stream(index, info) => self.describe(*index, info)?,
            Event::Metadata(_) => {}
            Event::Packet(packet) => {
                if let Some((rate, channels)) = packet.side.new_audio() {
                    check_audio(rate, channels)?;
                }
                if let Some((_, base)) = self.described.get(&packet.stream) {
                    packet.time_base = *base;
                }
            }
            Event::End => self.ended = true,
        }
        self.next = sequence.saturating_add(1);
        Ok(Some(event))
    }

    /// Descriptions are kept as long as there are packets: there must not be too much of them.
    fn describe(&mut self, index: usize, info: &StreamInfo) -> Result<(), Error> {
        info.check()?;
        if index >= MAX_STREAMS {
            return Err(Error::Limit { what: "streams (MAX_STREAMS)", limit: MAX_STREAMS as u64 });
        }
        self.described.insert(index, (info.weight(), info.time_base));
        if self.described.values().fold(0, |sum: usize, (bytes, _)| sum.saturating_add(*bytes)) > MAX_DESCRIPTIONS {
            let limit = MAX_DESCRIPTIONS as u64;
            return Err(Error::Limit { what: "descriptions of streams (MAX_DESCRIPTIONS)", limit });
        }
        Ok(())
    }

    /// The message that was handed on last, as it came: header and body.
    pub fn last_message(&self) -> &Bytes {
        self.link.last()
    }

    /// All content before this number is kept safely.
    pub fn acknowledge(&mut self, next: u64) {
        if next > self.acknowledged {
            self.acknowledged = next;
            self.due = Some(next);
        }
    }

    /// Keeps the clock in place of [`Receiver::poll`] while no more content can be taken, and no bytes are read: the
    /// peer, who has to wait, does not count as silent, and gets a keep-alive now and then.
    pub fn hold(&mut self, now: Duration) {
        if self.state == State::Open && self.link.hold(now) {
            // A ping would ask for an answer that waits behind the content.
            self.due = Some(self.acknowledged);
        }
    }

    /// The next message to send.
    pub fn next(&mut self, now: Duration) -> Option<Vec<Bytes>> {
        if let Some(parts) = self.link.next_control(now) {
            return Some(parts);
        }
        let next = self.due.take()?;
        self.link.spoke(now);
        Some(Message::Ack(next).encode(0))
    }

    /// Declares that the end of the content came over an earlier connection. Call it before, or instead of, waiting for
    /// [`Event::End`]: the sender does not repeat an end that a welcome has acknowledged.
    pub fn set_ended(&mut self) {
        self.ended = true;
    }

    /// Whether the sender knows that everything is kept, the end included: it repeats the last acknowledgement. An
    /// acknowledgement that comes earlier, or of something else, never makes this true.
    pub fn is_heard(&self) -> bool {
        self.ended && self.acknowledged >= self.next && self.repeated >= self.next
    }

    /// When the last whole message of the sender came.
    pub fn heard_at(&self) -> Duration {
        self.link.heard_at()
    }

    /// Asks the sender to answer, so that a connection that is gone is noticed. Does nothing before it is welcome.
    pub fn ping(&mut self, now: Duration) {
        if self.state == State::Open {
            // Too many unread answers end the connection elsewhere.
            let _ = self.link.ping(now);
        }
    }

    /// When [`Receiver::poll`] must be called at the latest.
    pub fn wake(&self) -> Duration {
        self.link.wake()
    }

    /// Bytes that were no message, and messages that a live sender's connection lost.
    pub fn damage(&self) -> (u64, u64) {
        (self.link.skipped, self.lost)
    }
}
