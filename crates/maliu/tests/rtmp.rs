//! Publishing to and playing from a server of this crate, over loopback.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    task::Poll,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use maliu::{
    Packet,
    blocking::Reader,
    copy,
    formats::{flv, flv::tag::Kind},
    io::Source,
    rtmp::{Player, Publisher, Url},
    wire::rtmp::{Server, ServerEvent, ServerOptions, Tag},
};

const CLIP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../samples/flv/h264_aac.flv");

/// One connection of a server: what it does with requests, and with the tags that come.
struct Peer {
    answer: fn(&mut Server),
    /// Tags for a player, then the end of the stream.
    tags: Vec<Tag>,
    /// Closes without a word behind this many tags.
    cut: Option<usize>,
}

impl Peer {
    /// Serves one connection; returns the tags that came.
    fn serve(self) -> (Url, JoinHandle<Vec<Tag>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("rtmp://{}/live/key", listener.local_addr().unwrap()).parse().unwrap();
        (url, thread::spawn(move || self.run(listener.accept().unwrap().0)))
    }

    fn run(self, mut socket: TcpStream) -> Vec<Tag> {
        let (mut server, begun) = (Server::new(ServerOptions::default(), Duration::ZERO), Instant::now());
        let (mut came, mut block) = (Vec::new(), [0; 4096]);
        loop {
            let got = socket.read(&mut block).unwrap_or(0);
            if got == 0 {
                return came;
            }
            server.push(&block[..got], begun.elapsed());
            while let Poll::Ready(event) = server.poll().unwrap() {
                match event {
                    ServerEvent::Publish(request) | ServerEvent::Play(request) => {
                        assert_eq!((&*request.app, &*request.name), ("live", "key"));
                        (self.answer)(&mut server);
                        self.tags.iter().for_each(|tag| server.send(tag));
                        if !self.tags.is_empty() && self.cut.is_none() {
                            server.unpublish();
                        }
                    }
                    ServerEvent::Tag(tag) => came.push(tag),
                    _ => {}
                }
            }
            while let Some(bytes) = server.next_write() {
                socket.write_all(&bytes).unwrap();
            }
            if self.cut.is_some_and(|cut| came.len() >= cut && server.playing().is_some() == (cut == 0)) {
                return came;
            }
        }
    }
}

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

#[test]
fn what_is_published_is_what_is_played() {
    let (url, serving) = Peer { answer: Server::accept, tags: Vec::new(), cut: None }.serve();
    let publisher = Publisher::connect(&url).unwrap();
    let options = copy::Options::default();
    copy::run([Reader::open(CLIP).unwrap()], &flv::FORMAT, publisher, options).unwrap();
    let tags = serving.join().unwrap();
    assert!(tags.iter().filter(|tag| tag.kind == Kind::Script).count() == 1, "metadata");
    let (url, serving) = Peer { answer: Server::accept, tags, cut: None }.serve();
    let played = packets(Reader::new(Player::connect(&url).unwrap()));
    serving.join().unwrap();
    let source = packets(Reader::open(CLIP).unwrap());
    let key = |packet: &Packet| (packet.stream, packet.pts, packet.dts, packet.data.clone());
    assert_eq!(played.iter().map(key).collect::<Vec<_>>(), source.iter().map(key).collect::<Vec<_>>());
}

#[test]
fn a_refusal_names_its_reason() {
    let answer = |server: &mut Server| server.refuse("NetStream.Publish.BadName", "another publishes it");
    let (url, serving) = Peer { answer, tags: Vec::new(), cut: None }.serve();
    let error = Publisher::connect(&url).err().unwrap();
    assert_eq!(error.to_string(), "the peer refused: NetStream.Publish.BadName: another publishes it");
    serving.join().unwrap();
}

#[test]
fn a_connection_that_breaks_is_an_error_of_either_end() {
    let tag = Tag { kind: Kind::Audio, time: 0, body: vec![0x2f; 400].into() };
    let (url, serving) = Peer { answer: Server::accept, tags: vec![tag], cut: Some(0) }.serve();
    let mut player = Player::connect(&url).unwrap();
    serving.join().unwrap();
    let mut buffer = [0; 4096];
    let error = loop {
        match player.read_at(0, &mut buffer) {
            Ok(got) => assert!(got > 0, "an end"),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) => break error,
        }
    };
    assert_eq!(error.to_string(), "rtmp: the peer closed the connection");
    let (url, serving) = Peer { answer: Server::accept, tags: Vec::new(), cut: Some(3) }.serve();
    let publisher = Publisher::connect(&url).unwrap();
    let mut options = copy::Options::default();
    options.pace = true;
    let done = copy::run([Reader::open(CLIP).unwrap()], &flv::FORMAT, publisher, options);
    assert!(serving.join().unwrap().len() >= 3);
    assert!(done.unwrap_err().to_string().contains("the peer closed the connection"));
}

#[test]
fn no_server_is_an_error_of_the_system() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("rtmp://127.0.0.1:{port}/live/key").parse().unwrap();
    assert_eq!(Player::connect(&url).err().unwrap().kind(), std::io::ErrorKind::ConnectionRefused);
}
