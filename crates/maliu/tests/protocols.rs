//! Protocols as people have them, each said in at most 25 lines: packets that are written by a layout read back as they
//! were, in any split, and bytes made by hand are read as their protocol says.

use bytes::Bytes;
use maliu::{
    StreamInfo, Ticks, TimeBase,
    format::Muxer,
    layout::{self, Layout, PRESETS, Writer},
    output::{Output, Reach},
    packet::Packet,
    stream::{Audio, Codec, Media, Metadata, Video},
    time::Rounding,
};

mod connections;
use connections::{access_unit, datas, drain, read};

/// A protocol: its name, what it carries, its layout.
const PROTOCOLS: &[(&str, &str, &str)] = &[
    (
        "end-of-frame bit",
        "v",
        r#"header = [
        { name = "magic", type = "u16", value = 0xBEEF },
        { name = "last", type = "u1", role = "fragment", map = { 0 = "middle", 1 = "last" } },
        { name = "sequence", type = "u15", role = "sequence" },
        { name = "time", type = "u32", role = "pts", clock = 90000 },
        { name = "length", type = "u16", role = "length" } ]
        body = { codec = "h264" }
        limits = { part = 300 }"#,
    ),
    (
        "part and parts",
        "v",
        r#"header = [
        { name = "magic", type = "u16", value = 0xF00D },
        { name = "frame", type = "u16" },
        { name = "part", type = "u8", role = "part" },
        { name = "parts", type = "u8", role = "parts" },
        { name = "time", type = "u32", role = "pts" },
        { name = "length", type = "u16", role = "length" } ]
        body = { codec = "h264" }
        limits = { part = 300 }"#,
    ),
    (
        "H.264 and AAC on one connection",
        "va",
        r#"header = [
        { name = "magic", type = "u16", value = 0xABCD },
        { name = "kind", type = "u8", role = "codec", map = { 1 = "h264", 2 = "aac" } },
        { name = "config", type = "u8", role = "config" },
        { name = "time", type = "u32", role = "pts" },
        { name = "length", type = "u32", role = "length" } ]"#,
    ),
    (
        "24-byte struct, 16 channels",
        "va",
        r#"header = [
        { name = "magic", type = "text 4", value = "H2RH" },
        { name = "length", type = "u32le", role = "length", from = "start" },
        { name = "time", type = "u64le", role = "pts" },
        { name = "channel", type = "u16le", role = "stream", range = [0, 15] },
        { name = "codec", type = "u16le", role = "codec", map = { 1 = "h264", 2 = "pcm_alaw" } },
        { name = "frame", type = "u32le", role = "key" } ]"#,
    ),
    (
        "AirPlay",
        "v",
        r#"header = [
        { name = "length", type = "u32le", role = "length" },
        { name = "type", type = "u16le", role = "config", map = { 0 = false, 1 = true, 2 = "skip", 4 = "skip", 5 = "skip" } },
        { name = "option", type = "u16le" },
        { name = "time", type = "u64le", role = "pts", clock = "ntp" },
        { name = "rest", type = "bytes 112" } ]
        body = { kind = "avcc 4", codec = "h264" }"#,
    ),
    (
        "BcMedia",
        "v",
        r#"header = [
        { name = "magic", type = "u32", role = "key", map = { 0x30306463 = true, 0x30316463 = false } },
        { name = "codec", type = "text 4", value = "H264" },
        { name = "length", type = "u32le", role = "length", align = 8 },
        { name = "extra", type = "u32le" },
        { name = "micros", type = "u32le", role = "pts", clock = 1000000 },
        { name = "unknown", type = "u32le" },
        { name = "wall", type = "u32le", when = "magic == 0x30306463" } ]
        body = { kind = "annexb", codec = "h264" }"#,
    ),
    (
        "Android Auto",
        "v",
        r#"header = [
        { name = "channel", type = "u8", role = "stream" },
        { name = "unused", type = "u6" },
        { name = "last", type = "u1", role = "last" },
        { name = "first", type = "u1", role = "first" },
        { name = "length", type = "u16", role = "length", after = "total" },
        { name = "total", type = "u32", when = "first == 1 && last == 0" },
        { name = "type", type = "u16", when = "first == 1" },
        { name = "micros", type = "u64", role = "pts", clock = 1000000, when = "first == 1" } ]
        body = { codec = "h264" }
        limits = { part = 400 }"#,
    ),
    (
        "24-bit times and an exclusive or",
        "v",
        r#"header = [
        { name = "sync", type = "u8", value = 0xA5 },
        { name = "time", type = "u24", role = "pts" },
        { name = "length", type = "u32", role = "length", from = "start", tail = true },
        { name = "sum", type = "u8", role = "checksum", algorithm = "xor8", from = "start", to = "here" } ]
        body = { kind = "annexb", codec = "h264" }
        tail = [ { name = "end", type = "u8", value = 0x5A } ]"#,
    ),
    (
        "CRC-16/MODBUS",
        "v",
        r#"header = [
        { name = "magic", type = "u16le", value = 0x55AA },
        { name = "length", type = "u32le", role = "length", tail = true },
        { name = "time", type = "u32le", role = "pts" } ]
        body = { codec = "h264" }
        tail = [ { name = "crc", type = "u16le", role = "checksum", algorithm = "modbus", from = "body" } ]"#,
    ),
    (
        "a CRC by its parameters and a sum, both",
        "v",
        r#"header = [
        { name = "length", type = "u32 le", role = "length" },
        { name = "time", type = "u32 le", role = "pts" },
        { name = "sum", type = "u16", role = "checksum", algorithm = "ones16", to = "here" } ]
        body = { codec = "h264" }
        [[tail]]
        name = "crc"
        type = "u16"
        role = "checksum"
        algorithm = { width = 16, poly = 0x8005, init = 0xffff, refin = true, refout = true, xorout = 0 }"#,
    ),
    (
        "protobuf",
        "v",
        r#"header = [
        { name = "length", type = "varint", role = "length", after = "length" },
        { name = "tag", type = "u8", value = 8 },
        { name = "time", type = "varint", role = "pts" } ]
        body = { kind = "annexb", codec = "h264" }"#,
    ),
    (
        "MQTT",
        "v",
        r#"header = [
        { name = "publish", type = "u8", value = 0x30 },
        { name = "remaining", type = "varint", role = "length", after = "remaining" },
        { name = "topic", type = "u16", value = 3 },
        { name = "name", type = "text 3", value = "cam" },
        { name = "time", type = "u64", role = "pts", clock = 1000000 } ]
        body = { kind = "annexb", codec = "h264" }"#,
    ),
    (
        "multipart",
        "v",
        r#"head = "lines"
        first = "--frame"
        header = [
        { name = "Content-Type", type = "word", value = "video/h264" },
        { name = "Content-Length", type = "dec", role = "length" },
        { name = "X-Timestamp", type = "dec", role = "pts" } ]
        body = { kind = "annexb", codec = "h264" }
        tail = [ { name = "end", type = "u16", value = 0x0d0a } ]"#,
    ),
    (
        "a JSON line",
        "v",
        r#"head = "json"
        header = [
        { name = "size", type = "dec", role = "length" },
        { name = "pts", type = "dec", role = "pts" } ]
        body = { kind = "annexb", codec = "h264" }"#,
    ),
    (
        "key=value",
        "va",
        r#"head = "pairs"
        header = [
        { name = "type", type = "dec", role = "codec", map = { 1 = "h264", 2 = "aac" } },
        { name = "cfg", type = "dec", role = "config" },
        { name = "len", type = "hex", role = "length" },
        { name = "t", type = "dec", role = "pts", clock = 1000000 } ]"#,
    ),
    (
        "JT808",
        "v",
        r#"header = [ { name = "flag", type = "u8", value = 0x7e } ]
        [body]
        until = "0x7e"
        coding = "jt808"
        [body.layout]
        name = "message"
        header = [
        { name = "id", type = "u16", value = 0x0801 },
        { name = "phone", type = "bcd 12" },
        { name = "number", type = "u16", role = "sequence" },
        { name = "time", type = "u32", role = "pts" } ]
        body = { rest = true, codec = "h264" }
        tail = [ { name = "sum", type = "u8", role = "checksum", algorithm = "xor8" } ]"#,
    ),
    (
        "SLIP",
        "v",
        r#"header = []
        [body]
        until = "0xc0"
        coding = "slip"
        [body.layout]
        name = "datagram"
        header = [ { name = "time", type = "u32", role = "pts", clock = 90000 } ]
        body = { rest = true, codec = "h264" }"#,
    ),
    (
        "HDLC and COBS",
        "v",
        r#"header = [ { name = "flag", type = "u8", value = 0x7e }, { name = "time", type = "u32", role = "pts" } ]
        body = { until = "0x7e", coding = "hdlc cobs", codec = "h264" }"#,
    ),
    (
        "base64 of zlib on lines",
        "v",
        r#"head = "pairs"
        header = [ { name = "t", type = "dec", role = "pts" } ]
        body = { until = "\n", coding = "base64 zlib", codec = "h264" }"#,
    ),
    (
        "WebSocket",
        "v",
        r#"header = [
        { name = "fin", type = "u1", role = "last" },
        { name = "reserved", type = "u3", value = 0 },
        { name = "opcode", type = "u4", role = "first", map = { 0 = false, 2 = true, _ = "skip" } },
        { name = "mask", type = "u1", value = 0 },
        { name = "length", type = "u7", role = "length" },
        { name = "length16", type = "u16", role = "length", when = "length == 126" },
        { name = "length64", type = "u64", role = "length", when = "length == 127" } ]
        body = { kind = "annexb", codec = "h264" }"#,
    ),
    (
        "AAC in words of 4 bytes, known beforehand",
        "a",
        r#"header = [
        { name = "words", type = "u16", role = "length", unit = 4, after = "words" },
        { name = "time", type = "u32", role = "pts", clock = 44100 } ]
        body = { codec = "aac", config = "0x1210", sample_rate = 44100, channels = 2 }"#,
    ),
];

