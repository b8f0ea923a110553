//! Peers that send what makes no sense: the relay closes, counts, and serves on.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::ends::{Http, PATIENCE, Running, stream};

/// The answer of an address until the connection ends.
async fn answer(to: std::net::SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut socket = TcpStream::connect(to).await.unwrap();
    let (mut reader, mut writer) = socket.split();
    let mut got = Vec::new();
    let exchange = async {
        // The relay may close before it has taken all.
        let _ = tokio::join!(writer.write_all(bytes), reader.read_to_end(&mut got));
    };
    timeout(PATIENCE, exchange).await.expect("the relay closes the connection");
    got
}

#[tokio::test]
async fn nonsense_is_answered_or_closed() {
    let relay = Running::new().await;
    for (bytes, status) in [
        (&b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\n\n"[..], "400"),
        (&[b'a'; 100_000], "431"),
        (&[b'\n'; 100_000], "431"),
        (b"GET / HTTP/9\r\n\r\n", "505"),
        (b"GET /\xff HTTP/1.1\r\n\r\n", "400"),
        (b"GET /healthz HTTP/1.1\r\nContent-Length: 5\r\n\r\nGET /", "200"),
    ] {
        let got = answer(relay.http, bytes).await;
        let text = String::from_utf8_lossy(&got);
        assert!(text.starts_with(&format!("HTTP/1.1 {status} ")), "{text:?}");
    }
    for bytes in [&[0; 100_000][..], b"GET / HTTP/1.1\r\n\r\n", &[3; 400_000], &[0xff; 5000]] {
        answer(relay.rtmp, bytes).await;
    }
    relay.publisher("show").await;
}

#[tokio::test]
async fn a_peer_that_says_much_and_publishes_nothing_is_cut() {
    let relay = Running::new().await;
    let mut player = relay.player("none").await;
    // A message that never ends, of a chunk stream of its own.
    let flood = [&[0x07, 0, 0, 0, 0x7f, 0xff, 0xff, 9, 1, 0, 0, 0][..], &[0; 512 << 10]].concat();
    player.raw(&flood).await;
    let mut ended = player.event().await;
    while let Ok(Some(_)) = ended {
        ended = player.event().await;
    }
    relay.publisher("show").await;
}

#[tokio::test]
async fn viewers_that_talk_are_cut() {
    let relay = Running::new().await;
    let mut publisher = relay.publisher("show").await;
    publisher.send(&stream(400, 400)).await;
    crate::ends::received(&relay, &stream(400, 400)).await;
    let (mut http, _) = Http::get(relay.http, "/live/show.flv").await;
    let mut websocket = Http::websocket(relay.http, "/live/show.flv").await;
    for viewer in [&mut http, &mut websocket] {
        let _ = viewer.socket.write_all(&[0x81; 200_000]).await;
        timeout(Duration::from_secs(5), viewer.rest()).await.expect("the viewer is cut");
    }
}
