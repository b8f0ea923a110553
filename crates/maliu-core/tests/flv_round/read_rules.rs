//! Rules of reading FLV that no other test names, one by one (FLD-2…FLD-15).

use maliu_core::{
    formats::flv,
    packet::Packet,
    stream::{Codec, Kind, StreamInfo},
    time::Ticks,
};

use super::read;

/// A tag with a true size behind it.
fn tag(kind: u8, time: u8, body: &[u8]) -> Vec<u8> {
    let size = (body.len() as u32).to_be_bytes();
    let head = [kind, size[1], size[2], size[3], 0, 0, time, 0, 0, 0, 0];
    [&head[..], body, &(body.len() as u32 + 11).to_be_bytes()].concat()
}

/// A file of these tags; its header promises sound and pictures.
fn file(tags: &[Vec<u8>]) -> Vec<u8> {
    [b"FLV\x01\x05\0\0\0\x09\0\0\0\0".to_vec(), tags.concat()].concat()
}

fn picture(time: u8) -> Vec<u8> {
    tag(9, time, b"\x12picture")
}

fn sound(time: u8) -> Vec<u8> {
    tag(8, time, b"\x2fsound")
}

/// onMetaData with these members, as AMF0.
fn metadata(members: &[u8]) -> Vec<u8> {
    tag(18, 0, &[b"\x02\0\x0aonMetaData\x08\0\0\0\x01", members, b"\0\0\x09"].concat())
}

fn number(key: &str, value: f64) -> Vec<u8> {
    [&[0, key.len() as u8], key.as_bytes(), &[0], &value.to_be_bytes()].concat()
}

fn kinds(streams: &[StreamInfo]) -> Vec<Kind> {
    streams.iter().map(|stream| stream.codec.kind()).collect()
}

fn times(packets: &[Packet]) -> Vec<(usize, i64)> {
    packets.iter().map(|packet| (packet.stream, packet.dts.unwrap().0)).collect()
}

/// FLD-2: a KUX file is an FLV file behind 0xE40000 bytes.
#[test]
fn fld_2_kux_is_flv_behind_other_bytes() {
    let plain = file(&[picture(0), sound(0), picture(40)]);
    let mut kux = b"KDK\0\0".to_vec();
    assert_eq!([1, 4, 5].map(|len| (flv::FORMAT.probe)(&kux[..len]).level()), [1, 1, 3]);
    assert_eq!((flv::FORMAT.probe)(b"KDK\0\x01").level(), 0);
    kux.resize(0xe4_0000, 0x55);
    kux.extend(&plain);
    let (streams, packets, warnings) = read(&kux);
    assert_eq!((kinds(&streams), warnings), (vec![Kind::Video, Kind::Audio], vec![]));
    let (_, mut expected, _) = read(&plain);
    expected.iter_mut().for_each(|packet| packet.position = packet.position.map(|at| at + 0xe4_0000));
    assert_eq!(packets, expected);
    assert_eq!(read(&kux[..0xe4_0000]).1, []);
}

/// FLD-4: streams appear with their tags, whatever the header promises, also late in the file.
#[test]
fn fld_4_streams_appear_with_their_tags() {
    assert_eq!(kinds(&read(&file(&[sound(0), sound(26)])).0), [Kind::Audio]);
    let mut tags: Vec<_> = (0..100).map(sound).collect();
    tags.extend([
        picture(100),
        metadata(&number("videocodecid", 2.0)),
        tag(18, 101, b"\x02\0\x03any\x05of at least 19 bytes"),
    ]);
    let (streams, packets, warnings) = read(&file(&tags));
    assert_eq!(kinds(&streams), [Kind::Audio, Kind::Video, Kind::Data]);
    assert_eq!((packets.len(), packets[100].stream, warnings.len()), (102, 1, 0));
}

/// FLD-6, FLD-7: the next tag stands where this one's size says, also when that is 0.
#[test]
fn fld_6_tags_without_a_body_are_passed_over_and_fld_7_sizes_lead_to_the_next() {
    let empty = |kind| tag(kind, 7, b"");
    let tags = [empty(8), picture(0), empty(9), empty(18), sound(1), empty(9)];
    let (_, packets, warnings) = read(&file(&tags));
    assert_eq!((times(&packets), warnings), (vec![(0, 0), (1, 1)], vec![]));
    let starts: Vec<u64> = [15, 15 + 23 + 15 + 15].iter().map(|before| 13 + before).collect();
    assert_eq!(packets.iter().map(|packet| packet.position.unwrap()).collect::<Vec<_>>(), starts);
}

/// FLD-8: types 8, 9 and 18 are read, commands to the player and other types passed over; the bits above the type count
/// for nothing.
#[test]
fn fld_8_types_that_carry_nothing_are_passed_over() {
    let mut filtered = sound(2);
    filtered[0] |= 0x20;
    let tags = [picture(0), tag(9, 1, b"\x52\x01"), tag(17, 1, b"what"), tag(0, 1, b"else"), filtered, picture(3)];
    let (streams, packets, warnings) = read(&file(&tags));
    assert_eq!(kinds(&streams), [Kind::Video, Kind::Audio]);
    assert_eq!(times(&packets), [(0, 0), (1, 2), (0, 3)]);
    let passed = |kind| format!("a tag of the unknown type {kind} is passed over");
    assert_eq!(warnings, [passed(17), passed(0)]);
}

