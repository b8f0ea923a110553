//! Streams, rings and viewers together, in virtual time.

use alloc::{vec, vec::Vec};
use core::time::Duration;

use super::*;
use crate::{formats::flv::tag, wire::rtmp::Tag};

fn video(key: bool, time: u32, size: usize) -> Tag {
    let mut body = vec![0; size.max(6)];
    body[..2].copy_from_slice(&[if key { 0x17 } else { 0x27 }, 1]);
    Tag { kind: tag::Kind::Video, time, body: body.into() }
}

fn sound(time: u32) -> Tag {
    Tag { kind: tag::Kind::Audio, time, body: b"\xaf\x01sound".as_slice().into() }
}

fn config(audio: bool, content: u8) -> Tag {
    let (kind, head) =
        if audio { (tag::Kind::Audio, &b"\xaf\0"[..]) } else { (tag::Kind::Video, &b"\x17\0\0\0\0"[..]) };
    Tag { kind, time: 0, body: [head, &[content]].concat().into() }
}

const NOW: Duration = Duration::ZERO;

struct Scene {
    stream: Stream,
    by: Epoch,
}

impl Scene {
    fn new() -> Self {
        let mut stream: Stream = Stream::new(Limits::default());
        let by = stream.claim(Takeover::Stale, NOW).unwrap();
        Self { stream, by }
    }

    fn push(&mut self, tag: Tag) {
        self.stream.push(self.by, tag, NOW).unwrap();
    }

    /// Groups of 1 s: a keyframe, inter frames every 40 ms, audio every 20 ms; from `from` to `to` s.
    fn run(&mut self, from: u32, to: u32) {
        for time in (from * 1000..to * 1000).step_by(20) {
            if time % 40 == 0 {
                self.push(video(time % 1000 == 0, time, 100));
            }
            self.push(sound(time));
        }
    }

    fn viewer() -> Cursor {
        Cursor::new(Join::Group, Policy::default())
    }

    /// All that a viewer gets until it waits: kinds and times.
    fn drain(&self, cursor: &mut Cursor) -> Vec<(Kind, i64)> {
        let mut got = Vec::new();
        loop {
            match cursor.next(self.stream.ring()) {
                Next::Item(item) => got.push((item.kind, item.time)),
                Next::Config(item, time) => got.push((item.kind, time)),
                Next::Wait => return got,
            }
        }
    }
}

#[test]
fn a_late_viewer_gets_configurations_then_the_last_group() {
    let mut scene = Scene::new();
    scene.push(config(false, 1));
    scene.push(config(true, 1));
    scene.run(0, 3);
    let mut viewer = Scene::viewer();
    let got = scene.drain(&mut viewer);
    assert_eq!(got[..4], [(Kind::Config, 2000), (Kind::Config, 2000), (Kind::Key, 2000), (Kind::Sound, 2000)]);
    assert_eq!((got.len(), got.last(), viewer.skipped()), (2 + 75, Some(&(Kind::Sound, 2980)), 0));
    scene.push(sound(3000));
    assert_eq!(scene.drain(&mut viewer), [(Kind::Sound, 3000)]);
}

#[test]
fn a_live_viewer_waits_for_the_next_keyframe() {
    let mut scene = Scene::new();
    scene.push(config(false, 1));
    scene.run(0, 2);
    let mut viewer = Cursor::new(Join::Live, Policy::default());
    scene.push(video(false, 2000, 9));
    assert_eq!(scene.drain(&mut viewer), []);
    scene.run(3, 4);
    assert_eq!(scene.drain(&mut viewer)[..2], [(Kind::Config, 3000), (Kind::Key, 3000)]);
}

#[test]
fn a_stream_without_video_begins_at_its_live_edge() {
    let mut scene = Scene::new();
    scene.push(config(true, 1));
    (0..100).for_each(|n| scene.push(sound(n * 20)));
    for join in [Join::Group, Join::Live] {
        let got = scene.drain(&mut Cursor::new(join, Policy::default()));
        assert_eq!(got, [(Kind::Config, 1980), (Kind::Sound, 1980)]);
    }
    assert_eq!(scene.stream.ring().has(), (false, true));
}

