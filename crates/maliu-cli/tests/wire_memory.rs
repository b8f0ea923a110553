//! Memory that hostile peers and files cost a receiver and a sender: little more than the limit, whatever they send.
#![cfg(target_os = "linux")]

use std::{
    io::Write,
    net::Shutdown,
    process::{Command, Stdio},
    thread,
};

mod binary;
mod peers;
use binary::{folder, process::Process, run, sample, text, within};
use peers::{PACKET, Peer, STREAM, description, packet, packet_beside, receiver, whole};

/// The limit of the receivers here, and what they may take besides, in MB.
const LIMIT: &str = "67108864";
const MOST: u64 = 64 + 64;

/// The largest resident memory of a process so far, in MiB.
fn peak(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() >> 10
}

/// Two streams, of which one is silent, so that the other waits for it.
fn begin(address: &str, id: u64) -> Peer {
    let mut peer = Peer::welcomed(address, id);
    (0..2).for_each(|n| peer.say(&whole(STREAM, n, n.into(), &description(0, 0))));
    peer
}

/// Says the same body again and again, as messages in a row.
fn flood(peer: &mut Peer, body: &[u8], count: u64) {
    let first = whole(PACKET, 0, 0, body);
    for number in 2..2 + count {
        let mut head = first[..32].to_vec();
        head[12..20].copy_from_slice(&u64::to_be_bytes(number));
        let sum = peers::crc32c(&head[..28]);
        head[28..].copy_from_slice(&sum.to_be_bytes());
        if peer.0.write_all(&[&head, body].concat()).is_err() {
            return;
        }
    }
}

#[test]
fn side_data_counts_as_much_as_data() {
    let folder = folder("side");
    let out = within(&folder, "out");
    let (server, address, _) = receiver("tcp://127.0.0.1:0", &out, &["--many", "--max-memory", LIMIT]);
    for kind in [1, 4, 99] {
        let mut peer = begin(&address, kind.into());
        flood(&mut peer, &packet_beside(0, kind, 1 << 20, 1), 400);
        let _ = peer.0.shutdown(Shutdown::Write);
        drop(peer.answer());
        assert!(peak(server.0.id()) < MOST, "kind {kind}: {} MiB", peak(server.0.id()));
    }
    let sent = run(&["send", &sample("flv/aac_only.flv"), &address]);
    assert!(sent.status.success(), "{:?}", text(&sent));
}

#[test]
fn many_small_packets_of_many_senders_count() {
    let folder = folder("small");
    let out = within(&folder, "out");
    let (server, address, _) = receiver("tcp://127.0.0.1:0", &out, &["--many", "--max-memory", LIMIT]);
    let senders: Vec<_> = (0..20)
        .map(|id| {
            let address = address.clone();
            thread::spawn(move || {
                let mut peer = begin(&address, id);
                let bodies: Vec<u8> =
                    (2..40_000u64).flat_map(|number| whole(PACKET, 0, number, &packet(0, 1))).collect();
                let _ = peer.0.write_all(&bodies);
                let _ = peer.0.shutdown(Shutdown::Write);
                drop(peer.answer());
            })
        })
        .collect();
    senders.into_iter().for_each(|sender| sender.join().unwrap());
    assert!(peak(server.0.id()) < MOST, "{} MiB", peak(server.0.id()));
    let sent = run(&["send", &sample("flv/aac_only.flv"), &address]);
    assert!(sent.status.success(), "{:?}", text(&sent));
}

/// An FLV file: its tags by type, time and body.
fn film(tags: impl Iterator<Item = (u8, u32, Vec<u8>)>) -> Vec<u8> {
    let mut file = b"FLV\x01\x05\0\0\0\x09\0\0\0\0".to_vec();
    for (kind, time, body) in tags {
        let (size, [t3, t2, t1, t0]) = ((body.len() as u32).to_be_bytes(), time.to_be_bytes());
        let head = [&[kind][..], &size[1..], &[t2, t1, t0, t3, 0, 0, 0]].concat();
        file.extend([&head[..], &body, &(body.len() as u32 + 11).to_be_bytes()].concat());
    }
    file
}

/// Runs a command to its end; its exit code, its largest memory in MiB, and what it said.
fn watched(args: &[&str]) -> (Option<i32>, u64, String) {
    let quoted: Vec<String> = args.iter().map(|arg| format!("'{arg}'")).collect();
    // The shell reports on its child when that has ended.
    let script = format!("ulimit -v 1000000; exec '{}' {}", env!("CARGO_BIN_EXE_maliu"), quoted.join(" "));
    let mut child =
        Process(Command::new("sh").args(["-c", &script]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap());
    let (id, mut most) = (child.0.id(), 0);
    let status = loop {
        if let Some(status) = child.0.try_wait().unwrap() {
            break status;
        }
        if let Ok(text) = std::fs::read_to_string(format!("/proc/{id}/status"))
            && let Some(line) = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))
        {
            most = line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() >> 10;
        }
        thread::sleep(std::time::Duration::from_millis(2));
    };
    let mut said = String::new();
    let _ = std::io::Read::read_to_string(&mut child.0.stderr.take().unwrap(), &mut said);
    (status.code(), most, said)
}

