//! `maliu receive`: packets of a `maliu send` elsewhere into a file, decoded audio, or standard output.
//!
//! ```text
//!   connection ─▶ strangers ─ hello ─▶ Transfer ─▶ Store ─▶ OUT            one, or many at a time
//! ```

use std::{sync::Arc, time::Duration};

use maliu::{tokio::net::Address, wire::session::ReceiverOptions};
use tokio::{sync::mpsc, task::LocalSet};

use self::{
    many::Many,
    memory::Memory,
    output::Output,
    report::{Lines, Report},
    transfer::{Terms, Transfer},
};
use crate::{
    context::Context,
    descriptors,
    failure::{Failure, Result},
    keys::{self, Own},
    listening::{self, listen},
    paths,
    progress::Meter,
    stop::Stop,
    time, values,
};

mod carried;
mod journal;
mod lobby;
mod many;
mod memory;
mod names;
mod output;
mod pipe;
mod report;
mod store;
mod strangers;
mod transfer;

/// Receives what `maliu send` sends.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Where to listen: tcp://HOST:PORT, tls://HOST:PORT, quic://HOST:PORT, unix:/PATH, or - for standard input.
    #[arg(value_name = "LISTEN")]
    at: String,
    /// File to write: any container, or .wav, .pcm, .raw for decoded audio; - is standard output.
    #[arg(value_name = "OUT", value_parser = paths::parser())]
    out: String,
    /// Format to write (default: by the name of OUT).
    #[arg(short, long, value_name = "FORMAT")]
    format: Option<String>,
    /// Setting of the output format; repeat it for more.
    #[arg(short = 'o', long = "option", value_name = "NAME=VALUE", value_parser = values::setting)]
    settings: Vec<(String, String)>,
    /// Token that senders must know.
    #[arg(long, env = "MALIU_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// Allow a token over unencrypted connections.
    #[arg(long, requires = "token")]
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
    /// Print lines of JSON: the address, progress every second, and the end.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    many: ManyArgs,
}

/// Many transfers at a time.
#[derive(clap::Args)]
struct ManyArgs {
    /// Receive many transfers at a time, until Ctrl-C; OUT is a folder, and each sender names its
    /// file (default format: FLV).
    #[arg(long, conflicts_with_all = ["fresh", "layout"])]
    many: bool,
    /// With --many: transfers at a time, from 1; further ones are refused.
    #[arg(long, value_name = "NUMBER", value_parser = values::positive, default_value_t = many::MAX_TRANSFERS, requires = "many")]
    max_transfers: usize,
    /// With --many: bytes that may wait in memory, from 1; a transfer that needs more is ended.
    #[arg(long, value_name = "BYTES", value_parser = values::positive, default_value_t = many::MAX_MEMORY, requires = "many")]
    max_memory: usize,
    /// With --many: seconds that a transfer waits for its sender to come back; inf waits without limit. Then a live one
    /// is made whole as it is; a reliable one can still be gone on with.
    #[arg(long, value_name = "SECONDS", value_parser = time::seconds, default_value_t = many::PATIENCE, requires = "many")]
    patience: f64,
}

const EXAMPLES: &str = "Examples:
  maliu receive tcp://127.0.0.1:7000 clip.flv
  maliu receive quic://0.0.0.0:7000 clip.flv --token secret
  maliu receive tls://0.0.0.0:7000 audio.wav                     decodes it
  maliu receive unix:/run/user/1000/media - -f adts | player
  maliu receive quic://0.0.0.0:7000 recordings --many --token secret
  maliu receive tcp://0.0.0.0:9000 clip.flv --layout mine.toml   from a camera
  maliu receive tcp://127.0.0.1:27183 phone.h264 --layout scrcpy --connect

With tls: and quic: the fingerprint for `maliu send` is printed. A reliable transfer into a file is kept beside \
it until it is complete; a second run of the same command resumes it.";

/// Listens, receives and writes.
pub(super) fn run(args: Args, context: &Context) -> Result {
    let output = output(&args, &context.stop);
    output.check()?;
    if let Some(layout) = &args.carried.layout {
        let job = carried::Job { at: &args.at, own: &args.own, output: &output, json: args.json };
        return args.carried.run(layout, &job);
    }
    args.carried.refuse_idle()?;
    if args.fresh && !output.is_file() {
        return Err(Failure::Usage(format!("--fresh: nothing unfinished is kept for {}, which is no file", args.out)));
    }
    if args.at == "-" {
        args.refuse_idle()?;
        if args.many.many {
            return Err(Failure::Usage("--many needs an address to listen at".into()));
        }
        return output.write("-");
    }
    let address: Address = args.at.parse().map_err(Failure::Usage)?;
    if args.token.is_some() && !address.is_private() && !args.insecure {
        return Err(Failure::Usage(format!("{address}: a token needs tls:, quic: or loopback, or --insecure")));
    }
    if args.token.as_ref().is_some_and(String::is_empty) {
        return Err(Failure::Usage("the token is empty".into()));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, serve(&args, &address, output))
}

impl Args {
    /// Refuses options for a connection when the input is standard input.
    fn refuse_idle(&self) -> Result {
        let token = self.token.is_some() && self.token != std::env::var("MALIU_TOKEN").ok();
        let options =
            [(token, "--token"), (self.insecure, "--insecure"), (self.fresh, "--fresh"), (self.json, "--json")];
        let why = "standard input is no connection";
        keys::refuse(&options, why)?;
        self.own.refuse_idle(why)
    }
}

/// Takes one transfer, or many.
async fn serve(args: &Args, address: &Address, output: Output) -> Result {
    let options = ReceiverOptions::new(args.token.clone());
    let (known, guests) = mpsc::channel(8);
    let stop = output.stop.clone();
    let at = |out| listening::At { address, own: &args.own, json: args.json, out, stop: &stop };
    let lines = lines(args);
    if args.many.many {
        let many = Many::new(output, terms(args), lines, args.many.max_transfers)?;
        descriptors::raise();
        stop.on_request();
        let listener = listen(at("")).await?;
        tokio::spawn(strangers::welcome_all(listener, options, many::BLOCK, known));
        return many.run(guests).await;
    }
    stop.at_once();
    let listener = listen(at(&args.out)).await?;
    tokio::spawn(strangers::welcome_all(listener, options, maliu::io::BLOCK_SIZE, known));
    let report = Report::new(lines, Arc::default(), Some(Meter::new(None)), &args.out);
    Transfer::new(guests, output, terms(args), report).run().await
}

fn output(args: &Args, stop: &Stop) -> Output {
    let usual = || args.many.many.then(|| many::FORMAT.to_owned()).filter(|_| args.write_layout.is_none());
    Output {
        out: args.out.clone(),
        layout: args.carried.layout.clone(),
        format: args.format.clone().or_else(usual),
        write_layout: args.write_layout.clone(),
        settings: args.settings.clone(),
        stop: stop.clone(),
    }
}

fn lines(args: &Args) -> Lines {
    Lines { json: args.json, aside: args.out == "-" }
}

fn terms(args: &Args) -> Terms {
    let ManyArgs { many, max_transfers, max_memory, patience } = args.many;
    let memory = Arc::new(Memory::new(max_memory, max_transfers));
    match many {
        true => Terms {
            fresh: false,
            patience: Duration::try_from_secs_f64(patience).ok(),
            gather: many::BLOCK,
            memory: memory.clone(),
            strangers: memory,
        },
        false => Terms {
            fresh: args.fresh,
            patience: None,
            gather: maliu::io::BLOCK_SIZE,
            memory: Arc::new(Memory::unlimited()),
            strangers: memory,
        },
    }
}
