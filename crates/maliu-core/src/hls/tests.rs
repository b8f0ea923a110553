//! Playlists, packagers and windows together.

extern crate std;

use alloc::{
    boxed::Box,
    string::{String, ToString},
    sync::Arc,
    vec,
    vec::Vec,
};
use core::time::Duration;
use std::sync::Mutex;

use super::*;
use crate::{
    error::Result,
    output::Output,
    packet::Packet,
    stream::{Codec, Metadata, StreamInfo},
    time::{Ticks, TimeBase},
    writer::Plan,
};

fn parse(text: &str) -> Result<Playlist> {
    let mut parser = Parser::default();
    parser.push(text.as_bytes())?;
    parser.finish()
}

const MEDIA: &str = "#EXTM3U
#EXT-X-VERSION:9
#EXT-X-TARGETDURATION:4
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=24.000000,PART-HOLD-BACK=1.000000
#EXT-X-PART-INF:PART-TARGET=0.334000
#EXT-X-MEDIA-SEQUENCE:266
#EXT-X-DISCONTINUITY-SEQUENCE:3
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MAP:URI=\"init.mp4\",BYTERANGE=\"720@0\"
#EXT-X-KEY:METHOD=AES-128,URI=\"a,b.key\",IV=0x000102030405060708090a0b0c0d0e0f
#EXT-X-PROGRAM-DATE-TIME:2026-11-30T21:05:00.123Z
#EXTINF:4.000080,a title
#EXT-X-BYTERANGE:100@720
all.mp4
#EXT-X-DISCONTINUITY
#EXT-X-KEY:METHOD=NONE
#EXT-X-GAP
#EXT-X-PART:DURATION=0.333340,URI=\"b.0.mp4\",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.333340,URI=\"b.1.mp4\",BYTERANGE=\"20@4\",GAP=YES
#EXTINF:0.666680,
b.mp4
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI=\"other.mp4\"
#EXT-X-PART:DURATION=0.333340,URI=\"c.0.mp4\"
#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"c.1.mp4\"
";

const MULTIVARIANT: &str = "#EXTM3U
#EXT-X-VERSION:6
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"aac\",NAME=\"English\",LANGUAGE=\"en\",DEFAULT=YES,AUTOSELECT=YES,URI=\"en.m3u8\"
#EXT-X-STREAM-INF:BANDWIDTH=1280000,AVERAGE-BANDWIDTH=1000000,CODECS=\"avc1.64001F,mp4a.40.2\",RESOLUTION=640x360,\
                            FRAME-RATE=29.970,AUDIO=\"aac\"
low.m3u8
#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=86000,URI=\"low/keys.m3u8\"
";

#[test]
fn playlists_go_both_ways() {
    for text in [MEDIA, MULTIVARIANT] {
        let again = match parse(text).unwrap() {
            Playlist::Media(media) => media.to_string(),
            Playlist::Multivariant(playlist) => playlist.to_string(),
        };
        assert_eq!(again, text);
    }
}

#[test]
fn any_split_of_a_playlist_gives_the_same() {
    let whole = parse(MEDIA).unwrap();
    for size in [1, 2, 7, 64] {
        let mut parser = Parser::default();
        MEDIA.as_bytes().chunks(size).for_each(|piece| parser.push(piece).unwrap());
        assert_eq!(parser.finish().unwrap(), whole);
    }
    let dos = parse(&MEDIA.replace('\n', "\r\n")).unwrap();
    assert_eq!(dos, whole);
}

#[test]
fn broken_playlists_name_the_line() {
    for (text, error) in [
        ("", "hls: empty, expected #EXTM3U at byte 0"),
        ("RIFF\n", "hls: \"RIFF\", expected #EXTM3U at byte 0"),
        ("#EXTM3U\na.ts\n", "hls: \"a.ts\" without #EXTINF in front at byte 8"),
        ("#EXTM3U\n#EXTINF:x,\na.ts", "hls: #EXTINF with \"x,\" at byte 8"),
        ("#EXTM3U\n#EXT-X-TARGETDURATION:-1\n", "hls: #EXT-X-TARGETDURATION with \"-1\" at byte 8"),
        ("#EXTM3U\n#EXT-X-DEFINE:NAME=\"a\"\n", "unsupported: hls: variables in playlists (EXT-X-DEFINE)"),
        ("#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,IV=0xzz\n", "hls: #EXT-X-KEY with \"METHOD=AES-128,IV=0xzz\" at byte 8"),
    ] {
        assert_eq!(parse(text).unwrap_err().to_string(), error);
    }
    let mut parser = Parser::default();
    assert!((0..).map(|_| parser.push(&[b'#'; 1 << 10])).find(Result::is_err).is_some(), "a line has an end");
    let many = ["#EXTM3U\n", &"#EXTINF:1,\na\n".repeat(MAX_SEGMENTS + 1)].concat();
    assert!(parse(&many).unwrap_err().to_string().contains("MAX_SEGMENTS"));
}

