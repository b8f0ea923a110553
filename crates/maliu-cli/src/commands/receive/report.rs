//! Progress of a transfer: lines of JSON for programs, a moving line on a terminal.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use indicatif::HumanBytes;
use maliu::{
    format::Event,
    stream::StreamInfo,
    time::{Rounding, TimeBase},
    wire::message::{Hello, Mode},
};
use serde_json::{Value, json};

use crate::{escape, paths, progress::Meter};

/// Between two lines.
pub(super) const EVERY: Duration = Duration::from_secs(1);

/// Where lines of JSON go.
#[derive(Clone, Copy)]
pub(super) struct Lines {
    /// Whether there are any.
    pub json: bool,
    /// Standard output carries media: lines go to standard error.
    pub aside: bool,
}

impl Lines {
    /// A line of JSON.
    pub(super) fn tell(self, value: &Value) {
        use std::io::Write;
        // A reader that ignores the lines does not stop the receiving.
        let _ = match (self.json, self.aside) {
            (false, _) => Ok(()),
            (true, true) => writeln!(std::io::stderr(), "{}", escape::line(value)),
            (true, false) => writeln!(std::io::stdout(), "{}", escape::line(value)),
        };
    }
}

/// Sums over all transfers.
#[derive(Default)]
pub(super) struct Totals {
    /// Bytes of messages.
    pub bytes: AtomicU64,
    /// Transfers that were begun.
    pub begun: AtomicU64,
    /// Transfers whose output is whole.
    pub done: AtomicU64,
    /// Transfers that failed.
    pub failed: AtomicU64,
}

/// The figures of one transfer.
pub(super) struct Report {
    lines: Lines,
    totals: Arc<Totals>,
    meter: Option<Meter>,
    file: String,
    hello: Option<(u64, String)>,
    live: bool,
    begun: Instant,
    next: Instant,
    messages: u64,
    bytes: u64,
    skipped: u64,
    lost: u64,
    lag: Lag,
}

impl Report {
    /// Nothing has come for this file yet; moves a line on a terminal if there is a meter.
    pub(super) fn new(lines: Lines, totals: Arc<Totals>, meter: Option<Meter>, file: &str) -> Self {
        let now = Instant::now();
        Self {
            lines,
            totals,
            meter,
            file: paths::shown(file).into_owned(),
            hello: None,
            live: false,
            begun: now,
            next: now + EVERY,
            messages: 0,
            bytes: 0,
            skipped: 0,
            lost: 0,
            lag: Lag::default(),
        }
    }

    /// Notes a connection of a sender, the first or a later one.
    pub(super) fn welcome(&mut self, hello: &Hello) {
        if self.hello.as_ref().is_none_or(|(id, _)| *id != hello.id) {
            self.totals.begun.fetch_add(1, Ordering::Relaxed);
            self.hello = Some((hello.id, hello.name.clone()));
            self.live = hello.mode == Mode::Live;
            self.begun = Instant::now();
            self.line("begin", None);
        }
    }

    /// Notes content that came in a message of `bytes` bytes.
    pub(super) fn count(&mut self, content: &Event, bytes: usize) {
        self.messages += 1;
        self.bytes += bytes as u64;
        self.totals.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        if self.live {
            self.lag.note(content, self.begun);
        }
    }

    /// Shows where things are, now and then. `damage` is of this connection.
    pub(super) fn tell(&mut self, damage: (u64, u64)) {
        (self.skipped, self.lost) = damage;
        if self.lines.json && Instant::now() >= self.next {
            self.next = Instant::now() + EVERY;
            self.line("progress", None);
        }
        let (live, lag, lost, skipped, bytes) = (self.live, self.lag.now, self.lost, self.skipped, self.bytes);
        if let Some(meter) = &mut self.meter {
            meter.show(bytes, || {
                let live = if live {
                    format!(", {:.3} s late, {lost} messages lost", lag.as_secs_f64())
                } else {
                    String::new()
                };
                let skipped = if skipped > 0 { format!(", {} skipped", HumanBytes(skipped)) } else { String::new() };
                live + &skipped
            });
        }
    }

    /// The output is whole.
    pub(super) fn done(&self) {
        self.totals.done.fetch_add(1, Ordering::Relaxed);
        self.line("done", None);
    }

    /// It will never be.
    pub(super) fn failed(&self, why: &str) {
        self.totals.failed.fetch_add(1, Ordering::Relaxed);
        self.line("failed", Some(why));
    }

    fn line(&self, event: &str, error: Option<&str>) {
        if !self.lines.json {
            return;
        }
        let seconds = self.begun.elapsed().as_secs_f64().max(1e-3);
        self.lines.tell(&json!({
            "event": event,
            "transfer": self.hello.as_ref().map(|(id, _)| format!("{id:016x}")),
            "name": self.hello.as_ref().map(|(_, name)| name),
            "file": self.file,
            "seconds": seconds,
            "messages": self.messages,
            "bytes": self.bytes,
            "bytes_per_second": (self.bytes as f64 / seconds) as u64,
            "late_seconds": self.live.then_some(self.lag.now.as_secs_f64()),
            "skipped_bytes": self.skipped,
            "lost_messages": self.lost,
            "error": error,
        }));
    }
}

/// By how much packets come later than the one that came earliest for its time.
#[derive(Default)]
struct Lag {
    bases: Vec<Option<TimeBase>>,
    /// Arrival less time of the packet, in µs, of the one that came earliest.
    least: Option<i64>,
    now: Duration,
}

impl Lag {
    fn note(&mut self, content: &Event, begun: Instant) {
        match content {
            Event::Stream(index, info) => self.describe(*index, info),
            Event::Packet(packet) => {
                let base = self.bases.get(packet.stream).copied().flatten();
                let Some((base, time)) = base.zip(packet.dts.or(packet.pts)) else { return };
                let time = base.rescale(time, TimeBase::MICROS, Rounding::Near).0;
                let arrived = i64::try_from(begun.elapsed().as_micros()).unwrap_or(i64::MAX);
                let behind = arrived.saturating_sub(time);
                let least = self.least.map_or(behind, |least| least.min(behind));
                self.least = Some(least);
                self.now = Duration::from_micros(u64::try_from(behind.saturating_sub(least)).unwrap_or(0));
            }
            _ => {}
        }
    }

    fn describe(&mut self, index: usize, info: &StreamInfo) {
        if self.bases.len() <= index {
            // The session refuses streams beyond its limit.
            self.bases.resize(index + 1, None);
        }
        if let Some(base) = self.bases.get_mut(index) {
            *base = Some(info.time_base);
        }
    }
}
