//! Seeking goes to the packet that holds the wanted time, in every format that can seek.

use std::{path::PathBuf, task::Poll};

use maliu_core::{
    error::Error,
    format::{Event, Format},
    formats,
    input::Input,
    output::{Edit, Output},
    packet::{Packet, Trim},
    reader::PacketReader,
    time::{Ticks, TimeBase},
    writer::PacketWriter,
};

use crate::samples::samples;

/// A sample of one audio stream: its format, path and bytes, and its packets.
type Sample = (&'static Format, PathBuf, Vec<u8>, Vec<Packet>);

/// The samples of every format of audio alone whose packets all have times and lengths. Formats of audio and video have
/// keyframes to go to, and tests of their own.
fn timed() -> Vec<Sample> {
    let of_audio = |format: &Format| format.demuxer.is_some() && matches!(format.default_codecs, (Some(_), None));
    let read = |(format, path, data): (&'static Format, PathBuf, Vec<u8>)| {
        let (mut input, mut reader) = open(format, &data);
        let packets: Vec<_> = std::iter::from_fn(|| next(&mut reader, &mut input, &data)).collect();
        let timed = packets.iter().all(|packet| packet.pts.is_some() && packet.duration.is_some());
        (timed && !packets.is_empty()).then_some((format, path, data, packets))
    };
    let found: Vec<_> = samples().into_iter().filter(|(format, ..)| of_audio(format)).filter_map(read).collect();
    for format in formats::ALL.iter().filter(|format| of_audio(format)) {
        assert!(found.iter().any(|(found, ..)| found.name == format.name), "{} has no sample with times", format.name);
    }
    found
}

fn open(format: &'static Format, data: &[u8]) -> (Input, PacketReader) {
    (Input::seekable(Some(data.len() as u64)), PacketReader::of(format, &[]).unwrap())
}

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

/// Facts that do not depend on the packets before.
fn facts(packet: &Packet) -> (Option<Ticks>, Option<Ticks>, Trim, &[u8]) {
    (packet.pts, packet.duration, packet.side.trim(), &packet.data)
}

fn base(reader: &PacketReader) -> TimeBase {
    reader.streams()[0].time_base
}

#[test]
fn a_seek_back_or_ahead_gives_the_packet_of_that_time() {
    for (format, path, data, all) in timed() {
        let (mut input, mut reader) = open(format, &data);
        next(&mut reader, &mut input, &data).expect("a packet");
        let base = base(&reader);
        for n in (0..all.len()).rev().step_by(3).chain((0..all.len()).step_by(2)) {
            let wanted = &all[n];
            let middle = Ticks(wanted.pts.unwrap().0 + wanted.duration.unwrap().0 / 2);
            reader.seek(middle, base, &mut input).unwrap();
            for expected in &all[n..all.len().min(n + 3)] {
                let got = next(&mut reader, &mut input, &data);
                let got = got.unwrap_or_else(|| panic!("{} {n}: no packet", path.display()));
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
    for (format, path, data, _) in timed() {
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

/// A transport stream of `count` seconds: the sample again and again, its times a second later each time.
fn long_stream(count: u64) -> Vec<u8> {
    let (_, _, second) = samples().into_iter().find(|(_, path, _)| path.ends_with("h264_aac.ts")).expect("the sample");
    let mut out = Vec::new();
    for n in 0..count {
        let mut second = second.clone();
        for packet in second.chunks_exact_mut(188) {
            let field = if packet[3] & 0x20 != 0 { 1 + usize::from(packet[4]) } else { 0 };
            let payload = &mut packet[4 + field..];
            if !payload.starts_with(&[0, 0, 1]) {
                continue;
            }
            for (at, flag) in [(9, 0x80), (14, 0x40)] {
                if payload[7] & flag != 0 {
                    let b = |i: usize| u64::from(payload[at + i]);
                    let time = (b(0) >> 1 & 7) << 30 | b(1) << 22 | (b(2) >> 1) << 15 | b(3) << 7 | b(4) >> 1;
                    let field = maliu_core::syntax::pes::time_field(payload[at] >> 4, time + n * 108_000);
                    payload[at..at + 5].copy_from_slice(&field);
                }
            }
        }
        out.extend(second);
    }
    out
}

#[test]
fn a_multiplex_is_entered_at_a_keyframe_before_the_time() {
    let transport = long_stream(400);
    let program = as_program_stream(&transport);
    for (name, data) in [("mpegts", transport), ("mpegps", program)] {
        enters_at_keyframes(formats::named(name).expect("the format"), &data);
    }
}

/// The same packets as a program stream.
fn as_program_stream(transport: &[u8]) -> Vec<u8> {
    let (mut input, mut reader) = open(formats::named("mpegts").expect("the format"), transport);
    let packets: Vec<_> = std::iter::from_fn(|| next(&mut reader, &mut input, transport)).collect();
    let format = formats::named("mpegps").expect("the format");
    let (mut out, mut file) = (Output::default(), Vec::new());
    let mut writer = PacketWriter::start(format, &[], reader.streams(), &mut out).unwrap();
    let mut keep = |out: &mut Output| {
        while let Some(edit) = out.next_edit() {
            let Edit::Append(piece) = edit else { panic!("only appended") };
            piece.parts.iter().for_each(|part| file.extend_from_slice(part));
        }
    };
    for packet in packets {
        writer.write(packet, &mut out).unwrap();
        keep(&mut out);
    }
    writer.finish(&mut out).unwrap();
    keep(&mut out);
    file
}

fn enters_at_keyframes(format: &'static Format, data: &[u8]) {
    let (mut input, mut reader) = open(format, data);
    let all: Vec<_> = std::iter::from_fn(|| next(&mut reader, &mut input, data)).collect();
    for seconds in [0, 1, 100, 333, 470, 5000, 7] {
        let to = Ticks(seconds * 90_000);
        reader.seek(to, TimeBase::hz(90_000), &mut input).unwrap();
        let rest: Vec<_> = std::iter::from_fn(|| next(&mut reader, &mut input, data)).collect();
        let video = reader.streams().iter().position(|stream| stream.as_video().is_some()).expect("video");
        let first = rest.iter().find(|packet| packet.stream == video).expect("pictures");
        let begin = all.iter().find(|packet| packet.stream == video).and_then(|packet| packet.pts).expect("pictures");
        assert!(first.is_key() && first.pts.unwrap() <= to.max(begin), "{seconds} s: {:?}", first.pts);
        let near = to.0.min(all.last().unwrap().pts.unwrap().0) - 180 * 90_000;
        assert!(first.pts.unwrap().0 >= near, "{seconds} s: {:?} is far before", first.pts);
        for stream in 0..2 {
            let facts = |packets: &[Packet]| -> Vec<_> {
                let of = packets.iter().filter(|packet| packet.stream == stream);
                of.map(|packet| (packet.pts, packet.dts, packet.data.clone())).collect()
            };
            let (rest, all) = (facts(&rest), facts(&all));
            assert!(all.ends_with(&rest), "{seconds} s, stream {stream}: no tail of the file");
        }
    }
}