#[test]
fn ranges_without_offsets_follow_each_other() {
    let text = "#EXTM3U\n#EXTINF:1,\n#EXT-X-BYTERANGE:10@5\na\n#EXTINF:1,\n#EXT-X-BYTERANGE:7\na\n\
                #EXTINF:1,\n#EXT-X-BYTERANGE:7\nb\n";
    let Playlist::Media(media) = parse(text).unwrap() else { panic!("media") };
    let ranges: Vec<_> = media.segments.iter().map(|segment| segment.range.unwrap().offset).collect();
    assert_eq!(ranges, [5, 15, 0]);
}

/// A window, the time that has passed, and the playlist after every change.
struct Scene(Window, i64, Vec<Media>);

#[derive(Clone)]
struct Shared(Arc<Mutex<Scene>>);

impl Shelf for Shared {
    fn take(&mut self, made: Made) -> Result<()> {
        let mut scene = self.0.lock().unwrap();
        if let Made::Piece(piece) = &made {
            scene.1 += i64::try_from(piece.duration.as_millis()).unwrap();
        }
        let now = Date(scene.1);
        scene.0.take(made, now);
        let playlist = scene.0.playlist(false);
        scene.2.push(playlist);
        Ok(())
    }
}

const AVCC: &[u8] = b"\x01\x64\x00\x0a\xff\xe1\x00\x1b\x67\x64\x00\x0a\xac\xd9\x44\x26\xc0\x5a\x83\x00\x83\x40\x00\x00\
    \x03\x00\x40\x00\x00\x07\x83\xc4\x89\x65\x80\x01\x00\x06\x68\xeb\xe3\xcb\x22\xc0";

/// Frames of 40 ms with a keyframe every second, and audio; another configuration from `change_at` ms on.
fn run(options: Options, seconds: i64, video: bool, change_at: i64) -> Scene {
    let with_parts = options.part.is_some();
    let window = Window::new("e", 1000, options.container, with_parts, Limits::default());
    let shared = Shared(Arc::new(Mutex::new(Scene(window, 0, Vec::new()))));
    let mut streams = Vec::new();
    if video {
        streams.push(StreamInfo::video(Codec::H264, 64, 64).with_config(AVCC).with_time_base(TimeBase::MILLIS));
    }
    let audio = StreamInfo::audio(Codec::Aac, 44100, 2).with_config(&[0x12, 0x10][..]);
    streams.push(audio.with_time_base(TimeBase::MILLIS));
    let (mut out, metadata) = (Output::default(), Metadata::default());
    let packager = Box::new(Packager::new(options, shared.clone()).unwrap());
    let plan = Plan::new(options.container.format(), &[], &metadata);
    let mut writer = plan.start_muxer(packager, &streams, &mut out).unwrap();
    for ms in (0..seconds * 1000).step_by(20) {
        let of = |stream, data: &'static [u8]| Packet::new(stream, Ticks(ms), TimeBase::MILLIS, data);
        if video && ms % 40 == 0 {
            let mut packet = of(0, b"\0\0\0\x02\x65x").with_key(ms % 1000 == 0);
            if change_at == ms {
                let mut other = AVCC.to_vec();
                other[3] = 0x0b;
                packet.side.set_new_config(other.into());
            }
            writer.write(packet, &mut out).unwrap();
        }
        writer.write(of(usize::from(video), b"sound").with_key(true), &mut out).unwrap();
    }
    writer.finish(&mut out).unwrap();
    assert!(out.next_edit().is_none(), "all bytes are in segments");
    drop(shared.0.lock().unwrap());
    Arc::into_inner(shared.0).unwrap().into_inner().unwrap()
}

fn low_latency() -> Options {
    Options { part: Some(Duration::from_millis(330)), live: true, ..Options::default() }
}

