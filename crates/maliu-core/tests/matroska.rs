//! Matroska and WebM beyond what every format must do: seeking, indexes in front, recordings that are cut off.

use std::task::Poll;

use maliu_core::{
    error::Error,
    format::Event,
    formats,
    input::Input,
    output::{Edit, Output, Reach},
    packet::Packet,
    reader::PacketReader,
    stream::{Codec, StreamInfo},
    syntax::ebml::{self, Found, ids},
    time::{Ticks, TimeBase},
    writer::PacketWriter,
};

/// Keyframes of video are this far apart, in milliseconds.
const GROUP: i64 = 2000;

/// A stream of video and one of audio, of `seconds` seconds.
fn recording(seconds: i64) -> (Vec<StreamInfo>, Vec<Packet>) {
    let video = StreamInfo::video(Codec::Vp9, 64, 48).with_time_base(TimeBase::MILLIS);
    let audio = StreamInfo::audio(Codec::PcmS16Le, 8000, 1).with_time_base(TimeBase::MILLIS);
    let mut packets = Vec::new();
    for n in 0..seconds * 10 {
        let time = n * 100;
        let picture = Packet::new(0, Ticks(time), TimeBase::MILLIS, vec![n as u8; 900]);
        packets.push(picture.with_key(time % GROUP == 0));
        let sound = Packet::new(1, Ticks(time), TimeBase::MILLIS, vec![n as u8; 1600]);
        packets.push(sound.with_duration(Ticks(100)).with_key(true));
    }
    (vec![video, audio], packets)
}

fn apply(out: &mut Output, file: &mut Vec<u8>) {
    while let Some(edit) = out.next_edit() {
        match edit {
            Edit::Append(piece) => piece.parts.iter().for_each(|part| file.extend_from_slice(part)),
            Edit::Overwrite { at, bytes } => file[at as usize..][..bytes.len()].copy_from_slice(&bytes),
            Edit::Insert { at, bytes } => {
                file.splice(at as usize..at as usize, bytes);
            }
        }
    }
}

fn write(settings: &[(&str, &str)], reach: Reach, media: &(Vec<StreamInfo>, Vec<Packet>)) -> Vec<u8> {
    let format = formats::named("matroska").expect("the format");
    let (mut out, mut file) = (Output::new(reach), Vec::new());
    let settings = [&[("bitexact", "1")], settings].concat();
    let mut writer = PacketWriter::start(format, &settings, &media.0, &mut out).unwrap();
    for packet in &media.1 {
        writer.write(packet.clone(), &mut out).unwrap();
        apply(&mut out, &mut file);
    }
    writer.finish(&mut out).unwrap();
    apply(&mut out, &mut file);
    file
}

fn open(data: &[u8]) -> (Input, PacketReader) {
    let format = formats::named("matroska").expect("the format");
    (Input::seekable(Some(data.len() as u64)), PacketReader::of(format, &[]).unwrap())
}

fn next(reader: &mut PacketReader, input: &mut Input, data: &[u8]) -> Option<Packet> {
    loop {
        match reader.poll(input).expect("good files") {
            Poll::Ready(Event::Packet(packet)) => return Some(packet),
            Poll::Ready(Event::End) => return None,
            Poll::Pending => {
                let at = (input.next_read() as usize).min(data.len());
                let block = &data[at..data.len().min(at + 3000)];
                if block.is_empty() { input.end() } else { input.push(block) }
            }
            _ => {}
        }
    }
}

fn all(data: &[u8]) -> Vec<Packet> {
    let (mut input, mut reader) = open(data);
    std::iter::from_fn(|| next(&mut reader, &mut input, data)).collect()
}

/// Identifiers and offsets of the children of the Segment, and where its body begins.
fn children(data: &[u8]) -> (u64, Vec<(u32, u64)>) {
    let (mut at, mut body, mut found) = (0, 0, Vec::new());
    while let Found::Head(head) = ebml::head(&data[at..]) {
        at += head.length;
        if head.id == ids::SEGMENT {
            body = at as u64;
            continue;
        }
        found.push((head.id, (at - head.length) as u64));
        at += head.size.expect("sizes are known") as usize;
    }
    assert_eq!(at, data.len());
    (body, found)
}

