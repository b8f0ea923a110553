//! Where decoding of H.264 begins, and when pictures come out.
#![cfg(feature = "h264")]

mod stream;

use std::task::Poll;

use maliu_core::{format::Event, formats, input::Input, packet::Packet, reader::PacketReader};
use maliu_decode::pictures::{Picture, pictures_for};
use stream::{Stream, packet, video};

fn packets(data: &[u8]) -> Vec<Packet> {
    let mut reader = PacketReader::of(&formats::h264::FORMAT, &[]).unwrap();
    let (mut input, mut packets) = (Input::new(), Vec::new());
    input.push(data);
    input.end();
    loop {
        match reader.poll(&mut input).unwrap() {
            Poll::Ready(Event::Packet(packet)) => packets.push(packet),
            Poll::Ready(Event::End) => return packets,
            _ => {}
        }
    }
}

fn decode(data: &[u8]) -> (Vec<Picture>, Vec<String>) {
    let mut decoder = pictures_for(&video()).unwrap();
    let mut pictures = Vec::new();
    for packet in packets(data) {
        pictures.extend(decoder.decode(&packet).unwrap());
    }
    pictures.extend(decoder.finish().unwrap());
    assert_eq!(decoder.report().damaged, 0, "{:?}", decoder.report().first_damage);
    (pictures, decoder.report().notes)
}

/// Offsets of the NAL units of a kind, at their start codes.
fn units_of(data: &[u8], kind: u8) -> Vec<usize> {
    let units = maliu_core::syntax::annexb::units(data);
    units.filter(|unit| unit.data[0] & 31 == kind).map(|unit| unit.at - unit.start_code.min(4)).collect()
}

/// Intra refresh: a keyframe at the start only, then a column of the picture renewed at a time, behind recovery points.
#[test]
fn a_stream_without_keyframes_is_decoded_from_a_recovery_point_on() {
    let data = include_bytes!("../../../samples/h264/intra_refresh.h264");
    let (whole, notes) = decode(data);
    assert_eq!((whole.len(), notes), (48, vec![]));
    let sets = units_of(data, 7);
    let second = sets[1];
    // Joined within the first refresh: three pictures before the recovery point cannot be decoded.
    let behind = units_of(data, 1).into_iter().filter(|at| *at < second).rev().nth(2).unwrap();
    let joined = [&data[..sets.first().map_or(0, |_| units_of(data, 6)[0])], &data[behind..]].concat();
    let (pictures, notes) = decode(&joined);
    assert!(notes.iter().any(|note| note.starts_with("3 pictures before")), "{notes:?}");
    assert!(pictures.len() >= 20 && pictures.len() < 36, "{} pictures", pictures.len());
    let tail = &whole[whole.len() - pictures.len()..];
    let same = pictures.iter().zip(tail).filter(|(ours, whole)| ours.planes == whole.planes).count();
    assert_eq!(same, pictures.len(), "pictures behind the refresh are those of the whole stream");
}

#[test]
fn pictures_of_a_stream_without_reordering_come_out_one_packet_later() {
    let stream = Stream { width: 4, height: 3, references: 1, level: 10 };
    let mut decoder = pictures_for(&video()).unwrap();
    let mut out = 0;
    for n in 0..10u32 {
        let data = if n == 0 { stream.start() } else { stream.predicted(n, &[]) };
        out += decoder.decode(&packet(data, n.into())).unwrap().len();
        assert_eq!(out, n as usize, "after packet {n}");
    }
}
