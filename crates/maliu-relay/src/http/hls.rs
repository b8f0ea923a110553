//! Requests for HLS: playlists that wait for what they name, segments and parts (RFC 8216bis §6.2.5).

use std::{io, sync::Arc, time::Duration};

use bytes::Bytes;
use maliu::hls::{Ask, Container, File, Reload};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{Instant, timeout, timeout_at},
};

use super::{Answer, BATCH, Head};
use crate::{
    form::LAST_CHUNK,
    hls::Live,
    hub::{DENIED, Hub},
    link::{STALL_LIMIT, Socket},
    name::Name,
};

/// How long a part that was announced is waited for, and a first playlist.
const FIRST_LIMIT: Duration = Duration::from_secs(10);

/// A viewer counts as such again after this time.
const TOUCH: Duration = Duration::from_secs(5);

/// The resource of a request.
#[derive(Clone, Debug)]
pub(super) enum Wanted {
    /// The multivariant playlist.
    Index,
    /// The media playlist.
    Media(Reload),
    /// All that comes, as one body.
    All,
    /// An initialization, a segment or a part.
    File(String),
}

/// A request for HLS.
#[derive(Debug)]
pub(super) struct Request {
    live: Arc<Live>,
    wanted: Wanted,
    /// The query that playlists go on with.
    query: String,
    /// Whether a body may come in chunks.
    chunked: bool,
    /// The answer depends on what was waited for.
    is_named: bool,
}

/// The request of a head; `None` when it is for something else.
pub(super) fn request(head: &Head, hub: &Arc<Hub>) -> Option<Result<Request, Answer>> {
    let (folder, file) = head.path.rsplit_once('/')?;
    let (container, wanted) = match file {
        "index.m3u8" => (kind(head), Wanted::Index),
        "media.m3u8" => (Container::Fmp4, Wanted::Media(Reload::default())),
        "ts.m3u8" => (Container::Ts, Wanted::Media(Reload::default())),
        _ => match file.rsplit_once('.')? {
            (stem, "m4s" | "mp4") if is_file(stem) => (Container::Fmp4, Wanted::File(file.to_owned())),
            (stem, "ts") if is_file(stem) => (Container::Ts, Wanted::File(file.to_owned())),
            (_, "mp4") => return Some(found(head, hub, head.path.strip_suffix(".mp4")?, Container::Fmp4, Wanted::All)),
            (_, "ts") => return Some(found(head, hub, head.path.strip_suffix(".ts")?, Container::Ts, Wanted::All)),
            _ => return None,
        },
    };
    Some(found(head, hub, folder, container, wanted))
}

/// Whether a name is one of an initialization, a segment or a part: 24 hexadecimal digits, and numbers behind.
fn is_file(stem: &str) -> bool {
    let Some((epoch, numbers)) = stem.split_once('-') else { return false };
    let numeric = !numbers.is_empty() && numbers.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    numeric && epoch.len() == 24 && epoch.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn kind(head: &Head) -> Container {
    if head.query("type").any(|kind| kind == "ts") { Container::Ts } else { Container::Fmp4 }
}

fn found(head: &Head, hub: &Arc<Hub>, folder: &str, container: Container, wanted: Wanted) -> Result<Request, Answer> {
    let missing = || Answer::text(404, "nothing is published under this name").with("Retry-After", "2").public();
    let name = Name::of_path(folder, "");
    // Names of segments cannot be guessed, and caches keep them without asking.
    let is_list = !matches!(wanted, Wanted::File(_));
    if is_list && !hub.lets_watch(name.as_ref(), &head.shown()) {
        return Err(Answer::text(401, DENIED).public());
    }
    let channel = name.and_then(|name| if is_list { hub.find(&name) } else { hub.known(&name) }).ok_or_else(missing)?;
    let live = match is_list {
        true => hub.hls(&channel, container).ok_or_else(missing)?,
        false => channel.hls(container).ok_or_else(missing)?,
    };
    let wanted = match wanted {
        Wanted::Media(_) => Wanted::Media(reload(head)?),
        wanted => wanted,
    };
    let is_named = matches!(&wanted, Wanted::Media(reload) if reload.segment.is_some());
    let query: Vec<&str> =
        head.query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("type=")).collect();
    Ok(Request { live, wanted, query: query.join("&"), chunked: head.is_1_1, is_named })
}

