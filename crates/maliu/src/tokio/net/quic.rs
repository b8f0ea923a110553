//! QUIC: one connection with one stream in both directions, opened by the end that speaks first.

use std::{
    future::Future,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use ::tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use quinn::{
    ClientConfig, Connection, Endpoint, Incoming, RecvStream, SendStream, ServerConfig, TransportConfig, VarInt,
    crypto::rustls::{QuicClientConfig, QuicServerConfig},
};

use super::{First, Identity, Stream, Trust};

/// Bytes that may be on their way unacknowledged.
const WINDOW: u32 = 8 << 20;

pub(super) async fn listen(place: &str, identity: &Identity) -> io::Result<Endpoint> {
    let config = QuicServerConfig::try_from(identity.config()?).map_err(io::Error::other)?;
    let mut config = ServerConfig::with_crypto(Arc::new(config));
    config.transport_config(transport());
    Endpoint::server(config, resolve(place).await?)
}

pub(super) async fn accept(incoming: Incoming, first: First) -> io::Result<Stream> {
    stream(incoming.await?, None, first == First::Listener).await
}

pub(super) async fn connect(place: &str, trust: &Trust, first: First) -> io::Result<Stream> {
    let to = resolve(place).await?;
    let from: SocketAddr = if to.is_ipv4() { ([0; 4], 0).into() } else { ([0; 16], 0).into() };
    let endpoint = Endpoint::client(from)?;
    let config = QuicClientConfig::try_from(trust.config()?).map_err(io::Error::other)?;
    let mut config = ClientConfig::new(Arc::new(config));
    config.transport_config(transport());
    let connection = endpoint.connect_with(config, to, super::host(place)).map_err(io::Error::other)?.await?;
    stream(connection, Some(endpoint), first == First::Connector).await
}

/// The one stream of a connection: this end opens it if it speaks first.
async fn stream(connection: Connection, endpoint: Option<Endpoint>, opens: bool) -> io::Result<Stream> {
    let (send, receive) = if opens { connection.open_bi().await? } else { connection.accept_bi().await? };
    Ok(Box::new(Quic { send, receive, arriving: None, closing: None, connection, endpoint }))
}

async fn resolve(place: &str) -> io::Result<SocketAddr> {
    ::tokio::net::lookup_host(place).await?.next().ok_or(io::ErrorKind::NotFound.into())
}

fn transport() -> Arc<TransportConfig> {
    let mut config = TransportConfig::default();
    config
        .stream_receive_window(WINDOW.into())
        .receive_window(WINDOW.into())
        .send_window(WINDOW.into())
        .max_concurrent_bidi_streams(VarInt::from_u32(1))
        .max_concurrent_uni_streams(VarInt::from_u32(0))
        .keep_alive_interval(Some(Duration::from_secs(5)));
    Arc::new(config)
}

/// The stream, with what must live as long.
struct Quic {
    send: SendStream,
    receive: RecvStream,
    /// After the end was sent: until the peer has all of it. Closing before would drop what is on its way.
    arriving: Option<Work>,
    /// After both ends were sent: until both peers know that both have come.
    closing: Option<Work>,
    connection: Connection,
    /// That of the end that has connected.
    endpoint: Option<Endpoint>,
}

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Quic {
    /// The connecting end closes and stays until that is acknowledged; the other one waits for the close. An end that
    /// left at once would leave the other waiting for an acknowledgement.
    fn close(&self) -> Work {
        let connection = self.connection.clone();
        match self.endpoint.clone() {
            Some(endpoint) => Box::pin(async move {
                connection.close(VarInt::from_u32(0), b"");
                endpoint.wait_idle().await;
            }),
            None => Box::pin(async move { drop(connection.closed().await) }),
        }
    }
}

impl AsyncRead for Quic {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.closing.is_none() {
            let before = buf.filled().len();
            ready!(AsyncRead::poll_read(Pin::new(&mut self.receive), cx, buf))?;
            if buf.filled().len() > before || self.arriving.is_none() {
                return Poll::Ready(Ok(()));
            }
            self.closing = Some(self.close());
        }
        self.closing.as_mut().map_or(Poll::Ready(()), |closing| closing.as_mut().poll(cx)).map(Ok)
    }
}

impl AsyncWrite for Quic {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        AsyncWrite::poll_write(Pin::new(&mut self.send), cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        AsyncWrite::poll_flush(Pin::new(&mut self.send), cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.arriving.is_none() {
            ready!(AsyncWrite::poll_shutdown(Pin::new(&mut self.send), cx))?;
            let stopped = self.send.stopped();
            self.arriving = Some(Box::pin(async { drop(stopped.await) }));
        }
        self.arriving.as_mut().map_or(Poll::Ready(()), |arriving| arriving.as_mut().poll(cx)).map(Ok)
    }
}