fn all() -> Vec<(String, &'static str, Layout)> {
    let row = |(name, media, text): &(&str, &'static str, &str)| {
        assert!(text.lines().count() < 25, "{name}");
        let text = format!("name = \"p\"\n{text}");
        let layout = layout::parse(&text).unwrap_or_else(|fault| panic!("{name}: {fault}"));
        ((*name).to_owned(), *media, layout)
    };
    let preset = |preset: &layout::Preset| {
        assert!(preset.text.lines().count() <= 28, "{}", preset.name);
        let media = if preset.name == "scrcpy-audio" { "a" } else { "v" };
        (preset.name.to_owned(), media, preset.layout().unwrap())
    };
    let written = PRESETS.iter().map(preset).filter(|(.., layout)| Writer::new(layout.clone()).is_ok());
    PROTOCOLS.iter().map(row).chain(written).collect()
}

/// Twenty packets of each kind of media, written by a layout; those of AAC have a multiple of 4 bytes.
fn written(layout: &Layout, media: &str) -> (Vec<u8>, Vec<Packet>) {
    let names = |codec| {
        let fields = layout.preamble.iter().chain(&layout.header).flat_map(|field| &field.map);
        fields.into_iter().any(|(_, meaning)| *meaning == layout::Meaning::Codec(codec))
    };
    let sound = if names(Codec::PcmALaw) { Codec::PcmALaw } else { Codec::Aac };
    let mut infos = Vec::new();
    if media.contains('v') {
        let mut info = StreamInfo::new(Codec::H264, TimeBase::MICROS, Media::Video(Video::new(64, 48)));
        info.config = Bytes::from_static(b"\0\0\0\x01\x67\x42\0\x0a\0\0\0\x01\x68\xce");
        infos.push(info);
    }
    if media.contains('a') {
        let mut info = StreamInfo::new(sound, TimeBase::MICROS, Media::Audio(Audio::new(44_100, 2)));
        info.config = Bytes::from_static(if sound == Codec::Aac { &[0x12, 0x10] } else { &[] });
        infos.push(info);
    }
    let (mut writer, mut out) = (Writer::new(layout.clone()).unwrap(), Output::new(Reach::Append));
    writer.start(&mut infos, &Metadata::default(), &mut out).unwrap();
    let (mut packets, mut state, mut bytes) = (Vec::new(), 5, Vec::new());
    for n in 0..20 {
        for (stream, info) in infos.iter().enumerate() {
            let unit = access_unit(n, &mut state);
            let time = TimeBase::MICROS.rescale(Ticks(n as i64 * 40_000), info.time_base, Rounding::Near);
            let mut packet = unit;
            (packet.stream, packet.pts, packet.dts) = (stream, Some(time), Some(time));
            if info.codec.kind() == maliu::stream::Kind::Audio {
                packet = packet.with_key(true);
                packet.data = packet.data.slice(..packet.data.len() & !3).iter().map(|byte| byte | 1).collect();
            } else if matches!(layout.body.kind, layout::BodyKind::Avcc(_)) {
                packet.data = Bytes::from([&(packet.data.len() as u32 - 4).to_be_bytes(), &packet.data[4..]].concat());
            } else if layout.name.starts_with('r') {
                packet.data = Bytes::from(
                    [&[0x80, 96, 0, n as u8, 0, 0, 1, 1, 0xca, 0xfe, 0xba, 0xbe], &packet.data[..]].concat(),
                );
            }
            writer.packet(&packet, &mut out).unwrap();
            packets.push(packet);
        }
    }
    writer.finish(&mut out).unwrap();
    drain(&mut out, &mut bytes);
    (bytes, packets)
}