#[test]
fn a_large_configuration_before_each_packet_counts() {
    let folder = folder("headers");
    let (from, out) = (within(&folder, "in.flv"), within(&folder, "out"));
    // A picture of H.263 at the start, so that sound waits for more of them.
    let header = [&[0xaf, 0, 0x12, 0x10][..], &vec![0x55; 1 << 20]].concat();
    let sound = (0..150u32).flat_map(|n| [(8, n, header.clone()), (8, n, vec![0xaf, 1, 0x21, 0x10, 4])]);
    let picture = std::iter::once((9, 0, vec![0x12, 0, 0, 0x80, 1, 0, 0, 0, 0]));
    std::fs::write(&from, film(picture.chain(sound))).unwrap();
    let (server, address, _) = receiver("tcp://127.0.0.1:0", &out, &["--many", "--max-memory", LIMIT]);
    let (code, most, said) = watched(&["send", &from, &address]);
    assert!(code.is_some() && most < MOST, "{code:?}, {most} MiB: {said}");
    assert!(peak(server.0.id()) < MOST, "{} MiB", peak(server.0.id()));
    let (code, most, said) = watched(&["remux", &from, &within(&folder, "again.flv")]);
    assert!(code == Some(0) && most < 64 + MOST, "{code:?}, {most} MiB: {said}");
}

#[test]
fn tags_that_change_all_the_time_cost_in_proportion_to_the_file() {
    let folder = folder("rot");
    let (from, out) = (within(&folder, "rot.flv"), within(&folder, "out"));
    let string = |text: &str| [&(text.len() as u16).to_be_bytes()[..], text.as_bytes()].concat();
    let script = |members: Vec<(String, String)>| {
        let mut body = [&[2][..], &string("onMetaData"), &[8, 0, 0, 0, 1]].concat();
        members.iter().for_each(|(key, value)| body.extend([&string(key)[..], &[2], &string(value)].concat()));
        body.extend([0, 0, 9]);
        body
    };
    let all = script((0..1000).map(|n| (format!("k{n:04}"), "v".repeat(20))).collect());
    let changes = (0..9000u32).map(|n| (18, n, script(vec![(format!("k{:04}", n % 1000), format!("w{n}"))])));
    let sound = (0..3u32).map(|n| (8, n * 3000, vec![0x2f; 400]));
    std::fs::write(&from, film(std::iter::once((18, 0, all)).chain(sound).chain(changes))).unwrap();
    let (_server, address, _) = receiver("tcp://127.0.0.1:0", &out, &["--many", "--max-memory", LIMIT]);
    let begun = std::time::Instant::now();
    let (code, most, said) = watched(&["send", &from, &address]);
    assert!(code == Some(0) && most < MOST, "{code:?}, {most} MiB: {said}");
    assert!(begun.elapsed().as_secs() < 60, "{:?}", begun.elapsed());
}

#[test]
fn silence_times_channels_is_refused_wherever_it_comes_from() {
    let folder = folder("silence");
    let mut described = description(0, 0);
    // The number of channels stands behind the rate.
    let at = described.windows(6).rposition(|bytes| bytes == [0, 0, 0xac, 0x44, 0, 2]).unwrap();
    described[at + 4..at + 6].copy_from_slice(&[0xff, 0xff]);
    let said = [whole(STREAM, 0, 0, &described), whole(PACKET, 0, 1, &packet(0, 1)), whole(10, 0, 2, &[])].concat();
    let from = within(&folder, "silence.wire");
    std::fs::write(&from, &said).unwrap();
    for args in [
        &["decode", "--from", "wire", &from, &within(&folder, "a.wav")][..],
        &["remux", "--from", "wire", &from, &within(&folder, "a.mp3")],
        &["probe", "--from", "wire", &from],
    ] {
        let (code, most, why) = watched(args);
        assert!(code == Some(1) && most < 64 && why.contains("channels (MAX_CHANNELS)"), "{args:?}: {code:?} {why}");
    }
    let out = within(&folder, "out");
    let (mut server, address, _) = receiver("tcp://127.0.0.1:0", &out, &["--many", "-f", "wav"]);
    let mut peer = Peer::welcomed(&address, 1);
    peer.say(&said);
    assert!(peer.answer().contains("MAX_CHANNELS"));
    let sent = run(&["send", &sample("flv/aac_only.flv"), &address]);
    assert!(sent.status.success() && !server.is_over(), "{:?}", text(&sent));
    assert!(peak(server.0.id()) < 64, "{} MiB", peak(server.0.id()));
}
