//! Publishers that leave, come back, come twice, or are not let in.

use std::time::Duration;

use maliu::wire::rtmp::{ClientEvent, Fault, Role, Tag};
use maliu_relay::{Purpose, Takeover, sign};
use tokio::time::sleep;

use crate::ends::{Http, Rtmp, Running, stream, until};

fn code(refused: Result<Rtmp, Fault>) -> String {
    match refused {
        Err(Fault::Refused { code, .. }) => code,
        Err(other) => other.to_string(),
        Ok(_) => "accepted".into(),
    }
}

#[tokio::test]
async fn a_publisher_that_comes_back_cuts_nobody_and_times_go_on() {
    let relay = Running::new().await;
    let mut publisher = relay.publisher("show").await;
    let sent = stream(400, 400);
    publisher.send(&sent).await;
    let (mut http, _) = Http::get(relay.http, "/live/show.flv").await;
    let (_, mut tags) = http.flv(sent.len()).await;
    drop(publisher);
    sleep(Duration::from_millis(100)).await;
    let mut publisher = relay.publisher("show").await;
    publisher.send(&sent).await;
    for _ in 0..sent.len() {
        tags.push(crate::ends::tag(&http.chunk().await.unwrap()));
    }
    let of = |tags: &[Tag]| tags.iter().map(|tag| tag.body.clone()).collect::<Vec<_>>();
    assert!(of(&tags) == [of(&sent), of(&sent)].concat(), "configurations come again, and a keyframe");
    let media: Vec<u32> = tags.iter().map(|tag| tag.time).collect();
    assert!(media.is_sorted(), "{media:?}");
}

#[tokio::test]
async fn a_stream_ends_when_its_publisher_stays_away() {
    let relay = Running::with(|config| config.linger = Duration::ZERO).await;
    let mut publisher = relay.publisher("show").await;
    let sent = stream(400, 400);
    publisher.send(&sent).await;
    let (mut http, _) = Http::get(relay.http, "/live/show.flv").await;
    let mut player = relay.player("show").await;
    let mut websocket = Http::websocket(relay.http, "/live/show.flv").await;
    http.flv(sent.len()).await;
    player.tags(sent.len()).await;
    drop(publisher);
    assert_eq!(http.chunk().await, None);
    assert_eq!(http.rest().await, b"");
    assert_eq!(player.event().await, Ok(Some(ClientEvent::End)));
    let last = loop {
        match websocket.frame().await {
            (0x82, _) => {}
            other => break other,
        }
    };
    assert_eq!(last, (0x88, vec![]));
    until(async || Http::get(relay.http, "/live/show.flv").await.1.starts_with("HTTP/1.1 404 ")).await;
}

#[tokio::test]
async fn a_second_publisher_is_refused_while_the_first_sends() {
    let relay = Running::new().await;
    let mut first = relay.publisher("show").await;
    first.send(&stream(400, 400)).await;
    let second = Rtmp::open(relay.rtmp, "show", Role::Publish).await;
    assert_eq!(code(second), "NetStream.Publish.BadName");
    let other = Rtmp::open(relay.rtmp, "other", Role::Publish).await;
    assert_eq!(code(other), "accepted");
}

#[tokio::test]
async fn a_second_publisher_takes_over_where_it_may() {
    let relay = Running::with(|config| config.takeover = Takeover::Always).await;
    let (mut first, sent) = (relay.publisher("show").await, stream(400, 400));
    first.send(&sent).await;
    let mut player = relay.player("show").await;
    player.tags(sent.len()).await;
    let mut second = relay.publisher("show").await;
    // Tags that the first sends from here on are not seen, and it is cut.
    first.send(&sent[2..]).await;
    second.send(&sent).await;
    let tags = player.tags(sent.len()).await;
    assert!(tags.iter().zip(&sent).all(|(got, sent)| got.body == sent.body));
    assert_eq!(first.event().await, Ok(None));
}

