//! The input of a command: which file, of which format, read to packets.

use std::{sync::Arc, time::Duration};

use maliu::{
    blocking::{self, Reader},
    copy::Feed,
    error::Error,
    hls,
    input::Input,
    io::{self, Follow, Source},
    net,
    reader::PROBE_BUDGET,
    rtmp,
};

pub(crate) use self::opened::{Opened, Step};
use self::pausing::Pausing;
use crate::{
    context::Context,
    failure::{Failure, Result},
    paths, time, values,
};

#[cfg(unix)]
mod awaited;
mod opened;
mod pausing;
mod reader;

/// Where media comes from and what is known about it beforehand.
#[derive(clap::Args, Clone)]
#[group(skip)]
pub(crate) struct Args {
    /// File to read, or the URL of a stream (rtmp, rtsp, tcp, udp, unix, or a file NAME.sdp: docs/rtp.md); - is standard input.
    #[arg(value_name = "IN", value_parser = paths::parser())]
    pub path: String,
    /// Format of the input (default: recognised by content).
    #[arg(short_alias = 'f', long, value_name = "FORMAT")]
    pub from: Option<String>,
    /// Layout of the input: a preset or a file (see `maliu layout`).
    #[arg(long, value_name = "LAYOUT", conflicts_with = "from")]
    pub layout: Option<String>,
    /// Setting of the input format given with --from.
    #[arg(long = "from-option", alias = "option", short_alias = 'o', value_name = "NAME=VALUE", requires = "from", value_parser = values::setting)]
    pub settings: Vec<(String, String)>,
    /// Bytes to examine before an input counts as unrecognised.
    #[arg(long, value_name = "BYTES", value_parser = values::positive, default_value_t = PROBE_BUDGET, conflicts_with_all = ["from", "layout"])]
    pub probe_budget: usize,
    /// Keep reading while the file grows; stop after SECONDS without new data (default: without limit).
    #[arg(long, value_name = "SECONDS", value_parser = time::seconds, num_args = 0..=1, require_equals = true, default_missing_value = "inf")]
    pub follow: Option<f64>,
    /// Program of a transport stream to read: its number, or first, the first one with audio or video (default: all).
    #[arg(long, value_name = "NUMBER|first", conflicts_with = "layout")]
    pub program: Option<String>,
    /// The tables of a transport stream are looked at.
    #[arg(skip)]
    pub surveys: bool,
    /// Keys that encrypted content is decrypted with.
    #[arg(skip)]
    pub keys: Keys,
    /// A message of the layout that the end cuts is a failure.
    #[arg(skip)]
    pub(crate) whole: bool,
}

/// Keys of encrypted content.
#[derive(clap::Args, Clone, Default)]
#[group(skip)]
pub(crate) struct Keys {
    /// Key of an encrypted MP4 file behind its identifier, each 32 hexadecimal digits; repeat it for more. With --from mpegts: key of an HLS segment behind its initialization vector.
    #[arg(long = "key", value_name = "KID:KEY")]
    keys: Vec<String>,
}

/// The name of a path in messages. The query of a URL may hold a secret, and so may what stands in front of its host.
pub(crate) fn name(path: &str) -> &str {
    match path {
        "-" => "standard input",
        url if is_url(url) => {
            let url = url.split('?').next().unwrap_or(url);
            url.rsplit_once('@').filter(|_| url.starts_with("rtsp")).map_or(url, |(_, place)| place)
        }
        path => path,
    }
}

/// Whether a path is the URL of a stream, or the description of one, that comes in its own time.
pub(crate) fn is_url(path: &str) -> bool {
    rtmp::Url::is_one(path) || net::is_one(path)
}

/// The bytes that a command line calls `path`, and their name in messages. An MP4 file with its index behind can be read
/// from a pipe, too.
pub(crate) fn source(path: &str, context: &Context) -> Result<(String, Box<dyn Source + Send>)> {
    let source = place(path, context, |file| guarded(file, context))
        .map_err(|error| Failure::while_("opening", name(path), error))?;
    Ok((name(path).to_owned(), source))
}

/// The bytes at `path`, read ahead of those who want them.
pub(crate) fn ahead(path: &str, context: &Context) -> std::io::Result<Box<dyn Source + Send>> {
    place(path, context, |file| Box::new(io::Ahead::new(guarded(file, context))))
}

/// Files read as one, each behind the one before.
pub(crate) fn joined<'p>(paths: impl Iterator<Item = &'p str>, context: &Context) -> Result<Box<dyn Source + Send>> {
    let open = |path| source(path, context).map(|(_, source)| source);
    let parts = paths.map(open).collect::<Result<Vec<_>>>()?;
    let joined = io::Joined::new(parts).map_err(|error| Failure::while_("joining", "the inputs", error))?;
    Ok(Box::new(joined))
}

/// A file that fails once the user has asked to stop, also while it gives nothing.
fn guarded(file: io::File, context: &Context) -> Box<dyn Source + Send> {
    #[cfg(unix)]
    if !file.seekable()
        && let Ok(pipe) = file.inner().try_clone()
    {
        return Box::new(context.stop.guard(awaited::Awaited::new(file, pipe, &context.stop)));
    }
    Box::new(context.stop.guard(file))
}

