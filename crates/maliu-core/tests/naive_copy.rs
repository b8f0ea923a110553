//! Packets go from any reader to any writer that takes them without a word about time bases, and keep their durations.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    task::Poll,
};

use maliu_core::{
    error::Result,
    format::{Event, Format},
    formats,
    input::Input,
    output::{Edit, Output, Reach},
    packet::Packet,
    reader::PacketReader,
    stream::StreamInfo,
    time::{Ticks, TimeBase},
    writer::PacketWriter,
};

/// The whole file of a format, opened as the format.
fn read(format: &'static Format, bytes: &[u8]) -> Result<(Vec<StreamInfo>, Vec<Packet>)> {
    let (mut input, mut reader, mut packets) = (Input::new(), PacketReader::of(format, &[])?, Vec::new());
    input.push(bytes);
    input.end();
    loop {
        match reader.poll(&mut input)? {
            Poll::Ready(Event::Packet(packet)) => packets.push(packet),
            Poll::Ready(Event::End) | Poll::Pending => return Ok((reader.streams().to_vec(), packets)),
            Poll::Ready(_) => {}
        }
    }
}

/// The naive copy: every packet of the reader as it is.
fn copy(format: &'static Format, streams: &[StreamInfo], packets: &[Packet]) -> Result<Vec<u8>> {
    let (mut out, mut file) = (Output::new(Reach::Insert), Vec::new());
    let mut writer = PacketWriter::start(format, &[("strict", "-1")], streams, &mut out)?;
    for packet in packets {
        writer.write_interleaved(packet.clone(), &mut out)?;
    }
    writer.finish(&mut out)?;
    while let Some(edit) = out.next_edit() {
        match edit {
            Edit::Append(piece) => piece.parts.iter().for_each(|part| file.extend_from_slice(part)),
            Edit::Overwrite { at, bytes } => file[at as usize..][..bytes.len()].copy_from_slice(&bytes),
            Edit::Insert { at, bytes } => drop(file.splice(at as usize..at as usize, bytes)),
        }
    }
    Ok(file)
}

/// Seconds from the first to the last presentation time of each stream, and the seconds of its longest step.
fn spans(streams: &[StreamInfo], packets: &[Packet]) -> Vec<(f64, f64)> {
    let times = |index: usize| {
        let of_stream = packets.iter().filter(move |packet| packet.stream == index);
        let mut times: Vec<f64> =
            of_stream.filter_map(|packet| Some(packet.time_base.seconds(packet.pts.or(packet.dts)?))).collect();
        times.sort_by(f64::total_cmp);
        // Samples without frames are cut anew: the last packet may begin anywhere in its duration.
        let own = packets.iter().filter(|packet| packet.stream == index);
        let durations = own.filter_map(|packet| Some(packet.time_base.seconds(packet.duration?)));
        let step = times.windows(2).map(|pair| pair[1] - pair[0]).chain(durations).fold(0.0, f64::max);
        (times.last().unwrap_or(&0.0) - times.first().unwrap_or(&0.0), step)
    };
    // A format may give video first, or the stream whose packet comes first.
    let mut order: Vec<usize> = (0..streams.len()).collect();
    order.retain(|index| packets.iter().any(|packet| packet.stream == *index));
    order.sort_by_key(|index| streams[*index].media.kind().name());
    order.into_iter().map(times).collect()
}

fn samples() -> Vec<(&'static Format, PathBuf)> {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../samples"));
    let of_format = |format: &'static Format| {
        let mut paths: Vec<_> = fs::read_dir(root.join(format.name)).into_iter().flatten().flatten().collect();
        paths.sort_by_key(|entry| entry.path());
        let paths = paths.into_iter().map(|entry| entry.path());
        paths.filter(|path| path.extension().is_none_or(|end| end != "dump")).map(move |path| (format, path))
    };
    formats::ALL.iter().copied().filter(|format| format.demuxer.is_some()).flat_map(of_format).collect()
}

/// The file as it is, and each of its streams alone.
fn choices(streams: Vec<StreamInfo>, packets: Vec<Packet>) -> Vec<(Vec<StreamInfo>, Vec<Packet>)> {
    let alone = |index: usize| {
        let of_stream = packets.iter().filter(|packet| packet.stream == index);
        (vec![streams[index].clone()], of_stream.map(|packet| packet.clone().with_stream(0)).collect())
    };
    let several = if streams.len() > 1 { streams.len() } else { 0 };
    let parts: Vec<_> = (0..several).map(alone).collect();
    [(streams, packets)].into_iter().chain(parts).collect()
}

