//! An input being read, event by event.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use maliu::{
    blocking::Reader,
    format::Event,
    io::Source,
    stream::{Kind, StreamInfo},
};

use super::failed;
use crate::failure::Result;

/// An input being read.
pub(crate) struct Opened {
    /// As the user called it.
    pub name: String,
    /// The reader.
    pub reader: Reader<Box<dyn Source + Send>>,
    pub(super) size: Option<u64>,
    /// It comes from a server, in its own time.
    pub(super) served: bool,
    pub(super) ended: bool,
    /// The streams of its layout are told apart by a field.
    pub(super) many: bool,
    /// The source is about to be read: that may take as long as it wants.
    pub(super) pausing: Arc<AtomicBool>,
}

/// The next item of an input.
pub(crate) enum Step {
    /// Something was read.
    Event(Event),
    /// All that came so far was read; the next step waits for more.
    Pause,
    /// The end.
    End,
}

impl Opened {
    /// The next event; `None` at the end.
    #[inline(always)]
    pub(crate) fn next(&mut self) -> Result<Option<Event>> {
        loop {
            match self.step()? {
                Step::Event(event) => return Ok(Some(event)),
                Step::Pause => {}
                Step::End => return Ok(None),
            }
        }
    }

    /// The next event, or that it may take a while.
    #[inline(always)]
    pub(crate) fn step(&mut self) -> Result<Step> {
        match self.reader.next_event() {
            Ok(Event::End) => {
                self.ended = true;
                Ok(Step::End)
            }
            Ok(event) => Ok(Step::Event(event)),
            Err(error) if error.is_not_yet() => {
                // A non-blocking standard input that has nothing yet.
                if !self.pausing.load(Ordering::Relaxed) {
                    std::thread::sleep(NOT_YET_PAUSE);
                }
                Ok(Step::Pause)
            }
            Err(error) => Err(failed(&self.name, &error)),
        }
    }

    /// Whether no further stream is expected: a format with one stream shows it at once, others show audio and video.
    pub(crate) fn shows_all(&self, streams: &[StreamInfo]) -> bool {
        let format = self.reader.format();
        let many = self.many || format.is_some_and(|format| matches!(format.default_codecs, (Some(_), Some(_))));
        let has = |kind| streams.iter().any(|stream| stream.media.kind() == kind);
        !many || (has(Kind::Audio) && has(Kind::Video))
    }

    /// Size of the input in bytes, if it is known or its end was reached.
    pub(crate) fn size(&self) -> Option<u64> {
        self.size.or_else(|| self.ended.then(|| self.reader.offset()))
    }

    /// Whether what it brings may come slowly: a pipe, a growing file. Then nothing should wait in buffers of ours.
    pub(crate) fn is_live(&self) -> bool {
        self.size.is_none()
    }

    /// Whether it comes from a server, in its own time.
    pub(crate) fn is_served(&self) -> bool {
        self.served
    }

    /// Bytes of the input that were read and understood so far.
    pub(crate) fn position(&self) -> u64 {
        self.reader.offset()
    }
}

/// How long to wait before asking a non-blocking input again.
const NOT_YET_PAUSE: Duration = Duration::from_millis(20);
