//! Peers that want to end, take over or keep out the transfers of others, and folders in which files were planted.

use std::{
    fs,
    io::Read,
    net::TcpListener,
    thread::sleep,
    time::{Duration, Instant},
};

mod binary;
mod peers;
use binary::{folder, process::Process, run, sample, text, within};
use peers::{HELLO, PACKET, Peer, STREAM, description, hello, packet, read, receiver, whole};

const WELCOME: u8 = 3;
const ACK: u8 = 7;
const PING: u8 = 8;
const BYE: u8 = 10;
const ERROR: u8 = 11;

const RELIABLE: u8 = 1;
const LIVE: u8 = 2;

/// The next message: its kind and its body. Pings are passed over.
fn next(peer: &mut Peer) -> (u8, Vec<u8>) {
    loop {
        let mut head = [0; 32];
        peer.0.read_exact(&mut head).unwrap();
        let mut body = vec![0; u32::from_be_bytes(head[20..24].try_into().unwrap()) as usize];
        peer.0.read_exact(&mut body).unwrap();
        if head[5] != PING {
            return (head[5], body);
        }
    }
}

/// Connects and says hello; what is answered.
fn greet(address: &str, id: u64, mode: u8) -> (Peer, (u8, Vec<u8>)) {
    let mut peer = Peer::connect(address);
    let mut body = hello(id, &[0; 32]);
    body[1] = mode;
    peer.say(&whole(HELLO, 0, 0, &body));
    let answer = next(&mut peer);
    (peer, answer)
}

/// Connects as a sender that is welcome at this message.
fn welcome(address: &str, id: u64, mode: u8, wanted: u64) -> Peer {
    let (peer, answer) = greet(address, id, mode);
    assert_eq!(answer, (WELCOME, wanted.to_be_bytes().into()), "transfer {id}, mode {mode}");
    peer
}

fn number(kind: u8, number: u64) -> Vec<u8> {
    whole(kind, 0, 0, &number.to_be_bytes())
}

/// A description and packets of MP3, up to this number.
fn content(until: u64) -> Vec<u8> {
    let packets = (1..until).map(|number| {
        let mut body = packet(number * 1152, 417);
        body[38..42].copy_from_slice(&[0xff, 0xfb, 0x90, 0]);
        whole(PACKET, 0, number, &body)
    });
    [whole(STREAM, 0, 0, &description(0, 0))].into_iter().chain(packets).flatten().collect()
}

/// Reads until this number is acknowledged.
fn acknowledged(peer: &mut Peer, wanted: u64) {
    loop {
        let (kind, body) = next(peer);
        assert_eq!(kind, ACK, "{}", String::from_utf8_lossy(&body));
        if u64::from_be_bytes(body.try_into().unwrap()) >= wanted {
            return;
        }
    }
}

fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        sleep(Duration::from_millis(50));
    }
}

#[cfg(unix)]
fn signal(process: &Process, name: &str) {
    assert!(std::process::Command::new("kill").args([name, &process.0.id().to_string()]).status().unwrap().success());
}

#[test]
fn early_acknowledgements_neither_end_nor_forget_a_transfer() {
    let folder = folder("early");
    let (out, many) = (within(&folder, "out.mp3"), within(&folder, "many"));
    let (mut single, address, _) = receiver("tcp://127.0.0.1:0", &out, &[]);
    let (_many, many_address, _) = receiver("tcp://127.0.0.1:0", &many, &["--many", "-f", "mp3"]);
    for address in [&address, &many_address] {
        let mut peer = welcome(address, 1, RELIABLE, 0);
        [0, 5, u64::MAX].iter().for_each(|early| peer.say(&number(ACK, *early)));
        peer.say(&content(40));
        [40, 41, u64::MAX].iter().for_each(|early| peer.say(&number(ACK, *early)));
        acknowledged(&mut peer, 40);
        peer.say(&number(ACK, 40));
        sleep(Duration::from_millis(200));
        drop(peer);
        // Existing content is kept, and continued.
        let mut peer = welcome(address, 1, RELIABLE, 40);
        peer.say(&number(ACK, 41));
        peer.say(&whole(BYE, 0, 40, b""));
        acknowledged(&mut peer, 41);
        peer.say(&number(ACK, 41));
        let _ = peer.answer();
    }
    assert_eq!(single.ends_within(20), Some(0));
    assert!(read(&out).len() > 39 * 400 && read(&out) == read(&format!("{many}/peer.mp3")));
}

