//! One transfer into one output, over any number of connections.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use maliu::{tokio::wire::Incoming, wire::message::Reason};
use tokio::{sync::mpsc, time::sleep};

use self::{
    taking::{SETTLE_AFTER, Trouble},
    waiting::{moved, written},
};
use super::{
    lobby::Lobby,
    memory::{Held, Memory},
    output::{Output, Writing},
    report::Report,
    store::Store,
    strangers::{Guest, turn_away},
};
use crate::failure::{Failure, Result};

mod admission;
mod taking;
mod waiting;

/// How long a sender that did not hear the last acknowledgement may take to come back.
const LINGER: Duration = Duration::from_secs(10);

/// Limits of a transfer.
#[derive(Clone)]
pub(super) struct Terms {
    /// Forgets what an earlier run has left.
    pub fresh: bool,
    /// How long it waits for a sender to come back; without limit if `None`.
    pub patience: Option<Duration>,
    /// Bytes that are gathered before each write.
    pub gather: usize,
    /// Memory that all transfers share.
    pub memory: Arc<Memory>,
    /// Memory shared by senders that have sent nothing yet.
    pub strangers: Arc<Memory>,
}

/// The receiving end of a transfer.
pub(super) struct Transfer {
    guests: mpsc::Receiver<Guest>,
    lobby: Lobby,
    /// Those of the lobby that have begun to send.
    ready: mpsc::Receiver<Guest>,
    /// A second connection, and until when it waits for the first one to be found gone.
    rival: Option<(Instant, Guest)>,
    output: Output,
    terms: Terms,
    report: Report,
    held: Held,
    store: Option<Store>,
    writing: Option<Writing>,
    complete: bool,
    /// An earlier run has left all content, of which the output is being made.
    left_over: bool,
    /// An earlier run has completed the output, and its sender may not know: a new transfer may take its place.
    replaceable: bool,
    /// Since when there is content that is not acknowledged, and how many bytes.
    unsettled: Option<(Instant, usize)>,
}

impl Transfer {
    /// A transfer of those who are sent to it.
    pub(super) fn new(guests: mpsc::Receiver<Guest>, output: Output, terms: Terms, report: Report) -> Self {
        let held = Held::of(&terms.memory);
        let (lobby, ready) = Lobby::new(terms.strangers.clone());
        let (store, writing, unsettled) = (None, None, None);
        let (complete, left_over, replaceable) = (false, false, false);
        Self {
            guests,
            lobby,
            ready,
            rival: None,
            output,
            terms,
            report,
            held,
            store,
            writing,
            complete,
            left_over,
            replaceable,
            unsettled,
        }
    }

    /// Receives until the output is complete and the sender knows it, or the time to wait for senders is over.
    pub(super) async fn run(mut self) -> Result {
        let end = self.serve().await;
        match &end {
            Ok(()) => self.report.done(),
            Err(failure) => self.report.failed(&failure.to_string()),
        }
        end
    }

    async fn serve(&mut self) -> Result {
        if let Some((store, complete)) = Store::left_over(&self.output, self.terms.fresh)? {
            (self.store, self.complete, self.replaceable) = (Some(store), complete, complete);
        }
        self.left_over = self.store.as_ref().is_some_and(|store| store.ended) && !self.complete;
        if let Err(failure) = self.write_if_ended() {
            self.set_aside(&failure);
        }
        self.converse().await
    }

    /// Gives up what an earlier run has left: no output can be made of it, and it must not keep others out.
    fn set_aside(&mut self, failure: &Failure) {
        tracing::warn!("{failure}");
        if let Some(store) = self.store.take() {
            store.set_aside("no output can be made of it");
        }
        self.left_over = false;
    }

