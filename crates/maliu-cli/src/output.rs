//! The output of a command: a file that appears whole, standard output, or a device; or text on standard output.

use std::{
    fs,
    io::{self, BufWriter, Write},
};

use maliu::{
    Error,
    blocking::Pump,
    io::{AtomicFile, Behind, Recording, Sink, is_not_yet, patiently, stdout},
    net,
    output::Output,
    rtmp,
};

use crate::{
    context::Context,
    escape::Escaping,
    failure::{Failure, Result},
    input, paths,
    stop::{Litter, Stop},
};

/// Treatment of a file that an output would replace.
#[derive(clap::Args, Clone, Default)]
#[group(skip)]
pub(crate) struct Clobber {
    /// Fail where the output exists (default: it is replaced, once the new one is complete).
    #[arg(short = 'n', long, conflicts_with = "yes")]
    no_clobber: bool,
    /// Replace an output that exists, as without this option.
    #[arg(short = 'y', long)]
    yes: bool,
}

impl Clobber {
    /// Refuses a file that exists and is to be kept.
    pub(crate) fn check(&self, path: &str) -> Result {
        let is_file = || paths::of(path).metadata().is_ok_and(|about| about.is_file());
        match self.no_clobber && path != "-" && is_file() {
            true => Err(Failure::Failed(format!("{path}: exists, and --no-clobber keeps it"))),
            false => Ok(()),
        }
    }
}

/// Bytes on their way to where the user wants them.
pub(crate) struct Target {
    name: String,
    pump: Pump<Box<dyn Sink>>,
    /// Whether output is wanted at once.
    live: bool,
    /// Removed when the program is ended on the way.
    _litter: Option<Litter>,
}

impl Target {
    /// Starts writing to a path; `-` is standard output. A file takes its place only at [`Target::finish`].
    pub(crate) fn create(path: &str, context: &Context) -> Result<Self> {
        let (sink, litter) = open(path, context)?;
        Ok(Self { name: name(path).to_owned(), pump: Pump::new(sink), live: context.live, _litter: litter })
    }

    /// Where a muxer puts its edits.
    pub(crate) fn output(&mut self) -> &mut Output {
        self.pump.output()
    }

    /// Writes what waits, as far as the reader of the output is ready for it; when too much waits, it waits, too.
    pub(crate) fn pump(&mut self) -> Result {
        if self.live {
            return self.flush();
        }
        let pumped = patiently(|| self.pump.pump().and_then(|()| self.pump.ready()), Error::is_not_yet);
        pumped.map_err(|error| self.failed(&error))
    }

    /// Writes all that waits, so that the reader of the output has it.
    pub(crate) fn flush(&mut self) -> Result {
        patiently(|| self.pump.flush(), Error::is_not_yet).map_err(|error| self.failed(&error))
    }

    /// Writes all that waits; the file takes its place.
    pub(crate) fn finish(mut self) -> Result {
        patiently(|| self.pump.finish(), Error::is_not_yet).map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &Error) -> Failure {
        match error {
            Error::Io(error) => Failure::writing(&self.name, error),
            Error::Media(error) => Failure::while_("writing", &self.name, error),
        }
    }
}

/// The name of a path in messages.
pub(crate) fn name(path: &str) -> &str {
    if path == "-" { "standard output" } else { input::name(path) }
}

/// A file that appears when it is complete, with `bytes` bytes gathered before each write; and its entry to be removed
/// if it is not finished.
pub(crate) fn gathering(path: &str, bytes: usize, stop: &Stop) -> Result<(AtomicFile, Option<Litter>)> {
    let file = AtomicFile::create(paths::of(path)).map_err(|error| Failure::writing(path, &error))?;
    let litter = file.beside().map(|path| stop.litter_at(path));
    Ok((file.with_block_size(bytes), litter))
}

/// The place that a command line calls `path`, and what is to be removed if it is not finished.
pub(crate) fn open(path: &str, context: &Context) -> Result<(Box<dyn Sink>, Option<Litter>)> {
    let failed = |error| Failure::writing(name(path), &error);
    if let Some(sink) = context.ask(|places| places.sink(path)) {
        return Ok((sink.map_err(failed)?, None));
    }
    if rtmp::Url::is_one(path) {
        let url = path.parse().map_err(|why| Failure::Usage(format!("{}: {why}", name(path))))?;
        let publisher = rtmp::Publisher::connect(&url);
        return Ok((Box::new(publisher.map_err(|error| Failure::while_("opening", name(path), error))?), None));
    }
    if net::is_one(path) {
        let sink = net::sink(path).map_err(|error| Failure::while_("opening", name(path), error))?;
        return Ok((sink, None));
    }
    if path == "-" {
        return Ok((behind(stdout().map_err(failed)?, context), None));
    }
    let file = AtomicFile::create(paths::of(path)).map_err(failed)?;
    let litter = file.beside().map(|path| context.stop.litter_at(path));
    Ok((behind(file, context), litter))
}

/// As [`open`], of a file that can be played while it grows: where nothing stands at `path`, it is written in its
/// place.
pub(crate) fn record(path: &str, context: &Context) -> Result<(Box<dyn Sink>, Option<Litter>)> {
    if path == "-" || context.has_places() || net::is_one(path) {
        return open(path, context);
    }
    match Recording::create_new(paths::of(path)) {
        Ok(file) => Ok((behind(file, context), None)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => open(path, context),
        Err(error) => Err(Failure::writing(path, &error)),
    }
}

/// Gives a sink a thread, unless it is flushed after every packet and would gain nothing.
fn behind(sink: impl Sink + Send + 'static, context: &Context) -> Box<dyn Sink> {
    if context.live { Box::new(sink) } else { Box::new(Behind::new(sink)) }
}

/// Refuses an output that is one of the inputs: a slip of the hand, and the input would be gone.
pub(crate) fn is_none_of<'a>(output: &str, mut inputs: impl Iterator<Item = &'a str>) -> Result {
    let Ok(place) = fs::canonicalize(paths::of(output)) else { return Ok(()) };
    let is_file = fs::metadata(&place).is_ok_and(|about| about.is_file());
    match is_file && inputs.any(|input| fs::canonicalize(paths::of(input)).is_ok_and(|input| input == place)) {
        true => Err(Failure::Usage(format!("{output}: the output must be another file than the input"))),
        false => Ok(()),
    }
}

/// Prints text on standard output. Text printed before a failure is shown.
pub(crate) fn print(context: &Context, text: impl FnOnce(&mut dyn Write) -> Result) -> Result {
    let to = context.ask(|places| places.text()).unwrap_or_else(|| Box::new(io::stdout().lock()));
    // Looked at in blocks. A letter is never cut between two: it comes in one write.
    let mut out = BufWriter::with_capacity(GATHERED, Escaping(Patient(to)));
    let end = text(&mut out);
    out.flush()?;
    end
}

/// Bytes of text that are written at once.
const GATHERED: usize = 64 << 10;

/// Waits for a reader that is not ready, where its end of a pipe does not block.
struct Patient(Box<dyn Write>);

impl Write for Patient {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match patiently(|| self.0.write(bytes), is_not_yet)? {
            wrote if wrote > bytes.len() => Err(io::ErrorKind::InvalidData.into()),
            wrote => Ok(wrote),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        patiently(|| self.0.flush(), is_not_yet)
    }
}
