//! Every preset is read, written, split and damaged; faults in a layout's text are found where they are.

use std::collections::HashMap;

use bytes::Bytes;
use maliu::{
    StreamInfo, Ticks, TimeBase,
    format::Muxer,
    layout::{self, Writer},
    output::{Output, Reach},
    packet::Packet,
    stream::{Codec, Media, Metadata, Video},
};

mod connections;
use connections::{connection, datas, drain, random, read, written};

#[test]
fn what_a_preset_writes_it_reads_in_every_split() {
    for preset in written() {
        let layout = preset.layout().unwrap();
        let (bytes, _, packets) = connection(&layout, 30);
        let whole = read(&layout, &bytes, bytes.len());
        assert_eq!(whole.1, Vec::<String>::new(), "{}", preset.name);
        assert_eq!(datas(&whole.0), datas(&packets), "{}", preset.name);
        for (got, sent) in whole.0.iter().zip(&packets).filter(|(got, _)| got.pts.is_some()) {
            assert_eq!((got.pts, got.is_key()), (sent.pts, sent.is_key()), "{}", preset.name);
        }
        for slice in [1, 7, 1000] {
            assert_eq!(read(&layout, &bytes, slice), whole, "{} in slices of {slice}", preset.name);
        }
    }
}

/// Cost of insertions of garbage for a connection.
#[derive(Debug, Default, PartialEq)]
struct Cost {
    /// Messages without garbage inside that did not arrive.
    lost: usize,
    /// Packets that were not sent: touched messages of layouts that cannot tell.
    damaged: usize,
    /// Bytes that the warnings tell of, and how many warnings there are.
    skipped: usize,
    warnings: usize,
    /// Bytes that were inserted, and bytes of the messages they were inserted into.
    inserted: usize,
    touched: usize,
}

/// Inserts 1–4096 random bytes at a random place of every `step`th of `count` messages, its front included.
fn cost(layout: &layout::Layout, count: usize, step: usize) -> Cost {
    let (bytes, starts, packets) = connection(layout, count);
    let (mut state, mut damaged, mut at) = (99, Vec::new(), 0);
    let mut cost = Cost::default();
    let mut touched = vec![false; packets.len()];
    for n in (2..packets.len()).step_by(step) {
        let into = random(&mut state) as usize % (starts[n + 1] - starts[n]);
        damaged.extend_from_slice(&bytes[at..starts[n] + into]);
        at = starts[n] + into;
        let garbage = 1 + random(&mut state) as usize % 4096;
        damaged.extend((0..garbage).map(|_| random(&mut state) as u8));
        touched[n] = into > 0;
        cost.inserted += garbage;
        cost.touched += if into > 0 { starts[n + 1] - starts[n] } else { 0 };
    }
    damaged.extend_from_slice(&bytes[at..]);
    let (got, warnings, _) = read(layout, &damaged, 5000);
    let places: HashMap<&Bytes, usize> = packets.iter().enumerate().map(|(n, packet)| (&packet.data, n)).collect();
    let mut next = 0;
    for packet in &got {
        match places.get(&packet.data) {
            Some(n) => {
                assert!(*n >= next, "{}: message {n} comes again", layout.name);
                cost.lost += touched[next..*n].iter().filter(|touched| !**touched).count();
                let sent = &packets[*n];
                let exact = packet.pts.is_none() || (packet.pts, packet.is_key()) == (sent.pts, sent.is_key());
                assert!(exact || touched[*n], "{}: message {n} is not as it was sent", layout.name);
                cost.damaged += usize::from(!exact);
                next = n + 1;
            }
            None => cost.damaged += 1,
        }
    }
    cost.lost += touched[next..].iter().filter(|touched| !**touched).count();
    let skips =
        warnings.iter().filter_map(|warning| warning.split("; ").nth(1)?.split(' ').next()?.parse::<usize>().ok());
    (cost.skipped, cost.warnings) = (skips.sum(), warnings.len());
    cost
}

