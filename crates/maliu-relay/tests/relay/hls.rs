//! HLS: playlists that wait, segments that are their parts, and names that caches may keep.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use maliu::{
    Codec,
    blocking::Reader,
    hls::{Media, Parser, Playlist},
    wire::rtmp::Tag,
};
use tokio::time::{Instant, sleep};

use crate::ends::{self, Http, Running, audio, received};

/// A sequence header of H.264.
const AVC: &[u8] =
    b"\x17\0\0\0\0\x01\x64\x00\x0a\xff\xe1\x00\x1b\x67\x64\x00\x0a\xac\xd9\x44\x26\xc0\x5a\x83\x00\x83\x40\x00\x00\
    \x03\x00\x40\x00\x00\x07\x83\xc4\x89\x65\x80\x01\x00\x06\x68\xeb\xe3\xcb\x22\xc0";

/// A stream with a configuration that containers can carry.
fn stream(group: u32, end: u32) -> Vec<Tag> {
    let mut tags = ends::stream(group, end);
    tags[0].body = Bytes::from_static(AVC);
    tags
}

/// The head and the body at a path.
async fn get(relay: SocketAddr, path: &str) -> (String, Vec<u8>) {
    let (mut http, head) = Http::get(relay, path).await;
    let length = head.split("Content-Length: ").nth(1).and_then(|rest| rest.split("\r\n").next()).unwrap();
    let body = http.exactly(length.parse().unwrap()).await;
    (head, body)
}

fn parse(body: &[u8]) -> Playlist {
    let mut parser = Parser::default();
    parser.push(body).unwrap();
    parser.finish().unwrap()
}

async fn media(relay: SocketAddr, path: &str) -> Media {
    let (head, body) = get(relay, path).await;
    assert!(head.starts_with("HTTP/1.1 200 "), "{path}: {head}");
    match parse(&body) {
        Playlist::Media(media) => media,
        Playlist::Multivariant(all) => panic!("{path}: {all}"),
    }
}

/// Sends what comes before and what comes after the request for a playlist; returns its answer.
async fn begun(relay: &Running, sent: &[Tag], path: &'static str) -> (String, Vec<u8>) {
    let mut publisher = relay.publisher("show").await;
    let (before, after) = sent.split_at(40);
    publisher.send(before).await;
    received(relay, before).await;
    let asking = tokio::spawn(get(relay.http, path));
    sleep(Duration::from_millis(100)).await;
    publisher.send(after).await;
    received(relay, sent).await;
    // The connection stays: the stream does not end.
    tokio::spawn(async move { while let Ok(Some(_)) = publisher.event().await {} });
    asking.await.unwrap()
}

fn payloads(sent: &[Tag], video: bool) -> Vec<Bytes> {
    let (first, skip) = if video { (&[0x17, 0x27][..], 5) } else { (&[0xaf][..], 2) };
    let media = sent.iter().filter(|tag| first.contains(&tag.body[0]) && tag.body[1] == 1);
    media.map(|tag| tag.body.slice(skip..)).collect()
}

#[tokio::test]
async fn segments_hold_the_packets_of_the_publisher() {
    let relay = Running::new().await;
    let sent = stream(1000, 9000);
    let (head, body) = begun(&relay, &sent, "/live/show/index.m3u8?x=1").await;
    assert!(head.contains("Content-Type: application/vnd.apple.mpegurl\r\n"), "{head}");
    assert!(head.contains("Cache-Control: max-age=1\r\n") && head.contains("Access-Control-Allow-Origin: *"), "{head}");
    let Playlist::Multivariant(all) = parse(&body) else { panic!("{head}") };
    assert_eq!(all.variants[0].uri, "media.m3u8?x=1");
    let list = media(relay.http, "/live/show/media.m3u8").await;
    let init = list.segments[0].map.clone().unwrap().uri;
    let mut file = get(relay.http, &format!("/live/show/{init}")).await.1;
    for segment in &list.segments {
        let (head, body) = get(relay.http, &format!("/live/show/{}", segment.uri)).await;
        assert!(head.contains("Cache-Control: max-age=31536000, immutable\r\n"), "{head}");
        assert!(head.contains("Content-Type: video/mp4\r\n"), "{head}");
        let mut parts = Vec::new();
        for part in &segment.parts {
            parts.extend(get(relay.http, &format!("/live/show/{}", part.uri)).await.1);
        }
        assert!(segment.parts.is_empty() || parts == body, "a segment is its parts");
        file.extend(body);
    }
    let mut reader = Reader::new(Bytes::from(file));
    let packets: Vec<_> = reader.by_ref().map(Result::unwrap).collect();
    assert_eq!(reader.streams().iter().map(|info| info.codec).collect::<Vec<_>>(), [Codec::H264, Codec::Aac]);
    for (stream, video) in [(0, true), (1, false)] {
        let got: Vec<_> = packets.iter().filter(|packet| packet.stream == stream).map(|packet| &packet.data).collect();
        let sent = payloads(&sent, video);
        let whole = sent.windows(got.len()).any(|run| run.iter().zip(&got).all(|(a, b)| a == *b));
        assert!(got.len() > 90 && whole, "stream {stream}: {} packets", got.len());
    }
}