#[test]
fn a_hello_alone_holds_no_place() {
    let folder = folder("bare");
    let input = sample("flv/aac_only.flv");
    let out = within(&folder, "out.flv");
    let (mut single, address, _) = receiver("tcp://127.0.0.1:0", &out, &[]);
    let bare: Vec<_> = (0..20).map(|id| welcome(&address, id, if id % 2 == 0 { RELIABLE } else { LIVE }, 0)).collect();
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0, "nothing is made for them");
    assert!(run(&["send", &input, &address]).status.success());
    assert_eq!(single.ends_within(20), Some(0));
    drop(bare);
    let many = within(&folder, "many");
    let (_many, address, _) = receiver("tcp://127.0.0.1:0", &many, &["--many", "--max-transfers", "1"]);
    let _bare: Vec<_> = (0..20).map(|id| welcome(&address, id, RELIABLE, 0)).collect();
    for name in ["one", "two"] {
        let sent = run(&["send", &input, &address, "--name", name, "--give-up", "30"]);
        assert!(sent.status.success(), "{:?}", text(&sent));
        eventually("its place is free again", || fs::read_dir(&many).unwrap().count() > 0);
    }
    let names: Vec<_> = fs::read_dir(&many).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
}

#[test]
fn a_second_connection_of_a_living_transfer_is_told_that_it_is_busy() {
    let folder = folder("second");
    let many = within(&folder, "many");
    let (_single, single, _) = receiver("tcp://127.0.0.1:0", &within(&folder, "out.mp3"), &[]);
    let (_many, many, _) = receiver("tcp://127.0.0.1:0", &many, &["--many", "-f", "mp3"]);
    for address in [single, many] {
        let mut first = welcome(&address, 1, RELIABLE, 0);
        first.say(&content(20));
        acknowledged(&mut first, 20);
        let (_, (kind, body)) = greet(&address, 1, RELIABLE);
        assert_eq!((kind, &body[..2], body.last()), (ERROR, &[0, 2][..], Some(&1)), "busy, for as long as it lives");
        first.say(&number(PING, 1));
        drop(first);
        eventually("it goes on once the first is gone", || greet(&address, 1, RELIABLE).1.0 == WELCOME);
    }
}

