//! Events that are pushed into an output, by the same rules as those of inputs that are read.

use maliu_core::format::Event;

use super::{Error, Feed, Options, Report, Step, To, job::Work, map};
use crate::{blocking::Pump, io::Sink};

/// An output that is written as events come.
///
/// Nothing is written until every stream has begun, or as much was pushed as a copy reads ahead.
pub struct Recorder<S> {
    to: To,
    options: Options,
    feeds: [Feed; 1],
    pump: Pump<S>,
    work: Option<Work>,
}

impl<S: Sink> Recorder<S> {
    /// Records into `sink`.
    pub fn new(to: impl Into<To>, sink: S, options: Options) -> Self {
        let feed = Feed::pushed().named(options.name.clone());
        Self { to: to.into(), options, feeds: [feed], pump: Pump::new(sink), work: None }
    }

    /// Takes the next event.
    ///
    /// # Errors
    /// [`Error::Map`], [`Error::NoStream`], [`Error::Write`]. A packet that the format cannot carry is logged and
    /// left out.
    pub fn push(&mut self, event: Event) -> Result<(), Error> {
        let [feed] = &mut self.feeds;
        feed.push(event);
        if self.work.is_none() && !feed.is_ready() {
            return Ok(());
        }
        self.copy()
    }

    /// Bytes of memory that were pushed and are not written, and of the descriptions of streams.
    pub fn waiting(&mut self) -> usize {
        let [feed] = &self.feeds;
        let packets = self.work.as_ref().map_or(feed.ahead(), |work| work.writer.waiting().1);
        packets + feed.described() + self.pump.output().waiting()
    }

    /// Nothing follows. The returned completion completes the sink, which may take a while.
    ///
    /// # Errors
    /// As [`Recorder::push`].
    pub fn finish(mut self) -> Result<Completion<S>, Error> {
        self.copy()?;
        self.work.iter_mut().for_each(|work| work.note(&self.feeds));
        Ok(Completion { work: self.work, pump: self.pump })
    }

    /// Writes what waits; begins if that is still to be done.
    fn copy(&mut self) -> Result<(), Error> {
        let Self { to, options, feeds, pump, work } = self;
        let work = match work {
            Some(work) => work,
            None => {
                for (index, feed) in feeds.iter_mut().enumerate() {
                    let begun = feed.begin(options.start, options.low_latency, options.policy());
                    begun.map_err(|error| Error::Read { index, error })?;
                }
                let streams = map::choose(&options.map, feeds, to.format)?;
                work.insert(Work::start(to, options.clone(), feeds, &streams, pump)?)
            }
        };
        loop {
            match work.step(feeds, pump)? {
                Step::Done => {}
                Step::Refused(error) => tracing::warn!("{}: left out: {error}", options.name),
                Step::End => return Ok(()),
            }
        }
    }
}

/// A recording that is to be completed, on any thread.
pub struct Completion<S> {
    work: Option<Work>,
    pump: Pump<S>,
}

impl<S: Sink> Completion<S> {
    /// Completes the sink and returns it.
    ///
    /// # Errors
    /// As [`Copy::finish`](super::Copy::finish).
    pub fn complete(self) -> (Report, Result<S, Error>) {
        match self.work {
            Some(work) => work.finish(self.pump, Ok(())),
            None => (Report::default(), Ok(self.pump.into_sink())),
        }
    }
}
