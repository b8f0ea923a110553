//! The end that has packets: it connects and says hello, or listens to a player's; sends, and keeps what is not yet
//! acknowledged.

use alloc::{boxed::Box, collections::BTreeMap, string::String, vec::Vec};
use core::time::Duration;

use bytes::Bytes;

use super::{
    super::message::{Hello, Message, Mode, Reason, Role},
    Fault,
    link::Link,
    live, proof,
    reliable::{self, UNSENT},
};
use crate::{format::Event, input::Input, time::TimeBase};

/// Identity and wishes of a sender.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SenderOptions {
    /// Its name for its content.
    pub name: String,
    /// The same for every connection of one transfer, also after a restart.
    pub id: u64,
    /// The mode.
    pub mode: Mode,
    /// The token of the receiver, if it asks for one.
    pub token: Option<String>,
    /// In live mode: how much may wait.
    pub limits: live::Limits,
}

impl SenderOptions {
    /// Without a token, and with the usual limits.
    pub fn new(name: impl Into<String>, id: u64, mode: Mode) -> Self {
        Self { name: name.into(), id, mode, token: None, limits: live::Limits::default() }
    }

    /// With this token of the receiver, if there is one.
    #[must_use]
    pub fn with_token(self, token: Option<String>) -> Self {
        Self { token, ..self }
    }

    /// With these limits on packets that wait in live mode.
    #[must_use]
    pub fn with_limits(self, limits: live::Limits) -> Self {
        Self { limits, ..self }
    }
}

/// Statistics of a sender.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Connections that were welcome.
    pub connections: u64,
    /// Messages given to connections, with those sent again.
    pub messages: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Packets that were dropped in live mode.
    pub dropped_packets: u64,
    /// Bytes of them.
    pub dropped_bytes: u64,
    /// Messages and bytes that wait to be sent, or acknowledged.
    pub waiting: (usize, usize),
    /// In live mode: from the oldest packet that has not arrived to the newest, which is how far the viewer lags.
    pub delay: Duration,
    /// The first message that is not known to be kept by the receiver.
    pub acknowledged: u64,
}

/// The sending end of a transfer, over any number of connections.
#[derive(Debug)]
pub struct Sender {
    options: SenderOptions,
    link: Option<Link>,
    state: State,
    queue: Queue,
    /// The time bases that the streams were described with.
    bases: BTreeMap<usize, TimeBase>,
    finished: bool,
    /// In live mode: the receiver has acknowledged the end.
    done: bool,
    stats: Stats,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    AwaitChallenge,
    /// A player's, in answer to this challenge.
    AwaitHello([u8; 16]),
    AwaitWelcome,
    Open,
}

#[derive(Debug)]
enum Queue {
    Reliable(reliable::Queue),
    Live(Box<live::Queue>),
}

/// The source's half.
impl Sender {
    /// A sender without a connection.
    pub fn new(options: SenderOptions) -> Self {
        let queue = match options.mode {
            Mode::Reliable => Queue::Reliable(reliable::Queue::default()),
            Mode::Live => Queue::Live(Box::new(live::Queue::new(options.limits))),
        };
        let stats = Stats::default();
        let bases = BTreeMap::new();
        Self { options, link: None, state: State::AwaitChallenge, queue, bases, finished: false, done: false, stats }
    }

    /// Whether more content is wanted. A live sender always wants it, a reliable one not for a player that has not yet
    /// sent its hello; pushing anyway is not an error.
    pub fn is_ready(&self) -> bool {
        match &self.queue {
            Queue::Reliable(_) if self.is_strange() => false,
            Queue::Reliable(queue) => !queue.is_full(),
            Queue::Live(_) => true,
        }
    }

    /// Content, as a reader reports it. The times of a packet are converted to the time base that its stream was
    /// described with. [`Event::End`] is [`Sender::finish`].
    pub fn push(&mut self, mut event: Event) {
        match &mut event {
            Event::Stream(index, info) => drop(self.bases.insert(*index, info.time_base)),
            Event::Packet(packet) => {
                if let Some(base) = self.bases.get(&packet.stream) {
                    let from = if packet.time_base == TimeBase::OF_STREAM { *base } else { packet.time_base };
                    packet.rescale(from, *base);
                }
            }
            Event::Metadata(_) => {}
            Event::End => return self.finish(),
        }
        self.queue(event);
    }