#[test]
fn a_slow_viewer_loses_video_to_the_next_keyframe_and_no_audio() {
    let mut scene = Scene::new();
    scene.run(0, 1);
    let mut viewer = Scene::viewer();
    scene.drain(&mut viewer);
    scene.run(1, 4);
    let got = scene.drain(&mut viewer);
    let sounds = got.iter().filter(|(kind, _)| *kind == Kind::Sound).count();
    assert_eq!(sounds, 150);
    let inter: Vec<i64> = got.iter().filter(|(kind, _)| *kind == Kind::Inter).map(|(_, time)| *time).collect();
    assert_eq!(inter.first(), Some(&3040), "within the last second");
    assert_eq!(viewer.skipped(), 48);
}

#[test]
fn a_stopped_viewer_jumps_to_the_last_keyframe_and_gets_its_configurations() {
    let mut scene = Scene::new();
    scene.push(config(false, 1));
    scene.run(0, 1);
    let mut viewer = Scene::viewer();
    scene.drain(&mut viewer);
    scene.push(config(false, 2));
    scene.run(1, 30);
    let got = scene.drain(&mut viewer);
    assert_eq!(got[..2], [(Kind::Config, 29_000), (Kind::Key, 29_000)]);
    assert_eq!((viewer.jumps(), viewer.behind(scene.stream.ring())), (1, Some(0)));
}

#[test]
fn the_configuration_in_force_at_the_keyframe_is_sent() {
    let mut scene = Scene::new();
    scene.push(config(false, 1));
    scene.run(0, 1);
    scene.push(config(false, 2));
    let first = |scene: &Scene| match Scene::viewer().next(scene.stream.ring()) {
        Next::Config(item, _) => item.tag.body[5],
        other => panic!("{other:?}"),
    };
    assert_eq!(first(&scene), 1);
    scene.run(1, 2);
    assert_eq!(first(&scene), 2);
}

#[test]
fn memory_is_bounded_by_bytes_items_and_time() {
    let limits = Limits { bytes: 10_000, ..Limits::default() };
    let mut stream: Stream = Stream::new(limits);
    let by = stream.claim(Takeover::Stale, NOW).unwrap();
    for n in 0..200 {
        stream.push(by, video(n % 50 == 0, n * 40, 1000), NOW).unwrap();
        assert!(stream.ring().bytes() <= 10_000);
    }
    // A fixed cost counts for each of many small ones.
    for n in 200..400 {
        stream.push(by, video(false, n * 40, 7), NOW).unwrap();
        assert!(stream.ring().bytes() <= 10_000 && stream.ring().end() - stream.ring().first() < 27);
    }
    stream.push(by, video(true, 16_000, 50_000), NOW).unwrap();
    assert_eq!(stream.ring().end() - stream.ring().first(), 1, "the newest item stays");
    let mut scene = Scene::new();
    for track in 0..200u8 {
        let body = [&b"\x96\x00hvc1"[..], &[track], &[7; 9000]].concat();
        scene.push(Tag { kind: tag::Kind::Video, time: 0, body: body.into() });
    }
    assert!(scene.stream.ring().configs(u64::MAX).len() <= MAX_CONFIGS);
    scene.run(0, 40);
    let ring = scene.stream.ring();
    assert!(ring.latest() - ring.at(ring.first()).unwrap().time <= 6000);
}

