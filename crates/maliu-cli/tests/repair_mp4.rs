//! Damaged MP4 files are written anew: with all packets but those that are cut, and the same a second time.

use std::{fs, path::Path};

mod binary;
use binary::{folder, run, sample, text, within};

/// Checksums of packets by kind of media, in their order.
fn packets(path: &str) -> [Vec<String>; 2] {
    let (code, out, err) = text(&run(&["remux", path, "-", "-f", "framemd5"]));
    assert_eq!(code, Some(0), "{err}");
    let video: Vec<&str> =
        out.lines().filter_map(|line| line.strip_prefix("#media_type ")?.strip_suffix(": video")).collect();
    let mut kinds = [Vec::new(), Vec::new()];
    for line in out.lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<&str> = line.split(',').map(str::trim).collect();
        kinds[usize::from(!video.contains(&fields[0]))].push(format!("{} {}", fields[4], fields[5]));
    }
    kinds
}

/// Presentation times of the video in ms.
fn times(path: &str) -> Vec<i64> {
    let (_, out, _) = text(&run(&["probe", "--json", "--packets", path]));
    let found: serde_json::Value = serde_json::from_str(&out).unwrap();
    let video = found["packets"].as_array().unwrap().iter().filter(|packet| packet["codec_type"] == "video");
    video.map(|packet| (packet["pts_time"].as_str().unwrap().parse::<f64>().unwrap() * 1000.0).round() as i64).collect()
}

/// Makes a recording with its index behind, of `copies` copies of a clip, and audio.
fn recording(folder: &Path, name: &str, video: &str, audio: &str, copies: usize) -> String {
    let long = |from: &str| {
        let path = within(folder, &format!("{copies}-{}", from.split_once('/').unwrap().1));
        fs::write(&path, fs::read(sample(from)).unwrap().repeat(copies)).unwrap();
        path
    };
    let (first, out) = (within(folder, "first.mp4"), within(folder, name));
    let made = run(&["remux", &long(video), &long(audio), &first, "-o", "hybrid=0"]);
    assert!(made.status.success(), "{}", text(&made).2);
    // A raw stream's own parameter sets stay in its packets; a recorder's are in its index alone.
    assert!(run(&["remux", &first, &out, "-o", "hybrid=0"]).status.success());
    out
}

/// The offset of a box at the top level.
fn place(file: &[u8], kind: &[u8; 4]) -> usize {
    let mut at = 0;
    while &file[at + 4..at + 8] != kind {
        at += u32::from_be_bytes(file[at..at + 4].try_into().unwrap()) as usize;
    }
    at
}

/// Repairs, and repairs again, which must change nothing.
fn repaired(folder: &Path, damaged: &[u8], like: Option<&str>) -> (String, String) {
    let (from, to, again) = (within(folder, "damaged.mp4"), within(folder, "whole.mp4"), within(folder, "again.mp4"));
    fs::write(&from, damaged).unwrap();
    let like: Vec<&str> = like.iter().flat_map(|like| ["--like", like]).collect();
    let (code, _, said) = text(&run(&[&["repair", &from, &to][..], &like].concat()));
    assert_eq!(code, Some(0), "{said}");
    let (code, _, err) = text(&run(&["repair", &to, &again]));
    assert_eq!(code, Some(0), "{err}");
    assert!(fs::read(&to).unwrap() == fs::read(&again).unwrap(), "a second repair changes the file");
    (to, said)
}

#[test]
fn twenty_files_without_their_index_get_all_packets_back() {
    let folder = folder("repair-mp4-index");
    let clips = ["h264/b_frames.h264", "h264/baseline_slices.h264", "h264/intra_refresh.h264", "h265/main.h265"];
    let sounds = [
        "adts/stereo_44100.aac",
        "adts/mono_16000.aac",
        "adts/he_v1_mono.aac",
        "mp3/cbr_64k_tags.mp3",
        "ac3/mono_48000.ac3",
    ];
    let mut files = 0;
    for (n, (clip, copies)) in clips.into_iter().flat_map(|clip| (1..=5).map(move |n| (clip, n))).enumerate() {
        let sound = sounds[n % sounds.len()];
        let whole = recording(&folder, "recording.mp4", clip, sound, copies);
        let like = recording(&folder, "like.mp4", clip, sound, 1);
        let file = fs::read(&whole).unwrap();
        let (mended, said) = repaired(&folder, &file[..place(&file, b"moov")], Some(&like));
        assert!(said.contains("rebuilt the index"), "{said}");
        assert_eq!(packets(&mended), packets(&whole), "{clip} and {sound}");
        assert_eq!(times(&mended), times(&whole), "{clip}");
        files += 1;
    }
    assert_eq!(files, 20);
}