#[test]
fn garbage_costs_only_the_messages_it_touches() {
    for preset in written() {
        let layout = preset.layout().unwrap();
        let cost = cost(&layout, 4000, 4);
        assert_eq!(cost.lost, 0, "{}: {cost:?}", preset.name);
        assert!(cost.warnings >= 1000, "every place is reported: {}: {cost:?}", preset.name);
        if matches!(preset.name, "dhav" | "flv-tag" | "tail") {
            // The tail reveals a touched message: none is delivered, and all bytes without use are reported.
            assert_eq!((cost.damaged, cost.skipped), (0, cost.inserted + cost.touched), "{}", preset.name);
        } else {
            assert!(cost.damaged <= 1000 && cost.skipped >= cost.inserted - cost.touched, "{}: {cost:?}", preset.name);
        }
    }
}

#[test]
fn what_stands_alone_between_garbage_is_lost_without_a_magic() {
    for preset in written() {
        let layout = preset.layout().unwrap();
        let cost = cost(&layout, 400, 2);
        let weak = matches!(preset.name, "length32" | "rtsp-interleaved" | "scrcpy" | "scrcpy4" | "v4l2");
        assert_eq!(cost.lost > 0, weak, "{}: {cost:?}", preset.name);
        assert!(cost.skipped >= cost.inserted - cost.touched, "{}: {cost:?}", preset.name);
    }
}

#[test]
fn damaged_connections_read_the_same_in_every_split() {
    for preset in written() {
        let layout = preset.layout().unwrap();
        let (mut bytes, _, _) = connection(&layout, 40);
        let mut state = 5;
        for _ in 0..20 {
            let at = random(&mut state) as usize % bytes.len();
            bytes[at] ^= 0x5a;
            bytes.splice(at..at, (0..random(&mut state) % 50).map(|n| (n * 37) as u8));
            let whole = read(&layout, &bytes, bytes.len());
            for slice in [1, 333] {
                assert_eq!(read(&layout, &bytes, slice), whole, "{} in slices of {slice}", preset.name);
            }
        }
    }
}

#[test]
fn a_picture_in_parts_is_put_together() {
    let layout = layout::named("jt1078").unwrap().layout().unwrap();
    let part = |kind: u8, sequence: u8, body: &[u8]| {
        let head = [0x30, 0x31, 0x63, 0x64, 0x81, 0x62, 0, sequence, 1, 0x38, 0, 0x13, 0x80, 0, 1, kind];
        let time = [0, 0, 0, 0, 0, 0, 3, 0xe8, 0, 40, 0, 40];
        [&head[..], &time, &[0, body.len() as u8], body].concat()
    };
    let bytes = [part(1, 0, &[0, 0, 0, 1, 0x65]), part(3, 1, b"mid"), part(2, 2, b"end")].concat();
    let (packets, warnings, streams) = read(&layout, &bytes, 3);
    assert_eq!((packets.len(), warnings.len(), streams[0].codec), (1, 0, Codec::H264));
    assert_eq!(packets[0].data, Bytes::from_static(b"\0\0\0\x01\x65midend"));
    assert_eq!((packets[0].pts, packets[0].is_key()), (Some(Ticks(1000)), true));
}

#[test]
fn scrcpy_opens_with_name_codec_and_size_and_its_config_is_no_packet() {
    let layout = layout::named("scrcpy").unwrap().layout().unwrap();
    let mut bytes = [b"Pixel".to_vec(), vec![0; 59]].concat();
    bytes.extend(b"h264\0\0\x04\x38\0\0\x09\x60");
    bytes.extend(b"\x80\0\0\0\0\0\0\0\0\0\0\x06\0\0\0\x01\x67\x42");
    bytes.extend(b"\x40\0\0\0\0\x01\x86\xa0\0\0\0\x05\0\0\0\x01\x65");
    let (packets, _, streams) = read(&layout, &bytes, 11);
    let video = streams[0].as_video().unwrap();
    assert_eq!((video.size(), streams[0].config.len()), ((1080, 2400), 6));
    assert_eq!((packets.len(), packets[0].pts, packets[0].is_key()), (1, Some(Ticks(100_000)), true));
    let lines = layout::explain(&layout, &bytes, 100);
    assert!(lines.iter().any(|line| line.name == "device" && line.value == "\"Pixel\""), "{lines:?}");
    assert!(lines.iter().any(|line| line.name == "pts" && line.value.contains("0.100000 s")), "{lines:?}");
}

