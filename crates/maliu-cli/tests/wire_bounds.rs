//! Peers that are welcome and want too much of a receiver, and programs behind it that read nothing.
#![cfg(target_os = "linux")]

use std::{
    io::{Read, Write},
    net::Shutdown,
    process::Stdio,
    time::Duration,
};

mod binary;
mod peers;
use binary::{command, folder, process::Process, run, sample, text, within};
use peers::{HELLO, PACKET, Peer, STREAM, description, hello, packet, receiver, whole};

/// The largest resident memory of a process so far, in MB.
fn peak(process: &Process) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.0.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1000
}

#[test]
fn descriptions_are_bounded_one_by_one_and_together() {
    let folder = folder("descriptions");
    let (mut server, address, _) = receiver("tcp://127.0.0.1:0", &within(&folder, "out"), &["--many"]);
    // One that is too large; many that are too much together; one with the last number there is, behind a thousand
    // others.
    let large = vec![whole(STREAM, 0, 0, &description(0, 5 << 20))];
    let many = (0..20).map(|n| whole(STREAM, n, n.into(), &description(1 << 19, 1 << 19))).collect();
    let last = vec![whole(STREAM, 1023, 0, &description(0, 1 << 20)), whole(PACKET, 1023, 1, &packet(0, 400))];
    for (id, (said, limit)) in [(large, true), (many, true), (last, false)].into_iter().enumerate() {
        let mut peer = Peer::welcomed(&address, id as u64);
        let unheard = said.iter().any(|message| peer.0.write_all(message).is_err());
        assert!(limit || !unheard, "{id}");
        let _ = peer.0.shutdown(Shutdown::Write);
        let answer = peer.answer();
        assert!(!limit || unheard || answer.contains("limit"), "{id}: {answer}");
    }
    let sent = run(&["send", &sample("flv/aac_only.flv"), &address]);
    assert!(sent.status.success(), "{:?}", text(&sent));
    assert!(!server.is_over() && peak(&server) < 120, "{} MB", peak(&server));
}

#[test]
fn messages_that_never_end_stay_within_the_memory_that_is_promised() {
    let folder = folder("endless");
    let (mut server, address, _) = receiver("tcp://127.0.0.1:0", &within(&folder, "out"), &["--many"]);
    let block = vec![7; 1 << 20];
    // Of half of them this is all that ever comes, of the others it follows the beginning of a transfer.
    let peers: Vec<Peer> = (0..60)
        .map(|id| {
            let mut peer = Peer::welcomed(&address, id);
            peer.0.set_write_timeout(Some(Duration::from_secs(5))).unwrap();
            if id % 2 == 0 {
                peer.say(&whole(STREAM, 0, 0, &description(0, 0)));
            }
            let _ = peer.0.write_all(&peers::message(PACKET, 0, 1, 32 << 20, b""));
            let _ = (0..31).try_for_each(|_| peer.0.write_all(&block));
            peer
        })
        .collect();
    let sent = run(&["send", &sample("flv/aac_only.flv"), &address, "--give-up", "30"]);
    assert!(sent.status.success(), "{:?}", text(&sent));
    assert!(!server.is_over() && peak(&server) < 256 + 64, "{} MB", peak(&server));
    drop(peers);
}

#[test]
fn a_program_that_reads_nothing_holds_up_the_sender_and_costs_no_memory() {
    let mut line = command(&["receive", "tcp://127.0.0.1:0", "-", "-f", "mp3", "--json"]);
    let mut receiver = Process(line.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
    let mut line = Vec::new();
    let mut told = receiver.0.stderr.take().unwrap();
    while line.last() != Some(&b'\n') {
        line.resize(line.len() + 1, 0);
        told.read_exact(line.last_mut().map(std::slice::from_mut).unwrap()).unwrap();
    }
    let line: serde_json::Value = serde_json::from_slice(&line).unwrap();
    let mut peer = Peer::connect(line["address"].as_str().unwrap());
    peer.say(&whole(HELLO, 0, 0, &hello(1, &[0; 32])));
    peer.say(&whole(STREAM, 0, 0, &description(0, 0)));
    // A header of MP3 in front of much invalid data: the muxer asks no more.
    let message = |number| {
        let mut body = packet(number, 2 << 20);
        body[4 + 34..][..4].copy_from_slice(&[0xff, 0xfb, 0x90, 0]);
        whole(PACKET, 0, number, &body)
    };
    peer.0.set_write_timeout(Some(Duration::from_secs(2))).unwrap();
    let taken = (1..60).take_while(|number| peer.0.write_all(&message(*number)).is_ok()).count();
    assert!(taken < 30, "{taken} messages are taken though the output is not read");
    assert!(peak(&receiver) < 80, "{} MB", peak(&receiver));
}
