//! `maliu probe` with the real binary.

use std::{fs, io::Write, thread, time::Duration};

mod binary;
use binary::{command, folder, json, run, run_on, sample, text, within};

#[test]
fn json_has_the_names_of_ffprobe() {
    let output = run(&["probe", "--json", "--packets", "--hash", "md5", &sample("adts/mono_16000.aac")]);
    let report = json(&output);
    let stream = &report["streams"][0];
    assert_eq!(output.status.code(), Some(0));
    assert_eq!((stream["codec_name"].as_str(), stream["codec_type"].as_str()), (Some("aac"), Some("audio")));
    assert_eq!((stream["sample_rate"].as_str(), stream["channels"].as_u64()), (Some("16000"), Some(1)));
    assert_eq!((stream["profile"].as_str(), stream["index"].as_u64()), (Some("LC"), Some(0)));
    let packet = &report["packets"][1];
    assert_eq!((packet["stream_index"].as_u64(), packet["pts_time"].as_str()), (Some(0), Some("0.064000")));
    assert_eq!((packet["flags"].as_str(), packet["duration_time"].as_str()), (Some("K__"), Some("0.064000")));
    assert!(packet["size"].is_string() && packet["pos"].is_string() && packet["dts"].is_i64());
    assert!(packet["data_hash"].as_str().is_some_and(|hash| hash.starts_with("MD5:") && hash.len() == 36));
    assert_eq!(report["format"]["format_name"], "adts");
    assert_eq!(report["format"]["nb_streams"], 1);
}

#[test]
fn json_stays_valid_when_reading_fails() {
    let folder = folder("json_stays_valid_when_reading_fails");
    let path = within(&folder, "text");
    fs::write(&path, "no media at all. ".repeat(99)).unwrap();
    let output = run(&["probe", "--json", "--packets", &path]);
    let (code, _, stderr) = text(&output);
    assert_eq!(code, Some(1));
    assert!(json(&output)["error"].as_str().is_some_and(|error| error.contains("unrecognized")));
    assert!(stderr.starts_with(&format!("reading {path}: unrecognized")), "{stderr}");
}

#[test]
fn a_cut_file_gives_its_whole_packets_and_a_warning() {
    let output = run(&["probe", "--json", "--packets", &sample("adts/cut_in_frame.aac")]);
    let (code, _, stderr) = text(&output);
    assert_eq!((code, json(&output)["packets"].as_array().map(Vec::len)), (Some(0), Some(5)));
    assert!(stderr.contains("WARN") && stderr.contains("cut short"), "{stderr}");
}

#[test]
fn a_pipe_shows_the_same_packets_as_the_file() {
    for name in ["adts/id3_front_middle_behind.aac", "flv/h264_aac.flv"] {
        let path = sample(name);
        let file = run(&["probe", "--json", "--packets", "--hash", "crc32", &path]);
        let pipe = run_on(fs::read(&path).unwrap(), &["probe", "--json", "--packets", "--hash", "crc32", "-"]);
        assert_eq!(json(&file)["packets"], json(&pipe)["packets"], "{name}");
        assert_eq!(json(&pipe)["format"]["filename"], "standard input");
    }
}

#[test]
fn the_verdict_is_explained_even_when_nothing_fits() {
    let found = text(&run(&["probe", "--explain", &sample("flv/aac_only.flv")])).1;
    assert!(found.contains("> flv") && found.contains("bytes looked at") && found.contains("stream 0: aac"), "{found}");
    let (code, lost, _) = text(&run_on(b"nothing of any kind".to_vec(), &["probe", "--explain", "-"]));
    assert_eq!(code, Some(1));
    assert!(lost.contains("flv") && lost.contains("no "), "{lost}");
}

#[test]
fn a_declared_format_is_not_probed() {
    let (code, out, _) = text(&run(&["probe", "--explain", "-f", "adts", &sample("adts/mono_16000.aac")]));
    assert_eq!(code, Some(0));
    assert!(out.contains("declared"), "{out}");
    let wrong = text(&run(&["probe", "-f", "nothing", &sample("adts/mono_16000.aac")]));
    assert_eq!(wrong.0, Some(2));
}

#[test]
fn follow_reads_what_is_appended() {
    let folder = folder("follow_reads_what_is_appended");
    let path = within(&folder, "growing.aac");
    let bytes = fs::read(sample("adts/mono_16000.aac")).unwrap();
    let (front, rest) = bytes.split_at(1000);
    fs::write(&path, front).unwrap();
    let child = command(&["probe", "--json", "--packets", "--follow=2", &path]).spawn().unwrap();
    thread::sleep(Duration::from_millis(300));
    fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(rest).unwrap();
    let grown = json(&child.wait_with_output().unwrap());
    let whole = json(&run(&["probe", "--json", "--packets", &sample("adts/mono_16000.aac")]));
    assert_eq!(grown["packets"], whole["packets"]);
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let mut child = command(&["probe", "--json", "--packets", &sample("flv/h264_aac.flv")]).spawn().unwrap();
    drop(child.stdout.take());
    let (code, _, stderr) = text(&child.wait_with_output().unwrap());
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
}

