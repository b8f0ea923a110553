//! Both ends of a relay's connections, for tests.

use std::{
    net::SocketAddr,
    task::Poll,
    time::{Duration, Instant},
};

use maliu::{
    formats::flv::tag::{HEAD, Head, Kind, TAIL},
    wire::rtmp::{Client, ClientEvent, ClientOptions, Fault, Role, Tag},
};
use maliu_relay::{Config, Control, Relay};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::oneshot,
    task::JoinHandle,
    time::timeout,
};

/// A test that waits longer than this has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A relay that runs.
pub(crate) struct Running {
    pub(crate) rtmp: SocketAddr,
    pub(crate) http: SocketAddr,
    pub(crate) token: Option<String>,
    pub(crate) control: Control,
    pub(crate) rtmps: Option<SocketAddr>,
    pub(crate) https: Option<SocketAddr>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Running {
    /// With the defaults, at ports that are free.
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default();
        (config.rtmp, config.http) = (([127, 0, 0, 1], 0).into(), ([127, 0, 0, 1], 0).into());
        change(&mut config);
        let relay = Relay::bind(config).await.unwrap();
        let (rtmp, http, token) = (relay.rtmp(), relay.http(), relay.token().map(Into::into));
        let (control, rtmps, https) = (relay.control(), relay.rtmps(), relay.https());
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(relay.run(async {
            let _ = stopped.await;
        }));
        Self { rtmp, http, token, control, rtmps, https, stop: Some(stop), task }
    }

    /// Asks it to stop.
    pub(crate) fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    /// Waits until it has ended.
    pub(crate) async fn ended(self) {
        timeout(PATIENCE, self.task).await.expect("the relay ends").unwrap();
    }

    pub(crate) async fn publisher(&self, name: &str) -> Rtmp {
        Rtmp::open(self.rtmp, name, Role::Publish).await.unwrap()
    }

    pub(crate) async fn player(&self, name: &str) -> Rtmp {
        Rtmp::open(self.rtmp, name, Role::Play).await.unwrap()
    }
}

/// A client of RTMP.
pub(crate) struct Rtmp {
    socket: TcpStream,
    client: Client,
    begun: Instant,
}

impl Rtmp {
    /// Connects and begins; fails as the relay refuses.
    pub(crate) async fn open(relay: SocketAddr, name: &str, role: Role) -> Result<Self, Fault> {
        let url = format!("rtmp://{relay}/live/{name}").parse().unwrap();
        let client = Client::new(ClientOptions::new(url, role), Duration::ZERO);
        let socket = TcpStream::connect(relay).await.unwrap();
        let mut one = Self { socket, client, begun: Instant::now() };
        loop {
            match one.event().await? {
                Some(ClientEvent::Started(_)) => return Ok(one),
                // A relay that stops says so before it answers.
                Some(ClientEvent::Reconnect(_)) => {}
                other => panic!("{other:?} instead of a start"),
            }
        }
    }

    /// The next event; `None` when the relay has closed the connection.
    pub(crate) async fn event(&mut self) -> Result<Option<ClientEvent>, Fault> {
        timeout(PATIENCE, self.wait()).await.expect("an event comes in time")
    }

    async fn wait(&mut self) -> Result<Option<ClientEvent>, Fault> {
        let mut block = vec![0; 1 << 16];
        loop {
            let polled = self.client.poll();
            self.flush().await;
            if let Poll::Ready(event) = polled? {
                return Ok(Some(event));
            }
            match self.socket.read(&mut block).await.unwrap_or(0) {
                0 => return Ok(None),
                got => self.client.push(&block[..got], self.begun.elapsed()),
            }
        }
    }

    async fn flush(&mut self) {
        while let Some(bytes) = self.client.next_write() {
            // A relay that has gone shows when it is read from.
            let _ = self.socket.write_all(&bytes).await;
        }
    }

    /// Sends bytes as they are.
    pub(crate) async fn raw(&mut self, bytes: &[u8]) {
        // The relay may close before it has taken all.
        let _ = self.socket.write_all(bytes).await;
    }

    pub(crate) async fn send(&mut self, tags: &[Tag]) {
        for tag in tags {
            self.client.send(tag);
            self.flush().await;
        }
    }

    /// Tags that come until there are `count`.
    pub(crate) async fn tags(&mut self, count: usize) -> Vec<Tag> {
        let mut tags = Vec::new();
        while tags.len() < count {
            match self.event().await {
                Ok(Some(ClientEvent::Tag(tag))) => tags.push(tag),
                Ok(Some(ClientEvent::Reconnect(_))) => {}
                other => panic!("{other:?} after {} tags", tags.len()),
            }
        }
        tags
    }
}

/// A client of HTTP.
pub(crate) struct Http {
    pub(crate) socket: TcpStream,
    bytes: Vec<u8>,
}

impl Http {
    pub(crate) async fn connect(relay: SocketAddr) -> Self {
        Self { socket: TcpStream::connect(relay).await.unwrap(), bytes: Vec::new() }
    }

    /// Asks for a path; returns the head of the answer.
    pub(crate) async fn get(relay: SocketAddr, path: &str) -> (Self, String) {
        let mut one = Self::connect(relay).await;
        let head = one.ask(&format!("GET {path} HTTP/1.1\r\nHost: {relay}\r\n\r\n")).await;
        (one, head)
    }

