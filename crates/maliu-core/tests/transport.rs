//! How soon packets of a transport stream are out: with floods of PIDs, without maps, joined in the middle, fed packet by packet.

use std::task::Poll;

use maliu_core::{
    format::Event,
    formats,
    input::Input,
    output::{Edit, Output, Reach},
    packet::{Flags, Packet},
    reader::PacketReader,
    stream::{Audio, Codec, Media, StreamInfo, Video},
    time::{Ticks, TimeBase},
    writer::PacketWriter,
};

const BASE: TimeBase = TimeBase::hz(90_000);
const SIZE: usize = 188;

/// Pictures of a group, and bytes of a picture.
const GROUP: i64 = 50;
const PICTURE: usize = 4000;

/// Bytes of input before which the first packet is out, beside a group of pictures.
const MOST: usize = 500_000;

/// Video of 25 pictures per second, and audio beside it.
fn written(pictures: i64) -> Vec<u8> {
    written_with(pictures, &[])
}

fn written_with(pictures: i64, settings: &[(&str, &str)]) -> Vec<u8> {
    let sets = vec![0, 0, 0, 1, 0x67, 1, 0, 0, 0, 1, 0x68, 2];
    let video = StreamInfo::new(Codec::H264, BASE, Media::Video(Video::new(64, 48))).with_config(sets);
    let audio = StreamInfo::new(Codec::Aac, BASE, Media::Audio(Audio::new(48_000, 2))).with_config(vec![0x11, 0x90]);
    let mut out = Output::new(Reach::Append);
    let format = formats::named("mpegts").unwrap();
    let mut writer = PacketWriter::start(format, settings, &[video, audio], &mut out).unwrap();
    for n in 0..pictures {
        let key = n % GROUP == 0;
        let data = [&[0, 0, 0, 1, if key { 0x65 } else { 0x41 }][..], &vec![0x55; PICTURE]].concat();
        let mut picture = Packet::new(0, Ticks(n * 3600), BASE, data);
        picture.flags = Flags::key(key);
        writer.write_interleaved(picture, &mut out).unwrap();
        writer.write_interleaved(Packet::new(1, Ticks(n * 3600), BASE, vec![0x21; 300]), &mut out).unwrap();
    }
    writer.finish(&mut out).unwrap();
    let mut file = Vec::new();
    while let Some(Edit::Append(piece)) = out.next_edit() {
        piece.parts.iter().for_each(|part| file.extend_from_slice(part));
    }
    file
}

fn pid(packet: &[u8]) -> u16 {
    u16::from_be_bytes([packet[1] & 0x1f, packet[2]])
}

/// Bytes fed when the first packet, and the first keyframe, of a stream with this PID is out.
fn first(file: &[u8], of: u32) -> (usize, usize) {
    let (mut input, mut reader) = (Input::new(), PacketReader::detect(formats::ALL));
    let (mut fed, mut found) = (0, None);
    for part in file.chunks(SIZE) {
        input.push(part);
        fed += part.len();
        while let Poll::Ready(event) = reader.poll(&mut input).unwrap() {
            let Event::Packet(packet) = event else { continue };
            if reader.streams()[packet.stream].id != Some(of) {
                continue;
            }
            let first = *found.get_or_insert(fed);
            if packet.is_key() {
                return (first, fed);
            }
        }
    }
    panic!("no keyframe in {fed} bytes");
}

/// A PES packet of one packet on a PID that nothing names.
fn stray(pid: u16, counter: u8) -> Vec<u8> {
    let mut packet = vec![0x47, 0x40 | (pid >> 8) as u8, pid as u8, 0x10 | counter & 15];
    packet.extend([0, 0, 1, 0xbd, 0, 0, 0x80, 0, 0]);
    packet.resize(SIZE, (pid ^ u16::from(counter)) as u8);
    packet
}

fn without_tables(file: &[u8]) -> Vec<u8> {
    file.chunks(SIZE).filter(|packet| !matches!(pid(packet), 0 | 0x11 | 0x1000)).flat_map(<[u8]>::to_vec).collect()
}

#[test]
fn a_map_that_never_comes_is_not_waited_for() {
    let (packet, _) = first(&without_tables(&written(400)), 0x100);
    assert!(packet < MOST, "{packet}");
    // The association names a map that does not come.
    let orphan: Vec<u8> =
        written(400).chunks(SIZE).filter(|packet| pid(packet) != 0x1000).flat_map(<[u8]>::to_vec).collect();
    let (packet, _) = first(&orphan, 0x100);
    assert!(packet < MOST, "{packet}");
}

