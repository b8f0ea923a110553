//! The input of a command: which file, of which format, read to packets.

use std::{
    fs::File,
    io::{self, Read},
    time::{Duration, Instant},
};

use maliu::{
    MediaError as Error,
    format::Event,
    formats,
    input::Input,
    reader::{PROBE_BUDGET, PacketReader},
};

use crate::failure::{Failure, Result};

/// Where media comes from and what is known about it beforehand.
#[derive(clap::Args, Clone)]
#[group(skip)]
pub struct Args {
    /// File to read; - is standard input.
    #[arg(value_name = "IN")]
    pub path: String,
    /// Format of the input; it is recognised by its content otherwise.
    #[arg(short, long, value_name = "FORMAT")]
    pub from: Option<String>,
    /// Setting of the input format declared with --from.
    #[arg(short = 'o', long = "option", value_name = "NAME=VALUE", requires = "from", value_parser = setting)]
    pub settings: Vec<(String, String)>,
    /// Bytes to look at before an input counts as unrecognised.
    #[arg(long, value_name = "BYTES", default_value_t = PROBE_BUDGET)]
    pub probe_budget: usize,
    /// Wait for a growing file to grow on: for ever, or until it rests for SECONDS.
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, require_equals = true, default_missing_value = "inf")]
    pub follow: Option<f64>,
}

/// A `name=value` pair.
pub fn setting(text: &str) -> std::result::Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// An input being read.
pub struct Opened {
    /// As the user called it.
    pub name: String,
    /// The reader, for what it knows.
    pub reader: PacketReader,
    input: Input,
    size: Option<u64>,
    file: Box<dyn Read>,
    follow: Option<Duration>,
    told: u64,
}

impl Args {
    /// Opens the input. Nothing is read yet.
    pub fn open(&self) -> Result<Opened> {
        let name = if self.path == "-" { "standard input" } else { &self.path };
        let reader = match &self.from {
            None => PacketReader::detect_within(formats::ALL, self.probe_budget),
            Some(format) => {
                let format = formats::named(format)
                    .ok_or_else(|| Failure::Usage(format!("no format is called {format}; maliu formats lists them")))?;
                let settings: Vec<_> =
                    self.settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
                PacketReader::of(format, &settings).map_err(|error| Failure::Usage(error.to_string()))?
            }
        };
        let (file, size): (Box<dyn Read>, _) = match self.path.as_str() {
            "-" => (Box::new(io::stdin()), None),
            path => {
                let file = File::open(path).map_err(|error| Failure::while_("opening", name, error))?;
                let about = file.metadata().ok().filter(|about| about.is_file());
                (Box::new(file), about.map(|about| about.len()))
            }
        };
        let follow = self.follow.map(|seconds| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX));
        Ok(Opened { name: name.to_owned(), reader, input: Input::new(), size, file, follow, told: 0 })
    }
}

impl Opened {
    /// The next event; `None` at the end.
    pub fn next(&mut self) -> Result<Option<Event>> {
        loop {
            let event = self.reader.poll(&mut self.input);
            self.tell_warnings();
            match event {
                Ok(Event::NeedBytes) => self.fill()?,
                Ok(Event::End) => return Ok(None),
                Ok(event) => return Ok(Some(event)),
                Err(error) => return Err(self.failed(&error)),
            }
        }
    }

    fn fill(&mut self) -> Result {
        let started = Instant::now();
        loop {
            match self.input.fill(BLOCK, |_, buffer| self.file.read(buffer)) {
                Ok(0) if self.follow.is_some_and(|limit| started.elapsed() < limit) => std::thread::sleep(FOLLOW_PAUSE),
                Ok(0) => {
                    self.input.end();
                    return Ok(());
                }
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Failure::while_("reading", &self.name, error)),
            }
        }
    }

    /// The failure that an error of the reader means for the user.
    pub fn failed(&self, error: &Error) -> Failure {
        Failure::while_("reading", &self.name, error)
    }

    fn tell_warnings(&mut self) {
        let (warnings, unheard) = self.input.take_warnings();
        for warning in &warnings {
            self.told += 1;
            if self.told <= MAX_TOLD {
                tracing::warn!("{}: {} at byte {}", self.name, warning.what, warning.at);
            } else {
                tracing::info!("{}: {} at byte {}", self.name, warning.what, warning.at);
            }
        }
        self.told += unheard;
    }

    /// Size of the input in bytes, if it is known or its end was reached.
    pub fn size(&self) -> Option<u64> {
        self.size.or_else(|| self.input.ended().then(|| self.input.next_read()))
    }

    /// Bytes of the input that were read and understood so far.
    pub fn position(&self) -> u64 {
        self.input.offset()
    }
}

/// Bytes that are read at once.
const BLOCK: usize = 64 << 10;

/// How long to wait for a file to grow before looking again.
const FOLLOW_PAUSE: Duration = Duration::from_millis(50);

/// Most warnings about one input that are shown without `-v`.
const MAX_TOLD: u64 = 8;

impl Drop for Opened {
    fn drop(&mut self) {
        if self.told > MAX_TOLD {
            tracing::warn!("{}: {} more remarks; -v shows them", self.name, self.told - MAX_TOLD);
        }
    }
}