/// Checks the rules of Apple and of RFC 8216bis on a live playlist and its successors.
fn check_rules(playlists: &[Media]) {
    let begun: Vec<&Media> = playlists.iter().filter(|media| !media.segments.is_empty()).collect();
    for pair in begun.windows(2) {
        let (old, new) = (pair[0], pair[1]);
        assert_eq!((old.target, old.part_target), (new.target, new.part_target), "declared lengths change");
        assert!(new.sequence >= old.sequence && new.discontinuity_sequence >= old.discontinuity_sequence);
        for (index, segment) in old.segments.iter().enumerate() {
            let number = old.sequence + index as u64;
            let same = number.checked_sub(new.sequence).and_then(|index| new.segments.get(index as usize));
            assert!(same.is_none_or(|same| same.uri == segment.uri && same.date == segment.date), "{number} changes");
        }
    }
    for media in begun {
        let target = Duration::from_secs(media.target.into());
        for segment in &media.segments {
            assert!(segment.duration < target + Duration::from_millis(500), "EXTINF {:?}", segment.duration);
            assert!(!segment.duration.is_zero() && segment.date.is_some());
        }
        let Some(part_target) = media.part_target else { continue };
        let control = media.control.unwrap();
        assert!(control.can_block_reload && control.part_hold_back >= Some(part_target * 3));
        assert!(control.hold_back >= Some(target * 3) && control.can_skip_until >= Some(target * 6));
        for parts in media.segments.iter().map(|segment| &segment.parts).chain([&media.parts]) {
            assert!(parts.iter().all(|part| part.duration <= part_target && !part.duration.is_zero()));
            let whole = parts.iter().rev().skip(1).all(|part| part.duration * 100 >= part_target * 85);
            assert!(whole, "a part of less than 85 % within a segment");
        }
        assert!(media.ended || media.hint.is_some());
    }
}

#[test]
fn a_live_stream_keeps_the_rules_of_low_latency() {
    for (video, change_at) in [(true, -1), (true, 9000), (false, -1)] {
        let Scene(window, _, playlists) = run(low_latency(), 30, video, change_at);
        check_rules(&playlists);
        let last = playlists.last().unwrap();
        assert!(last.ended && last.segments.len() == 6 && (1009..1012).contains(&last.sequence), "{last}");
        assert_eq!(last.discontinuity_sequence, u64::from(change_at > 0));
        assert!(window.bytes() > 0);
    }
}

#[test]
fn segments_are_their_parts_and_begin_with_keyframes() {
    let Scene(window, ..) = run(low_latency(), 20, true, -1);
    for number in 1004..1010 {
        let File::Ready(whole) = window.file(&alloc::format!("e-{number}.m4s")) else { panic!("{number}") };
        for (index, part) in whole.iter().enumerate() {
            let File::Ready(one) = window.file(&alloc::format!("e-{number}.{index}.m4s")) else { panic!("{number}") };
            assert_eq!(one.concat(), part[..]);
            assert_eq!(&part[4..8], b"moof");
        }
    }
    assert_eq!(window.file("e-1000.m4s"), File::Gone);
    assert!(
        ["", "e-", "e-1005.ts", "x-1005.m4s", "e-1005.99.m4s", "e-99999999999999999999.m4s"]
            .iter()
            .all(|name| window.file(name) == File::Gone)
    );
    let File::Ready(init) = window.file("e-1000.mp4") else { panic!("an initialization") };
    assert_eq!(&init[0][4..8], b"ftyp");
}

#[test]
fn a_change_of_configuration_is_a_discontinuity_with_its_own_initialization() {
    let Scene(window, ..) = run(low_latency(), 20, true, 12_000);
    let media = window.playlist(false);
    let changed: Vec<_> = media.segments.iter().filter(|segment| segment.discontinuity).collect();
    assert_eq!(changed.len(), 1);
    assert_eq!(changed[0].map.as_ref().unwrap().uri, "e-1006.mp4");
    let File::Ready(init) = window.file("e-1006.mp4") else { panic!("an initialization") };
    assert!(init[0].windows(4).any(|bytes| bytes == b"\x01\x64\x00\x0b"));
}