#[tokio::test]
async fn tokens_open_and_close() {
    let relay = Running::with(|config| {
        config.publish_tokens = vec!["for-publishers".into()];
        config.play_tokens = vec!["for-viewers".into()];
    })
    .await;
    for wrong in ["show", "show?token=", "show?token=for-publisher", "show?token=for-viewers"] {
        assert_eq!(code(Rtmp::open(relay.rtmp, wrong, Role::Publish).await), "NetStream.Publish.Denied", "{wrong}");
    }
    let mut publisher = relay.publisher("show?token=for-publishers").await;
    publisher.send(&stream(400, 400)).await;
    assert_eq!(code(Rtmp::open(relay.rtmp, "show", Role::Play).await), "NetStream.Play.Failed");
    relay.player("show?token=for-viewers").await.tags(3).await;
    for (path, status) in [
        ("/live/show.flv", 401),
        ("/live/show.flv?token=for-viewers", 200),
        ("/api/streams", 401),
        ("/", 401),
        ("/?token=for-viewers", 200),
        ("/healthz", 200),
    ] {
        let (_, head) = Http::get(relay.http, path).await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{head}");
    }
    let mut http = Http::connect(relay.http).await;
    let head = http.ask("GET /live/show.flv HTTP/1.1\r\nAuthorization: Bearer for-viewers\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
}

#[tokio::test]
async fn signatures_open_one_stream() {
    let secret = "a secret of this relay";
    let relay = Running::with(|config| {
        config.publish_secret = Some(secret.into());
        config.play_secret = Some(secret.into());
    })
    .await;
    let query = |purpose, name: &str| sign(secret, purpose, name, u64::from(u32::MAX));
    let publish = query(Purpose::Publish, "live/show");
    assert_eq!(
        code(Rtmp::open(relay.rtmp, &format!("other?{publish}"), Role::Publish).await),
        "NetStream.Publish.Denied"
    );
    let mut publisher = relay.publisher(&format!("show?{publish}")).await;
    publisher.send(&stream(400, 400)).await;
    crate::ends::received(&relay, &stream(400, 400)).await;
    let play = query(Purpose::Play, "live/show");
    relay.player(&format!("show?{play}")).await.tags(3).await;
    for (path, status) in [
        (format!("/live/show.flv?{play}"), 200),
        (format!("/live/show.flv?{publish}"), 401),
        ("/live/show.flv".into(), 401),
        ("/api/streams".into(), 401),
    ] {
        let (_, head) = Http::get(relay.http, &path).await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{path}: {head}");
    }
}

#[tokio::test]
async fn other_addresses_than_this_machine_s_get_a_token() {
    let relay = Running::with(|config| config.rtmp = ([0, 0, 0, 0], 0).into()).await;
    let (port, token) = (relay.rtmp.port(), relay.token.clone().unwrap());
    let here = ([127, 0, 0, 1], port).into();
    assert_eq!(code(Rtmp::open(here, "show", Role::Publish).await), "NetStream.Publish.Denied");
    assert_eq!(code(Rtmp::open(here, &format!("show?token={token}"), Role::Publish).await), "accepted");
    let open = Running::with(|config| {
        config.rtmp = ([0, 0, 0, 0], 0).into();
        config.open_publish = true;
    })
    .await;
    assert_eq!(open.token, None);
}

#[tokio::test]
async fn a_relay_that_stops_serves_viewers_to_the_end() {
    let mut relay = Running::new().await;
    let mut publisher = relay.publisher("show").await;
    let sent = stream(400, 400);
    publisher.send(&sent).await;
    let mut player = relay.player("show").await;
    player.tags(sent.len()).await;
    relay.stop();
    assert_eq!(publisher.event().await, Ok(Some(ClientEvent::Reconnect(None))));
    let (_, head) = Http::get(relay.http, "/readyz").await;
    assert!(head.starts_with("HTTP/1.1 503 "), "{head}");
    assert_eq!(code(Rtmp::open(relay.rtmp, "new", Role::Publish).await), "NetStream.Publish.Failed");
    publisher.send(&sent[2..]).await;
    player.tags(sent.len() - 2).await;
    drop(publisher);
    assert_eq!(player.event().await, Ok(Some(ClientEvent::End)));
    relay.ended().await;
}
