//! Futures of a transfer that are pending while there is nothing to wait for.

use std::future::pending;

use maliu::tokio::wire::{Error, Incoming};

use super::{Store, Writing};
use crate::failure::{Failure, Result};

/// Moves bytes of a connection; pending without one. A full pipe holds up the sender until it has room.
pub(super) async fn moved(connection: Option<&mut Incoming>, store: Option<&Store>) -> std::result::Result<(), Error> {
    let Some(connection) = connection else { return pending().await };
    match store.and_then(Store::full) {
        None => connection.wait().await,
        Some(pipe) => tokio::select! {
            () = pipe.room() => Ok(()),
            error = connection.hold() => Err(error),
        },
    }
}

/// The end of writing; pending when nothing is written.
pub(super) async fn written(writing: &mut Option<Writing>) -> Result {
    match writing {
        Some(end) => end.await.unwrap_or_else(|_| Err(Failure::Failed("writing ended in a panic".into()))),
        None => pending().await,
    }
}
