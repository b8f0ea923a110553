//! Publishers by maliu's own wire: what `maliu send` sends becomes tags, and a sender whose connection broke goes on.

use std::{
    collections::HashMap,
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use maliu::{
    copy::{self, Recorder},
    format::Event,
    formats::flv,
    io::Sink,
    live::Epoch,
    output::{Edit, Reach},
    rtmp::Tags,
    tokio::wire::{Clock, Error, Incoming},
    wire::{
        message::{Hello, Mode, Reason, Role},
        session::{Received, ReceiverOptions},
    },
};
use tokio::time::sleep;

use crate::{
    access::{Purpose, Shown},
    channel::Channel,
    gate::Visit,
    hooks::Ask,
    hub::{Hub, Publisher},
    link::Socket,
    name::Name,
};

/// Bytes that are read at a time.
const BLOCK: usize = 64 << 10;

/// The application of all streams that come this way.
const APP: &str = "live";

/// How far a transfer of a file may be ahead of its time.
const LEAD: Duration = Duration::from_millis(500);

/// No time has come yet.
const NEVER: i64 = i64::MIN;

/// Transfers whose connection broke, by their numbers.
#[derive(Default)]
pub(crate) struct Transfers(Mutex<HashMap<u64, (Transfer, Instant)>>);

impl std::fmt::Debug for Transfers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Transfers").finish_non_exhaustive()
    }
}

impl Transfers {
    fn take(&self, id: u64) -> Option<Transfer> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&id).map(|(transfer, _)| transfer)
    }

    fn keep(&self, id: u64, transfer: Transfer) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id, (transfer, Instant::now()));
    }

    /// Forgets those that broke longer ago than this.
    pub(crate) fn sweep(&self, linger: Duration) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, (_, since)| since.elapsed() < linger);
    }
}

/// A transfer: packets on their way into a channel.
struct Transfer {
    recorder: Recorder<Tagger>,
    /// It leaves the channel when the transfer is dropped.
    publisher: Publisher,
    /// The number of the content that comes next.
    next: u64,
    /// Content that is to be sent in its time, and may come sooner.
    paced: bool,
    begun: Option<(Instant, i64)>,
    latest: Arc<AtomicI64>,
}

impl Transfer {
    fn begin(hub: &Arc<Hub>, hello: &Hello) -> Result<Self, (Reason, &'static str)> {
        if hello.role != Role::Sender {
            return Err((Reason::Absent, "nothing is sent here; watch by RTMP or HTTP"));
        }
        // Its token was proved in the handshake.
        let publisher = hub.publish_known(name(&hello.name)).map_err(|refusal| (Reason::Busy, refusal.why))?;
        let latest = Arc::new(AtomicI64::new(NEVER));
        let tagger = Tagger {
            channel: Arc::clone(&publisher.channel),
            epoch: publisher.epoch,
            tags: Tags::new(),
            at_once: hub.settings().batch.is_zero(),
            hub: Arc::clone(hub),
            latest: Arc::clone(&latest),
        };
        let mut options = copy::Options::default();
        options.name = publisher.channel.name.to_string();
        options.low_latency = true;
        let recorder = Recorder::new(&flv::FORMAT, tagger, options);
        Ok(Self { recorder, publisher, next: 0, paced: hello.mode == Mode::Reliable, begun: None, latest })
    }

    /// Takes content; returns how far it is ahead of its time.
    fn take(&mut self, number: u64, event: Event) -> Result<Duration, copy::Error> {
        self.recorder.push(event)?;
        self.next = number + 1;
        let latest = self.latest.load(Ordering::Relaxed);
        if !self.paced || latest == NEVER {
            return Ok(Duration::ZERO);
        }
        let (begun, first) = *self.begun.get_or_insert_with(|| (Instant::now(), latest));
        let media = Duration::from_millis(latest.saturating_sub(first).try_into().unwrap_or_default());
        Ok(media.saturating_sub(begun.elapsed()))
    }

    /// All has come.
    fn finish(self) {
        let name = &self.publisher.channel.name;
        let ended = self.recorder.finish().map_err(|error| error.to_string());
        if let Err(error) =
            ended.and_then(|completion| completion.complete().1.map(drop).map_err(|error| error.to_string()))
        {
            tracing::warn!("{name}: {error}");
        }
    }
}

/// The name of a stream: the last part of what a sender calls its content, without a file's ending.
fn name(of: &str) -> Option<Name> {
    let last = of.rsplit(['/', '\\']).next().unwrap_or_default();
    let stem = last.rsplit_once('.').map_or(last, |(stem, _)| stem);
    Name::of(APP, if stem.is_empty() { last } else { stem })
}