#[test]
fn a_second_publisher_waits_until_the_first_is_silent_and_begins_at_its_keyframe() {
    let mut scene = Scene::new();
    scene.push(config(false, 1));
    scene.run(0, 1);
    let mut viewer = Scene::viewer();
    scene.drain(&mut viewer);
    let at = Duration::from_millis;
    assert_eq!(scene.stream.claim(Takeover::Stale, at(1999)), Err(Busy));
    assert_eq!(scene.stream.claim(Takeover::Never, at(9000)), Err(Busy));
    let first = core::mem::replace(&mut scene.by, scene.stream.claim(Takeover::Stale, at(2000)).unwrap());
    assert_eq!(scene.stream.push(first, sound(0), at(2000)).map(|_| ()), Err(Superseded));
    scene.stream.leave(first, at(2000));
    assert!(scene.stream.is_live() && !scene.stream.is_current(first));
    scene.push(config(false, 2));
    scene.push(video(false, 500, 9));
    scene.push(sound(510));
    scene.push(video(true, 540, 9));
    scene.push(sound(545));
    let got = scene.drain(&mut viewer);
    assert_eq!(got.iter().map(|(kind, _)| *kind).collect::<Vec<_>>(), [Kind::Config, Kind::Key, Kind::Sound]);
    assert!(got.windows(2).all(|pair| pair[0].1 <= pair[1].1) && got[0].1 > 980, "{got:?}");
}

#[test]
fn a_stream_is_over_when_no_publisher_came_back() {
    let mut scene = Scene::new();
    let (linger, at) = (Duration::from_secs(10), Duration::from_secs);
    assert!(!scene.stream.is_over(linger, at(100)));
    scene.stream.leave(scene.by, at(5));
    assert!(!scene.stream.is_over(linger, at(14)) && scene.stream.is_over(linger, at(15)));
}

/// Any interleaving of pushing and reading: a viewer's items are in order, begin with a keyframe, and no inter frame
/// follows a gap in video.
#[test]
fn any_interleaving_keeps_the_order_and_begins_at_keyframes() {
    for seed in 0..200u64 {
        let (mut scene, mut viewer, mut state) = (Scene::new(), Scene::viewer(), seed * 2 + 1);
        let (mut last, mut last_video, mut time) = (None, None, 0);
        for _ in 0..300 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            for _ in 0..state >> 60 {
                time += 40;
                scene.push(video(time % 1000 == 0, time, 50));
                scene.push(sound(time));
            }
            for _ in 0..(state >> 50) % 24 {
                let Next::Item(item) = viewer.next(scene.stream.ring()) else { break };
                assert!(last.is_none_or(|last| item.seq > last));
                last = Some(item.seq);
                // Video and audio alternate: two further on is the next of its kind.
                match item.kind {
                    Kind::Inter => assert_eq!(last_video, Some(item.seq - 2), "{seed}"),
                    Kind::Sound => continue,
                    _ => {}
                }
                last_video = last;
            }
        }
    }
}

#[test]
fn a_lower_limit_drops_the_oldest_items_at_once() {
    let mut scene = Scene::new();
    scene.run(0, 3);
    let (all, half) = (scene.stream.ring().bytes(), scene.stream.ring().bytes() / 2);
    scene.stream.limit(half);
    let ring = scene.stream.ring();
    assert!(ring.bytes() <= half && ring.first() > 0 && ring.latest() == 2980, "{all} {}", ring.bytes());
    scene.run(3, 6);
    assert!(scene.stream.ring().bytes() <= half);
}

#[test]
fn a_recording_begins_at_the_oldest_keyframe() {
    let mut scene = Scene::new();
    scene.push(config(false, 1));
    scene.run(0, 3);
    let mut cursor = Cursor::new(Join::First, Policy::default());
    let got = scene.drain(&mut cursor);
    assert_eq!(got[..2], [(Kind::Config, 0), (Kind::Key, 0)]);
    assert_eq!(got.iter().filter(|(kind, _)| *kind == Kind::Key).count(), 3);
    // Without video, at the oldest audio.
    let mut scene = Scene::new();
    (0..100).for_each(|time| scene.push(sound(time * 20)));
    let mut cursor = Cursor::new(Join::First, Policy::default());
    assert_eq!(scene.drain(&mut cursor).len(), 100);
}
