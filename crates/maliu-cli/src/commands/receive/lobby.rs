//! Senders that are welcome and have sent nothing yet: they hold no place, no file name and no share of the memory.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use maliu::{
    plain::plain,
    tokio::wire::Error,
    wire::{message::Reason, session::Received},
};
use tokio::{sync::mpsc, task::AbortHandle};

use super::{
    memory::{Held, Memory},
    strangers::{Guest, turn_away},
};

/// Senders that may be here at the same time. For one more, the one that has been here longest is cut.
pub(super) const MAX_WAITING: usize = 1024;

/// How long each may stay in any case.
const PATIENCE: Duration = Duration::from_millis(500);

/// The senders that have sent nothing yet.
pub(super) struct Lobby {
    memory: Arc<Memory>,
    ready: mpsc::Sender<Guest>,
    waiting: VecDeque<(Instant, AbortHandle)>,
}

impl Lobby {
    /// A lobby, and those that leave it, with the first message of their content.
    pub(super) fn new(memory: Arc<Memory>) -> (Self, mpsc::Receiver<Guest>) {
        let (ready, come) = mpsc::channel(8);
        (Self { memory, ready, waiting: VecDeque::new() }, come)
    }

    /// Welcomes a sender of a new transfer, and waits for its content.
    pub(super) fn seat(&mut self, guest: Guest) {
        self.waiting.retain(|(_, task)| !task.is_finished());
        if self.waiting.len() >= MAX_WAITING {
            if self.waiting.front().is_some_and(|(since, _)| since.elapsed() < PATIENCE) {
                return guest.refuse(Reason::Connected, "too many senders are about to begin");
            }
            self.waiting.pop_front().iter().for_each(|(_, task)| task.abort());
        }
        let (ready, held) = (self.ready.clone(), Held::spare(&self.memory));
        let task = tokio::spawn(async move {
            if let Some(guest) = first_content(guest, held).await {
                let _ = ready.send(guest).await;
            }
        });
        self.waiting.push_back((Instant::now(), task.abort_handle()));
    }
}

impl Drop for Lobby {
    fn drop(&mut self) {
        self.waiting.iter().for_each(|(_, task)| task.abort());
    }
}

/// Waits for the first message of the content; what a sender holds until then is counted.
async fn first_content(mut guest: Guest, mut held: Held) -> Option<Guest> {
    guest.connection.session().welcome(0);
    let error = loop {
        match guest.connection.next_content() {
            Ok(Some(Received::Content(number, content))) => {
                held.release();
                guest.first = Some((number, content));
                return Some(guest);
            }
            // Its hello came before it was a guest.
            Ok(Some(Received::Hello(_)) | None) => {}
            Err(error) => break error,
        }
        let unread = guest.connection.session().input().peek().len();
        if let Err(failure) = held.hold(unread) {
            guest.refuse(Reason::Limit, &failure.to_string());
            return None;
        }
        if let Err(error) = guest.connection.wait().await {
            break error;
        }
    };
    if !matches!(error, Error::Closed) {
        tracing::info!("{}: {error}", plain(&guest.hello.name));
    }
    turn_away(guest.connection, error).await;
    None
}
