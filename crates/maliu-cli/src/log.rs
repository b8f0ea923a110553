//! Messages on stderr besides errors: a few warnings, and all of them with `-v`.

use std::{
    io::{self, IsTerminal, Write},
    sync::atomic::{AtomicU64, Ordering},
};

use maliu::plain::plain;
use tracing::{Level, Metadata, field::Field};
use tracing_subscriber::fmt::{MakeWriter, format as layout};

use crate::terminal::refuses_colour;

/// How much is said.
#[derive(clap::Args, Clone, Copy)]
#[group(skip)]
pub(crate) struct Args {
    /// Print more on stderr: every warning; twice for details.
    #[arg(short, long, global = true, display_order = 100, action = clap::ArgAction::Count)]
    verbose: u8,
    /// Print errors only.
    #[arg(short, long, global = true, display_order = 100)]
    quiet: bool,
}

impl Args {
    /// Sends what is logged to stderr from here on.
    pub(crate) fn start(self) {
        let level = match (self.quiet, self.verbose) {
            (true, _) => Level::ERROR,
            (_, 0) => Level::WARN,
            (_, 1) => Level::INFO,
            _ => Level::DEBUG,
        };
        // The offset that a warning carries as a field stands in its text, too.
        let message_only =
            layout::debug_fn(|writer: &mut layout::Writer, field: &Field, value: &dyn std::fmt::Debug| {
                // Text of files and peers comes here, too.
                if matches!(field.name(), "message" | "input") {
                    write!(writer, "{}", plain(&format!("{value:?}")))
                } else {
                    Ok(())
                }
            });
        tracing_subscriber::fmt()
            .with_writer(Stderr { most: if self.verbose > 0 { u64::MAX } else { MOST_WARNINGS } })
            .with_ansi(io::stderr().is_terminal() && !refuses_colour())
            .with_max_level(level)
            .without_time()
            .with_target(false)
            .fmt_fields(message_only)
            .init();
    }

    /// Says how much was not said.
    pub(crate) fn finish(self) {
        let more = WARNINGS.load(Ordering::Relaxed).saturating_sub(MOST_WARNINGS);
        if more > 0 && !self.quiet && self.verbose == 0 {
            let _ = writeln!(io::stderr(), " WARN {more} more warnings; -v shows them");
        }
    }
}

/// Most warnings that are shown without `-v`: damaged input gives thousands.
const MOST_WARNINGS: u64 = 8;

static WARNINGS: AtomicU64 = AtomicU64::new(0);

struct Stderr {
    most: u64,
}

/// Standard error whose failures are ignored: full or closed, it stops nothing.
struct Heedless;

impl Write for Heedless {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = io::stderr().write_all(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Stderr {
    type Writer = Box<dyn Write>;

    fn make_writer(&'a self) -> Self::Writer {
        Box::new(Heedless)
    }

    fn make_writer_for(&'a self, about: &Metadata<'_>) -> Self::Writer {
        let silent = *about.level() == Level::WARN && WARNINGS.fetch_add(1, Ordering::Relaxed) >= self.most;
        if silent { Box::new(io::sink()) } else { self.make_writer() }
    }
}