#[test]
fn a_seek_goes_to_the_keyframe_with_and_without_an_index() {
    let media = recording(120);
    let indexed = write(&[], Reach::Insert, &media);
    let front = write(&[("cues_to_front", "1")], Reach::Insert, &media);
    let live = write(&[("live", "1")], Reach::Insert, &media);
    for (name, data) in [("indexed", indexed), ("front", front), ("live", live)] {
        let whole = all(&data);
        assert_eq!(whole.len(), media.1.len(), "{name}");
        let (mut input, mut reader) = open(&data);
        next(&mut reader, &mut input, &data).expect("a packet");
        for wanted in [119_950, 0, 61_999, 62_000, 1_999, 118_000, 500_000, 30_050] {
            reader.seek(Ticks(wanted), TimeBase::MILLIS, &mut input).unwrap();
            let rest: Vec<_> = std::iter::from_fn(|| next(&mut reader, &mut input, &data)).collect();
            let key = (wanted / GROUP * GROUP).min(118_000);
            for stream in 0..2 {
                let of = |packets: &[Packet]| -> Vec<_> {
                    let of = packets.iter().filter(|packet| packet.stream == stream);
                    of.map(|packet| (packet.pts, packet.data.clone())).collect()
                };
                let (rest, whole) = (of(&rest), of(&whole));
                assert_eq!(rest[0].0, Some(Ticks(key)), "{name} at {wanted}, stream {stream}");
                assert!(whole.ends_with(&rest), "{name} at {wanted}, stream {stream}");
            }
        }
    }
}

#[test]
fn the_index_names_clusters_wherever_it_stands() {
    let media = recording(20);
    for (settings, in_front) in [
        (&[][..], false),
        (&[("cues_to_front", "1")], true),
        (&[("reserve_index_space", "2000")], true),
        (&[("reserve_index_space", "20")], false),
    ] {
        let data = write(settings, Reach::Insert, &media);
        let (body, found) = children(&data);
        let place = |id| found.iter().position(|(found, _)| *found == id).expect("the element");
        assert_eq!(place(ids::CUES) < place(ids::CLUSTER), in_front, "{settings:?}");
        let cues = &data[found[place(ids::CUES)].1 as usize..];
        let Found::Head(head) = ebml::head(cues) else { panic!("cues") };
        let points = ebml::Elements::new(&cues[head.length..][..head.size.unwrap() as usize]);
        let mut count = 0;
        for (_, point) in points.filter(|(id, _)| *id == ids::CUE_POINT) {
            let positions = ebml::Elements::new(point).body_of(ids::CUE_TRACK_POSITIONS).unwrap();
            let number = |id| ebml::unsigned(ebml::Elements::new(positions).body_of(id).unwrap());
            let cluster = number(ids::CUE_CLUSTER_POSITION) + body;
            assert!(found.contains(&(ids::CLUSTER, cluster)), "{settings:?}");
            count += 1;
        }
        assert_eq!(count, 10, "{settings:?}");
        let seek_head = &data[found[place(ids::SEEK_HEAD)].1 as usize..];
        let Found::Head(head) = ebml::head(seek_head) else { panic!("SeekHead") };
        for (_, seek) in ebml::Elements::new(&seek_head[head.length..][..head.size.unwrap() as usize]) {
            let number = |id| ebml::unsigned(ebml::Elements::new(seek).body_of(id).unwrap());
            assert!(found.contains(&(number(ids::SEEK_ID) as u32, number(ids::SEEK_POSITION) + body)), "{settings:?}");
        }
    }
}

