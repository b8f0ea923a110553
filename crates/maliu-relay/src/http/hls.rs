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
use crate::{
    channel::Channel,
    gate::Visit,
    hls::{self, Live},
    hub::Hub,
    metrics::Protocol,
    name::Name,
    websocket,
};

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
    /// The media playlist from this long ago on.
    Since(Duration),
    /// An initialization, a segment or a part.
    File(String),
    /// The key of encrypted segments.
    Key(String),
    /// The playlist of a stream that has ended.
    Recording(String),
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
            (stem, "key") if is_epoch(stem) => (Container::Fmp4, Wanted::Key(file.to_owned())),
            (stem, "m3u8") if is_epoch(stem) => (Container::Fmp4, Wanted::Recording(file.to_owned())),
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
    numeric && is_epoch(epoch)
}

/// Whether this is the first part of such names.
fn is_epoch(text: &str) -> bool {
    text.len() == 24 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
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
    let is_live = !matches!(wanted, Wanted::File(_) | Wanted::Key(_) | Wanted::Recording(_));
    if !matches!(wanted, Wanted::File(_)) {
        permitted(head, name.clone(), hub, visit).await?;
    }
    let known = name.as_ref().and_then(|name| if is_live { hub.find(name) } else { hub.known(name) });
    let Some(channel) = known else {
        return Err(kept(hub, name.as_ref(), &wanted).await.unwrap_or_else(missing));
    };
    visit.is_for(false, Some(channel.name.to_string()));
    if hub.settings().hls.encrypt && matches!(wanted, Wanted::All) {
        return Err(Answer::text(404, "the segments are encrypted, and their parts are not for a body").public());
    }
    let live = match is_live {
        true => hub.hls(&channel, container),
        false => match &wanted {
            Wanted::Key(key) => channel.hls_with_key(key),
            _ => channel.hls(container),
        },
    };
    let is_past = |live: &Arc<Live>| matches!(&wanted, Wanted::File(name) if live.window().is_past(name));
    let live = match live.filter(|live| !is_past(live)) {
        Some(live) => live,
        None => return Err(kept(hub, name.as_ref(), &wanted).await.unwrap_or_else(missing)),
    };
    if is_live && !matches!(wanted, Wanted::All) {
        live.is_asked_by(visit.address(), head.field("user-agent"));
    }
    let wanted = match wanted {
        Wanted::Media(_) => match head.query("from").next() {
            Some(from) => Wanted::Since(ago(from).ok_or_else(|| {
                Answer::text(400, "from is not a time before now, such as -90s, -30m or -2h").public()
            })?),
            None => Wanted::Media(reload(head)?),
        },
        wanted => wanted,
    };
    let is_named = matches!(&wanted, Wanted::Media(reload) if reload.segment.is_some());
    let query: Vec<&str> =
        head.query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("type=")).collect();
    let (hub, query) = (Arc::clone(hub), query.join("&"));
    Ok(Request { hub, channel, live, wanted, query, is_named })
}

/// A file of a stream that is on disk, if it is there.
async fn kept(hub: &Hub, name: Option<&Name>, wanted: &Wanted) -> Option<Answer> {
    let (Wanted::File(file) | Wanted::Key(file) | Wanted::Recording(file)) = wanted else { return None };
    // Their letters were checked: digits, dots, and an extension.
    let path = hls::folder(hub.settings().hls.folder.as_ref()?, name?).join(file);
    let data = tokio::task::spawn_blocking(move || std::fs::read(path)).await.ok()?.ok()?;
    hub.metrics.sent(Protocol::Hls, data.len());
    Some(match wanted {
        Wanted::Recording(_) => list(data, "max-age=3600"),
        Wanted::Key(_) => key(data),
        _ => self::file(file, vec![data.into()]),
    })
}

/// A time before now, such as `-30m`; a number without a unit is in seconds.
fn ago(text: &str) -> Option<Duration> {
    let number = text.strip_prefix('-')?;
    let (digits, factor) = match number.chars().last()? {
        's' => (number.strip_suffix('s')?, 1),
        'm' => (number.strip_suffix('m')?, 60),
        'h' => (number.strip_suffix('h')?, 3600),
        _ => (number, 1),
    };
    Some(Duration::from_secs(digits.parse::<u64>().ok()?.checked_mul(factor)?))
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
            Wanted::Media(_) | Wanted::Since(_) => {
                let asked = match &self.wanted {
                    Wanted::Since(before) => self.live.ask_since(*before),
                    Wanted::Media(reload) => self.live.ask(*reload),
                    _ => Ask::TooFar,
                };
                match asked {
                    Ask::Ready(text) => {
                        let text = self.live.with_query(text, &self.query);
                        Some(list(text, if self.is_named { "max-age=6" } else { "max-age=1" }))
                    }
                    Ask::Wait => None,
                    Ask::TooFar => Some(Answer::text(400, "the segment is too far ahead").public()),
                }
            }
            Wanted::Key(name) => self.live.key(name).map(|bytes| key(bytes.to_vec())),
            Wanted::Recording(_) => None,
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

/// A key is for those that may watch, and not for caches between.
fn key(bytes: Vec<u8>) -> Answer {
    Answer::of(200, "application/octet-stream", bytes).with("Cache-Control", "private, max-age=3600").public()
}

/// A file never changes: its name is used once.
fn file(name: &str, data: Vec<Bytes>) -> Answer {
    let kind = if name.ends_with(".ts") { "video/mp2t" } else { "video/mp4" };
    Answer::parts(200, kind, data).with("Cache-Control", "max-age=31536000, immutable").public()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_before_now_have_units() {
        for (text, seconds) in [
            ("-30m", Some(1800)),
            ("-90s", Some(90)),
            ("-2h", Some(7200)),
            ("-7", Some(7)),
            ("30m", None),
            ("-", None),
            ("-m", None),
            ("-1d", None),
            ("-99999999999999999999h", None),
        ] {
            assert_eq!(ago(text).map(|span| span.as_secs()), seconds, "{text}");
        }
    }

    #[test]
    fn names_of_files_lead_nowhere_else() {
        let of = |path: &str| {
            let text = format!("GET {path} HTTP/1.1\r\n\r\n");
            let (head, _) = Head::parse(text.as_bytes()).unwrap().unwrap();
            wanted(&head).map(|(folder, _, wanted)| format!("{folder} {wanted:?}"))
        };
        let epoch = "0123456789abcdef01234567";
        for (path, expected) in [
            (format!("/live/show/{epoch}-17.3.m4s"), Some("File")),
            (format!("/live/show/{epoch}.m3u8"), Some("Recording")),
            (format!("/live/show/{epoch}.key"), Some("Key")),
            (format!("/live/show/{epoch}-../../x.m4s"), None),
            (format!("/live/show/{epoch}-1%2f.m4s"), None),
            ("/live/show/other.m3u8".to_owned(), None),
            ("/live/show/other.key".to_owned(), None),
            ("/live/show.mp4".to_owned(), Some("/live/show All")),
        ] {
            let got = of(&path);
            assert_eq!(got.as_ref().map(|_| ()), expected.map(|_| ()), "{path}: {got:?}");
            assert!(got.is_none_or(|got| got.contains(expected.unwrap_or_default())), "{path}");
        }
    }
}
