//! Packets that are pushed into an output, by the same rules as those that the command reads.

use maliu::{
    format::{Event, Format},
    io::AtomicFile,
};

use super::{Args, Feed, Work, format, map};
use crate::{failure::Result, output::Target};

/// An output that is written as packets come.
pub struct Recorder {
    args: Args,
    name: String,
    format: &'static Format,
    feeds: [Feed; 1],
    target: Target<AtomicFile>,
    /// `None` until every stream has begun, or enough was read ahead.
    work: Option<Work>,
}

impl Recorder {
    /// Starts the last path of `args`; what would be read is pushed. Gathers so many bytes before each write.
    pub fn create(args: Args, gather: usize) -> Result<Self> {
        let name = args.paths.last().cloned().unwrap_or_default();
        let format = format(&args, &name)?;
        let target = Target::gathering(&name, gather)?;
        Ok(Self { feeds: [Feed::pushed(&name)], args, name, format, target, work: None })
    }

    /// What comes next.
    pub fn push(&mut self, event: Event) -> Result {
        let [feed] = &mut self.feeds;
        feed.push(event);
        if self.work.is_none() && !feed.is_ready() {
            return Ok(());
        }
        self.copy()
    }

    /// Bytes that were pushed and are not written, and of the descriptions of streams.
    pub fn waiting(&mut self) -> usize {
        let [feed] = &self.feeds;
        let packets = self.work.as_ref().map_or(feed.ahead(), |work| work.writer.waiting().1);
        packets + feed.described() + self.target.waiting()
    }

    /// Nothing follows. What is returned makes the file whole and puts it in its place, which may take a while.
    pub fn finish(mut self) -> Result<impl FnOnce() -> Result + Send + 'static> {
        self.copy()?;
        let Self { work, target, .. } = self;
        Ok(move || work.map_or(Ok(()), |work| work.close(target, Ok(()))))
    }

    /// Writes what waits; begins if that is still to be done.
    fn copy(&mut self) -> Result {
        let Self { args, name, format, feeds, target, work } = self;
        let work = match work {
            Some(work) => work,
            None => {
                feeds.iter_mut().try_for_each(|feed| feed.begin(args.start))?;
                let streams = map::choose(&args.map, feeds, format)?;
                work.insert(Work::start(args, format, feeds, &streams, target, name)?)
            }
        };
        work.copy(feeds, target)
    }
}
