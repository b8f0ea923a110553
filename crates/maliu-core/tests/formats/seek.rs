//! Seeking goes to the packet that holds the wanted time, in every format that can seek.

use std::task::Poll;

use maliu_core::{
    error::Error,
    format::Event,
    input::Input,
    packet::{Packet, Trim},
    reader::PacketReader,
    time::{Ticks, TimeBase},
};

use crate::samples::samples;

/// Formats whose demuxers seek by time.
const FORMATS: [&str; 3] = ["adts", "mp3", "wav"];

fn next(reader: &mut PacketReader, input: &mut Input, data: &[u8]) -> Option<Packet> {
    loop {
        match reader.poll(input).expect("good samples") {
            Poll::Ready(Event::Packet(packet)) => return Some(packet),
            Poll::Ready(Event::End) => return None,
            Poll::Pending => {
                let at = (input.next_read() as usize).min(data.len());
                let block = &data[at..data.len().min(at + 700)];
                if block.is_empty() { input.end() } else { input.push(block) }
            }
            _ => {}
        }
    }
}

/// What does not depend on the packets before.
fn facts(packet: &Packet) -> (Option<Ticks>, Option<Ticks>, Trim, &[u8]) {
    (packet.pts, packet.duration, packet.side.trim(), &packet.data)
}

fn base(reader: &PacketReader) -> TimeBase {
    reader.streams()[0].time_base
}

#[test]
fn a_seek_back_or_ahead_gives_the_packet_of_that_time() {
    for (format, path, data) in samples().into_iter().filter(|(format, ..)| FORMATS.contains(&format.name)) {
        let mut input = Input::seekable(Some(data.len() as u64));
        let mut reader = PacketReader::of(format, &[]).unwrap();
        let all: Vec<_> = std::iter::from_fn(|| next(&mut reader, &mut input, &data)).collect();
        let base = base(&reader);
        for n in (0..all.len()).rev().step_by(3).chain((0..all.len()).step_by(2)) {
            let wanted = &all[n];
            let middle = Ticks(wanted.pts.unwrap().0 + wanted.duration.unwrap().0 / 2);
            reader.seek(middle, base, &mut input).unwrap();
            for expected in &all[n..all.len().min(n + 3)] {
                let got = next(&mut reader, &mut input, &data).expect("a packet");
                assert_eq!(facts(&got), facts(expected), "{} {n}", path.display());
            }
        }
        reader.seek(Ticks(i64::MAX), TimeBase::SECONDS, &mut input).unwrap();
        let last = next(&mut reader, &mut input, &data).map(|packet| packet.pts);
        assert_eq!(last, all.last().map(|packet| packet.pts), "{} behind the end", path.display());
        reader.seek(Ticks(-5), base, &mut input).unwrap();
        let first = next(&mut reader, &mut input, &data).map(|packet| packet.pts);
        assert_eq!(first, all.first().map(|packet| packet.pts), "{} before the start", path.display());
    }
}

#[test]
fn a_pipe_seeks_ahead_and_refuses_to_go_back() {
    for (format, path, data) in samples().into_iter().filter(|(format, ..)| FORMATS.contains(&format.name)) {
        let read = |until: Option<Ticks>| {
            let (mut input, mut reader) = (Input::new(), PacketReader::of(format, &[]).unwrap());
            let first = next(&mut reader, &mut input, &data).expect("a packet");
            if let Some(until) = until {
                reader.seek(until, base(&reader), &mut input).unwrap();
            }
            let rest: Vec<_> = std::iter::from_fn(|| next(&mut reader, &mut input, &data)).collect();
            let back = reader.seek(first.pts.unwrap(), base(&reader), &mut input);
            (rest, back)
        };
        let (all, _) = read(None);
        let Some(wanted) = all.get(all.len() / 2) else { continue };
        let (rest, back) = read(wanted.pts);
        assert_eq!(rest.first().map(facts), Some(facts(wanted)), "{}", path.display());
        assert!(matches!(back, Err(Error::NotSeekable { .. })), "{} {back:?}", path.display());
    }
}
