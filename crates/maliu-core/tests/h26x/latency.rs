//! How long an access unit waits: not at all when its carrier says where it ends, else for the front of the next one.

use std::fs;
use std::task::Poll;

use maliu_core::{
    format::{Event, Format},
    formats,
    input::Input,
    packet::Packet,
    reader::PacketReader,
    syntax::annexb,
};

use crate::corpus::packets;

fn samples() -> [(&'static Format, Vec<u8>); 2] {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../samples");
    [
        (&formats::h264::FORMAT, fs::read(format!("{root}/h264/b_frames.h264")).expect("a sample")),
        (&formats::h265::FORMAT, fs::read(format!("{root}/h265/main.h265")).expect("a sample")),
    ]
}

fn poll(reader: &mut PacketReader, input: &mut Input) -> Option<Packet> {
    loop {
        match reader.poll(input).expect("a good stream") {
            Poll::Ready(Event::Packet(packet)) => return Some(packet),
            Poll::Pending | Poll::Ready(Event::End) => return None,
            _ => {}
        }
    }
}

#[test]
fn a_unit_whose_end_is_known_is_out_at_once() {
    for (format, data) in samples() {
        let expected = packets(format, &[], &data, usize::MAX);
        let (mut reader, mut input) = (PacketReader::of(format, &[]).expect("it is read"), Input::new());
        for unit in &expected {
            input.push(&unit.data);
            reader.finish_unit();
            assert_eq!(poll(&mut reader, &mut input).as_ref(), Some(unit), "{}", format.name);
            assert_eq!(poll(&mut reader, &mut input), None);
        }
    }
}

#[test]
fn otherwise_it_is_out_with_the_front_of_the_next_nal_unit() {
    for (format, data) in samples() {
        let expected = packets(format, &[], &data, usize::MAX);
        let (mut reader, mut input) = (PacketReader::of(format, &[]).expect("it is read"), Input::new());
        let (mut fed, mut end) = (0, 0);
        for unit in &expected[..expected.len() - 1] {
            end += unit.data.len();
            // The start code of what follows, its header, and of a slice the fields that tell pictures apart.
            let next = annexb::units(&data[end..]).next().expect("a unit follows").at;
            input.push(&data[fed..end + next]);
            assert_eq!(poll(&mut reader, &mut input), None, "{} before byte {}", format.name, end + next);
            fed = end + next;
            let mut front = 0;
            let packet = loop {
                input.push(&data[fed..=fed]);
                (fed, front) = (fed + 1, front + 1);
                if let Some(packet) = poll(&mut reader, &mut input) {
                    break packet;
                }
            };
            assert_eq!(&packet, unit);
            assert!(front <= 8, "{}: {front} bytes of the next unit were needed", format.name);
        }
    }
}
