//! Requirements on every muxer: its output reads back the same, and no packet makes it panic.

use std::{num::NonZeroU32, task::Poll};

use bytes::Bytes;
use maliu_core::{
    error::Error,
    format::{Event, Format},
    formats,
    input::Input,
    output::{Edit, Output, Reach},
    packet::{Flags, Frame, Packet, SideData},
    reader::PacketReader,
    stream::{Audio, Codec, Kind, Media, Metadata, StreamInfo, Video},
    time::{Ticks, TimeBase},
    writer::{PacketWriter, Plan},
};
use proptest::prelude::*;

use crate::samples::samples;

/// Streams and packets of a file; what follows an error is lost.
fn read(format: &'static Format, data: &[u8]) -> (Vec<StreamInfo>, Vec<Packet>) {
    let (mut reader, mut input, mut packets) = (PacketReader::of(format, &[]).unwrap(), Input::new(), Vec::new());
    input.push(data);
    input.end();
    let mut first = Vec::new();
    loop {
        match reader.poll(&mut input) {
            Ok(Poll::Ready(Event::Packet(packet))) => packets.push(packet),
            Ok(Poll::Ready(Event::End)) | Err(_) => return (first, packets),
            Ok(Poll::Ready(Event::Stream(..))) if packets.is_empty() => first = reader.streams().to_vec(),
            // Streams of programs are described by their first frames.
            Ok(Poll::Ready(Event::Stream(index, info))) if is_program(format) && index < first.len() => {
                if first[index].config.is_empty() {
                    first[index] = *info;
                }
            }
            Ok(Poll::Ready(Event::Stream(..))) if first.len() < reader.streams().len() => {
                first = reader.streams().to_vec()
            }
            Ok(_) => {}
        }
    }
}

/// Transport and program streams.
fn is_program(format: &Format) -> bool {
    matches!(format.name, "mpegts" | "mpegps")
}

