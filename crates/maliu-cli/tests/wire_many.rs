//! One receiver, many senders, as real processes: each gets its own file, and a fault of one does not affect another.

use std::{
    fs,
    io::{Read, Write},
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

mod binary;
mod peers;
use binary::process::Process;
use binary::{command, folder, run, sample, text, within};
use peers::{HELLO, PACKET, Peer, STREAM, hello, message, read, receiver, whole};

/// The files of a folder that are not hidden, by name.
fn files(folder: &str) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| !name.starts_with('.')).collect();
    names.sort();
    names
}

/// Waits until something holds, for a slow machine long enough.
fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// Ctrl-C, as a terminal sends it.
fn interrupt(process: &Process) {
    assert!(std::process::Command::new("kill").args(["-INT", &process.0.id().to_string()]).status().unwrap().success());
}

#[test]
fn fifty_senders_at_a_time_get_a_file_each() {
    let folder = folder("fifty");
    let (input, local, out) = (sample("flv/h264_aac.flv"), within(&folder, "local.flv"), within(&folder, "out"));
    assert!(run(&["remux", &input, &local]).status.success());
    let (mut receiver, address, _) = receiver("tcp://127.0.0.1:0", &out, &["--many"]);
    let mut senders: Vec<_> = (0..50)
        .map(|n| {
            // Each reads a copy of its own, so that each is a transfer of its own; a third have one name.
            let copy = within(&folder, &format!("copy{n}.flv"));
            fs::copy(&input, &copy).unwrap();
            let name = if n % 3 == 0 { "../shared/cam.flv".to_owned() } else { format!("cam {n}") };
            let live: &[&str] = if n % 2 == 0 { &["--live"] } else { &[] };
            Process::start(&[&["send", &copy, &address, "--name", &name][..], live].concat())
        })
        .collect();
    for (n, sender) in senders.iter_mut().enumerate() {
        assert_eq!(sender.ends_within(240), Some(0), "sender {n}");
    }
    let names = files(&out);
    assert_eq!(names.len(), 50, "{names:?}");
    assert_eq!(names.iter().filter(|name| *name == "cam.flv" || name.starts_with("cam-")).count(), 17, "{names:?}");
    assert!(!folder.join("shared").exists());
    for name in names {
        assert!(read(&format!("{out}/{name}")) == read(&local), "{name}");
    }
    if cfg!(unix) {
        interrupt(&receiver);
        assert_eq!(receiver.ends_within(60), Some(0));
        assert_eq!(fs::read_dir(&out).unwrap().count(), 50, "nothing is left beside the files");
    }
}

#[test]
fn one_file_under_many_names_is_many_transfers() {
    let folder = folder("names");
    let (input, local, out) = (sample("flv/h264_aac.flv"), within(&folder, "local.flv"), within(&folder, "out"));
    assert!(run(&["remux", &input, &local]).status.success());
    let (_receiver, address, _) = receiver("tcp://127.0.0.1:0", &out, &["--many"]);
    let mut senders: Vec<_> =
        (0..8).map(|n| Process::start(&["send", &input, &address, "--name", &format!("cam {n}")])).collect();
    for (n, sender) in senders.iter_mut().enumerate() {
        assert_eq!(sender.ends_within(60), Some(0), "sender {n}");
        assert!(read(&format!("{out}/cam {n}.flv")) == read(&local), "{n}");
    }
    assert_eq!(files(&out).len(), 8);
}

#[cfg(unix)]
#[test]
fn figures_are_told_for_each_transfer() {
    use std::io::{BufRead, BufReader};
    let folder = folder("figures");
    let (input, out) = (sample("flv/aac_only.flv"), within(&folder, "out"));
    let (mut receiver, address, _) = receiver("tcp://127.0.0.1:0", &out, &["--many", "-f", "adts"]);
    assert!(run(&["send", &input, &address, "--name", "one"]).status.success());
    assert!(run(&["send", "--live", &input, &address, "--name", "two"]).status.success());
    interrupt(&receiver);
    let lines = BufReader::new(receiver.0.stdout.take().unwrap()).lines();
    let lines: Vec<serde_json::Value> = lines.map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect();
    for (name, live) in [("one", false), ("two", true)] {
        for event in ["begin", "done"] {
            let line = lines.iter().find(|line| line["event"] == event && line["name"] == name);
            let line = line.unwrap_or_else(|| panic!("{event} of {name}: {lines:?}"));
            assert!(line["file"].as_str().unwrap().ends_with(&format!("out/{name}.aac")), "{line}");
            assert_eq!(line["late_seconds"].is_f64(), live, "{line}");
            assert!(event == "begin" || line["bytes"].as_u64().unwrap() > 1000, "{line}");
        }
    }
    let total = lines.iter().rfind(|line| line["event"] == "total").unwrap();
    assert_eq!(
        (total["begun"].as_u64(), total["done"].as_u64(), total["failed"].as_u64()),
        (Some(2), Some(2), Some(0))
    );
    assert_eq!(receiver.ends_within(60), Some(0));
}

