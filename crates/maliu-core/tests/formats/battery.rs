//! Requirements on every format in `formats::ALL`, on every sample, with the format declared and detected.

use std::task::Poll;

use crate::{
    samples::samples,
    trace::{Feed, Open, Trace, trace},
};

/// Most trials of one kind on one file; larger files are tried at evenly spread places.
const TRIALS: usize = 1500;

fn places(len: usize) -> impl Iterator<Item = usize> {
    (0..len).step_by(len.div_ceil(TRIALS).max(1))
}

#[test]
fn every_split_reads_as_the_whole() {
    for (format, path, bytes) in samples() {
        for (open, how) in [(Open::Of(format), "of"), (Open::Detect, "detect")] {
            let whole = trace(open, &bytes, Feed::Whole);
            for feed in [Feed::Slices(1), Feed::Slices(7), Feed::Slices(188), Feed::Random(3), Feed::Random(77)] {
                assert_eq!(trace(open, &bytes, feed), whole, "{} {how} {feed:?}", path.display());
            }
        }
    }
}

#[test]
fn seekable_and_forward_inputs_give_the_same_packets() {
    for (format, path, bytes) in samples() {
        let forward = trace(Open::Of(format), &bytes, Feed::Whole);
        for size in [13, 4096] {
            let seekable = trace(Open::Of(format), &bytes, Feed::Seekable(size));
            assert_eq!(seekable.packets, forward.packets, "{} in blocks of {size}", path.display());
        }
    }
}

#[test]
fn input_cut_short_anywhere_gives_its_whole_packets() {
    for (format, path, bytes) in samples() {
        let whole = trace(Open::Of(format), &bytes, Feed::Whole);
        for end in places(bytes.len()) {
            let cut = trace(Open::Of(format), &bytes[..end], Feed::Slices(1000));
            let place = path.display().to_string();
            match format.name {
                name if name.starts_with("mp") && name != "mp3" => {
                    whole_packets_of_each_stream(&cut, &whole, &place, end)
                }
                name => whole_packets(&cut, &whole, name == "h265", &format!("{place} cut at {end}")),
            }
            trace(Open::Detect, &bytes[..end], Feed::Whole);
        }
    }
}

/// In multiplexes every stream has a unit under way at the end.
fn whole_packets_of_each_stream(cut: &Trace, whole: &Trace, name: &str, end: usize) {
    let streams = |trace: &Trace| -> Vec<String> {
        let lines = trace.lines.iter().filter(|line| line.starts_with("stream "));
        lines.map(|line| line.split(' ').take(4).collect::<Vec<_>>().join(" ")).collect()
    };
    if !streams(cut).iter().all(|stream| streams(whole).contains(stream)) {
        // Streams without a map are found by their content, of which too little is there.
        return;
    }
    for stream in 0..4 {
        let of = |trace: &Trace| -> Vec<String> {
            let prefix = format!("packet {stream} ");
            trace.packets.iter().filter(|packet| packet.starts_with(&prefix)).cloned().collect()
        };
        let (cut, whole) = (of(cut), of(whole));
        let sure = cut.len().saturating_sub(1).min(whole.len());
        assert_eq!(cut[..sure], whole[..sure], "{name} cut at {end}, stream {stream}");
    }
}

/// All but the last packet of `cut` are those of `whole`. A picture of H.265 that restarts the order is shown behind
/// pictures that follow it: where they are cut off, `late`, it and they get another place, so that their data counts.
fn whole_packets(cut: &Trace, whole: &Trace, late: bool, place: &str) {
    let sure = cut.packets.len().saturating_sub(1).min(whole.packets.len());
    let restart = cut.packets[..sure].iter().rposition(|packet| packet.contains("flags=1")).unwrap_or(sure);
    let timed = if late { restart } else { sure };
    assert_eq!(cut.packets[..timed], whole.packets[..timed], "{place}");
    let data = |packet: &String| packet.split(" flags=").nth(1).unwrap_or_default().to_owned();
    let [ours, theirs] = [cut, whole].map(|trace| trace.packets[timed..sure].iter().map(data).collect::<Vec<_>>());
    assert_eq!(ours, theirs, "{place}");
}

#[test]
fn input_flipped_anywhere_ends_without_a_panic() {
    for (format, _, bytes) in samples() {
        let mut bytes = bytes;
        for at in places(bytes.len()) {
            for mask in [0xff, 1 << (at % 8)] {
                bytes[at] ^= mask;
                trace(Open::Of(format), &bytes, Feed::Slices(5000));
                trace(Open::Detect, &bytes, Feed::Seekable(5000));
                bytes[at] ^= mask;
            }
        }
    }
}

#[test]
fn flipped_input_reads_the_same_for_every_split() {
    for (format, path, bytes) in samples() {
        let mut bytes = bytes;
        for at in places(bytes.len()).step_by(40) {
            bytes[at] ^= 0x55;
            for (open, how) in [(Open::Of(format), "of"), (Open::Detect, "detect")] {
                let whole = trace(open, &bytes, Feed::Whole);
                let split = trace(open, &bytes, Feed::Slices(31));
                assert_eq!(split, whole, "{} {how}, byte {at} flipped", path.display());
            }
            bytes[at] ^= 0x55;
        }
    }
}

#[test]
fn bytes_of_other_formats_and_noise_are_refused_or_read_but_end() {
    let mut noise = Vec::with_capacity(20_000);
    let mut state = 1u32;
    while noise.len() < 20_000 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        noise.push((state >> 24) as u8);
    }
    let all = samples();
    for (format, _, _) in &all {
        trace(Open::Of(format), &noise, Feed::Slices(777));
        trace(Open::Of(format), &[], Feed::Whole);
        for (_, _, bytes) in &all {
            trace(Open::Of(format), bytes, Feed::Slices(1200));
        }
    }
}

#[test]
fn detection_finds_the_format_of_every_sample() {
    use maliu_core::{format::Event, formats, input::Input, reader::PacketReader};
    for (format, path, bytes) in samples() {
        let (mut input, mut reader) = (Input::new(), PacketReader::detect(formats::ALL));
        input.push(&bytes);
        input.end();
        while !matches!(reader.poll(&mut input), Ok(Poll::Ready(Event::End)) | Err(_)) {}
        assert_eq!(reader.format().map(|f| f.name), Some(format.name), "{}", path.display());
    }
}

#[test]
fn a_tag_that_promises_too_much_is_judged_the_same_in_every_split() {
    for (_, path, bytes) in samples() {
        let bytes = [b"ID3\x04\0\0\x46\x5c\x18\0", &bytes[..]].concat();
        let whole = trace(Open::Detect, &bytes, Feed::Whole);
        for feed in [Feed::Slices(1), Feed::Slices(65), Feed::Random(9)] {
            assert_eq!(trace(Open::Detect, &bytes, feed), whole, "{} {feed:?}", path.display());
        }
    }
}