/// The delivery directives.
fn reload(head: &Head) -> Result<Reload, Answer> {
    let number = |name: &str| match head.query(name).next() {
        None => Ok(None),
        Some(text) => match text.parse::<u64>() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(Answer::text(400, "a delivery directive is not a number").public()),
        },
    };
    let skip = head.query("_HLS_skip").any(|skip| matches!(skip, "YES" | "v2"));
    Ok(Reload { segment: number("_HLS_msn")?, part: number("_HLS_part")?, skip })
}

impl Request {
    /// Whether the answer is a body without end.
    pub(super) fn is_endless(&self) -> bool {
        matches!(self.wanted, Wanted::All)
    }

    /// Writes all that comes until the stream ends, or the viewer goes.
    pub(super) async fn endless<S: Socket>(self, socket: &mut S, is_head: bool) -> io::Result<()> {
        let kind = if self.live.container == Container::Ts { "video/mp2t" } else { "video/mp4" };
        let start = Answer::bare(200).with("Content-Type", kind).with("Cache-Control", "no-store").public();
        let (field, value) = if self.chunked { ("Transfer-Encoding", "chunked") } else { ("Connection", "close") };
        put(socket, &start.with(field, value).encode_start()).await?;
        if is_head {
            return socket.shutdown().await;
        }
        let (mut place, mut changes, mut said) = (None, self.live.changes(), [0; 256]);
        loop {
            changes.borrow_and_update();
            self.live.touch();
            let data = self.live.window().follow(&mut place);
            for part in data.iter().filter(|part| !part.is_empty()) {
                let (head, tail) =
                    if self.chunked { (format!("{:x}\r\n", part.len()), &b"\r\n"[..]) } else { Default::default() };
                put(socket, head.as_bytes()).await?;
                for piece in part.chunks(BATCH) {
                    put(socket, piece).await?;
                }
                put(socket, tail).await?;
            }
            if data.is_empty() && self.live.is_over() {
                break;
            }
            tokio::select! {
                changed = timeout(TOUCH, changes.changed()) => if let Ok(Err(_)) = changed { break },
                got = socket.read(&mut said) => if got? == 0 { return Ok(()) },
            }
        }
        if self.chunked {
            put(socket, LAST_CHUNK).await?;
        }
        socket.shutdown().await
    }

    /// The answer, when it is there.
    pub(super) async fn answer(self) -> Answer {
        let mut changes = self.live.changes();
        let until = Instant::now() + if self.is_named { self.live.patience() } else { FIRST_LIMIT };
        loop {
            changes.borrow_and_update();
            if let Some(answer) = self.ready() {
                return answer;
            }
            if self.live.is_over() {
                return Answer::text(404, "the stream has ended, or HLS cannot carry it").public();
            }
            match timeout_at(until, changes.changed()).await {
                Ok(Ok(())) => {}
                _ => return Answer::text(503, "it did not come in time").with("Retry-After", "1").public(),
            }
        }
    }

    fn ready(&self) -> Option<Answer> {
        match &self.wanted {
            Wanted::All => None,
            Wanted::Index => self.live.multivariant(&self.query).map(|text| list(text, "max-age=1")),
            Wanted::Media(reload) => match self.live.ask(*reload) {
                Ask::Ready(text) => Some(list(text, if self.is_named { "max-age=6" } else { "max-age=1" })),
                Ask::Wait => None,
                Ask::TooFar => Some(Answer::text(400, "the segment is too far ahead").public()),
            },
            Wanted::File(name) => match self.live.window().file(name) {
                File::Ready(data) => Some(file(name, data)),
                File::Wait => None,
                File::Gone => Some(Answer::text(404, "the segment is gone, or never was").public()),
            },
        }
    }
}

/// Writes bytes to a viewer that may be slow, but must not stand still.
async fn put<S: Socket>(socket: &mut S, bytes: &[u8]) -> io::Result<()> {
    timeout(STALL_LIMIT, socket.write_all(bytes)).await.map_err(|_| io::ErrorKind::TimedOut)?
}

fn list(text: impl Into<Bytes>, age: &str) -> Answer {
    Answer::of(200, "application/vnd.apple.mpegurl", text).with("Cache-Control", age).public()
}

/// A file never changes: its name is used once.
fn file(name: &str, data: Vec<Bytes>) -> Answer {
    let kind = if name.ends_with(".ts") { "video/mp2t" } else { "video/mp4" };
    Answer::parts(200, kind, data).with("Cache-Control", "max-age=31536000, immutable").public()
}
