//! Where the content of a transfer goes while it comes, and what makes it whole at the end.
//!
//! ```text
//!   reliable, to a file ─▶ Journal, and at once ─▶ Recorder ─▶ OUT     after a restart the journal is read instead
//!   live, to a file ───────────────────────────▶ Recorder ─▶ OUT
//!   to a stream, or live sound to be decoded ──▶ Pipe ─▶ remux or decode ─▶ OUT
//! ```

use bytes::Bytes;
use maliu::{
    format::Event,
    wire::message::{Hello, Mode},
};

use super::{
    journal::{self, Journal},
    output::{Output, Writing, on_thread},
    pipe::Feed,
};
use crate::{
    commands::remux::Recorder,
    failure::{Failure, Result},
};

/// Data that may wait for a command, in blocks that are gathered before a write.
const PIPED: usize = 4;

/// The content of one transfer.
pub(super) struct Store {
    /// Which transfer it is.
    pub id: u64,
    /// Its mode.
    pub mode: Mode,
    /// The number of the message that is wanted next.
    pub next: u64,
    /// Whether the end has come.
    pub ended: bool,
    kind: Kind,
}

enum Kind {
    Journal(Box<Journal>, Option<Box<Recorder>>),
    Recorder(Option<Box<Recorder>>),
    Pipe(Option<Feed>),
}

impl Store {
    /// A place for a new transfer. Writing by a command on another thread ends when that command does.
    pub(super) fn begin(output: &Output, hello: &Hello, gather: usize) -> Result<(Self, Option<Writing>)> {
        let store = |kind| Self { id: hello.id, mode: hello.mode, next: 0, ended: false, kind };
        if output.is_file() && hello.mode == Mode::Reliable {
            // The output first: where it cannot be written, no journal of it is left.
            let recorder = output.record(gather)?.map(Box::new);
            let out = &output.path();
            let journal = Journal::create(out, hello);
            let journal =
                journal.map_err(|error| Failure::while_("writing", &journal::place(out).to_string_lossy(), error))?;
            return Ok((store(Kind::Journal(Box::new(journal), recorder)), None));
        }
        if output.is_file()
            && let Some(recorder) = output.record(gather)?
        {
            return Ok((store(Kind::Recorder(Some(Box::new(recorder)))), None));
        }
        let (feed, writing) = output.write_live(gather.saturating_mul(PIPED))?;
        Ok((store(Kind::Pipe(Some(feed))), Some(writing)))
    }

    /// The store of an earlier run, and whether its output stands in its place. A journal that cannot be continued is
    /// set aside.
    pub(super) fn left_over(output: &Output, fresh: bool) -> Result<Option<(Self, bool)>> {
        if !output.is_file() {
            return Ok(None);
        }
        let out = &*output.path();
        let place = journal::place(out);
        if fresh && place.symlink_metadata().is_ok_and(|about| !about.is_dir()) {
            std::fs::remove_file(&place)
                .map_err(|error| Failure::while_("removing", &place.to_string_lossy(), error))?;
        }
        let journal = Journal::reopen(out).unwrap_or_else(|error| {
            journal::set_aside(&place, &error.to_string());
            None
        });
        let Some(journal) = journal else { return Ok(None) };
        if let Err(error) = journal::sweep(out) {
            tracing::warn!("{}: what killed runs have left beside it stays: {error}", output.out);
        }
        let complete = journal.complete;
        let (id, mode, next, ended) = (journal.id, Mode::Reliable, journal.next, journal.ended);
        let store = Self { id, mode, next, ended, kind: Kind::Journal(Box::new(journal), None) };
        if complete && !output.stands() {
            tracing::warn!("{}: it was complete and has gone: it is received again", output.out);
            store.forget()?;
            return Ok(None);
        }
        Ok(Some((store, complete)))
    }