#[test]
fn faults_are_found_where_they_stand() {
    let cases = [
        (
            "name = \"x\"\nheader = [\n  { name = \"a\", type = \"u4\", role = \"length\" },\n]",
            3,
            "4 bits are not whole bytes",
        ),
        (
            "name = \"x\"\nheader = [ { name = \"a\", type = \"u8\", role = \"lenght\" } ]",
            2,
            "no role is called lenght",
        ),
        ("name = \"x\"\nheader = [ { name = \"a\", typ = \"u8\" } ]", 2, "unknown field `typ`"),
        (
            "name = \"x\"\nheader = [ { name = \"a\", type = \"u8\", when = \"b == 1\" } ]",
            2,
            "no field b stands in front",
        ),
        ("name = \"x\"\nheader = [ { name = \"a\", type = \"u8\" } ]", 2, "nothing says how long the body is"),
        ("name = 5", 1, "invalid type"),
        (
            "name = \"x\"\nheader = [ { name = \"a\", type = \"text 4\", role = \"length\" } ]",
            2,
            "a role that needs a number",
        ),
        (
            "name = \"x\"\nheader = [ { name = \"a\", type = \"u8\", role = \"length\" } ]\ntail = [\n  \
             { name = \"s\", type = \"u16\", role = \"checksum\", algorithm = \"crc32\" } ]",
            4,
            "a checksum of 32 bits in 16 bits of s",
        ),
    ];
    for (text, line, what) in cases {
        let fault = layout::parse(text).unwrap_err();
        assert!(fault.line == line && fault.what.contains(what), "{fault} for {text:?}");
    }
}

#[test]
fn the_layouts_of_the_issue_are_short() {
    for name in ["scrcpy", "tail", "jt1078"] {
        assert!(layout::named(name).unwrap().text.lines().count() <= 25, "{name}");
    }
}

/// Packets of a raw stream of these bytes, in ticks of its time base.
fn raw_packets(bytes: &'static [u8]) -> Vec<Packet> {
    maliu::blocking::Reader::new(Bytes::from_static(bytes)).map(Result::unwrap).collect()
}

fn raw_rate(bytes: &'static [u8]) -> (u32, u32) {
    let mut reader = maliu::blocking::Reader::new(Bytes::from_static(bytes));
    reader.start().unwrap();
    reader.streams()[0].as_video().unwrap().frame_rate.unwrap()
}

fn behind_lengths(bodies: &[&[u8]]) -> Vec<u8> {
    bodies.iter().flat_map(|body| [&(body.len() as u32).to_be_bytes()[..], body].concat()).collect()
}

fn times(packets: &[Packet]) -> Vec<(Option<Ticks>, Option<Ticks>, bool)> {
    packets.iter().map(|packet| (packet.pts, packet.dts, packet.is_key())).collect()
}

