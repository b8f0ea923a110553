//! Output of a transfer: a container, decoded audio, or a stream for another program.

use std::{borrow::Cow, path::Path, thread};

use maliu::{io::Source, wire::content};
use tokio::sync::oneshot;

use super::pipe::{Feed, pipe};
use crate::{
    commands::{
        decode,
        remux::{self, Recorder},
    },
    context::Context,
    failure::{Failure, Result},
    input, paths,
    stop::Stop,
};

/// Where content goes, and in which format.
#[derive(Clone)]
pub(super) struct Output {
    /// A file, or - for standard output.
    pub out: String,
    /// The layout of the content; maliu's own messages otherwise.
    pub layout: Option<String>,
    /// The format, if the name does not say it.
    pub format: Option<String>,
    /// The layout of messages to write, in place of a format.
    pub write_layout: Option<String>,
    /// Settings of the format.
    pub settings: Vec<(String, String)>,
    /// The signal to stop.
    pub stop: Stop,
}

/// The command that writes the output.
enum Command {
    Decode(Box<decode::Args>),
    Remux(Box<remux::Args>),
}

impl Output {
    /// Whether it is a file that appears when it is complete.
    pub(super) fn is_file(&self) -> bool {
        self.out != "-" && !std::fs::metadata(self.path()).is_ok_and(|about| !about.is_file())
    }

    /// Whether the file that was completed is still there.
    pub(super) fn stands(&self) -> bool {
        std::fs::metadata(self.path()).is_ok_and(|about| about.is_file())
    }

    /// Where the file is.
    pub(super) fn path(&self) -> Cow<'_, Path> {
        paths::of(&self.out)
    }

    /// The same into another file.
    pub(super) fn to_file(&self, out: String) -> Self {
        Self { out, ..self.clone() }
    }

    /// Whether it can be written, as far as that is known before anything has come.
    pub(super) fn check(&self) -> Result {
        let path = self.path();
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Some(error) = folder.and_then(|folder| std::fs::metadata(folder).err()) {
            return Err(Failure::while_("writing", &self.out, error));
        }
        match self.command("-") {
            Command::Decode(_) if !self.settings.is_empty() => {
                Err(Failure::Usage(format!("-o: {} is decoded audio, which has no settings", self.out)))
            }
            Command::Decode(_) => Ok(()),
            Command::Remux(args) => args.check(&self.out),
        }
    }

    /// An output that is written as content comes, with `gather` bytes gathered before each write; `None` for audio
    /// that is to be decoded.
    pub(super) fn record(&self, gather: usize) -> Result<Option<Recorder>> {
        match self.command("-") {
            Command::Decode(_) => Ok(None),
            Command::Remux(args) => Recorder::create(*args, gather, &self.stop).map(Some),
        }
    }

    /// Reads content at a path, and writes.
    pub(super) fn write(&self, path: &str) -> Result {
        let context = Context::new(false, &self.stop);
        let (_, source) = input::source(path, &context)?;
        self.write_source(path, source, &context)
    }

    /// Reads content of a source that messages call `name`, and writes.
    pub(super) fn write_source(&self, name: &str, source: Box<dyn Source + Send>, context: &Context) -> Result {
        match self.command(name) {
            Command::Decode(args) => decode::live(&args, source, context),
            Command::Remux(args) => {
                let feed = self.input(name).feed_of(name, source)?;
                let open = || args.open(&self.out, context);
                remux::copy(&args, &[name], vec![feed], &self.out, context.live, open)
            }
        }
    }

    /// The content, under this name.
    fn input(&self, name: &str) -> input::Args {
        let from = self.layout.is_none().then(|| content::FORMAT.name.to_owned());
        input::Args { layout: self.layout.clone(), whole: true, ..input::Args::of(name, from) }
    }

    /// The command that reads content which messages call `name`.
    fn command(&self, name: &str) -> Command {
        let extension = Path::new(&self.out).extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        let wanted = self.format.as_deref().unwrap_or(extension).to_ascii_lowercase();
        if self.write_layout.is_none() && matches!(wanted.as_str(), "wav" | "pcm" | "raw") {
            return Command::Decode(decode::Args::of(self.input(name), self.out.clone(), &wanted).into());
        }
        let (format, layout, settings) = (self.format.clone(), self.write_layout.clone(), self.settings.clone());
        Command::Remux(remux::Args::writing(self.out.clone(), format, layout, settings).into())
    }

    /// Writes the content of a pipe, which holds up to `most` bytes, on a thread of its own.
    pub(super) fn write_live(&self, most: usize) -> Result<(Feed, Writing)> {
        let (feed, pipe) = pipe(most);
        let output = self.clone();
        let writing = on_thread(move || {
            let source = Box::new(output.stop.guard(pipe));
            output.write_source("the connection", source, &Context::new(true, &output.stop))
        })?;
        Ok((feed, writing))
    }

    /// Writes a file of wire content, on a thread of its own.
    pub(super) fn write_file(&self, path: &Path) -> Result<Writing> {
        let (output, path) = (self.clone(), paths::text(path.into()));
        on_thread(move || output.write(&path))
    }
}

/// The end of writing on another thread.
pub(super) type Writing = oneshot::Receiver<Result>;

/// Does work that may take long on a thread of its own, where it delays no connection.
pub(super) fn on_thread(work: impl FnOnce() -> Result + Send + 'static) -> Result<Writing> {
    let (done, end) = oneshot::channel();
    let spawned = thread::Builder::new().spawn(move || done.send(work()).unwrap_or_default());
    spawned.map_err(|error| Failure::Failed(format!("no thread to write on: {error}")))?;
    Ok(end)
}
