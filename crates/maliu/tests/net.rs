//! Sockets in the place of files, over loopback.

use std::{
    net::{TcpListener, UdpSocket},
    thread,
    time::Duration,
};

use bytes::Bytes;
use maliu::{
    Packet,
    blocking::Reader,
    io::{Sink, Source},
    net::{self, Described},
    output::{Edit, Mark, Piece},
    rtp::sdp,
};

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../samples/rtsp/h264_aac.rtsp");
const STREAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../samples/mpegts");

fn packets(mut reader: Reader<impl Source>) -> Vec<Packet> {
    std::iter::from_fn(|| match reader.next_packet() {
        Err(error) if error.is_not_yet() => Some(None),
        packet => packet.unwrap().map(Some),
    })
    .flatten()
    .map(|mut packet| {
        packet.position = None;
        packet
    })
    .collect()
}

fn file() -> Vec<u8> {
    let mut names: Vec<_> = std::fs::read_dir(STREAM).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    let name = names.iter().find(|name| name.extension().is_some_and(|extension| extension == "ts")).unwrap();
    std::fs::read(name).unwrap()
}

fn send(mut sink: impl Sink, bytes: &[u8]) {
    for part in bytes.chunks(1000) {
        let piece = Piece { mark: Mark::Body { time: None }, parts: vec![Bytes::copy_from_slice(part)] };
        sink.apply(Edit::Append(piece)).unwrap();
    }
    sink.finish().unwrap();
}

fn read(mut source: impl Source) -> Vec<u8> {
    let (mut all, mut block) = (Vec::new(), vec![0; 3000]);
    loop {
        match source.read_at(all.len() as u64, &mut block) {
            Ok(0) => return all,
            Ok(got) => all.extend_from_slice(&block[..got]),
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock, "{error}"),
        }
    }
}

/// A port that was free a moment ago.
fn port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn bytes_over_tcp_are_those_that_were_sent() {
    let bytes = file();
    let url = format!("tcp://127.0.0.1:{}", port());
    let reader = net::source(&format!("{url}?listen")).unwrap();
    let sent = bytes.clone();
    let sending = thread::spawn(move || send(net::sink(&url).unwrap(), &sent));
    assert_eq!(read(reader), bytes);
    sending.join().unwrap();
}

#[test]
fn payloads_of_datagrams_follow_each_other() {
    let url = format!("udp://127.0.0.1:{}", port());
    let reader = net::source(&format!("{url}?timeout=0.3")).unwrap();
    let bytes: Vec<u8> = (0..40_000u32).map(|n| n as u8).collect();
    send(net::sink(&url).unwrap(), &bytes);
    assert_eq!(read(reader), bytes);
}

#[test]
fn a_url_that_cannot_be_opened_says_why() {
    let why = |url: &str| net::source(url).err().unwrap().to_string();
    assert_eq!(why("srt://a:1"), "srt:// is not read by this build; it has rtsp, tcp, udp and unix");
    assert_eq!(why("udp://a"), "a is not HOST:PORT");
    assert_eq!(net::sink("udp://:5").err().unwrap().to_string(), "udp:// names no host to send to");
}

/// The packets of the sample, by channel.
fn recorded() -> (String, Vec<(u8, Vec<u8>)>) {
    let bytes = std::fs::read(SAMPLE).unwrap();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let sdp = text[text.find("v=0").unwrap()..text.find("RTSP/1.0 200 OK\r\nCSeq: 3").unwrap()].to_owned();
    let mut rest = &bytes[bytes.windows(5).position(|bytes| bytes == b"\r\n\r\n$").unwrap() + 4..];
    let mut packets = Vec::new();
    while let [b'$', channel, high, low, after @ ..] = rest {
        let (packet, next) = after.split_at(usize::from(u16::from_be_bytes([*high, *low])));
        packets.push((*channel, packet.to_vec()));
        rest = next;
    }
    (sdp, packets)
}

#[test]
fn a_described_session_gives_the_packets_of_its_recording() {
    let (text, sent) = recorded();
    let mut description = sdp::parse(&text).unwrap();
    let ports = loop {
        let (video, audio) = (port() & !1, port() & !1);
        if video != audio {
            break [video, audio];
        }
    };
    for (media, port) in description.media.iter_mut().zip(ports) {
        media.port = port;
    }
    let source = Described::open(&description).unwrap();
    let sending = thread::spawn(move || {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        for (channel, packet) in sent {
            let to = ("127.0.0.1", ports[usize::from(channel / 2)] + u16::from(channel & 1));
            socket.send_to(&packet, to).unwrap();
            thread::sleep(Duration::from_micros(200));
        }
        for port in ports {
            socket.send_to(&[0x81, 203, 0, 1, 0, 0, 0, 1], ("127.0.0.1", port + 1)).unwrap();
        }
    });
    let key = |packet: &Packet| (packet.stream, packet.pts, packet.data.clone());
    let mut received: Vec<_> = packets(Reader::new(source)).iter().map(key).collect();
    sending.join().unwrap();
    let mut expected: Vec<_> = packets(Reader::open(SAMPLE).unwrap()).iter().map(key).collect();
    // The sockets of two streams are read side by side. Without RTP-Info, sender reports put the streams on one time line:
    // they were sent by two clocks a little apart.
    let sort = |packets: &mut Vec<(usize, _, Bytes)>| packets.sort_by_key(|packet| packet.0);
    sort(&mut received);
    sort(&mut expected);
    let data = |packets: &[(usize, Option<maliu::Ticks>, Bytes)]| -> Vec<_> {
        packets.iter().map(|(stream, _, data)| (*stream, data.clone())).collect()
    };
    assert_eq!(data(&received), data(&expected));
    let times = |packets: &[(usize, Option<maliu::Ticks>, Bytes)], stream| -> Vec<i64> {
        let times: Vec<i64> =
            packets.iter().filter(|packet| packet.0 == stream).map(|packet| packet.1.unwrap().0).collect();
        times.iter().map(|time| time - times[0]).collect()
    };
    for stream in [0, 1] {
        assert_eq!(times(&received, stream), times(&expected, stream));
    }
}
