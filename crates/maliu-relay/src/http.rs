//! HTTP: FLV without end, the same over WebSocket, the start page, reports.

use std::{io, sync::Arc, time::Duration};

use bytes::Bytes;
use maliu::live::Join;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};

mod admin;
mod answer;
mod endless;
mod hls;
pub(crate) mod head;

use answer::Answer;
use head::{Head, Wrong};

use crate::{
    access::Purpose,
    form::{Form, LAST_CHUNK},
    gate::Visit,
    hooks::Ask,
    hub::Hub,
    link::{Link, STALL_LIMIT, Socket},
    metrics::Protocol,
    name::Name,
    page, proxy,
    queue::Queue,
    status,
    viewer::Viewer,
    watch::{self, Ear},
    websocket,
};

/// How long the head of a request may take, and a connection may rest.
const HEAD_LIMIT: Duration = Duration::from_secs(10);

/// Bytes that are read at a time.
const BLOCK: usize = 2 << 10;

/// Serves a connection to its end.
pub(crate) async fn serve<S: Socket>(socket: S, hub: Arc<Hub>, visit: Arc<Visit>) {
    if let Err(error) = exchange(socket, &hub, &visit).await {
        tracing::debug!("a connection of HTTP ended: {error}");
    }
}

/// The result of a request.
enum Next {
    /// This answer, and maybe another request.
    Answer(Answer),
    /// A playlist or a segment, which may come later.
    Hls(hls::Request),
    /// The parts of HLS as one body.
    Endless(endless::Endless),
    /// A viewer, and the start of the answer.
    Watch(Viewer, Form, Vec<u8>),
}

async fn exchange<S: Socket>(mut socket: S, hub: &Arc<Hub>, visit: &Visit) -> io::Result<()> {
    let mut waiting = Vec::new();
    loop {
        let request = match timeout(HEAD_LIMIT, request(&mut socket, &mut waiting)).await {
            Ok(request) => request?,
            Err(_) if waiting.is_empty() => None,
            Err(_) => Some(Err(Wrong { status: 408, why: "the request did not come in time" })),
        };
        let Some(request) = request else { return socket.shutdown().await };
        let (stays, is_head, next) = match request {
            Ok(head) => {
                let stays = head.is_1_1 && !head.has("connection", "close") && !head.has_body() && !hub.is_draining();
                let next = match stand_for(&head, hub, visit) {
                    true => answer(&head, hub, visit).await,
                    false => Next::Answer(Answer::text(429, "too many connections of this address")),
                };
                (stays, head.method == "HEAD", next)
            }
            Err(Wrong { status, why }) => (false, false, Next::Answer(Answer::text(status, why))),
        };
        let next = match next {
            Next::Endless(endless) => return endless.serve(&mut socket).await,
            Next::Hls(request) => {
                let answer = request.answer().await;
                let size = if is_head { 0 } else { answer.body().iter().map(Bytes::len).sum() };
                hub.metrics.sent(Protocol::Hls, size);
                Next::Answer(answer)
            }
            next => next,
        };
        match next {
            Next::Hls(_) | Next::Endless(_) => {}
            Next::Answer(answer) => {
                write(&mut socket, &answer, stays, is_head).await?;
                if !stays {
                    return socket.shutdown().await;
                }
            }
            Next::Watch(viewer, form, start) => {
                let mut link = Link::new(socket);
                link.out.share(start.into());
                return match form {
                    Form::WsFlv => watch::serve(link, viewer, websocket::Peer::default()).await,
                    _ => watch::serve(link, viewer, Reader { form, said: 0 }).await,
                };
            }
        }
    }
}

/// Writes an answer. A viewer may be slow, but must not stand still.
async fn write<S: Socket>(socket: &mut S, answer: &Answer, stays: bool, is_head: bool) -> io::Result<()> {
    let mut first = answer.head(stays);
    let mut body = if is_head { &[][..] } else { answer.body() };
    if let Some((small, rest)) = body.split_first().filter(|(part, _)| part.len() <= BATCH) {
        first.extend_from_slice(small);
        body = rest;
    }
    let pieces = std::iter::once(&first[..]).chain(body.iter().flat_map(|part| part.chunks(BATCH)));
    for piece in pieces {
        timeout(STALL_LIMIT, socket.write_all(piece)).await.map_err(|_| io::ErrorKind::TimedOut)??;
    }
    Ok(())
}

/// Bytes that are written at a time.
const BATCH: usize = 64 << 10;

/// The next request; `None` when the peer has ended.
async fn request<S: Socket>(socket: &mut S, waiting: &mut Vec<u8>) -> io::Result<Option<Result<Head, Wrong>>> {
    loop {
        match Head::parse(waiting) {
            Ok(Some((head, len))) => {
                waiting.drain(..len);
                return Ok(Some(Ok(head)));
            }
            Ok(None) => {}
            Err(wrong) => return Ok(Some(Err(wrong))),
        }
        waiting.reserve(BLOCK);
        if socket.read_buf(waiting).await? == 0 {
            return Ok(None);
        }
    }
}

/// Notes for which address a trusted proxy asks; false when there are too many connections of it.
fn stand_for(head: &Head, hub: &Hub, visit: &Visit) -> bool {
    let settings = hub.settings();
    let list = if visit.proxied && !settings.proxy_protocol { head.list("x-forwarded-for") } else { String::new() };
    match proxy::forwarded(&list, &settings.trusted_proxies) {
        Some(address) => hub.gate.rename(visit, address, settings.most()),
        None => true,
    }
}

