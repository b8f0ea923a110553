//! A reader whose packets are read on a thread of their own, so that demuxing and what becomes of them overlap.
//!
//! ```text
//!   next_event ─▶ Here: Reader, while Trial measures
//!           then  There: Thread ─ empty batches ─▶ Reader ─▶ [event][event]… until more bytes are needed ─┐
//!              ◀────────────────────────────────────────────────────────────────────────────────────────┘
//! ```

use std::{io, mem};

use maliu_core::format::Event;

use super::Reader;
use crate::{
    error::{Error, Result},
    io::Source,
};

mod thread;
mod trial;

use thread::Thread;
use trial::Trial;

/// A reader that reads on while its events are being worked on, as soon as that work is seen to take longer than reading
/// them. They are the same events in the same order; every error and every remark comes where it would come without it;
/// and what was fed is handed on before the source is asked again. At most 4 MiB of the input wait as events, and
/// what one more read or packet brings.
///
/// It reads in a row: seek before. Dropped, it lets its thread end after the read it is in.
pub struct ReadAhead<S> {
    place: Place<S>,
    offset: u64,
}

/// Where the reader is.
enum Place<S> {
    Here {
        reader: Box<Reader<S>>,
        /// Until it is decided.
        trial: Option<Trial>,
    },
    There(Thread),
    /// On its way, or lost with its thread.
    Nowhere,
}

impl<S: Source + Send + 'static> ReadAhead<S> {
    /// Reads on where `reader` stands; it gets a thread if that is seen to be worth one.
    pub fn new(reader: Reader<S>) -> Self {
        let offset = reader.offset();
        Self { place: Place::Here { reader: Box::new(reader), trial: Some(Trial::behind(offset)) }, offset }
    }

    /// Reads on where `reader` stands, on a thread of its own, if the system has one left.
    pub fn at_once(reader: Reader<S>) -> Self {
        let offset = reader.offset();
        Self { place: Self::sent(Box::new(reader)), offset }
    }

    /// As [`Reader::next_event`].
    ///
    /// # Errors
    /// As [`Reader::next_event`].
    #[inline]
    pub fn next_event(&mut self) -> Result<Event> {
        if let Place::There(thread) = &mut self.place
            && let Some(event) = thread.at_hand()
        {
            return Ok(event);
        }
        self.ask()
    }

    /// Offset of the first byte that the demuxer had not taken when it gave the events that are being handed out.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    fn ask(&mut self) -> Result<Event> {
        self.decide();
        match &mut self.place {
            Place::There(thread) => {
                let event = thread.next_event();
                self.offset = thread.offset();
                event
            }
            Place::Here { reader, trial } => {
                trial.iter_mut().for_each(Trial::begin);
                let event = reader.next_event();
                self.offset = reader.offset();
                trial.iter_mut().for_each(|trial| trial.end(self.offset));
                event
            }
            Place::Nowhere => Err(gone()),
        }
    }

    /// Ends the trial when enough was seen.
    fn decide(&mut self) {
        let Place::Here { trial: Some(trial), .. } = &self.place else { return };
        let Some(is_worth) = trial.verdict() else { return };
        if let Place::Here { reader, .. } = mem::replace(&mut self.place, Place::Nowhere) {
            self.place = if is_worth { Self::sent(reader) } else { Place::Here { reader, trial: None } };
        }
    }

    fn sent(reader: Box<Reader<S>>) -> Place<S> {
        match Thread::with(reader) {
            Ok(thread) => Place::There(thread),
            Err(Some(reader)) => Place::Here { reader, trial: None },
            Err(None) => Place::Nowhere,
        }
    }
}

/// The reader has panicked.
fn gone() -> Error {
    io::Error::other("the thread that reads packets has ended").into()
}

#[cfg(test)]
mod tests;
