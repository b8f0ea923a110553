//! maliu's own protocol: what arrives equals what was sent, and garbage costs only what it touches.

use std::task::Poll;

use bytes::Bytes;
use maliu_core::{
    error::Error,
    format::{Demuxer, Event},
    input::Input,
    packet::{SideData, Trim},
    stream::{Audio, Codec, Media, Metadata, Picture, StreamInfo},
    time::{Ticks, TimeBase},
    wire::{
        content,
        message::{Found, HEADER, Hello, MAX_BODY, Message, Mode, Parser, Reason, Role},
    },
};

mod wired;
use wired::{Random, audio, flat, packet, video};

fn everything() -> Vec<Message> {
    let mut side = SideData::default();
    side.set_new_config(Bytes::from_static(b"config"));
    side.set_trim(Trim { start: 1105, end: 7 });
    side.set_new_audio(48_000, 6);
    side.add_opaque(9, Bytes::from_static(b"opaque")).unwrap();
    let rich = packet(1, 5, true, 300).with_pts(None).with_dts(Ticks(i64::MIN)).with_side(side).with_position(u64::MAX);
    let mut metadata = Metadata::default();
    metadata.set("title", "码流");
    metadata.add_picture(Picture::new("image/png", 5));
    let hello = Hello::new(Role::Sender, Mode::Live, 77, "camera").with_proof([3; 32]);
    vec![
        Message::Challenge([9; 16]),
        Message::Hello(hello),
        Message::Welcome(12),
        Message::Content(Event::Stream(0, Box::new(audio()))),
        Message::Content(Event::Stream(1, Box::new(video()))),
        Message::Content(Event::Stream(
            2,
            Box::new(StreamInfo::new(Codec::UnknownVideo, TimeBase::SECONDS, Media::Data)),
        )),
        Message::Content(Event::Metadata(Box::new(metadata))),
        Message::Content(Event::Packet(rich)),
        Message::Content(Event::Packet(packet(0, -3, false, 0))),
        Message::Ack(u64::MAX),
        Message::Ping(1),
        Message::Pong(2),
        Message::Error(Reason::Other(99), "why".into()),
        Message::Error(Reason::Busy, "later".into()),
        Message::Error(Reason::Connected, "soon".into()),
        Message::Content(Event::End),
    ]
}

/// All messages in `bytes`, and how many bytes belonged to none.
fn parse(bytes: &[u8], piece: usize) -> (Vec<(u64, Message)>, u64) {
    let (mut input, mut parser) = (Input::new(), Parser::new());
    let (mut messages, mut skipped) = (Vec::new(), 0);
    let mut pieces = bytes.chunks(piece);
    loop {
        match parser.poll(&mut input).unwrap() {
            Poll::Ready(Found::Message(sequence, message)) => messages.push((sequence, message)),
            Poll::Ready(Found::Skipped { bytes, .. }) => skipped += bytes,
            Poll::Pending => match pieces.next() {
                Some(piece) => input.push(piece),
                None => input.end(),
            },
            Poll::Ready(Found::End) => return (messages, skipped),
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
    let plain = packet(0, 1024, true, 0).with_data(Bytes::from_static(b"\x21\x10\x04"));
    let hello = Hello::new(Role::Sender, Mode::Reliable, 1, "a");
    let mut info = StreamInfo::new(Codec::Aac, TimeBase::hz(44_100), Media::Audio(Audio::new(44_100, 2)));
    info.config = Bytes::from_static(&[0x12, 0x10]);
    let mut missing = String::new();
    for (name, bytes) in [
        ("Hello", flat(&Message::Hello(hello).encode(0))),
        ("Welcome", flat(&Message::Welcome(3).encode(0))),
        ("Stream", flat(&Message::Content(Event::Stream(0, Box::new(info))).encode(0))),
        ("Packet", flat(&Message::Content(Event::Packet(plain)).encode(1))),
        ("Ack", flat(&Message::Ack(2).encode(0))),
        ("Bye", flat(&Message::Content(Event::End).encode(2))),
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
        (0..3000).map(|i| Message::Content(Event::Packet(packet(0, i, i % 25 == 0, 20 + i as usize % 900)))).collect();
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
    let mut big = Message::Content(Event::End).encode(0).concat();
    // The largest length that a header can declare, with a right sum: found by asking the encoder for its layout.
    big[20..24].copy_from_slice(&u32::MAX.to_be_bytes());
    let sum = crc(&big[..28]);
    big[28..32].copy_from_slice(&sum.to_be_bytes());
    let mut input = Input::new();
    input.push(&big);
    assert!(matches!(Parser::new().poll(&mut input), Err(Error::Limit { .. })));

    let mut header = Message::Content(Event::End).encode(0).concat();
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
    let mut bytes = flat(&Message::Content(Event::Stream(0, Box::new(audio()))).encode(0));
    bytes.extend_from_slice(b"garbage");
    bytes.extend(flat(&Message::Content(Event::Packet(packet(0, 1, true, 10))).encode(2)));
    bytes.extend(flat(&Message::Content(Event::Packet(packet(5, 1, true, 10))).encode(3)));
    bytes.extend(flat(&Message::Content(Event::End).encode(4)));
    let (mut input, mut demuxer) = (Input::new(), content::Content::default());
    input.push(&bytes);
    input.end();
    let mut events = Vec::new();
    loop {
        match demuxer.poll(&mut input).unwrap() {
            Poll::Ready(Event::End) => break,
            Poll::Ready(event) => events.push(event),
            Poll::Pending => panic!("the input has ended"),
        }
    }
    assert_eq!(events, [Event::Stream(0, Box::new(audio())), Event::Packet(packet(0, 1, true, 10))]);
    let warnings: Vec<_> = input.take_warnings().0.into_iter().map(|warning| warning.what).collect();
    assert_eq!(warnings.len(), 3, "{warnings:?}");
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
    let hello = Hello::new(Role::Sender, Mode::Live, 77, "camera").with_proof([3; 32]);
    let known = [
        (2, Message::Hello(hello)),
        (3, Message::Welcome(12)),
        (4, Message::Content(Event::Stream(0, Box::new(audio())))),
    ];
    let mut bytes = Vec::new();
    for (kind, message) in &known {
        bytes.extend(with(200, b"of a later version", message, 0));
        bytes.extend(with(*kind, b"more fields", message, 1));
    }
    let expected: Vec<_> = known.into_iter().map(|(_, message)| (1, message)).collect();
    assert_eq!(parse(&bytes, 50), (expected, 0));
}
