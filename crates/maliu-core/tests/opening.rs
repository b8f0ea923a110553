//! Opening an input: which format is chosen, what happens to tags in front of it, and what a cut end gives
//! (IO-39…IO-46).

use std::{fs, path::PathBuf, task::Poll};

use maliu_core::{
    error::Error,
    format::{Event, Format, Score},
    formats::{self, adts, flv, h264, wav},
    input::Input,
    packet::{Flags, Packet},
    reader::PacketReader,
    stream::Metadata,
};

fn sample(name: &str) -> Vec<u8> {
    fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../samples").join(name)).unwrap()
}

/// An ID3v2.4 tag with a title of `len` bytes.
fn tag(len: usize) -> Vec<u8> {
    let seven = |n: usize| [n >> 21 & 0x7f, n >> 14 & 0x7f, n >> 7 & 0x7f, n & 0x7f].map(|b| b as u8);
    let frame = [&b"TIT2"[..], &seven(len + 1), b"\0\0\x03", &vec![b't'; len]].concat();
    [&b"ID3\x04\0\0"[..], &seven(frame.len()), &frame].concat()
}

struct Read {
    packets: Vec<Packet>,
    metadata: Vec<Metadata>,
    warnings: Vec<String>,
}

fn read(mut reader: PacketReader, bytes: &[u8], slice: usize) -> Read {
    let mut input = Input::new();
    let mut slices = bytes.chunks(slice);
    let mut found = Read { packets: vec![], metadata: vec![], warnings: vec![] };
    loop {
        let event = reader.poll(&mut input).unwrap();
        found.warnings.extend(input.take_warnings().0.into_iter().map(|warning| warning.what.into_owned()));
        match event {
            Poll::Ready(Event::Packet(packet)) => found.packets.push(packet),
            Poll::Ready(Event::Metadata(metadata)) => found.metadata.push(*metadata),
            Poll::Pending => match slices.next() {
                Some(slice) => input.push(slice),
                None => input.end(),
            },
            Poll::Ready(Event::End) => return found,
            Poll::Ready(Event::Stream(..)) => {}
        }
    }
}

/// IO-39: the highest score wins. Of equal ones the first in the list does; the reference then knows none.
#[test]
fn io_39_the_highest_score_wins_and_of_equals_the_first() {
    const fn scoring(name: &'static str, probe: fn(&[u8]) -> Score) -> Format {
        Format { name, probe, ..flv::FORMAT }
    }
    static LOW: Format = scoring("low", |_| Score::More("low"));
    static FIRST: Format = scoring("first", |_| Score::Maybe("first"));
    static SECOND: Format = scoring("second", |_| Score::Maybe("second"));
    static HIGH: Format = scoring("high", |_| Score::Sure("high"));
    let chosen = |formats: &'static [&'static Format]| {
        let mut input = Input::new();
        input.push(b"any");
        input.end();
        let mut reader = PacketReader::detect(formats);
        reader.poll(&mut input).ok();
        reader.verdict().chosen
    };
    static LISTS: [&[&Format]; 3] = [&[&LOW, &FIRST, &HIGH], &[&LOW, &FIRST, &SECOND], &[&LOW]];
    assert_eq!(LISTS.map(chosen), [Some("high"), Some("first"), None]);
}

/// IO-40, IO-44: an ID3v2 tag in front is passed over in probing and told before anything else, whatever the format,
/// whether it was recognised or declared. Tags of the format itself replace it.
#[test]
fn io_40_probing_looks_behind_a_tag_and_io_44_it_is_told_first() {
    for (format, name) in [
        (&flv::FORMAT, "flv/h264_aac.flv"),
        (&wav::FORMAT, "wav/odd_chunks.wav"),
        (&wav::FORMAT, "wav/pcm_s24le.wav"),
        (&adts::FORMAT, "adts/stereo_44100.aac"),
        (&h264::FORMAT, "h264/b_frames.h264"),
    ] {
        let content = sample(name);
        let plain = read(PacketReader::detect(formats::ALL), &content, usize::MAX);
        // Of odd and of even length, longer than any probe, two in a row.
        for front in [tag(9), tag(10), tag(100_000), [tag(3), tag(70)].concat()] {
            let bytes = [&front[..], &content].concat();
            for reader in [PacketReader::detect(formats::ALL), PacketReader::of(format, &[]).unwrap()] {
                let found = read(reader, &bytes, 1000);
                assert_eq!(found.warnings, plain.warnings, "{name} {}", front.len());
                let title = found.metadata[0].value("title");
                assert!(title.is_some(), "{name}");
                let moved = |mut packet: Packet| {
                    packet.position = packet.position.map(|at| at - front.len() as u64);
                    packet
                };
                let packets: Vec<_> = found.packets.into_iter().map(moved).collect();
                assert!(packets == plain.packets, "{name} {}", front.len());
            }
        }
    }
}

/// IO-44: tags of the format's own are the more suitable ones.
#[test]
fn io_44_what_the_format_says_replaces_a_tag_in_front() {
    let bytes = [tag(9), sample("flv/script_and_oddities.flv")].concat();
    let metadata = read(PacketReader::detect(formats::ALL), &bytes, 1000).metadata;
    assert_eq!(metadata[0].value("title"), Some("ttttttttt"));
    assert_eq!(metadata.last().unwrap().value("title"), Some("t"));
}

/// IO-45: a packet that the end of the input cuts is given with what there is, marked corrupt; of one without a byte
/// nothing is given.
#[test]
fn io_45_a_packet_that_is_cut_short_is_marked_corrupt() {
    let whole = sample("flv/aac_only.flv");
    let packets = read(PacketReader::detect(formats::ALL), &whole, usize::MAX).packets;
    let (at, last) = (packets[5].position.unwrap() as usize, &packets[5]);
    // Head, flags and packet type stand before the data.
    for kept in [0, 1, last.data.len() - 1, last.data.len()] {
        let found = read(PacketReader::detect(formats::ALL), &whole[..at + 13 + kept], usize::MAX).packets;
        assert_eq!(found[..5], packets[..5]);
        match kept {
            0 => assert_eq!(found.len(), 5),
            _ => {
                assert_eq!(found[5].data, last.data.slice(..kept));
                assert_eq!(found[5].flags.has(Flags::CORRUPT), kept < last.data.len(), "{kept}");
            }
        }
    }
}

/// A chunk whose size goes past the end: the place that is named lies inside the file, however it is read.
#[test]
fn errors_and_warnings_name_places_inside_the_input() {
    let mut file = b"RIFF\xff\xff\xff\x7fWAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0".to_vec();
    file.extend(b"junk\0\0\0\x7f rest");
    for mut input in [Input::new(), Input::seekable(Some(file.len() as u64))] {
        let mut reader = PacketReader::of(&formats::wav::FORMAT, &[]).unwrap();
        let error = loop {
            match reader.poll(&mut input) {
                Ok(Poll::Pending) => {
                    let at = (input.next_read() as usize).min(file.len());
                    input.push(&file[at..]);
                    input.end();
                }
                Ok(event) => assert_ne!(event, Poll::Ready(Event::End)),
                Err(error) => break error,
            }
        };
        let Error::Malformed { at, .. } = error else { panic!("{error}") };
        assert!(at <= file.len() as u64, "byte {at} of {}", file.len());
        assert!(input.take_warnings().0.iter().all(|warning| warning.at <= file.len() as u64));
    }
}
