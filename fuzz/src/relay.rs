//! Fuzzing of what viewers send to a relay: requests of HTTP, frames of WebSocket.

use maliu_relay::unstable;

/// Reads `data` as a request, growing byte by byte, and as frames, whole and in slices that the first byte sets.
pub fn peers(data: &[u8]) {
    let Some((first, data)) = data.split_first() else { return };
    // A viewer may send no more than this at once.
    let data = &data[..data.len().min(64 << 10)];
    let whole = unstable::request(data);
    match &whole {
        // No shorter part is a head, and more bytes change nothing.
        Ok(Some((len, name))) => {
            assert_eq!(unstable::request(&data[..*len]), whole);
            assert!((0..*len).all(|end| unstable::request(&data[..end]) == Ok(None)));
            assert!(name.as_ref().is_none_or(|name| name.len() <= 255 && name.split('/').all(|part| part != "..")));
        }
        Ok(None) => assert!((0..data.len()).step_by(7).all(|end| unstable::request(&data[..end]) == Ok(None))),
        Err(status) => assert!((400..600).contains(status)),
    }
    let slice = usize::from(*first) + 1;
    assert_eq!(unstable::websocket([data].into_iter()).1, unstable::websocket(data.chunks(slice)).1);
}