    /// Declares that nothing follows.
    pub fn finish(&mut self) {
        if !core::mem::replace(&mut self.finished, true) {
            self.queue(Event::End);
        }
    }

    /// Whether [`Sender::finish`] was called.
    pub fn is_finished(&self) -> bool {
        self.finished
    }

    /// Whether the receiver keeps everything.
    pub fn is_done(&self) -> bool {
        match &self.queue {
            Queue::Reliable(queue) => self.finished && queue.is_empty() && queue.beyond().is_none(),
            Queue::Live(_) => self.done,
        }
    }

    /// Statistics so far.
    pub fn stats(&self) -> Stats {
        let mut stats = self.stats;
        match &self.queue {
            Queue::Reliable(queue) => stats.waiting = queue.waiting(),
            Queue::Live(queue) => {
                (stats.waiting, stats.delay) = (queue.waiting(), queue.delay());
                (stats.dropped_packets, stats.dropped_bytes) = queue.dropped;
            }
        }
        stats
    }

    /// Whether a player has connected of whom nothing is known: nothing is kept for it.
    fn is_strange(&self) -> bool {
        matches!(self.state, State::AwaitHello(_))
    }

    fn queue(&mut self, event: Event) {
        let strange = self.is_strange();
        match &mut self.queue {
            Queue::Reliable(queue) => queue.push(event),
            Queue::Live(_) if strange && matches!(event, Event::Packet(_)) => {}
            Queue::Live(queue) => queue.push(event),
        }
    }
}

/// The transport's half.
impl Sender {
    /// A connection is there.
    pub fn connect(&mut self, now: Duration) {
        (self.link, self.state) = (Some(Link::new(now)), State::AwaitChallenge);
    }

    /// A connection is there that a player has made. `challenge` must be random and never used before.
    pub fn accept(&mut self, challenge: [u8; 16], now: Duration) {
        let mut link = Link::new(now);
        // The queue is empty, there is room for one.
        let _ = link.say(&Message::Challenge(challenge));
        (self.link, self.state) = (Some(link), State::AwaitHello(challenge));
    }

    /// The connection is gone.
    pub fn disconnect(&mut self) {
        self.link = None;
    }

    /// Where bytes of the connection are pushed; `None` without one.
    pub fn input(&mut self) -> Option<&mut Input> {
        self.link.as_mut().map(|link| &mut link.input)
    }

    /// Reads what came, keeps the clock.
    ///
    /// # Errors
    /// Why the connection is to be closed; [`Fault::is_final`] tells whether another one makes sense.
    pub fn poll(&mut self, now: Duration) -> Result<(), Fault> {
        let Some(link) = &mut self.link else { return Ok(()) };
        link.tick(now)?;
        while let Some((_, message)) = self.link.as_mut().map_or(Ok(None), |link| link.next_message(now))? {
            self.hear(message, now)?;
        }
        if let (Queue::Live(queue), Some(link)) = (&mut self.queue, &mut self.link) {
            if let Some(ping) = link.take_answered() {
                queue.answered(ping, now);
            }
            queue.tick(now);
            ask(queue, link);
        }
        self.check_end()
    }

