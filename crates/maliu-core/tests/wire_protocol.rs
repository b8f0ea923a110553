//! maliu's own protocol: what arrives equals what was sent, garbage costs only what it touches, and sessions survive.

use std::time::Duration;

use bytes::Bytes;
use maliu_core::{
    error::Error,
    format::{Demuxer, Event},
    input::Input,
    packet::{Flags, Packet, SideData, Trim},
    stream::{Audio, Codec, Media, Metadata, Picture, StreamInfo, Video},
    time::{Ticks, TimeBase},
    wire::{
        content,
        message::{self, HEADER, Hello, MAX_BODY, Message, Mode, Parser, Reason, Role},
        session::{
            Content, Fault, HANDSHAKE_LIMIT, LiveLimits, Receiver, ReceiverOptions, SILENCE_LIMIT, Sender,
            SenderOptions,
        },
    },
};

/// A source of numbers that look random and are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % n as u64) as usize
    }

    fn bytes(&mut self, n: usize) -> Vec<u8> {
        (0..n).map(|_| self.below(256) as u8).collect()
    }
}

fn flat(parts: &[Bytes]) -> Vec<u8> {
    parts.iter().flatten().copied().collect()
}

fn audio() -> StreamInfo {
    let facts = Audio { sample_rate: 44_100, channels: 2, frame_size: 1024, delay: 1024, ..Audio::default() };
    let mut info = StreamInfo::new(Codec::Aac, TimeBase::hz(44_100), Media::Audio(facts));
    info.config = Bytes::from_static(&[0x12, 0x10]);
    info.bit_rate = Some(128_000);
    info.metadata.set("language", "deu");
    info
}

fn video() -> StreamInfo {
    let facts =
        Video { width: 1920, height: 1080, reorder: 2, frame_rate: Some((25, 1)), level: Some(40), pixel_aspect: None };
    let mut info = StreamInfo::new(Codec::H264, TimeBase::MILLIS, Media::Video(facts));
    (info.codec_tag, info.profile, info.start, info.duration) = (7, Some(100), Some(Ticks(-40)), Some(Ticks(i64::MAX)));
    info
}

fn packet(stream: usize, time: i64, key: bool, size: usize) -> Packet {
    let data: Vec<u8> = (0..size).map(|i| (i as i64 * 7 + time) as u8).collect();
    let times = Some(Ticks(time));
    Packet {
        stream,
        pts: times,
        dts: times,
        duration: Ticks(40),
        flags: Flags::key(key),
        data: data.into(),
        ..Packet::default()
    }
}

fn everything() -> Vec<Message> {
    let mut side = SideData::default();
    side.set_new_config(Bytes::from_static(b"config"));
    side.set_trim(Trim { start: 1105, end: 7 });
    side.set_new_audio(48_000, 6);
    side.add_opaque(9, Bytes::from_static(b"opaque")).unwrap();
    let rich =
        Packet { pts: None, dts: Some(Ticks(i64::MIN)), position: Some(u64::MAX), side, ..packet(1, 5, true, 300) };
    let mut metadata = Metadata::default();
    metadata.set("title", "码流");
    metadata.add_picture(Picture { mime: "image/png".into(), size: 5 });
    let hello = Hello { role: Role::Sender, mode: Mode::Live, id: 77, name: "camera".into(), proof: [3; 32] };
    vec![
        Message::Challenge([9; 16]),
        Message::Hello(hello),
        Message::Welcome(12),
        Message::Stream(0, Box::new(audio())),
        Message::Stream(1, Box::new(video())),
        Message::Stream(2, Box::new(StreamInfo::new(Codec::UnknownVideo, TimeBase::SECONDS, Media::Data))),
        Message::Metadata(Box::new(metadata)),
        Message::Packet(rich),
        Message::Packet(packet(0, -3, false, 0)),
        Message::Ack(u64::MAX),
        Message::Ping(1),
        Message::Pong(2),
        Message::Error(Reason::Other(99), "why".into()),
        Message::Bye,
    ]
}