/// Whether the copy could be written and read again; its durations are then right.
fn joins(path: &Path, to: &'static Format, streams: &[StreamInfo], packets: &[Packet]) -> bool {
    let Ok(file) = copy(to, streams, packets) else { return false };
    let Ok((written, again)) = read(to, &file) else { return false };
    let name = format!("{} → {}", path.display(), to.name);
    // Raw video stores no times.
    if matches!(to.name, "h264" | "h265") {
        return !again.is_empty();
    }
    // WAV does not frame: of AAC, AC-3, free-format MP3 and layers that change not every unit is found again.
    let framed = !streams[0].codec.name().starts_with("pcm");
    let changes = packets.iter().any(|packet| packet.side.new_audio().is_some() || packet.side.new_config().is_some());
    if to.name == "wav" && framed && (again.len() != packets.len() || changes) {
        return false;
    }
    // Frames of FLAC are numbered; those of a file that was joined of two begin anew.
    if to.name == "flac" && packets.iter().skip(1).any(|packet| packet.data == packets[0].data) {
        return false;
    }
    for (before, after) in spans(streams, packets).into_iter().zip(spans(&written, &again)) {
        let apart = (before.0 - after.0).abs();
        // A last frame that is cut may be left out; its time is rounded on both sides.
        assert!(apart <= before.1.max(after.1).max(0.002) + 2e-5, "{name}: {before:?} {after:?}");
    }
    !again.is_empty()
}

#[test]
fn a_naive_copy_keeps_the_durations_for_every_pair_of_formats() {
    let mut joined = BTreeSet::new();
    for (from, path) in samples() {
        let Ok((streams, packets)) = read(from, &fs::read(&path).unwrap()) else { continue };
        let base = |packet: &Packet| streams[packet.stream].time_base;
        assert!(packets.iter().all(|packet| packet.time_base == base(packet)), "{}", path.display());
        for (streams, packets) in choices(streams, packets) {
            for to in formats::ALL.iter().copied().filter(|format| format.muxer.is_some() && format.demuxer.is_some()) {
                // The units of most FLV samples are made up; only FLV, which does not look into them, finds them again.
                let made_up = from.name == "flv" && !matches!(to.name, "flv" | "adts" | "h264");
                if !made_up && joins(&path, to, &streams, &packets) {
                    joined.insert((from.name, to.name));
                }
            }
        }
    }
    for pair in [
        ("adts", "flv"),
        ("adts", "adts"),
        ("flv", "adts"),
        ("flv", "flv"),
        ("flv", "h264"),
        ("h264", "flv"),
        ("h264", "h264"),
        ("h265", "flv"),
        ("h265", "h265"),
        ("mp3", "flv"),
        ("mp3", "mp3"),
        ("mp3", "wav"),
        ("wav", "flv"),
        ("wav", "mp3"),
        ("wav", "wav"),
    ] {
        assert!(joined.contains(&pair), "{pair:?} is not joined any more: {joined:?}");
    }
}

#[test]
fn a_packet_counts_in_its_own_base_and_else_in_the_one_its_stream_was_declared_with() {
    let mut info = StreamInfo::undescribed();
    info.time_base = TimeBase::hz(90_000);
    let third = Packet::new(0, Ticks(1), TimeBase::hz(3), &b"x"[..]);
    assert_eq!(third.clone().rescaled(TimeBase::MILLIS).pts, Some(Ticks(333)));
    let unset = Packet::of(0, "").at(Ticks(180_000));
    let mut out = Output::new(Reach::Append);
    let mut writer =
        PacketWriter::start(formats::named("framecrc").unwrap(), &[("bitexact", "1")], &[info], &mut out).unwrap();
    writer.write(third, &mut out).unwrap();
    writer.write(unset, &mut out).unwrap();
    writer.finish(&mut out).unwrap();
    let mut text = Vec::new();
    while let Some(Edit::Append(piece)) = out.next_edit() {
        piece.parts.iter().for_each(|part| text.extend_from_slice(part));
    }
    let text = String::from_utf8(text).unwrap();
    let times: Vec<i64> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split(',').nth(2).unwrap().trim().parse().unwrap())
        .collect();
    assert_eq!(times, [30_000, 180_000], "{text}");
}
