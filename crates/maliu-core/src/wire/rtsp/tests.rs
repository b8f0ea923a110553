//! A client and a server of a few lines: whole sessions without a socket.

use alloc::{format, string::String, vec, vec::Vec};
use core::{task::Poll, time::Duration};

use super::{Carrier, Client, Event, Fault};

const SDP: &str = "v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:trackID=1\r\n\
    m=audio 0 RTP/AVP 0\r\na=control:rtsp://h/s/trackID=2\r\n";

/// A server: its answers to methods, and the requests that came.
struct Server {
    digest: bool,
    refuses_udp: bool,
    came: Vec<String>,
}

impl Server {
    fn answer(&mut self, request: &str) -> String {
        self.came.push(request.lines().next().unwrap_or_default().into());
        let line = |name: &str| request.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim();
        let head = |status: &str| format!("RTSP/1.0 {status}\r\nCSeq: {}\r\n", line("CSeq:"));
        if self.digest && line("Authorization:").is_empty() && !request.starts_with("OPTIONS") {
            return head("401 Unauthorized") + "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n\r\n";
        }
        let transport = line("Transport:");
        match request.split(' ').next().unwrap_or_default() {
            "OPTIONS" => head("200 OK") + "Public: DESCRIBE, GET_PARAMETER\r\n\r\n",
            "DESCRIBE" => {
                let kind = format!("Content-Base: rtsp://h/s/\r\nContent-Length: {}\r\n\r\n", SDP.len());
                head("200 OK") + &kind + SDP
            }
            "SETUP" if self.refuses_udp && !transport.contains("TCP") => head("461 Unsupported Transport") + "\r\n",
            "SETUP" => {
                head("200 OK") + &format!("Session: 7;timeout=10\r\nTransport: {transport};server_port=6-7\r\n\r\n")
            }
            "PLAY" => {
                let info =
                    "RTP-Info: url=rtsp://h/s/trackID=2;seq=1;rtptime=5,url=rtsp://h/s/trackID=1;rtptime=9\r\n\r\n";
                head("200 OK") + info + "$\u{1}\0\u{2}ab"
            }
            _ => head("200 OK") + "\r\n",
        }
    }
}

/// Runs a session as far as it goes, with answers in slices of `slice` bytes; its events, and why it ended.
fn run(url: &str, carriers: [Carrier; 2], server: &mut Server, slice: usize) -> (Vec<Event>, Option<Fault>) {
    let mut client = Client::new(url.parse().unwrap(), Duration::ZERO);
    let mut events = vec![];
    loop {
        let mut wrote = false;
        while let Some(bytes) = client.next_write() {
            wrote = true;
            let answer = server.answer(core::str::from_utf8(&bytes).unwrap());
            for part in answer.as_bytes().chunks(slice) {
                client.push(part, Duration::ZERO);
                loop {
                    match client.poll() {
                        Ok(Poll::Ready(event)) => {
                            if let Event::Described(_) = event {
                                client.set_up(&[(0, carriers[0]), (1, carriers[1])]);
                            }
                            events.push(event);
                        }
                        Ok(Poll::Pending) => break,
                        Err(fault) => return (events, Some(fault)),
                    }
                }
            }
        }
        if !wrote && client.is_playing() && events.len() > 4 {
            client.timeout(Duration::from_secs(6)).unwrap();
            let alive = client.next_write().unwrap();
            assert!(alive.starts_with(b"GET_PARAMETER rtsp://h/s/ RTSP/1.0\r\n"), "{alive:?}");
            client.finish();
            assert!(client.next_write().unwrap().starts_with(b"TEARDOWN"));
            return (events, None);
        }
        assert!(wrote, "{events:?}");
    }
}

fn server(digest: bool, refuses_udp: bool) -> Server {
    Server { digest, refuses_udp, came: vec![] }
}

#[test]
fn a_session_over_tcp_runs_to_its_packets() {
    for slice in [1, 7, 10_000] {
        for digest in [false, true] {
            let mut server = server(digest, true);
            let (events, fault) = run("rtsp://u:p@h/s", [Carrier::Interleaved; 2], &mut server, slice);
            assert_eq!(fault, None);
            let [Event::Described(description), rest @ ..] = &events[..] else { panic!("{events:?}") };
            assert_eq!(description.media.len(), 2);
            assert_eq!(
                rest,
                [
                    Event::SetUp { stream: 0, ports: None },
                    Event::SetUp { stream: 1, ports: None },
                    Event::Playing(vec![(1, 5), (0, 9)]),
                    Event::Packet { stream: 0, control: true, data: b"ab"[..].into() },
                ]
            );
            let last: Vec<&str> = server.came.iter().rev().take(3).map(String::as_str).collect();
            let expected = ["PLAY rtsp://h/s/", "SETUP rtsp://h/s/trackID=2", "SETUP rtsp://h/s/trackID=1"];
            assert_eq!(last, expected.map(|line| format!("{line} RTSP/1.0")));
        }
    }
}

#[test]
fn a_server_that_refuses_udp_says_so() {
    let mut server = server(false, true);
    let (_, fault) = run("rtsp://h/s", [Carrier::Udp(5000), Carrier::Udp(5002)], &mut server, 99);
    assert_eq!(fault, Some(Fault::Transport(461)));
}

#[test]
fn credentials_are_asked_for_and_not_repeated() {
    let carriers = [Carrier::Interleaved; 2];
    let (_, fault) = run("rtsp://h/s", carriers, &mut server(true, false), 99);
    assert!(matches!(fault, Some(Fault::Access(why)) if why.contains("into the URL")));
}

#[test]
fn bytes_that_are_not_rtsp_and_silence_are_faults() {
    let mut client = Client::new("rtsp://h/s".parse().unwrap(), Duration::ZERO);
    client.push(&[0, 1, 2, 3, 4], Duration::ZERO);
    assert!(matches!(client.poll(), Err(Fault::Malformed(_))));
    let mut client = Client::new("rtsp://h/s".parse().unwrap(), Duration::ZERO);
    assert_eq!(client.timeout(Duration::from_secs(9)), Ok(()));
    assert!(matches!(client.timeout(Duration::from_secs(11)), Err(Fault::Silent(_))));
}
