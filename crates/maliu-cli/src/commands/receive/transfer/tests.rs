//! A transfer whose connections and whose writing are in the test's hands.

use std::cell::{Cell, RefCell};

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
    super::{journal, report::Lines, strangers::identify},
    *,
};

const ID: u64 = 7;

/// A stream, a packet and the end.
fn content() -> Vec<Event> {
    let audio = Audio { sample_rate: 44_100, channels: 2, ..Audio::default() };
    let info = StreamInfo::new(Codec::Mp3, TimeBase::hz(44_100), Media::Audio(audio));
    let packet = Packet { data: vec![0xff, 0xfb, 0x90, 0].into(), ..Packet::default() };
    vec![Event::Stream(0, Box::new(info)), Event::Packet(packet), Event::End]
}

/// What a killed receiver has left: all content, and no output.
fn left(out: &str) {
    let hello = Hello { role: Role::Sender, mode: Mode::Reliable, id: ID, name: "test".into(), proof: [0; 32] };
    let mut journal = journal::Journal::create(&journal::place(std::path::Path::new(out)), &hello).unwrap();
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

#[test]
fn the_end_of_a_resumed_transfer_is_acknowledged_when_its_output_stands() {
    let folder = std::env::temp_dir().join(format!("maliu-resumed-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let out = folder.join("out.mp3").to_string_lossy().into_owned();
    left(&out);
    let (input, format, write_layout) = ("--from=wire".into(), None, None);
    let output = Output { out: out.clone(), input, format, write_layout, settings: Vec::new() };
    let terms = Terms { fresh: false, patience: None, gather: 1024, memory: Arc::new(Memory::unlimited()) };
    let report = Report::new(Lines { json: false, aside: false }, Arc::default(), None, &out);
    let (known, guests) = mpsc::channel(1);
    let mut transfer = Transfer::new(guests, output, terms, report);
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
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let (received, sent, ()) = runtime.block_on(async {
        tokio::join!(transfer.converse(), send_over(Box::new(far), &mut sender, &mut source, clock, look), async {
            let incoming = Incoming::new(Box::new(near), ReceiverOptions::default(), clock).unwrap();
            let _ = known.send(identify(incoming).await.unwrap()).await;
        })
    });
    received.unwrap();
    sent.unwrap();
    assert!(written.get() && !journal::place(std::path::Path::new(&out)).exists());
    std::fs::remove_dir_all(folder).unwrap();
}
