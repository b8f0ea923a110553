//! Requests of administrators: the list of connections, the end of some, and settings that are read again.

use std::sync::{Arc, atomic::Ordering};

use serde_json::{Value, json};

use super::{Answer, Head};
use crate::{access::knows, gate::Visit, hub::Hub};

/// Where all of it is.
pub(super) const FOLDER: &str = "/api/admin/";

/// Answers a request of an administrator. Without tokens for administrators there is nothing here.
pub(super) fn answer(head: &Head, hub: &Arc<Hub>) -> Answer {
    let settings = hub.settings();
    if settings.admin_tokens.is_empty() {
        return Answer::text(404, "nothing is here");
    }
    // Not in the query: addresses of requests are logged and kept by browsers.
    if !head.bearer().is_some_and(|token| knows(&settings.admin_tokens, token)) {
        return Answer::text(401, "the token of an administrator is missing or wrong")
            .with("WWW-Authenticate", "Bearer");
    }
    match (head.method.as_str(), head.path.strip_prefix(FOLDER)) {
        ("GET" | "HEAD", Some("connections")) => json(200, &connections(hub)),
        ("POST", Some("kick")) => kick(head, hub),
        ("POST", Some("reload")) => match hub.reload() {
            Ok(notes) => json(200, &json!({ "notes": notes })),
            Err(why) => json(500, &json!({ "error": why })),
        },
        (_, Some("connections")) => Answer::text(405, "GET only").with("Allow", "GET, HEAD"),
        (_, Some("kick" | "reload")) => Answer::text(405, "POST only").with("Allow", "POST"),
        _ => Answer::text(404, "nothing is here"),
    }
}

fn json(status: u16, value: &Value) -> Answer {
    Answer::new(status, "application/json", value.to_string())
}

/// The connections, in the order in which they began.
fn connections(hub: &Hub) -> Value {
    let one = |visit: &Arc<Visit>| {
        let known = visit.known();
        json!({
            "connection": visit.number,
            "protocol": visit.protocol,
            "address": known.address.to_canonical(),
            "publishes": known.publishes,
            "stream": known.stream,
            "seconds": visit.since.elapsed().as_secs(),
        })
    };
    hub.gate.visits().iter().map(one).collect()
}

/// Ends a connection by its number, or the publisher of a stream by its name.
fn kick(head: &Head, hub: &Hub) -> Answer {
    let number = head.query("connection").next();
    let stream = head.query("stream").next().and_then(crate::name::decode);
    let chosen = |visit: &&Arc<Visit>| match (number, &stream) {
        (Some(number), None) => number.parse() == Ok(visit.number),
        (None, Some(stream)) => {
            let known = visit.known();
            known.publishes && known.stream.as_ref() == Some(stream)
        }
        _ => false,
    };
    let visits = hub.gate.visits();
    let kicked = visits.iter().filter(chosen).inspect(|visit| visit.kick()).count();
    hub.metrics.kicked.fetch_add(kicked as u64, Ordering::Relaxed);
    match kicked {
        0 if number.is_some() == stream.is_some() => {
            Answer::text(400, "expected either connection=NUMBER or stream=APP/NAME")
        }
        0 => Answer::text(404, "there is no such connection"),
        _ => json(200, &json!({ "kicked": kicked })),
    }
}
