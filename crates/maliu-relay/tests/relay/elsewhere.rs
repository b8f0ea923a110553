//! Streams that are recorded, pushed to another relay, and pulled from one.

use std::{fs, path::PathBuf, time::Duration};

use bytes::Bytes;
use maliu::{
    rtmp::Tags,
    wire::rtmp::{ClientEvent, Tag},
};
use maliu_relay::Config;

use crate::ends::{Http, Running, received, stream, until};

/// Settings of a file, besides addresses.
fn settings(text: &str) -> impl FnOnce(&mut Config) {
    let parsed = Config::parse(text).unwrap();
    move |config| {
        let (rtmp, http) = (config.rtmp, config.http);
        *config = parsed;
        (config.rtmp, config.http) = (rtmp, http);
    }
}

/// A folder of its own for a test, empty.
fn folder(test: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// The files of a folder and below, in the order of their names.
fn files(folder: &PathBuf) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() { found.extend(files(&entry)) } else { found.push(entry) }
    }
    // One that came later in the same second has a number behind.
    found.sort_by_key(|path| (path.to_string_lossy().len(), path.clone()));
    found
}

fn tags(file: &PathBuf) -> Vec<Tag> {
    let mut tags = Tags::new();
    tags.push(Bytes::from(fs::read(file).unwrap()));
    std::iter::from_fn(|| tags.next_tag().unwrap()).collect()
}

#[tokio::test]
async fn recordings_are_whole_and_new_files_begin_at_keyframes_with_configurations() {
    let folder = folder("recordings");
    let path = folder.join("{app}/{stream}/{start}.flv");
    let text = format!(
        "[live]\nlinger = \"0s\"\n[[record]]\npath = {path:?}\nmatch = [\"live/s*\"]\nsplit = \"1s\"",
        path = path.to_str().unwrap()
    );
    let mut relay = Running::with(settings(&text)).await;
    let (mut publisher, mut other) = (relay.publisher("s .. how").await, relay.publisher("other").await);
    let sent = stream(400, 2000);
    // Two batches, so that the second file begins while the first is written.
    let (first, second) = sent.split_at(sent.len() / 2);
    publisher.send(first).await;
    other.send(first).await;
    received(&relay, &[first, first].concat()).await;
    until(async || files(&folder).len() == 1).await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    publisher.send(second).await;
    received(&relay, &[first, first, second].concat()).await;
    drop((publisher, other));
    relay.stop();
    relay.ended().await;
    let [a, b] = &files(&folder)[..] else { panic!("{:?}", files(&folder)) };
    assert!(a.starts_with(folder.join("live/s%20..%20how")), "{a:?}");
    let key = sent.iter().position(|tag| tag.body.starts_with(&[0x17, 1]) && tag.time >= 1000).unwrap();
    assert!(tags(a) == sent[..key]);
    let start = sent[key].time;
    let rest: Vec<Tag> = sent[key..].iter().map(|tag| Tag { time: tag.time - start, ..tag.clone() }).collect();
    assert!(tags(b) == [&sent[..2], &rest].concat());
}

#[tokio::test]
async fn a_recording_that_cannot_be_written_stops_and_the_stream_goes_on() {
    let folder = folder("full");
    fs::write(folder.join("live"), "a file where a folder is to be").unwrap();
    let path = folder.join("{app}/{stream}.flv");
    let relay = Running::with(settings(&format!("[[record]]\npath = {:?}", path.to_str().unwrap()))).await;
    let mut publisher = relay.publisher("show").await;
    let sent = stream(400, 400);
    publisher.send(&sent).await;
    until(async || crate::ends::metric(&relay, "maliu_recordings_failed_total").await == 1).await;
    assert!(relay.player("show").await.tags(sent.len()).await == sent);
}

