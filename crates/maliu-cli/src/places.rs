//! Where commands find inputs and outputs: files and the standard streams, unless this thread was lent others.

use std::{
    cell::RefCell,
    io::{self, Write},
};

use maliu::io::{Sink, Source};

/// Streams in the place of files. What is `None` is looked for in the file system.
pub trait Places {
    /// The input that a command line calls `path`. A command may ask for it twice.
    fn source(&mut self, path: &str) -> Option<io::Result<Box<dyn Source + Send>>> {
        let _ = path;
        None
    }

    /// The output that a command line calls `path`.
    fn sink(&mut self, path: &str) -> Option<io::Result<Box<dyn Sink>>> {
        let _ = path;
        None
    }

    /// Standard output, for text.
    fn text(&mut self) -> Option<Box<dyn Write>> {
        None
    }
}

thread_local! {
    static LENT: RefCell<Option<Box<dyn Places>>> = const { RefCell::new(None) };
}

/// Lends streams to the commands that this thread runs, until others are lent.
pub fn lend(places: impl Places + 'static) {
    LENT.set(Some(Box::new(places)));
}

/// Ends the lending.
pub fn take_back() {
    LENT.set(None);
}

/// What is lent says, if anything is lent.
pub fn ask<T>(question: impl FnOnce(&mut dyn Places) -> Option<T>) -> Option<T> {
    LENT.with_borrow_mut(|lent| question(lent.as_deref_mut()?))
}