    /// Gives up what an earlier run has left, because no output can be made of it: nothing of it is deleted.
    pub(super) fn set_aside(self, why: &str) {
        if let Kind::Journal(journal, _) = &self.kind {
            journal::set_aside(journal.path(), why);
        }
    }

    /// Whether it outlives a kill.
    pub(super) fn is_journal(&self) -> bool {
        matches!(self.kind, Kind::Journal(..))
    }

    /// Takes content of this number, and the message that it came in.
    pub(super) fn take(&mut self, sequence: u64, content: Event, message: Bytes) -> Result {
        let ends = content == Event::End;
        match &mut self.kind {
            Kind::Journal(journal, recorder) => {
                journal.keep(message).map_err(|error| failed("writing", journal, &error))?;
                if let Some(recorder) = recorder {
                    record(recorder, content)?;
                }
            }
            Kind::Recorder(recorder) => {
                if let Some(recorder) = recorder {
                    record(recorder, content)?;
                }
            }
            Kind::Pipe(feed) => {
                let open = feed.as_ref().is_some_and(|feed| feed.push(message));
                // A command that has ended says why in its result.
                if !open || ends {
                    *feed = None;
                }
            }
        }
        self.next = sequence.saturating_add(1);
        self.ended |= ends;
        Ok(())
    }

    /// Makes taken content as safe as it can be.
    pub(super) fn settle(&mut self) -> Result {
        match &mut self.kind {
            Kind::Journal(journal, _) => journal.flush().map_err(|error| failed("writing", journal, &error)),
            Kind::Recorder(_) | Kind::Pipe(_) => Ok(()),
        }
    }

    /// Bytes that were taken and are not written.
    pub(super) fn waiting(&mut self) -> usize {
        match &mut self.kind {
            Kind::Journal(_, recorder) | Kind::Recorder(recorder) => {
                recorder.as_mut().map_or(0, |recorder| recorder.waiting())
            }
            Kind::Pipe(feed) => feed.as_ref().map_or(0, Feed::waiting),
        }
    }

    /// The pipe that has no room for more, if there is one.
    pub(super) fn full(&self) -> Option<&Feed> {
        match &self.kind {
            Kind::Pipe(Some(feed)) if feed.is_full() => Some(feed),
            _ => None,
        }
    }

    /// Nothing follows: makes the output whole on a thread of its own. `None` when a command does so already.
    pub(super) fn finish(&mut self, output: &Output) -> Result<Option<Writing>> {
        Ok(match &mut self.kind {
            Kind::Journal(journal, recorder) => Some(match recorder.take() {
                Some(recorder) => on_thread(recorder.finish()?)?,
                None => output.write_file(journal.path())?,
            }),
            Kind::Recorder(recorder) => match recorder.take() {
                Some(recorder) => Some(on_thread(recorder.finish()?)?),
                None => None,
            },
            Kind::Pipe(feed) => {
                *feed = None;
                None
            }
        })
    }

    /// The output stands in its place.
    pub(super) fn mark_complete(&mut self) -> Result {
        match &mut self.kind {
            Kind::Journal(journal, _) => {
                let done = journal.complete(self.next);
                done.map_err(|error| failed("writing", journal, &error))
            }
            Kind::Recorder(_) | Kind::Pipe(_) => Ok(()),
        }
    }

    /// Nothing is needed any more.
    pub(super) fn forget(self) -> Result {
        match self.kind {
            Kind::Journal(journal, _) => {
                let path = journal.path().to_string_lossy().into_owned();
                journal.remove().map_err(|error| Failure::while_("removing", &path, error))
            }
            Kind::Recorder(_) | Kind::Pipe(_) => Ok(()),
        }
    }
}

fn record(recorder: &mut Recorder, content: Event) -> Result {
    match content {
        Event::End => Ok(()),
        content => recorder.push(content),
    }
}

fn failed(doing: &str, journal: &Journal, error: &std::io::Error) -> Failure {
    Failure::while_(doing, &journal.path().to_string_lossy(), error)
}