/// All messages in `bytes`, and how many bytes belonged to none.
fn parse(bytes: &[u8], piece: usize) -> (Vec<(u64, Message)>, u64) {
    let (mut input, mut parser) = (Input::new(), Parser::new());
    let (mut messages, mut skipped) = (Vec::new(), 0);
    let mut pieces = bytes.chunks(piece);
    loop {
        match parser.poll(&mut input).unwrap() {
            message::Event::Message(sequence, message) => messages.push((sequence, message)),
            message::Event::Skipped { bytes, .. } => skipped += bytes,
            message::Event::NeedBytes => match pieces.next() {
                Some(piece) => input.push(piece),
                None => input.end(),
            },
            message::Event::End => return (messages, skipped),
        }
    }
}

#[test]
fn every_message_arrives_as_it_was_sent_however_it_is_cut() {
    let sent: Vec<_> = everything().into_iter().enumerate().map(|(i, message)| (i as u64, message)).collect();
    let bytes: Vec<u8> = sent.iter().flat_map(|(i, message)| flat(&message.encode(*i))).collect();
    for piece in [1, 7, 32, bytes.len()] {
        assert_eq!(parse(&bytes, piece), (sent.clone(), 0));
    }
}

#[test]
fn the_document_shows_the_bytes_that_are_sent() {
    let text = include_str!("../../../docs/wire-protocol.md");
    let plain = Packet { data: Bytes::from_static(b"\x21\x10\x04"), ..packet(0, 1024, true, 0) };
    let hello = Hello { role: Role::Sender, mode: Mode::Reliable, id: 1, name: "a".into(), proof: [0; 32] };
    let mut info = StreamInfo::new(
        Codec::Aac,
        TimeBase::hz(44_100),
        Media::Audio(Audio { sample_rate: 44_100, channels: 2, ..Audio::default() }),
    );
    info.config = Bytes::from_static(&[0x12, 0x10]);
    let mut missing = String::new();
    for (name, bytes) in [
        ("Hello", flat(&Message::Hello(hello).encode(0))),
        ("Welcome", flat(&Message::Welcome(3).encode(0))),
        ("Stream", flat(&Message::Stream(0, Box::new(info)).encode(0))),
        ("Packet", flat(&Message::Packet(plain).encode(1))),
        ("Ack", flat(&Message::Ack(2).encode(0))),
        ("Bye", flat(&Message::Bye.encode(2))),
    ] {
        let lines = bytes
            .chunks(16)
            .map(|row| row.iter().map(|byte| format!("{byte:02x} ")).collect::<String>().trim_end().to_owned());
        let dump = format!("{name}:\n{}\n", lines.collect::<Vec<_>>().join("\n"));
        if !text.contains(&dump) {
            missing.push_str(&dump);
        }
    }
    assert!(missing.is_empty(), "docs/wire-protocol.md should contain\n{missing}");
}

#[test]
fn garbage_costs_only_the_messages_it_touches() {
    let mut random = Random(1);
    let messages: Vec<Message> =
        (0..3000).map(|i| Message::Packet(packet(0, i, i % 25 == 0, 20 + i as usize % 900))).collect();
    let clean: Vec<Vec<u8>> = messages.iter().enumerate().map(|(i, message)| flat(&message.encode(i as u64))).collect();
    let mut touched = vec![false; clean.len()];
    let (mut dirty, mut inserted) = (Vec::new(), 0);
    for (i, bytes) in clean.iter().enumerate() {
        if i % 3 == 0 {
            let garbage_size = 1 + random.below(4096);
            let garbage = random.bytes(garbage_size);
            let at = random.below(bytes.len());
            touched[i] = at > 0;
            inserted += garbage.len() as u64;
            dirty.extend_from_slice(&bytes[..at]);
            dirty.extend_from_slice(&garbage);
            dirty.extend_from_slice(&bytes[at..]);
        } else {
            dirty.extend_from_slice(bytes);
        }
    }
    let (found, skipped) = parse(&dirty, 5000);
    let expected: Vec<_> =
        (0..messages.len()).filter(|i| !touched[*i]).map(|i| (i as u64, messages[i].clone())).collect();
    let lost: usize = (0..clean.len()).filter(|i| touched[*i]).map(|i| clean[i].len()).sum();
    assert!(found == expected, "{} of {} found", found.len(), expected.len());
    assert_eq!(skipped, inserted + lost as u64);
}

