//! Threads that are given what they work with, and give it back where there is none to be had.

use std::{
    sync::{Arc, Mutex, PoisonError},
    thread::{Builder, JoinHandle},
};

/// Does `work` with `what` on a thread of its own, which returns what came of it.
///
/// # Errors
/// `what`, when the system has no thread left.
pub(crate) fn spawn<V, T>(
    name: &str,
    what: V,
    work: impl FnOnce(V) -> T + Send + 'static,
) -> Result<JoinHandle<Option<T>>, Option<V>>
where
    V: Send + 'static,
    T: Send + 'static,
{
    // Values owned by a thread that does not start are gone with it; so a thread that runs fetches them.
    let place = Arc::new(Mutex::new(Some(what)));
    let take = |place: &Mutex<Option<V>>| place.lock().unwrap_or_else(PoisonError::into_inner).take();
    let there = place.clone();
    Builder::new().name(name.to_owned()).spawn(move || take(&there).map(work)).map_err(|_| take(&place))
}
