//! Hooks: another program, asked by HTTP who may publish and watch, and informed of what happens.
//!
//! ```text
//!   POST /path   {"action":"publish","name":"live/show","protocol":"rtmp","address":"192.0.2.1","query":"…"}
//!   X-Maliu-Signature: t=UNIXTIME,v1=HMAC-SHA-256 of "UNIXTIME.BODY" in hexadecimal
//! ```
//!
//! Only an answer of 200 to 299 lets a peer in; none in time is a refusal.

use std::{
    collections::HashMap,
    io,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::mpsc,
    time::timeout,
};

use crate::{
    access::{Lock, Purpose, Shown, hexadecimal},
    config::Hooks,
    hub::{DENIED, Hub, Refusal},
    name::Name,
    pull,
};

/// Events that wait to be reported; more are dropped and counted.
const QUEUE: usize = 1024;

/// Answers that are kept.
const MAX_KEPT: usize = 10_000;

/// How long a refusal is kept at most: a peer may try again.
const REFUSED: Duration = Duration::from_secs(1);

/// Bytes of an answer that are looked at.
const MAX_ANSWER: usize = 4 << 10;

/// A peer that wants to publish or to watch.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) purpose: Purpose,
    /// The stream; `None`: the list of all.
    pub(crate) name: Option<Name>,
    pub(crate) shown: Shown,
    pub(crate) protocol: &'static str,
    pub(crate) address: IpAddr,
}

/// Something that has happened, as it is reported.
#[derive(Debug)]
pub(crate) struct Event {
    /// `unpublish`, `stop` or `record`.
    pub(crate) action: &'static str,
    pub(crate) name: String,
    /// The file of a recording.
    pub(crate) path: Option<String>,
}

/// Answers that are kept, and events that wait.
#[derive(Debug)]
pub(crate) struct Desk {
    kept: Mutex<HashMap<String, (Instant, bool)>>,
    events: mpsc::Sender<Event>,
    waiting: Mutex<Option<mpsc::Receiver<Event>>>,
}

impl Default for Desk {
    fn default() -> Self {
        let (events, waiting) = mpsc::channel(QUEUE);
        Self { kept: Mutex::default(), events, waiting: Mutex::new(Some(waiting)) }
    }
}

impl Desk {
    fn kept(&self) -> std::sync::MutexGuard<'_, HashMap<String, (Instant, bool)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An answer that still holds.
    fn known(&self, key: &str) -> Option<bool> {
        let kept = self.kept();
        let (until, answer) = kept.get(key)?;
        (*until > Instant::now()).then_some(*answer)
    }

    fn keep(&self, key: String, answer: bool, span: Duration) {
        let (mut kept, now) = (self.kept(), Instant::now());
        if kept.len() >= MAX_KEPT {
            kept.retain(|_, (until, _)| *until > now);
        }
        if kept.len() < MAX_KEPT && !span.is_zero() {
            kept.insert(key, (now + span, answer));
        }
    }
}

impl Hub {
    /// Whether a peer may publish or watch: its keys are right, and the hook, if there is one, agrees.
    ///
    /// # Errors
    /// [`Refusal`].
    pub(crate) async fn permits(self: Arc<Self>, ask: Ask) -> Result<(), Refusal> {
        let code = match ask.purpose {
            Purpose::Publish => "NetStream.Publish.Denied",
            Purpose::Play => "NetStream.Play.Failed",
        };
        let denied = |why| {
            self.metrics.denied.fetch_add(1, Ordering::Relaxed);
            Err(Refusal { code, why })
        };
        let settings = self.settings();
        let (tokens, secret, keys) = match ask.purpose {
            Purpose::Publish => (&settings.publish_tokens, &settings.publish_secret, &settings.publish_keys),
            Purpose::Play => (&settings.play_tokens, &settings.play_secret, &settings.play_keys),
        };
        let lock = Lock { purpose: ask.purpose, tokens, secret: secret.as_deref(), keys: keys.as_ref() };
        if !lock.opens(ask.name.as_ref(), &ask.shown) {
            return denied(DENIED);
        }
        let url = if ask.purpose == Purpose::Publish { &settings.hooks.publish } else { &settings.hooks.play };
        match url {
            Some(url) if !self.agrees(&settings.hooks, url, &ask).await => denied(REFUSED_BY_HOOK),
            _ => Ok(()),
        }
    }

    /// Asks the hook, unless it has answered the same a moment ago.
    async fn agrees(&self, hooks: &Hooks, url: &str, ask: &Ask) -> bool {
        let action = ask.purpose.word();
        let name = ask.name.as_ref().map(ToString::to_string);
        // Directives of HLS differ from request to request of one viewer.
        let query: Vec<&str> = ask.shown.query.split('&').filter(|pair| !pair.starts_with("_HLS_")).collect();
        let query = query.join("&");
        let key = format!("{action} {} {} {query}", ask.address, name.as_deref().unwrap_or_default());
        if let Some(answer) = self.desk.known(&key) {
            return answer;
        }
        let body = json!({
            "action": action,
            "name": name,
            "protocol": ask.protocol,
            "address": ask.address.to_canonical(),
            "query": query,
        });
        let agrees = self.post(hooks, url, &body.to_string()).await;
        self.desk.keep(key, agrees, if agrees { hooks.cache } else { hooks.cache.min(REFUSED) });
        agrees
    }

