//! Seeking in FLV files without an index, with a right one and with a wrong one, against reading from the start (FLD-29).

use std::task::Poll;

use maliu_core::{
    format::Event,
    formats::flv,
    input::Input,
    packet::Packet,
    reader::PacketReader,
    time::{Ticks, TimeBase},
};

const PICTURES: u32 = 3000;

fn tag(kind: u8, time: u32, body: &[u8], out: &mut Vec<u8>) {
    let [_, s2, s1, s0] = (body.len() as u32).to_be_bytes();
    let [t3, t2, t1, t0] = time.to_be_bytes();
    out.extend([kind, s2, s1, s0, t2, t1, t0, t3, 0, 0, 0]);
    out.extend(body);
    out.extend((body.len() as u32 + 11).to_be_bytes());
}

/// 40 ms a picture, a key frame every `gop` pictures; 2 kB a picture. `index` gives key frames to metadata.
fn file(gop: u32, index: &[(f64, f64)]) -> Vec<u8> {
    let mut out = b"FLV\x01\x05\0\0\0\x09\0\0\0\0".to_vec();
    if !index.is_empty() {
        let list = |name: &str, values: Vec<f64>| {
            let mut bytes = (name.len() as u16).to_be_bytes().to_vec();
            bytes.extend(name.bytes());
            bytes.push(0x0a);
            bytes.extend((values.len() as u32).to_be_bytes());
            values.iter().for_each(|value| {
                bytes.push(0);
                bytes.extend(value.to_be_bytes());
            });
            bytes
        };
        let mut body = b"\x02\0\x0aonMetaData\x08\0\0\0\x01\0\x09keyframes\x03".to_vec();
        body.extend(list("times", index.iter().map(|(time, _)| *time).collect()));
        body.extend(list("filepositions", index.iter().map(|(_, at)| *at).collect()));
        body.extend(b"\0\0\x09\0\0\x09");
        tag(18, 0, &body, &mut out);
    }
    let mut picture = [0x5a; 2000];
    for n in 0..PICTURES {
        picture[0] = if n % gop == 0 { 0x12 } else { 0x22 };
        tag(9, n * 40, &picture, &mut out);
        tag(8, n * 40 + 5, &[0x2f; 300], &mut out);
    }
    out
}

fn next(reader: &mut PacketReader, input: &mut Input, data: &[u8]) -> Option<Packet> {
    loop {
        match reader.poll(input).expect("the file is good") {
            Poll::Ready(Event::Packet(packet)) => return Some(packet),
            Poll::Ready(Event::End) => return None,
            Poll::Pending => {
                let from = input.next_read() as usize;
                let to = (from + 5000).min(data.len());
                input.push(&data[from.min(to)..to]);
                if to == data.len() {
                    input.end();
                }
            }
            Poll::Ready(Event::Stream(..)) | Poll::Ready(Event::Metadata(_)) => {}
        }
    }
}

/// Seeks in a reader that has read one packet; returns where it arrives and how many bytes that took.
fn arrive(data: &[u8], to_ms: i64) -> (Packet, Packet) {
    let mut input = Input::seekable(Some(data.len() as u64));
    let mut reader = PacketReader::of(&flv::FORMAT, &[]).unwrap();
    next(&mut reader, &mut input, data).unwrap();
    reader.seek(Ticks(to_ms), TimeBase::MILLIS, &mut input).unwrap();
    let first = next(&mut reader, &mut input, data).unwrap();
    (first, next(&mut reader, &mut input, data).unwrap())
}

fn check(data: &[u8], gop: i64) {
    let last = i64::from(PICTURES - 1) * 40;
    for to in [0, 39, 40, 4_000, 77_777, 119_000, 200_000] {
        let expected = to.min(last) / 40 / gop * gop * 40;
        let (first, second) = arrive(data, to);
        assert_eq!((first.dts, first.is_key(), first.data[0]), (Some(Ticks(expected)), true, 0x5a), "to {to}");
        assert_eq!(second.dts, Some(Ticks(expected + 5)), "to {to}");
    }
}

#[test]
fn a_file_without_an_index_is_bisected() {
    check(&file(50, &[]), 50);
}

#[test]
fn a_key_frame_far_before_the_target_is_found() {
    check(&file(2500, &[]), 2500);
    check(&file(PICTURES, &[]), i64::from(PICTURES));
}

#[test]
fn a_right_index_is_used_and_a_wrong_one_left() {
    let body = file(50, &[]).len() - 13;
    let count = PICTURES as usize / 50;
    let lead = file(50, &vec![(0.0, 0.0); count]).len() - body;
    let group = (body / count) as f64;
    let right: Vec<_> = (0..count).map(|n| (n as f64 * 2.0, lead as f64 + n as f64 * group)).collect();
    check(&file(50, &right), 50);
    let wrong: Vec<_> = right.iter().map(|(time, at)| (*time, at + 777.0)).collect();
    check(&file(50, &wrong), 50);
}

#[test]
fn a_forward_input_cannot_be_sought() {
    let data = file(50, &[]);
    let mut input = Input::new();
    let mut reader = PacketReader::of(&flv::FORMAT, &[]).unwrap();
    next(&mut reader, &mut input, &data).unwrap();
    assert!(reader.seek(Ticks(0), TimeBase::MILLIS, &mut input).is_err());
}