    /// Asks for a stream over WebSocket.
    pub(crate) async fn websocket(relay: SocketAddr, path: &str) -> Self {
        let mut one = Self::connect(relay).await;
        let head = one
            .ask(&format!(
                "GET {path} HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                 Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
            ))
            .await;
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        assert!(head.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"), "{head}");
        one
    }

    pub(crate) async fn ask(&mut self, request: &str) -> String {
        self.socket.write_all(request.as_bytes()).await.unwrap();
        let end = loop {
            match self.bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                Some(at) => break at + 4,
                None => assert!(self.more().await, "no answer to {request:?}: {:?}", self.bytes),
            }
        };
        String::from_utf8(self.bytes.drain(..end).collect()).unwrap()
    }

    /// Reads more; false at the end.
    async fn more(&mut self) -> bool {
        let got = timeout(PATIENCE, self.socket.read_buf(&mut self.bytes)).await.expect("bytes come in time");
        got.unwrap_or(0) > 0
    }

    pub(crate) async fn exactly(&mut self, count: usize) -> Vec<u8> {
        while self.bytes.len() < count {
            assert!(self.more().await, "the answer ends too soon");
        }
        self.bytes.drain(..count).collect()
    }

    /// All that comes to the end.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        while self.more().await {}
        std::mem::take(&mut self.bytes)
    }

    /// A line, without its end.
    pub(crate) async fn line(&mut self) -> String {
        loop {
            if let Some(at) = self.bytes.windows(2).position(|two| two == b"\r\n") {
                let line = self.bytes.drain(..at + 2).take(at).collect();
                return String::from_utf8(line).unwrap();
            }
            assert!(self.more().await, "the answer ends in a line");
        }
    }

    /// A chunk of a body; `None` for the last.
    pub(crate) async fn chunk(&mut self) -> Option<Vec<u8>> {
        let size = usize::from_str_radix(&self.line().await, 16).unwrap();
        let content = self.exactly(size).await;
        assert_eq!(self.exactly(2).await, b"\r\n");
        (size > 0).then_some(content)
    }

    /// A frame of WebSocket: its kind, and its content.
    pub(crate) async fn frame(&mut self) -> (u8, Vec<u8>) {
        let head = self.exactly(2).await;
        let size = match head[1] {
            126 => u16::from_be_bytes(self.exactly(2).await.try_into().unwrap()).into(),
            127 => u64::from_be_bytes(self.exactly(8).await.try_into().unwrap()),
            size => size.into(),
        };
        (head[0], self.exactly(size as usize).await)
    }

    /// The flags of the file's header, and `count` tags, in chunks.
    pub(crate) async fn flv(&mut self, count: usize) -> (u8, Vec<Tag>) {
        let header = self.chunk().await.unwrap();
        let mut tags = Vec::new();
        while tags.len() < count {
            tags.push(tag(&self.chunk().await.unwrap()));
        }
        (header[4], tags)
    }
}

/// The tag of these bytes.
pub(crate) fn tag(bytes: &[u8]) -> Tag {
    let head = Head::parse(bytes).unwrap();
    assert_eq!(bytes.len(), HEAD + head.size + TAIL);
    assert_eq!(bytes[HEAD + head.size..], ((HEAD + head.size) as u32).to_be_bytes());
    Tag { kind: head.kind, time: head.time, body: bytes[HEAD..HEAD + head.size].to_vec().into() }
}

/// Video of `size` bytes.
pub(crate) fn video(key: bool, time: u32, size: usize) -> Tag {
    let mut body = vec![time as u8; size.max(6)];
    body[..5].copy_from_slice(&[if key { 0x17 } else { 0x27 }, 1, 0, 0, 0]);
    Tag { kind: Kind::Video, time, body: body.into() }
}

pub(crate) fn audio(time: u32) -> Tag {
    Tag { kind: Kind::Audio, time, body: vec![0xaf, 1, time as u8].into() }
}

/// The configurations of video and audio.
pub(crate) fn configs() -> [Tag; 2] {
    [(Kind::Video, &b"\x17\0\0\0\0avcC"[..]), (Kind::Audio, b"\xaf\0\x12\x10")].map(|(kind, body)| Tag {
        kind,
        time: 0,
        body: body.into(),
    })
}

/// Configurations, and groups of `group` ms: video every 40 ms, audio every 20 ms.
pub(crate) fn stream(group: u32, end: u32) -> Vec<Tag> {
    let mut tags: Vec<Tag> = configs().into();
    for time in (0..end).step_by(20) {
        if time % 40 == 0 {
            tags.push(video(time % group == 0, time, 700));
        }
        tags.push(audio(time));
    }
    tags
}

/// Waits until a condition holds.
pub(crate) async fn until(mut holds: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < PATIENCE, "what was waited for does not happen");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A counter of `/metrics`.
pub(crate) async fn metric(relay: &Running, name: &str) -> u64 {
    let (mut http, head) = Http::get(relay.http, "/metrics").await;
    let length = head.split("Content-Length: ").nth(1).unwrap().split("\r\n").next().unwrap().parse().unwrap();
    let text = String::from_utf8(http.exactly(length).await).unwrap();
    let line = text.lines().find(|line| line.starts_with(&format!("{name} "))).expect(name);
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

/// Waits until the relay has received this many bytes of media.
pub(crate) async fn received(relay: &Running, tags: &[Tag]) {
    let bytes: u64 = tags.iter().map(|tag| tag.body.len() as u64).sum();
    until(async || metric(relay, "maliu_received_bytes_total").await >= bytes).await;
}
