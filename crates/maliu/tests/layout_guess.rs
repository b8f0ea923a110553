//! Layouts are guessed from captures: of every preset, of layouts made at random, and none from what has no framing.

use bytes::Bytes;
use maliu::{
    format::Muxer,
    layout::{self, Field, Framing, Kind, Layout, Role, Writer},
    output::{Output, Reach},
    packet::Packet,
    stream::{Audio, Codec, Media, Metadata, StreamInfo, Video},
    time::{Ticks, TimeBase},
};

mod connections;
use connections::{carries, drain, random, read};

/// A stream of video: keyframes that are large, slices that are not, AAC between them where `audio`.
fn capture(layout: &Layout, seed: u32, audio: bool, head: &[u8]) -> Vec<u8> {
    let audio = audio && layout.tells_streams();
    if !carries(layout, Codec::H264) {
        return sound(layout, seed);
    }
    let mut infos = vec![StreamInfo::new(Codec::H264, TimeBase::MICROS, Media::Video(Video::new(640, 480)))];
    infos[0].config = Bytes::from_static(b"\0\0\0\x01\x67\x42\0\x0a\0\0\0\x01\x68\xce");
    if audio {
        infos.push(StreamInfo::new(Codec::Aac, TimeBase::MICROS, Media::Audio(Audio::new(44_100, 2))));
        infos[1].config = Bytes::from_static(&[0x12, 0x10]);
    }
    let (mut writer, mut out) = (Writer::new(layout.clone()).unwrap(), Output::new(Reach::Append));
    writer.start(&mut infos, &Metadata::default(), &mut out).unwrap();
    let (mut bytes, mut state) = (Vec::new(), seed);
    for n in 0..60u32 {
        let key = n % 25 == 0;
        let size = if key { 20_000 + random(&mut state) % 70_000 } else { 200 + random(&mut state) % 4000 };
        let nal = [0, 0, 0, 1, if key { 0x65 } else { 0x41 }, 0x88];
        let rest = (0..size).map(|_| (random(&mut state) % 250 + 3) as u8);
        let mut data: Vec<u8> = head.iter().copied().chain(nal).chain(rest).collect();
        if matches!(layout.body.kind, layout::BodyKind::Avcc(_)) {
            let length = (data.len() as u32 - 4).to_be_bytes();
            data[..4].copy_from_slice(&length);
        }
        if layout.name.starts_with('r') {
            let rtp = [0x80, 96, (n >> 8) as u8, n as u8];
            let time = (n * 3600).to_be_bytes();
            data = [&rtp[..], &time, &[0xca, 0xfe, 0xba, 0xbe], &data[..data.len().min(1400)]].concat();
        }
        let micros = |n: u32| infos[0].time_base.rescale_from_micros(i64::from(n) * 40_000);
        let packet = Packet::of(0, Bytes::from(data)).at(micros(n)).with_key(key);
        if writer.packet(&packet, &mut out).is_err() {
            continue;
        }
        if audio {
            let data: Vec<u8> = (0..100 + random(&mut state) % 300).map(|_| random(&mut state) as u8).collect();
            // Not every layout has a value for AAC.
            let _ = writer.packet(&Packet::of(1, Bytes::from(data)).at(micros(n)), &mut out);
        }
    }
    drain(&mut out, &mut bytes);
    bytes
}

/// AAC alone.
fn sound(layout: &Layout, seed: u32) -> Vec<u8> {
    let mut infos = [StreamInfo::new(Codec::Aac, TimeBase::MICROS, Media::Audio(Audio::new(48_000, 2)))];
    infos[0].config = Bytes::from_static(&[0x11, 0x90]);
    let (mut writer, mut out) = (Writer::new(layout.clone()).unwrap(), Output::new(Reach::Append));
    writer.start(&mut infos, &Metadata::default(), &mut out).unwrap();
    let (mut bytes, mut state) = (Vec::new(), seed);
    for n in 0..200 {
        let data: Vec<u8> = (0..100 + random(&mut state) % 300).map(|_| random(&mut state) as u8).collect();
        let packet = Packet::of(0, Bytes::from(data)).at(infos[0].time_base.rescale_from_micros(n * 21_333));
        writer.packet(&packet, &mut out).unwrap();
    }
    drain(&mut out, &mut bytes);
    bytes
}

trait FromMicros {
    fn rescale_from_micros(self, micros: i64) -> Ticks;
}

impl FromMicros for TimeBase {
    fn rescale_from_micros(self, micros: i64) -> Ticks {
        TimeBase::MICROS.rescale(Ticks(micros), self, maliu::time::Rounding::Near)
    }
}

/// Offset, width and order of the length of a layout, of messages in which all fields stand.
fn framing(layout: &Layout) -> (usize, usize, bool) {
    let mut bits = 0;
    for field in &layout.header {
        if matches!(field.role, Some(Role::Length { .. })) {
            let Kind::Number { bits: width, little, .. } = field.kind else { panic!("{field:?}") };
            return (bits / 8, usize::from(width / 8), little && width > 8);
        }
        bits += field.kind.bits();
    }
    panic!("{} has no length", layout.name)
}

fn is(found: Framing, layout: &Layout) -> bool {
    (found.offset, found.width, found.little) == framing(layout)
}

