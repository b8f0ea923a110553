//! Streams and packets written by the FLV muxer come back from the demuxer, with everything that travels beside them.

#[path = "flv_round/read_rules.rs"]
mod read_rules;
#[path = "flv_round/written_rules.rs"]
mod written_rules;

use std::task::Poll;

use bytes::Bytes;
use maliu_core::{
    format::Event,
    formats::flv::{self, SIDE_COLORS, SIDE_NANOS},
    input::Input,
    output::{Edit, Output, Reach},
    packet::Packet,
    reader::PacketReader,
    stream::{Audio, Codec, Kind, Media, Metadata, StreamInfo, Video},
    syntax::amf,
    time::{Ticks, TimeBase},
};

const AVCC: &[u8] = b"\x01\x64\x00\x0a\xff\xe1\x00\x18\x67\x64\x00\x0a\xac\xd9\x42\xdf\x88\x84\x00\x00\x03\x00\x04\x00\x00\x03\x00\xa0\x3c\x48\x96\x58\x01\x00\x06\x68\xeb\xe3\xcb\x22\xc0";

fn stream(codec: Codec, config: &'static [u8]) -> StreamInfo {
    let media = match codec.kind() {
        Kind::Audio => {
            let mut audio = Audio::new(44_100, 2);
            audio.bits_per_sample = 16;
            Media::Audio(audio)
        }
        Kind::Video => Media::Video(Video::new(64, 48)),
        Kind::Subtitle => Media::Subtitle,
        _ => Media::Data,
    };
    let mut stream = StreamInfo::new(codec, TimeBase::MILLIS, media);
    stream.config = Bytes::from_static(config);
    stream
}

/// A file in memory.
#[derive(Default)]
struct File(Vec<u8>);

impl File {
    fn apply(&mut self, out: &mut Output) {
        while let Some(edit) = out.next_edit() {
            match edit {
                Edit::Append(piece) => piece.parts.iter().for_each(|part| self.0.extend_from_slice(part)),
                Edit::Overwrite { at, bytes } => self.0[at as usize..][..bytes.len()].copy_from_slice(&bytes),
                Edit::Insert { at, bytes } => drop(self.0.splice(at as usize..at as usize, bytes)),
            }
        }
    }
}

fn write(streams: &[StreamInfo], packets: &[Packet], settings: &[(&str, &str)], reach: Reach) -> Vec<u8> {
    let mut muxer = flv::FORMAT.muxer.unwrap()(settings).unwrap();
    let (mut out, mut file, mut streams) = (Output::new(reach), File::default(), streams.to_vec());
    muxer.start(&mut streams, &Metadata::default(), &mut out).unwrap();
    for packet in packets {
        muxer.packet(packet, &mut out).unwrap();
    }
    muxer.finish(&mut out).unwrap();
    file.apply(&mut out);
    file.0
}

fn read(bytes: &[u8]) -> (Vec<StreamInfo>, Vec<Packet>, Vec<String>) {
    let mut reader = PacketReader::of(&flv::FORMAT, &[]).unwrap();
    let mut input = Input::new();
    input.push(bytes);
    input.end();
    let (mut packets, mut warnings) = (Vec::new(), Vec::new());
    loop {
        let event = reader.poll(&mut input).unwrap();
        warnings.extend(input.take_warnings().0.into_iter().map(|warning| warning.what.into_owned()));
        match event {
            Poll::Ready(Event::Packet(packet)) => packets.push(packet),
            Poll::Ready(Event::End) => return (reader.streams().to_vec(), packets, warnings),
            _ => {}
        }
    }
}

/// Twelve packets of each stream, pictures reordered where the codec does that.
fn packets(streams: &[StreamInfo]) -> Vec<Packet> {
    let mut packets = Vec::new();
    for n in 0..12i64 {
        for (index, info) in streams.iter().enumerate() {
            let reorders = matches!(info.codec, Codec::H264 | Codec::H265 | Codec::Mpeg4);
            let dts = n * 40 + index as i64;
            let key = info.codec.kind() != Kind::Video || n % 4 == 0;
            let mut data = vec![n as u8 + 3; 20 + index * 7 + n as usize];
            if reorders {
                data[..4].copy_from_slice(&(16 + index as u32 * 7 + n as u32).to_be_bytes());
            }
            packets.push(
                Packet::of(index, data)
                    .with_time_base(TimeBase::MILLIS)
                    .with_pts(Ticks(dts + if reorders { n % 3 * 40 } else { 0 }))
                    .with_dts(Ticks(dts))
                    .with_key(key),
            );
        }
    }
    packets
}