fn place(
    path: &str,
    context: &Context,
    open: impl FnOnce(io::File) -> Box<dyn Source + Send>,
) -> std::io::Result<Box<dyn Source + Send>> {
    let source = match context.ask(|places| places.source(path)) {
        Some(source) => source.map(|source| Box::new(context.stop.guard(source)) as Box<dyn Source + Send>),
        None if rtmp::Url::is_one(path) => {
            let url = path.parse().map_err(|why: String| std::io::Error::new(std::io::ErrorKind::InvalidInput, why))?;
            Ok(Box::new(context.stop.guard(rtmp::Player::connect(&url)?)) as Box<dyn Source + Send>)
        }
        None if net::is_one(path) => Ok(Box::new(context.stop.guard(net::source(path)?)) as Box<dyn Source + Send>),
        None => match playlist(path)? {
            Some(segments) => Ok(Box::new(io::Ahead::new(context.stop.guard(segments))) as Box<dyn Source + Send>),
            None => if path == "-" { io::stdin() } else { io::File::open(paths::of(path)) }.map(open),
        },
    }?;
    Ok(if source.seekable() { source } else { Box::new(io::Spooled::where_needed(source)) })
}

/// The segments of a playlist, where the file at `path` is one.
fn playlist(path: &str) -> std::io::Result<Option<hls::Segments>> {
    if path == "-" || !std::fs::metadata(paths::of(path)).is_ok_and(|about| about.is_file()) {
        return Ok(None);
    }
    let mut file = io::File::open(paths::of(path))?;
    match hls::is_playlist(&mut file)? {
        true => hls::Segments::open(paths::of(path)).map(Some),
        false => Ok(None),
    }
}

/// Reads once more into `input`; returns how many bytes, 0 at the end.
pub(crate) fn feed(name: &str, source: &mut impl Source, input: &mut Input) -> Result<usize> {
    let block = source.block_size();
    let mut read = |at: u64, buf: &mut [u8]| source.read_at(at, buf);
    let fed = io::patiently(|| blocking::feed(input, block, &mut read), io::is_not_yet);
    fed.map_err(|error| Failure::Unread(format!("reading {name}: {error}")))
}

impl Args {
    /// An input named elsewhere on the command line, of a declared or a recognised format.
    pub(crate) fn of(path: &str, from: Option<String>) -> Self {
        let probe_budget = PROBE_BUDGET;
        Self {
            path: path.to_owned(),
            from,
            layout: None,
            settings: Vec::new(),
            probe_budget,
            follow: None,
            program: None,
            surveys: false,
            keys: Keys::default(),
            whole: false,
        }
    }

    /// Opens the input. Nothing is read yet.
    pub(crate) fn open(&self, context: &Context) -> Result<Opened> {
        let (name, source, size) = self.source(context)?;
        self.opened(&name, source, size)
    }

    /// Opens the input for a copy. Nothing is read yet.
    pub(crate) fn feed(&self, context: &Context) -> Result<Feed> {
        let (name, source, _) = self.source(context)?;
        self.feed_of(&name, source)
    }

    /// As [`Args::feed`], of a source that is open.
    pub(crate) fn feed_of(&self, name: &str, source: Box<dyn Source + Send>) -> Result<Feed> {
        let (reader, many) = self.packet_reader()?;
        Ok(Feed::from(Reader::with(source, reader)).named(name).with_many_streams(many))
    }

    /// A source that is open, as an input that may come slowly.
    pub(crate) fn open_of(&self, name: &str, source: Box<dyn Source + Send>) -> Result<Opened> {
        self.opened(name, source, None)
    }

    /// The bytes of the input, what they are called, and how many there are.
    fn source(&self, context: &Context) -> Result<(String, Box<dyn Source + Send>, Option<u64>)> {
        let Some(seconds) = self.follow else {
            let source = ahead(&self.path, context);
            let mut source = source.map_err(|error| Failure::while_("opening", name(&self.path), error))?;
            let size = source.size();
            return Ok((name(&self.path).to_owned(), source, size));
        };
        if self.path == "-" {
            return Err(Failure::Usage("--follow is about files that grow; standard input is read to its end".into()));
        }
        let (name, file) = source(&self.path, context)?;
        let source: Box<dyn Source + Send> = match Duration::try_from_secs_f64(seconds) {
            Ok(quiet) => Box::new(Follow::new(file).until_quiet(quiet)),
            Err(_) => Box::new(Follow::new(file)),
        };
        Ok((name, source, None))
    }

    fn opened(&self, name: &str, source: Box<dyn Source + Send>, size: Option<u64>) -> Result<Opened> {
        let pausing = Arc::default();
        let source = match size {
            Some(_) => source,
            None => Box::new(Pausing { source, pausing: Arc::clone(&pausing) }),
        };
        let (reader, many) = self.packet_reader()?;
        let reader = Reader::with(source, reader);
        let served = is_url(&self.path);
        Ok(Opened { name: name.to_owned(), reader, size, served, ended: false, many, pausing })
    }
}

/// The failure that an error of a reader means for the user.
pub(crate) fn failed(name: &str, error: &Error) -> Failure {
    match error {
        Error::Io(error) => Failure::Unread(format!("reading {name}: {error}")),
        Error::Media(error) => Failure::while_("reading", name, error),
    }
}
