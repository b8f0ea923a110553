//! Requests for HLS: playlists that wait for what they name, segments and parts (RFC 8216bis §6.2.5).

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use bytes::Bytes;
use maliu::hls::{Ask, Container, File, Reload};
use tokio::time::{Instant, timeout_at};

use super::{
    Answer, Head,
    endless::{Endless, Form},
    permitted,
};
use crate::{channel::Channel, gate::Visit, hls::Live, hub::Hub, name::Name, websocket};

/// How long a part that was announced is waited for, and a first playlist.
const FIRST_LIMIT: Duration = Duration::from_secs(10);

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
    hub: Arc<Hub>,
    channel: Arc<Channel>,
    live: Arc<Live>,
    wanted: Wanted,
    /// The query that playlists go on with.
    query: String,
    /// The answer depends on what was waited for.
    is_named: bool,
}

/// The request of a head; `None` when it is for something else.
pub(super) async fn request(head: &Head, hub: &Arc<Hub>, visit: &Visit) -> Option<Result<Request, Answer>> {
    let (folder, container, wanted) = wanted(head)?;
    Some(found(head, hub, visit, folder, container, wanted).await)
}

/// The stream, by its path, and the resource that a request is for.
fn wanted(head: &Head) -> Option<(&str, Container, Wanted)> {
    let (folder, file) = head.path.rsplit_once('/')?;
    let (container, wanted) = match file {
        "index.m3u8" => (kind(head), Wanted::Index),
        "media.m3u8" => (Container::Fmp4, Wanted::Media(Reload::default())),
        "ts.m3u8" => (Container::Ts, Wanted::Media(Reload::default())),
        _ => match file.rsplit_once('.')? {
            (stem, "m4s" | "mp4") if is_file(stem) => (Container::Fmp4, Wanted::File(file.to_owned())),
            (stem, "ts") if is_file(stem) => (Container::Ts, Wanted::File(file.to_owned())),
            (_, "mp4") => return Some((head.path.strip_suffix(".mp4")?, Container::Fmp4, Wanted::All)),
            (_, "ts") => return Some((head.path.strip_suffix(".ts")?, Container::Ts, Wanted::All)),
            _ => return None,
        },
    };
    Some((folder, container, wanted))
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

async fn found(
    head: &Head,
    hub: &Arc<Hub>,
    visit: &Visit,
    folder: &str,
    container: Container,
    wanted: Wanted,
) -> Result<Request, Answer> {
    let missing = || Answer::text(404, "nothing is published under this name").with("Retry-After", "2").public();
    let name = Name::of_path(folder, "");
    // Names of segments cannot be guessed, and caches keep them without asking.
    let is_list = !matches!(wanted, Wanted::File(_));
    if is_list {
        permitted(head, name.clone(), hub, visit).await?;
    }
    let channel = name.and_then(|name| if is_list { hub.find(&name) } else { hub.known(&name) }).ok_or_else(missing)?;
    visit.is_for(false, Some(channel.name.to_string()));
    let live = match is_list {
        true => hub.hls(&channel, container).ok_or_else(missing)?,
        false => channel.hls(container).ok_or_else(missing)?,
    };
    if is_list && !matches!(wanted, Wanted::All) {
        live.is_asked_by(visit.address(), head.field("user-agent"));
    }
    let wanted = match wanted {
        Wanted::Media(_) => Wanted::Media(reload(head)?),
        wanted => wanted,
    };
    let is_named = matches!(&wanted, Wanted::Media(reload) if reload.segment.is_some());
    let query: Vec<&str> =
        head.query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("type=")).collect();
    let (hub, query) = (Arc::clone(hub), query.join("&"));
    Ok(Request { hub, channel, live, wanted, query, is_named })
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
    /// The body without end that this asks for, if it is one; with the key of a handshake, over WebSocket.
    pub(super) fn endless(&self, head: &Head) -> Option<Endless> {
        let form = match (head.field("sec-websocket-key"), head.is_1_1) {
            (Some(key), true) if head.has("upgrade", "websocket") => Form::Socket(websocket::accept(key.as_bytes())),
            (_, true) => Form::Chunked,
            (_, false) => Form::Plain,
        };
        let is_head = head.method == "HEAD";
        let (live, hub) = (Arc::clone(&self.live), Arc::clone(&self.hub));
        matches!(self.wanted, Wanted::All).then(|| Endless::new(live, Arc::clone(&self.channel), hub, form, is_head))
    }

    /// The answer, when it is there.
    pub(super) async fn answer(self) -> Answer {
        let mut changes = self.live.changes();
        if let Some(answer) = self.ready() {
            return answer;
        }
        let _waiting = Waiting::new(&self.hub);
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

/// A request that waits, and is counted.
struct Waiting<'a>(&'a Hub);

impl<'a> Waiting<'a> {
    fn new(hub: &'a Hub) -> Self {
        hub.metrics.hls_waiting.fetch_add(1, Ordering::Relaxed);
        Self(hub)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.metrics.hls_waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

fn list(text: impl Into<Bytes>, age: &str) -> Answer {
    Answer::of(200, "application/vnd.apple.mpegurl", text).with("Cache-Control", age).public()
}

/// A file never changes: its name is used once.
fn file(name: &str, data: Vec<Bytes>) -> Answer {
    let kind = if name.ends_with(".ts") { "video/mp2t" } else { "video/mp4" };
    Answer::parts(200, kind, data).with("Cache-Control", "max-age=31536000, immutable").public()
}