#[test]
fn requests_wait_for_what_comes_and_are_refused_what_is_far() {
    let options = low_latency();
    let mut window = Window::new("e", 7, options.container, true, Limits::default());
    let part = || {
        let data = vec![b"part".as_slice().into()];
        Made::Piece(Piece { data, duration: Duration::from_millis(320), independent: true })
    };
    let segment = || Made::Segment {
        duration: Duration::from_secs(2),
        independent: true,
        discontinuity: false,
        target: 2,
        part_target: Some(Duration::from_millis(330)),
    };
    let ask = |window: &mut Window, segment, part| match window.ask(Reload { segment, part, skip: false }) {
        Ask::Ready(_) => "ready",
        Ask::Wait => "wait",
        Ask::TooFar => "far",
    };
    window.take(part(), Date(0));
    assert_eq!(ask(&mut window, None, None), "wait");
    window.take(segment(), Date(0));
    window.take(part(), Date(0));
    for (number, index, expected) in [
        (None, None, "ready"),
        (None, Some(0), "far"),
        (Some(6), None, "ready"),
        (Some(7), Some(9), "ready"),
        (Some(8), None, "wait"),
        (Some(8), Some(0), "ready"),
        (Some(8), Some(1), "wait"),
        (Some(9), Some(0), "wait"),
        (Some(10), None, "far"),
    ] {
        assert_eq!(ask(&mut window, number, index), expected, "{number:?} {index:?}");
    }
    assert_eq!((window.file("e-8.1.m4s"), window.file("e-8.2.m4s")), (File::Wait, File::Gone));
    assert!(matches!(window.file("e-8.0.m4s"), File::Ready(_)));
}

#[test]
fn a_window_is_bounded_in_bytes() {
    let limits = Limits { bytes: 1000, ..Limits::default() };
    let mut window = Window::new("e", 0, Container::Ts, false, limits);
    for number in 0..10 {
        let data = vec![vec![0; 300].into()];
        window.take(Made::Piece(Piece { data, duration: Duration::ZERO, independent: true }), Date(0));
        let duration = Duration::from_secs(2);
        let segment =
            Made::Segment { duration, independent: true, discontinuity: number == 0, target: 2, part_target: None };
        window.take(segment, Date(0));
    }
    assert!(window.bytes() <= 1000 && !window.is_over());
    let media = window.playlist(false);
    assert_eq!((media.sequence, media.segments.len(), media.discontinuity_sequence), (7, 3, 1));
    let data = vec![vec![0; 5000].into()];
    window.take(Made::Piece(Piece { data, duration: Duration::ZERO, independent: true }), Date(0));
    assert!(window.is_over(), "a segment without end is given up");
}

#[test]
fn segments_of_a_transport_stream_begin_with_its_tables() {
    for video in [true, false] {
        let options = Options { container: Container::Ts, live: true, ..Options::default() };
        let Scene(window, _, playlists) = run(options, 20, video, -1);
        check_rules(&playlists);
        for number in 1003..1009 {
            let File::Ready(data) = window.file(&alloc::format!("e-{number}.ts")) else { panic!("{number}") };
            assert!(data[0].len() % 188 == 0);
            let tables = data[0].chunks(188).take(3).any(|packet| packet[1] & 0x1f == 0 && packet[2] == 0);
            assert!(tables, "video {video}: no table at the start of {number}");
        }
    }
}

#[test]
fn a_reader_without_end_gets_every_part_once_and_initializations_where_they_change() {
    let mut window = Window::new("e", 5, Container::Fmp4, true, Limits::default());
    let part = |name: &'static str, independent| {
        let data = vec![name.as_bytes().into()];
        Made::Piece(Piece { data, duration: Duration::from_millis(300), independent })
    };
    let segment = || Made::Segment {
        duration: Duration::from_secs(2),
        independent: true,
        discontinuity: false,
        target: 2,
        part_target: None,
    };
    let init = |name: &'static str| Made::Init(vec![name.as_bytes().into()]);
    let (mut late, mut early) = (None, None);
    let read = |window: &Window, place: &mut Option<Place>| window.follow(place).concat();
    assert_eq!(read(&window, &mut early), b"");
    let made = [init("I"), part("a", true), part("b", false), segment(), part("c", true)];
    made.into_iter().for_each(|made| window.take(made, Date(0)));
    assert_eq!(read(&window, &mut early), b"Ic");
    for made in [part("d", false), segment(), init("J"), part("e", true)] {
        window.take(made, Date(0));
    }
    assert_eq!((read(&window, &mut early), read(&window, &mut late)), (b"dJe".to_vec(), b"Je".to_vec()));
    assert_eq!(read(&window, &mut early), b"");
    for _ in 0..20 {
        [part("x", true), segment()].into_iter().for_each(|made| window.take(made, Date(0)));
    }
    window.take(part("y", true), Date(0));
    assert_eq!(read(&window, &mut early), b"y", "a place that is gone goes on at the edge");
}

/// A segment of 2 s with these bytes.
fn filled(bytes: &'static [u8]) -> [Made; 2] {
    let piece = Piece { data: vec![bytes.into()], duration: Duration::ZERO, independent: true };
    let duration = Duration::from_secs(2);
    let end = Made::Segment { duration, independent: true, discontinuity: false, target: 2, part_target: None };
    [Made::Piece(piece), end]
}

