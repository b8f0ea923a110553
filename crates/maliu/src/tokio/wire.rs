//! Sessions of the wire over a connection: one task moves bytes both ways, keeps the clock and never waits for one side
//! only.

use std::{
    future::{Future, poll_fn},
    io,
    pin::pin,
    task::Poll,
    time::{Duration, Instant},
};

use ::tokio::{
    sync::mpsc,
    time::{sleep, sleep_until},
};
use maliu_core::{
    format::Event,
    wire::{
        message::{Message, Reason},
        session::{Fault, PlayerOptions, Received, Receiver, ReceiverOptions, Sender},
    },
};

use self::channel::Channel;
use super::net::{self, Address, Stream, Trust};

mod channel;

/// Bytes that are read, or wait to be written, at a time, at most.
const BLOCK: usize = 256 << 10;

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The transport failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// One of the ends did.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The peer has closed the connection.
    #[error("the connection was closed")]
    Closed,
}

impl Error {
    /// Whether a new connection cannot help.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Fault(fault) => fault.is_final(),
            Self::Io(error) => matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::InvalidData),
            Self::Closed => false,
        }
    }
}

/// The times given to sessions: spans since it was made.
#[derive(Clone, Copy, Debug)]
pub struct Clock(Instant);

impl Default for Clock {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Clock {
    /// Now.
    pub fn now(&self) -> Duration {
        self.0.elapsed()
    }

    fn at(&self, time: Duration) -> ::tokio::time::Instant {
        (self.0 + time).into()
    }
}

/// Where a sender's content comes from: events of a reader, in batches; the channel's end is the content's end.
pub type Source = mpsc::Receiver<Vec<Event>>;

/// Gives a batch to a sender; `None` is the end.
fn give(sender: &mut Sender, batch: Option<Vec<Event>>) {
    match batch {
        Some(batch) => batch.into_iter().for_each(|event| sender.push(event)),
        None => sender.finish(),
    }
}

/// Sends over one connection until the receiver keeps everything.
///
/// # Errors
/// Why the connection ended before. The sender can go on with another one.
pub async fn send_over(
    stream: Stream,
    sender: &mut Sender,
    source: &mut Source,
    clock: Clock,
    report: impl FnMut(&Sender),
) -> Result<(), Error> {
    sender.connect(clock.now());
    transfer(Channel::new(stream), sender, source, clock, report).await
}

/// As [`send_over`], over a connection that a player has made.
///
/// # Errors
/// As [`send_over`], and when the system has no random numbers. The player gets the reason.
pub async fn send_to_player(
    stream: Stream,
    sender: &mut Sender,
    source: &mut Source,
    clock: Clock,
    report: impl FnMut(&Sender),
) -> Result<(), Error> {
    sender.accept(challenge()?, clock.now());
    transfer(Channel::new(stream), sender, source, clock, report).await
}

fn challenge() -> io::Result<[u8; 16]> {
    let mut challenge = [0; 16];
    getrandom::fill(&mut challenge).map_err(io::Error::other)?;
    Ok(challenge)
}

async fn transfer(
    mut channel: Channel,
    sender: &mut Sender,
    source: &mut Source,
    clock: Clock,
    mut report: impl FnMut(&Sender),
) -> Result<(), Error> {
    let result = loop {
        let now = clock.now();
        if let Err(fault) = sender.poll(now) {
            break Err(fault.into());
        }
        report(sender);
        if sender.is_done() {
            while let Some(data) = sender.next_into(now, channel.small()) {
                channel.put(data);
            }
            break Ok(());
        }
        while channel.waiting() < BLOCK / 4 {
            let Some(data) = sender.next_into(now, channel.small()) else { break };
            channel.put(data);
        }
        let mut timer = pin!(sleep_until(clock.at(sender.wake().unwrap_or(now))));
        let step = poll_fn(|cx| {
            if let Some(input) = sender.input()
                && let Poll::Ready(result) = channel.poll_fill(cx, input)
            {
                return Poll::Ready(result);
            }
            if let Poll::Ready(result) = channel.poll_send(cx) {
                return Poll::Ready(result);
            }
            if sender.is_ready()
                && !sender.is_finished()
                && let Poll::Ready(batch) = source.poll_recv(cx)
            {
                give(sender, batch);
                return Poll::Ready(Ok(()));
            }
            timer.as_mut().poll(cx).map(Ok)
        });
        if let Err(error) = step.await {
            break Err(error);
        }
    };
    sender.disconnect();
    match &result {
        Ok(()) => channel.close(FAREWELL).await,
        // The end that refused has the reason.
        Err(Error::Fault(fault)) if !matches!(fault, Fault::Refused { .. }) => {
            channel.put_all(Message::Error(fault.reason(), fault.to_string()).encode(0));
            channel.close(FAREWELL).await;
        }
        Err(_) => {}
    }
    result
}

/// How long to wait for the peer to close.
const FAREWELL: Duration = Duration::from_secs(2);

/// How to go on when a connection breaks.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Retry {
    /// The first pause; each further one is twice as long.
    pub first: Duration,
    /// The longest pause.
    pub longest: Duration,
    /// How long no connection may be made before the sender gives up; `None` for never.
    pub give_up: Option<Duration>,
}