#[tokio::test]
async fn a_push_waits_for_its_server_and_begins_at_a_keyframe() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let text =
        format!("[[push]]\nmatch = \"live/*\"\nto = \"rtmp://127.0.0.1:{port}/there/{{stream}}?token=for-publishers\"");
    let near = Running::with(settings(&text)).await;
    let mut publisher = near.publisher("show").await;
    let sent = stream(400, 1000);
    publisher.send(&sent).await;
    until(async || crate::ends::metric(&near, "maliu_pushes_failed_total").await > 0).await;
    let far = Running::with(|config| {
        config.rtmp.set_port(port);
        config.publish_tokens = vec!["for-publishers".into()];
        config.linger = Duration::ZERO;
    })
    .await;
    until(async || crate::ends::metric(&far, "maliu_publishers").await == 1).await;
    let (mut http, head) = Http::get(far.http, "/there/show.flv").await;
    assert!(head.starts_with("HTTP/1.1 200 ") || head.starts_with("HTTP/1.1 404 "), "{head}");
    if head.starts_with("HTTP/1.1 404 ") {
        until(async || Http::get(far.http, "/there/show.flv").await.1.starts_with("HTTP/1.1 200 ")).await;
        http = Http::get(far.http, "/there/show.flv").await.0;
    }
    let key = sent.iter().rposition(|tag| tag.body.starts_with(&[0x17, 1])).unwrap();
    let (_, got) = http.flv(2 + sent.len() - key).await;
    assert!(got[2..] == sent[key..] && got[0].body == sent[0].body && got[1].body == sent[1].body);
}

#[tokio::test]
async fn a_pull_begins_with_the_first_viewer_of_any_protocol() {
    let origin = Running::new().await;
    let (mut a, mut b) = (origin.publisher("a").await, origin.publisher("b").await);
    let sent = stream(400, 1000);
    a.send(&sent).await;
    b.send(&sent).await;
    received(&origin, &[&sent[..], &sent[..]].concat()).await;
    let (rtmp, http) = (origin.rtmp, origin.http);
    let text = format!(
        "[[pull]]\nmatch = \"cam/a*\"\nfrom = \"rtmp://{rtmp}/live/{{stream}}\"\n\
         [[pull]]\nmatch = \"live/*\"\nfrom = \"http://{http}/live/{{stream}}.flv\""
    );
    let edge = Running::with(settings(&text)).await;
    let key = sent.iter().rposition(|tag| tag.body.starts_with(&[0x17, 1])).unwrap();
    let (mut viewer, head) = Http::get(edge.http, "/cam/a.flv").await;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    let (flags, got) = viewer.flv(2 + sent.len() - key).await;
    assert!(flags == 5 && got[2..] == sent[key..]);
    let mut player = edge.player("b").await;
    let got = player.tags(2 + sent.len() - key).await;
    assert!(got[2..] == sent[key..]);
    // Tags that are published later come, too.
    b.send(&[crate::ends::audio(1000)]).await;
    assert_eq!(player.tags(1).await, [crate::ends::audio(1000)]);
    let (_, head) = Http::get(edge.http, "/other/a.flv").await;
    assert!(head.starts_with("HTTP/1.1 404 "), "{head}");
    assert_eq!(crate::ends::metric(&origin, "maliu_viewers{protocol=\"rtmp\"}").await, 1);
}

#[tokio::test]
async fn a_pull_of_nothing_ends_after_a_while() {
    let origin = Running::new().await;
    let text = format!("[[pull]]\nmatch = \"*\"\nfrom = \"http://{}/live/{{stream}}.flv\"", origin.http);
    let edge = Running::with(settings(&text)).await;
    let mut player = edge.player("none").await;
    let end = player.event().await;
    assert!(matches!(end, Ok(None) | Err(_)), "{end:?}");
    assert!(!matches!(end, Ok(Some(ClientEvent::Tag(_)))));
    assert!(crate::ends::metric(&edge, "maliu_pulls_failed_total").await > 1);
}
