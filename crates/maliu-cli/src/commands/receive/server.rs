//! One transfer into one output, over any number of connections; strangers are refused without disturbing it.

use std::{
    future::pending,
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use maliu::{
    tokio::{
        net::{Listener, Stream},
        wire::{Clock, Error, Incoming},
    },
    wire::{
        message::{Hello, Mode, Reason},
        session::{Content, ReceiverOptions},
    },
};
use serde_json::json;
use tokio::{
    sync::{Semaphore, mpsc, oneshot},
    time::sleep,
};

use super::{
    Args, LINGER, Output,
    journal::{self, Journal},
    pipe,
};
use crate::{
    failure::{Failure, Result},
    json,
};

/// Connections that may say who they are at the same time; more wait to be accepted.
const MAX_STRANGERS: usize = 256;

/// A connection whose hello was right.
struct Guest {
    connection: Incoming,
    hello: Hello,
}

/// The receiving end of a transfer.
pub struct Server<'a> {
    guests: mpsc::Receiver<Guest>,
    output: Output,
    args: &'a Args,
    store: Option<Store>,
    writing: Option<oneshot::Receiver<Result>>,
    complete: bool,
    report: Report,
}

/// Where content goes.
enum Store {
    Journal(Journal),
    Pipe { feed: Option<pipe::Feed>, id: u64, next: u64, ended: bool },
}

impl<'a> Server<'a> {
    /// A server at a listener.
    pub fn new(listener: Listener, options: ReceiverOptions, output: Output, args: &'a Args) -> Self {
        let (known, guests) = mpsc::channel(8);
        tokio::spawn(welcome_all(listener, options, known));
        Self { guests, output, args, store: None, writing: None, complete: false, report: Report::new() }
    }

    /// Receives until the output is complete and the sender knows it.
    pub async fn run(mut self) -> Result {
        self.store = self.left_over()?;
        self.write_if_ended();
        let mut current: Option<Incoming> = None;
        loop {
            let lonely = self.complete && current.is_none();
            tokio::select! {
                guest = self.guests.recv() => {
                    let guest = guest.ok_or_else(|| Failure::Failed("listening ended".into()))?;
                    if let Some(connection) = self.admit(guest)? {
                        current = Some(connection);
                    }
                }
                moved = wait(current.as_mut()) => {
                    if let Err(error) = moved {
                        tracing::info!("{error}");
                        current = None;
                    }
                }
                end = written(&mut self.writing) => {
                    self.writing = None;
                    if let Err(failure) = end.and_then(|()| self.mark_complete()) {
                        return Err(send_away(current, failure).await);
                    }
                }
                () = sleep(LINGER), if lonely => return self.forget(),
            }
            let Some(connection) = &mut current else { continue };
            match self.take(connection).await {
                Ok(()) if connection.session().is_heard() => return self.forget(),
                Ok(()) => {}
                Err(Trouble::Connection(error)) => {
                    tracing::info!("{error}");
                    if let (Some(connection), Error::Fault(fault)) = (current.take(), &error) {
                        let (reason, why) = (fault.reason(), fault.to_string());
                        tokio::spawn(async move { connection.refuse(reason, &why).await });
                    }
                }
                Err(Trouble::Here(failure)) => return Err(send_away(current, failure).await),
            }
        }
    }

    /// What an earlier run has left.
    fn left_over(&mut self) -> Result<Option<Store>> {
        if !self.output.is_file() {
            return Ok(None);
        }
        let place = journal::place(&self.output.out);
        let failed = |error| Failure::while_("reading", &place.to_string_lossy(), error);
        if self.args.fresh && place.exists() {
            std::fs::remove_file(&place).map_err(failed)?;
        }
        let journal = Journal::reopen(&place).map_err(failed)?;
        self.complete = journal.as_ref().is_some_and(|journal| journal.complete);
        Ok(journal.map(Store::Journal))
    }

