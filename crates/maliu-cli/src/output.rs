//! The output of a command: a file that appears whole, standard output, or a device.

use maliu::{
    Error,
    blocking::Pump,
    io::{AtomicFile, Behind, Sink, stdout},
    output::Output,
};

use crate::{
    failure::{Failure, Result},
    lent,
};

/// Bytes on their way to where the user wants them.
pub struct Target<S = Box<dyn Sink>> {
    name: String,
    pump: Pump<S>,
    /// What is written is wanted at once.
    live: bool,
}

impl Target {
    /// Starts writing to a path; `-` is standard output. A file takes its place only at [`Target::finish`].
    pub fn create(path: &str) -> Result<Self> {
        let name = if path == "-" { "standard output" } else { path };
        let failed = |error| Failure::writing(name, &error);
        let live = lent::is_live();
        // What is flushed after every packet gains nothing from a thread.
        let own = |sink: Box<dyn Sink + Send>| match live {
            true => Ok(sink as Box<dyn Sink>),
            false => Behind::new(sink).map(|sink| Box::new(sink) as Box<dyn Sink>).map_err(failed),
        };
        let sink = match (path, lent::take_place(path)) {
            (_, Some(lent)) => lent?,
            ("-", None) => own(Box::new(stdout().map_err(failed)?))?,
            (path, None) => own(Box::new(AtomicFile::create(path).map_err(failed)?))?,
        };
        Ok(Self { name: name.to_owned(), pump: Pump::new(sink), live })
    }
}

impl Target<AtomicFile> {
    /// As [`Target::create`], into a file, wherever it is used; gathers so many bytes before each write.
    pub fn gathering(path: &str, bytes: usize) -> Result<Self> {
        let file = AtomicFile::create(path).map_err(|error| Failure::writing(path, &error))?;
        Ok(Self { name: path.to_owned(), pump: Pump::new(file.with_block_size(bytes)), live: false })
    }

    /// Bytes that wait to be given to the file.
    pub fn waiting(&mut self) -> usize {
        self.pump.output().waiting()
    }
}

impl<S: Sink> Target<S> {
    /// Where a muxer puts its edits.
    pub fn output(&mut self) -> &mut Output {
        self.pump.output()
    }

    /// Writes what waits.
    pub fn pump(&mut self) -> Result {
        let pumped = if self.live { self.pump.flush() } else { self.pump.pump() };
        pumped.map_err(|error| self.failed(&error))
    }

    /// Writes all that waits, so that whoever reads it has it.
    pub fn flush(&mut self) -> Result {
        self.pump.flush().map_err(|error| self.failed(&error))
    }

    /// Writes all that waits; the file takes its place.
    pub fn finish(mut self) -> Result {
        self.pump.finish().map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &Error) -> Failure {
        match error {
            Error::Io(error) => Failure::writing(&self.name, error),
            Error::Media(error) => Failure::while_("writing", &self.name, error),
        }
    }
}
