//! An end that listens: where it is, who it is, and the first peer that is the right one.

use std::io;

use maliu::tokio::net::{Address, First, Listener, Stream};
use serde_json::json;
use tokio::task::JoinSet;

use crate::{
    failure::{self, Failure, Result},
    json,
    keys::Own,
    stop::{Litter, Stop},
};

/// A listener whose socket, if it is a file, is removed also when the program is ended.
pub(crate) struct Listening {
    /// Waits for connections.
    pub listener: Listener,
    _socket: Option<Litter>,
}

/// Where to listen, and how the user learns of it.
pub(crate) struct At<'a> {
    /// The address.
    pub address: &'a Address,
    /// The identity and its keys.
    pub own: &'a Own,
    /// Whether the address is printed as a line of JSON.
    pub json: bool,
    /// The output of the command, which those lines leave alone.
    pub out: &'a str,
    /// Removes a socket file when the program ends at once.
    pub stop: &'a Stop,
}

/// Listens, and prints the address on stderr, or as a line of JSON.
pub(crate) async fn listen(at: At<'_>) -> Result<Listening> {
    let At { address, own, json, out, .. } = at;
    let (identity, fingerprint) = own.identity(address)?.unzip();
    let listener = Listener::bind(address, identity.as_ref()).await;
    let listener = listener.map_err(|error| Failure::while_("listening at", &address.to_string(), error))?;
    let place = listener.address();
    let listening = Listening { _socket: listener.file().map(|path| at.stop.litter_at(path)), listener };
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

/// The first peer that `greet` accepts. Others are sent away, and a slow peer delays no other.
pub(crate) async fn first<T, G, F>(listening: Listening, speaks: First, greet: G) -> T
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
