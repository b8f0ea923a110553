//! Answers to requests that are not for a stream.

use crate::ends::{Http, Running, metric, stream};

#[tokio::test]
async fn a_connection_takes_one_request_after_another() {
    let relay = Running::new().await;
    let mut http = Http::connect(relay.http).await;
    for (request, status, body) in [
        ("GET /healthz HTTP/1.1\r\n\r\n", 200, &b"ok\n"[..]),
        ("HEAD /healthz HTTP/1.1\r\n\r\n", 200, b""),
        ("GET /nothing HTTP/1.1\r\n\r\n", 404, b"nothing is here\n"),
        ("GET /live/none.flv HTTP/1.1\r\n\r\n", 404, b"nothing is published under this name\n"),
        ("OPTIONS /live/none.flv HTTP/1.1\r\n\r\n", 204, b""),
        ("GET /api/streams HTTP/1.1\r\n\r\n", 200, b"[]"),
        ("DELETE /healthz HTTP/1.1\r\n\r\n", 405, b"GET only\n"),
        ("POST /x HTTP/1.1\r\nConnection: close\r\n\r\n", 405, b"GET only\n"),
    ] {
        let head = http.ask(request).await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{request:?}: {head}");
        assert_eq!(http.exactly(body.len()).await, body);
    }
    assert_eq!(http.rest().await, b"", "the last one asked to close");
}

#[tokio::test]
async fn streams_are_listed_with_their_names_escaped() {
    let relay = Running::new().await;
    let mut publisher = relay.publisher("<b>&'x").await;
    publisher.send(&stream(400, 400)).await;
    crate::ends::received(&relay, &stream(400, 400)).await;
    let mut http = Http::connect(relay.http).await;
    let head = http.ask("GET / HTTP/1.1\r\nHost: <i>\r\nConnection: close\r\n\r\n").await;
    assert!(head.contains("Content-Security-Policy: default-src 'none'"), "{head}");
    let page = String::from_utf8(http.rest().await).unwrap();
    assert!(!page.contains("<b>&") && !page.contains("<i>"), "{page}");
    let mut http = Http::connect(relay.http).await;
    http.ask("GET /api/streams HTTP/1.0\r\n\r\n").await;
    let streams: serde_json::Value = serde_json::from_slice(&http.rest().await).unwrap();
    assert_eq!((&streams[0]["name"], &streams[0]["live"]), (&"live/<b>&'x".into(), &true.into()));
    assert_eq!(metric(&relay, "maliu_publishers").await, 1);
    let (_, head) = Http::get(relay.http, "/live/%3Cb%3E&'x.flv").await;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
}

#[tokio::test]
async fn a_viewer_that_leaves_is_counted_no_longer() {
    let relay = Running::new().await;
    let mut publisher = relay.publisher("show").await;
    publisher.send(&stream(400, 400)).await;
    crate::ends::received(&relay, &stream(400, 400)).await;
    let count = async |protocol: &str| metric(&relay, &format!("maliu_viewers{{protocol=\"{protocol}\"}}")).await;
    let http = Http::get(relay.http, "/live/show.flv").await;
    let (websocket, player) = (Http::websocket(relay.http, "/live/show.flv").await, relay.player("show").await);
    let counts = async || [count("http-flv").await, count("ws-flv").await, count("rtmp").await];
    crate::ends::until(async || counts().await == [1, 1, 1]).await;
    drop((http, websocket, player));
    crate::ends::until(async || counts().await == [0, 0, 0]).await;
}