fn check(streams: &[StreamInfo], packets: &[Packet]) {
    for reach in [Reach::Append, Reach::Overwrite] {
        let (found, given, warnings) = read(&write(streams, packets, &[("strict", "-1")], reach));
        assert_eq!(warnings, [""; 0]);
        let names = |streams: &[StreamInfo]| streams.iter().map(|s| (s.codec, s.config.clone())).collect::<Vec<_>>();
        assert_eq!(names(&found), names(streams));
        assert_eq!(given.len(), packets.len(), "{:?} {reach:?}", names(streams));
        for (given, written) in given.iter().zip(packets) {
            let mut side = given.side.clone();
            if written.side.new_audio().is_none() && given.side.new_audio().is_some() {
                // Two tracks of different rate look like changes.
                side = written.side.clone();
            }
            // FLV stores no durations: what comes back is derived.
            let comparable = given.clone().with_duration(written.duration).with_side(side).with_position(None);
            assert_eq!(comparable, *written, "{:?} {:?}", streams[written.stream].codec, written.dts);
        }
    }
}

#[test]
fn every_codec_comes_back() {
    let videos: [(Codec, &[u8]); 11] = [
        (Codec::H264, AVCC),
        (Codec::H265, b"\x01\x01hvcC of any content"),
        (Codec::Av1, b"\x81\x00\x0c\x00\x0a\x0b"),
        (Codec::Vp9, b"\x01\x00\x00\x00\x00\x0a\x82\x01\x01\x01\x00\x00"),
        (Codec::Vp8, b"vpcC"),
        (Codec::Mpeg4, b"\x00\x00\x01\xb0\x01"),
        (Codec::Flv1, b""),
        (Codec::H263, b""),
        (Codec::FlashSv, b""),
        (Codec::FlashSv2, b""),
        (Codec::Vp6F, b"\x24"),
    ];
    let audios: [(Codec, &[u8]); 9] = [
        (Codec::Aac, b"\x12\x10"),
        (Codec::Opus, b"OpusHead\x01\x02\x38\x01\x80\xbb\0\0\0\0\0"),
        (Codec::Flac, b"\x10\0\x10\0\0\0\0\0\0\0\x0a\xc4\x42\xf0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
        (Codec::Ac3, b""),
        (Codec::Eac3, b""),
        (Codec::Mp3, b""),
        (Codec::PcmS16Le, b""),
        (Codec::AdpcmSwf, b""),
        (Codec::Nellymoser, b""),
    ];
    for (number, (codec, config)) in videos.into_iter().enumerate() {
        // Streams come back in the order of their first tags: those with a configuration first.
        let (audio, audio_config) = audios[if config.len() > 1 { number } else { 5 + number % 4 }];
        let streams = [stream(codec, config), stream(audio, audio_config)];
        check(&streams, &packets(&streams));
    }
}

#[test]
fn several_tracks_of_a_kind_come_back() {
    let streams = [
        stream(Codec::H264, AVCC),
        stream(Codec::Aac, b"\x12\x10"),
        stream(Codec::H265, b"\x01hvcC"),
        stream(Codec::Opus, b"OpusHead\x01\x02\x38\x01\x80\xbb\0\0\0\0\0"),
        stream(Codec::H264, AVCC),
    ];
    check(&streams, &packets(&streams));
}

#[test]
fn what_travels_beside_a_packet_comes_back() {
    let streams = [stream(Codec::H265, b"\x01hvcC"), stream(Codec::Aac, b"\x12\x10")];
    let mut packets = packets(&streams);
    packets[4].side.set_new_config(Bytes::from_static(b"\x01another hvcC"));
    packets[5].side.set_new_config(Bytes::from_static(b"\x11\x90"));
    packets[6].side.add_opaque(SIDE_NANOS, Bytes::from_static(&[0, 1, 0xe2, 0x40])).unwrap();
    let colors = Bytes::from_static(b"\x02\0\x09colorInfo\x03\0\x0bcolorConfig\x03\0\0\x09\0\0\x09");
    packets[8].side.add_opaque(SIDE_COLORS, colors).unwrap();
    check(&streams, &packets);
}

#[test]
fn parameter_sets_in_the_packets_become_the_configuration() {
    let sets = b"\0\0\0\x01\x67\x64\x00\x0a\xac\xd9\x42\xdf\x88\x84\0\0\x03\0\x04\0\0\x03\0\xa0\x3c\x48\x96\x58\0\0\0\x01\x68\xeb\xe3\xcb\x22\xc0";
    let slice = b"\0\0\0\x01\x65\x88\x84\x00";
    let data = Bytes::from([&sets[..], slice].concat());
    let packet = Packet::of(0, data).at(Ticks(0)).with_key(true);
    let bytes = write(&[stream(Codec::H264, b"")], &[packet], &[], Reach::Append);
    let (streams, packets, _) = read(&bytes);
    assert_eq!(streams[0].config, AVCC.to_vec().into_iter().chain([0xfd, 0xf8, 0xf8, 0]).collect::<Vec<_>>());
    assert!(packets[0].data.ends_with(b"\0\0\0\x04\x65\x88\x84\0"), "NAL units stand behind their lengths");
}

#[test]
fn a_key_frame_index_points_at_the_key_frames() {
    let streams = [stream(Codec::H264, AVCC), stream(Codec::Aac, b"\x12\x10")];
    let bytes = write(&streams, &packets(&streams), &[("add_keyframe_index", "1")], Reach::Insert);
    let (_, packets, warnings) = read(&bytes);
    assert_eq!(warnings, [""; 0]);
    let at = bytes.windows(13).position(|w| w == b"filepositions").unwrap() + 13;
    let count = u32::from_be_bytes(bytes[at + 1..at + 5].try_into().unwrap()) as usize;
    let numbers = bytes[at + 5..].chunks(9).take(count);
    let listed: Vec<_> = numbers.map(|n| f64::from_be_bytes(n[1..9].try_into().unwrap()) as u64).collect();
    let keys = packets.iter().filter(|packet| packet.stream == 0 && packet.is_key());
    assert_eq!(listed, keys.map(|packet| packet.position.unwrap()).collect::<Vec<_>>());
    for reach in [Reach::Append, Reach::Overwrite] {
        let mut muxer = flv::FORMAT.muxer.unwrap()(&[("add_keyframe_index", "1")]).unwrap();
        let mut out = Output::new(reach);
        assert!(muxer.start(&mut streams.clone(), &Metadata::default(), &mut out).is_err());
        assert_eq!(out.position(), 0, "nothing is written");
    }
}

#[test]
fn fewer_than_two_key_frames_make_no_index_but_whole_metadata() {
    let streams = [stream(Codec::H264, AVCC), stream(Codec::Aac, b"\x12\x10")];
    let bytes = write(&streams, &packets(&streams)[..6], &[("add_keyframe_index", "1")], Reach::Insert);
    assert_eq!(read(&bytes).2, [""; 0]);
    let [metadata] = &metadata_of(&bytes)[..] else { panic!("one onMetaData") };
    assert_eq!((metadata.member("keyframes"), metadata.member("hasIndex")), (None, Some(&amf::Value::Bool(false))));
    assert_eq!(metadata.member("filesize").and_then(amf::Value::number), Some(bytes.len() as f64));
}

#[test]
fn new_tags_in_mid_file_leave_index_and_totals_to_the_first_metadata() {
    let mut streams = [stream(Codec::H264, AVCC), stream(Codec::Aac, b"\x12\x10")];
    let mut muxer = flv::FORMAT.muxer.unwrap()(&[("add_keyframe_index", "1")]).unwrap();
    let (mut out, mut file, mut tags) = (Output::new(Reach::Insert), File::default(), Metadata::default());
    muxer.start(&mut streams, &tags, &mut out).unwrap();
    for (n, packet) in packets(&streams).iter().enumerate() {
        if n == 7 {
            tags.set("title", "later");
            muxer.metadata(&tags);
        }
        muxer.packet(packet, &mut out).unwrap();
    }
    muxer.finish(&mut out).unwrap();
    file.apply(&mut out);
    let [first, later] = &metadata_of(&file.0)[..] else { panic!("two onMetaData") };
    assert_eq!(first.member("filesize").and_then(amf::Value::number), Some(file.0.len() as f64));
    assert!(first.member("keyframes").is_some() && later.member("keyframes").is_none());
    assert_eq!(later.member("title").and_then(amf::Value::text), Some("later"));
    assert_eq!((later.member("duration"), later.member("filesize")), (None, None));
}

/// The members of every onMetaData in a file, each read to its end.
fn metadata_of(bytes: &[u8]) -> Vec<amf::Value> {
    let (mut at, mut found) = (13, Vec::new());
    while let Some(head) = bytes.get(at..at + 11) {
        let size = u32::from_be_bytes([0, head[1], head[2], head[3]]) as usize;
        let mut body = amf::Cursor::new(&bytes[at + 11..at + 11 + size]);
        if head[0] == 18 {
            assert_eq!(amf::amf0::read_text(&mut body), Some(&b"onMetaData"[..]));
            let members = amf::amf0::read(&mut body);
            assert_eq!((members.fault, body.left()), (None, 0), "nothing stands behind the members");
            found.push(members.value);
        }
        at += 15 + size;
    }
    found
}
