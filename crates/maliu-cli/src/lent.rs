//! Sources and sinks that are no files, lent to a command under a name: how remux and decode read and write the network.

use std::cell::RefCell;

use maliu::io::{Sink, Source};

use crate::failure::Result;

thread_local! {
    static LENT: RefCell<Option<Box<dyn Source + Send>>> = const { RefCell::new(None) };
    static PLACE: RefCell<Option<Place>> = const { RefCell::new(None) };
    static LIVE: RefCell<bool> = const { RefCell::new(false) };
}

/// Opens a sink when a command is ready to write.
pub type Place = Box<dyn FnOnce() -> Result<Box<dyn Sink>>>;

/// The path that stands for what is lent.
pub const NAME: &str = "the network";

/// Lends a source to the next command that this thread runs; what it writes is wanted at once.
pub fn lend(source: Box<dyn Source + Send>) {
    LENT.set(Some(source));
    LIVE.set(true);
}

/// What is lent, if the path asks for it; once.
pub fn take(path: &str) -> Option<Box<dyn Source + Send>> {
    if path == NAME { LENT.take() } else { None }
}

/// Lends a place, if there is one, to the next command that this thread runs; `live` when what it writes is wanted at once.
pub fn lend_place(place: Option<Place>, live: bool) {
    PLACE.set(place);
    LIVE.set(live);
}

/// The lent place, opened, if the path asks for it; once.
pub fn take_place(path: &str) -> Option<Result<Box<dyn Sink>>> {
    if path == NAME { PLACE.take().map(|open| open()) } else { None }
}

/// Whether what this thread's command writes is wanted at once.
pub fn is_live() -> bool {
    LIVE.with_borrow(|live| *live)
}
