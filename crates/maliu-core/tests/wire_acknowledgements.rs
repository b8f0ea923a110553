//! Acknowledgements of peers that acknowledge too early, too much, or for another transfer.

use std::time::Duration;

use maliu_core::{
    format::Event,
    wire::{
        message::{Hello, Message, Mode, Role},
        session::{Fault, Received, Receiver, ReceiverOptions, Sender, SenderOptions},
    },
};

mod wired;
use wired::{audio, flat, packet};

const NOW: Duration = Duration::ZERO;

/// A receiver that has welcomed a sender at this message.
fn welcomed(mode: Mode, next: u64) -> Receiver {
    let mut receiver = Receiver::new(ReceiverOptions::default(), [7; 16], NOW);
    let hello = Hello::new(Role::Sender, mode, 1, "");
    assert!(matches!(say(&mut receiver, 0, &Message::Hello(hello)), Some(Received::Hello(_))));
    receiver.welcome(next);
    receiver
}

fn say(receiver: &mut Receiver, sequence: u64, message: &Message) -> Option<Received> {
    receiver.input().push(&flat(&message.encode(sequence)));
    receiver.poll(NOW).unwrap()
}

#[test]
fn an_early_acknowledgement_does_not_end_a_transfer() {
    for mode in [Mode::Reliable, Mode::Live] {
        let mut receiver = welcomed(mode, 0);
        for early in [0, 1, 5, u64::MAX] {
            assert_eq!(say(&mut receiver, 0, &Message::Ack(early)), None);
            assert!(!receiver.is_heard(), "{mode:?}: nothing has come, {early} was acknowledged");
        }
        say(&mut receiver, 0, &Message::Content(Event::Stream(0, Box::new(audio())))).unwrap();
        receiver.acknowledge(1);
        say(&mut receiver, 0, &Message::Ack(1));
        assert!(!receiver.is_heard(), "{mode:?}: all that has come is kept, but it is not the end");
        assert_eq!(say(&mut receiver, 1, &Message::Content(Event::End)), Some(Received::Content(1, Event::End)));
        say(&mut receiver, 0, &Message::Ack(2));
        assert!(!receiver.is_heard(), "{mode:?}: the end is not kept yet");
        receiver.acknowledge(2);
        assert!(!receiver.is_heard(), "{mode:?}: the sender cannot know that it is");
        say(&mut receiver, 0, &Message::Ack(2));
        assert!(receiver.is_heard(), "{mode:?}");
    }
}

#[test]
fn an_end_of_an_earlier_connection_is_acknowledged_by_the_welcome() {
    let mut receiver = welcomed(Mode::Reliable, 9);
    say(&mut receiver, 0, &Message::Ack(9));
    assert!(!receiver.is_heard());
    receiver.set_ended();
    assert!(receiver.is_heard());
}

/// A sender with ten packets, finished or not, that a receiver welcomes at this message.
fn resumed(mode: Mode, finished: bool, wanted: u64) -> (Sender, Result<(), Fault>) {
    let mut sender = Sender::new(SenderOptions::new("", 1, mode));
    sender.connect(NOW);
    hear(&mut sender, Message::Challenge([0; 16])).unwrap();
    let result = hear(&mut sender, Message::Welcome(wanted));
    sender.push(Event::Stream(0, Box::new(audio())));
    (0..10).for_each(|time| sender.push(Event::Packet(packet(0, time, true, 100))));
    if finished {
        sender.finish();
    }
    (sender, result)
}

fn hear(sender: &mut Sender, message: Message) -> Result<(), Fault> {
    sender.input().unwrap().push(&flat(&message.encode(0)));
    sender.poll(NOW)
}

#[test]
fn a_welcome_beyond_the_end_of_the_source_is_refused() {
    // A description, ten packets and the end.
    for (wanted, done) in [(0, false), (11, false), (12, true)] {
        let (mut sender, result) = resumed(Mode::Reliable, true, wanted);
        result.unwrap();
        sender.poll(NOW).unwrap();
        assert_eq!(sender.is_done(), done, "{wanted}");
    }
    for wanted in [13, 1 << 40, u64::MAX] {
        let (mut sender, result) = resumed(Mode::Reliable, true, wanted);
        result.unwrap();
        assert!(!sender.is_done(), "{wanted}: nothing was sent");
        let fault = sender.poll(NOW).unwrap_err();
        assert_eq!(fault, Fault::BeyondEnd { wanted, end: 12 });
        assert!(fault.is_final());
        assert!(!sender.is_done());
    }
    let (mut unfinished, _) = resumed(Mode::Reliable, false, 1000);
    unfinished.poll(NOW).unwrap();
    assert!(!unfinished.is_done(), "more may follow");
}

#[test]
fn what_was_not_sent_cannot_be_acknowledged() {
    for mode in [Mode::Reliable, Mode::Live] {
        let (mut sender, _) = resumed(mode, true, 0);
        assert!(matches!(hear(&mut sender, Message::Ack(1)), Err(Fault::Protocol(_))), "{mode:?}: nothing was sent");
        let (mut sender, _) = resumed(mode, true, 0);
        while sender.next(NOW).is_some() {}
        assert!(matches!(hear(&mut sender, Message::Ack(u64::MAX)), Err(Fault::Protocol(_))), "{mode:?}: too much");
        assert!(!sender.is_done() && sender.stats().acknowledged == 0, "{mode:?}");
        let (mut sender, _) = resumed(mode, true, 0);
        while sender.next(NOW).is_some() {}
        hear(&mut sender, Message::Ack(11)).unwrap();
        assert!(!sender.is_done(), "{mode:?}: all but the end");
        hear(&mut sender, Message::Ack(12)).unwrap();
        assert!(sender.is_done(), "{mode:?}");
    }
}