#[test]
fn a_recording_that_is_cut_off_is_whole_up_to_its_last_block() {
    let media = recording(20);
    let format = formats::named("matroska").expect("the format");
    let (mut out, mut file, mut written) = (Output::new(Reach::Overwrite), Vec::new(), Vec::new());
    let mut writer = PacketWriter::start(format, &[], &media.0, &mut out).unwrap();
    for packet in &media.1 {
        writer.write(packet.clone(), &mut out).unwrap();
        apply(&mut out, &mut file);
        written.push(file.len());
    }
    for end in (0..media.1.len()).step_by(7) {
        // Sizes of clusters that had ended by then are patched, those of later ones do not exist.
        let packets = all(&file[..written[end]]);
        assert_eq!(packets.len(), end + 1, "after packet {end}");
        assert_eq!(packets.last().unwrap().data, media.1[end].data);
    }
}

#[test]
fn webm_refuses_what_it_may_not_carry() {
    let format = formats::named("webm").expect("the format");
    let mut out = Output::new(Reach::Insert);
    let stream = StreamInfo::audio(Codec::PcmS16Le, 8000, 1);
    let refused = PacketWriter::start(format, &[], &[stream], &mut out).err();
    assert!(matches!(&refused, Some(Error::Mux { why, .. }) if why.contains("use matroska")), "{refused:?}");
    let refused = PacketWriter::start(format, &[("cues_to_front", "1")], &recording(1).0[..1], &mut Output::default());
    assert!(matches!(refused.err(), Some(Error::Mux { .. })));
}

#[test]
fn damage_costs_a_cluster_and_is_counted() {
    let media = recording(20);
    let mut data = write(&[], Reach::Insert, &media);
    let (_, found) = children(&data);
    let clusters: Vec<u64> = found.iter().filter(|(id, _)| *id == ids::CLUSTER).map(|(_, at)| *at).collect();
    let at = clusters[3] as usize + 40;
    data[at..at + 3000].fill(0);
    let (mut input, mut reader) = open(&data);
    let packets: Vec<_> = std::iter::from_fn(|| next(&mut reader, &mut input, &data)).collect();
    let lost = media.1.len() - packets.len();
    assert!((1..=2 * GROUP as usize / 100).contains(&lost), "{lost} packets lost");
    let warnings = input.take_warnings().0;
    assert!(warnings.iter().any(|warning| warning.what.starts_with("skipped ")), "{warnings:?}");
}

/// A cluster that claims to go on where Tracks stand, in a Segment that claims to end inside of it.
#[test]
fn a_cluster_beyond_its_segment_reads_the_same_in_any_split() {
    let data = write(&[], Reach::Insert, &recording(20));
    let (body, found) = children(&data);
    let place = |wanted| found.iter().position(|(id, _)| *id == wanted).expect("the element is there");
    let (tracks, cluster) = (place(ids::TRACKS), place(ids::CLUSTER));
    let (from, to) = (found[tracks].1 as usize, found[tracks + 1].1 as usize);
    let behind = found[cluster + 1].1 as usize;
    let mut lied = [&data[..behind], &data[from..to], &data[behind..]].concat();
    let size = (behind as u64 - 100 - body) | 1 << 56;
    lied[body as usize - 8..body as usize].copy_from_slice(&size.to_be_bytes());
    let cluster = found[cluster].1 as usize;
    let Found::Head(head) = ebml::head(&lied[cluster..]) else { panic!("no cluster") };
    let last = cluster + head.length - 1;
    lied[last - 1] += 1;
    let read = |slice: usize| {
        let format = formats::named("matroska").expect("the format");
        let (mut input, mut reader) = (Input::new(), PacketReader::of(format, &[]).unwrap());
        let (mut slices, mut packets) = (lied.chunks(slice), Vec::new());
        loop {
            match reader.poll(&mut input).expect("damage is passed over") {
                Poll::Ready(Event::Packet(packet)) => packets.push(packet),
                Poll::Ready(Event::End) => return (packets, input.take_warnings().0),
                Poll::Pending => match slices.next() {
                    Some(slice) => input.push(slice),
                    None => input.end(),
                },
                _ => {}
            }
        }
    };
    let (whole, split) = (read(usize::MAX), read(65));
    assert_eq!(whole.0.len(), 20 * 20);
    assert_eq!(whole, split);
}
