//! A receiver that connects and asks to be sent something, and a sender that listens.

use std::time::Duration;

use bytes::Bytes;
use maliu_core::{
    format::Event,
    packet::Packet,
    stream::{Audio, Codec, Media, StreamInfo},
    time::{Ticks, TimeBase},
    wire::{
        message::{Mode, Reason, Role},
        session::{Fault, PlayerOptions, Received, Receiver, Sender, SenderOptions},
    },
};

const NOW: Duration = Duration::ZERO;

fn sender(token: Option<&str>) -> Sender {
    Sender::new(SenderOptions::new("film", 1, Mode::Reliable).with_token(token.map(str::to_owned)))
}

fn player(name: &str, mode: Mode, token: Option<&str>) -> Receiver {
    Receiver::player(PlayerOptions::new(name, 9, mode).with_token(token.map(str::to_owned)), NOW)
}

/// Content to send: a stream, `packets` packets, the end.
fn feed(sender: &mut Sender, packets: i64) {
    let audio = Audio::new(44_100, 2);
    sender.push(Event::Stream(0, Box::new(StreamInfo::new(Codec::Mp3, TimeBase::hz(44_100), Media::Audio(audio)))));
    for time in 0..packets {
        let (pts, data) = (Some(Ticks(time * 1152)), Bytes::from(vec![time as u8; 100]));
        sender.push(Event::Packet(Packet::of(0, data).at(pts).with_key(true)));
    }
    sender.finish();
}

/// Moves up to `most` messages each way.
fn exchange(sender: &mut Sender, player: &mut Receiver, most: usize) {
    for _ in 0..most {
        let (to_player, to_sender) = (sender.next(NOW), player.next(NOW));
        to_player.into_iter().flatten().for_each(|part| player.input().push(&part));
        if let Some(input) = sender.input() {
            to_sender.into_iter().flatten().for_each(|part| input.push(&part));
        }
    }
}

/// Plays over one connection for `rounds` rounds; `kept` is the content so far.
fn play(sender: &mut Sender, player: &mut Receiver, rounds: usize, kept: &mut Vec<Event>) -> Result<(), Fault> {
    sender.accept([7; 16], NOW);
    for _ in 0..rounds {
        exchange(sender, player, 3);
        sender.poll(NOW)?;
        while let Some(received) = player.poll(NOW)? {
            match received {
                Received::Hello(hello) => {
                    assert_eq!((hello.role, hello.id, &*hello.name), (Role::Sender, 1, "film"));
                    player.welcome(kept.len() as u64);
                }
                Received::Content(number, event) => {
                    assert_eq!(number, kept.len() as u64);
                    kept.push(event);
                    player.acknowledge(number + 1);
                }
            }
        }
    }
    Ok(())
}

#[test]
fn a_player_gets_everything_once_over_any_number_of_connections() {
    let mut kept = Vec::new();
    for connection in 0..20 {
        // Each connection is served by a sender that begins at the beginning.
        let (mut sender, mut player) = (sender(Some("token")), player("film", Mode::Reliable, Some("token")));
        feed(&mut sender, 500);
        play(&mut sender, &mut player, 20, &mut kept).unwrap();
        if sender.is_done() {
            assert!(connection > 3 && player.is_heard());
            break;
        }
    }
    assert_eq!((kept.len(), kept.last()), (502, Some(&Event::End)));
    assert!(matches!(&kept[501 - 1], Event::Packet(packet) if packet.pts == Some(Ticks(499 * 1152))));
}

#[test]
fn nobody_plays_without_the_token_or_what_is_not_there() {
    for (name, mode, token, fault) in [
        ("film", Mode::Reliable, None, Fault::Unauthorized),
        ("film", Mode::Reliable, Some("wrong"), Fault::Unauthorized),
        ("other", Mode::Reliable, Some("right"), Fault::Absent),
        ("film", Mode::Live, Some("right"), Fault::Absent),
    ] {
        let (mut sender, mut player) = (sender(Some("right")), player(name, mode, token));
        feed(&mut sender, 5);
        let mut kept = Vec::new();
        assert_eq!(play(&mut sender, &mut player, 20, &mut kept), Err(fault), "{name} {mode:?} {token:?}");
        assert!(kept.is_empty());
    }
    let mut nameless = player("", Mode::Reliable, Some("right"));
    play(&mut sender(Some("right")), &mut nameless, 5, &mut Vec::new()).unwrap();
    assert!(Fault::Refused { reason: Reason::Absent, text: String::new() }.is_final());
}

#[test]
fn a_sender_that_listens_takes_no_content_and_no_proof_twice() {
    let mut pushing = Sender::new(SenderOptions::new("film", 1, Mode::Reliable));
    let mut listening = sender(None);
    pushing.connect(NOW);
    listening.accept([1; 16], NOW);
    let say = |from: &mut Sender, to: &mut Sender| {
        from.next(NOW).into_iter().flatten().for_each(|part| to.input().unwrap().push(&part));
        to.poll(NOW)
    };
    say(&mut listening, &mut pushing).unwrap();
    assert!(matches!(say(&mut pushing, &mut listening), Err(Fault::Protocol(_))));

    let mut listening = sender(Some("right"));
    listening.accept([1; 16], NOW);
    let mut player = player("film", Mode::Reliable, Some("right"));
    exchange(&mut listening, &mut player, 1);
    assert_eq!(player.poll(NOW), Ok(None));
    let overheard: Vec<Bytes> = std::iter::from_fn(|| player.next(NOW)).flatten().collect();
    for (challenge, fault) in [([1; 16], Ok(())), ([2; 16], Err(Fault::Unauthorized))] {
        let mut listening = sender(Some("right"));
        listening.accept(challenge, NOW);
        overheard.iter().for_each(|part| listening.input().unwrap().push(part));
        assert_eq!(listening.poll(NOW), fault);
    }
}
