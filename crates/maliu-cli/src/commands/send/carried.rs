//! `maliu send --layout`: packets in messages of a private protocol, to a peer that knows no other.

use std::time::Duration;

use maliu::{
    copy::Map,
    io::Sink,
    tokio::net::{Address, First},
};

use crate::{
    commands::remux,
    context::Context,
    failure::{Failure, Result},
    input, json,
    keys::{Believe, Own},
    link::{self, Link, Outgoing, Report},
    listening, output,
    stop::Stop,
    time,
};

/// Options of the messages and of the connection.
#[derive(clap::Args)]
#[group(skip)]
pub(super) struct Args {
    /// Send messages of this layout, a preset or a file, in place of maliu's own protocol: nothing is acknowledged or
    /// resumed, and a broken connection ends the sending.
    #[arg(
        id = "carried",
        long = "layout",
        visible_alias = "write-layout",
        value_name = "LAYOUT",
        conflicts_with_all = ["token", "name", "queue_bytes", "queue_time"]
    )]
    pub layout: Option<String>,
    /// With --layout: listen at URL, and send to the first peer that connects.
    #[arg(long, requires = "carried", conflicts_with_all = ["fingerprint", "ca", "give_up"])]
    listen: bool,
    /// With --layout: streams to send, as for `maliu remux`: a, v, STREAM; repeat it for more.
    #[arg(long, value_name = "S", requires = "carried")]
    map: Vec<Map>,
    /// With --layout: give up when the peer takes nothing for SECONDS; inf waits without limit.
    #[arg(long, value_name = "SECONDS", value_parser = time::seconds, default_value_t = 30.0, requires = "carried")]
    silence: f64,
    #[command(flatten)]
    own: Own,
}

/// Opens the connection when the first message is ready.
type Place = Box<dyn FnOnce() -> Result<Box<dyn Sink>>>;

/// Other arguments of `send`.
pub(super) struct Job<'a> {
    pub input: &'a input::Args,
    pub to: &'a str,
    pub live: bool,
    pub give_up: Option<Duration>,
    pub believe: &'a Believe,
    pub json: bool,
    pub stop: &'a Stop,
}

impl Args {
    /// Refuses keys of a listener where this end connects.
    pub(super) fn refuse_idle(&self) -> Result {
        if self.listen { Ok(()) } else { self.own.refuse_idle("only --listen shows a certificate") }
    }

    /// Sends the input in messages of `layout`.
    pub(super) fn run(&self, layout: &str, job: &Job) -> Result {
        self.refuse_idle()?;
        let args = remux::Args::sending(layout, job.live, self.map.clone());
        args.check(job.to)?;
        let out = job.to.to_owned();
        let report = job.json.then(|| Report::new(move |line| json::line(&out, line)));
        let context = Context::new(job.live || job.input.path == "-", job.stop);
        let place = self.place(job, report.clone())?;
        let feed = job.input.feed(&context)?;
        let open = || match place {
            Some(open) => Ok((open()?, None)),
            None => output::open(job.to, &context),
        };
        let end = remux::copy(&args, &[&job.input.path], vec![feed], job.to, context.live, open);
        if let Some(report) = report {
            report.line(if end.is_ok() { "done" } else { "failed" });
        }
        end
    }

    /// Where messages go, opened when the first one is ready; `None` for standard output.
    fn place(&self, job: &Job, report: Option<std::sync::Arc<Report>>) -> Result<Option<Place>> {
        if job.to == "-" {
            if self.listen {
                return Err(Failure::Usage("standard output does not listen".into()));
            }
            job.believe.refuse_idle("standard output is no connection")?;
            return Ok(None);
        }
        let address: Address = job.to.parse().map_err(Failure::Usage)?;
        let trust = if self.listen { None } else { job.believe.trust(&address)? };
        let own = self.listen.then(|| self.own.clone());
        let (to, give_up, json) = (job.to.to_owned(), job.give_up, job.json);
        let stop = job.stop.clone();
        let silence = Duration::try_from_secs_f64(self.silence).ok();
        let open = move || {
            stop.at_once();
            let handle = link::runtime()?;
            let stream = handle.block_on(async {
                if let Some(own) = own {
                    let at = listening::At { address: &address, own: &own, json, out: &to, stop: &stop };
                    let listener = listening::listen(at).await?;
                    return Ok(listening::first(listener, First::Listener, async |stream| Ok(stream)).await);
                }
                let stream =
                    link::connect(&address, trust.as_ref(), First::Connector, give_up, async |stream| Ok(stream)).await;
                stream.map_err(|error| Failure::while_("connecting to", &to, error))
            })?;
            let link = Link::new(handle, stream, bytes::Bytes::new(), silence).telling(report);
            Ok(Box::new(Outgoing::new(link)) as Box<dyn Sink>)
        };
        Ok(Some(Box::new(open)))
    }
}
