//! The right to publish, to watch and to administer: web tokens, hooks, administrators, proxies, replaced settings.

use std::{
    fs,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use maliu::wire::rtmp::Role;
use maliu_relay::Config;
use sha2::Sha256;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::ends::{Http, Rtmp, Running, metric, received, stream, until};

const SECRET: &[u8] = b"a secret of thirty-two bytes....";

/// A file with a key set, and a token of these claims.
fn keys(test: &str, claims: &str) -> (String, String) {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{test}.json"));
    let encoded = |text: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(text);
    fs::write(&path, format!(r#"{{"keys":[{{"kty":"oct","k":"{}"}}]}}"#, encoded(SECRET))).unwrap();
    let signed = format!("{}.{}", encoded(br#"{"alg":"HS256"}"#), encoded(claims.as_bytes()));
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET).unwrap();
    mac.update(signed.as_bytes());
    (path.to_str().unwrap().to_owned(), format!("{signed}.{}", encoded(&mac.finalize().into_bytes())))
}

/// The status of an answer to a whole request.
async fn status(relay: &Running, request: &str) -> u16 {
    let head = Http::connect(relay.http).await.ask(request).await;
    head.split(' ').nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn web_tokens_let_publishers_and_viewers_in_by_name() {
    let (path, token) = keys("web_tokens", r#"{"exp":4294967295,"pub":"live/show","sub":"live/*"}"#);
    let relay = Running::with(|config| {
        config.publish_jwt = Some(path.clone());
        config.play_jwt = Some(path);
    })
    .await;
    assert!(Rtmp::open(relay.rtmp, "show", Role::Publish).await.is_err());
    assert!(Rtmp::open(relay.rtmp, &format!("other?token={token}"), Role::Publish).await.is_err());
    let mut publisher = Rtmp::open(relay.rtmp, &format!("show?token={token}"), Role::Publish).await.unwrap();
    publisher.send(&stream(400, 800)).await;
    received(&relay, &stream(400, 800)).await;
    assert_eq!(status(&relay, "GET /live/show.flv HTTP/1.1\r\n\r\n").await, 401);
    assert_eq!(status(&relay, &format!("GET /live/show.flv?token={token} HTTP/1.1\r\n\r\n")).await, 200);
    let bearer = format!("GET /live/show.flv HTTP/1.1\r\nAuthorization: Bearer {token}\r\n\r\n");
    assert_eq!(status(&relay, &bearer).await, 200);
    assert_eq!(status(&relay, &format!("GET /api/streams?token={token} HTTP/1.1\r\n\r\n")).await, 401);
    assert_eq!(metric(&relay, "maliu_denied_total").await, 4);
}

/// A program that is asked: it agrees when the body holds `yes`, and keeps what it was sent.
async fn hook() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (url, seen) = (format!("http://{}/hook", listener.local_addr().unwrap()), Arc::<Mutex<Vec<String>>>::default());
    let kept = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut request = Vec::new();
            while !request.ends_with(b"}") {
                if socket.read_buf(&mut request).await.unwrap() == 0 {
                    break;
                }
            }
            let text = String::from_utf8(request).unwrap();
            let status = if text.contains("yes") { "204 No Content" } else { "403 Forbidden" };
            kept.lock().unwrap().push(text);
            let _ = socket.write_all(format!("HTTP/1.1 {status}\r\nConnection: close\r\n\r\n").as_bytes()).await;
        }
    });
    (url, seen)
}

#[tokio::test]
async fn a_hook_decides_and_is_informed() {
    let (url, seen) = hook().await;
    let relay = Running::with(|config| {
        let hooks = &mut config.hooks;
        (hooks.publish, hooks.play) = (Some(url.clone()), Some(url.clone()));
        (hooks.unpublish, hooks.stop) = (Some(url.clone()), Some(url.clone()));
        hooks.secret = Some("the secret of hooks".into());
    })
    .await;
    assert!(Rtmp::open(relay.rtmp, "show?no", Role::Publish).await.is_err());
    let mut publisher = Rtmp::open(relay.rtmp, "show?yes", Role::Publish).await.unwrap();
    publisher.send(&stream(400, 800)).await;
    received(&relay, &stream(400, 800)).await;
    let count = || seen.lock().unwrap().len();
    let before = count();
    for _ in 0..3 {
        assert_eq!(status(&relay, "GET /live/show.flv?yes HTTP/1.1\r\n\r\n").await, 200);
    }
    assert_eq!(status(&relay, "GET /live/show.flv?no HTTP/1.1\r\n\r\n").await, 401);
    drop(publisher);
    let saw = |what: &str| seen.lock().unwrap().iter().filter(|text| text.contains(what)).count();
    until(async || saw("\"action\":\"stop\"") == 3 && saw("\"action\":\"unpublish\"") == 1).await;
    assert_eq!(saw("\"action\":\"play\""), 2, "the answer for the same viewer holds for a while: {}", count() - before);
    // The signature is that of the body.
    let text = seen.lock().unwrap()[0].clone();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let signature = head.split("X-Maliu-Signature: t=").nth(1).unwrap().lines().next().unwrap();
    let (time, right) = signature.split_once(",v1=").unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(b"the secret of hooks").unwrap();
    mac.update(format!("{time}.{body}").as_bytes());
    let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, right);
    let fields: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(
        (&fields["name"], &fields["protocol"], &fields["address"]),
        (&"live/show".into(), &"rtmp".into(), &"127.0.0.1".into())
    );
}

#[tokio::test]
async fn a_hook_that_does_not_answer_refuses() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let relay = Running::with(|config| {
        config.hooks.publish = Some(url);
        config.hooks.timeout = Duration::from_millis(100);
    })
    .await;
    assert!(Rtmp::open(relay.rtmp, "show", Role::Publish).await.is_err());
    assert_eq!(metric(&relay, "maliu_hooks_failed_total").await, 1);
}

