//! How much of a live stream must come in before its first packet is out.

use std::task::Poll;

use maliu_core::{format::Event, formats, input::Input, reader::PacketReader};

use crate::samples::samples;

#[test]
fn the_first_packet_of_a_live_stream_is_out_within_three_frames() {
    for (format, path, data) in samples() {
        if !["adts", "mp3"].contains(&format.name) || data.first() != Some(&0xff) {
            continue;
        }
        let (mut input, mut reader) = (Input::new(), PacketReader::detect(formats::ALL));
        let (mut places, mut needed, mut bytes) = (Vec::new(), 0, data.iter());
        while places.len() < 4 {
            match reader.poll(&mut input).expect("good samples") {
                Poll::Pending => match bytes.next() {
                    Some(byte) => input.push(&[*byte]),
                    None => input.end(),
                },
                Poll::Ready(Event::Packet(packet)) => {
                    needed = if places.is_empty() { data.len() - bytes.len() } else { needed };
                    // Packets of one frame share its place.
                    places.extend(packet.position.filter(|at| places.last() != Some(at)));
                }
                Poll::Ready(Event::End) => break,
                _ => {}
            }
        }
        let three_frames = places.get(3).map_or(data.len(), |at| *at as usize);
        assert!(needed <= three_frames, "{}: {needed} bytes, not {three_frames}", path.display());
    }
}
