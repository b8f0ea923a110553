//! The files of the corpus, where it is at hand, and what must hold for every one of them.

use std::{env, fs, path::PathBuf, task::Poll};

use maliu_core::{
    format::{Event, Format},
    formats,
    input::Input,
    packet::Packet,
    reader::PacketReader,
    syntax::annexb::{self, Splitter, Step},
};

/// Folder of the corpus; `None`, and a word about it, where it is absent.
fn folder() -> Option<PathBuf> {
    let default = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    let folder = env::var_os("MALIU_CORPUS").map_or_else(default, PathBuf::from);
    if !folder.is_dir() {
        println!("no corpus at {}: nothing compared", folder.display());
        return None;
    }
    Some(folder)
}

/// (format, name, bytes, reference) of every raw video file.
pub fn files() -> Vec<(&'static Format, String, Vec<u8>, String)> {
    let Some(folder) = folder() else { return Vec::new() };
    let mut found = Vec::new();
    for format in [&formats::h264::FORMAT, &formats::h265::FORMAT] {
        for origin in ["real", "synth"] {
            let inside = PathBuf::from(origin).join(format.name);
            for entry in fs::read_dir(folder.join(&inside)).expect("a folder of the corpus") {
                let name = entry.expect("an entry").file_name().into_string().expect("a name");
                let bytes = fs::read(folder.join(&inside).join(&name)).expect("a file");
                let reference = folder.join("refs").join(&inside).join(format!("{name}.ref"));
                found.push((format, name, bytes, fs::read_to_string(reference).unwrap_or_default()));
            }
        }
    }
    found
}

/// All packets of `data`, fed in pieces of `size` bytes.
pub fn packets(format: &'static Format, settings: &[(&str, &str)], data: &[u8], size: usize) -> Vec<Packet> {
    let mut reader = PacketReader::of(format, settings).expect("known settings");
    let (mut input, mut pieces, mut packets) = (Input::new(), data.chunks(size), Vec::new());
    loop {
        match reader.poll(&mut input).expect("no limit is passed") {
            Poll::Ready(Event::Packet(packet)) => packets.push(packet),
            Poll::Ready(Event::End) => return packets,
            Poll::Pending => match pieces.next() {
                Some(piece) => input.push(piece),
                None => input.end(),
            },
            _ => {}
        }
    }
}

#[test]
fn byte_by_byte_gives_the_access_units_of_the_whole() {
    for (format, name, data, _) in files() {
        let whole = packets(format, &[], &data, usize::MAX);
        let bytes: usize = whole.iter().map(|packet| packet.data.len()).sum();
        assert!(whole.is_empty() || bytes == data.len(), "{name}: {bytes} of {} bytes", data.len());
        for size in [1, 1000] {
            assert!(packets(format, &[], &data, size) == whole, "{name} in pieces of {size}");
        }
    }
}

#[test]
fn byte_by_byte_gives_the_nal_units_that_the_reference_lists() {
    for (_, name, data, reference) in files() {
        let listed = reference.split_once("[nals]").map_or("", |(_, nals)| nals);
        let cells = |line: &str| line.split('\t').map(str::to_owned).collect::<Vec<_>>();
        let listed: Vec<_> =
            listed.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_digit())).map(cells).collect();
        if listed.is_empty() {
            continue;
        }
        let (mut input, mut splitter, mut found) = (Input::new(), Splitter::default(), Vec::new());
        let mut bytes = data.chunks(1);
        loop {
            match splitter.poll(&mut input).expect("no limit is passed") {
                Step::Unit { at, data, .. } => found.push((at.to_string(), annexb::trimmed(&data).len().to_string())),
                Step::End => break,
                Step::NeedBytes => match bytes.next() {
                    Some(byte) => input.push(byte),
                    None => input.end(),
                },
            }
        }
        let listed: Vec<_> = listed.iter().map(|cells| (cells[0].clone(), cells[3].clone())).collect();
        // The list counts zeros at the end of the file as part of the last unit.
        let sure = found.len().min(listed.len()) - 1;
        assert_eq!(found[..sure], listed[..sure], "{name}");
        let whole: Vec<_> = annexb::units(&data).map(|unit| unit.at.to_string()).collect();
        assert!(found.iter().map(|(at, _)| at).eq(&whole), "{name}: units of the whole");
    }
}

#[test]
fn times_are_in_order_and_no_two_pictures_are_shown_at_once() {
    for (format, name, data, _) in files() {
        let all = packets(format, &[], &data, usize::MAX);
        let dts: Vec<_> = all.iter().filter_map(|packet| packet.dts).collect();
        assert!(dts.windows(2).all(|pair| pair[0] < pair[1]), "{name}: dts");
        assert!(
            all.iter().all(|packet| packet.pts.is_none_or(|pts| Some(pts) >= packet.dts)),
            "{name}: pts before dts"
        );
        let mut pts: Vec<_> = all.iter().filter_map(|packet| packet.pts).collect();
        let count = pts.len();
        pts.sort_unstable();
        pts.dedup();
        assert_eq!(pts.len(), count, "{name}: pictures at one time");
    }
}
