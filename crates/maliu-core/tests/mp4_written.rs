//! MP4 files that are written here and read back: keyframes that are none, seeking by `mfra`, chapters of QuickTime.

use std::task::Poll;

use maliu_core::{
    format::Event,
    formats,
    input::Input,
    output::{Edit, Output, Reach},
    packet::{Flags, Packet},
    reader::PacketReader,
    stream::{Audio, Chapter, Codec, Media, Metadata, StreamInfo, Video},
    time::{Ticks, TimeBase},
    writer::Plan,
};

const BASE: TimeBase = TimeBase::hz(12_800);
const FRAME: i64 = 512;

/// An avcC whose sets only have their headers.
const AVCC: &[u8] = &[1, 66, 0, 10, 0xff, 0xe1, 0, 4, 0x67, 66, 0, 10, 1, 0, 2, 0x68, 0xce];

fn video() -> StreamInfo {
    StreamInfo::new(Codec::H264, BASE, Media::Video(Video::new(64, 48))).with_config(AVCC.to_vec())
}

fn audio() -> StreamInfo {
    StreamInfo::new(Codec::Aac, BASE, Media::Audio(Audio::new(12_800, 1))).with_config(vec![0x14, 0x88])
}

/// Pictures at 25 per second; every `group`th is an IDR picture. `named`: whether the container calls it a keyframe.
fn pictures(count: i64, group: i64, size: usize, named: impl Fn(i64) -> bool) -> Vec<Packet> {
    let picture = |n| {
        let nal = [&[if n % group == 0 { 0x65 } else { 0x41 }, 0x9a][..], &vec![0x55; size]].concat();
        let data = [&u32::try_from(nal.len()).unwrap().to_be_bytes()[..], &nal].concat();
        Packet::new(0, Ticks(n * FRAME), BASE, data).with_duration(Ticks(FRAME)).with_flags(Flags::key(named(n)))
    };
    (0..count).map(picture).collect()
}

fn sound(count: i64) -> Vec<Packet> {
    let unit = |n| Packet::new(1, Ticks(n * 1024), BASE, vec![0x21; 40]).with_duration(Ticks(1024)).with_key(true);
    (0..count).map(unit).collect()
}

fn written(
    format: &str,
    settings: &[(&str, &str)],
    streams: &[StreamInfo],
    packets: &[Packet],
    tags: &Metadata,
) -> Vec<u8> {
    let mut out = Output::new(Reach::Insert);
    let plan = Plan::new(formats::named(format).unwrap(), settings, tags);
    let mut writer = plan.start(streams, &mut out).unwrap();
    for packet in packets {
        writer.write_interleaved(packet.clone(), &mut out).unwrap();
    }
    writer.finish(&mut out).unwrap();
    let mut file: Vec<u8> = Vec::new();
    while let Some(edit) = out.next_edit() {
        match edit {
            Edit::Append(piece) => piece.parts.iter().for_each(|part| file.extend_from_slice(part)),
            Edit::Overwrite { at, bytes } => file[at as usize..][..bytes.len()].copy_from_slice(&bytes),
            Edit::Insert { at, bytes } => drop(file.splice(at as usize..at as usize, bytes)),
        }
    }
    file
}

/// Packets and tags from the start, or from `seek` seconds on, and the bytes that were read behind the seek.
fn read(file: &[u8], seek: Option<f64>) -> (Vec<Packet>, Metadata, usize) {
    let mut input = Input::seekable(Some(file.len() as u64));
    let (mut reader, mut found, mut tags) = (PacketReader::detect(formats::ALL), Vec::new(), Metadata::default());
    let (mut fed, mut sought) = (0, seek.is_none());
    loop {
        match reader.poll(&mut input).expect("a good file") {
            Poll::Pending => {
                let at = usize::try_from(input.next_read()).unwrap().min(file.len());
                let part = &file[at..file.len().min(at + 4096)];
                fed += part.len();
                if part.is_empty() { input.end() } else { input.push(part) }
            }
            Poll::Ready(Event::Packet(packet)) => {
                if let Some(seconds) = seek.filter(|_| !sought) {
                    (sought, fed) = (true, 0);
                    reader.seek(Ticks((seconds * 1e6) as i64), TimeBase::MICROS, &mut input).unwrap();
                    continue;
                }
                found.push(packet);
            }
            Poll::Ready(Event::Metadata(metadata)) => tags = *metadata,
            Poll::Ready(Event::End) => return (found, tags, fed),
            Poll::Ready(_) => {}
        }
    }
}

fn is_video(packet: &&Packet) -> bool {
    packet.stream == 0
}

