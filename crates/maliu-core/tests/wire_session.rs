//! Sessions of maliu's own protocol: they survive disconnects, stalls and peers that break the rules.

use std::time::Duration;

use bytes::Bytes;
use maliu_core::{
    error::Error,
    format::Event,
    packet::Packet,
    time::{Ticks, TimeBase},
    wire::{
        message::{Hello, Message, Mode, Role},
        session::{
            Fault, HANDSHAKE_LIMIT, LiveLimits, Received, Receiver, ReceiverOptions, SILENCE_LIMIT, Sender,
            SenderOptions,
        },
    },
};

mod wired;
use wired::{Random, audio, flat, packet, video};

fn options(mode: Mode, token: Option<&str>) -> SenderOptions {
    SenderOptions::new("test", 7, mode).with_token(token.map(str::to_owned))
}

fn receiver(token: Option<&str>, now: Duration) -> Receiver {
    Receiver::new(ReceiverOptions::new(token.map(str::to_owned)), [now.as_nanos() as u8; 16], now)
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
    let source: Vec<Event> = std::iter::once(Event::Stream(0, Box::new(audio())))
        .chain((0..5000).map(|i| Event::Packet(packet(0, i, true, 100))))
        .collect();
    let mut kept: Vec<Event> = Vec::new();
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
                sender.push(source.get(fed).cloned().unwrap_or(Event::End));
                fed += 1;
            }
            exchange(&mut sender, &mut receiver, 7, now);
            sender.poll(now).unwrap();
            while let Some(received) = receiver.poll(now).unwrap() {
                match received {
                    Received::Hello(hello) => {
                        assert_eq!((hello.id, hello.mode), (7, Mode::Reliable));
                        receiver.welcome(kept.len() as u64);
                    }
                    Received::Content(sequence, mut event) => {
                        // Only a connection on which the stream was described knows its time base.
                        if let Event::Packet(packet) = &mut event {
                            packet.time_base = TimeBase::OF_STREAM;
                        }
                        kept.push(event);
                        assert_eq!(sequence + 1, kept.len() as u64);
                        receiver.acknowledge(sequence + 1);
                    }
                }
            }
            if sender.is_done() {
                break 'transfer;
            }
        }
        sender.disconnect();
        breaks += 1;
        assert!(breaks < 2000, "{} kept", kept.len());
    }
    assert_eq!(kept.pop(), Some(Event::End));
    assert!(kept == source && breaks > 20, "{breaks} breaks");
}