/// The answer to a request of an administrator.
async fn admin(relay: &Running, method: &str, path: &str) -> (u16, serde_json::Value) {
    let mut http = Http::connect(relay.http).await;
    let head =
        http.ask(&format!("{method} /api/admin/{path} HTTP/1.0\r\nAuthorization: Bearer administrator\r\n\r\n")).await;
    let body = http.rest().await;
    (head.split(' ').nth(1).unwrap().parse().unwrap(), serde_json::from_slice(&body).unwrap_or_default())
}

#[tokio::test]
async fn an_administrator_sees_connections_and_ends_them() {
    let relay = Running::with(|config| config.admin_tokens = vec!["administrator".into()]).await;
    assert_eq!(status(&relay, "GET /api/admin/connections HTTP/1.1\r\n\r\n").await, 401);
    let wrong = "GET /api/admin/connections?token=administrator HTTP/1.1\r\n\r\n";
    assert_eq!(status(&relay, wrong).await, 401, "not in the query");
    let mut publisher = relay.publisher("show").await;
    publisher.send(&stream(400, 800)).await;
    received(&relay, &stream(400, 800)).await;
    let mut viewer = relay.player("show").await;
    viewer.tags(1).await;
    let (code, list) = admin(&relay, "GET", "connections").await;
    let of = |publishes: bool| {
        let fits = |one: &&serde_json::Value| one["stream"] == "live/show" && one["publishes"] == publishes;
        list.as_array().unwrap().iter().find(fits).unwrap().clone()
    };
    assert_eq!((code, &of(true)["protocol"], &of(false)["address"]), (200, &"rtmp".into(), &"127.0.0.1".into()));
    assert_eq!(admin(&relay, "GET", "kick?stream=live/show").await.0, 405);
    assert_eq!(admin(&relay, "POST", "kick").await.0, 400);
    assert_eq!(admin(&relay, "POST", "kick?stream=live/none").await.0, 404);
    assert_eq!(admin(&relay, "POST", &format!("kick?connection={}", of(false)["connection"])).await.0, 200);
    while !matches!(viewer.event().await, Ok(None) | Err(_)) {}
    assert_eq!(admin(&relay, "POST", "kick?stream=live%2Fshow").await.1["kicked"], 1);
    assert!(matches!(publisher.event().await, Ok(None) | Err(_)));
    until(async || metric(&relay, "maliu_publishers").await == 0).await;
    assert_eq!(admin(&relay, "POST", "reload").await.0, 500, "these settings come from no file");
    let closed = Running::new().await;
    assert_eq!(admin(&closed, "GET", "connections").await.0, 404, "off without tokens");
}

