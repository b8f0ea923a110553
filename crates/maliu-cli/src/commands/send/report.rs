//! Progress of a sending, on a terminal or as lines of JSON.

use std::{
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use indicatif::HumanBytes;
use maliu::{
    tokio::wire::Error,
    wire::session::{Fault, Sender},
};
use serde_json::json;

use super::Args;
use crate::{escape, paths, progress::Meter};

/// Progress that the user sees.
pub(super) struct Report {
    json: bool,
    live: bool,
    meter: Meter,
    /// Bytes of the input that were read.
    position: Arc<AtomicU64>,
    begun: Instant,
    next: Instant,
    /// The last refusal that was reported.
    refused: String,
}

impl Report {
    /// A report of a sending that begins; `position` counts the bytes of the input that were read.
    pub(super) fn new(args: &Args, position: Arc<AtomicU64>) -> Self {
        let now = Instant::now();
        let about = std::fs::metadata(paths::of(&args.input.path)).ok().filter(std::fs::Metadata::is_file);
        let meter = Meter::new(about.map(|about| about.len()));
        let (json, live, next) = (args.json, args.live, now + EVERY);
        Self { json, live, meter, position, begun: now, next, refused: String::new() }
    }

    /// Notes where the sending is, and the error that broke a connection.
    pub(super) fn tell(&mut self, sender: &Sender, error: Option<&Error>) {
        if let Some(error) = error {
            self.log(error);
        }
        if self.json && (Instant::now() >= self.next) {
            self.next = Instant::now() + EVERY;
            self.line("progress", sender, error);
        }
        self.meter.show(self.position.load(Ordering::Relaxed), || {
            let stats = sender.stats();
            let late = format!(", {:.2} s behind, {} dropped", stats.delay.as_secs_f64(), stats.dropped_packets);
            let waiting = format!(", {} wait", HumanBytes(stats.waiting.1 as u64));
            let trouble = error.map_or(String::new(), |error| format!(", {error}"));
            format!("{}{trouble}", if self.live { late } else { waiting })
        });
    }

    /// A peer that refuses gives its reason, once as a warning: the next connection may be refused for the same.
    fn log(&mut self, error: &Error) {
        let words = error.to_string();
        match error {
            Error::Fault(Fault::Refused { .. }) if !error.is_final() && self.refused != words => {
                tracing::warn!("{words}; trying again");
                self.refused = words;
            }
            _ => tracing::info!("{words}"),
        }
    }

    /// Reports the end.
    pub(super) fn done(&self, sender: &Sender, good: bool) {
        let stats = sender.stats();
        if self.json {
            self.line(if good { "done" } else { "failed" }, sender, None);
        } else if stats.dropped_packets > 0 {
            tracing::warn!("{} packets, {} bytes, were dropped", stats.dropped_packets, stats.dropped_bytes);
        }
    }

    fn line(&self, event: &str, sender: &Sender, error: Option<&Error>) {
        let stats = sender.stats();
        let seconds = self.begun.elapsed().as_secs_f64().max(1e-3);
        let line = json!({
            "event": event,
            "seconds": seconds,
            "connections": stats.connections,
            "messages": stats.messages,
            "bytes": stats.bytes,
            "bytes_per_second": (stats.bytes as f64 / seconds) as u64,
            "acknowledged": stats.acknowledged,
            "waiting_messages": stats.waiting.0,
            "waiting_bytes": stats.waiting.1,
            "delay_seconds": stats.delay.as_secs_f64(),
            "dropped_packets": stats.dropped_packets,
            "dropped_bytes": stats.dropped_bytes,
            "error": error.map(ToString::to_string),
        });
        // A reader that ignores the lines does not stop the sending.
        let _ = writeln!(std::io::stdout(), "{}", escape::line(&line));
    }
}

/// Between two lines.
const EVERY: Duration = Duration::from_secs(1);
