//! `maliu layout`, and layouts as inputs and outputs of the other commands.

use std::fs;

mod binary;
use binary::{folder, run, sample, text, within};

#[test]
fn a_film_through_a_layout_sounds_the_same() {
    let folder = folder("a_film_through_a_layout_sounds_the_same");
    let (film, carried) = (sample("flv/h264_aac.flv"), within(&folder, "carried.bin"));
    let (direct, through) = (within(&folder, "direct.wav"), within(&folder, "through.wav"));
    for args in [
        &["remux", &film, &carried, "--write-layout", "tail"][..],
        &["decode", &film, &direct],
        &["decode", "--layout", "tail", &carried, &through],
    ] {
        assert_eq!(text(&run(args)), (Some(0), String::new(), String::new()), "{args:?}");
    }
    assert!(fs::read(direct).unwrap() == fs::read(through).unwrap());
}

#[test]
fn flv_as_a_layout_has_the_packets_of_the_flv_demuxer() {
    let film = sample("flv/h264_aac.flv");
    let rows = |args: &[&str]| {
        let done = run(&[&["probe", "--json", "--packets", "--hash", "md5", &film], args].concat());
        let packets = binary::json(&done)["packets"].as_array().unwrap().clone();
        let keys = ["stream_index", "pts_time", "dts_time", "size", "flags", "data_hash"];
        packets.iter().map(|packet| keys.map(|key| packet[key].to_string())).collect::<Vec<_>>()
    };
    let by_layout = rows(&["--layout", "flv-tag"]);
    assert!(by_layout.len() > 50);
    assert_eq!(by_layout, rows(&[]));
}

#[test]
fn video_behind_lengths_goes_into_layouts_with_its_parameter_sets() {
    let folder = folder("video_behind_lengths_goes_into_layouts_with_its_parameter_sets");
    let (film, direct) = (sample("mp4/moov_behind.mp4"), within(&folder, "direct.y4m"));
    assert_eq!(text(&run(&["decode", &film, &direct])).0, Some(0));
    for preset in ["dhav", "jt1078", "length32", "scrcpy"] {
        let (carried, out) = (within(&folder, preset), within(&folder, &format!("{preset}.y4m")));
        let (code, _, error) = text(&run(&["remux", &film, &carried, "--map", "v", "--write-layout", preset]));
        assert_eq!(code, Some(0), "{preset}: {error}");
        let (code, _, error) = text(&run(&["decode", "--layout", preset, &carried, &out]));
        assert_eq!(code, Some(0), "{preset}: {error}");
        let frames = |path: &str| {
            let bytes = fs::read(path).unwrap();
            bytes[bytes.iter().position(|byte| *byte == b'\n').unwrap()..].to_vec()
        };
        assert!(frames(&out) == frames(&direct), "{preset}");
    }
}

#[test]
fn a_fault_is_shown_where_it_stands() {
    let folder = folder("a_fault_is_shown_where_it_stands");
    let bad = within(&folder, "bad.toml");
    fs::write(&bad, "name = \"x\"\nheader = [\n  { name = \"n\", type = \"u8\", role = \"lenth\" },\n]\n").unwrap();
    let (code, _, error) = text(&run(&["layout", "check", &bad]));
    assert_eq!(code, Some(1));
    assert!(error.contains("line 3, column 37: no role is called lenth (roles: length pts"), "{error}");
    let (code, out, _) = text(&run(&["layout", "check", &bad, "--json"]));
    assert!(code == Some(1) && out.contains("\"line\":3"), "{out}");
    let (code, _, error) = text(&run(&["layout", "check", "no-such-layout"]));
    assert!(code == Some(2) && error.contains("presets: carlinkit, dhav"), "{error}");
}

#[test]
fn a_layout_that_is_guessed_reads_what_it_was_guessed_from() {
    let folder = folder("a_layout_that_is_guessed_reads_what_it_was_guessed_from");
    let (carried, guessed) = (within(&folder, "carried.bin"), within(&folder, "guessed.toml"));
    let film = sample("flv/h264_aac.flv");
    assert_eq!(text(&run(&["remux", &film, &carried, "--write-layout", "tail"])).0, Some(0));
    let (code, toml, error) = text(&run(&["layout", "guess", &carried]));
    assert_eq!(code, Some(0), "{error}");
    fs::write(&guessed, &toml).unwrap();
    assert!(toml.contains("role = \"length\"") && toml.contains("algorithm = \"crc32\""), "{toml}");
    let (code, out, error) = text(&run(&["layout", "explain", &guessed, &carried, "--json"]));
    assert!(code == Some(0) && !out.contains("garbage"), "{error}{out}");
    let (code, _, error) = text(&run(&["layout", "guess", &sample("h264/b_frames.h264")]));
    assert!(code == Some(1) && error.contains("no framing"), "{error}");
}

#[test]
fn every_byte_of_a_capture_is_explained_once_and_in_order() {
    let (code, out, _) = text(&run(&["layout", "explain", "flv-tag", &sample("flv/aac_only.flv"), "--json"]));
    assert_eq!(code, Some(0));
    let mut end = 0;
    for line in out.lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let (at, len) = (row["at"].as_u64().unwrap(), row["len"].as_u64().unwrap());
        assert!(at == end || at + 1 == end, "a gap before byte {at}");
        end = at + len;
    }
    assert_eq!(end, fs::metadata(sample("flv/aac_only.flv")).unwrap().len());
}