    /// Posts to a hook; returns whether it agrees.
    async fn post(&self, hooks: &Hooks, url: &str, body: &str) -> bool {
        let begun = Instant::now();
        let status = timeout(hooks.timeout, post(url, hooks.secret.as_deref(), body)).await;
        self.metrics.hooks.fetch_add(1, Ordering::Relaxed);
        let millis = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.metrics.hook_millis.fetch_add(millis, Ordering::Relaxed);
        let why = match status {
            Ok(Ok(status)) => return (200..300).contains(&status),
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {} ms", hooks.timeout.as_millis()),
        };
        self.metrics.hooks_failed.fetch_add(1, Ordering::Relaxed);
        tracing::warn!("a hook failed: {why}");
        false
    }

    /// Reports an event later, if there is a hook for it.
    pub(crate) fn report(&self, event: Event) {
        let settings = self.settings();
        if settings.hooks.of(event.action).is_some() && self.desk.events.try_send(event).is_err() {
            self.metrics.hooks_failed.fetch_add(1, Ordering::Relaxed);
            tracing::warn!("an event is not reported: too many wait for the hook");
        }
    }

    /// Reports events one after another, without end.
    pub(crate) async fn report_all(&self) {
        let waiting = self.desk.waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut waiting) = waiting else { return std::future::pending().await };
        while let Some(Event { action, name, path }) = waiting.recv().await {
            let settings = self.settings();
            if let Some(url) = settings.hooks.of(action) {
                let mut body = json!({ "action": action, "name": name });
                if let (Some(path), Some(body)) = (path, body.as_object_mut()) {
                    body.insert("path".into(), path.into());
                }
                self.post(&settings.hooks, url, &body.to_string()).await;
            }
        }
    }
}

/// The reason for a peer that the hook does not want.
const REFUSED_BY_HOOK: &str = "the program that decides on access has refused, or does not answer";

/// Posts a body; returns the status of the answer.
async fn post(url: &str, secret: Option<&str>, body: &str) -> io::Result<u16> {
    let wrong = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let (place, path) = pull::place(url).ok_or_else(|| wrong("the URL is not http://HOST/PATH"))?;
    let mut socket = TcpStream::connect(&place).await?;
    let signature = secret.map(|secret| signature(secret, body)).unwrap_or_default();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {place}\r\nUser-Agent: maliu\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n{signature}\r\n{body}",
        body.len()
    );
    socket.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    loop {
        if let Some(status) = status(&answer).map_err(|()| wrong("it gives no answer of HTTP"))? {
            return Ok(status);
        }
        if answer.len() >= MAX_ANSWER || socket.read_buf(&mut answer).await? == 0 {
            return Err(wrong("it gives no answer of HTTP"));
        }
    }
}

/// The status of an answer; `None` while more of it must tell. Heads of 100 to 199 stand before it (RFC 9110 §15.2).
fn status(answer: &[u8]) -> Result<Option<u16>, ()> {
    let text = String::from_utf8_lossy(answer);
    let mut text = &*text;
    while let Some((line, _)) = text.split_once('\n') {
        let status = line.strip_prefix("HTTP/1.").and_then(|rest| rest.split(' ').nth(1));
        let status: u16 = status.and_then(|status| status.trim().parse().ok()).ok_or(())?;
        if !(100..200).contains(&status) {
            return Ok(Some(status));
        }
        match text.split_once("\r\n\r\n") {
            Some((_, rest)) => text = rest,
            None => break,
        }
    }
    Ok(None)
}

fn signature(secret: &str, body: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key of any length is taken");
    mac.update(format!("{now}.{body}").as_bytes());
    format!("X-Maliu-Signature: t={now},v1={}\r\n", hexadecimal(&mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_of_100_stand_before_the_answer() {
        for (answer, expected) in [
            ("HTTP/1.1 20", Ok(None)),
            ("HTTP/1.1 204 No Content\r\n", Ok(Some(204))),
            ("HTTP/1.1 100 Continue\r\n", Ok(None)),
            ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n", Ok(Some(200))),
            ("SSH-2.0\r\n", Err(())),
        ] {
            assert_eq!(status(answer.as_bytes()), expected, "{answer}");
        }
    }

    #[test]
    fn answers_are_kept_for_a_while_and_are_bounded() {
        let desk = Desk::default();
        desk.keep("a".into(), true, Duration::from_secs(60));
        desk.keep("b".into(), false, Duration::from_nanos(1));
        desk.keep("c".into(), true, Duration::ZERO);
        std::thread::sleep(Duration::from_millis(1));
        assert_eq!(["a", "b", "c"].map(|key| desk.known(key)), [Some(true), None, None]);
        for number in 0..MAX_KEPT + 10 {
            desk.keep(number.to_string(), true, Duration::from_secs(60));
        }
        assert_eq!(desk.kept().len(), MAX_KEPT);
        assert_eq!(desk.known("a"), Some(true), "answers that hold are not forgotten");
    }
}
