//! The parts of HLS as one body without end, over HTTP or WebSocket: what a player in a browser appends to its buffer.

use std::{
    io,
    sync::{Arc, atomic::Ordering},
};

use bytes::Bytes;
use maliu::{
    blocking::Reader,
    hls::{Container, codec_string},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};

use super::{Answer, BATCH};
use crate::{
    channel::Channel,
    form::LAST_CHUNK,
    hls::Live,
    hub::Hub,
    link::{STALL_LIMIT, Socket, TICK},
    metrics::Protocol,
    queue::Queue,
    watch::Ear,
    websocket,
};

/// How the body goes.
#[derive(Debug)]
pub(super) enum Form {
    /// Until the connection ends.
    Plain,
    /// In chunks of HTTP/1.1.
    Chunked,
    /// A binary frame of WebSocket for each part. In front of each initialization stands a text frame with its type and
    /// codecs. This is the answer to the key of the handshake.
    Socket(String),
}

/// A viewer of a body without end. It is counted as long as this lives.
#[derive(Debug)]
pub(super) struct Endless {
    live: Arc<Live>,
    channel: Arc<Channel>,
    hub: Arc<Hub>,
    form: Form,
    is_head: bool,
}

impl Drop for Endless {
    fn drop(&mut self) {
        self.channel.viewers(Protocol::Mp4).fetch_sub(1, Ordering::Relaxed);
        self.hub.metrics.viewers(Protocol::Mp4).fetch_sub(1, Ordering::Relaxed);
    }
}

impl Endless {
    /// A viewer from the last keyframe on.
    pub(super) fn new(live: Arc<Live>, channel: Arc<Channel>, hub: Arc<Hub>, form: Form, is_head: bool) -> Self {
        channel.viewers(Protocol::Mp4).fetch_add(1, Ordering::Relaxed);
        hub.metrics.viewers(Protocol::Mp4).fetch_add(1, Ordering::Relaxed);
        Self { live, channel, hub, form, is_head }
    }

    fn start(&self) -> Vec<u8> {
        let kind = if self.live.container == Container::Ts { "video/mp2t" } else { "video/mp4" };
        let start = || Answer::bare(200).with("Content-Type", kind).with("Cache-Control", "no-store").public();
        let start = match &self.form {
            Form::Plain => start().with("Connection", "close"),
            Form::Chunked => start().with("Transfer-Encoding", "chunked"),
            Form::Socket(accept) => Answer::bare(101)
                .with("Upgrade", "websocket")
                .with("Connection", "Upgrade")
                .with("Sec-WebSocket-Accept", accept.clone()),
        };
        start.encode_start()
    }

    /// Writes all that comes until the stream ends, or the viewer goes.
    pub(super) async fn serve<S: Socket>(self, socket: &mut S) -> io::Result<()> {
        put(socket, &self.start()).await?;
        if self.is_head {
            return socket.shutdown().await;
        }
        let (mut place, mut changes, mut said) = (None, self.live.changes(), [0; 256]);
        let (mut peer, mut out) = (websocket::Peer::default(), Queue::default());
        loop {
            changes.borrow_and_update();
            self.live.touch();
            let data = self.live.window().follow(&mut place);
            for part in data.iter().filter(|part| !part.is_empty()) {
                self.part(socket, part).await?;
            }
            if data.is_empty() && self.live.is_over() {
                break;
            }
            tokio::select! {
                changed = timeout(TICK, changes.changed()) => match changed {
                    Ok(Err(_)) => break,
                    Ok(Ok(())) => {}
                    Err(_) if matches!(self.form, Form::Socket(_)) => peer.tick(&mut out),
                    Err(_) => {}
                },
                got = socket.read(&mut said) => {
                    let got = got?;
                    let heard = said.get(..got).unwrap_or_default();
                    let goes_on = match &self.form {
                        Form::Socket(_) if got > 0 => peer.hear(heard, &mut out)?,
                        _ => got > 0,
                    };
                    if !goes_on {
                        flush(socket, &mut out).await?;
                        return socket.shutdown().await;
                    }
                }
            }
            flush(socket, &mut out).await?;
        }
        match self.form {
            Form::Plain => {}
            Form::Chunked => put(socket, LAST_CHUNK).await?,
            Form::Socket(_) => {
                peer.end(&mut out);
                flush(socket, &mut out).await?;
            }
        }
        socket.shutdown().await
    }

    /// Writes a part, or an initialization.
    async fn part<S: Socket>(&self, socket: &mut S, part: &Bytes) -> io::Result<()> {
        self.hub.metrics.sent(Protocol::Mp4, part.len());
        let tail = match &self.form {
            Form::Plain => &b""[..],
            Form::Chunked => {
                put(socket, format!("{:x}\r\n", part.len()).as_bytes()).await?;
                b"\r\n"
            }
            Form::Socket(_) => {
                if part.get(4..8) == Some(b"ftyp") {
                    let kind = kind(part);
                    put(socket, websocket::head(websocket::TEXT, kind.len()).bytes()).await?;
                    put(socket, kind.as_bytes()).await?;
                }
                put(socket, websocket::head(websocket::BINARY, part.len()).bytes()).await?;
                b""
            }
        };
        for piece in part.chunks(BATCH) {
            put(socket, piece).await?;
        }
        put(socket, tail).await
    }
}

/// The type and the codecs of an initialization, as `MediaSource` wants them.
fn kind(init: &Bytes) -> String {
    let mut reader = Reader::new(init.clone());
    // It has no packets, only streams.
    while let Some(Ok(_)) = reader.next() {}
    let codecs: Option<Vec<String>> = reader.streams().iter().map(codec_string).collect();
    match codecs.filter(|codecs| !codecs.is_empty()) {
        Some(codecs) => format!("video/mp4; codecs=\"{}\"", codecs.join(",")),
        None => "video/mp4".to_owned(),
    }
}

/// Writes bytes to a viewer that may be slow, but must not stand still.
async fn put<S: Socket>(socket: &mut S, bytes: &[u8]) -> io::Result<()> {
    timeout(STALL_LIMIT, socket.write_all(bytes)).await.map_err(|_| io::ErrorKind::TimedOut)?
}

async fn flush<S: Socket>(socket: &mut S, out: &mut Queue) -> io::Result<()> {
    while !out.is_empty() {
        let writing = std::future::poll_fn(|cx| out.poll_write(&mut *socket, cx));
        timeout(STALL_LIMIT, writing).await.map_err(|_| io::ErrorKind::TimedOut)??;
    }
    socket.flush().await
}