#[test]
fn a_recording_cut_or_flipped_anywhere_never_panics_and_keeps_the_rest() {
    let bytes: Vec<u8> = everything().iter().flat_map(|message| flat(&message.encode(0))).collect();
    for cut in 0..bytes.len() {
        parse(&bytes[..cut], 100);
        let mut flipped = bytes.clone();
        flipped[cut] ^= 1 << (cut % 8);
        let (found, _) = parse(&flipped, 64);
        assert_eq!(found.len(), everything().len() - 1, "byte {cut}");
    }
}

#[test]
fn an_absurd_length_and_endless_damage_are_refused_within_limits() {
    let mut big = Message::Bye.encode(0).concat();
    // The largest length that a header can declare, with a right sum: found by asking the encoder for its layout.
    big[20..24].copy_from_slice(&u32::MAX.to_be_bytes());
    let sum = crc(&big[..28]);
    big[28..32].copy_from_slice(&sum.to_be_bytes());
    let mut input = Input::new();
    input.push(&big);
    assert!(matches!(Parser::new().poll(&mut input), Err(Error::Limit { .. })));

    let mut header = Message::Bye.encode(0).concat();
    header[20..24].copy_from_slice(&((MAX_BODY / 4) as u32).to_be_bytes());
    header[24] ^= 1;
    let sum = crc(&header[..28]);
    header[28..32].copy_from_slice(&sum.to_be_bytes());
    let flood = header.repeat(MAX_BODY / 4 / HEADER + 2000);
    let mut input = Input::new();
    input.push(&flood);
    assert!(matches!(Parser::new().poll(&mut input), Err(Error::Limit { .. })));
}

fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0x82f6_3b78 & (crc & 1).wrapping_neg()))
    })
}

#[test]
fn a_recording_is_demuxed_and_its_damage_is_told() {
    let mut bytes = flat(&Message::Stream(0, Box::new(audio())).encode(0));
    bytes.extend_from_slice(b"garbage");
    bytes.extend(flat(&Message::Packet(packet(0, 1, true, 10)).encode(2)));
    bytes.extend(flat(&Message::Packet(packet(5, 1, true, 10)).encode(3)));
    bytes.extend(flat(&Message::Bye.encode(4)));
    let (mut input, mut demuxer) = (Input::new(), content::Content::default());
    input.push(&bytes);
    input.end();
    let mut events = Vec::new();
    loop {
        match demuxer.poll(&mut input).unwrap() {
            Event::End => break,
            event => events.push(event),
        }
    }
    assert_eq!(events, [Event::Stream(0, Box::new(audio())), Event::Packet(packet(0, 1, true, 10))]);
    let warnings: Vec<_> = input.take_warnings().0.into_iter().map(|warning| warning.what).collect();
    assert_eq!(warnings.len(), 3, "{warnings:?}");
}

fn options(mode: Mode, token: Option<&str>) -> SenderOptions {
    SenderOptions { name: "test".into(), id: 7, mode, token: token.map(str::to_owned), limits: LiveLimits::default() }
}

fn receiver(token: Option<&str>, now: Duration) -> Receiver {
    Receiver::new(ReceiverOptions { token: token.map(str::to_owned) }, [now.as_nanos() as u8; 16], now)
}

/// Moves what one end says to the other; up to `most` messages each way. Says whether anything moved.
fn exchange(sender: &mut Sender, receiver: &mut Receiver, most: usize, now: Duration) -> bool {
    let mut moved = false;
    for _ in 0..most {
        let (to_receiver, to_sender) = (sender.next(now), receiver.next(now));
        moved |= to_receiver.is_some() || to_sender.is_some();
        to_receiver.into_iter().flatten().for_each(|part| receiver.input().push(&part));
        if let Some(input) = sender.input() {
            to_sender.into_iter().flatten().for_each(|part| input.push(&part));
        }
    }
    moved
}