#[tokio::test]
async fn a_request_waits_for_its_part_and_no_longer() {
    let relay = Running::new().await;
    let mut publisher = relay.publisher("show").await;
    let sent = stream(1000, 20_000);
    publisher.send(&sent[..40]).await;
    received(&relay, &sent[..40]).await;
    let asking = tokio::spawn(get(relay.http, "/live/show/media.m3u8"));
    sleep(Duration::from_millis(100)).await;
    publisher.send(&sent[40..400]).await;
    asking.await.unwrap();
    received(&relay, &sent[..400]).await;
    let list = media(relay.http, "/live/show/media.m3u8").await;
    let control = list.control.unwrap();
    assert!(control.can_block_reload && control.part_hold_back >= list.part_target.map(|part| part * 3));
    let (number, part) = (list.sequence + list.segments.len() as u64, list.parts.len());
    let at = |number: u64, part: usize| format!("/live/show/media.m3u8?_HLS_msn={number}&_HLS_part={part}");
    for (path, status) in [
        (at(number + 50, 0), 400),
        ("/live/show/media.m3u8?_HLS_part=0".into(), 400),
        ("/live/show/media.m3u8?_HLS_msn=x".into(), 400),
        (format!("/live/show/{}", list.segments[0].uri.replace(".m4s", ".99.m4s")), 404),
        ("/live/show/0-1.m4s".into(), 404),
        ("/live/none/index.m3u8".into(), 404),
    ] {
        let (head, _) = get(relay.http, &path).await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{path}: {head}");
    }
    // The playlist and the part that it announces, asked for before they are there.
    let relay_http = relay.http;
    let path = at(number, part);
    let waiting = tokio::spawn(async move { (media(relay_http, &path).await, Instant::now()) });
    let hint = format!("/live/show/{}", list.hint.unwrap());
    let hinted = tokio::spawn(async move { get(relay_http, &hint).await });
    sleep(Duration::from_millis(150)).await;
    assert!(!waiting.is_finished() && !hinted.is_finished(), "they wait");
    let begun = Instant::now();
    publisher.send(&sent[400..440]).await;
    let (list, there) = waiting.await.unwrap();
    assert!(list.parts.len() > part || list.sequence + list.segments.len() as u64 > number);
    assert!(there - begun < Duration::from_secs(2));
    let (head, part) = hinted.await.unwrap();
    assert!(head.starts_with("HTTP/1.1 200 ") && &part[4..8] == b"moof", "{head}");
}

#[tokio::test]
async fn audio_alone_and_transport_streams_are_served() {
    let relay = Running::new().await;
    let mut sent = vec![ends::configs()[1].clone()];
    sent.extend((0..9000).step_by(20).map(audio));
    let (_, body) = begun(&relay, &sent, "/live/show/index.m3u8?type=ts").await;
    let Playlist::Multivariant(all) = parse(&body) else { panic!("several playlists") };
    assert_eq!((all.variants[0].uri.as_str(), all.variants[0].codecs.as_str()), ("ts.m3u8", "mp4a.40.2"));
    let list = media(relay.http, "/live/show/ts.m3u8").await;
    assert!(list.segments.len() >= 3 && list.part_target.is_none());
    let (head, body) = get(relay.http, &format!("/live/show/{}", list.segments[1].uri)).await;
    assert!(head.contains("Content-Type: video/mp2t\r\n") && body.len() % 188 == 0 && body[0] == 0x47, "{head}");
}