#[test]
fn a_keyframe_is_what_the_bitstream_says() {
    let packets = [pictures(100, 25, 200, |_| true), sound(50)].concat();
    for (format, settings) in [("fmp4", &[("fragment", "key")]), ("mp4", &[("hybrid", "0")])] {
        let file = written(format, settings, &[video(), audio()], &packets, &Metadata::default());
        let (found, ..) = read(&file, None);
        let keys: Vec<usize> =
            found.iter().filter(is_video).enumerate().filter(|(_, packet)| packet.is_key()).map(|(n, _)| n).collect();
        assert_eq!(keys, [0, 25, 50, 75], "{format}");
        for (seconds, first) in [(2.5, 50), (1.99, 25), (0.5, 0)] {
            let (found, ..) = read(&file, Some(seconds));
            let start = found.iter().find(is_video).unwrap();
            assert_eq!((start.pts, start.is_key()), (Some(Ticks(first * FRAME)), true), "{format} at {seconds}");
            assert_eq!(found.iter().filter(is_video).count(), 100 - first as usize, "{format} at {seconds}");
            let sound = found.iter().find(|packet| packet.stream == 1).unwrap().pts.unwrap();
            assert!(sound.0 <= first * FRAME && sound.0 + 1024 > first * FRAME, "{format} at {seconds}: {sound:?}");
        }
    }
    // Without any keyframe that is one, the start is as good as any other place.
    let none: Vec<Packet> = pictures(60, 1000, 200, |_| true).split_off(1);
    let file = written("fmp4", &[("fragment", "frame")], &[video()], &none, &Metadata::default());
    assert!(!read(&file, Some(1.5)).0.is_empty());
}

#[test]
fn an_index_of_fragments_leads_to_the_place() {
    let packets = [pictures(2000, 25, 2000, |n| n % 25 == 0), sound(1000)].concat();
    for (mfra, most) in [("1", 300_000), ("0", usize::MAX)] {
        let settings = [("mfra", mfra), ("fragment", "key")];
        let file = written("fmp4", &settings, &[video(), audio()], &packets, &Metadata::default());
        for seconds in [70.5, 40.0, 0.3] {
            let first = seconds as i64 * 25;
            let (found, _, fed) = read(&file, Some(seconds));
            assert_eq!(found.iter().find(is_video).unwrap().pts, Some(Ticks(first * FRAME)), "at {seconds}");
            assert_eq!(found.iter().filter(is_video).count(), 2000 - first as usize, "at {seconds}");
            let behind = (2000 - first as usize) * 2100;
            assert!(fed.saturating_sub(behind) < most, "at {seconds}: {fed} bytes read, {behind} of them wanted");
        }
    }
    // Of two parts of a fragment each track names its own (ISO/IEC 14496-12 §8.8.10).
    let file = written("fmp4", &[("mfra", "1")], &[video(), audio()], &packets, &Metadata::default());
    let places: Vec<usize> = (0..file.len() - 4).filter(|at| &file[*at..at + 4] == b"tfra").collect();
    let parts: Vec<u8> = places.iter().map(|at| file[at + 4 + 16 + 16]).collect();
    assert_eq!(parts, [1, 2]);
}

#[test]
fn chapters_are_a_track_of_text() {
    let mut tags = Metadata::default();
    for (start, title) in [(0, "Anfang"), (1500, "日本語"), (3000, "")] {
        tags.add_chapter(Chapter::new(Ticks(start), TimeBase::MILLIS, title));
    }
    let late = |start: i64| {
        let mut tags = Metadata::default();
        tags.add_chapter(Chapter::new(Ticks(start), TimeBase::MILLIS, "late"));
        tags
    };
    let packets = [pictures(100, 25, 200, |n| n % 25 == 0), sound(50)].concat();
    let kinds: [(&str, &[(&str, &str)]); 5] = [
        ("mp4", &[]),
        ("mp4", &[("hybrid", "0")]),
        ("mp4", &[("faststart", "1")]),
        ("mov", &[]),
        ("mp4", &[("reserve", "9000")]),
    ];
    for (format, settings) in kinds {
        for tags in [&tags, &late(500)] {
            let mut file = written(format, settings, &[video(), audio()], &packets, tags);
            // Without the lists of Nero, which are read first; a recording has one in its first head, too.
            for at in (0..file.len() - 4).filter(|at| &file[*at..at + 4] == b"chpl").collect::<Vec<_>>() {
                file[at..at + 4].copy_from_slice(b"free");
            }
            let (found, read, _) = read(&file, None);
            let times = |tags: &Metadata| -> Vec<(f64, String)> {
                let chapters = tags.chapters().iter();
                chapters.map(|chapter| (chapter.base.seconds(chapter.start), chapter.title.clone())).collect()
            };
            assert_eq!(times(&read), times(tags), "{format} {settings:?}");
            let last = read.chapters().last().unwrap();
            assert_eq!(last.base.seconds(last.end.unwrap()), 4.0, "{format} {settings:?}");
            assert_eq!(found.len(), packets.len(), "{format} {settings:?}");
        }
    }
}
