//! Both ends as processes, and peers that say what they should not.
#![allow(dead_code)]

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use crate::binary::process::Process;

/// A receiver that listens, its address and the fingerprint of its certificate.
pub(crate) fn receiver(at: &str, out: &str, more: &[&str]) -> (Process, String, Option<String>) {
    Process::listening(&[&["receive", at, out, "--json"][..], more].concat())
}

/// A file.
pub(crate) fn read(path: &str) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The sum of headers and bodies.
pub(crate) fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0x82f6_3b78 & (crc & 1).wrapping_neg()))
    })
}

/// A message of the protocol, with right sums unless the body is `None`: then its length is only declared.
pub(crate) fn message(kind: u8, stream: u32, sequence: u64, length: u32, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0xab, 0x4d, 0x4c, 0x55, 1, kind, 0, 0];
    bytes.extend(stream.to_be_bytes());
    bytes.extend(sequence.to_be_bytes());
    bytes.extend(length.to_be_bytes());
    bytes.extend(crc32c(body).to_be_bytes());
    bytes.extend(crc32c(&bytes).to_be_bytes());
    bytes.extend(body);
    bytes
}

/// Content or control, whole.
pub(crate) fn whole(kind: u8, stream: u32, sequence: u64, body: &[u8]) -> Vec<u8> {
    message(kind, stream, sequence, body.len() as u32, body)
}

/// Numbers of kinds.
pub(crate) const HELLO: u8 = 2;
pub(crate) const STREAM: u8 = 4;
pub(crate) const PACKET: u8 = 5;

/// A peer of one's own at a receiver.
pub(crate) struct Peer(pub TcpStream);

impl Peer {
    /// Connects to `tcp://…` and reads the challenge.
    pub(crate) fn connect(address: &str) -> Self {
        let stream = TcpStream::connect(address.strip_prefix("tcp://").unwrap()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let mut peer = Self(stream);
        let mut challenge = [0; 48];
        peer.0.read_exact(&mut challenge).unwrap();
        assert_eq!(challenge[5], 1, "a challenge");
        peer
    }

    /// Says hello as a live sender without a token, and reads the welcome.
    pub(crate) fn welcomed(address: &str, id: u64) -> Self {
        let mut peer = Self::connect(address);
        peer.say(&whole(HELLO, 0, 0, &hello(id, &[0; 32])));
        let mut welcome = [0; 40];
        peer.0.read_exact(&mut welcome).unwrap();
        assert_eq!(welcome[5], 3, "a welcome");
        peer
    }

    /// Says anything.
    pub(crate) fn say(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).unwrap();
    }

    /// Bytes that are answered until the other end closes, as text with everything else.
    pub(crate) fn answer(mut self) -> String {
        let mut answer = Vec::new();
        let _ = self.0.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }
}

/// The body of a hello of a live sender.
pub(crate) fn hello(id: u64, proof: &[u8; 32]) -> Vec<u8> {
    let mut body = vec![1, 2];
    body.extend(id.to_be_bytes());
    body.extend(proof);
    body.extend([0, 0, 0, 4]);
    body.extend(b"peer");
    body
}

/// The body of the description of an MP3 stream, with a configuration and a tag of the given lengths.
pub(crate) fn description(config: usize, tag: usize) -> Vec<u8> {
    let size = |length: usize| (length as u32).to_be_bytes();
    let mut body = [0, 0, 0, 1, 0, 0, 0xac, 0x44, 0, 0, 0, 0, 0, 3].to_vec();
    body.extend(b"mp3\0\0\0\0");
    body.extend([&size(config)[..], &vec![1; config]].concat());
    body.extend([0, 0, 0, 28, 0, 0, 0xac, 0x44, 0, 2]);
    body.extend([0; 22 + 5]);
    body.extend(size(4 + 1 + 4 + tag));
    body.extend([&size(1)[..], b"k", &size(tag), &vec![b'v'; tag]].concat());
    body.extend([0; 4]);
    body
}

/// The body of a packet with `bytes` bytes of data.
pub(crate) fn packet(time: u64, data: usize) -> Vec<u8> {
    let mut body = vec![0, 0, 0, 34, 3, 1];
    body.extend([time.to_be_bytes(), time.to_be_bytes(), [0; 8], [0; 8]].concat());
    body.resize(body.len() + data, 7);
    body
}

/// The body of a packet of so little data, and of side data of a kind (1 a configuration, 4 opaque, above unknown).
pub(crate) fn packet_beside(time: u64, kind: u8, side: usize, data: usize) -> Vec<u8> {
    let mut body = packet(time, 0);
    body[..4].copy_from_slice(&(34 + 5 + side as u32).to_be_bytes());
    body.push(kind);
    body.extend((side as u32).to_be_bytes());
    body.resize(body.len() + side + data, 7);
    body
}
