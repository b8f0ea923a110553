//! Parsers of what peers send, for fuzzing: pure functions of bytes.

use crate::{http::head::Head, name::Name, queue::Queue, watch::Ear, websocket::Peer};

/// The length of the first head of a request, and the name of the stream that it asks for, if it is one; `None` when
/// the head is not whole.
///
/// # Errors
/// The status with which the request is refused.
pub fn request(bytes: &[u8]) -> Result<Option<(usize, Option<String>)>, u16> {
    let head = Head::parse(bytes).map_err(|wrong| wrong.status)?;
    Ok(head.map(|(head, len)| (len, Name::of_path(&head.path, ".flv").map(|name| name.to_string()))))
}

/// Bytes that a viewer over WebSocket is answered with, and whether the connection goes on.
pub fn websocket<'a>(parts: impl Iterator<Item = &'a [u8]>) -> (usize, bool) {
    let (mut peer, mut out) = (Peer::default(), Queue::default());
    let goes_on = parts.map(|part| peer.hear(part, &mut out)).all(|goes_on| goes_on.is_ok_and(|goes_on| goes_on));
    (out.len(), goes_on)
}
