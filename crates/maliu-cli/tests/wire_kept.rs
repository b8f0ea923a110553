//! Acknowledged content, however it was received, is there after the receiver was killed.

use std::{io::Read, net::TcpListener};

mod binary;
mod peers;
use binary::{folder, within};
use peers::{HELLO, PACKET, Peer, STREAM, hello, receiver, whole};

/// Connects as a reliable sender; which message is wanted first.
fn wanted(address: &str) -> (Peer, u64) {
    let mut peer = Peer::connect(address);
    let mut body = hello(1, &[0; 32]);
    body[1] = 1;
    peer.say(&whole(HELLO, 0, 0, &body));
    let mut welcome = [0; 40];
    peer.0.read_exact(&mut welcome).unwrap();
    assert_eq!(welcome[5], 3, "a welcome");
    (peer, u64::from_be_bytes(welcome[32..].try_into().unwrap()))
}

#[test]
fn what_a_welcome_acknowledges_outlives_a_kill() {
    let folder = folder("kept");
    let out = within(&folder, "out.mp3");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let at = format!("tcp://127.0.0.1:{port}");
    let mut promised = 0;
    for round in 0..10 {
        let (mut server, address, _) = receiver(&at, &out, &[]);
        let (mut peer, kept) = wanted(&address);
        assert!(kept >= promised, "round {round}: {promised} messages were acknowledged, {kept} are there");
        let mut said = Vec::new();
        for number in kept..kept + 20 {
            said.extend(match number {
                0 => whole(STREAM, 0, 0, &peers::description(0, 0)),
                _ => whole(PACKET, 0, number, &peers::packet(number, 100)),
            });
        }
        peer.say(&said);
        // It breaks, comes back, hears what has arrived: some, or all.
        drop(peer);
        promised = wanted(&address).1;
        server.kill();
    }
    assert!(promised > 0);
}