#[tokio::test]
async fn a_proxy_that_is_trusted_says_for_whom_it_connects() {
    let relay = Running::with(|config| {
        config.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
        config.proxy_protocol = true;
        config.max_connections_per_address = Some(1);
        config.admin_tokens = vec!["administrator".into()];
    })
    .await;
    let connect = async |line: &str| {
        let mut socket = TcpStream::connect(relay.http).await.unwrap();
        socket.write_all(format!("{line}GET /healthz HTTP/1.1\r\n\r\n").as_bytes()).await.unwrap();
        let mut answer = vec![0; 12];
        let got = socket.read_exact(&mut answer).await.map(|_| String::from_utf8(answer).unwrap());
        (socket, got.ok())
    };
    let ok = Some("HTTP/1.1 200".to_owned());
    let (first, answer) = connect("PROXY TCP4 192.0.2.1 192.0.2.9 1 2\r\n").await;
    assert_eq!(answer, ok);
    assert_eq!(connect("PROXY TCP4 192.0.2.1 192.0.2.9 1 2\r\n").await.1, None, "one connection of an address");
    assert_eq!(connect("PROXY TCP4 192.0.2.2 192.0.2.9 1 2\r\n").await.1, ok);
    assert_eq!(connect("").await.1, None, "it must say so");
    drop(first);
    until(async || connect("PROXY TCP4 192.0.2.1 192.0.2.9 1 2\r\n").await.1 == ok).await;
}

#[tokio::test]
async fn addresses_that_a_trusted_proxy_forwards_are_counted() {
    let relay = Running::with(|config| {
        config.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
        config.max_connections_per_address = Some(1);
    })
    .await;
    let ask = |of: &str| format!("GET /healthz HTTP/1.1\r\nX-Forwarded-For: 9.9.9.9\r\nX-Forwarded-For: {of}\r\n\r\n");
    let (mut first, mut second) = (Http::connect(relay.http).await, Http::connect(relay.http).await);
    assert!(first.ask(&ask("192.0.2.1")).await.starts_with("HTTP/1.1 200 "));
    assert!(second.ask(&ask("192.0.2.1")).await.starts_with("HTTP/1.1 429 "));
    let mut third = Http::connect(relay.http).await;
    assert!(third.ask(&ask("192.0.2.2")).await.starts_with("HTTP/1.1 200 "));
    assert_eq!(status(&relay, "GET /healthz HTTP/1.1\r\n\r\n").await, 200, "the proxy itself has no limit");
}

#[tokio::test]
async fn settings_are_replaced_while_streams_run() {
    let relay = Running::new().await;
    let mut publisher = relay.publisher("show").await;
    publisher.send(&stream(400, 400)).await;
    received(&relay, &stream(400, 400)).await;
    let mut viewer = relay.player("show").await;
    viewer.tags(2).await;
    let mut config = Config::default();
    (config.rtmp, config.http) = (([127, 0, 0, 1], 9).into(), ([127, 0, 0, 1], 0).into());
    config.publish_tokens = vec!["new token".into()];
    let remarks = relay.control.replace(config.clone()).unwrap();
    assert_eq!(remarks, ["rtmp: another address takes a restart"]);
    assert!(Rtmp::open(relay.rtmp, "other", Role::Publish).await.is_err());
    assert!(Rtmp::open(relay.rtmp, "other?token=new token", Role::Publish).await.is_ok());
    // The stream that ran runs on.
    publisher.send(&stream(400, 800)[2..]).await;
    viewer.tags(30).await;
    config.play_jwt = Some("/no/such/file".into());
    let error = relay.control.replace(config).unwrap_err().to_string();
    assert!(error.contains("/no/such/file"), "{error}");
    assert_eq!(status(&relay, "GET /live/show.flv HTTP/1.1\r\n\r\n").await, 200, "nothing has changed");
}
