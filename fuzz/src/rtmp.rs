//! Fuzzing of RTMP sessions: any split of the bytes gives the same events, and what waits stays bounded.

use std::{task::Poll, time::Duration};

use maliu_core::wire::rtmp::{
    Client, ClientEvent, ClientOptions, Fault, MAX_UNREAD, Role, Server, ServerEvent, ServerOptions,
};

/// Reads `data` as a peer of a server, a publisher and a player would send it. The first byte sets the slices, and whether
/// a handshake stands before.
pub fn sessions(data: &[u8]) {
    let Some((first, data)) = data.split_first() else { return };
    let mut bytes = Vec::new();
    if first & 1 == 1 {
        bytes.push(3);
        bytes.resize(1 + 2 * 1536, 0);
    }
    bytes.extend_from_slice(data);
    let slice = usize::from(*first).pow(2) / 16 + 1;
    assert_eq!(served(&bytes, usize::MAX), served(&bytes, slice));
    for role in [Role::Publish, Role::Play] {
        assert_eq!(asked(&bytes, role, usize::MAX), asked(&bytes, role, slice));
    }
}

fn served(data: &[u8], slice: usize) -> (Vec<ServerEvent>, Option<Fault>) {
    let mut server = Server::new(ServerOptions::default(), Duration::ZERO);
    let mut events = Vec::new();
    for part in data.chunks(slice) {
        server.push(part, Duration::ZERO);
        loop {
            match server.poll() {
                Ok(Poll::Ready(event)) => {
                    if matches!(event, ServerEvent::Publish(_) | ServerEvent::Play(_)) {
                        server.accept();
                    }
                    events.push(event);
                }
                Ok(Poll::Pending) => break,
                Err(fault) => return (events, Some(fault)),
            }
        }
        assert!(server.waiting() <= MAX_UNREAD + (64 << 10));
    }
    (events, None)
}

fn asked(data: &[u8], role: Role, slice: usize) -> (Vec<ClientEvent>, Option<Fault>) {
    let url = "rtmp://host/app/name".parse().expect("it is a URL");
    let mut client = Client::new(ClientOptions::new(url, role), Duration::ZERO);
    let mut events = Vec::new();
    for part in data.chunks(slice) {
        client.push(part, Duration::ZERO);
        loop {
            match client.poll() {
                Ok(Poll::Ready(event)) => events.push(event),
                Ok(Poll::Pending) => break,
                Err(fault) => return (events, Some(fault)),
            }
        }
        assert!(client.waiting() <= MAX_UNREAD + (64 << 10));
    }
    (events, None)
}
