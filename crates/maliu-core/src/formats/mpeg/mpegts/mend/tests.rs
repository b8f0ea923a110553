//! Streams that are written, damaged here, and mended.

use alloc::{vec, vec::Vec};
use core::task::Poll;

use super::*;
use crate::{
    format::Event,
    formats::mpegts::FORMAT,
    input::Input,
    output::{Edit, Output, Reach},
    packet::{Flags, Packet},
    stream::{Audio, Codec, Media, Metadata, StreamInfo, Video},
    time::{Ticks, TimeBase},
};

const BASE: TimeBase = TimeBase::hz(90_000);

/// Three seconds of video and audio.
fn written(settings: &[(&str, &str)]) -> Vec<u8> {
    let sets = vec![0, 0, 0, 1, 0x67, 1, 0, 0, 0, 1, 0x68, 2];
    let video = StreamInfo::new(Codec::H264, BASE, Media::Video(Video::new(64, 48))).with_config(sets);
    let audio = StreamInfo::new(Codec::Mp2, BASE, Media::Audio(Audio::new(48_000, 2)));
    let mut muxer = (FORMAT.muxer.unwrap())(settings).unwrap();
    let mut out = Output::new(Reach::Append);
    muxer.start(&mut [video, audio], &Metadata::default(), &mut out).unwrap();
    for n in 0..75 {
        let data = [&[0, 0, 0, 1, if n % 10 == 0 { 0x65 } else { 0x41 }][..], &vec![0x55; 1500]].concat();
        let mut picture = Packet::new(0, Ticks(n * 3600), BASE, data);
        picture.flags = Flags::key(n % 10 == 0);
        muxer.packet(&picture, &mut out).unwrap();
        let frame = [&[0xff, 0xfd, 0x84, 0x04][..], &vec![0x33; 380]].concat();
        muxer.packet(&Packet::new(1, Ticks(n * 3600), BASE, frame), &mut out).unwrap();
    }
    muxer.finish(&mut out).unwrap();
    let mut file = Vec::new();
    while let Some(Edit::Append(piece)) = out.next_edit() {
        piece.parts.iter().for_each(|part| file.extend_from_slice(part));
    }
    file
}

/// Streams, and how many packets are whole and how many are not.
fn read(file: &[u8]) -> (Vec<StreamInfo>, usize, usize) {
    let (mut input, mut demuxer) = (Input::new(), (FORMAT.demuxer.unwrap())(&[]).unwrap());
    input.push(file);
    input.end();
    let (mut streams, mut whole, mut corrupt) = (Vec::new(), 0, 0);
    loop {
        match demuxer.poll(&mut input).unwrap() {
            Poll::Ready(Event::Stream(index, info)) => {
                if index < streams.len() {
                    streams[index] = *info
                } else {
                    streams.push(*info)
                }
            }
            Poll::Ready(Event::Packet(packet)) if packet.flags.has(Flags::CORRUPT) => corrupt += 1,
            Poll::Ready(Event::Packet(_)) => whole += 1,
            Poll::Ready(Event::End) => return (streams, whole, corrupt),
            _ => {}
        }
    }
}

fn mend_once(file: &[u8], block: usize) -> (Vec<u8>, Report) {
    let streams = read(file).0;
    let (mut survey, mut input) = (Survey::new(), Input::new());
    for part in file.chunks(block) {
        input.push(part);
        survey.read(&mut input);
    }
    input.end();
    survey.read(&mut input);
    let (mut mender, mut input, mut out) = (Mender::new(survey.plan(&streams)), Input::new(), Vec::new());
    for part in file.chunks(block) {
        input.push(part);
        mender.read(&mut input, &mut out);
    }
    input.end();
    mender.read(&mut input, &mut out);
    (out, mender.report().clone())
}

/// Mends, and sees that pieces and a second time make no difference.
fn mended(file: &[u8]) -> (Vec<u8>, Report) {
    let (out, report) = mend_once(file, usize::MAX);
    assert!(mend_once(file, 97).0 == out, "pieces make a difference");
    let (again, second) = mend_once(&out, usize::MAX);
    assert_eq!(second, Report::default(), "after {report:?}");
    assert!(again == out);
    (out, report)
}

fn pid(packet: &[u8]) -> u16 {
    u16::from_be_bytes([packet[1] & 0x1f, packet[2]])
}

