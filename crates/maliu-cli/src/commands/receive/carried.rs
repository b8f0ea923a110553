//! `maliu receive --layout`: messages of a private protocol from a peer that knows no other.

use std::{io, task::Poll, time::Duration};

use bytes::{Bytes, BytesMut};
use maliu::{
    format::{Demuxer, Event},
    input::Input,
    io::Forward,
    layout::{Layout, Reader},
    tokio::net::{Address, First, Stream},
};
use tokio::io::AsyncReadExt;

use super::Output;
use crate::{
    context::Context,
    failure::{Failure, Result},
    json,
    keys::{Believe, Own},
    layouts,
    link::{self, Link, Report},
    listening, time,
};

/// Options of the messages and of the connection.
#[derive(clap::Args)]
#[group(skip)]
pub(super) struct Args {
    /// Receive messages of this layout, a preset or a file, in place of maliu's own protocol: from any peer, one
    /// connection, nothing acknowledged or resumed.
    #[arg(long, value_name = "LAYOUT", conflicts_with_all = ["token", "fresh"])]
    pub layout: Option<String>,
    /// With --layout: connect to a peer that listens, as many cameras do.
    #[arg(long, requires = "layout", conflicts_with_all = ["cert", "keys"])]
    connect: bool,
    /// With --connect: give up after SECONDS without a connection that brings a message.
    #[arg(long, value_name = "SECONDS", value_parser = time::seconds, default_value_t = 60.0, requires = "connect")]
    give_up: f64,
    /// With --layout: give up when the peer sends nothing for SECONDS; inf waits without limit.
    #[arg(long, value_name = "SECONDS", value_parser = time::seconds, default_value_t = 30.0, requires = "layout")]
    silence: f64,
    #[command(flatten)]
    believe: Believe,
}

/// Other arguments of `receive`.
pub(super) struct Job<'a> {
    pub at: &'a str,
    pub own: &'a Own,
    pub output: &'a Output,
    pub json: bool,
}

impl Args {
    /// Refuses options about a listener's certificate where this end listens.
    pub(super) fn refuse_idle(&self) -> Result {
        if self.connect { Ok(()) } else { self.believe.refuse_idle("only --connect meets a certificate") }
    }

    /// Writes what comes in messages of `layout`.
    pub(super) fn run(&self, layout: &str, job: &Job) -> Result {
        let layout = layouts::load(layout)?;
        Reader::new(layout.clone()).map_err(|fault| Failure::Usage(fault.to_string()))?;
        self.refuse_idle()?;
        if job.at == "-" {
            job.own.refuse_idle("standard input is no connection")?;
            if self.connect {
                return Err(Failure::Usage("standard input is not connected to".into()));
            }
            return job.output.write("-");
        }
        let address: Address = job.at.parse().map_err(Failure::Usage)?;
        job.output.stop.at_once();
        let handle = link::runtime()?;
        let (stream, front) = handle.block_on(self.peer(&address, layout, job))?;
        let out = job.output.out.clone();
        let report = job.json.then(|| Report::new(move |line| json::line(&out, line)));
        let link = Link::new(handle, stream, front, seconds(self.silence)).telling(report.clone());
        let source = Box::new(job.output.stop.guard(Forward::new(link)));
        let end = job.output.write_source(job.at, source, &Context::new(true, &job.output.stop));
        if let Some(report) = report {
            report.line(if end.is_ok() { "done" } else { "failed" });
        }
        end
    }

    /// A peer that has sent a message, and what it has sent.
    async fn peer(&self, address: &Address, layout: Layout, job: &Job<'_>) -> Result<(Stream, Bytes)> {
        let silence = seconds(self.silence);
        if !self.connect {
            let Output { out, stop, .. } = job.output;
            let at = listening::At { address, own: job.own, json: job.json, out, stop };
            let listener = listening::listen(at).await?;
            let greet = move |stream| greet(stream, layout.clone(), silence);
            return Ok(listening::first(listener, First::Connector, greet).await);
        }
        let trust = self.believe.trust(address)?;
        let greeted = link::connect(address, trust.as_ref(), First::Listener, seconds(self.give_up), |stream| {
            greet(stream, layout.clone(), silence)
        });
        greeted.await.map_err(|error| Failure::while_("receiving from", job.at, error))
    }
}

/// A limit in seconds; `None` for one that never comes.
fn seconds(limit: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(limit).ok()
}

/// Waits for the first message, or enough that breaks no rule; a connection with other data is not the peer.
async fn greet(mut stream: Stream, layout: Layout, limit: Option<Duration>) -> io::Result<(Stream, Bytes)> {
    let wrong = |why: &dyn std::fmt::Display| io::Error::new(io::ErrorKind::InvalidData, why.to_string());
    let mut reader = Reader::new(layout).map_err(|fault| wrong(&fault))?;
    let (mut input, mut front) = (Input::new(), BytesMut::new());
    let mut block = vec![0; 64 << 10];
    let show = async {
        loop {
            match reader.poll(&mut input).map_err(|error| wrong(&error))? {
                Poll::Pending if front.len() < FRONT => {}
                Poll::Pending if !reader.is_lost() => return Ok(()),
                Poll::Pending | Poll::Ready(Event::End) => return Err(wrong(&"no message of the layout came")),
                _ => return Ok(()),
            }
            match stream.read(&mut block).await? {
                0 => input.end(),
                got => {
                    input.push(&block[..got]);
                    front.extend_from_slice(&block[..got]);
                }
            }
        }
    };
    match limit {
        None => show.await?,
        Some(limit) => {
            tokio::time::timeout(limit, show).await.map_err(|_| wrong(&"no message of the layout came in time"))??
        }
    }
    Ok((stream, front.freeze()))
}

/// Bytes by which a peer must have shown what it is.
const FRONT: usize = 1 << 20;