#[test]
fn those_who_break_the_rules_are_refused_while_others_are_served() {
    let folder = folder("rules");
    let (input, out) = (sample("flv/aac_only.flv"), within(&folder, "out"));
    let (_receiver, address, _) = receiver("tcp://127.0.0.1:0", &out, &["--many"]);
    let serves_others = |n: u32| {
        let sent = run(&["send", "--live", &input, &address, "--name", &format!("other {n}")]);
        assert!(sent.status.success(), "{:?}", text(&sent));
    };
    // 4 GiB less one, declared by a stranger and by one who is welcome.
    for peer in [Peer::connect(&address), Peer::welcomed(&address, 1)] {
        let mut peer = peer;
        peer.say(&message(PACKET, 0, 0, u32::MAX, b""));
        assert!(peer.answer().contains("limit"));
    }
    serves_others(1);
    // A stream for every number there is.
    let mut flood = Peer::welcomed(&address, 2);
    let info = {
        let mut body = [0, 0, 0, 1, 0, 0, 0xac, 0x44, 0, 0, 0, 0, 0, 3].to_vec();
        body.extend(b"aac");
        body.extend([0; 8]);
        body.extend([0, 0, 0, 28]);
        body.extend([0; 28]);
        body.extend([0; 16]);
        body
    };
    for n in 0..100_000u32 {
        if flood.0.write_all(&whole(STREAM, n, u64::from(n), &info)).is_err() {
            break;
        }
    }
    assert!(flood.answer().contains("limit"), "a flood of streams");
    serves_others(2);
    // Bytes that are no message, without an end, before a hello; and a hello that never ends.
    let mut noise = Peer::connect(&address);
    let garbage = vec![0x55; 1 << 16];
    let mut said = 0u64;
    while noise.0.write_all(&garbage).is_ok() {
        said += garbage.len() as u64;
        assert!(said < 1 << 28, "an endless preamble is listened to");
    }
    let mut long = Peer::connect(&address);
    long.say(&message(HELLO, 0, 0, 1 << 20, b""));
    assert!(long.answer().contains("limit"));
    serves_others(3);
    assert!(files(&out).iter().filter(|name| name.starts_with("other")).count() == 3);
}

#[test]
fn a_wrong_a_missing_and_a_replayed_token_are_refused_while_the_right_one_is_served() {
    let folder = folder("tokens");
    let (input, out) = (sample("flv/aac_only.flv"), within(&folder, "out"));
    let (_receiver, address, _) = receiver("tcp://127.0.0.1:0", &out, &["--many", "--token", "right"]);
    let mut under_way = Process::start(&["send", "--live", &sample("flv/h264_aac.flv"), &address, "--token", "right"]);
    for token in [&["--token", "wrong"][..], &[]] {
        let (code, _, stderr) = text(&run(&[&["send", &input, &address][..], token].concat()));
        assert!(code == Some(1) && stderr.contains("token"), "{code:?} {stderr}");
    }
    // Messages of a sender with the right token are listened in to, and replayed.
    let spy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let place = format!("tcp://{}", spy.local_addr().unwrap());
    let mut honest = Process::start(&["send", &input, &place, "--token", "right", "--give-up", "60"]);
    let (mut victim, _) = spy.accept().unwrap();
    let mut first = Peer::connect(&address);
    // The spy hands on the challenge of its own connection, and hears the proof that belongs to it.
    victim.write_all(&whole(1, 0, 0, &[7; 16])).unwrap();
    let mut overheard = vec![0; 4096];
    let got = victim.read(&mut overheard).unwrap();
    first.say(&overheard[..got]);
    let answer = first.answer();
    assert!(answer.contains("token"), "{answer:?}");
    honest.kill();
    assert!(run(&["send", &input, &address, "--token", "right"]).status.success());
    assert_eq!(under_way.ends_within(120), Some(0));
}

#[test]
fn many_who_say_nothing_or_little_lock_out_nobody() {
    let folder = folder("loris");
    let (input, out) = (sample("flv/aac_only.flv"), within(&folder, "out"));
    let (_receiver, address, _) = receiver("tcp://127.0.0.1:0", &out, &["--many"]);
    let begun = Instant::now();
    let mut slow = Peer::connect(&address);
    let silent: Vec<_> =
        (0..600).map(|_| std::net::TcpStream::connect(address.strip_prefix("tcp://").unwrap())).collect();
    let mut sent = 0;
    // A byte of a hello now and then, until the clock ends it.
    let words = whole(HELLO, 0, 0, &hello(1, &[0; 32]));
    let cut = loop {
        if slow.0.write_all(&words[sent..=sent]).is_err() {
            break true;
        }
        sent += 1;
        if sent == words.len() - 1 {
            break false;
        }
        if sent == 3 {
            assert!(run(&["send", "--live", &input, &address]).status.success(), "others are served meanwhile");
        }
        thread::sleep(Duration::from_millis(300));
    };
    assert!(cut, "a hello of {:?} is waited for", begun.elapsed());
    drop(silent);
}