#[test]
fn a_stalled_live_transfer_keeps_sound_and_goes_on_at_a_key() {
    let limits = LiveLimits::new(100_000, Duration::from_secs(60));
    let mut sender = Sender::new(options(Mode::Live, None).with_limits(limits));
    let mut now = Duration::ZERO;
    sender.push(Event::Stream(0, Box::new(audio())));
    sender.push(Event::Stream(1, Box::new(video())));
    sender.connect(now);
    let mut receiver = receiver(None, now);
    let mut got = Vec::new();
    for i in 0..2000i64 {
        now += Duration::from_millis(40);
        let mut picture = packet(1, i * 40, i % 25 == 0, 2000);
        if i == 775 {
            picture.side.set_new_config(Bytes::from_static(b"changed"));
        }
        sender.push(Event::Packet(picture));
        sender.push(Event::Packet(packet(0, i, true, 10).at(Ticks(i * 1764))));
        let (_, bytes) = sender.stats().waiting;
        assert!(bytes <= 110_000, "{bytes} bytes wait");
        sender.poll(now).unwrap();
        // The peer takes nothing for ten seconds.
        if !(750..1000).contains(&i) {
            while exchange(&mut sender, &mut receiver, 10, now) {
                sender.poll(now).unwrap();
                while let Some(received) = receiver.poll(now).unwrap() {
                    match received {
                        Received::Hello(_) => receiver.welcome(0),
                        Received::Content(_, event) => got.push(event),
                    }
                }
            }
        }
    }
    let packets = |stream| {
        got.iter().filter_map(move |content| match content {
            Event::Packet(packet) if packet.stream == stream => Some(packet),
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
    sender.push(Event::Stream(0, Box::new(audio())));
    sender.push(Event::Stream(1, Box::new(video())));
    for connection in 0..3i64 {
        let now = Duration::from_secs(connection as u64);
        sender.connect(now);
        let mut receiver = receiver(None, now);
        let (mut got, mut fed) = (Vec::new(), connection * 35);
        for _ in 0..100 {
            exchange(&mut sender, &mut receiver, 3, now);
            sender.poll(now).unwrap();
            while let Some(received) = receiver.poll(now).unwrap() {
                match received {
                    Received::Hello(_) => receiver.welcome(0),
                    Received::Content(_, event) => got.push(event),
                }
            }
            if fed < connection * 35 + 35 {
                // Connections end 10 and 20 pictures behind a key; the configuration changes on the way.
                sender.push(Event::Packet(packet(1, fed * 40, fed % 25 == 0, 100)));
                fed += 1;
            }
            if fed == 30 {
                described.config = Bytes::from_static(b"new");
                sender.push(Event::Stream(1, Box::new(described.clone())));
            }
        }
        let expected = if connection == 0 { video() } else { described.clone() };
        assert_eq!(got[..2], [Event::Stream(0, Box::new(audio())), Event::Stream(1, Box::new(expected))]);
        let picture = got.iter().find_map(|content| match content {
            Event::Packet(packet) => Some(packet),
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
    assert!(matches!(first.poll(now), Ok(Some(Received::Hello(_)))));
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
    stranger.input().push(&Message::Content(Event::End).encode(0)[0][..3]);
    assert_eq!(stranger.poll(Duration::ZERO), Ok(None));
    stranger.input().push(b"GET / HTTP/1.1\r\n\r\n and so on, and so on, and so on");
    assert!(matches!(stranger.poll(Duration::ZERO), Err(Fault::Protocol(_))), "nothing more is waited for");

    let hello = |receiver: &mut Receiver| {
        let hello = Hello::new(Role::Sender, Mode::Live, 1, "");
        receiver.input().push(&flat(&Message::Hello(hello).encode(0)));
        assert!(matches!(receiver.poll(Duration::ZERO), Ok(Some(Received::Hello(_)))));
        receiver.welcome(0);
    };
    let mut slow = receiver(None, Duration::ZERO);
    hello(&mut slow);
    let message = flat(&Message::Content(Event::Packet(packet(0, 0, true, 1000))).encode(0));
    for (second, byte) in message.iter().enumerate().take(29) {
        slow.input().push(&[*byte]);
        slow.poll(Duration::from_secs(second as u64)).unwrap();
    }
    assert_eq!(slow.poll(SILENCE_LIMIT), Err(Fault::Silent(SILENCE_LIMIT)));

    let mut flooded = receiver(None, Duration::ZERO);
    hello(&mut flooded);
    flooded.input().push(&flat(&Message::Content(Event::Stream(5000, Box::new(audio()))).encode(0)));
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
        while let Some(received) = receiver.poll(now).unwrap() {
            assert!(matches!(received, Received::Hello(_)));
            receiver.welcome(0);
        }
    }
}

#[test]
fn a_receiver_that_can_take_no_more_is_not_silent_and_hears_no_silence() {
    let mut now = Duration::ZERO;
    let mut sender = Sender::new(options(Mode::Reliable, None));
    sender.push(Event::Stream(0, Box::new(audio())));
    (0..10).for_each(|time| sender.push(Event::Packet(packet(0, time, true, 100))));
    sender.connect(now);
    let mut receiver = receiver(None, now);
    let mut kept = 0;
    let mut take = |receiver: &mut Receiver, now| {
        while let Some(received) = receiver.poll(now).unwrap() {
            match received {
                Received::Hello(_) => receiver.welcome(0),
                Received::Content(number, _) => kept = number + 1,
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
fn a_receiver_that_has_forgotten_a_transfer_is_not_asked_again() {
    let now = Duration::ZERO;
    let mut sender = Sender::new(options(Mode::Reliable, None));
    sender.push(Event::Stream(0, Box::new(audio())));
    (0..10).for_each(|time| sender.push(Event::Packet(packet(0, time, true, 100))));
    for (wanted, result) in [(5, Ok(())), (4, Err(Fault::Forgotten { wanted: 4 }))] {
        sender.connect(now);
        let link = |sender: &mut Sender, message: Message| {
            sender.input().unwrap().push(&flat(&message.encode(0)));
            sender.poll(now)
        };
        link(&mut sender, Message::Challenge([0; 16])).unwrap();
        assert_eq!(link(&mut sender, Message::Welcome(wanted)), result);
    }
    assert!(Fault::Forgotten { wanted: 4 }.is_final());
}
