//! `maliu send`: packets of an input to a `maliu receive` elsewhere.
//!
//! ```text
//!   IN ─▶ Feeder (a thread; paced when live) ─ batches ─▶ Sender ─▶ connection, again and again
//! ```

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use maliu::{
    tokio::{
        net::Address,
        wire::{self, Error, Retry},
    },
    wire::{
        message::{Message, Mode},
        session::{LiveLimits, Sender, SenderOptions},
    },
};
use tokio::sync::{mpsc, oneshot};

use self::{feeder::Feeder, identity::Identity, report::Report};
use crate::{
    context::Context,
    failure::{Failure, Result},
    input,
    keys::{self, Believe},
    output::Target,
    paths,
    stop::Stop,
    time, values,
};

mod carried;
mod feeder;
mod identity;
mod report;

/// Sends the packets of an input to `maliu receive`.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES, mut_arg("layout", |layout| layout.long("read-layout")))]
pub(crate) struct Args {
    #[command(flatten)]
    input: input::Args,
    #[command(flatten)]
    carried: carried::Args,
    /// Destination: tcp://HOST:PORT, tls://HOST:PORT, quic://HOST:PORT, unix:/PATH, or - for standard output.
    #[arg(value_name = "URL")]
    to: String,
    /// Send in real time; when the connection is too slow, video is dropped up to the next keyframe.
    #[arg(long)]
    live: bool,
    /// In live mode: bytes that may wait to be sent.
    #[arg(long, value_name = "BYTES", value_parser = values::positive, default_value_t = LiveLimits::default().bytes, requires = "live")]
    queue_bytes: usize,
    /// In live mode: seconds by which the receiver may lag behind the media. Audio, and single large frames, may lag half a
    /// second more.
    #[arg(long, value_name = "SECONDS", value_parser = time::seconds, default_value_t = 3.0, requires = "live")]
    queue_time: f64,
    /// Name of the content for the receiver (default: the input's name).
    #[arg(long)]
    name: Option<String>,
    /// Token of the receiver.
    #[arg(long, env = "MALIU_TOKEN", hide_env_values = true)]
    token: Option<String>,
    #[command(flatten)]
    believe: Believe,
    /// Allow a token over an unencrypted connection.
    #[arg(long, requires = "token")]
    insecure: bool,
    /// Give up after SECONDS without a connection [default: 60].
    #[arg(long, value_name = "SECONDS", value_parser = time::seconds)]
    give_up: Option<f64>,
    /// Print a line of JSON every second, and one at the end.
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "Examples:
  maliu send clip.flv tcp://127.0.0.1:7000
  maliu send clip.flv quic://media.example:7000 --fingerprint 5f0c… --token secret
  maliu send --live camera.h264 tls://media.example:7000 --ca authority.pem
  maliu send clip.flv - | ssh host maliu receive - clip.flv
  maliu send clip.flv tcp://192.0.2.7:9000 --layout mine.toml   to a device

A broken connection is made again and resumes where the receiver is; so does a second run of the same command.";

/// Reads and sends.
pub(super) fn run(args: Args, context: &Context) -> Result {
    let give_up = Duration::try_from_secs_f64(args.give_up.unwrap_or(GIVE_UP)).ok();
    if let Some(layout) = &args.carried.layout {
        let Args { input, to, live, believe, json, .. } = &args;
        return args
            .carried
            .run(layout, &carried::Job { input, to, live: *live, give_up, believe, json: *json, stop: &context.stop });
    }
    args.carried.refuse_idle()?;
    if args.to == "-" {
        args.refuse_idle()?;
        return pipe(&args, context);
    }
    let address: Address = args.to.parse().map_err(Failure::Usage)?;
    if args.token.is_some() && !address.is_private() && !args.insecure {
        return Err(Failure::Usage(format!("{address}: a token needs tls:, quic: or loopback, or --insecure")));
    }
    let trust = args.believe.trust(&address)?;
    let limit = Duration::try_from_secs_f64(args.queue_time).unwrap_or(Duration::MAX);
    let identity = Identity::of(&args).map_err(|error| Failure::while_("opening", &args.input.path, error))?;
    let mode = if args.live { Mode::Live } else { Mode::Reliable };
    let limits = LiveLimits::new(args.queue_bytes, limit);
    let mut sender = Sender::new(
        SenderOptions::new(name(&args)?, identity.id, mode).with_token(args.token.clone()).with_limits(limits),
    );
    context.stop.at_once();
    let (feeding, mut source, position) = feed(&args, &context.stop)?;
    let retry = Retry::default().giving_up(give_up);
    let mut report = Report::new(&args, position);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let sent = runtime.block_on(async {
        let report = |sender: &Sender, error: Option<&Error>| report.tell(sender, error);
        wire::send(&address, trust.as_ref(), &mut sender, &mut source, retry, report).await
    });
    drop(source);
    report.done(&sender, sent.is_ok());
    let fed = feeding.join().unwrap_or_else(|_| Err(Failure::Failed("reading ended in a panic".into())));
    sent.map_err(|error| Failure::while_("sending to", &args.to, error))?;
    identity.forget();
    fed
}

/// Seconds without a connection before a sender gives up, unless set otherwise.
const GIVE_UP: f64 = 60.0;

impl Args {
    /// Refuses options for a connection when the output is standard output.
    fn refuse_idle(&self) -> Result {
        let token = self.token.is_some() && self.token != std::env::var("MALIU_TOKEN").ok();
        let limits = LiveLimits::default();
        let queued = (self.queue_bytes, self.queue_time) != (limits.bytes, limits.time.as_secs_f64());
        let options = [
            (token, "--token"),
            (self.insecure, "--insecure"),
            (self.name.is_some(), "--name"),
            (self.give_up.is_some(), "--give-up"),
            (queued, "--queue-time and --queue-bytes"),
            (self.json, "--json"),
        ];
        let why = "standard output is no connection";
        keys::refuse(&options, why)?;
        self.believe.refuse_idle(why)
    }
}

/// Batches that are read before they are wanted; each ends with a packet of any size.
const BATCHES: usize = 4;

/// Reads on a thread of its own; returns when the input is open.
fn feed(args: &Args, stop: &Stop) -> Result<(JoinHandle<Result>, wire::Source, Arc<AtomicU64>)> {
    let (batches, source) = mpsc::channel(BATCHES);
    let (opened, open) = oneshot::channel();
    let (input, live) = (args.input.clone(), args.live);
    let position = Arc::new(AtomicU64::new(0));
    let (read, stop) = (position.clone(), stop.clone());
    let feeding =
        std::thread::Builder::new().spawn(move || match Feeder::open(&input, live, &Context::new(false, &stop)) {
            Ok(mut feeder) => {
                // A file that cannot be read fails before a connection is made.
                if let Err(failure) = feeder.look() {
                    let _ = opened.send(Err(failure));
                    return Ok(());
                }
                let _ = opened.send(Ok(()));
                feeder.run(|batch, position| {
                    read.store(position, Ordering::Relaxed);
                    batches.blocking_send(batch).is_ok()
                })
            }
            Err(failure) => {
                let _ = opened.send(Err(failure));
                Ok(())
            }
        });
    let feeding = feeding.map_err(|error| Failure::Failed(format!("no thread to read on: {error}")))?;
    open.blocking_recv().unwrap_or(Ok(()))?;
    Ok((feeding, source, position))
}

/// Name of the content for the receiver.
fn name(args: &Args) -> Result<String> {
    let path = paths::shown(&args.input.path);
    let name = args.name.as_deref().unwrap_or(&path);
    match (name.len() <= MAX_NAME, &args.name) {
        (true, _) => Ok(name.to_owned()),
        (false, Some(_)) => {
            Err(Failure::Usage(format!("--name has {} bytes, at most {MAX_NAME} are sent", name.len())))
        }
        // Of a long path, what the receiver needs.
        (false, None) => Ok(name.rsplit('/').next().unwrap_or_default().to_owned()),
    }
}

/// Most bytes of a name.
const MAX_NAME: usize = 2048;

/// Messages to standard output, without a session.
fn pipe(args: &Args, context: &Context) -> Result {
    let mut feeder = Feeder::open(&args.input, args.live, context)?;
    let mut out = Target::create("-", context)?;
    let (mut next, mut broken) = (0, Ok(()));
    let end = feeder.run(|batch, _| {
        for event in batch {
            let parts = Message::Content(event).encode(next);
            out.output().append_parts(maliu::output::Mark::Body { time: None }, parts);
            next += 1;
        }
        broken = if args.live { out.flush() } else { out.pump() };
        broken.is_ok()
    });
    broken.and_then(|()| out.finish())?;
    end
}