/// FLD-14: what of a metadata tag is understood, and what ends it with a warning.
#[test]
fn fld_14_limits_of_metadata() {
    let told = |members: &[u8]| {
        let (_, packets, warnings) = read(&file(&[metadata(members), picture(0)]));
        assert_eq!(packets.len(), 1);
        warnings.len()
    };
    let text = |len: u16| [b"\0\x01t\x02".to_vec(), len.to_be_bytes().to_vec(), vec![b'x'; len.into()]].concat();
    let key = |len: u16| [len.to_be_bytes().to_vec(), vec![b'k'; len.into()], b"\x05".to_vec()].concat();
    let deep = |depth| [[&b"\0\x01o\x03"[..]].repeat(depth).concat(), b"\0\0\x09".repeat(depth)].concat();
    for (members, faults) in [
        (number("n", 1.0), 0),
        (b"\0\x01b\x01\x01\0\x01n\x05\0\x01u\x06\0\x01z\x0d".to_vec(), 0),
        (b"\0\x01d\x0b\0\0\0\0\0\0\0\0\0\0".to_vec(), 0),
        (b"\0\x01a\x0a\0\0\0\x02\x05\x01\x01".to_vec(), 0),
        (b"\0\x01m\x08\xff\xff\xff\xff\0\0\x09".to_vec(), 0),
        (text(1023), 0),
        (text(1024), 1),
        (key(1023), 0),
        (key(1024), 1),
        (deep(16), 0),
        (deep(17), 1),
        (b"\0\x01l\x0c\0\0\0\x01x".to_vec(), 1),
        (b"\0\x01r\x07\0\0".to_vec(), 1),
        (b"\0\x01e\x09".to_vec(), 1),
        (b"\0\x01?\x7f".to_vec(), 1),
    ] {
        assert_eq!(told(&members), faults, "{members:x?}");
    }
}

/// FLD-15: what the first level of metadata does to streams; deeper levels do nothing.
#[test]
fn fld_15_metadata_describe_streams_at_the_first_level() {
    let said = [
        number("duration", 12.5),
        number("videodatarate", 100.0),
        number("audiodatarate", -1.0),
        number("framerate", 29.97),
        number("datastream", 0.0),
        number("datastream", 0.0),
    ];
    let (streams, packets, warnings) = read(&file(&[metadata(&said.concat()), picture(0), sound(0)]));
    assert_eq!((packets.len(), warnings.len()), (2, 0));
    let texts = streams.iter().filter(|stream| stream.codec == Codec::Text).count();
    assert_eq!(texts, 2, "a stream each time");
    assert_eq!((streams[2].bit_rate, streams[3].bit_rate), (Some(102_400), None));
    assert_eq!(streams[2].as_video().unwrap().frame_rate, Some((989, 33)));
    let inner = [b"\0\x01o\x03".to_vec(), said.concat(), b"\0\0\x09".to_vec()].concat();
    let (streams, ..) = read(&file(&[metadata(&inner), picture(0)]));
    assert_eq!((kinds(&streams), streams[0].bit_rate), (vec![Kind::Video], None));
    assert_eq!(packets[0].dts, Some(Ticks(0)));
}

/// FLD-21: a sequence header and pictures behind start codes are read as if behind lengths, with one warning.
#[test]
fn start_codes_become_lengths() {
    let sets = [
        &b"\0\0\0\x01\x67\x64\0\x0c\xac\xd9\x42\xc4\xe8\x40\0\0\x03\0\x40\0\0\x0c\x83\xc5\x0a\x65\x80"[..],
        b"\0\0\0\x01\x68\xeb\xe3\xcb\x22\xc0",
    ]
    .concat();
    let header = |data: &[u8]| tag(9, 0, &[&[0x17, 0, 0, 0, 0], data].concat());
    let coded = |time: u8, data: &[u8]| tag(9, time, &[&[0x17, 1, 0, 0, 0], data].concat());
    let (streams, packets, warnings) =
        read(&file(&[header(&sets), coded(0, b"\0\0\0\x01\x65\x88"), coded(40, b"\0\0\x01\x65\x89\0\0\x01\x65\x8a")]));
    assert_eq!(streams[0].config.first(), Some(&1), "a record");
    assert_eq!(streams[0].as_video().and_then(|video| video.width).map(u32::from), Some(176));
    let data: Vec<_> = packets.iter().map(|packet| &packet.data[..]).collect();
    assert_eq!(data, [&b"\0\0\0\x02\x65\x88"[..], b"\0\0\0\x02\x65\x89\0\0\0\x02\x65\x8a"]);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    // The same where only the pictures are.
    let record = streams[0].config.clone();
    let (again, packets, warnings) = read(&file(&[header(&record), coded(0, b"\0\0\0\x01\x65\x88")]));
    assert_eq!((&again[0].config, &packets[0].data[..], warnings.len()), (&record, &b"\0\0\0\x02\x65\x88"[..], 1));
}