/// Whether a request is for something that its peer may watch: a stream, or the list of all.
async fn permitted(head: &Head, name: Option<Name>, hub: &Arc<Hub>, visit: &Visit) -> Result<(), Answer> {
    let (shown, protocol, address) = (head.shown(), visit.protocol, visit.address());
    let ask = Ask { purpose: Purpose::Play, name, shown, protocol, address };
    let permission = Arc::clone(hub).permits(ask).await;
    permission.map_err(|refusal| Answer::text(401, refusal.why).public())
}

async fn answer(head: &Head, hub: &Arc<Hub>, visit: &Visit) -> Next {
    if head.path.starts_with(admin::FOLDER) {
        return Next::Answer(admin::answer(head, hub));
    }
    let is_list = matches!(head.path.as_str(), "/" | "/api/streams");
    if is_list && let Err(refusal) = permitted(head, None, hub, visit).await {
        return Next::Answer(refusal);
    }
    if matches!(head.method.as_str(), "GET" | "HEAD")
        && let Some(request) = hls::request(head, hub, visit).await
    {
        return match request {
            Err(refusal) => Next::Answer(refusal),
            Ok(request) => match request.endless(head) {
                Some(endless) => Next::Endless(endless),
                None => Next::Hls(request),
            },
        };
    }
    Next::Answer(match (head.method.as_str(), head.path.as_str()) {
        ("GET" | "HEAD", "/") => html(page::html(hub)),
        ("GET" | "HEAD", "/favicon.ico") => Answer::bare(204),
        ("GET" | "HEAD", "/healthz") => Answer::text(200, "ok"),
        ("GET" | "HEAD", "/readyz") if hub.is_draining() => Answer::text(503, "draining"),
        ("GET" | "HEAD", "/readyz") => Answer::text(200, "ok"),
        ("GET" | "HEAD", "/metrics") => Answer::new(200, METRICS, hub.metrics_text()),
        ("GET" | "HEAD", "/api/streams") => Answer::new(200, "application/json", status::streams(hub).to_string()),
        ("GET" | "HEAD", path) if path.ends_with(".flv") => return watch(head, hub, visit).await,
        ("GET" | "HEAD", path) if page::file(path).is_some() => asset(path),
        ("GET" | "HEAD", _) => Answer::text(404, "nothing is here"),
        ("OPTIONS", _) => Answer::bare(204).public(),
        _ => Answer::text(405, "GET only").with("Allow", "GET, HEAD, OPTIONS"),
    })
}

const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";

fn html(page: String) -> Answer {
    Answer::new(200, "text/html; charset=utf-8", page)
        .with("Content-Security-Policy", page::POLICY)
        .with("Referrer-Policy", "no-referrer")
}

/// A file of the page, which a browser may keep until the program is another.
fn asset(path: &str) -> Answer {
    let (kind, content) = page::file(path).unwrap_or_default();
    Answer::of(200, kind, content).with("Cache-Control", "max-age=3600").with("X-Content-Type-Options", "nosniff")
}

/// Answers a request for a stream.
async fn watch(head: &Head, hub: &Arc<Hub>, visit: &Visit) -> Next {
    let name = Name::of_path(&head.path, ".flv");
    if let Err(refusal) = permitted(head, name.clone(), hub, visit).await {
        return Next::Answer(refusal);
    }
    let Some(channel) = name.and_then(|name| hub.find(&name)) else {
        let missing = Answer::text(404, "nothing is published under this name");
        return Next::Answer(missing.with("Retry-After", "2").public());
    };
    let start = Answer::bare(200).with("Content-Type", "video/x-flv").with("Cache-Control", "no-store").public();
    let (form, start) = match (head.field("sec-websocket-key"), head.is_1_1) {
        _ if head.method == "HEAD" => return Next::Answer(start),
        (Some(key), true) if head.has("upgrade", "websocket") => {
            if !head.has("sec-websocket-version", "13") {
                let other = Answer::text(426, "the version of WebSocket is not supported");
                return Next::Answer(other.with("Sec-WebSocket-Version", "13"));
            }
            let switch = Answer::bare(101).with("Upgrade", "websocket").with("Connection", "Upgrade");
            (Form::WsFlv, switch.with("Sec-WebSocket-Accept", websocket::accept(key.as_bytes())))
        }
        (_, true) => (Form::HttpFlv { chunked: true }, start.with("Transfer-Encoding", "chunked")),
        (_, false) => (Form::HttpFlv { chunked: false }, start.with("Connection", "close")),
    };
    visit.is_for(false, Some(channel.name.to_string()));
    let join = if head.query("join").any(|join| join == "live") { Join::Live } else { Join::Group };
    let plain = !head.query("raw").any(|raw| raw == "1");
    Next::Watch(Viewer::new(channel, Arc::clone(hub), form, join, plain), form, start.encode_start())
}

/// A viewer over HTTP, which has nothing to say.
struct Reader {
    form: Form,
    said: usize,
}

impl Ear for Reader {
    fn hear(&mut self, bytes: &[u8], _: &mut Queue) -> io::Result<bool> {
        self.said = self.said.saturating_add(bytes.len());
        if self.said > head::MAX_HEAD {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the viewer sends more than it may"));
        }
        Ok(true)
    }

    fn tick(&mut self, _: &mut Queue) {}

    fn end(&mut self, out: &mut Queue) {
        if self.form == (Form::HttpFlv { chunked: true }) {
            out.copy(LAST_CHUNK);
        }
    }
}
