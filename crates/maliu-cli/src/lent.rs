//! Sources that are no files, lent to a command under a name: how bytes from the network reach remux and decode.

use std::cell::RefCell;

use maliu::io::Source;

thread_local! {
    static LENT: RefCell<Option<Box<dyn Source>>> = const { RefCell::new(None) };
    static LIVE: RefCell<bool> = const { RefCell::new(false) };
}

/// The path that stands for what is lent.
pub const NAME: &str = "the network";

/// Lends a source to the next command that this thread runs; what it writes is wanted at once.
pub fn lend(source: Box<dyn Source>) {
    LENT.set(Some(source));
    LIVE.set(true);
}

/// What is lent, if the path asks for it; once.
pub fn take(path: &str) -> Option<Box<dyn Source>> {
    if path == NAME { LENT.take() } else { None }
}

/// Whether this thread's command reads something lent.
pub fn is_live() -> bool {
    LIVE.with_borrow(|live| *live)
}
