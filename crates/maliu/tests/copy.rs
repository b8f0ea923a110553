//! The copy engine as a library: streams are chosen, times begin at 0, what is pushed is written as what is read.

use bytes::Bytes;
use maliu::{
    Codec, Event, Packet, Ticks, TimeBase,
    blocking::Reader,
    copy::{self, Error, Inputs, Map, Options, Recorder, Step},
    format::Format,
    formats,
    io::Memory,
    packet::Flags,
    stream::{Audio, Media, StreamInfo, Video},
};

const FLV: &[u8] = include_bytes!("../../../samples/flv/h264_aac.flv");

fn reader() -> Reader<Bytes> {
    Reader::new(Bytes::from_static(FLV))
}

fn format(name: &str) -> &'static Format {
    formats::named(name).unwrap()
}

fn options(change: impl FnOnce(&mut Options)) -> Options {
    let mut options = Options::default();
    change(&mut options);
    options
}

/// Result of a copy of the sample in this format.
fn copied(name: &str, options: Options) -> (Vec<u8>, copy::Report) {
    let mut copy = Inputs::open([reader()], format(name), options).unwrap().start(Memory::new()).unwrap();
    while !matches!(copy.step().unwrap(), Step::End) {}
    let (report, sink) = copy.finish(Ok(()));
    (sink.unwrap().into_bytes(), report)
}

fn packets(bytes: Vec<u8>) -> Vec<Packet> {
    Reader::new(Bytes::from(bytes)).map(Result::unwrap).collect()
}

#[test]
fn a_copy_keeps_every_packet() {
    let (bytes, report) = copied("flv", Options::default());
    let (before, after) = (packets(FLV.to_vec()), packets(bytes));
    let data = |packets: &[Packet]| packets.iter().map(|packet| packet.data.clone()).collect::<Vec<_>>();
    assert_eq!(data(&before), data(&after));
    assert_eq!((report.refused, report.lines()), (0, vec![]));
}

#[test]
fn a_format_of_one_stream_gets_the_stream_of_its_kind() {
    let inputs = Inputs::open([reader()], format("adts"), Options::default()).unwrap();
    assert_eq!(inputs.streams().iter().map(|stream| stream.codec).collect::<Vec<_>>(), [Codec::Aac]);
}

#[test]
fn times_begin_at_0_unless_they_are_kept() {
    let first = |options| packets(copied("flv", options).0).iter().filter_map(|packet| packet.dts).min().unwrap();
    let given = packets(FLV.to_vec()).iter().filter_map(|packet| packet.dts).min().unwrap();
    assert_eq!(first(Options::default()), Ticks(0));
    assert_eq!(first(options(|options| options.copy_times = true)), given);
}

#[test]
fn a_stream_joined_before_its_parameter_sets_begins_at_its_first_keyframe() {
    let whole: &[u8] = include_bytes!("../../../samples/h264/b_frames.h264");
    let packets = packets(whole.to_vec());
    let late: Vec<u8> = packets[1..4].iter().flat_map(|packet| packet.data.iter().copied()).collect();
    assert!(packets[1..4].iter().all(|packet| !packet.is_key()));
    let joined = Bytes::from([&late, whole].concat());
    let mut copy =
        Inputs::open([Reader::new(joined)], format("flv"), Options::default()).unwrap().start(Memory::new()).unwrap();
    while !matches!(copy.step().unwrap(), Step::End) {}
    let (report, sink) = copy.finish(Ok(()));
    let copied: Vec<Packet> = Reader::new(Bytes::from(sink.unwrap().into_bytes())).map(Result::unwrap).collect();
    assert_eq!((copied.len(), report.streams[0].leading), (packets.len(), 3));
    assert_eq!(copied[0].dts.min(copied[0].pts), Some(Ticks(0)));
}

#[test]
fn a_window_without_packets_is_an_error_and_leaves_no_output() {
    let options = options(|options| options.start = Some(Ticks(3_600_000_000)));
    let end = copy::run([reader()], format("flv"), Memory::new(), options);
    assert!(matches!(end, Err(Error::EmptyWindow)), "{end:?}");
}

#[test]
fn a_map_that_selects_nothing_is_an_error() {
    let map: Map = "7".parse().unwrap();
    let options = options(|options| options.map = vec![map]);
    let end = copy::run([reader()], format("flv"), Memory::new(), options).unwrap_err();
    assert_eq!(end.to_string(), "7 selects no further stream");
}

#[test]
fn what_is_pushed_is_written_as_what_is_read() {
    let mut recorder = Recorder::new(format("flv"), Memory::new(), Options::default());
    let mut events = reader();
    loop {
        match events.next_event().unwrap() {
            Event::End => break,
            event => recorder.push(event).unwrap(),
        }
    }
    let (_, sink) = recorder.finish().unwrap().complete();
    assert_eq!(sink.unwrap().into_bytes(), copied("flv", Options::default()).0);
}

/// Two seconds of video with a keyframe every half second, and audio, both from `origin` µs on; audio comes `late` packets
/// behind the video that is decoded with it.
fn second_hand(origin: i64, late: usize) -> Vec<Event> {
    let stream = |codec, media| {
        Event::Stream(usize::from(codec != Codec::H264), Box::new(StreamInfo::new(codec, TimeBase::MICROS, media)))
    };
    let mut events = vec![
        stream(Codec::H264, Media::Video(Video::new(64, 64))),
        stream(Codec::PcmS16Le, Media::Audio(Audio::new(8000, 1))),
    ];
    let packet = |stream, n: i64, key| {
        let time = Some(Ticks(origin + n * 20_000));
        let (data, flags) = (Bytes::from(vec![n as u8; 8]), Flags::key(key));
        Event::Packet(Packet::of(stream, data).at(time).with_time_base(TimeBase::MICROS).with_flags(flags))
    };
    let mut audio: Vec<_> = (0..100).map(|n| packet(1, n, true)).rev().collect();
    for n in 0..100 + late as i64 {
        events.extend((n < 100).then(|| packet(0, n, n % 25 == 0)));
        events.extend(if n >= late as i64 { audio.pop() } else { None });
    }
    events
}

#[test]
fn a_start_counts_from_the_first_time_and_audio_begins_with_the_video() {
    for (origin, late) in [(0, 0), (90_000_000, 0), (90_000_000, 5)] {
        let options = options(|options| {
            (options.start, options.duration, options.copy_times) =
                (Some(Ticks(1_130_000)), Some(Ticks(500_000)), true);
        });
        let mut recorder = Recorder::new(format("framecrc"), Memory::new(), options);
        second_hand(origin, late).into_iter().for_each(|event| recorder.push(event).unwrap());
        let text = recorder.finish().unwrap().complete().1.unwrap().into_bytes();
        let text = String::from_utf8(text.to_vec()).unwrap();
        let times = |stream: &str| -> Vec<i64> {
            let rows = text.lines().filter(|line| line.starts_with(stream));
            rows.map(|row| (row.split(',').nth(1).unwrap().trim().parse::<i64>().unwrap() - origin) / 1000).collect()
        };
        let (video, audio) = (times("0,"), times("1,"));
        assert_eq!((video[0], *video.last().unwrap()), (1000, 1620), "{origin} {late}");
        assert!(audio[0] == 1000 && *audio.last().unwrap() == 1620, "{origin} {late}: {audio:?}");
    }
}
