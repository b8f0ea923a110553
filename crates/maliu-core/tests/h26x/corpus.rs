//! The raw video files of samples/ and, where it is at hand, of the corpus; and what must hold for every one of them.

use std::{env, fs, path::PathBuf, task::Poll};

use maliu_core::{
    format::{Event, Format},
    formats,
    input::Input,
    packet::Packet,
    reader::PacketReader,
    syntax::annexb::{self, Splitter, Step},
};

/// A raw video file.
pub(crate) struct File {
    pub format: &'static Format,
    pub name: String,
    pub data: Vec<u8>,
    /// Listing of its packets and NAL units by the reference; empty for samples.
    pub reference: String,
}

/// The project's samples.
pub(crate) fn samples() -> Vec<File> {
    files(&PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../samples"), &[""])
}

/// The files of the corpus, whose folder is `MALIU_CORPUS`.
pub(crate) fn corpus() -> Vec<File> {
    let folder = env::var_os("MALIU_CORPUS").expect("MALIU_CORPUS names the folder of the corpus");
    files(&PathBuf::from(folder), &["real", "synth"])
}

fn files(root: &std::path::Path, origins: &[&str]) -> Vec<File> {
    let mut found = Vec::new();
    for format in [&formats::h264::FORMAT, &formats::h265::FORMAT] {
        for origin in origins {
            let inside = PathBuf::from(origin).join(format.name);
            for entry in fs::read_dir(root.join(&inside)).expect("a folder of raw video") {
                let name = entry.expect("an entry").file_name().into_string().expect("a name");
                if name.ends_with(".dump") {
                    continue;
                }
                let data = fs::read(root.join(&inside).join(&name)).expect("a file");
                let reference = root.join("refs").join(&inside).join(format!("{name}.ref"));
                let reference = fs::read_to_string(reference).unwrap_or_default();
                found.push(File { format, name, data, reference });
            }
        }
    }
    assert!(!found.is_empty(), "no raw video in {}", root.display());
    found
}

/// All packets of `data`, fed in pieces of `size` bytes.
pub(crate) fn packets(format: &'static Format, settings: &[(&str, &str)], data: &[u8], size: usize) -> Vec<Packet> {
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
    split_into_access_units(samples());
}

#[test]
#[ignore = "needs MALIU_CORPUS"]
fn byte_by_byte_gives_the_access_units_of_the_whole_in_the_corpus() {
    split_into_access_units(corpus());
}

fn split_into_access_units(files: Vec<File>) {
    for File { format, name, data, .. } in files {
        let whole = packets(format, &[], &data, usize::MAX);
        let bytes: usize = whole.iter().map(|packet| packet.data.len()).sum();
        assert!(whole.is_empty() || bytes == data.len(), "{name}: {bytes} of {} bytes", data.len());
        for size in [1, 1000] {
            assert!(packets(format, &[], &data, size) == whole, "{name} in pieces of {size}");
        }
    }
}

#[test]
#[ignore = "needs MALIU_CORPUS"]
fn byte_by_byte_gives_the_nal_units_that_the_reference_lists() {
    let mut compared = 0;
    for File { name, data, reference, .. } in corpus() {
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
        compared += 1;
    }
    assert!(compared > 0, "the corpus lists no NAL units");
}

#[test]
fn times_are_in_order_and_no_two_pictures_are_shown_at_once() {
    times_are_in_order(samples());
}

#[test]
#[ignore = "needs MALIU_CORPUS"]
fn times_are_in_order_and_no_two_pictures_are_shown_at_once_in_the_corpus() {
    times_are_in_order(corpus());
}

fn times_are_in_order(files: Vec<File>) {
    for File { format, name, data, .. } in files {
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