#[test]
fn a_file_that_ends_within_its_media_keeps_what_is_there() {
    let folder = folder("repair-mp4-cut");
    let whole = recording(&folder, "recording.mp4", "h264/b_frames.h264", "adts/stereo_44100.aac", 3);
    let (file, all) = (fs::read(&whole).unwrap(), packets(&whole));
    for part in [3, 5, 9] {
        let end = place(&file, b"mdat") + (place(&file, b"moov") - place(&file, b"mdat")) * part / 10;
        let (mended, _) = repaired(&folder, &file[..end], Some(&whole));
        for (found, all) in packets(&mended).iter().zip(&all) {
            // The picture that is cut may be known by some of its slices.
            let known = found.len().saturating_sub(1);
            assert_eq!(found[..known], all[..known], "{part} tenths");
        }
    }
}

#[test]
fn parameter_sets_in_the_media_replace_a_good_file() {
    let folder = folder("repair-mp4-bare");
    let (clip, out) = (sample("h264/b_frames.h264"), within(&folder, "in_band.mp4"));
    assert!(run(&["remux", &clip, &out, "-o", "hybrid=0", "-o", "in_band=1"]).status.success());
    let file = fs::read(&out).unwrap();
    let (mended, _) = repaired(&folder, &file[..place(&file, b"moov")], None);
    assert_eq!(packets(&mended), packets(&out));
    let bare = recording(&folder, "bare.mp4", "h265/main.h265", "adts/stereo_44100.aac", 1);
    let file = fs::read(&bare).unwrap();
    fs::write(within(&folder, "cut.mp4"), &file[..place(&file, b"moov")]).unwrap();
    let (code, _, err) = text(&run(&["repair", &within(&folder, "cut.mp4"), &within(&folder, "none.mp4")]));
    assert!(code == Some(1) && err.contains("--like"), "{code:?} {err}");
}

#[test]
fn wrong_offsets_and_sizes_are_mended() {
    let folder = folder("repair-mp4-offsets");
    let whole = recording(&folder, "recording.mp4", "h264/b_frames.h264", "adts/stereo_44100.aac", 2);
    let (file, all) = (fs::read(&whole).unwrap(), packets(&whole));
    let (mdat, moov) = (place(&file, b"mdat"), place(&file, b"moov"));
    let (head, media, index) = (&file[..mdat], &file[mdat..moov], &file[moov..]);
    // The index moved in front, a box added or cut out, none of which the tables know of.
    let moved = [head, index, media].concat();
    let added = [head, &[0, 0, 0, 40], b"free", &[0; 32], media, index].concat();
    let gone = [&file[..place(&file, b"free")], media, index].concat();
    for damaged in [moved, added, gone] {
        let (mended, said) = repaired(&folder, &damaged, None);
        assert!(said.contains("to the offsets"), "{said}");
        assert_eq!(packets(&mended), all);
    }
    // An open end is allowed; a size that was never written is not.
    let mut open = [head, index, media].concat();
    let at = head.len() + index.len();
    open[at..at + 4].fill(0);
    assert_eq!(packets(&repaired(&folder, &open, None).0), all);
    let mut wrong = file[..moov].to_vec();
    wrong[mdat..mdat + 4].copy_from_slice(&0x7fff_ffff_u32.to_be_bytes());
    assert_eq!(packets(&repaired(&folder, &wrong, Some(&whole)).0), all);
}

#[test]
fn fragments_with_holes_keep_their_times() {
    let folder = folder("repair-mp4-fragments");
    let whole = recording(&folder, "recording.mp4", "h264/b_frames.h264", "adts/stereo_44100.aac", 4);
    let out = within(&folder, "fragments.mp4");
    assert!(run(&["remux", &whole, &out, "-f", "fmp4"]).status.success());
    let file = fs::read(&out).unwrap();
    let fragments: Vec<usize> =
        (0..file.len() - 4).filter(|at| &file[*at..at + 4] == b"moof").map(|at| at - 4).collect();
    let damaged = [&file[..fragments[1]], &file[fragments[2]..]].concat();
    let (mended, _) = repaired(&folder, &damaged, None);
    let (before, after) = (times(&out), times(&mended));
    assert!(after.len() < before.len() && after.iter().all(|time| before.contains(time)));
    assert_eq!(after.last(), before.last());
}
