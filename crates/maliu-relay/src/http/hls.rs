//! Requests for HLS: playlists that wait for what they name, segments and parts (RFC 8216bis §6.2.5).

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use maliu::hls::{Ask, Container, File, Reload};
use tokio::time::{Instant, timeout_at};

use super::{Answer, Head};
use crate::{
    hls::Live,
    hub::{DENIED, Hub},
    name::Name,
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
            (_, "m4s" | "mp4") => (Container::Fmp4, Wanted::File(file.to_owned())),
            (_, "ts") => (Container::Ts, Wanted::File(file.to_owned())),
            _ => return None,
        },
    };
    Some(found(head, hub, folder, container, wanted))
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
    Ok(Request { live, wanted, query: query.join("&"), is_named })
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
                return Answer::text(404, "the stream has ended").public();
            }
            match timeout_at(until, changes.changed()).await {
                Ok(Ok(())) => {}
                _ => return Answer::text(503, "it did not come in time").with("Retry-After", "1").public(),
            }
        }
    }

    fn ready(&self) -> Option<Answer> {
        match &self.wanted {
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

fn list(text: impl Into<Bytes>, age: &str) -> Answer {
    Answer::of(200, "application/vnd.apple.mpegurl", text).with("Cache-Control", age).public()
}

/// A file never changes: its name is used once.
fn file(name: &str, data: Vec<Bytes>) -> Answer {
    let kind = if name.ends_with(".ts") { "video/mp2t" } else { "video/mp4" };
    Answer::parts(200, kind, data).with("Cache-Control", "max-age=31536000, immutable").public()
}