#[test]
fn a_reliable_transfer_survives_disconnects_and_restarts_without_loss_or_repetition() {
    let mut random = Random(5);
    let source: Vec<Message> = std::iter::once(Message::Stream(0, Box::new(audio())))
        .chain((0..5000).map(|i| Message::Packet(packet(0, i, true, 100))))
        .collect();
    let mut kept: Vec<Message> = Vec::new();
    let (mut sender, mut fed) = (Sender::new(options(Mode::Reliable, Some("secret"))), 0);
    let (mut breaks, mut now) = (0, Duration::ZERO);
    'transfer: loop {
        now += Duration::from_millis(1);
        if breaks % 5 == 4 {
            // The sender is killed and starts again from the beginning of its source.
            (sender, fed) = (Sender::new(options(Mode::Reliable, Some("secret"))), 0);
        }
        sender.connect(now);
        let mut receiver = receiver(Some("secret"), now);
        let life = random.below(60);
        for _ in 0..life {
            for _ in 0..random.below(400) {
                match source.get(fed) {
                    Some(Message::Stream(index, info)) => sender.stream(*index, info.clone()),
                    Some(Message::Packet(packet)) => sender.packet(packet.clone()),
                    _ => sender.finish(),
                }
                fed += 1;
            }
            exchange(&mut sender, &mut receiver, 7, now);
            sender.poll(now).unwrap();
            while let Some((sequence, content)) = receiver.poll(now).unwrap() {
                match content {
                    Content::Hello(hello) => {
                        assert_eq!((hello.id, hello.mode), (7, Mode::Reliable));
                        receiver.welcome(kept.len() as u64);
                        continue;
                    }
                    Content::Stream(index, info) => kept.push(Message::Stream(index, info)),
                    Content::Packet(packet) => kept.push(Message::Packet(packet)),
                    Content::Metadata(_) => {}
                    Content::End => kept.push(Message::Bye),
                }
                assert_eq!(sequence + 1, kept.len() as u64);
                receiver.acknowledge(sequence + 1);
            }
            if sender.is_done() {
                break 'transfer;
            }
        }
        sender.disconnect();
        breaks += 1;
        assert!(breaks < 2000, "{} kept", kept.len());
    }
    assert_eq!(kept.pop(), Some(Message::Bye));
    assert!(kept == source && breaks > 20, "{breaks} breaks");
}

#[test]
fn a_stalled_live_transfer_keeps_sound_and_goes_on_at_a_key() {
    let limits = LiveLimits { bytes: 100_000, time: Duration::from_secs(60) };
    let mut sender = Sender::new(SenderOptions { limits, ..options(Mode::Live, None) });
    let mut now = Duration::ZERO;
    sender.stream(0, Box::new(audio()));
    sender.stream(1, Box::new(video()));
    sender.connect(now);
    let mut receiver = receiver(None, now);
    let mut got = Vec::new();
    for i in 0..2000i64 {
        now += Duration::from_millis(40);
        let mut picture = packet(1, i * 40, i % 25 == 0, 2000);
        if i == 775 {
            picture.side.set_new_config(Bytes::from_static(b"changed"));
        }
        sender.packet(picture);
        sender.packet(Packet { pts: Some(Ticks(i * 1764)), dts: Some(Ticks(i * 1764)), ..packet(0, i, true, 10) });
        let (_, bytes) = sender.stats().waiting;
        assert!(bytes <= 110_000, "{bytes} bytes wait");
        sender.poll(now).unwrap();
        // The peer takes nothing for ten seconds.
        if !(750..1000).contains(&i) {
            while exchange(&mut sender, &mut receiver, 10, now) {
                sender.poll(now).unwrap();
                while let Some((_, content)) = receiver.poll(now).unwrap() {
                    match content {
                        Content::Hello(_) => receiver.welcome(0),
                        content => got.push(content),
                    }
                }
            }
        }
    }
    let packets = |stream| {
        got.iter().filter_map(move |content| match content {
            Content::Packet(packet) if packet.stream == stream => Some(packet),
            _ => None,
        })
    };
    assert_eq!(packets(0).count(), 2000, "no sound is lost");
    let pictures: Vec<&Packet> = packets(1).collect();
    for pair in pictures.windows(2) {
        assert!(pair[1].dts.unwrap().0 == pair[0].dts.unwrap().0 + 40 || pair[1].is_key());
    }
    assert!(pictures.iter().any(|packet| packet.side.new_config().is_some()), "a dropped configuration is carried on");
    let dropped = sender.stats().dropped_packets as usize;
    assert_eq!(pictures.len() + dropped, 2000);
    assert!(dropped > 100, "{dropped} dropped");
}