    /// Lets a sender in, or sends it away.
    fn admit(&mut self, guest: Guest) -> Result<Option<Incoming>> {
        let Guest { mut connection, hello } = guest;
        let other = match &self.store {
            Some(Store::Journal(journal)) => journal.id != hello.id && !journal.complete,
            Some(Store::Pipe { id, .. }) => *id != hello.id,
            None => false,
        };
        if other {
            tracing::warn!("{}: another transfer is under way", hello.name);
            let why = "another transfer is under way, or waits to be finished (receive --fresh forgets it)";
            tokio::spawn(async move { connection.refuse(Reason::Busy, why).await });
            return Ok(None);
        }
        if !matches!(&self.store, Some(Store::Journal(journal)) if journal.id == hello.id)
            && !matches!(&self.store, Some(Store::Pipe { .. }))
        {
            self.store = Some(self.begin(&hello)?);
        }
        connection.session().welcome(self.progress().0);
        Ok(Some(connection))
    }

    /// Makes a place for a new transfer.
    fn begin(&mut self, hello: &Hello) -> Result<Store> {
        self.complete = false;
        if hello.mode == Mode::Reliable && self.output.is_file() {
            let place = journal::place(&self.output.out);
            let journal = Journal::create(&place, hello);
            return journal
                .map(Store::Journal)
                .map_err(|error| Failure::while_("writing", &place.to_string_lossy(), error));
        }
        let (feed, end) = self.output.write_live();
        self.writing = Some(end);
        Ok(Store::Pipe { feed: Some(feed), id: hello.id, next: 0, ended: false })
    }

    /// Takes all content that has come, and acknowledges what is kept. The end is acknowledged when the output is written.
    async fn take(&mut self, connection: &mut Incoming) -> std::result::Result<(), Trouble> {
        while let Some((sequence, content)) = connection.next_content().map_err(Trouble::Connection)? {
            let message = connection.session().last_message().clone();
            self.report.count(message.len());
            let ends = content == Content::End;
            match &mut self.store {
                Some(Store::Journal(journal)) => {
                    journal.keep(message).map_err(|error| Trouble::writing(journal, &error))?;
                    journal.ended |= ends;
                }
                Some(Store::Pipe { feed, next, ended, .. }) => {
                    *next = sequence + 1;
                    *ended |= ends;
                    let open = match feed {
                        Some(feed) => feed.send(message).await.is_ok(),
                        None => false,
                    };
                    // A command that has ended says why in its result.
                    if !open || ends {
                        *feed = None;
                    }
                }
                None => {}
            }
        }
        if let Some(Store::Journal(journal)) = &mut self.store {
            journal.flush().map_err(|error| Trouble::writing(journal, &error))?;
        }
        self.write_if_ended();
        let (next, ended) = self.progress();
        connection.session().acknowledge(if ended && !self.complete { next.saturating_sub(1) } else { next });
        self.report.tell(self.args, connection);
        Ok(())
    }

    /// The number of the message that is wanted next, and whether the end has come.
    fn progress(&self) -> (u64, bool) {
        match &self.store {
            Some(Store::Journal(journal)) => (journal.next, journal.ended),
            Some(Store::Pipe { next, ended, .. }) => (*next, *ended),
            None => (0, false),
        }
    }

    /// A journal that is whole becomes the output.
    fn write_if_ended(&mut self) {
        if let Some(Store::Journal(journal)) = &self.store
            && journal.ended
            && self.writing.is_none()
            && !self.complete
        {
            self.writing = Some(self.output.write_file(journal.path()));
        }
    }

    fn mark_complete(&mut self) -> Result {
        self.complete = true;
        match &mut self.store {
            Some(Store::Journal(journal)) => {
                let done = journal.complete();
                done.map_err(|error| Failure::while_("writing", &journal.path().to_string_lossy(), error))
            }
            _ => Ok(()),
        }
    }

    /// Nothing is needed any more.
    fn forget(&mut self) -> Result {
        self.report.done(self.args);
        match self.store.take() {
            Some(Store::Journal(journal)) => {
                let path = journal.path().to_string_lossy().into_owned();
                journal.remove().map_err(|error| Failure::while_("removing", &path, error))
            }
            _ => Ok(()),
        }
    }
}

/// Whose fault it is.
enum Trouble {
    Connection(Error),
    Here(Failure),
}