#[test]
fn what_each_protocol_writes_it_reads_in_every_split() {
    for (name, media, layout) in all() {
        let (bytes, packets) = written(&layout, media);
        let whole = read(&layout, &bytes, bytes.len());
        assert_eq!(whole.1, Vec::<String>::new(), "{name}");
        assert_eq!(datas(&whole.0), datas(&packets), "{name}");
        for (got, sent) in whole.0.iter().zip(&packets).filter(|(got, _)| got.pts.is_some()) {
            assert_eq!((got.pts, got.stream), (sent.pts, sent.stream), "{name}");
        }
        for slice in [1, 7, 1000] {
            assert!(read(&layout, &bytes, slice) == whole, "{name} in slices of {slice}");
        }
        let text = layout::text(&layout);
        assert_eq!(layout::parse(&text).as_ref(), Ok(&layout), "{name}: {text}");
        layout::dissector(&layout, 1);
        layout::explain(&layout, &bytes, 1000);
    }
}

#[test]
fn a_damaged_message_costs_itself_and_every_split_says_so() {
    for (name, media, layout) in all() {
        let (mut bytes, packets) = written(&layout, media);
        let middle = bytes.len() / 2;
        bytes.splice(middle..middle + 3, [0x7e, 0x0a, 0xc0, 0x55, 0x2d, 0x7e, 0x0a, 0xc0]);
        let whole = read(&layout, &bytes, bytes.len());
        let kept = whole.0.iter().filter(|packet| packets.iter().any(|sent| sent.data == packet.data)).count();
        assert!(kept + 6 >= packets.len(), "{name}: {kept} of {}: {:?}", packets.len(), whole.1);
        for slice in [1, 100] {
            assert!(read(&layout, &bytes, slice) == whole, "{name} in slices of {slice}");
        }
    }
}

