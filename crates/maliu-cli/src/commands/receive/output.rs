//! What is to become of the content of a transfer: a container, decoded sound, or a stream for another program.

use std::{path::Path, thread};

use clap::Parser;
use tokio::sync::oneshot;

use super::pipe::{Feed, pipe};
use crate::{
    commands::{
        decode,
        remux::{self, Recorder},
    },
    failure::{Failure, Result},
    lent,
};

/// Where content goes, and in which format.
#[derive(Clone)]
pub struct Output {
    /// A file, or - for standard output.
    pub out: String,
    /// The argument that says what the content is.
    pub input: String,
    /// The format, if the name does not say it.
    pub format: Option<String>,
    /// The layout of messages to write, in place of a format.
    pub write_layout: Option<String>,
    /// Settings of the format.
    pub settings: Vec<(String, String)>,
}

/// The command lines of those that write.
#[derive(Parser)]
struct Remux {
    #[command(flatten)]
    args: remux::Args,
}

#[derive(Parser)]
struct Decode {
    #[command(flatten)]
    args: decode::Args,
}

/// What writes the output.
enum Command {
    Decode(Box<decode::Args>),
    Remux(Box<remux::Args>),
}

impl Output {
    /// Whether it is a file that appears when it is complete.
    pub fn is_file(&self) -> bool {
        self.out != "-" && !std::fs::metadata(&self.out).is_ok_and(|about| !about.is_file())
    }

    /// The same into another file.
    pub fn to_file(&self, out: String) -> Self {
        Self { out, ..self.clone() }
    }

    /// Whether it can be written, as far as that is known before anything has come.
    pub fn check(&self) -> Result {
        let folder = Path::new(&self.out).parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Some(error) = folder.and_then(|folder| std::fs::metadata(folder).err()) {
            return Err(Failure::while_("writing", &self.out, error));
        }
        match self.command("-")? {
            Command::Decode(_) => Ok(()),
            Command::Remux(args) => args.check(&self.out),
        }
    }

    /// An output that is written as content comes, and gathers so many bytes before each write; `None` for sound that is
    /// to be decoded.
    pub fn record(&self, gather: usize) -> Result<Option<Recorder>> {
        match self.command("-")? {
            Command::Decode(_) => Ok(None),
            Command::Remux(args) => Recorder::create(*args, gather).map(Some),
        }
    }

    /// Reads content at a path, and writes.
    pub fn write(&self, path: &str) -> Result {
        match self.command(path)? {
            Command::Decode(args) => decode::run(*args),
            Command::Remux(args) => remux::run(*args),
        }
    }

    /// The command that reads content at a path.
    fn command(&self, path: &str) -> Result<Command> {
        let extension = Path::new(&self.out).extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        let wanted = self.format.as_deref().unwrap_or(extension).to_ascii_lowercase();
        let mut line = vec!["maliu".to_owned(), self.input.clone()];
        let wrong = |error: clap::Error| Failure::Usage(error.to_string());
        if self.write_layout.is_none() && matches!(wanted.as_str(), "wav" | "pcm" | "raw") {
            let container = if wanted == "wav" { "wav" } else { "pcm" };
            line.extend([format!("--to={container}"), path.into(), self.out.clone()]);
            return Ok(Command::Decode(Box::new(Decode::try_parse_from(line).map_err(wrong)?.args)));
        }
        line.extend(self.format.iter().map(|format| format!("--format={format}")));
        line.extend(self.write_layout.iter().map(|layout| format!("--write-layout={layout}")));
        line.extend(self.settings.iter().map(|(name, value)| format!("--option={name}={value}")));
        line.extend([path.to_owned(), self.out.clone()]);
        Ok(Command::Remux(Box::new(Remux::try_parse_from(line).map_err(wrong)?.args)))
    }

    /// Writes what is put into a pipe, in which so many bytes may wait, on a thread of its own.
    pub fn write_live(&self, most: usize) -> Result<(Feed, Writing)> {
        let (feed, pipe) = pipe(most);
        let output = self.clone();
        let writing = on_thread(move || {
            lent::lend(Box::new(pipe));
            output.write(lent::NAME)
        })?;
        Ok((feed, writing))
    }

    /// Writes a file of wire content, on a thread of its own.
    pub fn write_file(&self, path: &Path) -> Result<Writing> {
        let (output, path) = (self.clone(), path.to_string_lossy().into_owned());
        on_thread(move || output.write(&path))
    }
}

/// The end of writing on another thread.
pub type Writing = oneshot::Receiver<Result>;

/// Does work that may take long where it holds up nobody.
pub fn on_thread(work: impl FnOnce() -> Result + Send + 'static) -> Result<Writing> {
    let (done, end) = oneshot::channel();
    let spawned = thread::Builder::new().spawn(move || done.send(work()).unwrap_or_default());
    spawned.map_err(|error| Failure::Failed(format!("no thread to write on: {error}")))?;
    Ok(end)
}
