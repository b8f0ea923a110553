//! Two ends against each other, in virtual time and with every split of their bytes.

use alloc::{format, string::String, vec, vec::Vec};
use core::{task::Poll, time::Duration};

use bytes::Bytes;

use super::{
    super::{
        CHUNK_SIZE, Fault, MAX_UNREAD, Tag,
        chunk::{Message, Writer},
        command, kind,
        outgoing::Outgoing,
    },
    *,
};
use crate::{formats::flv::tag::Kind, syntax::amf::Value};

const NOW: Duration = Duration::ZERO;

fn client(role: Role) -> Client {
    Client::new(ClientOptions::new("rtmp://h/live/key?token=t".parse().unwrap(), role), NOW)
}

fn tag(kind: Kind, time: u32, size: usize) -> Tag {
    Tag { kind, time, body: vec![0x27; size].into() }
}

/// Carries bytes both ways in steps of `step` until nothing moves; the server says yes.
fn settle(
    client: &mut Client,
    server: &mut Server,
    step: usize,
) -> Result<(Vec<ClientEvent>, Vec<ServerEvent>), Fault> {
    let (mut heard, mut served) = (Vec::new(), Vec::new());
    loop {
        let mut moved = false;
        while let Some(bytes) = client.next_write() {
            moved = true;
            for part in bytes.chunks(step) {
                server.push(part, NOW);
                while let Poll::Ready(event) = server.poll()? {
                    if matches!(event, ServerEvent::Publish(_) | ServerEvent::Play(_)) {
                        server.accept();
                    }
                    served.push(event);
                }
            }
        }
        while let Some(bytes) = server.next_write() {
            moved = true;
            for part in bytes.chunks(step) {
                client.push(part, NOW);
                while let Poll::Ready(event) = client.poll()? {
                    heard.push(event);
                }
            }
        }
        if !moved {
            return Ok((heard, served));
        }
    }
}

#[test]
fn a_stream_is_published_whatever_the_split() {
    let tags: Vec<Tag> =
        [(Kind::Script, 0, 300), (Kind::Video, 0, 200_000), (Kind::Audio, 5, 10), (Kind::Video, 0x100_0000, 70_000)]
            .map(|(kind, time, size)| tag(kind, time, size))
            .into();
    let mut seen: Option<Vec<ServerEvent>> = None;
    for step in [1, 7, 4096, usize::MAX] {
        let (mut client, mut server) = (client(Role::Publish), Server::new(ServerOptions::default(), NOW));
        let (heard, mut served) = settle(&mut client, &mut server, step).unwrap();
        let [ClientEvent::Started(capabilities)] = &heard[..] else { panic!("{heard:?}") };
        assert!(capabilities.multitrack && capabilities.takes("av01"));
        tags.iter().for_each(|tag| client.send(tag));
        client.finish();
        served.extend(settle(&mut client, &mut server, step).unwrap().1);
        assert_eq!(client.closed(), Ok(()));
        match &seen {
            Some(seen) => assert_eq!(&served, seen),
            None => {
                let got: Vec<&Tag> = served
                    .iter()
                    .filter_map(|event| if let ServerEvent::Tag(tag) = event { Some(tag) } else { None })
                    .collect();
                assert_eq!(got, tags.iter().collect::<Vec<_>>());
                assert_eq!(served.last(), Some(&ServerEvent::End));
                let ServerEvent::Publish(request) = &served[1] else { panic!("{served:?}") };
                assert_eq!((&*request.app, &*request.name, &*request.query), ("live", "key", "token=t"));
                assert_eq!(request.values("token").collect::<Vec<_>>(), ["t"]);
                seen = Some(served);
            }
        }
    }
}

#[test]
fn a_stream_is_played_to_its_end() {
    for step in [1, 1000] {
        let (mut client, mut server) = (client(Role::Play), Server::new(ServerOptions::default(), NOW));
        let (heard, served) = settle(&mut client, &mut server, step).unwrap();
        assert!(
            matches!((&heard[..], &served[..]), ([ClientEvent::Started(_)], [_, ServerEvent::Play(_)])),
            "{heard:?} {served:?}"
        );
        let (small, large) = (tag(Kind::Audio, 40, 3), tag(Kind::Video, u32::MAX, CHUNK_SIZE + 1));
        server.send(&small);
        assert_eq!(server.playing(), Some(1));
        server.send_encoded(large.encode_message(1));
        server.send(&small);
        server.reconnect(Some("rtmp://other/live"), "drained");
        server.unpublish();
        let (heard, _) = settle(&mut client, &mut server, step).unwrap();
        let wanted = [
            ClientEvent::Tag(small.clone()),
            ClientEvent::Tag(large),
            ClientEvent::Tag(small),
            ClientEvent::Reconnect(Some("rtmp://other/live".into())),
            ClientEvent::End,
        ];
        assert_eq!(heard, wanted);
        assert_eq!(client.closed(), Ok(()));
    }
}

#[test]
fn a_refused_stream_says_why() {
    let (mut client, mut server) = (client(Role::Publish), Server::new(ServerOptions::default(), NOW));
    let mut refused = None;
    for _ in 0..10 {
        while let Some(bytes) = client.next_write() {
            server.push(&bytes, NOW);
        }
        while let Poll::Ready(event) = server.poll().unwrap() {
            if matches!(event, ServerEvent::Publish(_)) {
                server.refuse("NetStream.Publish.BadName", "is published already");
            }
        }
        while let Some(bytes) = server.next_write() {
            client.push(&bytes, NOW);
        }
        refused = refused.or(client.poll().err());
    }
    let why = refused.unwrap();
    assert_eq!(format!("{why}"), "the peer refused: NetStream.Publish.BadName: is published already");
    assert_eq!(client.closed(), Err(Fault::Cut));
}