    /// A receiver that wants more than the source has speaks of another transfer.
    fn check_end(&self) -> Result<(), Fault> {
        match &self.queue {
            Queue::Reliable(queue) if self.finished => match queue.beyond() {
                Some(wanted) => Err(Fault::BeyondEnd { wanted, end: queue.next() }),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn hear(&mut self, message: Message, now: Duration) -> Result<(), Fault> {
        let Some(link) = &mut self.link else { return Ok(()) };
        match (self.state, message) {
            (State::AwaitChallenge, Message::Challenge(challenge)) => {
                let SenderOptions { name, id, mode, token, .. } = &self.options;
                let mut hello = Hello::new(Role::Sender, *mode, *id, name);
                if let Some(token) = token {
                    hello.proof = proof::of(token, &challenge, &hello)?;
                }
                self.state = State::AwaitWelcome;
                link.say(&Message::Hello(hello))
            }
            (State::AwaitHello(challenge), Message::Hello(hello)) => {
                let SenderOptions { name, id, mode, token, .. } = &self.options;
                if hello.role != Role::Player {
                    return Err(Fault::Protocol("this end sends, and receives nothing"));
                }
                if let Some(token) = token {
                    proof::check(token, &challenge, &hello)?;
                }
                if hello.mode != *mode || !(hello.name.is_empty() || hello.name == *name) {
                    return Err(Fault::Absent);
                }
                self.state = State::AwaitWelcome;
                link.say(&Message::Hello(Hello::new(Role::Sender, *mode, *id, name)))
            }
            (State::AwaitWelcome, Message::Welcome(next)) => {
                link.know();
                self.state = State::Open;
                self.stats.connections = self.stats.connections.saturating_add(1);
                match &mut self.queue {
                    Queue::Reliable(queue) => queue.resume(next)?,
                    Queue::Live(queue) => {
                        queue.resume();
                        if self.finished && queue.waiting().0 == 0 {
                            queue.push(Event::End);
                        }
                    }
                }
                self.acknowledge(next)
            }
            (State::Open, Message::Ack(next)) => {
                if let Queue::Live(queue) = &mut self.queue {
                    if next > queue.next() {
                        return Err(UNSENT);
                    }
                    queue.confirm(next, now);
                }
                self.acknowledge(next)
            }
            (State::Open, Message::Content(Event::End)) => {
                Err(Fault::Refused { reason: Reason::Other(0), text: "goodbye".into() })
            }
            _ => Err(Fault::Protocol("an unexpected message of the receiver")),
        }
    }

    fn acknowledge(&mut self, next: u64) -> Result<(), Fault> {
        match &mut self.queue {
            Queue::Reliable(queue) => queue.acknowledge(next)?,
            Queue::Live(queue) => {
                self.done |= self.finished && queue.waiting().0 == 0 && next == queue.next() && next > 0;
            }
        }
        self.stats.acknowledged = self.stats.acknowledged.max(next);
        match (self.is_done(), &mut self.link) {
            (true, Some(link)) => link.say(&Message::Ack(next)),
            _ => Ok(()),
        }
    }

    /// The next message to send, in one or two parts.
    pub fn next(&mut self, now: Duration) -> Option<Vec<Bytes>> {
        let mut front = Vec::new();
        let data = self.next_into(now, &mut front)?;
        Some([front.into(), data].into_iter().filter(|part: &Bytes| !part.is_empty()).collect())
    }

    /// As [`Sender::next`], for many messages in few parts: appends to `out`, and returns what is to follow it, which
    /// is the data of a packet, shared, or empty.
    pub fn next_into(&mut self, now: Duration, out: &mut Vec<u8>) -> Option<Bytes> {
        let link = self.link.as_mut()?;
        let before = out.len();
        if let Some(parts) = link.next_control(now) {
            parts.iter().for_each(|part| out.extend_from_slice(part));
            return Some(Bytes::new());
        }
        if self.state != State::Open {
            return None;
        }
        let data = match &mut self.queue {
            Queue::Reliable(queue) => queue.send(out),
            Queue::Live(queue) => queue.send(out, now),
        }?;
        link.spoke(now);
        if let Queue::Live(queue) = &mut self.queue {
            ask(queue, link);
        }
        self.stats.messages = self.stats.messages.saturating_add(1);
        let bytes = out.len().saturating_sub(before).saturating_add(data.len());
        self.stats.bytes = self.stats.bytes.saturating_add(bytes as u64);
        Some(data)
    }

    /// When [`Sender::poll`] must be called at the latest.
    pub fn wake(&self) -> Option<Duration> {
        self.link.as_ref().map(Link::wake)
    }
}

/// Asks whether messages under way have arrived, unless an answer is awaited.
fn ask(queue: &mut live::Queue, link: &mut Link) {
    if let Some(ping) = queue.probe() {
        // Where too many answers wait to be sent, a later call asks again.
        let _ = link.say(&Message::Ping(ping));
    }
}