#[test]
fn a_new_connection_of_a_live_transfer_begins_with_descriptions_and_a_key() {
    let mut sender = Sender::new(options(Mode::Live, None));
    let mut described = video();
    sender.stream(0, Box::new(audio()));
    sender.stream(1, Box::new(video()));
    for connection in 0..3i64 {
        let now = Duration::from_secs(connection as u64);
        sender.connect(now);
        let mut receiver = receiver(None, now);
        let (mut got, mut fed) = (Vec::new(), connection * 35);
        for _ in 0..100 {
            exchange(&mut sender, &mut receiver, 3, now);
            sender.poll(now).unwrap();
            while let Some((_, content)) = receiver.poll(now).unwrap() {
                match content {
                    Content::Hello(_) => receiver.welcome(0),
                    content => got.push(content),
                }
            }
            if fed < connection * 35 + 35 {
                // Connections end 10 and 20 pictures behind a key; the configuration changes on the way.
                sender.packet(packet(1, fed * 40, fed % 25 == 0, 100));
                fed += 1;
            }
            if fed == 30 {
                described.config = Bytes::from_static(b"new");
                sender.stream(1, Box::new(described.clone()));
            }
        }
        let expected = if connection == 0 { video() } else { described.clone() };
        assert_eq!(got[..2], [Content::Stream(0, Box::new(audio())), Content::Stream(1, Box::new(expected))]);
        let picture = got.iter().find_map(|content| match content {
            Content::Packet(packet) => Some(packet),
            _ => None,
        });
        assert!(picture.unwrap().is_key(), "connection {connection}");
        sender.disconnect();
    }
}

#[test]
fn wrong_missing_and_replayed_proofs_are_refused() {
    let now = Duration::ZERO;
    for token in [None, Some("wrong"), Some("")] {
        let mut sender = Sender::new(options(Mode::Reliable, token));
        sender.connect(now);
        let mut receiver = receiver(Some("right"), now);
        exchange(&mut sender, &mut receiver, 1, now);
        sender.poll(now).unwrap();
        exchange(&mut sender, &mut receiver, 1, now);
        assert_eq!(receiver.poll(now), Err(Fault::Unauthorized));
    }
    let mut sender = Sender::new(options(Mode::Reliable, Some("right")));
    sender.connect(now);
    let mut first = receiver(Some("right"), now);
    exchange(&mut sender, &mut first, 1, now);
    sender.poll(now).unwrap();
    let hello = flat(&sender.next(now).unwrap());
    first.input().push(&hello);
    assert!(matches!(first.poll(now), Ok(Some((0, Content::Hello(_))))));
    let mut second = receiver(Some("right"), Duration::from_nanos(1));
    second.input().push(&hello);
    assert_eq!(second.poll(Duration::from_nanos(1)), Err(Fault::Unauthorized), "replayed");
}

#[test]
fn silent_slow_and_flooding_peers_are_cut() {
    let mut silent = receiver(None, Duration::ZERO);
    assert_eq!(silent.poll(HANDSHAKE_LIMIT - Duration::from_millis(1)), Ok(None));
    assert_eq!(silent.poll(HANDSHAKE_LIMIT), Err(Fault::Silent(HANDSHAKE_LIMIT)));

    let mut stranger = receiver(None, Duration::ZERO);
    stranger.input().push(&Message::Bye.encode(0)[0][..3]);
    assert_eq!(stranger.poll(Duration::ZERO), Ok(None));
    stranger.input().push(b"GET / HTTP/1.1\r\n\r\n and so on, and so on, and so on");
    assert!(matches!(stranger.poll(Duration::ZERO), Err(Fault::Protocol(_))), "nothing more is waited for");

    let hello = |receiver: &mut Receiver| {
        let hello = Hello { role: Role::Sender, mode: Mode::Live, id: 1, name: String::new(), proof: [0; 32] };
        receiver.input().push(&flat(&Message::Hello(hello).encode(0)));
        assert!(matches!(receiver.poll(Duration::ZERO), Ok(Some((_, Content::Hello(_))))));
        receiver.welcome(0);
    };
    let mut slow = receiver(None, Duration::ZERO);
    hello(&mut slow);
    let message = flat(&Message::Packet(packet(0, 0, true, 1000)).encode(0));
    for (second, byte) in message.iter().enumerate().take(29) {
        slow.input().push(&[*byte]);
        slow.poll(Duration::from_secs(second as u64)).unwrap();
    }
    assert_eq!(slow.poll(SILENCE_LIMIT), Err(Fault::Silent(SILENCE_LIMIT)));

    let mut flooded = receiver(None, Duration::ZERO);
    hello(&mut flooded);
    flooded.input().push(&flat(&Message::Stream(5000, Box::new(audio())).encode(0)));
    assert!(matches!(flooded.poll(Duration::ZERO), Err(Fault::Media(Error::Limit { .. }))));

    let mut pinged = receiver(None, Duration::ZERO);
    hello(&mut pinged);
    (0..1000).for_each(|i| pinged.input().push(&flat(&Message::Ping(i).encode(0))));
    assert!(matches!(pinged.poll(Duration::ZERO), Err(Fault::Media(Error::Limit { .. }))));
}

