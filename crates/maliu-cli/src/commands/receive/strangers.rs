//! Connections that have not yet said who they are: nobody waits for a slow one, and many slow ones lock out nobody.

use std::{collections::VecDeque, time::Duration};

use maliu::{
    tokio::{
        net::Listener,
        wire::{Clock, Error, Incoming},
    },
    wire::{
        message::Hello,
        session::{Content, ReceiverOptions},
    },
};
use tokio::{sync::mpsc, task::AbortHandle, time::sleep};

/// Connections that may say who they are at the same time. One more, and the one that has taken longest is cut.
pub const MAX_STRANGERS: usize = 256;

/// A connection whose hello was right.
pub struct Guest {
    /// The connection.
    pub connection: Incoming,
    /// Who it is.
    pub hello: Hello,
}

/// Accepts, and finds out who is there. Reads of a connection are at most `block_size` bytes.
pub async fn welcome_all(listener: Listener, options: ReceiverOptions, block_size: usize, known: mpsc::Sender<Guest>) {
    let mut strangers: VecDeque<AbortHandle> = VecDeque::new();
    let clock = Clock::default();
    while !known.is_closed() {
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
        let stranger = tokio::spawn(async move {
            let stream = match arrived.stream().await {
                Ok(stream) => stream,
                Err(error) => return tracing::info!("handshake: {error}"),
            };
            let Some(connection) = Incoming::new(stream, options, clock).ok() else { return };
            if let Some(guest) = identify(connection.with_block_size(block_size)).await {
                let _ = known.send(guest).await;
            }
        });
        if strangers.len() >= MAX_STRANGERS {
            strangers.retain(|stranger| !stranger.is_finished());
        }
        if strangers.len() >= MAX_STRANGERS
            && let Some(oldest) = strangers.pop_front()
        {
            oldest.abort();
        }
        strangers.push_back(stranger.abort_handle());
    }
}

/// Waits for a hello; somebody who says something else, or nothing, is sent away.
pub async fn identify(mut connection: Incoming) -> Option<Guest> {
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