impl Retry {
    /// Gives up after this time without a connection; `None` for never.
    #[must_use]
    pub fn giving_up(self, give_up: Option<Duration>) -> Self {
        Self { give_up, ..self }
    }
}

impl Default for Retry {
    fn default() -> Self {
        Self { first: Duration::from_millis(50), longest: Duration::from_secs(5), give_up: None }
    }
}

/// Connects, sends, and connects again until the receiver keeps everything. The source is drained on, as far as the
/// sender has room, while there is no connection.
///
/// # Errors
/// A final one, or the last one when giving up.
pub async fn send(
    address: &Address,
    trust: Option<&Trust>,
    sender: &mut Sender,
    source: &mut Source,
    retry: Retry,
    mut report: impl FnMut(&Sender, Option<&Error>),
) -> Result<(), Error> {
    let clock = Clock::default();
    let (mut pause, mut last_good) = (retry.first, clock.now());
    loop {
        let attempt = async { net::connect(address, trust).await.map_err(Error::from) };
        let error = match meanwhile(attempt, sender, source).await {
            Ok(stream) => {
                let (before, begun) = (sender.stats(), clock.now());
                let sent = send_over(stream, sender, source, clock, |sender| report(sender, None)).await;
                let Err(error) = sent else { return Ok(()) };
                let after = sender.stats();
                if after.acknowledged > before.acknowledged {
                    (pause, last_good) = (retry.first, clock.now());
                } else if after.connections > before.connections {
                    // A peer that had nothing to acknowledge was there all the same.
                    last_good += clock.now() - begun;
                }
                error
            }
            Err(error) => error,
        };
        report(sender, Some(&error));
        if error.is_final() || retry.give_up.is_some_and(|limit| clock.now() - last_good >= limit) {
            return Err(error);
        }
        meanwhile(sleep(pause), sender, source).await;
        pause = (pause * 2).min(retry.longest);
    }
}

/// Does something else while the source goes on.
async fn meanwhile<F: Future>(work: F, sender: &mut Sender, source: &mut Source) -> F::Output {
    let mut work = pin!(work);
    poll_fn(|cx| {
        loop {
            if let Poll::Ready(output) = work.as_mut().poll(cx) {
                return Poll::Ready(output);
            }
            if !sender.is_ready() || sender.is_finished() {
                return Poll::Pending;
            }
            match source.poll_recv(cx) {
                Poll::Ready(batch) => give(sender, batch),
                Poll::Pending => return Poll::Pending,
            }
        }
    })
    .await
}

/// The receiving end of a connection.
pub struct Incoming {
    channel: Channel,
    receiver: Receiver,
    clock: Clock,
}