#[tokio::test]
async fn a_body_without_end_goes_on_from_the_last_keyframe_until_the_stream_ends() {
    let relay = Running::with(|config| config.linger = Duration::from_millis(200)).await;
    let mut publisher = relay.publisher("show").await;
    let sent = stream(1000, 8000);
    publisher.send(&sent[..100]).await;
    received(&relay, &sent[..100]).await;
    let (mut http, head) = Http::get(relay.http, "/live/show.mp4").await;
    assert!(head.contains("Content-Type: video/mp4\r\n") && head.contains("Transfer-Encoding: chunked\r\n"), "{head}");
    publisher.send(&sent[100..]).await;
    received(&relay, &sent).await;
    drop(publisher);
    let mut file = Vec::new();
    while let Some(chunk) = http.chunk().await {
        file.extend(chunk);
    }
    let packets: Vec<_> = Reader::new(Bytes::from(file)).map(Result::unwrap).collect();
    let got: Vec<_> = packets.iter().filter(|packet| packet.stream == 0).map(|packet| &packet.data).collect();
    let sent = payloads(&sent, true);
    assert!(got.len() > 100 && sent[sent.len() - got.len()..].iter().zip(&got).all(|(a, b)| a == *b), "{}", got.len());
}

#[tokio::test]
async fn playlists_ask_for_tokens_and_segments_do_not() {
    let relay = Running::with(|config| config.play_tokens = vec!["abcdefgh".into()]).await;
    let sent = stream(1000, 6000);
    let (head, body) = begun(&relay, &sent, "/live/show/index.m3u8?token=abcdefgh").await;
    assert!(
        head.starts_with("HTTP/1.1 200 ") && String::from_utf8(body).unwrap().contains("media.m3u8?token=abcdefgh")
    );
    assert!(get(relay.http, "/live/show/media.m3u8").await.0.starts_with("HTTP/1.1 401 "));
    let list = media(relay.http, "/live/show/media.m3u8?token=abcdefgh").await;
    let (head, _) = get(relay.http, &format!("/live/show/{}", list.segments[0].uri)).await;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
}

#[tokio::test]
async fn dates_are_those_at_which_media_came_in_also_for_a_late_request() {
    let relay = Running::new().await;
    let sent = stream(1000, 9000);
    let mut publisher = relay.publisher("show").await;
    publisher.send(&sent).await;
    received(&relay, &sent).await;
    let list = media(relay.http, "/live/show/media.m3u8").await;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as i64;
    let last = list.segments.last().unwrap();
    let end = last.date.unwrap().0 + last.duration.as_millis() as i64;
    // A second or less of media is behind it, in the segment under way.
    assert!((now - 2500..=now + 100).contains(&end), "the media ends {} ms from now", end - now);
    for two in list.segments.windows(2) {
        let apart = two[1].date.unwrap().0 - two[0].date.unwrap().0;
        assert!((apart - two[0].duration.as_millis() as i64).abs() <= 40, "{apart}");
    }
}

#[tokio::test]
async fn viewers_of_hls_are_counted_while_they_ask() {
    let relay = Running::new().await;
    begun(&relay, &stream(1000, 6000), "/live/show/index.m3u8").await;
    for agent in ["a", "b", "a"] {
        let mut http = Http::connect(relay.http).await;
        http.ask(&format!("GET /live/show/media.m3u8 HTTP/1.1\r\nUser-Agent: {agent}\r\n\r\n")).await;
    }
    assert_eq!(ends::metric(&relay, "maliu_viewers{protocol=\"hls\"}").await, 3, "two, and the one that began");
    assert!(ends::metric(&relay, "maliu_sent_bytes_total{protocol=\"hls\"}").await > 500);
}

