//! A transfer whose connections and whose writing are in the test's hands.

use std::{
    cell::{Cell, RefCell},
    path::{Path, PathBuf},
};

use maliu::{
    StreamInfo, TimeBase,
    format::Event,
    packet::Packet,
    stream::{Audio, Codec, Media},
    tokio::wire::{Clock, send_over},
    wire::{
        message::{Hello, Message, Mode, Role},
        session::{LiveLimits, ReceiverOptions, Sender, SenderOptions},
    },
};
use tokio::sync::oneshot;

use super::{
    super::{
        journal::{self, Journal},
        report::Lines,
        strangers::identify,
    },
    *,
};

const ID: u64 = 7;

/// A stream, a packet and the end.
fn content() -> Vec<Event> {
    let audio = Audio::new(44_100, 2);
    let info = StreamInfo::new(Codec::Mp3, TimeBase::hz(44_100), Media::Audio(audio));
    let packet = Packet { data: vec![0xff, 0xfb, 0x90, 0].into(), ..Packet::default() };
    vec![Event::Stream(0, Box::new(info)), Event::Packet(packet), Event::End]
}

fn hello(id: u64) -> Hello {
    Hello { role: Role::Sender, mode: Mode::Reliable, id, name: "test".into(), proof: [0; 32] }
}

/// What a killed receiver has left: all content, and no output.
fn left(out: &str) {
    let mut journal = Journal::create(&journal::place(Path::new(out)), &hello(ID)).unwrap();
    for (number, event) in (0..).zip(content()) {
        let message = match event {
            Event::Stream(index, info) => Message::Stream(index, info),
            Event::Packet(packet) => Message::Packet(packet),
            _ => Message::Bye,
        };
        journal.keep(message.encode(number).concat().into()).unwrap();
    }
    journal.flush().unwrap();
}

/// A transfer into a file, and where its guests come from.
fn transfer(out: &str) -> (Transfer, mpsc::Sender<Guest>) {
    let (layout, format, write_layout) = (None, None, None);
    let output = Output { out: out.into(), layout, format, write_layout, settings: Vec::new() };
    let terms = Terms { fresh: false, patience: None, gather: 1024, memory: Arc::new(Memory::unlimited()) };
    let report = Report::new(Lines { json: false, aside: false }, Arc::default(), None, out);
    let (known, guests) = mpsc::channel(1);
    (Transfer::new(guests, output, terms, report), known)
}

fn folder(name: &str) -> (PathBuf, String) {
    let folder = std::env::temp_dir().join(format!("maliu-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let out = folder.join("out.mp3").to_string_lossy().into_owned();
    (folder, out)
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
}

#[test]
fn the_end_of_a_resumed_transfer_is_acknowledged_when_its_output_stands() {
    let (folder, out) = folder("resumed");
    left(&out);
    let (mut transfer, known) = transfer(&out);
    let (store, complete) = Store::left_over(&transfer.output, false).unwrap().unwrap();
    assert!((store.id, store.next, store.ended, complete) == (ID, 3, true, false));
    transfer.store = Some(store);
    // In the place of a thread that writes.
    let (done, writing) = oneshot::channel();
    transfer.writing = Some(writing);
    let (done, written) = (RefCell::new(Some(done)), Cell::new(false));
    let (name, token, limits) = ("test".into(), None, LiveLimits::default());
    let mut sender = Sender::new(SenderOptions { name, id: ID, mode: Mode::Reliable, token, limits });
    let (batches, mut source) = mpsc::channel(1);
    batches.try_send(content()).unwrap();
    let (near, far) = tokio::io::duplex(1 << 16);
    let clock = Clock::default();
    let look = |sender: &Sender| {
        let stats = sender.stats();
        assert!(stats.acknowledged < 3 || written.get(), "acknowledged before the output stands");
        // The end was said again, and is not answered before this.
        if stats.messages > 0
            && let Some(done) = done.take()
        {
            written.set(true);
            done.send(Ok(())).unwrap();
        }
    };
    let (received, sent, ()) = block_on(async {
        tokio::join!(transfer.converse(), send_over(Box::new(far), &mut sender, &mut source, clock, look), async {
            let incoming = Incoming::new(Box::new(near), ReceiverOptions::default(), clock).unwrap();
            let _ = known.send(identify(incoming).await.unwrap()).await;
        })
    });
    received.unwrap();
    sent.unwrap();
    assert!(written.get() && !journal::place(Path::new(&out)).exists());
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn only_what_an_earlier_run_has_completed_makes_room_for_another_transfer() {
    let (folder, out) = folder("replaced");
    let guest = |id| {
        let (near, _) = tokio::io::duplex(1 << 10);
        let connection = Incoming::new(Box::new(near), ReceiverOptions::default(), Clock::default()).unwrap();
        Guest { connection, hello: hello(id) }
    };
    // Completed just now, completed by an earlier run, completed by an earlier run whose sender is back.
    for (replaceable, back, admitted) in [(false, false, false), (true, false, true), (true, true, false)] {
        left(&out);
        let (mut transfer, _) = transfer(&out);
        let (store, _) = Store::left_over(&transfer.output, false).unwrap().unwrap();
        (transfer.store, transfer.complete, transfer.replaceable) = (Some(store), true, replaceable);
        block_on(async {
            if back {
                assert!(transfer.admit(guest(ID)).unwrap().is_some());
            }
            let other = transfer.admit(guest(ID + 1)).unwrap().is_some();
            assert_eq!(other, admitted, "replaceable {replaceable}, back {back}");
        });
    }
    std::fs::remove_dir_all(folder).unwrap();
}