fn named(name: &str) -> Layout {
    all().into_iter().find(|row| row.0 == name).unwrap().2
}

const SLICE: &[u8] = b"\0\0\0\x01\x65abc";

#[test]
fn headers_that_are_text_have_their_fields_in_any_order() {
    let bytes = b"--frame\r\nX-Other: 5\r\nx-timestamp: 1040\r\nCONTENT-LENGTH:8\r\nContent-Type: video/h264\r\n\r\n\0\0\0\x01\x65abc\r\n";
    let (packets, warnings, _) = read(&named("multipart"), bytes, 5);
    assert_eq!(
        (datas(&packets), packets[0].pts),
        (vec![&Bytes::from_static(SLICE)], Some(Ticks(1040))),
        "{warnings:?}"
    );
    let bytes = b"{\"note\": {\"size\": 3, \"x\": \"} \\\" size\"}, \"pts\": 40, \"size\": 8}\n\0\0\0\x01\x65abc";
    let (packets, warnings, _) = read(&named("a JSON line"), bytes, 5);
    assert_eq!((datas(&packets), packets[0].pts), (vec![&Bytes::from_static(SLICE)], Some(Ticks(40))), "{warnings:?}");
}

#[test]
fn a_lost_part_costs_its_packet_and_a_stream_counts_by_itself() {
    let part =
        |part: u8, body: &[u8]| [&[0xf0, 0x0d, 0, 1, part, 3, 0, 0, 0, 40, 0, body.len() as u8][..], body].concat();
    let bytes =
        [part(0, b"\0\0\0\x01\x65"), part(2, b"c"), part(0, b"\0\0\0\x01\x65"), part(1, b"b"), part(2, b"c")].concat();
    let (packets, warnings, _) = read(&named("part and parts"), &bytes, 4);
    assert_eq!(datas(&packets), [&Bytes::from_static(b"\0\0\0\x01\x65bc")]);
    assert!(warnings.len() == 1 && warnings[0].contains("a part is missing"), "{warnings:?}");
    let text = r#"name = "ssrc"
        header = [ { name = "length", type = "u8", role = "length" }, { name = "ssrc", type = "u8", role = "stream" },
        { name = "sequence", type = "u8", role = "sequence", per = "stream" } ]"#;
    let gaps =
        |text: &str| read(&layout::parse(text).unwrap(), &[1, 7, 1, 0, 1, 8, 200, 0, 1, 7, 2, 0, 1, 8, 202, 0], 3).1;
    assert!(gaps(text).len() == 1 && gaps(text)[0].starts_with("12 "), "{:?}", gaps(text));
    assert_eq!(gaps(&text.replace(", per = \"stream\"", "")).len(), 3);
}

