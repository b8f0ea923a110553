//! Elements of the layout language on bytes built for them: parts with an end mark, times in two fields, ADTS in raw bodies,
//! messages without a body, pieces of a program stream, cuts, ends of bodies, filling, extensions of headers.

use bytes::Bytes;
use maliu::{
    Packet, Ticks, TimeBase,
    format::Muxer,
    layout::{self, Reader},
    output::Edit,
    stream::{Codec, Media, Metadata, StreamInfo, Video},
};

mod connections;
use connections::{connection, datas, read};

/// Messages behind the magic CAFE: a byte, a time, a length and a body.
fn messages(rows: &[(u8, u32, &[u8])]) -> Vec<u8> {
    let message = |(byte, time, body): &(u8, u32, &[u8])| {
        [&[0xca, 0xfe, *byte][..], &time.to_be_bytes(), &(body.len() as u16).to_be_bytes(), body].concat()
    };
    rows.iter().flat_map(message).collect()
}

/// A layout of such messages, in which the byte is described so.
fn messaged(byte: &str, body: &str) -> layout::Layout {
    let text = format!(
        r#"name = "x"
        header = [
          {{ name = "magic", type = "u16", value = 0xCAFE }},
          {byte},
          {{ name = "time", type = "u32", role = "pts", clock = 1000 }},
          {{ name = "length", type = "u16", role = "length" }},
        ]
        body = {{ {body} }}"#
    );
    layout::parse(&text).unwrap()
}