#[test]
fn a_reliable_transfer_is_not_gone_on_with_by_a_live_hello() {
    let folder = folder("modes");
    let many = within(&folder, "many");
    let (_single, single, _) = receiver("tcp://127.0.0.1:0", &within(&folder, "out.mp3"), &[]);
    let (_many, many, _) = receiver("tcp://127.0.0.1:0", &many, &["--many", "-f", "mp3"]);
    for address in [single, many] {
        let mut reliable = welcome(&address, 1, RELIABLE, 0);
        reliable.say(&content(20));
        acknowledged(&mut reliable, 20);
        drop(reliable);
        sleep(Duration::from_millis(300));
        let (_, (kind, body)) = greet(&address, 1, LIVE);
        assert_eq!((kind, &body[..2]), (ERROR, &[0, 2][..]), "{}", String::from_utf8_lossy(&body));
        let _ = welcome(&address, 1, RELIABLE, 20);
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_told_to_the_sender() {
    let folder = folder("no-folder");
    let many = within(&folder, "many");
    let (_many, address, _) = receiver("tcp://127.0.0.1:0", &many, &["--many"]);
    fs::remove_dir(&many).unwrap();
    let mut peer = welcome(&address, 1, RELIABLE, 0);
    peer.say(&content(2));
    let (kind, body) = next(&mut peer);
    let why = String::from_utf8_lossy(&body);
    assert!(kind == ERROR && why.contains("writing") && why.contains("No such file"), "{why}");
    let sent = text(&run(&["send", &sample("flv/aac_only.flv"), &address, "--give-up", "1"]));
    assert!(sent.0 == Some(1) && sent.2.contains("No such file"), "{sent:?}");
}

#[cfg(unix)]
#[test]
fn a_stop_with_unfinished_transfers_ends_with_130() {
    let folder = folder("unfinished");
    for (number, (mode, complete)) in [(RELIABLE, false), (LIVE, false), (RELIABLE, true)].into_iter().enumerate() {
        let out = within(&folder, &number.to_string());
        let (mut server, address, _) = receiver("tcp://127.0.0.1:0", &out, &["--many", "-f", "mp3"]);
        let _bare = welcome(&address, 99, mode, 0);
        let mut peer = welcome(&address, 1, mode, 0);
        peer.say(&content(20));
        if complete {
            peer.say(&whole(BYE, 0, 20, b""));
            acknowledged(&mut peer, 21);
        } else {
            acknowledged(&mut peer, 1);
        }
        signal(&server, "-INT");
        assert_eq!(server.ends_within(20), Some(if complete { 0 } else { 130 }), "mode {mode}, complete {complete}");
    }
}

#[cfg(unix)]
#[test]
fn what_is_planted_in_the_place_of_journals_never_stops_the_start() {
    let folder = folder("planted-many");
    let (out, victim) = (folder.join("out"), folder.join("victim"));
    fs::create_dir(&out).unwrap();
    fs::write(&victim, "precious").unwrap();
    let place = |name: &str| out.join(format!(".{name}.flv.maliu-journal"));
    fs::write(place("text"), "of something else").unwrap();
    fs::write(place("empty"), "").unwrap();
    fs::create_dir(place("folder")).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(place("pipe")).status().unwrap().success());
    std::os::unix::fs::symlink(folder.join("nothing"), place("dangling")).unwrap();
    std::os::unix::fs::symlink(&victim, place("link")).unwrap();
    std::os::unix::fs::symlink(&victim, out.join(".cam.flv.done")).unwrap();
    let (_server, address, _) = receiver("tcp://127.0.0.1:0", out.to_str().unwrap(), &["--many"]);
    let sent = run(&["send", &sample("flv/aac_only.flv"), &address, "--name", "cam"]);
    assert!(sent.status.success(), "{:?}", text(&sent));
    assert_eq!(read(victim.to_str().unwrap()), b"precious");
    assert!(out.join("cam.flv").is_file());
    let names = fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let names: Vec<_> = names.collect();
    assert_eq!(names.iter().filter(|name| name.contains("maliu-aside")).count(), 5, "{names:?}");
}

#[test]
fn a_journal_of_which_no_output_can_be_made_keeps_nobody_out() {
    let folder = folder("poisoned");
    let (input, out) = (sample("flv/aac_only.flv"), within(&folder, "out.flv"));
    // A stream of a kind that no FLV holds, complete.
    let mut body = hello(7, &[0; 32]);
    body[1] = RELIABLE;
    let mut stream = description(0, 0);
    stream[8..10].copy_from_slice(&[4, 4]);
    let journal = [whole(HELLO, 0, 0, &body), whole(STREAM, 0, 0, &stream), whole(BYE, 0, 1, b"")].concat();
    fs::write(folder.join(".out.flv.maliu-journal"), journal).unwrap();
    let (mut server, address, _) = receiver("tcp://127.0.0.1:0", &out, &[]);
    let sent = run(&["send", &input, &address, "--give-up", "30"]);
    assert!(sent.status.success(), "{:?}", text(&sent));
    assert_eq!(server.ends_within(20), Some(0));
    assert!(folder.join(".out.flv.maliu-aside").is_file(), "nothing is deleted");
}

#[cfg(unix)]
#[test]
fn a_socket_goes_with_its_receiver_and_nothing_else_is_replaced() {
    let folder = folder("sockets");
    let (socket, out) = (within(&folder, "socket"), within(&folder, "out.flv"));
    let at = format!("unix:{socket}");
    for (many, out) in [(&["--many"][..], within(&folder, "many")), (&[], out.clone())] {
        for name in ["-TERM", "-INT", "-HUP"] {
            let (mut server, _, _) = receiver(&at, &out, many);
            signal(&server, name);
            assert_eq!(server.ends_within(20), Some(if many.is_empty() { 130 } else { 0 }), "{name}");
            assert!(fs::symlink_metadata(&socket).is_err(), "{name} {many:?}: the socket is removed");
        }
    }
    // A killed one leaves its socket, which the next one replaces; a living one keeps it.
    let (mut killed, _, _) = receiver(&at, &out, &[]);
    killed.kill();
    let (_living, _, _) = receiver(&at, &out, &[]);
    assert_eq!(text(&run(&["receive", &at, &out])).0, Some(1));
    let file = within(&folder, "file");
    fs::write(&file, "precious").unwrap();
    assert_eq!(text(&run(&["receive", &format!("unix:{file}"), &out])).0, Some(1));
    assert_eq!(read(&file), b"precious");
    for nowhere in ["unix:", "unix://"] {
        assert_eq!(text(&run(&["receive", nowhere, &out])).0, Some(2), "{nowhere}");
        assert_eq!(text(&run(&["send", &sample("flv/aac_only.flv"), nowhere])).0, Some(2), "{nowhere}");
    }
}

#[test]
fn a_welcome_beyond_the_end_is_an_error_of_the_sender() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = format!("tcp://{}", listener.local_addr().unwrap());
    let sender = std::thread::spawn(move || text(&run(&["send", &sample("flv/aac_only.flv"), &to])));
    let mut peer = Peer(listener.accept().unwrap().0);
    peer.say(&whole(1, 0, 0, &[7; 16]));
    assert_eq!(next(&mut peer).0, HELLO);
    peer.say(&number(WELCOME, u64::MAX));
    let (code, _, stderr) = sender.join().unwrap();
    assert!(code == Some(1) && stderr.contains("the source ends"), "{code:?} {stderr}");
}
