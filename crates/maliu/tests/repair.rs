//! Damaged FLV, Matroska, WebM, Ogg and FLAC files, mended: no stream is lost, audio and video stay together, and a second repair changes nothing.
//! `.ci/repair.py` is the long form, with clips of an encoder and more sizes.

use std::collections::HashMap;

use bytes::Bytes;
use maliu::{
    Packet, StreamInfo, Ticks, TimeBase,
    blocking::{Pump, Reader},
    formats,
    io::Memory,
    repair,
    stream::{Audio, Codec, Media, Metadata, Video},
    writer::Plan,
};

const SECONDS: i64 = 12;

/// Random bytes that hold nothing that looks like a start code or a tag.
fn noise(state: &mut u64, count: usize) -> Vec<u8> {
    let mut next = || {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*state >> 33) as u8
    };
    (0..count).map(|_| next() % 250 + 5).collect()
}

/// 12 s of H.264 and AAC, each packet of other data.
fn clip() -> Vec<u8> {
    let mut video = StreamInfo::new(Codec::H264, TimeBase::MILLIS, Media::Video(Video::new(96, 64)));
    let sets = [
        0x01, 0x42, 0xc0, 0x0a, 0xff, 0xe1, 0x00, 0x09, 0x67, 0x42, 0xc0, 0x0a, 0xda, 0x18, 0x27, 0x8c, 0x04, 0x01,
        0x00, 0x04, 0x68, 0xce, 0x09, 0xc8,
    ];
    video.config = Bytes::copy_from_slice(&sets);
    let mut audio = StreamInfo::new(Codec::Aac, TimeBase::MILLIS, Media::Audio(Audio::new(44_100, 2)));
    audio.config = Bytes::from_static(&[0x12, 0x10]);
    let mut pump = Pump::new(Memory::new());
    let metadata = Metadata::default();
    let plan = Plan::new(&formats::flv::FORMAT, &[], &metadata);
    let mut writer = plan.start(&[video, audio], pump.output()).unwrap();
    let mut state = 3;
    let mut packets: Vec<(i64, usize, bool, Vec<u8>)> = Vec::new();
    for n in 0..25 * SECONDS {
        let key = n % 25 == 0;
        let slice = [&[if key { 0x65 } else { 0x41 }][..], &noise(&mut state, if key { 900 } else { 250 })].concat();
        let data = [&(slice.len() as u32).to_be_bytes()[..], &slice].concat();
        packets.push((n * 40, 0, key, data));
    }
    for n in 0..SECONDS * 44_100 / 1024 {
        packets.push((n * 1024 * 10 / 441, 1, true, [&[0x21][..], &noise(&mut state, 120)].concat()));
    }
    packets.sort_by_key(|(time, stream, ..)| (*time, *stream));
    for (time, stream, key, data) in packets {
        let packet = Packet::of(stream, data).at(Ticks(time)).with_key(key);
        writer.write_interleaved(packet, pump.output()).unwrap();
        pump.pump().unwrap();
    }
    writer.finish(pump.output()).unwrap();
    pump.finish().unwrap();
    pump.into_sink().into_bytes()
}

/// Offset, type and size of every tag.
fn tags(clip: &[u8]) -> Vec<(usize, u8, usize)> {
    let (mut at, mut rows) = (13, Vec::new());
    while at + 11 <= clip.len() {
        let size = usize::from(clip[at + 1]) << 16 | usize::from(clip[at + 2]) << 8 | usize::from(clip[at + 3]);
        rows.push((at, clip[at], size));
        at += 15 + size;
    }
    rows
}

/// The clip with the times of some kinds of tags moved from one on.
fn shifted(clip: &[u8], rows: &[(usize, u8, usize)], kinds: &[u8], by: i64) -> Vec<u8> {
    let mut clip = clip.to_vec();
    for (at, ..) in rows.iter().filter(|(_, kind, _)| kinds.contains(kind)) {
        let [high, mid, low, top] = [clip[at + 4], clip[at + 5], clip[at + 6], clip[at + 7]].map(i64::from);
        let time = ((top << 24 | high << 16 | mid << 8 | low) + by).max(0).to_be_bytes();
        clip[at + 4..at + 7].copy_from_slice(&time[5..8]);
        clip[at + 7] = time[4];
    }
    clip
}

/// Each kind of damage, of some size, at a tag in the middle.
fn damaged(clip: &[u8], state: &mut u64, size: usize) -> Vec<(&'static str, Vec<u8>)> {
    let rows = tags(clip);
    let place = rows.len() / 3 + usize::from(noise(state, 1)[0]) % (rows.len() / 2);
    let (at, _, length) = rows[place];
    let behind = &rows[place..];
    let back = -(1000 * size as i64).min(3900);
    let mut lying = clip.to_vec();
    lying[at + 2..at + 4].copy_from_slice(&((length + size * 3) as u16).to_be_bytes());
    let mut sizes = clip.to_vec();
    for (at, _, length) in behind.iter().take(size) {
        sizes[at + 11 + length..at + 15 + length].copy_from_slice(&noise(state, 4));
    }
    vec![
        ("cut short", clip[..clip.len() - size * 7].to_vec()),
        ("junk between tags", [&clip[..at], &noise(state, size * 11), &clip[at..]].concat()),
        ("bytes missing", [&clip[..at + 3], &clip[at + 3 + size * 13..]].concat()),
        ("zeros", [&clip[..at], &vec![0; size * 9], &clip[at + size * 9..]].concat()),
        ("video steps back", shifted(clip, behind, &[9], back)),
        ("video jumps ahead", shifted(clip, behind, &[9], 20_000 + 1000 * size as i64)),
        ("audio steps back", shifted(clip, behind, &[8], back)),
        ("both step back", shifted(clip, behind, &[8, 9], back)),
        ("both jump ahead", shifted(clip, behind, &[8, 9], 30_000 * size as i64)),
        ("a size that lies", lying),
        ("sizes behind tags", sizes),
        ("flags of the header", [&clip[..4], &[0], &clip[5..]].concat()),
    ]
}

