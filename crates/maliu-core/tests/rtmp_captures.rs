//! Connections of ffmpeg as they were recorded: the events of a session are the tags of the file that was sent.

use std::{path::Path, task::Poll, time::Duration};

use maliu_core::{
    formats::flv::tag::{HEAD, Head, Kind, TAIL},
    wire::rtmp::{Client, ClientEvent, ClientOptions, Role, Server, ServerEvent, ServerOptions, Tag},
};

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/rtmp").join(name)).unwrap()
}

/// The audio and video tags of a file.
fn tags(file: &[u8]) -> Vec<Tag> {
    let (mut rest, mut tags) = (&file[13..], Vec::new());
    while let Some(Head { kind, size, time, .. }) = Head::parse(rest) {
        if kind != Kind::Script {
            tags.push(Tag { kind, time, body: rest[HEAD..HEAD + size].to_vec().into() });
        }
        rest = &rest[HEAD + size + TAIL..];
    }
    tags
}

/// The bodies of a kind, without colours and channel layouts, which ffmpeg 9 writes anew; it moves times, too.
fn content(tags: &[Tag], kind: Kind) -> Vec<&[u8]> {
    let is_plain = |body: &[u8]| body[0] & 0x0f != 4;
    tags.iter().filter(|tag| tag.kind == kind).map(|tag| &tag.body[..]).filter(|body| is_plain(body)).collect()
}

/// The events of a server that says yes to everything, fed in steps of `step` bytes; and its first words.
fn served(capture: &[u8], step: usize) -> (Vec<ServerEvent>, Vec<u8>) {
    let mut server = Server::new(ServerOptions::default(), Duration::ZERO);
    let (mut events, mut said) = (Vec::new(), Vec::new());
    for part in capture.chunks(step) {
        server.push(part, Duration::ZERO);
        while let Poll::Ready(event) = server.poll().unwrap() {
            if let ServerEvent::Publish(_) = event {
                server.accept();
            }
            events.push(event);
        }
        said.extend(std::iter::from_fn(|| server.next_write()).flatten());
    }
    (events, said)
}

fn publishes(version: &str, query: &str) {
    let capture = bytes(&format!("{version}-publishes.bin"));
    let (events, said) = served(&capture, usize::MAX);
    for step in [1, 13, 1000] {
        assert_eq!(served(&capture, step).0, events, "{step}");
    }
    // Its first block is signed: so is the answer.
    assert_ne!(said[5..9], [0; 4]);
    let ServerEvent::Publish(request) = &events[1] else { panic!("{events:?}") };
    assert_eq!((&*request.app, &*request.name, &*request.query), ("live", "key", query));
    let got: Vec<Tag> = events
        .iter()
        .filter_map(|event| if let ServerEvent::Tag(tag) = event { Some(tag.clone()) } else { None })
        .collect();
    let metadata = got.iter().filter(|tag| tag.kind == Kind::Script).count();
    assert_eq!(metadata, 1);
    assert!(got.iter().all(|tag| tag.kind != Kind::Script || tag.body.starts_with(b"\x02\0\x0aonMetaData")));
    for kind in [Kind::Audio, Kind::Video] {
        assert_eq!(content(&got, kind), content(&tags(&bytes(&format!("{version}.flv"))), kind));
    }
    assert_eq!(events.last(), Some(&ServerEvent::End));
}

#[cfg(feature = "crypt")]
#[test]
fn ffmpeg_5_publishes() {
    publishes("ffmpeg-5.1", "t=1");
}

#[cfg(feature = "crypt")]
#[test]
fn ffmpeg_9_publishes_enhanced_tags() {
    publishes("ffmpeg-9.0.2", "");
}

#[test]
fn ffmpeg_5_is_played() {
    let capture = bytes("ffmpeg-5.1-is-played.bin");
    let mut seen: Option<Vec<ClientEvent>> = None;
    for step in [usize::MAX, 1, 13] {
        let options = ClientOptions::new("rtmp://127.0.0.1/live/key".parse().unwrap(), Role::Play);
        let mut client = Client::new(options, Duration::ZERO);
        let mut events = Vec::new();
        for part in capture.chunks(step) {
            client.push(part, Duration::ZERO);
            while let Poll::Ready(event) = client.poll().unwrap() {
                events.push(event);
            }
        }
        assert!(matches!(events.first(), Some(ClientEvent::Started(_))), "{events:?}");
        assert_eq!(events.last(), Some(&ClientEvent::End));
        let media: Vec<Tag> = events
            .iter()
            .filter_map(|event| if let ClientEvent::Tag(tag) = event { Some(tag.clone()) } else { None })
            .filter(|tag| tag.kind != Kind::Script)
            .collect();
        assert_eq!(media, tags(&bytes("ffmpeg-5.1.flv")));
        assert_eq!(seen.get_or_insert_with(|| events.clone()), &events);
    }
}