#[test]
fn a_checksum_that_is_wrong_is_shown_with_the_right_one() {
    let mut layout = named("CRC-16/MODBUS");
    layout.limits.resync = false;
    let (mut bytes, _) = written(&layout, "v");
    bytes[20] ^= 1;
    let mut reader = layout::reader(layout).unwrap();
    let mut input = maliu::input::Input::new();
    input.push(&bytes);
    let error = loop {
        match reader.poll(&mut input) {
            Ok(_) => {}
            Err(error) => break error.to_string(),
        }
    };
    assert!(error.contains("checksum crc is 0x") && error.contains("that of its"), "{error}");
}

#[test]
fn ntp_times_and_configurations_known_beforehand_hold() {
    let layout = named("AirPlay");
    let head = |time: u64| {
        [&12u32.to_le_bytes()[..], &[0; 4], &time.to_le_bytes(), &[0; 112], &8u32.to_be_bytes(), b"\x65abcdefg"]
            .concat()
    };
    let bytes = [head(5 << 32), head((5 << 32) + (1 << 31))].concat();
    let (packets, _, streams) = read(&layout, &bytes, 1000);
    let seconds = |n: usize| streams[0].time_base.seconds(packets[n].pts.unwrap());
    assert_eq!((seconds(0), seconds(1)), (5.0, 5.5));
    let (_, _, streams) =
        read(&named("AAC in words of 4 bytes, known beforehand"), &[0, 2, 0, 0, 0, 0, 1, 2, 3, 4], 100);
    assert_eq!((&streams[0].config[..], streams[0].as_audio().unwrap().rate()), (&[0x12, 0x10][..], 44_100));
}
