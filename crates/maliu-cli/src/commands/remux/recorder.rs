//! A file that is written as packets come, by the same rules as those that the command reads.

use maliu::{
    copy::{self, Report},
    format::Event,
    io::AtomicFile,
};

use super::{Args, failed};
use crate::{
    failure::{Failure, Result},
    output,
    stop::{Litter, Stop},
};

/// An output that is written as packets come.
pub(crate) struct Recorder {
    name: String,
    inner: copy::Recorder<AtomicFile>,
    litter: Option<Litter>,
}

impl Recorder {
    /// Starts the last path of `args`; input is pushed. Gathers `gather` bytes before each write.
    pub(crate) fn create(args: Args, gather: usize, stop: &Stop) -> Result<Self> {
        let name = args.paths.last().cloned().unwrap_or_default();
        args.refuse_playlist(&name)?;
        let to = args.to(&name)?;
        let (file, litter) = output::gathering(&name, gather, stop)?;
        let options = args.options(&name);
        Ok(Self { inner: copy::Recorder::new(to, file, options), name, litter })
    }

    /// Takes the next event.
    pub(crate) fn push(&mut self, event: Event) -> Result {
        self.inner.push(event).map_err(|error| fails(&self.name, error))
    }

    /// Bytes that were pushed and are not written, and of the descriptions of streams.
    pub(crate) fn waiting(&mut self) -> usize {
        self.inner.waiting()
    }

    /// Nothing follows. The returned closure makes the file whole and puts it in its place, which may take a while.
    pub(crate) fn finish(self) -> Result<impl FnOnce() -> Result + Send + 'static> {
        let Self { name, inner, litter } = self;
        let completion = inner.finish().map_err(|error| fails(&name, error))?;
        Ok(move || {
            let (report, end): (Report, _) = completion.complete();
            report.lines().iter().for_each(|line| tracing::warn!("{line}"));
            drop(litter);
            end.map(drop).map_err(|error| fails(&name, error))
        })
    }
}

/// Names pushed input by the output.
fn fails(name: &str, error: copy::Error) -> Failure {
    match error {
        error @ copy::Error::NoStream { .. } => Failure::while_("reading", name, error),
        error => failed(&[], name, error),
    }
}
