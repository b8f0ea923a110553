//! Cadence, clocks and counters of what is written.

use alloc::{collections::BTreeMap, vec, vec::Vec};

use bytes::Bytes;

use super::{super::packet::TsPacket, *};
use crate::{
    output::{Edit, Reach},
    packet::Flags,
    stream::{Audio, Codec, Media, Video},
    syntax::pes,
};

const SETS: [u8; 12] = [0, 0, 0, 1, 0x67, 1, 0, 0, 0, 1, 0x68, 2];

fn streams() -> [StreamInfo; 2] {
    let video = StreamInfo::new(Codec::H264, BASE, Media::Video(Video::new(64, 48)));
    let audio = StreamInfo::new(Codec::Aac, BASE, Media::Audio(Audio::new(48_000, 2)));
    [video.with_config(SETS.to_vec()), audio.with_config(vec![0x11, 0x90])]
}

/// `seconds` of video at `frames` pictures per second and of audio, in the order of their times.
fn packets(seconds: i64, frames: i64) -> Vec<Packet> {
    let video = (0..seconds * frames).map(|n| {
        let size = if n % 10 == 0 { 9000 } else { 1500 };
        let data = [&[0, 0, 0, 1, if n % 10 == 0 { 0x65 } else { 0x41 }][..], &vec![0x55; size]].concat();
        let mut packet = Packet::new(0, Ticks(n * 90_000 / frames), BASE, data);
        packet.flags = Flags::key(n % 10 == 0);
        packet
    });
    let audio = (0..seconds * 48_000 / 1024).map(|n| {
        let mut packet = Packet::new(1, Ticks(n * 1920), BASE, vec![0x21; 300]);
        packet.flags = Flags::KEY;
        packet
    });
    let mut all: Vec<Packet> = video.chain(audio).collect();
    all.sort_by_key(|packet| packet.dts);
    all
}

fn written(settings: &[(&str, &str)], streams: &mut [StreamInfo], packets: &[Packet]) -> Vec<u8> {
    let (mut out, mut file) = (Output::new(Reach::Append), Vec::new());
    let mut muxer = make(settings).unwrap();
    muxer.start(streams, &Metadata::default(), &mut out).unwrap();
    packets.iter().for_each(|packet| muxer.packet(packet, &mut out).unwrap());
    muxer.finish(&mut out).unwrap();
    while let Some(Edit::Append(piece)) = out.next_edit() {
        piece.parts.iter().for_each(|part| file.extend_from_slice(part));
    }
    assert!(out.take_warnings().is_empty());
    file
}

struct Seen {
    /// Packet number and clock in 27 MHz.
    pcr: Vec<(u64, u64)>,
    /// Packet numbers of tables.
    tables: Vec<u64>,
    /// PID → times and last packet number of its units.
    units: BTreeMap<u16, Vec<(u64, u64)>>,
}

/// Walks a file; its counters must be whole.
fn seen(file: &[u8]) -> Seen {
    let mut seen = Seen { pcr: vec![], tables: vec![], units: BTreeMap::new() };
    let mut counters = BTreeMap::new();
    let (packets, rest) = file.as_chunks::<188>();
    assert!(rest.is_empty());
    for (number, bytes) in (0..).zip(packets) {
        let packet = TsPacket::parse(bytes);
        assert!(bytes[0] == 0x47 && packet.valid);
        if packet.pid == 0x1fff {
            continue;
        }
        if packet.has_payload {
            let last = counters.insert(packet.pid, packet.counter);
            assert!(last.is_none_or(|last| (last + 1) & 15 == packet.counter), "PID {}", packet.pid);
        }
        seen.pcr.extend(packet.pcr.map(|pcr| (number, pcr)));
        if packet.pid == 0 {
            seen.tables.push(number);
        }
        if packet.pid < 0x20 || packet.pid == 0x1000 {
            continue;
        }
        let units = seen.units.entry(packet.pid).or_default();
        if packet.start {
            let pes::Parsed::Header(header) = pes::parse(packet.payload) else { panic!("no PES packet") };
            units.push((header.dts.or(header.pts).unwrap(), number));
        } else if let Some(last) = units.last_mut() {
            last.1 = number;
        }
    }
    seen
}

#[test]
fn clocks_and_tables_come_in_time_at_any_frame_rate() {
    for frames in [1, 24, 25, 60] {
        let file = written(&[], &mut streams(), &packets(4, frames));
        let seen = seen(&file);
        assert!(seen.pcr.windows(2).all(|pair| pair[1].1 - pair[0].1 <= 40 * 27_000), "{frames}");
        let clock = |number: u64| seen.pcr.iter().rev().find(|(at, _)| *at <= number).map_or(0, |(_, pcr)| *pcr);
        let gaps = seen.tables.windows(2).map(|pair| clock(pair[1]) - clock(pair[0]));
        assert!(gaps.max().unwrap() <= 140 * 27_000, "{frames}");
        assert_eq!(seen.units[&0x100].len() as i64, 4 * frames);
    }
}