#[test]
fn a_layout_without_times_gets_them_from_picture_order_and_rate_as_a_raw_stream_does() {
    let cases: [(&str, &'static [u8]); 3] = [
        ("h264", include_bytes!("../../../samples/h264/b_frames.h264")),
        ("hevc", include_bytes!("../../../samples/h265/main.h265")),
        ("hevc", include_bytes!("../../../samples/h265/idr_with_leading.h265")),
    ];
    for (codec, bytes) in cases {
        let text = |more: &str| {
            format!(
                "name = \"x\"\nheader = [ {{ name = \"n\", type = \"u32\", role = \"length\" }} ]\n\
                 body = {{ kind = \"annexb\", codec = \"{codec}\"{more} }}"
            )
        };
        let layout = layout::parse(&text("")).unwrap();
        let expected = raw_packets(bytes);
        let bodies: Vec<&[u8]> = expected.iter().map(|packet| &packet.data[..]).collect();
        let connection = behind_lengths(&bodies);
        for slice in [connection.len(), 7] {
            let (packets, warnings, streams) = read(&layout, &connection, slice);
            assert_eq!((times(&packets), datas(&packets)), (times(&expected), datas(&expected)), "{codec}");
            assert_eq!((warnings.len(), streams[0].as_video().unwrap().width.is_some()), (0, true));
        }
        let slow = layout::parse(&text(", frame_rate = \"5/2\"")).unwrap();
        let span = |packets: &[Packet]| packets.iter().filter_map(|packet| packet.pts).max().unwrap().0;
        let (packets, _, streams) = read(&slow, &connection, 999);
        assert_eq!(streams[0].as_video().unwrap().frame_rate, Some((5, 2)));
        let (num, den) = raw_rate(bytes);
        assert_eq!(span(&packets) * 5 * i64::from(den), span(&expected) * 2 * i64::from(num), "{codec}");
    }
}

#[test]
fn parameter_sets_in_a_message_of_their_own_belong_to_the_picture_behind_them() {
    let expected = raw_packets(include_bytes!("../../../samples/h264/b_frames.h264"));
    let mut bodies = Vec::new();
    for packet in &expected {
        let slice = maliu::syntax::annexb::units(&packet.data).find(|unit| matches!(unit.trimmed()[0] & 31, 1 | 5));
        let slice = slice.unwrap();
        let (sets, picture) = packet.data.split_at(slice.at - slice.start_code);
        bodies.extend([sets, picture].into_iter().filter(|body| !body.is_empty()));
    }
    assert!(bodies.len() > expected.len());
    let layout = layout::named("length32").unwrap().layout().unwrap();
    let (packets, _, _) = read(&layout, &behind_lengths(&bodies), 1000);
    assert_eq!((times(&packets), datas(&packets)), (times(&expected), datas(&expected)));
}

#[test]
fn a_packet_that_is_too_long_goes_in_parts_or_is_refused() {
    let packet = |bytes: usize| {
        Packet::of(0, Bytes::from([&[0, 0, 0, 1, 0x65][..], &vec![7; bytes]].concat())).at(Ticks(0)).with_key(true)
    };
    let written = |layout: &layout::Layout, packet: &Packet| {
        let info = StreamInfo::new(Codec::H264, TimeBase::MILLIS, Media::Video(Video::new(64, 48)));
        let (mut writer, mut out) = (Writer::new(layout.clone()).unwrap(), Output::new(Reach::Append));
        writer.start(&mut [info], &Metadata::default(), &mut out).unwrap();
        let mut bytes = Vec::new();
        writer.packet(packet, &mut out).map(|()| {
            drain(&mut out, &mut bytes);
            bytes
        })
    };
    let jt1078 = layout::named("jt1078").unwrap().layout().unwrap();
    for bytes in [100, 945, 946, 5000, 200_000] {
        let packet = packet(bytes);
        let connection = written(&jt1078, &packet).unwrap();
        let (packets, warnings, _) = read(&jt1078, &connection, 4096);
        assert_eq!((datas(&packets), warnings.len()), (vec![&packet.data], 0));
        assert_eq!(connection.len() - packet.data.len(), packet.data.len().div_ceil(950) * 30);
    }
    let short =
        "name = \"x\"\nheader = [ { name = \"n\", type = \"u16\", role = \"length\" } ]\nbody = { codec = \"h264\" }";
    let error = written(&layout::parse(short).unwrap(), &packet(70_000)).unwrap_err();
    assert!(error.to_string().contains("does not fit field n"), "{error}");
}
