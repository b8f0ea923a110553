//! Long inputs whose packets are read before they are wanted.

use std::thread;

use maliu::{blocking::ReadAhead, format::Event, io::Source};

use super::{NOT_YET_PAUSE, Opened, failed};
use crate::failure::Result;

/// Bytes from which on an input is worth it.
const LONG: u64 = 8 << 20;

/// An input that is read in a row from where it stood.
pub struct Ahead {
    name: String,
    reader: ReadAhead<Box<dyn Source + Send>>,
}

impl Opened {
    /// Whether [`Opened::ahead`] is worth it.
    pub fn is_long(&self) -> bool {
        self.size.is_some_and(|size| size >= LONG)
    }

    /// Reads on from here, on a thread of its own if that is seen to gain time.
    pub fn ahead(self) -> Ahead {
        Ahead { name: self.name, reader: ReadAhead::new(self.reader) }
    }
}

impl Ahead {
    /// The next event; `None` at the end.
    #[inline(always)]
    pub fn next(&mut self) -> Result<Option<Event>> {
        loop {
            match self.reader.next_event() {
                Ok(Event::End) => return Ok(None),
                Ok(event) => return Ok(Some(event)),
                Err(error) if error.is_not_yet() => thread::sleep(NOT_YET_PAUSE),
                Err(error) => return Err(failed(&self.name, &error)),
            }
        }
    }

    /// Bytes of the input behind which the events in hand stand.
    pub fn position(&self) -> u64 {
        self.reader.offset()
    }
}