#[test]
fn the_profile_of_aac_is_heard_where_its_container_cannot_tell() {
    for (name, profile, rate, core, channels, layout) in [
        ("adts/mono_16000.aac", "LC", "16000", None, 1, "mono"),
        ("adts/he_v1_mono.aac", "HE-AAC", "32000", Some("16000"), 1, "mono"),
        ("adts/he_v2.aac", "HE-AACv2", "32000", Some("16000"), 2, "stereo"),
        ("adts/he_v2_late.aac", "HE-AACv2", "32000", Some("16000"), 2, "stereo"),
        ("flv/h264_aac.flv", "LC", "44100", None, 2, "stereo"),
    ] {
        let report = json(&run(&["probe", "--json", &sample(name)]));
        let streams = report["streams"].as_array().unwrap();
        let stream = streams.iter().find(|stream| stream["codec_name"] == "aac").unwrap();
        assert_eq!(stream["profile"], profile, "{name}");
        assert_eq!((stream["sample_rate"].as_str(), stream["core_sample_rate"].as_str()), (Some(rate), core), "{name}");
        assert_eq!((stream["channels"].as_u64(), stream["channel_layout"].as_str()), (Some(channels), Some(layout)));
    }
    let line = text(&run(&["probe", &sample("adts/he_v2.aac")])).1;
    assert!(line.contains("audio aac, mp4a.40.29, HE-AACv2, 32000 Hz, core 16000 Hz, stereo,"), "{line}");
}

#[test]
fn an_input_that_nothing_fits_tells_what_was_looked_for() {
    let cases = [
        ("", "the input is empty"),
        ("FLV\x01\x05", "the start of an FLV header; "),
        ("ID3\x04\0\0\0\0\0\x02\0\0", "nothing behind an ID3v2 tag"),
    ];
    for (input, why) in cases {
        let (code, _, stderr) = text(&run_on(input.into(), &["probe", "-"]));
        assert_eq!(code, Some(1));
        assert!(stderr.contains(&format!(": {why}")), "{stderr}");
    }
}

/// The first tag of this type whose body has `second` as its second byte.
fn tag(file: &[u8], kind: u8, second: u8) -> usize {
    let mut at = 13;
    while (file[at], file[at + 12]) != (kind, second) {
        at += 15 + u32::from_be_bytes([0, file[at + 1], file[at + 2], file[at + 3]]) as usize;
    }
    at
}

#[test]
fn nothing_is_heard_where_the_configuration_is_lost() {
    let folder = folder("nothing_is_heard_where_the_configuration_is_lost");
    let path = within(&folder, "mono.flv");
    assert!(run(&["remux", &sample("adts/mono_16000.aac"), &path]).status.success());
    let mut file = fs::read(&path).unwrap();
    assert_eq!(json(&run(&["probe", "--json", &path]))["streams"][0]["channels"], 1);
    let config = tag(&file, 8, 0);
    // A type that is passed over.
    file[config] = 10;
    fs::write(&path, &file).unwrap();
    let output = run(&["probe", "--json", "-v", &path]);
    // Meaning of the flags byte of every AAC tag.
    assert_eq!(json(&output)["streams"][0]["channels"], 2);
    let at = tag(&file, 8, 1);
    let (_, _, stderr) = text(&output);
    assert!(stderr.contains("without a configuration") && stderr.contains(&format!("at offset {at}")), "{stderr}");
}

#[test]
fn a_live_file_is_as_long_as_its_last_tag_says() {
    let mut file = fs::read(sample("flv/h264_aac.flv")).unwrap();
    let name = file.windows(9).position(|bytes| bytes == b"duration\0").unwrap() + 9;
    file[name..name + 8].fill(0);
    let folder = folder("a_live_file_is_as_long_as_its_last_tag_says");
    let path = within(&folder, "live.flv");
    fs::write(&path, &file).unwrap();
    let duration = |output| json(&output)["format"]["duration"].as_str().and_then(|text| text.parse::<f64>().ok());
    assert!(duration(run(&["probe", "--json", &path])) > Some(1.5));
    assert!(duration(run_on(file, &["probe", "--json", "--packets", "-"])) > Some(1.5));
}

#[test]
fn bits_of_samples_are_those_of_the_codec() {
    for (name, bits) in [("wav/pcm_s24le.wav", 24), ("wav/pcm_alaw.wav", 8), ("flv/aac_only.flv", 0)] {
        let report = json(&run(&["probe", "--json", &sample(name)]));
        assert_eq!(report["streams"][0]["bits_per_sample"], bits, "{name}");
    }
}