#[test]
fn a_whole_stream_stays_as_it_is() {
    for settings in [&[][..], &[("packet", "192")], &[("rate", "2000000")]] {
        let file = written(settings);
        let (out, report) = mended(&file);
        assert!(out == file, "{settings:?}");
        assert_eq!(report, Report::default());
    }
}

#[test]
fn lost_packets_take_their_units_with_them_and_counters_go_on() {
    let file = written(&[]);
    let kept = file.chunks(188).enumerate().filter(|(n, _)| n % 50 != 33).flat_map(|(_, packet)| packet.to_vec());
    let damaged: Vec<u8> = kept.collect();
    assert!(read(&damaged).2 > 3);
    let (out, report) = mended(&damaged);
    assert!(report.units > 3 && report.counters > 10, "{report:?}");
    let (streams, whole, corrupt) = read(&out);
    assert_eq!((streams.len(), corrupt), (2, 0));
    assert!(whole > 100, "{whole}");
}

#[test]
fn packets_marked_as_damaged_twice_or_behind_junk_are_mended() {
    let mut file = written(&[]);
    let second = |at: usize| file[at * 188..(at + 1) * 188].to_vec();
    let twice = second(40);
    file.splice(41 * 188..41 * 188, twice);
    file[100 * 188 + 1] |= 0x80;
    file.splice(150 * 188..150 * 188, vec![7; 500]);
    file[200 * 188 + 500] = 0;
    file.truncate(file.len() - 100);
    let (out, report) = mended(&file);
    assert_eq!((report.duplicates, report.errors), (1, 1));
    // The junk, the packet without its sync byte, and the cut one.
    assert_eq!(report.junk, 500 + 188 + 88);
    assert_eq!(read(&out).2, 0);
}

#[test]
fn tables_that_are_missing_are_made_of_the_streams() {
    let file = written(&[]);
    for without in [&[0][..], &[0x1000], &[0, 0x1000]] {
        let kept = file.chunks(188).filter(|packet| !without.contains(&pid(packet)));
        let damaged: Vec<u8> = kept.flat_map(<[u8]>::to_vec).collect();
        let (out, report) = mended(&damaged);
        assert_eq!(report.made, without.len() as u64, "{without:x?}");
        let (streams, whole, corrupt) = read(&out);
        let codecs: Vec<_> = streams.iter().map(|stream| stream.codec).collect();
        assert_eq!((codecs, whole, corrupt), (vec![Codec::H264, Codec::Mp2], 150, 0), "{without:x?}");
        assert_eq!([pid(&out), pid(&out[188..])], [0, 0x1000]);
    }
}

#[test]
fn tables_that_come_too_seldom_are_put_in() {
    let file = written(&[]);
    let is_table = |packet: &[u8]| matches!(pid(packet), 0 | 0x1000);
    let first = file.chunks(188).filter(|packet| is_table(packet)).take(2);
    let rest = file.chunks(188).filter(|packet| !is_table(packet));
    let seldom: Vec<u8> = first.chain(rest).flat_map(<[u8]>::to_vec).collect();
    let (_, report) = mended(&seldom);
    // Every quarter of a second but the first.
    assert!((16..=24).contains(&report.tables), "{report:?}");
}

#[test]
fn sections_with_wrong_checksums_and_jumps_of_the_clock_are_mended() {
    let mut file = written(&[]);
    let tables: Vec<usize> = (0..file.len() / 188).filter(|n| pid(&file[n * 188..]) == 0).collect();
    file[tables[1] * 188 + 15] ^= 1;
    let joined = [&file[..], &written(&[])].concat();
    let (out, report) = mended(&joined);
    assert_eq!((report.sections, report.jumps), (1, 1));
    assert_eq!(read(&out).2, 0);
}

#[test]
fn packets_behind_part_of_an_arrival_clock_are_found() {
    let file = written(&[("packet", "192")]);
    for (at, missing) in
        [(192 * 40, 1), (192 * 40, 2), (192 * 40, 3), (192 * 40 + 2, 190), (0, 1), (0, 3), (192 * 40, 4)]
    {
        let torn = [&file[..at], &file[at + missing..]].concat();
        let (mended, _) = mend_once(&torn, usize::MAX);
        assert!(mend_once(&torn, 97).0 == mended, "pieces make a difference");
        assert_eq!(mended.len() % 192, if at == 0 { 188 } else { 0 }, "{missing} bytes missing at {at}");
        assert!(mended.len() + 2 * 192 >= file.len(), "{missing} bytes missing at {at}");
    }
}