#[test]
fn parts_of_which_only_the_last_is_marked_are_put_together() {
    let byte = r#"{ name = "last", type = "u1", role = "fragment", map = { 0 = "middle", 1 = "last" } },
                  { name = "count", type = "u7", role = "sequence" }"#;
    let layout = messaged(byte, r#"codec = "h264""#);
    let rows: [(u8, u32, &[u8]); 5] =
        [(0, 0, b"\0\0\0\x01\x65"), (1, 0, b"a"), (0x82, 0, b"b"), (0x83, 40, b"\0\0\0\x01\x41"), (4, 80, b"c")];
    let (packets, warnings, _) = read(&layout, &messages(&rows), 3);
    assert_eq!(datas(&packets), [&Bytes::from_static(b"\0\0\0\x01\x65ab"), &Bytes::from_static(b"\0\0\0\x01\x41")]);
    assert_eq!((packets[0].is_key(), packets[1].pts), (true, Some(Ticks(40))));
    assert!(warnings.len() == 1 && warnings[0].ends_with("a packet without its last part is dropped"), "{warnings:?}");
    // A lost first part costs its packet, and nothing else.
    let lost = [&rows[3..4], &[(0x04, 50, &b"d"[..])], &[(0x86, 50, &b"e"[..])], &[(0x87, 60, &b"f"[..])]].concat();
    let (packets, warnings, _) = read(&layout, &messages(&lost), 1000);
    assert_eq!(datas(&packets), [&Bytes::from_static(b"\0\0\0\x01\x41"), &Bytes::from_static(b"f")], "{warnings:?}");
    // The writer marks parts in the same way.
    let mut limited = messaged(byte, r#"codec = "h264""#);
    limited.limits.part = Some(4);
    let (bytes, starts, packets) = connection(&limited, 6);
    assert!(bytes.len() > starts.len() * 8);
    assert_eq!(datas(&read(&limited, &bytes, 7).0), datas(&packets));
}

#[test]
fn seconds_and_microseconds_add_up_to_one_time() {
    let text = r#"name = "x"
        header = [
          { name = "sec", type = "u32le", role = "pts", clock = 1 },
          { name = "usec", type = "u32le", role = "pts", clock = 1000000 },
          { name = "length", type = "u32le", role = "length" },
        ]
        body = { kind = "annexb", codec = "h264" }"#;
    let layout = layout::parse(text).unwrap();
    let body = b"\0\0\0\x01\x65";
    let message = |sec: u32, usec: u32| [&sec.to_le_bytes()[..], &usec.to_le_bytes(), &[5, 0, 0, 0], body].concat();
    let bytes = [message(1_700_000_000, 900_000), message(1_700_000_001, 10)].concat();
    let (packets, _, streams) = read(&layout, &bytes, 5);
    assert_eq!(streams[0].time_base, TimeBase::MICROS);
    let times: Vec<_> = packets.iter().map(|packet| packet.pts.unwrap().0).collect();
    assert_eq!(times, [1_700_000_000_900_000, 1_700_000_001_000_010]);
    let (written, _, packets) = connection(&layout, 40);
    assert_eq!(
        read(&layout, &written, 9).0.iter().map(|packet| packet.pts).collect::<Vec<_>>(),
        packets.iter().map(|packet| packet.pts).collect::<Vec<_>>()
    );
}

#[test]
fn adts_in_bodies_of_mapped_codecs_is_unpacked_frame_by_frame() {
    let layout = messaged(
        r#"{ name = "kind", type = "u8", role = "codec", map = { 1 = "h264", 2 = "aac", 3 = "pcm_alaw" } }"#,
        r#"kind = "raw""#,
    );
    let frame = |byte: u8| [&[0xff, 0xf1, 0x50, 0x80, 0x01, 0x3f, 0xfc][..], &[byte; 2]].concat();
    let two = [frame(7), frame(8)].concat();
    let rows: [(u8, u32, &[u8]); 4] =
        [(2, 0, &frame(6)), (2, 100, &two), (2, 200, &[0x21, 0x10, 5]), (3, 0, &[0xd5; 160])];
    let (packets, warnings, streams) = read(&layout, &messages(&rows), 6);
    assert_eq!(warnings, Vec::<String>::new());
    let aac: Vec<_> = packets.iter().filter(|packet| packet.stream == 0).collect();
    assert_eq!(
        aac.iter().map(|packet| (packet.pts.unwrap().0, packet.data.len())).collect::<Vec<_>>(),
        [(0, 2), (100, 2), (123, 2), (200, 3)]
    );
    assert_eq!((&streams[0].config[..], streams[0].as_audio().unwrap().rate()), (&[0x12, 0x10][..], 44_100));
    let speech = streams[1].as_audio().unwrap();
    assert_eq!((speech.rate(), speech.channel_count()), (8000, 1), "G.711 is that where nothing says otherwise");
}

#[test]
fn a_message_without_a_length_field_has_no_body_and_its_size_holds_for_those_behind_it() {
    let layout = layout::named("scrcpy4").unwrap().layout().unwrap();
    let mut bytes = [b"Pixel".to_vec(), vec![0; 59]].concat();
    bytes.extend(b"h264\x80\0\0\0\0\0\x01\x40\0\0\0\xf0");
    bytes.extend(b"\x40\0\0\0\0\0\0\0\0\0\0\x06\0\0\0\x01\x67\x42");
    bytes.extend(b"\x20\0\0\0\0\x01\x86\xa0\0\0\0\x05\0\0\0\x01\x65");
    bytes.extend(b"\x80\0\0\0\0\0\0\xf0\0\0\x01\x40");
    bytes.extend(b"\x20\0\0\0\0\x02\x0d\x40\0\0\0\x05\0\0\0\x01\x65");
    let (packets, warnings, streams) = read(&layout, &bytes, 11);
    assert_eq!((packets.len(), warnings.len(), streams[0].config.len()), (2, 0, 6));
    assert_eq!(packets.iter().map(|packet| packet.pts.unwrap().0).collect::<Vec<_>>(), [100_000, 134_464]);
    assert_eq!(streams[0].as_video().unwrap().size(), (240, 320), "the phone was turned");
    let older = layout::named("scrcpy").unwrap().layout().unwrap();
    let mut reader = layout::reader(older).unwrap();
    let mut input = maliu::input::Input::new();
    input.push(&bytes);
    let error = reader.poll(&mut input).unwrap_err().to_string();
    assert!(error.contains("session packets") && error.contains("scrcpy4"), "{error}");
}

#[test]
fn a_program_stream_is_read_from_its_pieces_and_named_where_the_layout_has_no_word_for_it() {
    let sample = include_bytes!("../../../samples/mpegps/gb28181.ps").to_vec();
    let rtp = |(n, body): (usize, &[u8])| {
        let length = (body.len() as u16 + 12).to_be_bytes();
        [&length[..], &[0x80, 96, 0, n as u8, 0, 0, 0, 0, 1, 2, 3, 4], body].concat()
    };
    let bytes: Vec<u8> = sample.chunks(1000).enumerate().flat_map(rtp).collect();
    let (packets, _, streams) = read(&layout::named("gb28181").unwrap().layout().unwrap(), &bytes, 777);
    let alone: Vec<_> = maliu::blocking::Reader::from(sample).map(Result::unwrap).collect();
    assert!(!streams.is_empty());
    assert_eq!(datas(&packets), datas(&alone));
    let mut reader = layout::reader(layout::named("rfc4571").unwrap().layout().unwrap()).unwrap();
    let mut input = maliu::input::Input::new();
    input.push(&bytes);
    let error = reader.poll(&mut input).unwrap_err().to_string();
    assert!(error.contains("program stream") && error.contains("gb28181"), "{error}");
}

#[test]
fn flags_of_a_line_that_rests_are_no_messages() {
    for coding in ["hdlc", "slip", "jt808"] {
        let flag = if coding == "slip" { 0xc0 } else { 0x7e };
        let text =
            format!("name = \"line\"\nbody = {{ codec = \"pcm_u8\", until = \"0x{flag:x}\", coding = \"{coding}\" }}");
        let bytes: Vec<u8> = [&[flag; 50][..], b"sound", &[flag; 50], b"and more", &[flag]].concat();
        let (packets, ..) = read(&layout::parse(&text).unwrap(), &bytes, 7);
        assert_eq!(datas(&packets), [&b"sound"[..], b"and more"], "{coding}");
    }
}

#[test]
fn a_message_that_the_end_cuts_can_be_an_error() {
    let layout = layout::named("tail").unwrap().layout().unwrap();
    let (bytes, starts, packets) = connection(&layout, 5);
    for (end, whole) in [(starts[5], true), (starts[5] - 3, false), (starts[4] + 2, false), (starts[4], true)] {
        let reader = Reader::new(layout.clone()).unwrap().refusing_cuts();
        let reader = maliu::reader::PacketReader::with(&layout::FORMAT, Box::new(reader));
        let mut reader = maliu::blocking::Reader::with(Bytes::copy_from_slice(&bytes[..end]), reader);
        let got: Vec<_> = std::iter::from_fn(|| reader.next_packet().transpose()).take(6).collect();
        let good = got.iter().filter(|packet| packet.is_ok()).count();
        assert_eq!(good, packets.len() - usize::from(end < starts[5]), "{end}");
        assert_eq!(got.iter().all(Result::is_ok), whole, "{end}: {got:?}");
    }
}

/// A layout of this text, which bodies of these bytes are written by.
fn written(text: &str, bodies: &[&[u8]]) -> (layout::Layout, Vec<u8>) {
    let layout = layout::parse(text).unwrap();
    let mut writer = layout::Writer::new(layout.clone()).unwrap();
    let mut out = maliu::output::Output::default();
    let info = StreamInfo::new(Codec::H264, TimeBase::MICROS, Media::Video(Video::default()));
    writer.start(&mut [info], &Metadata::default(), &mut out).unwrap();
    for (n, body) in bodies.iter().enumerate() {
        let packet = Packet::of(0, body.to_vec()).with_pts(Ticks(40 * n as i64)).with_dts(Ticks(40 * n as i64));
        writer.packet(&packet, &mut out).unwrap();
    }
    let mut bytes = Vec::new();
    while let Some(Edit::Append(piece)) = out.next_edit() {
        piece.parts.iter().for_each(|part| bytes.extend_from_slice(part));
    }
    (layout, bytes)
}

const DELIMITED: &str = r#"name = "delim"
    header = [ { name = "flag", type = "u8", value = 0x7e }, { name = "time", type = "u32", role = "pts", clock = 1000 } ]
    body = { kind = "raw", codec = "h264", until = "0x0d0a" }"#;

#[test]
fn a_body_without_a_length_goes_on_to_the_bytes_that_end_it() {
    let bodies: [&[u8]; 4] = [b"\0\0\0\x01\x65abc\r", b"", b"\0\0\0\x01\x41\n\n", &[b'~'; 3000]];
    let (layout, bytes) = written(DELIMITED, &bodies);
    assert_eq!(bytes.len(), 4 * 7 + bodies.concat().len());
    for split in [1, 2, 5, 7, 100, 5000] {
        let (packets, warnings, _) = read(&layout, &bytes, split);
        assert_eq!(datas(&packets), bodies, "{split}: {warnings:?}");
        assert_eq!(packets.iter().map(|packet| packet.pts.unwrap().0).collect::<Vec<_>>(), [0, 40, 80, 120]);
    }
    // Junk costs what it stands in: the next message begins behind an end.
    let junk = [&bytes[..16], b"no message\r", &bytes[16..]].concat();
    for split in [1, 3, 4000] {
        let (packets, warnings, _) = read(&layout, &junk, split);
        assert_eq!(datas(&packets)[..], bodies[..1].iter().chain(&bodies[2..]).collect::<Vec<_>>()[..], "{split}");
        assert!(warnings.len() == 1 && warnings[0].contains("bytes skipped"), "{warnings:?}");
    }
    let mut small = layout.clone();
    small.limits.body = 2000;
    assert_eq!(read(&small, &bytes, 9).0.len(), 3, "a body is no longer than the limit");
    let mut writer = layout::Writer::new(layout).unwrap();
    let mut out = maliu::output::Output::default();
    let error = writer.packet(&Packet::of(0, "a\r\nb"), &mut out).unwrap_err();
    assert!(error.to_string().contains("would end it"), "{error}");
}

#[test]
fn ends_that_overlap_bodies_are_found_or_refused() {
    let text = r#"name = "x"
        header = [ { name = "flag", type = "u8", value = 1 } ]
        body = { codec = "h264", until = "aab" }"#;
    let (layout, bytes) = written(text, &[b"a", b"aa", b"xaax"]);
    assert_eq!(bytes, b"\x01aaab\x01aaaab\x01xaaxaab");
    assert_eq!(datas(&read(&layout, &bytes, 1).0), [&b"a"[..], b"aa", b"xaax"]);
    let text = text.replace("aab", "aa");
    let mut writer = layout::Writer::new(layout::parse(&text).unwrap()).unwrap();
    let mut out = maliu::output::Output::default();
    assert!(writer.packet(&Packet::of(0, "ba"), &mut out).is_err(), "it would end a byte early");
}

#[test]
fn zeros_fill_a_body_up_to_whole_units() {
    let text = r#"name = "bcmedia"
        header = [
          { name = "magic", type = "u32", role = "key", map = { 0x30306463 = true, 0x30316463 = false } },
          { name = "codec", type = "text 4", value = "H264" },
          { name = "length", type = "u32le", role = "length", align = 8 },
          { name = "micros", type = "u32le", role = "pts", clock = 1000000 },
        ]
        body = { kind = "annexb", codec = "h264" }
        tail = [ { name = "sum", type = "u8", role = "checksum", algorithm = "xor8" } ]"#;
    let bodies: [&[u8]; 3] = [b"\0\0\0\x01\x65abc", b"\0\0\0\x01\x41", b"\0\0\0\x01\x41abcdefghi"];
    let (layout, bytes) = written(text, &bodies);
    assert_eq!(bytes.len(), 3 * 17 + 8 + 8 + 16);
    for split in [1, 6, 1000] {
        let (packets, warnings, _) = read(&layout, &bytes, split);
        assert_eq!(datas(&packets), bodies, "{split}");
        assert_eq!(warnings, Vec::<String>::new());
    }
    let lines = layout::explain(&layout, &bytes, 100);
    let fills: Vec<_> = lines.iter().filter(|line| line.name == "end").map(|line| line.len).collect();
    assert_eq!(fills, [3, 2]);
}

#[test]
fn a_header_has_an_extension_that_it_counts_and_a_map_a_meaning_for_all_others() {
    let text = r#"name = "dhav"
        header = [
          { name = "magic", type = "text 4", value = "DHAV" },
          { name = "type", type = "u8", role = "codec", map = { 0xfd = "h264", 0xf0 = "pcm_alaw", _ = "skip" } },
          { name = "ext", type = "u8" },
          { name = "length", type = "u16le", role = "length" },
          { name = "extension", type = "bytes ext" },
          { name = "sum", type = "u8", role = "checksum", algorithm = "sum8", from = "start", to = "here" },
        ]"#;
    let layout = layout::parse(text).unwrap();
    let message = |kind: u8, ext: &[u8], body: &[u8]| {
        let mut head = [b"DHAV", &[kind, ext.len() as u8, body.len() as u8, 0][..], ext].concat();
        head.push(head.iter().fold(0, |sum: u8, byte| sum.wrapping_add(*byte)));
        [&head, body].concat()
    };
    let rows: [(u8, &[u8], &[u8]); 4] = [
        (0xfd, b"12345", b"\0\0\0\x01\x65"),
        (0x42, b"", b"text"),
        (0xf0, &[7; 255], &[0xd5; 40]),
        (0xfd, b"", b"\0\0\0\x01\x41"),
    ];
    let bytes: Vec<u8> = rows.iter().flat_map(|(kind, ext, body)| message(*kind, ext, body)).collect();
    for split in [1, 10, 1000] {
        let (packets, warnings, streams) = read(&layout, &bytes, split);
        assert_eq!(datas(&packets), [rows[0].2, rows[2].2, rows[3].2], "{split}");
        assert_eq!((warnings, streams.len()), (Vec::<String>::new(), 2));
    }
    let lines = layout::explain(&layout, &bytes, 100);
    let extensions: Vec<_> = lines.iter().filter(|line| line.name == "extension").map(|line| line.len).collect();
    assert_eq!(extensions, [5, 0, 255, 0]);
    assert!(layout::dissector(&layout, 9).contains("(v.ext or 0) * 8"));
    let named = layout::parse(&text.replace("\"magic\"", "\"end\"")).unwrap();
    assert!(layout::dissector(&named, 9).contains("v.end_ = "), "a keyword of Lua is no name");
    // The writer leaves the extension out, and its output reads back.
    let (layout, bytes) = written(text, &[rows[0].2, rows[3].2]);
    assert_eq!(datas(&read(&layout, &bytes, 3).0), [rows[0].2, rows[3].2]);
}

#[test]
fn elements_that_cannot_work_are_refused_where_they_stand() {
    let fault = |header: &str, rest: &str| {
        let text = format!("name = \"x\"\nheader = [ {header} ]\n{rest}");
        layout::parse(&text).unwrap_err().to_string()
    };
    let length = r#"{ name = "n", type = "u8", role = "length" }"#;
    for (header, rest, wanted) in [
        (length, "body = { until = \"x\" }", "an end, and a length"),
        (r#"{ name = "n", type = "u8" }"#, "body = { until = \"\" }", "no bytes"),
        (r#"{ name = "n", type = "u8" }"#, "body = { until = \"0x7\" }", "not bytes"),
        (r#"{ name = "n", type = "u8" }"#, "body = { until = \"x\", length = 3 }", "both a length and an end"),
        (r#"{ name = "e", type = "bytes n" }"#, "body = { length = 3 }", "no field n stands in front"),
        (
            r#"{ name = "n", type = "u64", default = 3000000000 }, { name = "e", type = "bytes n" }"#,
            "body = { length = 3 }",
            "would be written",
        ),
        (r#"{ name = "n", type = "i8" }, { name = "e", type = "bytes n" }"#, "body = { length = 3 }", "no number"),
        (&format!("{length}, {{ name = \"e\", type = \"bytes n\", role = \"pts\" }}"), "", "needs a number"),
        (&length.replace(" }", ", align = 0 }"), "", "out of range"),
        (&length.replace(" }", ", align = 8, tail = true }"), "", "align without tail"),
    ] {
        let said = fault(header, rest);
        assert!(said.contains(wanted), "{header}: {said}");
    }
}
