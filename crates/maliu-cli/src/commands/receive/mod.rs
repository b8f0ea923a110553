//! `maliu receive`: packets of a `maliu send` elsewhere into a file, decoded sound, or standard output.
//!
//! ```text
//!   connection ─▶ Receiver ─▶ Journal ── when complete ─▶ remux or decode ─▶ OUT       reliable, to a file
//!                          └▶ Pipe ──── at once ────────▶ remux or decode ─▶ OUT       live, or to a stream
//! ```

use std::{path::Path, thread, time::Duration};

use clap::Parser;
use maliu::{
    tokio::net::{Address, Listener},
    wire::session::ReceiverOptions,
};
use serde_json::json;

use self::{pipe::Pipe, server::Server};
use super::{decode, remux};
use crate::{
    failure::{Failure, Result},
    input,
    keys::Own,
    lent, stop,
};

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

A reliable transfer into a file is kept beside it until it is complete; a second run of the same command goes on.";

/// Listens, receives and writes.
pub fn run(args: Args) -> Result {
    let output = Output { out: args.out.clone(), format: args.format.clone(), settings: args.settings.clone() };
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
        let listener = listen(&args, &address).await?;
        let options = ReceiverOptions { token: args.token.clone() };
        Server::new(listener, options, output, &args).run().await
    })
}

/// Listens, and says where.
async fn listen(args: &Args, address: &Address) -> Result<Listener> {
    let (identity, fingerprint) = args.own.identity(address)?.unzip();
    let listener = Listener::bind(address, identity.as_ref()).await;
    let listener = listener.map_err(|error| Failure::while_("listening at", &args.at, error))?;
    tell(args, &listener, fingerprint);
    Ok(listener)
}

fn tell(args: &Args, listener: &Listener, fingerprint: Option<String>) {
    let place = listener.address();
    if args.json {
        line(&args.out, &json!({"event": "listening", "address": place, "fingerprint": fingerprint}));
        return;
    }
    eprintln!("listening at {place}");
    if let Some(fingerprint) = fingerprint {
        eprintln!("fingerprint {fingerprint}");
    }
}

/// A line of JSON: on standard output, or on standard error when media goes there.
fn line(out: &str, value: &serde_json::Value) {
    use std::io::Write;
    // Who does not read the lines does not stop the receiving.
    let _ = if out == "-" { writeln!(std::io::stderr(), "{value}") } else { writeln!(std::io::stdout(), "{value}") };
}

/// What is to become of the content.
#[derive(Clone)]
struct Output {
    out: String,
    format: Option<String>,
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

impl Output {
    /// Whether it is a file that appears when it is complete.
    fn is_file(&self) -> bool {
        self.out != "-" && !std::fs::metadata(&self.out).is_ok_and(|about| !about.is_file())
    }

    /// Reads wire content at a path, and writes.
    fn write(&self, path: &str) -> Result {
        let extension = Path::new(&self.out).extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        let wanted = self.format.as_deref().unwrap_or(extension).to_ascii_lowercase();
        let mut line = vec!["maliu".to_owned(), "--from=wire".to_owned()];
        let wrong = |error: clap::Error| Failure::Usage(error.to_string());
        if matches!(wanted.as_str(), "wav" | "pcm" | "raw") {
            line.extend([
                format!("--to={}", if wanted == "wav" { "wav" } else { "pcm" }),
                path.into(),
                self.out.clone(),
            ]);
            return decode::run(Decode::try_parse_from(line).map_err(wrong)?.args);
        }
        line.extend(self.format.iter().map(|format| format!("--format={format}")));
        line.extend(self.settings.iter().map(|(name, value)| format!("--option={name}={value}")));
        line.extend([path.to_owned(), self.out.clone()]);
        remux::run(Remux::try_parse_from(line).map_err(wrong)?.args)
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
