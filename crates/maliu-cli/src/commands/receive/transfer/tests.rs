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
        session::{ReceiverOptions, Sender, SenderOptions},
    },
};
use tokio::sync::oneshot;

use super::{
    super::{
        journal::{self, Journal},
        report::Lines,
        strangers::identify,
    },
    admission::Verdict,
    *,
};
use crate::stop::Stop;

const ID: u64 = 7;

/// A stream, a packet and the end.
fn content() -> Vec<Event> {
    let audio = Audio::new(44_100, 2);
    let info = StreamInfo::new(Codec::Mp3, TimeBase::hz(44_100), Media::Audio(audio));
    let packet = Packet::of(0, vec![0xff, 0xfb, 0x90, 0]);
    vec![Event::Stream(0, Box::new(info)), Event::Packet(packet), Event::End]
}

fn hello(id: u64) -> Hello {
    Hello::new(Role::Sender, Mode::Reliable, id, "test")
}

/// Files that a killed receiver has left: all content, and no output.
fn left(out: &str) {
    let mut journal = Journal::create(Path::new(out), &hello(ID)).unwrap();
    for (number, event) in (0..).zip(content()) {
        journal.keep(Message::Content(event).encode(number).concat().into()).unwrap();
    }
    journal.flush().unwrap();
}

/// A transfer into a file, and where its guests come from.
fn transfer(out: &str) -> (Transfer, mpsc::Sender<Guest>) {
    let (layout, format, write_layout) = (None, None, None);
    let output = Output { out: out.into(), layout, format, write_layout, settings: Vec::new(), stop: Stop::default() };
    let memory = Arc::new(Memory::unlimited());
    let terms = Terms { fresh: false, patience: None, gather: 1024, memory: memory.clone(), strangers: memory };
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
    let mut sender = Sender::new(SenderOptions::new("test", ID, Mode::Reliable));
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
        Guest { connection, hello: hello(id), first: None }
    };
    std::fs::write(&out, "complete").unwrap();
    // Completed just now, completed by an earlier run, completed by an earlier run whose sender is back.
    for (replaceable, back, room) in [(false, false, false), (true, false, true), (true, true, false)] {
        let _ = std::fs::remove_file(journal::place(Path::new(&out)));
        left(&out);
        let (mut transfer, _) = transfer(&out);
        let (store, _) = Store::left_over(&transfer.output, false).unwrap().unwrap();
        (transfer.store, transfer.complete, transfer.replaceable) = (Some(store), true, replaceable);
        block_on(async {
            if back {
                transfer.admit(guest(ID)).await.unwrap();
            }
            let verdict = transfer.judge(&guest(ID + 1), None);
            assert_eq!(verdict == Verdict::Wait, room, "replaceable {replaceable}, back {back}: {verdict:?}");
        });
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_transfer_takes_one_living_connection_of_its_own_mode() {
    let (folder, out) = folder("one");
    left(&out);
    let (mut transfer, _) = transfer(&out);
    transfer.store = Store::left_over(&transfer.output, false).unwrap().map(|(store, _)| store);
    let guest = |mode| {
        let (near, _) = tokio::io::duplex(1 << 10);
        let connection = Incoming::new(Box::new(near), ReceiverOptions::default(), Clock::default()).unwrap();
        Guest { connection, hello: Hello::new(Role::Sender, mode, ID, "test"), first: None }
    };
    let mut first = guest(Mode::Reliable).connection;
    assert_eq!(transfer.judge(&guest(Mode::Reliable), None), Verdict::Admit);
    assert_eq!(transfer.judge(&guest(Mode::Reliable), Some(&mut first)), Verdict::Rival);
    assert!(matches!(transfer.judge(&guest(Mode::Live), Some(&mut first)), Verdict::Refuse(Reason::Busy, _)));
    assert!(matches!(transfer.judge(&guest(Mode::Live), None), Verdict::Refuse(Reason::Busy, _)));
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_completed_transfer_is_received_again_when_its_output_has_gone() {
    let (folder, out) = folder("gone");
    left(&out);
    let place = journal::place(Path::new(&out));
    Journal::reopen(Path::new(&out)).unwrap().unwrap().complete(3).unwrap();
    let (transfer, _) = transfer(&out);
    std::fs::write(&out, "complete").unwrap();
    let (store, complete) = Store::left_over(&transfer.output, false).unwrap().unwrap();
    assert!(complete && store.next == 3);
    std::fs::remove_file(&out).unwrap();
    assert!(Store::left_over(&transfer.output, false).unwrap().is_none());
    assert!(!place.exists());
    std::fs::remove_dir_all(folder).unwrap();
}

#[cfg(unix)]
#[test]
fn what_is_no_journal_is_set_aside_and_nothing_planted_is_written_to() {
    use std::os::unix::fs::symlink;
    let (folder, out) = folder("planted");
    let (place, victim) = (journal::place(Path::new(&out)), folder.join("victim"));
    let plant: [(&str, &dyn Fn()); 7] = [
        ("text", &|| std::fs::write(&place, "of something else").unwrap()),
        ("nothing of ours", &|| std::fs::write(&place, Message::Content(Event::End).encode(0).concat()).unwrap()),
        ("a folder", &|| std::fs::create_dir(&place).unwrap()),
        ("a pipe", &|| assert!(std::process::Command::new("mkfifo").arg(&place).status().unwrap().success())),
        ("a link to nothing", &|| symlink(folder.join("nothing"), &place).unwrap()),
        ("a link to a file", &|| symlink(&victim, &place).unwrap()),
        ("a link to itself", &|| symlink(&place, &place).unwrap()),
    ];
    std::fs::write(&victim, "precious").unwrap();
    for (what, plant) in plant {
        plant();
        let output = transfer(&out).0.output;
        assert!(Store::left_over(&output, false).unwrap().is_none(), "{what}");
        assert!(place.symlink_metadata().is_err(), "{what} is set aside");
        // Planted after the start: a new journal does not go there either.
        plant();
        drop(Journal::create(Path::new(&out), &hello(ID)).unwrap());
        assert!(place.symlink_metadata().unwrap().is_file(), "{what}");
        std::fs::remove_file(&place).unwrap();
        // Nor does the note that it is complete.
        drop(Journal::create(Path::new(&out), &hello(ID)).unwrap());
        let mut journal = Journal::reopen(Path::new(&out)).unwrap().unwrap();
        std::fs::remove_file(&place).unwrap();
        symlink(&victim, &place).unwrap();
        journal.complete(3).unwrap();
        assert!(place.symlink_metadata().unwrap().is_file(), "{what}");
        std::fs::remove_file(&place).unwrap();
    }
    let kept = std::fs::read_dir(&folder).unwrap();
    let kept = kept.filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().contains("maliu-aside"));
    assert_eq!(kept.count(), 14, "all are kept");
    assert_eq!(std::fs::read(&victim).unwrap(), b"precious");
    std::fs::remove_dir_all(folder).unwrap();
}