#[test]
fn a_constant_rate_is_exact_and_no_unit_is_late() {
    let rate = 1_000_000;
    let file = written(&[("rate", "1000000")], &mut streams(), &packets(4, 25));
    let seen = seen(&file);
    let (first, start) = seen.pcr[0];
    for (number, pcr) in &seen.pcr {
        let exact = (number - first) * 1504 * 27_000_000 / rate;
        assert!((pcr - start).abs_diff(exact) <= 1, "packet {number}");
    }
    assert!(seen.pcr.windows(2).all(|pair| pair[1].1 - pair[0].1 <= 40 * 27_000));
    for (pid, units) in &seen.units {
        for (dts, last) in units {
            let arrived = start + (last + 1 - first) * 1504 * 27_000_000 / rate;
            assert!(arrived <= dts * 300, "PID {pid} at {dts}");
            assert!(dts * 300 - arrived <= 27_000_000, "PID {pid} at {dts}: more than a second in the buffer");
        }
    }
    // A decoder of two channels holds 3584 bytes; its units go at their times.
    let audio = &seen.units[&0x101];
    for (dts, last) in audio {
        let now = start + (last + 1 - first) * 1504 * 27_000_000 / rate;
        let held = audio.iter().filter(|(other, sent)| other * 300 > now && sent <= last).count();
        assert!(held * 321 <= 3584 + 321, "{held} units at {dts}");
    }
}

#[test]
fn a_long_gap_is_a_discontinuity() {
    let mut all = packets(1, 25);
    for packet in &mut all[40..] {
        (packet.pts, packet.dts) =
            (packet.pts.map(|pts| pts + Ticks(9_000_000)), packet.dts.map(|dts| dts + Ticks(9_000_000)));
    }
    for settings in [&[][..], &[("rate", "1000000")]] {
        let file = written(settings, &mut streams(), &all);
        assert!(file.len() < 400_000, "{} bytes", file.len());
        let marked = file.as_chunks::<188>().0.iter().map(TsPacket::parse).filter(|packet| packet.discontinuity);
        assert_eq!(marked.filter(|packet| packet.pcr.is_some()).count(), 1, "{settings:?}");
    }
}

#[test]
fn pids_are_counted_kept_or_listed() {
    let pids = |settings: &[(&str, &str)]| {
        let mut streams = streams();
        streams[0].id = Some(0x65);
        let file = written(settings, &mut streams, &packets(1, 25));
        let mut pids: Vec<u16> = seen(&file).units.into_keys().collect();
        pids.sort_unstable();
        pids
    };
    assert_eq!(pids(&[]), [0x100, 0x101]);
    assert_eq!(pids(&[("pids", "keep")]), [0x65, 0x100]);
    assert_eq!(pids(&[("pids", "300,200")]), [200, 300]);
    let (mut out, mut muxer) = (Output::new(Reach::Append), make(&[("pids", "300,300")]).unwrap());
    assert!(muxer.start(&mut streams(), &Metadata::default(), &mut out).is_err());
}

#[test]
fn other_sizes_hold_the_same_packets() {
    let plain = written(&[], &mut streams(), &packets(1, 25));
    let sized = |size: &str, at: usize, step: usize| {
        let file =
            written(&[("packet", size), ("map_pid", "4096"), ("pids", "256,257")], &mut streams(), &packets(1, 25));
        file.chunks(step).flat_map(|packet| packet[at..at + 188].to_vec()).collect::<Vec<u8>>()
    };
    assert_eq!(sized("204", 0, 204), plain);
    let arrivals = sized("192", 4, 192);
    assert_eq!(arrivals.len() % 188, 0);
    let video = |file: &[u8]| seen(file).units[&0x100].len();
    assert_eq!(video(&arrivals), video(&plain));
}

#[test]
fn nothing_but_tables_is_written_without_packets() {
    let file = written(&[], &mut streams(), &[]);
    assert_eq!((file.len(), file[0]), (3 * 188, 0x47));
    let mut all = packets(1, 25);
    all[0].data = Bytes::from_static(&[1, 2, 3]);
    let (mut out, mut muxer) = (Output::new(Reach::Append), make(&[]).unwrap());
    muxer.start(&mut streams(), &Metadata::default(), &mut out).unwrap();
    assert!(muxer.packet(&all[0], &mut out).is_err(), "no start code");
}