/// Serves a connection to its end.
pub(crate) async fn serve<S: Socket>(socket: S, hub: Arc<Hub>, visit: Arc<Visit>) {
    let token = hub.settings().publish_tokens.first().cloned();
    let options = ReceiverOptions::new(token.clone());
    let mut incoming = match Incoming::new(Box::new(socket), options, Clock::default()) {
        Ok(incoming) => incoming.with_block_size(BLOCK),
        Err(error) => return tracing::warn!("{error}"),
    };
    let mut current = None;
    let arrival = Arrival { hub: &hub, visit: &visit, token };
    let end = arrival.converse(&mut incoming, &mut current).await;
    match end {
        Ok(()) => incoming.close().await,
        Err(End::Refused(reason, why)) => {
            tracing::info!("a sender was refused: {why}");
            current = None;
            incoming.refuse(reason, &why).await;
        }
        Err(End::Broken(error)) => tracing::debug!("a connection of the wire ended: {error}"),
    }
    // The sender may come back.
    if let Some((id, transfer)) = current {
        hub.transfers.keep(id, transfer);
    }
}

enum End {
    Refused(Reason, String),
    Broken(Error),
}

impl From<Error> for End {
    fn from(error: Error) -> Self {
        match error {
            Error::Fault(fault) => Self::Refused(fault.reason(), fault.to_string()),
            error => Self::Broken(error),
        }
    }
}

/// A connection of a sender.
struct Arrival<'a> {
    hub: &'a Arc<Hub>,
    visit: &'a Visit,
    /// The token that the handshake proves.
    token: Option<String>,
}

impl Arrival<'_> {
    /// Lets a transfer begin, if its hook agrees.
    async fn begin(&self, hello: &Hello) -> Result<Transfer, (Reason, &'static str)> {
        let shown = Shown { tokens: self.token.iter().cloned().collect(), ..Shown::default() };
        let (name, address) = (name(&hello.name), self.visit.address());
        let ask = Ask { purpose: Purpose::Publish, name, shown, protocol: self.visit.protocol, address };
        let permitted = Arc::clone(self.hub).permits(ask).await;
        permitted.map_err(|refusal| (Reason::Busy, refusal.why))?;
        Transfer::begin(self.hub, hello)
    }

    async fn converse(&self, incoming: &mut Incoming, current: &mut Option<(u64, Transfer)>) -> Result<(), End> {
        let (mut ended, mut next) = (false, 0);
        loop {
            while let Some(received) = incoming.next_content()? {
                match received {
                    Received::Hello(hello) => {
                        let transfer = match self.hub.transfers.take(hello.id) {
                            Some(known) => known,
                            None => {
                                self.begin(&hello).await.map_err(|(reason, why)| End::Refused(reason, why.into()))?
                            }
                        };
                        self.visit.is_for(true, Some(transfer.publisher.channel.name.to_string()));
                        tracing::info!("{} is published by maliu's wire", transfer.publisher.channel.name);
                        next = transfer.next;
                        incoming.session().welcome(next);
                        *current = Some((hello.id, transfer));
                    }
                    Received::Content(number, event) => {
                        let Some((_, transfer)) = current else { continue };
                        let is_end = matches!(event, Event::End);
                        let ahead = transfer.take(number, event);
                        let ahead = ahead.map_err(|error| End::Refused(Reason::Other(1), error.to_string()))?;
                        next = transfer.next;
                        incoming.session().acknowledge(next);
                        if let Some(pause) = ahead.checked_sub(LEAD) {
                            tokio::select! {
                                error = incoming.hold() => return Err(error.into()),
                                () = sleep(pause) => {}
                            }
                        }
                        if is_end && let Some((_, transfer)) = current.take() {
                            transfer.finish();
                            ended = true;
                        }
                    }
                }
            }
            if ended && incoming.session().is_heard() {
                return Ok(());
            }
            if ended || current.is_some() {
                incoming.session().acknowledge(next);
            }
            incoming.wait().await?;
        }
    }
}

/// A sink of FLV that pushes tags into a channel.
struct Tagger {
    channel: Arc<Channel>,
    epoch: Epoch,
    tags: Tags,
    at_once: bool,
    hub: Arc<Hub>,
    /// The time of the last tag, in ms.
    latest: Arc<AtomicI64>,
}

impl Sink for Tagger {
    fn reach(&self) -> Reach {
        Reach::Append
    }

    fn apply(&mut self, edit: Edit) -> io::Result<()> {
        let Edit::Append(piece) = edit else {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "what was published cannot be changed"));
        };
        piece.parts.into_iter().for_each(|part| self.tags.push(part));
        while let Some(tag) = self.tags.next_tag()? {
            self.hub.metrics.received.fetch_add(tag.body.len() as u64, Ordering::Relaxed);
            self.latest.fetch_max(tag.time.into(), Ordering::Relaxed);
            self.channel.push(self.epoch, tag, self.at_once).map_err(io::Error::other)?;
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_named_after_files() {
        for (sent, expected) in [
            ("show", Some("live/show")),
            ("clips/show.flv", Some("live/show")),
            ("C:\\clips\\a.b.mp4", Some("live/a.b")),
            (".hidden", Some("live/.hidden")),
            ("", None),
            ("-", Some("live/-")),
            ("a/..", None),
        ] {
            assert_eq!(name(sent).map(|name| name.to_string()).as_deref(), expected, "{sent}");
        }
    }
}