/// A connected server, and a way to say more to it.
fn connected() -> (Server, Writer) {
    let (mut client, mut server) = (client(Role::Play), Server::new(ServerOptions::default(), NOW));
    // As far as the handshake and connect go, which need two ways there.
    for _ in 0..2 {
        while let Some(bytes) = client.next_write() {
            server.push(&bytes, NOW);
        }
        while server.poll().unwrap().is_ready() {}
        while let Some(bytes) = server.next_write() {
            client.push(&bytes, NOW);
            let _ = client.poll();
        }
    }
    (server, Writer::default())
}

fn say(
    server: &mut Server,
    writer: &mut Writer,
    kind: u8,
    stream: u32,
    body: Bytes,
) -> Result<Vec<ServerEvent>, Fault> {
    let mut out = Outgoing::default();
    writer.write(&Message { channel: 9, kind, stream, time: 0, body }, &mut out);
    while let Some(bytes) = out.next() {
        server.push(&bytes, NOW);
    }
    let mut events = Vec::new();
    while let Poll::Ready(event) = server.poll()? {
        events.push(event);
    }
    Ok(events)
}

#[test]
fn unknown_commands_get_an_error_and_the_connection_goes_on() {
    let (mut server, mut writer) = connected();
    let body = command::body("dance", 9.0, &[Value::Nothing]);
    assert_eq!(say(&mut server, &mut writer, kind::COMMAND, 0, body), Ok(Vec::new()));
    let answer: Vec<u8> = core::iter::from_fn(|| server.next_write()).flatten().collect();
    let said = String::from_utf8_lossy(&answer).into_owned();
    assert!(said.contains("_error") && said.contains("no such command"), "{said:?}");
}

#[test]
fn a_peer_that_asks_and_never_reads_is_cut() {
    let (mut server, mut writer) = connected();
    let body = command::body("_checkbw", 9.0, &[Value::Nothing]);
    let fault = (0..MAX_UNREAD).find_map(|_| say(&mut server, &mut writer, kind::COMMAND, 0, body.clone()).err());
    assert!(matches!(fault, Some(Fault::Limit { what: "number of unread bytes", .. })));
    assert!(server.waiting() < MAX_UNREAD + 4096);
}

#[test]
fn names_have_a_limit_and_commands_an_order() {
    let (mut server, mut writer) = connected();
    let name = Value::Text("k".repeat(600));
    let body = command::body("publish", 5.0, &[Value::Nothing, name]);
    let said = say(&mut server, &mut writer, kind::COMMAND, 1, body);
    assert!(matches!(said, Err(Fault::Limit { what: "number of bytes of a name", .. })), "{said:?}");
}

#[test]
fn silence_is_limited_at_every_stage() {
    let at = Duration::from_secs;
    let mut server = Server::new(ServerOptions::default(), NOW);
    assert_eq!(server.timeout(at(4)), Ok(()));
    assert_eq!(server.timeout(at(5)), Err(Fault::Silent(at(5))));
    let (mut server, _) = connected();
    assert_eq!(server.timeout(at(9)), Ok(()));
    assert_eq!(server.timeout(at(10)), Err(Fault::Silent(at(10))));
    let (mut player, mut server) = (client(Role::Play), Server::new(ServerOptions::default(), NOW));
    settle(&mut player, &mut server, usize::MAX).unwrap();
    assert_eq!((server.timeout(at(9)), server.waiting()), (Ok(()), 0));
    assert_eq!(server.timeout(at(10)), Ok(()));
    assert!(server.waiting() > 0, "a ping");
    while let Some(bytes) = server.next_write() {
        player.push(&bytes, at(11));
    }
    assert_eq!(player.poll(), Ok(Poll::Pending));
    server.push(&player.next_write().unwrap(), at(11));
    assert_eq!(server.poll(), Ok(Poll::Pending));
    assert_eq!(server.timeout(at(40)), Ok(()));
    assert_eq!(server.timeout(at(41)), Err(Fault::Silent(at(30))));
    let mut waits = client(Role::Publish);
    assert_eq!((waits.timeout(at(4)), waits.timeout(at(5))), (Ok(()), Err(Fault::Silent(at(5)))));
}

#[test]
fn every_changed_byte_is_a_fault_or_other_events_and_never_more() {
    let (mut client, mut server) = (client(Role::Publish), Server::new(ServerOptions::default(), NOW));
    let mut said: Vec<u8> = Vec::new();
    for _ in 0..6 {
        while let Some(bytes) = client.next_write() {
            said.extend_from_slice(&bytes);
            server.push(&bytes, NOW);
        }
        while let Poll::Ready(event) = server.poll().unwrap() {
            if matches!(event, ServerEvent::Publish(_)) {
                server.accept();
                client.send(&tag(Kind::Video, 7, 900));
            }
        }
        while let Some(bytes) = server.next_write() {
            client.push(&bytes, NOW);
            while client.poll().unwrap().is_ready() {}
        }
    }
    for at in 3073..said.len() {
        let mut changed = said.clone();
        changed[at] ^= 0xff;
        let mut server = Server::new(ServerOptions::default(), NOW);
        server.push(&changed, NOW);
        while let Ok(Poll::Ready(event)) = server.poll() {
            if matches!(event, ServerEvent::Publish(_) | ServerEvent::Play(_)) {
                server.accept();
            }
        }
        assert!(server.waiting() < 1 << 16);
    }
}
