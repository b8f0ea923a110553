//! Elements of the layout language on bytes built for them: parts with an end mark, times in two fields, ADTS in raw bodies,
//! messages without a body, pieces of a program stream, cuts.

use bytes::Bytes;
use maliu::{
    Ticks, TimeBase,
    layout::{self, Reader},
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
