//! Connections before their hello: each is waited for separately, so that slow ones lock out no other peer.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use maliu::{
    format::Event,
    plain::plain,
    tokio::wire::{Clock, Error, Incoming},
    wire::{
        message::{Hello, Reason},
        session::{Received, ReceiverOptions},
    },
};
use tokio::{
    sync::mpsc,
    task::{AbortHandle, yield_now},
    time::sleep,
};

use crate::listening::Listening;

/// Connections that may say who they are at the same time. One more, and the one that has taken longest is cut, once it
/// has taken longer than [`PATIENCE`].
pub(super) const MAX_STRANGERS: usize = 256;

/// How long each has in any case, however many wait behind it.
pub(super) const PATIENCE: Duration = Duration::from_millis(500);

/// Between two looks at whether one of many has spoken.
const PAUSE: Duration = Duration::from_millis(5);

/// A connection whose hello was right.
pub(super) struct Guest {
    /// The connection.
    pub connection: Incoming,
    /// The hello of the peer.
    pub hello: Hello,
    /// The first content and its number, if it has come: its message is still the last one of the connection, and the
    /// sender was welcome at the beginning.
    pub first: Option<(u64, Event)>,
}

impl Guest {
    /// Sends it away, in the background.
    pub(super) fn refuse(self, reason: Reason, why: &str) {
        tracing::warn!("{}: refused: {why}", plain(&self.hello.name));
        // Its data goes at once.
        let (connection, why) = (self.connection, why.to_owned());
        tokio::spawn(async move { connection.refuse(reason, &why).await });
    }
}

/// Accepts, and finds out who is there. Reads of a connection are at most `block_size` bytes.
pub(super) async fn welcome_all(
    listening: Listening,
    options: ReceiverOptions,
    block_size: usize,
    known: mpsc::Sender<Guest>,
) {
    let mut strangers = Strangers::default();
    let clock = Clock::default();
    // Peers that have sent a hello go first: while they are not taken on, no further peer is accepted.
    while let Ok(room) = known.reserve().await {
        drop(room);
        strangers.make_room().await;
        let arrived = match listening.listener.accept().await {
            Ok(arrived) => arrived,
            Err(error) => {
                // Often too many open files: those that are open end sooner or later.
                tracing::warn!("accepting: {error}");
                sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let (options, known, spoke) = (options.clone(), known.clone(), Arc::new(AtomicBool::new(false)));
        let speaking = spoke.clone();
        let task = tokio::spawn(async move {
            let stream = match arrived.stream().await {
                Ok(stream) => stream,
                Err(error) => return tracing::info!("handshake: {error}"),
            };
            let Some(connection) = Incoming::new(stream, options, clock).ok() else { return };
            if let Some(guest) = identify(connection.with_block_size(block_size)).await {
                speaking.store(true, Ordering::Relaxed);
                let _ = known.send(guest).await;
            }
        });
        strangers.0.push_back(Stranger { task: task.abort_handle(), since: Instant::now(), spoke });
        // Many that come at once have their turn before the next one does.
        yield_now().await;
    }
}

/// Those who were accepted, by the time they came; some have spoken since.
#[derive(Default)]
struct Strangers(VecDeque<Stranger>);

struct Stranger {
    task: AbortHandle,
    since: Instant,
    spoke: Arc<AtomicBool>,
}

impl Strangers {
    /// Waits until there is room for one more, and cuts the one that has taken longest if it had its time.
    async fn make_room(&mut self) {
        while self.0.len() >= MAX_STRANGERS {
            self.0.retain(|stranger| !stranger.task.is_finished() && !stranger.spoke.load(Ordering::Relaxed));
            if self.0.len() < MAX_STRANGERS {
                return;
            }
            match self.0.front().map(|oldest| oldest.since.elapsed()) {
                Some(taken) if taken < PATIENCE => sleep(PAUSE).await,
                _ => self.0.pop_front().iter().for_each(|oldest| oldest.task.abort()),
            }
        }
    }
}

/// Waits for a hello; a peer that sends something else, or nothing, is sent away.
pub(super) async fn identify(mut connection: Incoming) -> Option<Guest> {
    let error = loop {
        match connection.next_content() {
            Ok(Some(Received::Hello(hello))) => return Some(Guest { connection, hello, first: None }),
            Ok(_) => {}
            Err(error) => break error,
        }
        if let Err(error) = connection.wait().await {
            break error;
        }
    };
    tracing::info!("refused: {error}");
    turn_away(connection, error).await;
    None
}

/// Closes a connection after a fault, and says which one it was.
pub(super) async fn turn_away(connection: Incoming, error: Error) {
    if let Error::Fault(fault) = error {
        connection.refuse(fault.reason(), &fault.to_string()).await;
    }
}