#[tokio::test]
async fn encrypted_segments_are_read_with_a_key_that_asks_for_the_token() {
    let relay = Running::with(|config| {
        config.play_tokens = vec!["abcdefgh".into()];
        config.hls.encrypt = true;
    })
    .await;
    begun(&relay, &stream(1000, 9000), "/live/show/index.m3u8?token=abcdefgh").await;
    let list = media(relay.http, "/live/show/media.m3u8?token=abcdefgh").await;
    assert!(list.part_target.is_none() && list.segments.iter().all(|segment| segment.parts.is_empty()));
    let uri = list.segments[0].key.clone().unwrap().uri;
    assert!(uri.ends_with(".key?token=abcdefgh"), "{uri}");
    let bare = uri.split('?').next().unwrap();
    assert!(get(relay.http, &format!("/live/show/{bare}")).await.0.starts_with("HTTP/1.1 401 "));
    let (head, key) = get(relay.http, &format!("/live/show/{uri}")).await;
    assert!(head.starts_with("HTTP/1.1 200 ") && key.len() == 16 && head.contains("private"), "{head}");
    // Read as a player does: from files.
    let folder = folder("hls-encrypted");
    std::fs::write(folder.join(bare), key).unwrap();
    for name in list.segments.iter().flat_map(|one| [one.uri.clone(), one.map.clone().unwrap().uri]) {
        std::fs::write(folder.join(&name), get(relay.http, &format!("/live/show/{name}")).await.1).unwrap();
    }
    let text = list.to_string().replace("?token=abcdefgh", "");
    std::fs::write(folder.join("list.m3u8"), text).unwrap();
    let source = maliu::hls::Segments::open(folder.join("list.m3u8")).unwrap();
    let count = Reader::new(source).map(Result::unwrap).filter(|packet| packet.stream == 0).count();
    assert!(count > 90, "{count} packets");
    assert!(get(relay.http, "/live/show.mp4?token=abcdefgh").await.0.starts_with("HTTP/1.1 404 "));
}

/// A folder of its own for a test, empty.
fn folder(test: &str) -> std::path::PathBuf {
    let folder = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[tokio::test]
async fn viewers_go_back_as_far_as_is_kept_and_a_recording_stays() {
    let root = folder("hls-dvr");
    let relay = Running::with(|config| {
        config.linger = Duration::from_millis(200);
        config.hls.dvr = Duration::from_secs(3600);
        config.hls.window = 3;
        config.hls.folder = Some(root.to_str().unwrap().to_owned());
        config.hls.keep = true;
    })
    .await;
    let sent = stream(1000, 24_000);
    let mut publisher = relay.publisher("show").await;
    for part in sent.chunks(200) {
        publisher.send(part).await;
        // The disk keeps up with a stream, not with a test.
        sleep(Duration::from_millis(20)).await;
    }
    received(&relay, &sent).await;
    ends::until(async || media(relay.http, "/live/show/media.m3u8").await.segments.len() == 3).await;
    let back = media(relay.http, "/live/show/media.m3u8?from=-1h").await;
    assert!(back.segments.len() >= 9 && back.begins && back.control.is_none(), "{back}");
    let (_, body) = get(relay.http, "/live/show/index.m3u8?from=-1h").await;
    assert!(String::from_utf8(body).unwrap().contains("media.m3u8?from=-1h"));
    for segment in &back.segments {
        let (head, body) = get(relay.http, &format!("/live/show/{}", segment.uri)).await;
        assert!(head.starts_with("HTTP/1.1 200 ") && &body[4..8] == b"moof", "{}: {head}", segment.uri);
    }
    assert!(get(relay.http, "/live/show/media.m3u8?from=30m").await.0.starts_with("HTTP/1.1 400 "));
    let epoch = back.segments[0].uri.split('-').next().unwrap().to_owned();
    drop(publisher);
    let path = format!("/live/show/{epoch}.m3u8");
    ends::until(async || get(relay.http, &path).await.0.starts_with("HTTP/1.1 200 ")).await;
    let whole = media(relay.http, &path).await;
    assert!(whole.ended && whole.segments.len() > back.segments.len());
    let source = maliu::hls::Segments::open(root.join("live/show").join(format!("{epoch}.m3u8"))).unwrap();
    let pictures = Reader::new(source).map(Result::unwrap).filter(|packet| packet.stream == 0);
    let got: Vec<_> = pictures.map(|packet| packet.data).collect();
    assert_eq!(got, payloads(&sent, true), "all of it");
}

#[tokio::test]
async fn parts_go_over_websocket_with_their_codecs() {
    let relay = Running::new().await;
    let sent = stream(1000, 3000);
    let mut publisher = relay.publisher("show").await;
    publisher.send(&sent).await;
    received(&relay, &sent).await;
    let mut http = Http::websocket(relay.http, "/live/show.mp4").await;
    let (kind, text) = http.frame().await;
    assert_eq!((kind, text), (0x81, b"video/mp4; codecs=\"avc1.64000A,mp4a.40.2\"".to_vec()));
    let (kind, init) = http.frame().await;
    assert_eq!((kind, &init[4..8]), (0x82, &b"ftyp"[..]));
    let (kind, part) = http.frame().await;
    assert_eq!((kind, &part[4..8]), (0x82, &b"moof"[..]));
    assert_eq!(ends::metric(&relay, "maliu_viewers{protocol=\"mp4\"}").await, 1);
}
