//! Viewers of every protocol: the bytes they get, and when.

use std::time::Duration;

use maliu::wire::rtmp::{ClientEvent, Tag};
use tokio::time::sleep;

use crate::ends::{Http, Running, audio, received, stream, tag, video};

/// The tags for a late viewer of `sent`: the configurations at the time of the last keyframe, and all from there on.
fn from_last_key(sent: &[Tag]) -> Vec<Tag> {
    let key = sent.iter().rposition(|tag| tag.body.starts_with(&[0x17, 1])).unwrap();
    let at = |tag: &Tag| Tag { time: sent[key].time, ..tag.clone() };
    sent[..2].iter().map(at).chain(sent[key..].iter().cloned()).collect()
}

#[tokio::test]
async fn late_viewers_of_every_protocol_get_the_same_from_the_last_keyframe_on() {
    let relay = Running::new().await;
    let mut publisher = relay.publisher("show").await;
    let (sent, more) = (stream(400, 1000), [video(false, 1000, 200_000), audio(1000), video(true, 1040, 70_000)]);
    publisher.send(&sent).await;
    received(&relay, &sent).await;
    let (mut flv, head) = Http::get(relay.http, "/live/show.flv").await;
    assert!(head.starts_with("HTTP/1.1 200 ") && head.contains("Content-Type: video/x-flv\r\n"), "{head}");
    let mut websocket = Http::websocket(relay.http, "/live/show.flv").await;
    let mut player = relay.player("show").await;
    publisher.send(&more).await;
    let all: Vec<Tag> = sent.iter().chain(&more).cloned().collect();
    let expected = [from_last_key(&sent), more.into()].concat();
    assert!(expected.len() < all.len() - 40);
    let (flags, tags) = flv.flv(expected.len()).await;
    assert_eq!((flags, tags == expected), (5, true));
    assert_eq!(websocket.frame().await, (0x82, b"FLV\x01\x05\0\0\0\x09\0\0\0\0".into()));
    for expected in &expected {
        let (kind, frame) = websocket.frame().await;
        assert_eq!((kind, tag(&frame) == *expected), (0x82, true));
    }
    assert!(player.tags(expected.len()).await == expected);
}

#[tokio::test]
async fn http_1_0_gets_a_file_without_chunks_and_flags_are_true() {
    let relay = Running::new().await;
    let mut publisher = relay.publisher("sound").await;
    let sent: Vec<Tag> = (0..1000).step_by(20).map(audio).collect();
    publisher.send(&sent).await;
    received(&relay, &sent).await;
    let mut http = Http::connect(relay.http).await;
    let head = http.ask("GET /live/sound.flv HTTP/1.0\r\n\r\n").await;
    assert!(!head.contains("chunked") && head.contains("Connection: close\r\n"), "{head}");
    assert_eq!(http.exactly(13).await, b"FLV\x01\x04\0\0\0\x09\0\0\0\0");
    assert_eq!(tag(&http.exactly(18).await), sent[sent.len() - 1]);
}

#[tokio::test]
async fn a_player_may_come_before_its_publisher() {
    let relay = Running::new().await;
    let mut player = relay.player("early").await;
    let mut publisher = relay.publisher("early").await;
    let sent = stream(400, 400);
    publisher.send(&sent).await;
    assert!(player.tags(sent.len()).await == sent);
}

#[tokio::test]
async fn the_least_delay_begins_at_the_next_keyframe() {
    let relay = Running::new().await;
    let mut publisher = relay.publisher("show").await;
    let sent = stream(400, 1000);
    publisher.send(&sent).await;
    received(&relay, &sent).await;
    let (mut http, _) = Http::get(relay.http, "/live/show.flv?join=live").await;
    sleep(Duration::from_millis(50)).await;
    let more = [audio(1000), video(true, 1040, 100), audio(1040)];
    publisher.send(&more).await;
    let (_, tags) = http.flv(4).await;
    assert_eq!(tags[2..], more[1..]);
}

#[tokio::test]
async fn bytes_are_gathered_for_a_batch() {
    let relay = Running::with(|config| config.batch = Duration::from_millis(300)).await;
    let mut publisher = relay.publisher("show").await;
    let mut player = relay.player("show").await;
    let sent = stream(400, 400);
    publisher.send(&sent).await;
    assert!(player.tags(sent.len()).await == sent);
    // It has begun to wait; what comes next is held back.
    sleep(Duration::from_millis(350)).await;
    let begun = std::time::Instant::now();
    let mut gaps = Vec::new();
    for time in 0..3 {
        publisher.send(&[audio(400 + time)]).await;
        player.tags(1).await;
        gaps.push(begun.elapsed());
    }
    assert!(gaps[2] - gaps[0] > Duration::from_millis(400), "{gaps:?}");
}

#[tokio::test]
async fn a_stopped_viewer_costs_others_nothing_and_is_near_the_edge_again() {
    let relay = Running::new().await;
    let mut publisher = relay.publisher("show").await;
    let (mut stopped, mut player) = (relay.player("show").await, relay.player("show").await);
    // 20 MB, far beyond what sockets hold.
    let (mut sent, mut got) = (0, 0);
    for time in (0..20_000).step_by(40) {
        publisher.send(&[video(time % 1000 == 0, time, 40_000)]).await;
        sent += 1;
        if sent % 10 == 0 {
            let tags = player.tags(10).await;
            got += tags.len();
            assert_eq!(tags[9].time, time);
        }
    }
    assert_eq!((sent, got), (500, 500));
    let mut times = Vec::new();
    while times.last() != Some(&19_960) {
        match stopped.event().await.unwrap() {
            Some(ClientEvent::Tag(tag)) => times.push(tag.time),
            other => panic!("{other:?}"),
        }
    }
    let jumps: Vec<u32> = times.windows(2).filter(|two| two[1] != two[0] + 40).map(|two| two[1]).collect();
    assert!(!jumps.is_empty() && jumps.iter().all(|time| time % 1000 == 0), "{jumps:?}");
}