#[test]
fn old_segments_are_listed_for_as_long_as_their_bytes_are_kept_elsewhere() {
    let history = Duration::from_secs(20);
    let mut window = Window::new("e", 100, Container::Fmp4, false, Limits { history, ..Limits::default() });
    window.take(Made::Init(vec![b"init".as_slice().into()]), Date(0));
    let (mut saved, mut expired) = (Vec::new(), Vec::new());
    for number in 0..30 {
        filled(b"bytes").into_iter().for_each(|made| window.take(made, Date(number * 2000)));
        saved.push(window.newest().unwrap().0);
        expired.extend(window.take_expired());
    }
    // 8 segments are in memory, and 10 more elsewhere; the others are gone.
    assert_eq!((saved[0].as_str(), saved[29].as_str()), ("e-100.m4s", "e-129.m4s"));
    assert_eq!(expired, saved[..12]);
    let all = window.playlist_since(Date(0));
    assert_eq!((all.sequence, all.segments.len(), all.begins), (112, 18, true));
    assert!(all.segments.iter().zip(&saved[12..]).all(|(segment, name)| segment.uri == *name));
    assert!(all.segments.windows(2).all(|two| two[1].date.unwrap().0 - two[0].date.unwrap().0 == 2000));
    let since = all.segments[5].date.unwrap();
    let later = window.playlist_since(Date(since.0 + 1999));
    assert_eq!((later.sequence, later.segments.len()), (117, 13));
    assert_eq!(window.playlist_since(Date(i64::MAX)).segments.len(), 1);
    for (name, expected) in
        [("e-111.m4s", false), ("e-112.m4s", true), ("e-121.m4s", true), ("e-122.m4s", false), ("x-115.m4s", false)]
    {
        assert_eq!(window.is_past(name), expected, "{name}");
    }
    assert_eq!(window.file("e-115.m4s"), File::Gone);
    let Ask::Ready(text) = window.ask_since(since) else { panic!("it is there") };
    assert!(text.starts_with(b"#EXTM3U") && window.ask_since(since) == Ask::Ready(text.clone()));
    assert!(String::from_utf8(text.to_vec()).unwrap().contains("#EXT-X-START:TIME-OFFSET=0\n"));
    window.take(Made::End, Date(0));
    let recording = window.recording();
    assert!(recording.ended && recording.kind == Some(Kind::Vod) && recording.segments.len() == 18);
}

#[test]
fn a_window_without_history_remembers_nothing() {
    let mut window = Window::new("e", 0, Container::Ts, false, Limits::default());
    for number in 0..20 {
        filled(b"bytes").into_iter().for_each(|made| window.take(made, Date(number * 2000)));
    }
    assert!(window.take_expired().is_empty() && !window.is_past("e-5.ts"));
    assert_eq!(window.playlist_since(Date(0)).segments.len(), 8);
}

#[cfg(feature = "crypt")]
#[test]
fn an_encrypted_segment_is_the_plain_one_by_its_key_and_number() {
    use crate::syntax::isobmff::cipher::{Mode, decrypt};

    let key = [7; 16];
    let mut window = Window::new("e", 5, Container::Fmp4, true, Limits::default()).encrypted(key, "e.key");
    window.take(Made::Init(vec![b"init".as_slice().into()]), Date(0));
    for _ in 0..2 {
        filled(b"bytes of a segment").into_iter().for_each(|made| window.take(made, Date(0)));
    }
    let media = window.playlist(false);
    assert!(media.part_target.is_none() && media.hint.is_none(), "there are no parts");
    let text = alloc::format!("{media}");
    let (map, key_at) =
        (text.find("#EXT-X-MAP").unwrap(), text.find("#EXT-X-KEY:METHOD=AES-128,URI=\"e.key\"").unwrap());
    assert!(map < key_at, "the initialization is clear: {text}");
    assert_eq!(window.file("e-5.mp4"), File::Ready(vec![b"init".as_slice().into()]));
    let File::Ready(data) = window.file("e-6.m4s") else { panic!("a segment") };
    let mut data = data.concat();
    assert_eq!((data.len(), window.bytes()), (32, 68));
    let mode = Mode::of(*b"cbc1", (0, 0)).unwrap();
    decrypt(&key, 6_u128.to_be_bytes(), mode, &mut data, core::iter::empty());
    assert_eq!(&data[..], b"bytes of a segment\x0e\x0e\x0e\x0e\x0e\x0e\x0e\x0e\x0e\x0e\x0e\x0e\x0e\x0e");
}