#[cfg(unix)]
#[test]
fn those_who_come_while_the_receiver_is_held_up_are_all_served() {
    let folder = folder("held");
    let (mut receiver, address, _) = receiver("tcp://127.0.0.1:0", &within(&folder, "out"), &["--many"]);
    let mut lines = receiver.0.stdout.take().unwrap();
    thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
    let signal = |name: &str| {
        let sent = std::process::Command::new("kill").args([name, &receiver.0.id().to_string()]).status();
        assert!(sent.unwrap().success());
    };
    // A slow disk does that, too. More come than may be strangers at a time.
    signal("-STOP");
    let mut peers: Vec<_> = (0..400)
        .map(|id| {
            let mut peer = Peer(std::net::TcpStream::connect(address.strip_prefix("tcp://").unwrap()).unwrap());
            peer.0.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
            peer.say(&whole(HELLO, 0, 0, &hello(id, &[0; 32])));
            peer
        })
        .collect();
    signal("-CONT");
    for (id, peer) in peers.iter_mut().enumerate() {
        let mut answer = [0; 48 + 40];
        peer.0.read_exact(&mut answer).unwrap_or_else(|error| panic!("sender {id}: {error}"));
        assert_eq!((answer[5], answer[48 + 5]), (1, 3), "a challenge and a welcome");
    }
}

#[test]
fn more_transfers_than_allowed_are_refused_and_those_under_way_go_on() {
    let folder = folder("most");
    let (input, out) = (sample("flv/aac_only.flv"), within(&folder, "out"));
    let (_receiver, address, _) = receiver("tcp://127.0.0.1:0", &out, &["--many", "--max-transfers", "2"]);
    let pipe = || command(&["send", "--live", "-", &address, "--from", "adts"]).stdin(Stdio::piped()).spawn().unwrap();
    let media = read(&sample("adts/stereo_44100.aac"));
    let mut held: Vec<_> = (0..2).map(|_| pipe()).collect();
    for sender in &mut held {
        sender.stdin.as_mut().unwrap().write_all(&media[..4000]).unwrap();
    }
    // Else the third would be there before one of them.
    eventually("two transfers are under way", || fs::read_dir(&out).is_ok_and(|files| files.count() >= 2));
    eventually("a third transfer is refused", || {
        let (code, _, stderr) = text(&run(&["send", "--live", &input, &address]));
        code == Some(1) && stderr.contains("limit")
    });
    for mut sender in held {
        sender.stdin.take().unwrap().write_all(&media[4000..]).unwrap();
        assert!(sender.wait().unwrap().success());
    }
    eventually("there is room again", || run(&["send", "--live", &input, &address]).status.success());
}

#[test]
fn a_transfer_that_wants_too_much_memory_ends_and_others_do_not() {
    let folder = folder("memory");
    let (input, out) = (sample("flv/aac_only.flv"), within(&folder, "out"));
    let (_receiver, address, _) =
        receiver("tcp://127.0.0.1:0", &out, &["--many", "--max-memory", "4000000", "--max-transfers", "10"]);
    let mut greedy = Peer::welcomed(&address, 1);
    // A message of 16 MB, as large as the protocol allows, that does not fit here.
    let _ = greedy.0.write_all(&message(PACKET, 0, 0, 16 << 20, b""));
    let block = vec![1; 1 << 16];
    let said = (0..256).take_while(|_| greedy.0.write_all(&block).is_ok()).count();
    assert!(said < 200 || greedy.answer().contains("limit"), "{said} blocks were taken");
    assert!(run(&["send", "--live", &input, &address]).status.success());
}

#[test]
fn a_killed_receiver_goes_on_with_every_file() {
    let folder = folder("again");
    let out = within(&folder, "out");
    let place = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let at = format!("tcp://{place}");
    let start = || receiver(&at, &out, &["--many"]).0;
    let inputs: Vec<String> = (0..3).map(|n| within(&folder, &format!("in{n}.h264"))).collect();
    let clip = read(&sample("h264/b_frames.h264"));
    for (n, input) in inputs.iter().enumerate() {
        fs::write(input, clip.repeat(20_000_000 / clip.len() + n)).unwrap();
    }
    let mut server = start();
    let mut senders: Vec<_> = inputs.iter().map(|input| Process::start(&["send", input, &at])).collect();
    let mut kills = 0;
    while kills < 5 {
        thread::sleep(Duration::from_millis(200));
        server.kill();
        server = start();
        kills += 1;
    }
    for sender in &mut senders {
        assert_eq!(sender.ends_within(240), Some(0));
    }
    for (n, input) in inputs.iter().enumerate() {
        let local = within(&folder, &format!("local{n}.flv"));
        assert!(run(&["remux", input, &local]).status.success());
        let arrived = format!("{out}/in{n}.flv");
        eventually("the file is there", || fs::exists(&arrived).unwrap());
        assert!(read(&arrived) == read(&local), "{arrived}");
    }
    let rest = fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let rest: Vec<_> = rest.filter(|name| name.ends_with(".part")).collect();
    assert!(rest.is_empty(), "{rest:?}");
}
