//! How much of a live stream must come in before its first packet is out.

use std::task::Poll;

use maliu_core::{
    format::{Event, Format},
    formats,
    input::Input,
    reader::PacketReader,
};

use crate::samples::samples;

#[test]
fn the_first_packet_of_a_live_stream_is_out_within_three_frames() {
    let mut tried = 0;
    for (format, path, data) in samples() {
        // Of every format that is nothing but frames of audio: the first packet is the first byte, others follow it.
        if !is_frames_of_audio(format, &data) {
            continue;
        }
        tried += 1;
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
    assert!(tried > 10, "{tried} samples");
}

fn is_frames_of_audio(format: &'static Format, data: &[u8]) -> bool {
    let (mut input, mut reader) = (Input::new(), PacketReader::of(format, &[]).unwrap());
    input.push(data);
    input.end();
    let mut ends = 0;
    loop {
        match reader.poll(&mut input) {
            Ok(Poll::Ready(Event::Packet(packet))) => {
                // Packets of one frame share its place.
                if packet.position > Some(ends) {
                    return false;
                }
                ends = packet.position.map_or(0, |at| at + packet.data.len() as u64 + FRAMING);
            }
            Ok(Poll::Ready(Event::End)) => break,
            Ok(Poll::Ready(_)) => {}
            _ => return false,
        }
    }
    ends > FRAMING && reader.streams().len() == 1 && reader.streams()[0].as_audio().is_some()
}

/// Most bytes of a frame that are not in its packet: an ADTS header with a checksum, a LOAS header.
const FRAMING: u64 = 16;