#[test]
fn the_framing_of_the_presets_is_found_in_captures_of_them() {
    let (mut right, mut all, mut wrong) = (0, 0, Vec::new());
    for preset in layout::PRESETS {
        let mut layout = preset.layout().unwrap();
        let sized = layout.header.iter().any(|field| matches!(field.role, Some(Role::Length { .. })));
        if !sized {
            continue;
        }
        // Layouts that are only read are written as bodies without a meaning.
        if Writer::new(layout.clone()).is_err() {
            layout.body.kind = layout::BodyKind::Raw;
            layout.limits.part = Some(1400);
        }
        for audio in [false, true].into_iter().take(if layout.tells_streams() { 2 } else { 1 }) {
            let bytes = capture(&layout, 7, audio, &[]);
            all += 1;
            match layout::guess(&bytes) {
                Some(guess) if is(guess.framing, &layout) => {
                    right += 1;
                    let text = layout::text(&guess.layout);
                    assert_eq!(layout::parse(&text).as_ref(), Ok(&guess.layout), "{text}");
                    let got = read(&guess.layout, &bytes, 100_000);
                    assert!(!got.0.is_empty(), "{}: {text}\n{:?}", preset.name, got.1);
                }
                other => wrong.push((preset.name, audio, other.map(|guess| guess.framing))),
            }
        }
    }
    println!("{right} of {all} presets; wrong: {wrong:#?}");
    assert!(right * 10 >= all * 9, "{right} of {all}; wrong: {wrong:#?}");
}

/// A layout made at random, as people make them: a magic or none, some fields, a length of any kind, more fields.
fn made(state: &mut u32) -> Layout {
    let mut pick = |n: u32| random(state) % n;
    let number = |bits, little| Kind::Number { bits, signed: false, little };
    let mut header = Vec::new();
    if pick(3) > 0 {
        let bits = [8, 16, 32][pick(3) as usize];
        let mut magic = Field::new("magic", number(bits, false));
        magic.constant =
            Some(layout::Constant::Number(u64::from(pick(1 << 24) | 0x80_0000) & (u64::MAX >> (64 - bits))));
        header.push(magic);
    }
    let little = pick(2) == 0;
    let length_first = pick(2) == 0;
    let bits = [16, 32, 32, 24][pick(4) as usize];
    let length = |from, tail| {
        let mut field = Field::new("length", number(bits, little));
        field.role = Some(Role::Length { unit: 1, plus: 0, from, tail, align: 1 });
        field
    };
    let from = [layout::RangeStart::Body, layout::RangeStart::Start][pick(2) as usize];
    if length_first {
        header.push(length(from, false));
    }
    if pick(2) == 0 {
        let mut kind = Field::new("kind", number(8, false));
        kind.default = u64::from(1 + pick(9));
        header.push(kind);
    }
    if pick(2) == 0 {
        let mut count = Field::new("count", number(16, little));
        count.role = Some(Role::Sequence { per_stream: false });
        header.push(count);
    }
    let (bits, clock) = [(32, 1000), (32, 90_000), (64, 1_000_000)][pick(3) as usize];
    let mut time = Field::new("time", number(bits, little));
    time.role = Some(Role::Pts(layout::Clock { base: TimeBase::hz(clock), shift: 0, halves: false }));
    header.push(time);
    if !length_first {
        header.push(length(from, false));
    }
    let mut layout = Layout::new("made", header);
    layout.body.codec = Some(Codec::H264);
    if pick(3) == 0 {
        let mut sum = Field::new("sum", number(32, little));
        let algorithm = layout::Algorithm::named("crc32").unwrap();
        sum.role = Some(Role::Checksum { algorithm, from: layout::RangeStart::Start, to: layout::RangeEnd::Body });
        layout.tail.push(sum);
    }
    layout
}

#[test]
fn the_framing_of_layouts_made_at_random_is_found() {
    let (mut state, mut right, mut wrong) = (2024, 0, Vec::new());
    for n in 0..20 {
        let layout = made(&mut state);
        // Bodies with start codes, and bodies of which nothing is known.
        let bytes = capture(&layout, n, false, if n % 2 == 0 { &[] } else { &[0x5a, 0xc3, 0x11] });
        match layout::guess(&bytes) {
            Some(guess) if is(guess.framing, &layout) => right += 1,
            other => wrong.push((n, framing(&layout), other.map(|guess| guess.framing), layout::text(&layout))),
        }
    }
    println!("{right} of 20 layouts; wrong: {wrong:#?}");
    assert!(right >= 16, "{right} of 20; wrong: {wrong:#?}");
}

#[test]
fn no_framing_is_found_where_there_is_none() {
    let mut state = 3;
    for length in [0, 1, 100, 5000, 300_000] {
        let noise: Vec<u8> = (0..length).map(|_| random(&mut state) as u8).collect();
        assert!(layout::guess(&noise).is_none(), "{length} random bytes");
    }
    let raw: [(&str, &[u8]); 4] = [
        ("h264", include_bytes!("../../../samples/h264/b_frames.h264")),
        ("h265", include_bytes!("../../../samples/h265/main.h265")),
        ("zeros", &[0; 100_000]),
        ("text", include_bytes!("../../../docs/differences.md")),
    ];
    for (name, bytes) in raw {
        let found = layout::guess(bytes);
        assert!(found.is_none(), "{name}: {}", layout::text_of_guess(&found.unwrap()));
    }
}