impl Trouble {
    fn writing(journal: &Journal, error: &io::Error) -> Self {
        Self::Here(Failure::while_("writing", &journal.path().to_string_lossy(), error))
    }
}

/// Tells the sender what went wrong here.
async fn send_away(connection: Option<Incoming>, failure: Failure) -> Failure {
    if let Some(connection) = connection {
        connection.refuse(Reason::Other(1), &failure.to_string()).await;
    }
    failure
}

/// Moves bytes of a connection; for ever pending without one.
async fn wait(connection: Option<&mut Incoming>) -> std::result::Result<(), Error> {
    match connection {
        Some(connection) => connection.wait().await,
        None => pending().await,
    }
}

/// The end of writing; for ever pending when nothing is written.
async fn written(writing: &mut Option<oneshot::Receiver<Result>>) -> Result {
    match writing {
        Some(end) => end.await.unwrap_or_else(|_| Err(Failure::Failed("writing ended in a panic".into()))),
        None => pending().await,
    }
}

/// Accepts, and finds out who is there; nobody waits for a slow one.
async fn welcome_all(listener: Listener, options: ReceiverOptions, known: mpsc::Sender<Guest>) {
    let strangers = Arc::new(Semaphore::new(MAX_STRANGERS));
    let clock = Clock::default();
    while let Ok(place) = strangers.clone().acquire_owned().await {
        let arrived = match listener.accept().await {
            Ok(arrived) => arrived,
            Err(error) => {
                // Often too many open files: those that are open end sooner or later.
                tracing::warn!("accepting: {error}");
                sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let (options, known) = (options.clone(), known.clone());
        tokio::spawn(async move {
            let _place = place;
            let stream = match arrived.stream().await {
                Ok(stream) => stream,
                Err(error) => return tracing::info!("handshake: {error}"),
            };
            if let Some(guest) = identify(stream, options, clock).await {
                let _ = known.send(guest).await;
            }
        });
    }
}

/// Waits for a hello; somebody who says something else, or nothing, is sent away.
async fn identify(stream: Stream, options: ReceiverOptions, clock: Clock) -> Option<Guest> {
    let mut connection = Incoming::new(stream, options, clock).ok()?;
    let error = loop {
        match connection.next_content() {
            Ok(Some((_, Content::Hello(hello)))) => return Some(Guest { connection, hello }),
            Ok(_) => {}
            Err(error) => break error,
        }
        if let Err(error) = connection.wait().await {
            break error;
        }
    };
    tracing::info!("refused: {error}");
    if let Error::Fault(fault) = error {
        connection.refuse(fault.reason(), &fault.to_string()).await;
    }
    None
}

/// What the user is told on the way.
struct Report {
    begun: Instant,
    next: Instant,
    messages: u64,
    bytes: u64,
    skipped: u64,
    lost: u64,
}

impl Report {
    fn new() -> Self {
        let now = Instant::now();
        Self { begun: now, next: now + EVERY, messages: 0, bytes: 0, skipped: 0, lost: 0 }
    }

    fn count(&mut self, bytes: usize) {
        self.messages += 1;
        self.bytes += bytes as u64;
    }

    fn tell(&mut self, args: &Args, connection: &mut Incoming) {
        (self.skipped, self.lost) = connection.session().damage();
        if args.json && Instant::now() >= self.next {
            self.next = Instant::now() + EVERY;
            self.line("progress", args);
        }
    }

    fn done(&self, args: &Args) {
        if args.json {
            self.line("done", args);
        }
    }

    fn line(&self, event: &str, args: &Args) {
        let seconds = self.begun.elapsed().as_secs_f64().max(1e-3);
        let value = json!({
            "event": event,
            "seconds": seconds,
            "messages": self.messages,
            "bytes": self.bytes,
            "bytes_per_second": (self.bytes as f64 / seconds) as u64,
            "skipped_bytes": self.skipped,
            "lost_messages": self.lost,
        });
        json::line(&args.out, &value);
    }
}

/// Between two lines.
const EVERY: Duration = Duration::from_secs(1);