    /// Receives over one connection after the other.
    async fn converse(&mut self) -> Result {
        let mut current: Option<Incoming> = None;
        loop {
            if current.is_none()
                && let Some((_, guest)) = self.rival.take()
            {
                self.meet(guest, &mut current).await?;
            }
            let rival_in = self.rival.as_ref().map(|(until, _)| until.saturating_duration_since(Instant::now()));
            let alone = current.is_none() && self.writing.is_none();
            let patience = if self.complete { Some(LINGER) } else { self.terms.patience };
            let settle_in =
                self.unsettled.map_or(SETTLE_AFTER, |(since, _)| SETTLE_AFTER.saturating_sub(since.elapsed()));
            tokio::select! {
                guest = self.guests.recv() => match guest {
                    Some(guest) => self.meet(guest, &mut current).await?,
                    None => return self.leave(current, true).await,
                },
                Some(guest) = self.ready.recv() => self.meet(guest, &mut current).await?,
                moved = moved(current.as_mut(), self.store.as_ref()) => {
                    if let Err(error) = moved {
                        tracing::info!("{error}");
                        current = None;
                    }
                }
                end = written(&mut self.writing) => {
                    self.writing = None;
                    match end.and_then(|()| self.mark_complete()) {
                        Ok(()) => {}
                        Err(failure) if self.left_over => {
                            self.set_aside(&failure);
                            send_away(current.take(), failure).await;
                        }
                        Err(failure) => return Err(send_away(current, failure).await),
                    }
                }
                () = sleep(rival_in.unwrap_or_default()), if rival_in.is_some() => self.refuse_rival(),
                () = sleep(settle_in), if self.unsettled.is_some() && current.is_some() => {}
                () = sleep(patience.unwrap_or_default()), if alone && patience.is_some() => return self.leave(None, false).await,
            }
            if let Some(end) = self.follow(&mut current).await {
                return end;
            }
        }
    }

    /// Takes what the connection has brought. Returns how the transfer ended, if it did.
    async fn follow(&mut self, current: &mut Option<Incoming>) -> Option<Result> {
        let connection = current.as_mut()?;
        match self.take(connection) {
            Ok(()) if self.complete && connection.session().is_heard() => {
                let end = self.forget();
                current.take()?.close().await;
                Some(end)
            }
            Ok(()) => None,
            Err(Trouble::Connection(error)) => {
                tracing::info!("{error}");
                current.take().map(|connection| tokio::spawn(turn_away(connection, error)));
                None
            }
            Err(Trouble::Here(failure)) => {
                // Waiting data is written before the farewell, which may take long.
                self.store = None;
                Some(Err(send_away(current.take(), failure).await))
            }
        }
    }

    fn mark_complete(&mut self) -> Result {
        (self.complete, self.left_over) = (true, false);
        self.held.release();
        self.store.as_mut().map_or(Ok(()), Store::mark_complete)
    }

    /// Nothing is needed any more.
    fn forget(&mut self) -> Result {
        self.store.take().map_or(Ok(()), Store::forget)
    }

    /// The time to wait is over, or the user has `stopped` it: content that can be resumed is kept, all else
    /// is made whole as it is.
    async fn leave(&mut self, current: Option<Incoming>, stopped: bool) -> Result {
        if let Some(connection) = current {
            tokio::spawn(async move { connection.refuse(Reason::Other(1), "the receiver ends").await });
        }
        if self.complete {
            return self.forget();
        }
        let out = &self.output.out;
        let end = |why: &str| if stopped { Failure::Stopped(why.to_owned()) } else { Failure::Failed(why.to_owned()) };
        let Some(store) = &mut self.store else { return Err(end(&format!("{out}: no content has come"))) };
        if store.is_journal() && self.writing.is_none() {
            store.settle()?;
            return Err(end(&format!("{out}: the sender has gone; it can go on later")));
        }
        let unfinished = stopped && !store.ended;
        if let Some(writing) = store.finish(&self.output)? {
            self.writing = Some(writing);
        }
        if self.writing.is_some() {
            written(&mut self.writing).await?;
            self.mark_complete()?;
        }
        match unfinished {
            true => Err(Failure::Stopped(format!("{}: stopped before its end", self.output.out))),
            false => Ok(()),
        }
    }
}

/// Tells the sender what went wrong here.
async fn send_away(connection: Option<Incoming>, failure: Failure) -> Failure {
    if let Some(connection) = connection {
        connection.refuse(Reason::Other(1), &failure.to_string()).await;
    }
    failure
}

#[cfg(test)]
mod tests;
