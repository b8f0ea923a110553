//! An end that listens: where it is, who it is, and the first peer that is the right one.

use std::io;

use maliu::tokio::net::{Address, First, Listener, Stream};
use serde_json::json;
use tokio::task::JoinSet;

use crate::{
    failure::{self, Failure, Result},
    json,
    keys::Own,
    stop,
};

/// A listener whose socket, if it is a file, is removed also when the program is ended.
pub struct Listening {
    /// Waits for connections.
    pub listener: Listener,
    _socket: Option<stop::Litter>,
}

/// Listens at an address, and says where on stderr, or as a line of JSON for a command that writes to `out`.
pub async fn listen(address: &Address, own: &Own, json: bool, out: &str) -> Result<Listening> {
    let (identity, fingerprint) = own.identity(address)?.unzip();
    let listener = Listener::bind(address, identity.as_ref()).await;
    let listener = listener.map_err(|error| Failure::while_("listening at", &address.to_string(), error))?;
    let place = listener.address();
    let listening = Listening { _socket: listener.file().map(stop::Litter::new), listener };
    if json {
        json::line(out, &json!({"event": "listening", "address": place, "fingerprint": fingerprint}));
        return Ok(listening);
    }
    failure::say(&format!("listening at {place}"));
    if let Some(fingerprint) = fingerprint {
        failure::say(&format!("fingerprint {fingerprint}"));
    }
    Ok(listening)
}

/// The first peer that `greet` is content with. Others are sent away, and nobody waits for a slow one.
pub async fn first<T, G, F>(listening: Listening, speaks: First, greet: G) -> T
where
    T: Send + 'static,
    G: Fn(Stream) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = io::Result<T>> + Send + 'static,
{
    let mut strangers = JoinSet::new();
    loop {
        tokio::select! {
            arrived = listening.listener.accept(), if strangers.len() < MAX_STRANGERS => match arrived {
                Ok(arrived) => {
                    let greet = greet.clone();
                    strangers.spawn(async move { greet(arrived.stream_with(speaks).await?).await });
                }
                // Often too many open files: those that are open end sooner or later.
                Err(error) => {
                    tracing::warn!("accepting: {error}");
                    tokio::time::sleep(PAUSE).await;
                }
            },
            Some(greeted) = strangers.join_next() => match greeted.unwrap_or_else(|panic| Err(panic.into())) {
                Ok(guest) => return guest,
                Err(error) => tracing::warn!("a peer was sent away: {error}"),
            },
        }
    }
}

/// Peers that may show what they are at the same time; more wait to be accepted.
const MAX_STRANGERS: usize = 64;

/// Before accepting again.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(100);
