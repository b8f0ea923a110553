//! Surroundings of a command: where it finds inputs and outputs, and whether its output is wanted at once.

use std::{
    cell::RefCell,
    io::{self, Write},
    rc::Rc,
};

use maliu::io::{Sink, Source};

use crate::stop::Stop;

/// Streams in the place of files. Paths answered by `None` are looked for in the file system.
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

/// Passed down to everything that opens an input or an output.
#[derive(Clone, Default)]
pub(crate) struct Context {
    /// Files and the standard streams otherwise.
    places: Option<Rc<RefCell<Box<dyn Places>>>>,
    /// The signal to stop.
    pub stop: Stop,
    /// Whether what is written is wanted at once.
    pub live: bool,
}

impl Context {
    /// Files and the standard streams, where what is written is wanted at once if `live`.
    pub(crate) fn new(live: bool, stop: &Stop) -> Self {
        Self { places: None, stop: stop.clone(), live }
    }

    /// With streams in the place of files.
    pub(crate) fn with(places: impl Places + 'static) -> Self {
        Self { places: Some(Rc::new(RefCell::new(Box::new(places)))), ..Self::default() }
    }

    /// Whether streams may stand in the place of files.
    pub(crate) fn has_places(&self) -> bool {
        self.places.is_some()
    }

    /// The answer of the places to a question, if there are any.
    pub(crate) fn ask<T>(&self, question: impl FnOnce(&mut dyn Places) -> Option<T>) -> Option<T> {
        question(self.places.as_ref()?.borrow_mut().as_mut())
    }
}
