//! The progress bar: time done, how many times real time, bytes per second. On a terminal only.

use std::{
    io::IsTerminal,
    time::{Duration, Instant},
};

use indicatif::{HumanBytes, ProgressBar, ProgressStyle};
use maliu::{plain::plain, time::Ticks};

use crate::time::clock;

/// A bar on stderr, or nothing.
pub(crate) struct Progress {
    /// `None` when it would not be seen.
    bar: Option<ProgressBar>,
    length: Option<Ticks>,
    done: Ticks,
}

impl Progress {
    /// A bar for `length` µs of media; without an end when the length is not known.
    pub(crate) fn new(length: Option<Ticks>) -> Self {
        if !std::io::stderr().is_terminal() {
            return Self::hidden();
        }
        let (bar, template) = match length.and_then(|length| u64::try_from(length.0).ok()) {
            Some(length) => (ProgressBar::new(length), "{wide_bar} {msg}"),
            None => (ProgressBar::no_length(), "{spinner} {msg}"),
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self { bar: (!bar.is_hidden()).then_some(bar), length, done: Ticks(0) }
    }

    /// Nothing.
    pub(crate) fn hidden() -> Self {
        Self { bar: None, length: None, done: Ticks(0) }
    }

    /// Shows that `done` µs of media are done, for `bytes` bytes of input.
    #[inline]
    pub(crate) fn show(&mut self, done: Ticks, bytes: impl FnOnce() -> u64) {
        if self.bar.is_some() && done - self.done >= STEP {
            self.draw(done, bytes());
        }
    }

    fn draw(&mut self, done: Ticks, bytes: u64) {
        let Some(bar) = &self.bar else { return };
        self.done = done;
        let elapsed = bar.elapsed().as_secs_f64().max(1e-3);
        let of = self.length.map_or(String::new(), |length| format!(" of {}", clock(length)));
        let speed = done.0 as f64 / 1e6 / elapsed;
        let rate = HumanBytes((bytes as f64 / elapsed) as u64);
        bar.set_message(format!("{}{of}, {speed:.1}x real time, {rate}/s", clock(done)));
        bar.set_position(u64::try_from(done.0).unwrap_or_default());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.iter().for_each(ProgressBar::finish_and_clear);
    }
}

/// A line on stderr for bytes that move between machines, or nothing.
pub(crate) struct Meter {
    bar: ProgressBar,
    shown: Option<Instant>,
}

impl Meter {
    /// A bar for `length` bytes; without an end when their number is not known.
    pub(crate) fn new(length: Option<u64>) -> Self {
        if !std::io::stderr().is_terminal() {
            return Self { bar: ProgressBar::hidden(), shown: None };
        }
        let (bar, template) = match length {
            Some(length) => (ProgressBar::new(length), "{wide_bar} {bytes} of {total_bytes}, {bytes_per_sec}{msg}"),
            None => (ProgressBar::no_length(), "{spinner} {bytes}, {bytes_per_sec}{msg}"),
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self { bar, shown: None }
    }

    /// So many bytes are done; `more` tells the rest and is asked now and then.
    pub(crate) fn show(&mut self, done: u64, more: impl FnOnce() -> String) {
        if !self.bar.is_hidden() && self.shown.is_none_or(|shown| shown.elapsed() >= PAUSE) {
            self.shown = Some(Instant::now());
            self.bar.set_message(plain(&more()).to_string());
            self.bar.set_position(done);
        }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Between two updates of a meter.
const PAUSE: Duration = Duration::from_millis(100);

/// Media between two updates.
const STEP: Ticks = Ticks(100_000);