#[test]
fn an_idle_connection_is_kept_alive_by_pings() {
    let mut now = Duration::ZERO;
    let mut sender = Sender::new(options(Mode::Live, None));
    sender.connect(now);
    let mut receiver = receiver(None, now);
    for _ in 0..300 {
        now += Duration::from_secs(1);
        exchange(&mut sender, &mut receiver, 3, now);
        sender.poll(now).unwrap();
        while let Some((_, content)) = receiver.poll(now).unwrap() {
            assert!(matches!(content, Content::Hello(_)));
            receiver.welcome(0);
        }
    }
}

#[test]
fn a_receiver_that_can_take_no_more_is_not_silent_and_hears_no_silence() {
    let mut now = Duration::ZERO;
    let mut sender = Sender::new(options(Mode::Reliable, None));
    sender.stream(0, Box::new(audio()));
    (0..10).for_each(|time| sender.packet(packet(0, time, true, 100)));
    sender.connect(now);
    let mut receiver = receiver(None, now);
    let mut kept = 0;
    let mut take = |receiver: &mut Receiver, now| {
        while let Some((number, content)) = receiver.poll(now).unwrap() {
            match content {
                Content::Hello(_) => receiver.welcome(0),
                _ => kept = number + 1,
            }
        }
        kept
    };
    for _ in 0..3 {
        exchange(&mut sender, &mut receiver, 1, now);
        sender.poll(now).unwrap();
        take(&mut receiver, now);
    }
    // Its program sleeps for an hour: what is said here is heard there, and nothing is read.
    for _ in 0..3600 {
        now += Duration::from_secs(1);
        receiver.hold(now);
        while let Some(parts) = receiver.next(now) {
            parts.into_iter().for_each(|part| sender.input().unwrap().push(&part));
        }
        sender.poll(now).unwrap();
    }
    while exchange(&mut sender, &mut receiver, 5, now) {}
    assert_eq!(take(&mut receiver, now), 11);
}

#[test]
fn kinds_and_fields_of_a_newer_peer_are_passed_over() {
    let with = |kind: u8, extra: &[u8], message: &Message, sequence| {
        let mut bytes = flat(&message.encode(sequence));
        bytes[5] = kind;
        bytes.extend_from_slice(extra);
        let (length, sum) = ((bytes.len() - HEADER) as u32, crc(&bytes[HEADER..]));
        bytes[20..24].copy_from_slice(&length.to_be_bytes());
        bytes[24..28].copy_from_slice(&sum.to_be_bytes());
        // Flags that have no meaning yet.
        bytes[6..8].copy_from_slice(&[0xff; 2]);
        let sum = crc(&bytes[..28]);
        bytes[28..32].copy_from_slice(&sum.to_be_bytes());
        bytes
    };
    let hello = Hello { role: Role::Sender, mode: Mode::Live, id: 77, name: "camera".into(), proof: [3; 32] };
    let known = [(2, Message::Hello(hello)), (3, Message::Welcome(12)), (4, Message::Stream(0, Box::new(audio())))];
    let mut bytes = Vec::new();
    for (kind, message) in &known {
        bytes.extend(with(200, b"of a later version", message, 0));
        bytes.extend(with(*kind, b"more fields", message, 1));
    }
    let expected: Vec<_> = known.into_iter().map(|(_, message)| (1, message)).collect();
    assert_eq!(parse(&bytes, 50), (expected, 0));
}