fn applied(out: &mut Output, file: &mut Vec<u8>) {
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

/// `None` when the format needs another reach.
fn write(format: &'static Format, streams: &[StreamInfo], packets: &[Packet], reach: Reach) -> Option<Vec<u8>> {
    let (mut out, mut file) = (Output::new(reach), Vec::new());
    let mut settings = vec![("bitexact", "1"), ("avoid_negative_ts", "disabled")];
    if is_program(format) {
        // Times need not be moved.
        settings.push(("delay", "0"));
    }
    let mut writer = match PacketWriter::start(format, &settings, streams, &mut out) {
        Err(Error::Mux { why, .. }) if reach == Reach::Append && why.contains("written again") => return None,
        started => started.unwrap(),
    };
    for packet in packets {
        writer.write(packet.clone(), &mut out).unwrap();
        applied(&mut out, &mut file);
    }
    writer.finish(&mut out).unwrap();
    applied(&mut out, &mut file);
    Some(file)
}

/// Formats that gather the packets of a stream: order holds within each.
fn in_order(format: &Format, streams: &[StreamInfo], mut packets: Vec<Packet>) -> Vec<Packet> {
    if matches!(format.name, "mp4" | "ogg") {
        packets.sort_by_key(|packet| packet.stream);
    }
    if is_program(format) {
        // Streams are counted as they appear.
        packets.sort_by_key(|packet| streams[packet.stream].codec.name());
        packets.iter_mut().for_each(|packet| packet.stream = 0);
    }
    packets
}

/// Facts that must come back: everything but the place in the file, whether bytes are missing, and what the reader
/// remarks of rate and channels against the frames before, which tags and junk in the original keep it from seeing.
fn kept(packets: &[Packet]) -> Vec<Packet> {
    let side = |from: &SideData| {
        let mut side = SideData::default();
        from.new_config().into_iter().for_each(|config| side.set_new_config(config.clone()));
        side.set_trim(from.trim());
        // Producer times are of fragments as they came.
        let kept = from.opaque().iter().filter(|(kind, _)| *kind != u32::from_be_bytes(*b"prft"));
        kept.for_each(|(kind, bytes)| side.add_opaque(*kind, bytes.clone()).unwrap());
        side
    };
    let whole = |flags: Flags| Flags::from_bits(flags.bits() & !Flags::CORRUPT.bits());
    packets
        .iter()
        .map(|packet| packet.clone().with_flags(whole(packet.flags)).with_side(side(&packet.side)).with_position(None))
        .collect()
}

#[test]
fn what_is_written_reads_back() {
    for (format, path, bytes) in samples() {
        if format.muxer.is_none() {
            continue;
        }
        let (streams, packets) = read(format, &bytes);
        // Pictures whose size comes late cannot be written from the first description (WF-6).
        let sized = |stream: &StreamInfo| stream.as_video().is_none_or(|video| video.width.is_some());
        // Encrypted packets are not written.
        let closed = streams.iter().any(|stream| stream.encryption.is_some());
        if streams.is_empty() || closed || !streams.iter().all(sized) {
            continue;
        }
        // Where packets were lost, units and times are cut elsewhere.
        let lossy = packets.iter().any(|packet| packet.flags.has(Flags::CORRUPT));
        if is_program(format) && lossy {
            continue;
        }
        for reach in [Reach::Append, Reach::Insert] {
            let Some(file) = write(format, &streams, &packets, reach) else { continue };
            let (found, again) = read(format, &file);
            let (again, packets) = (in_order(format, &found, again), in_order(format, &streams, packets.clone()));
            let name = path.display();
            assert_eq!(again.len(), packets.len(), "{name} {reach:?}");
            for (number, (now, before)) in kept(&again).iter().zip(kept(&packets)).enumerate() {
                let excused = lost(format, reach, &before, now);
                assert_eq!(*now, excused, "{name} {reach:?}, packet {number}");
            }
        }
    }
}

/// Facts that a format cannot hold, or holds elsewhere: a trim where the head cannot be written again, a configuration
/// that is the stream's already.
fn lost(format: &Format, reach: Reach, before: &Packet, now: &Packet) -> Packet {
    let mut packet = before.clone();
    if format.name == "mp3" && reach == Reach::Append {
        packet.side = SideData::default();
    }
    if is_program(format) && packet.side.trim() == now.side.trim() {
        // Arrival clocks are those of the file.
        packet.side = now.side.clone();
    }
    if format.name == "mpegps" && now.data.starts_with(&[0, 0, 0, 1, 9]) && now.data.ends_with(&packet.data) {
        // Cameras write no delimiters.
        packet.data = now.data.clone();
    }
    if packet.side.new_config() != now.side.new_config() {
        packet.side = now.side.clone();
    }
    packet
}

fn any_stream() -> impl Strategy<Value = StreamInfo> {
    let codec = prop::sample::select(Codec::ALL.to_vec());
    let config = prop::collection::vec(any::<u8>(), 0..40);
    (codec, config, 1u32..100_000, 0u32..50_000, 0u16..20, 0u32..5000, any::<u32>(), 0u8..20).prop_map(
        |(codec, config, den, rate, channels, width, tag, reorder)| {
            let media = match codec.kind() {
                Kind::Audio => {
                    let mut audio = Audio::new(rate, channels);
                    audio.block_align = width;
                    Media::Audio(audio)
                }
                Kind::Video => {
                    let mut video = Video::new(width, rate);
                    video.reorder = reorder;
                    Media::Video(video)
                }
                Kind::Subtitle => Media::Subtitle,
                Kind::Data => Media::Data,
                Kind::Attachment => Media::Attachment,
            };
            let mut stream = StreamInfo::new(codec, TimeBase::hz(den), media);
            stream.config = Bytes::from(config);
            stream.codec_tag = NonZeroU32::new(tag).filter(|_| tag % 3 == 0);
            stream
        },
    )
}

/// A stream that the format takes by its name.
fn fitting(format: &Format, mut stream: StreamInfo) -> StreamInfo {
    if let (Some(codec), _) | (None, Some(codec)) = format.default_codecs {
        stream.codec = codec;
        stream.codec_tag = None;
        stream.media = match codec.kind() {
            Kind::Audio => Media::Audio(Audio::new(44_100, 2)),
            _ => Media::Video(Video::new(64, 48)),
        };
    }
    stream
}

fn any_packet() -> impl Strategy<Value = (Packet, u8)> {
    let time = || prop_oneof![3 => (-9i64..900).prop_map(|time| Some(Ticks(time))), 1 => any::<Option<i64>>().prop_map(|time| time.map(Ticks))];
    let start = prop::sample::select(vec![
        &b""[..],
        b"\xff\xf1\x50\x80\x02\x1f\xfc",
        b"\0\0\0\x01\x65\x88",
        b"\0\0\0\x02\x67\x42",
        b"\xff\xfb\x90\x64",
    ]);
    let config = prop::option::weighted(0.1, prop::collection::vec(any::<u8>(), 0..30));
    (0usize..3, time(), time(), any::<bool>(), start, prop::collection::vec(any::<u8>(), 0..60), config, 0u8..8)
        .prop_map(|(stream, pts, dts, key, start, rest, config, way)| {
            let data = Bytes::from([start, &rest].concat());
            let mut packet = Packet::of(stream, data).with_pts(pts).with_dts(dts).with_key(key);
            if let Some(config) = config {
                packet.side.set_new_config(Bytes::from(config));
            }
            (packet, way)
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn no_packet_makes_a_muxer_panic(
        streams in prop::collection::vec(any_stream(), 1..3),
        packets in prop::collection::vec(any_packet(), 0..40),
        fit in any::<bool>(),
        reach in prop::sample::select(vec![Reach::Append, Reach::Overwrite, Reach::Insert]),
    ) {
        for format in formats::ALL.iter().copied().filter(|format| format.muxer.is_some()) {
            let streams: Vec<_> = match fit {
                true => streams.iter().take(1).map(|stream| fitting(format, stream.clone())).collect(),
                false => streams.clone(),
            };
            let (mut out, metadata) = (Output::new(reach), Metadata::default());
            let Ok(mut writer) = Plan::new(format, &[], &metadata).start(&streams, &mut out) else { continue };
            for (packet, way) in &packets {
                let packet = packet.clone();
                let _ = match way {
                    0 => writer.flush(&mut out),
                    1 => writer.drain(&mut out),
                    2 => writer.write_frame(Frame::of(packet.stream, 3, packet.data).at(packet.pts), &mut out),
                    3 | 4 => writer.write_interleaved(packet, &mut out),
                    _ => writer.write(packet, &mut out),
                };
            }
            let _ = writer.finish(&mut out);
            let mut file = Vec::new();
            applied(&mut out, &mut file);
            prop_assert!(file.len() as u64 == out.position(), "{}: {} bytes, position {}", format.name, file.len(), out.position());
        }
    }
}