#[test]
fn a_stream_joined_in_the_middle_of_a_group_is_out_at_once() {
    let file = written(400);
    for at in [31, 77, 1234] {
        let (packet, key) = first(&file[at * 1000..], 0x100);
        // The rest of a picture, then the next map, which comes within 100 ms.
        assert!(packet < 5 * PICTURE, "{packet}");
        assert!(key < GROUP as usize * (PICTURE + 1000) + MOST, "{key}");
    }
}

#[test]
fn a_flood_of_pids_hides_no_stream_that_a_map_names() {
    let file = written(100);
    let flood = (0x20..0x1fff).filter(|pid| !matches!(pid, 0x100 | 0x101 | 0x1000));
    let mut before: Vec<u8> = flood.clone().flat_map(|pid| stray(pid, 0)).collect();
    before.extend_from_slice(&file);
    let (packet, _) = first(&before, 0x100);
    assert!(packet < 0x2000 * SIZE + MOST, "{packet}");
    // Between the packets, and without tables.
    let mut strays = flood.cycle().enumerate().map(|(n, pid)| stray(pid, (n / 8000) as u8));
    let between = |file: &[u8]| -> Vec<u8> {
        file.chunks(SIZE).flat_map(|packet| [packet.to_vec(), strays.next().unwrap()].concat()).collect()
    };
    let mut between = between;
    let (packet, _) = first(&between(&file), 0x100);
    assert!(packet < MOST, "{packet}");
    let (packet, _) = first(&between(&without_tables(&written(400))), 0x100);
    assert!(packet < MOST, "{packet}");
}

#[test]
fn a_pid_of_a_map_can_become_that_of_a_stream() {
    let other = [("program", "77"), ("map_pid", "4080"), ("pids", "4096,4097"), ("discontinuity", "1")];
    let ids = |file: &[u8]| -> Vec<(u32, usize)> {
        let (mut input, mut reader) = (Input::new(), PacketReader::detect(formats::ALL));
        input.push(file);
        input.end();
        let mut counts = vec![];
        loop {
            match reader.poll(&mut input).unwrap() {
                Poll::Ready(Event::Packet(packet)) => {
                    counts.resize(reader.streams().len(), 0);
                    counts[packet.stream] += 1;
                }
                Poll::Ready(Event::End) => break,
                _ => {}
            }
        }
        reader.streams().iter().map(|stream| stream.id.unwrap()).zip(counts).collect()
    };
    let (first, second) = (written(30), written_with(30, &other));
    // The map of the first program is on the PID of the second one's video, and the other way round.
    let expected = [(0x100, 30), (0x101, 30), (0x1000, 30), (0x1001, 30)];
    assert_eq!(ids(&[&first[..], &second].concat()), expected);
    let swapped: Vec<(u32, usize)> = expected.iter().cycle().skip(2).take(4).copied().collect();
    assert_eq!(ids(&[&second[..], &first].concat()), swapped);
}

#[test]
fn a_unit_is_out_with_its_last_packet() {
    let file = written(200);
    // Per PID: packets of the file in which units end.
    let packets: Vec<&[u8]> = file.chunks(SIZE).collect();
    let ends = |of: u16| -> Vec<usize> {
        let own: Vec<usize> =
            (0..packets.len()).filter(|n| pid(packets[*n]) == of && packets[*n][3] & 0x10 != 0).collect();
        own.windows(2)
            .filter(|pair| packets[pair[1]][1] & 0x40 != 0)
            .map(|pair| pair[0])
            .chain(own.last().copied())
            .collect()
    };
    let expected = [ends(0x100), ends(0x101)];
    let (mut input, mut reader) = (Input::new(), PacketReader::of(formats::named("mpegts").unwrap(), &[]).unwrap());
    let mut out = [vec![], vec![]];
    for (n, packet) in packets.iter().enumerate() {
        input.push(packet);
        while let Poll::Ready(event) = reader.poll(&mut input).unwrap() {
            if let Event::Packet(packet) = event {
                out[packet.stream].push(n);
            }
        }
    }
    for (stream, (out, expected)) in out.iter().zip(&expected).enumerate() {
        // Whether units end with PES packets shows with the second one.
        let late = out.iter().zip(expected).skip(2).filter(|(out, end)| *out > *end).count();
        assert_eq!((late, out.len() + 1 >= expected.len()), (0, true), "stream {stream}");
    }
}
