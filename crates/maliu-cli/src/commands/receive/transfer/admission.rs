//! Admission to a transfer: its sender, one connection at a time, and before there is one, the first that sends
//! content.

use std::time::{Duration, Instant};

use maliu::{
    tokio::wire::Incoming,
    wire::{message::Reason, session::PING_AFTER},
};

use super::{Guest, Store, Transfer, send_away};
use crate::failure::Result;

/// How long a connection may have said nothing before another one of its transfer takes its place.
const ALIVE: Duration = PING_AFTER.saturating_mul(2);

/// How long a connection waits for the one before it to be found gone: what that one has sent is read first.
const CONTEND: Duration = Duration::from_secs(1);

const ALIVE_ALREADY: &str = "another connection of this transfer is alive";

/// Decision about a sender that has sent its hello.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is welcome, and waited for until it sends something.
    Wait,
    Admit,
    /// Another connection of its transfer seems to be alive: it waits a moment for that one to be found gone.
    Rival,
    Refuse(Reason, &'static str),
}

/// Why a sender of another transfer is refused.
const OTHER: &str = "another transfer is under way, or waits to be finished (receive --fresh forgets it)";

impl Transfer {
    /// Lets a sender in, has it wait for its content, or sends it away.
    pub(super) async fn meet(&mut self, guest: Guest, current: &mut Option<Incoming>) -> Result {
        match self.judge(&guest, current.as_mut()) {
            Verdict::Wait => self.lobby.seat(guest),
            Verdict::Refuse(reason, why) => guest.refuse(reason, why),
            Verdict::Admit => *current = Some(self.admit(guest).await?),
            Verdict::Rival if self.rival.is_none() => self.rival = Some((Instant::now() + CONTEND, guest)),
            Verdict::Rival => guest.refuse(Reason::Connected, ALIVE_ALREADY),
        }
        Ok(())
    }

    /// The connection that waited is not let in.
    pub(super) fn refuse_rival(&mut self) {
        if let Some((_, guest)) = self.rival.take() {
            guest.refuse(Reason::Connected, ALIVE_ALREADY);
        }
    }

    pub(super) fn judge(&mut self, guest: &Guest, current: Option<&mut Incoming>) -> Verdict {
        let Guest { hello, first, .. } = guest;
        if self.complete
            && current.is_none()
            && !self.output.stands()
            && self.store.as_ref().is_some_and(Store::is_journal)
        {
            tracing::warn!("{}: it was complete and has gone: it is received again", self.output.out);
            if let Err(failure) = self.forget() {
                tracing::warn!("{failure}");
            }
            self.complete = false;
        }
        let Some(store) = &self.store else { return if first.is_none() { Verdict::Wait } else { Verdict::Admit } };
        if store.id != hello.id {
            return match (self.replaceable, first) {
                (false, _) => Verdict::Refuse(Reason::Busy, OTHER),
                (true, None) => Verdict::Wait,
                (true, Some(_)) => Verdict::Admit,
            };
        }
        if store.mode != hello.mode {
            return Verdict::Refuse(Reason::Busy, "this transfer was begun in the other mode, reliable or live");
        }
        match current {
            Some(connection) if connection.quiet_for() < ALIVE => {
                // It answers, or is found to be gone.
                connection.ping();
                Verdict::Rival
            }
            // It was welcome at the beginning, which another one has sent meanwhile.
            _ if first.is_some() => Verdict::Refuse(Reason::Connected, "another connection has begun this transfer"),
            _ => Verdict::Admit,
        }
    }

    /// Begins the transfer of a sender, or goes on with it.
    pub(super) async fn admit(&mut self, guest: Guest) -> Result<Incoming> {
        let Guest { mut connection, hello, first } = guest;
        if first.is_some() {
            self.complete = false;
            let begun = self.forget().and_then(|()| Store::begin(&self.output, &hello, self.terms.gather));
            match begun {
                Ok((store, writing)) => (self.store, self.writing) = (Some(store), writing),
                Err(failure) => return Err(send_away(Some(connection), failure).await),
            }
        }
        self.replaceable = false;
        self.report.welcome(&hello);
        if let Some((sequence, content)) = first {
            // It is the beginning: nothing was acknowledged by a welcome.
            return match self.keep(&mut connection, sequence, content) {
                Ok(()) => Ok(connection),
                Err(failure) => {
                    self.store = None;
                    Err(send_away(Some(connection), failure).await)
                }
            };
        }
        // The welcome acknowledges what came over earlier connections.
        if let Some(store) = self.store.as_mut().filter(|_| self.unsettled.take().is_some()) {
            store.settle()?;
        }
        let kept = self.acknowledged();
        connection.session().welcome(kept);
        if self.complete {
            connection.session().set_ended();
        }
        Ok(connection)
    }
}