fn mended(clip: &[u8]) -> Vec<u8> {
    let clip = Bytes::copy_from_slice(clip);
    let mended = repair::mend(|| Ok(clip.clone()), &repair::Options::default()).unwrap();
    mended.write(Memory::new()).unwrap().into_bytes()
}

/// By stream: data and dts of each packet, in ms.
fn packets(clip: &[u8]) -> [Vec<(Bytes, i64)>; 2] {
    let mut found = [Vec::new(), Vec::new()];
    let mut reader = Reader::from(clip.to_vec());
    while let Some(packet) = reader.next_packet().unwrap() {
        let is_audio = reader.streams()[packet.stream].as_audio().is_some();
        found[usize::from(is_audio)].push((packet.data, packet.dts.unwrap().0));
    }
    found
}

/// Most ms by which audio was moved against the video near it.
fn apart(was: &[HashMap<Bytes, i64>; 2], now: &[Vec<(Bytes, i64)>; 2]) -> i64 {
    let moved = |kind: usize| -> Vec<(i64, i64)> {
        now[kind].iter().filter_map(|(data, time)| Some((*time, time - was[kind].get(data)?))).collect()
    };
    let (video, audio) = (moved(0), moved(1));
    let nearest = |time: i64| {
        let at = video.partition_point(|(video, _)| *video < time).min(video.len() - 1);
        [at, at.saturating_sub(1)].map(|at| video[at].1)
    };
    let far = audio.iter().map(|(time, by)| nearest(*time).map(|of_video| (by - of_video).abs()).into_iter().min());
    far.flatten().max().unwrap_or(0)
}

#[test]
fn damaged_clips_keep_their_streams_together_and_stay_as_they_are_mended() {
    let (clip, mut state) = (clip(), 9);
    let was = packets(&clip).map(|packets| packets.into_iter().collect::<HashMap<_, _>>());
    assert!(was[0].len() == 300 && was[1].len() > 500, "{} {}", was[0].len(), was[1].len());
    for size in [1, 6, 50] {
        for (kind, bytes) in damaged(&clip, &mut state, size) {
            let once = mended(&bytes);
            let now = packets(&once);
            assert!(now.iter().all(|packets| packets.len() > 100), "{kind}, size {size}: a stream is lost");
            assert!(apart(&was, &now) <= 50, "{kind}, size {size}: {} ms apart", apart(&was, &now));
            assert!(mended(&once) == once, "{kind}, size {size}: twice is not once");
        }
    }
}

/// The packets of a file, by stream, that are whole.
fn whole(file: &[u8]) -> (&'static str, Vec<(usize, Bytes)>) {
    let mut reader = Reader::from(Bytes::copy_from_slice(file));
    let mut packets = Vec::new();
    while let Some(packet) = reader.next_packet().unwrap() {
        if !packet.flags.has(maliu::packet::Flags::CORRUPT) {
            packets.push((packet.stream, packet.data));
        }
    }
    packets.sort_by_key(|(stream, _)| *stream);
    (reader.format().unwrap().name, packets)
}

#[test]
fn matroska_webm_ogg_and_flac_keep_every_whole_packet_and_lose_their_faults() {
    let samples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples");
    let read = |name: &str| std::fs::read(samples.join(name)).unwrap();
    let cut = |name: &str, less: usize| {
        let mut file = read(name);
        file.truncate(file.len() - less);
        file
    };
    for (name, file, lines) in [
        ("damaged.mkv", read("matroska/damaged.mkv"), 1),
        ("cut.mkv", read("matroska/cut.mkv"), 1),
        ("live.mkv", read("matroska/live.mkv"), 1),
        ("vp9_opus.webm", cut("matroska/vp9_opus.webm", 300), 1),
        ("lost_page_and_junk.opus", read("ogg/lost_page_and_junk.opus"), 2),
        ("chain.ogg", read("ogg/chain.ogg"), 0),
        ("mono_8000.flac", cut("flac/mono_8000.flac", 20), 1),
    ] {
        let open = || Ok(Bytes::from(file.clone()));
        let mended = repair::mend(open, &repair::Options::default()).unwrap();
        assert_eq!(mended.report().lines().len(), lines, "{name}: {:?}", mended.report().lines());
        let once = Bytes::copy_from_slice(mended.write(Memory::new()).unwrap().bytes());
        assert_eq!(whole(&once), whole(&file), "{name}");
        let report = maliu::check::run(once.clone(), maliu::reader::PacketReader::detect(formats::ALL)).unwrap();
        assert_eq!(report.faults, 0, "{name}: {:?}", report.list);
        let twice = repair::mend(|| Ok(once.clone()), &repair::Options::default()).unwrap();
        assert_eq!(twice.report().lines(), [""; 0], "{name}");
        assert!(twice.write(Memory::new()).unwrap().bytes() == &*once, "{name} changes again");
    }
}