impl Incoming {
    /// For a connection that was just accepted.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub fn new(stream: Stream, options: ReceiverOptions, clock: Clock) -> io::Result<Self> {
        let receiver = Receiver::new(options, challenge()?, clock.now());
        Ok(Self { channel: Channel::new(stream), receiver, clock })
    }

    /// For a connection that was made to be sent something. [`Received::Hello`] is then the sender's.
    pub fn player(stream: Stream, options: PlayerOptions, clock: Clock) -> Self {
        Self { channel: Channel::new(stream), receiver: Receiver::player(options, clock.now()), clock }
    }

    /// Reads at most `bytes` bytes at a time: the memory cost of a fast peer besides the message under way.
    pub fn with_block_size(mut self, bytes: usize) -> Self {
        self.channel.limit_reads(bytes);
        self
    }

    /// Content that has come already; `None` when [`Incoming::wait`] must be called for more.
    ///
    /// # Errors
    /// Why the connection is to be closed with [`Incoming::refuse`].
    pub fn next_content(&mut self) -> Result<Option<Received>, Error> {
        Ok(self.receiver.poll(self.clock.now())?)
    }

    /// Moves bytes until something was received or sent, or the clock wants [`Incoming::next_content`] called. Can be
    /// dropped at any time.
    ///
    /// # Errors
    /// [`Error::Closed`] when the peer has closed the connection, or the transport's.
    pub async fn wait(&mut self) -> Result<(), Error> {
        self.gather();
        let mut timer = pin!(sleep_until(self.clock.at(self.receiver.wake())));
        let Self { channel, receiver, .. } = self;
        poll_fn(|cx| {
            if let Poll::Ready(result) = channel.poll_send(cx) {
                return Poll::Ready(result);
            }
            if let Poll::Ready(result) = channel.poll_fill(cx, receiver.input()) {
                return Poll::Ready(result);
            }
            timer.as_mut().poll(cx).map(Ok)
        })
        .await
    }

    /// In place of [`Incoming::wait`] while no more content can be taken: reads nothing, so that the peer has to wait,
    /// and tells it now and then that this end is there. Ends only when the connection does; can be dropped at any
    /// time.
    pub async fn hold(&mut self) -> Error {
        loop {
            self.receiver.hold(self.clock.now());
            self.gather();
            let mut timer = pin!(sleep_until(self.clock.at(self.receiver.wake())));
            let channel = &mut self.channel;
            let step = poll_fn(|cx| match channel.poll_send(cx) {
                Poll::Ready(result) => Poll::Ready(result),
                Poll::Pending => timer.as_mut().poll(cx).map(Ok),
            });
            if let Err(error) = step.await {
                return error;
            }
        }
    }

    fn gather(&mut self) {
        while self.channel.waiting() < BLOCK {
            let Some(parts) = self.receiver.next(self.clock.now()) else { break };
            self.channel.put_all(parts);
        }
    }

    /// The session, to welcome, to acknowledge, and to ask.
    pub fn session(&mut self) -> &mut Receiver {
        &mut self.receiver
    }

    /// How long ago the last whole message of the peer came.
    pub fn quiet_for(&self) -> Duration {
        self.clock.now().saturating_sub(self.receiver.heard_at())
    }

    /// Asks the peer to answer, with the next [`Incoming::wait`]: a connection that is gone shows itself by that.
    pub fn ping(&mut self) {
        self.receiver.ping(self.clock.now());
    }

    /// Tells the peer why, and closes.
    pub async fn refuse(mut self, reason: Reason, why: &str) {
        self.gather();
        self.channel.put_all(Message::Error(reason, why.to_owned()).encode(0));
        self.part().close(FAREWELL).await;
    }

    /// Says what is left to say, and closes when the peer has.
    pub async fn close(mut self) {
        self.gather();
        self.part().close(FAREWELL).await;
    }

    /// The connection alone: what has come and is not taken goes at once, or a peer that is sent away would cost its
    /// memory as long as the farewell lasts.
    fn part(self) -> Channel {
        self.channel
    }
}
