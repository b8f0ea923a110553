//! `maliu receive`: packets of a `maliu send` elsewhere into a file, decoded sound, or standard output.
//!
//! ```text
//!   connection ─▶ Receiver ─▶ Journal ── when complete ─▶ remux or decode ─▶ OUT       reliable, to a file
//!                          └▶ Pipe ──── at once ────────▶ remux or decode ─▶ OUT       live, or to a stream
//! ```

use std::{path::Path, thread, time::Duration};

use clap::Parser;
use maliu::{tokio::net::Address, wire::session::ReceiverOptions};

use self::{pipe::Pipe, server::Server};
use super::{decode, remux};
use crate::{
    failure::{Failure, Result},
    input,
    keys::Own,
    lent,
    listening::listen,
    stop,
};

mod carried;
mod journal;
mod pipe;
mod server;

/// Receives what `maliu send` sends.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Where to listen: tcp://HOST:PORT, tls://HOST:PORT, quic://HOST:PORT, unix:/PATH, or - for standard input.
    #[arg(value_name = "LISTEN")]
    at: String,
    /// File to write: any container, or .wav, .pcm, .raw for decoded sound; - is standard output.
    #[arg(value_name = "OUT")]
    out: String,
    /// Format to write; the name of OUT says it otherwise.
    #[arg(short, long, value_name = "FORMAT")]
    format: Option<String>,
    /// Setting of the output format; repeat it for more.
    #[arg(short = 'o', long = "option", value_name = "NAME=VALUE", value_parser = input::setting)]
    settings: Vec<(String, String)>,
    /// Token that senders must know.
    #[arg(long, env = "MALIU_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// Allow a token over connections that others can read.
    #[arg(long)]
    insecure: bool,
    #[command(flatten)]
    carried: carried::Args,
    /// Write messages of this layout: a preset or a file.
    #[arg(long, value_name = "LAYOUT", conflicts_with = "format")]
    write_layout: Option<String>,
    #[command(flatten)]
    own: Own,
    /// Forget an unfinished transfer into OUT.
    #[arg(long)]
    fresh: bool,
    /// Print lines of JSON: where it listens, every second what came, and the end.
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "Examples:
  maliu receive tcp://127.0.0.1:7000 film.flv
  maliu receive quic://0.0.0.0:7000 film.flv --token secret     prints the fingerprint to give to send
  maliu receive tls://0.0.0.0:7000 sound.wav                     decodes what comes
  maliu receive unix:/run/user/1000/media - -f adts | player
  maliu receive tcp://0.0.0.0:9000 film.flv --layout mine.toml   from a camera with a protocol of its own
  maliu receive tcp://127.0.0.1:27183 phone.h264 --layout scrcpy --connect

A reliable transfer into a file is kept beside it until it is complete; a second run of the same command goes on.";

/// Listens, receives and writes.
pub fn run(args: Args) -> Result {
    let output = Output {
        out: args.out.clone(),
        input: args.carried.layout.as_ref().map_or("--from=wire".to_owned(), |layout| format!("--layout={layout}")),
        format: args.format.clone(),
        write_layout: args.write_layout.clone(),
        settings: args.settings.clone(),
    };
    output.check()?;
    if let Some(layout) = &args.carried.layout {
        let job = carried::Job { at: &args.at, own: &args.own, output: &output, json: args.json };
        return args.carried.run(layout, &job);
    }
    if args.at == "-" {
        return output.write("-");
    }
    let address: Address = args.at.parse().map_err(Failure::Usage)?;
    if args.token.is_some() && !address.is_private() && !args.insecure {
        return Err(Failure::Usage(format!("{address}: a token needs tls:, quic: or loopback, or --insecure")));
    }
    if args.token.as_ref().is_some_and(String::is_empty) {
        return Err(Failure::Usage("the token is empty".into()));
    }
    stop::at_once();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = listen(&address, &args.own, args.json, &args.out).await?;
        let options = ReceiverOptions { token: args.token.clone() };
        Server::new(listener, options, output, &args).run().await
    })
}

/// What is to become of the content.
#[derive(Clone)]
struct Output {
    out: String,
    /// The argument that says what the content is.
    input: String,
    format: Option<String>,
    write_layout: Option<String>,
    settings: Vec<(String, String)>,
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
    fn is_file(&self) -> bool {
        self.out != "-" && !std::fs::metadata(&self.out).is_ok_and(|about| !about.is_file())
    }

    /// Whether it can be written, as far as that is known before anything has come.
    fn check(&self) -> Result {
        let folder = Path::new(&self.out).parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Some(error) = folder.and_then(|folder| std::fs::metadata(folder).err()) {
            return Err(Failure::while_("writing", &self.out, error));
        }
        match self.command("-")? {
            Command::Decode(_) => Ok(()),
            Command::Remux(args) => args.check(&self.out),
        }
    }

    /// Reads content at a path, and writes.
    fn write(&self, path: &str) -> Result {
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

    /// Writes what is put into a pipe, on a thread of its own.
    fn write_live(&self) -> (pipe::Feed, tokio::sync::oneshot::Receiver<Result>) {
        let (feed, pipe) = Pipe::new();
        (
            feed,
            self.on_thread(move |output| {
                lent::lend(Box::new(pipe));
                output.write(lent::NAME)
            }),
        )
    }

    /// Writes a file of wire content, on a thread of its own.
    fn write_file(&self, path: &Path) -> tokio::sync::oneshot::Receiver<Result> {
        let path = path.to_string_lossy().into_owned();
        self.on_thread(move |output| output.write(&path))
    }

    fn on_thread(&self, work: impl FnOnce(&Self) -> Result + Send + 'static) -> tokio::sync::oneshot::Receiver<Result> {
        let (done, end) = tokio::sync::oneshot::channel();
        let output = self.clone();
        thread::spawn(move || {
            let result = work(&output);
            let _ = done.send(result);
        });
        end
    }
}

/// How long a sender that did not hear the last acknowledgement may take to come back.
const LINGER: Duration = Duration::from_secs(10);
