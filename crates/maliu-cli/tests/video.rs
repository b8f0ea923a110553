//! `maliu nals`, pictures of `maliu decode`, and what `maliu probe` says of video, with the real binary.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    process::Stdio,
    sync::mpsc,
    thread,
    time::Duration,
};

mod binary;
use binary::{command, folder, json, run, sample, text, within};

#[test]
fn nal_units_are_listed_alike_in_a_raw_stream_and_in_a_container() {
    let raw = json(&run(&["nals", "--json", &sample("h264/b_frames.h264")]));
    let slices = |report: &serde_json::Value| -> Vec<(u64, String, i64)> {
        let nals = report["nals"].as_array().unwrap().iter().filter(|nal| nal["slice"].is_string());
        nals.map(|nal| {
            let slice = nal["slice"].as_str().unwrap().to_owned();
            (nal["type"].as_u64().unwrap(), slice, nal["poc"].as_i64().unwrap())
        })
        .collect()
    };
    let first = &raw["nals"][0];
    assert_eq!(
        (first["offset"].as_u64(), first["start_code"].as_u64(), first["name"].as_str()),
        (Some(4), Some(4), Some("SPS"))
    );
    assert_eq!(slices(&raw)[..3], [(5, "I".to_owned(), 0), (1, "P".to_owned(), 4), (1, "B".to_owned(), 2)]);
    assert_eq!((first["nal_ref_idc"].as_u64(), first["pts_time"].is_string()), (Some(3), true), "{first}");
    let flv = json(&run(&["nals", "--json", &sample("flv/h264_aac.flv")]));
    assert_eq!(flv["nals"][0]["dts_time"], "0.000000", "{}", flv["nals"][0]);
    assert_eq!(slices(&flv)[..3], slices(&raw)[..3]);
    let (_, lines, _) = text(&run(&["nals", &sample("h265/main.h265")]));
    let mut lines = lines.lines();
    assert!(lines.next().is_some_and(|line| line.contains("offset p     size")));
    let first = lines.next().unwrap();
    assert!(first.contains("VPS") && first.contains("vps 0") && first.contains("tid 0"), "{first}");
}

#[test]
fn what_a_pipe_brings_is_listed_while_it_stays_open() {
    for arguments in [&["nals", "-"][..], &["nals", "--json", "-"]] {
        let mut child = command(arguments).stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(&fs::read(sample("h264/b_frames.h264")).unwrap()).unwrap();
        stdin.flush().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (send, receive) = mpsc::channel();
        thread::spawn(move || {
            lines.find_map(|line| line.ok().filter(|line| line.contains("SPS"))).map(|l| send.send(l))
        });
        let came = receive.recv_timeout(Duration::from_secs(60));
        drop(stdin);
        child.wait().unwrap();
        assert!(came.is_ok(), "{arguments:?}");
    }
}

#[test]
fn probe_names_the_codec_and_its_groups_of_pictures() {
    let report = json(&run(&["probe", "--json", &sample("h264/b_frames.h264")]));
    let stream = &report["streams"][0];
    assert_eq!((stream["codec_string"].as_str(), stream["profile"].as_str()), (Some("avc1.64000A"), Some("High")));
    assert_eq!((stream["gop"]["pictures"].as_u64(), stream["gop"]["b_pictures"].as_u64()), (Some(10), Some(2)));
    let (_, lines, _) = text(&run(&["probe", &sample("h265/main.h265")]));
    assert!(lines.contains("hvc1.") && lines.contains("160x120") && lines.contains("groups of"), "{lines}");
}

#[test]
fn pictures_are_written_whole_and_in_order() {
    let folder = folder("pictures_are_written_whole_and_in_order");
    let (y4m, yuv) = (within(&folder, "out.y4m"), within(&folder, "out.yuv"));
    for out in [&y4m, &yuv] {
        let (code, _, stderr) = text(&run(&["decode", &sample("h264/b_frames.h264"), out]));
        assert_eq!(code, Some(0), "{stderr}");
    }
    let (y4m, yuv) = (fs::read(y4m).unwrap(), fs::read(yuv).unwrap());
    let picture = 160 * 120 * 3 / 2;
    assert!(y4m.starts_with(b"YUV4MPEG2 W160 H120 F10:1 Ip "));
    assert_eq!(yuv.len(), 20 * picture);
    assert!(y4m.ends_with(&yuv[19 * picture..]));
}

#[test]
fn a_snapshot_is_the_picture_of_its_time() {
    let folder = folder("a_snapshot_is_the_picture_of_its_time");
    let pictures = ["0", "1.05s", "1.3"].map(|time| {
        let out = within(&folder, &format!("{time}.png"));
        let (code, _, stderr) = text(&run(&["decode", &sample("flv/h264_aac.flv"), "--snapshot", time, &out]));
        assert_eq!(code, Some(0), "{stderr}");
        fs::read(out).unwrap()
    });
    assert!(pictures.iter().all(|png| png.starts_with(b"\x89PNG\r\n\x1a\n")));
    assert!(pictures[0] != pictures[1] && pictures[1] != pictures[2]);
}

#[test]
fn what_has_no_pictures_is_refused_with_its_reason() {
    let folder = folder("what_has_no_pictures_is_refused_with_its_reason");
    let out = within(&folder, "out.y4m");
    for (name, why) in [("adts/mono_16000.aac", "no video stream"), ("h265/main.h265", "pictures of codec hevc")] {
        let (code, _, stderr) = text(&run(&["decode", &sample(name), &out]));
        assert_eq!(code, Some(1));
        assert!(stderr.contains(why), "{stderr}");
        assert!(!fs::exists(&out).unwrap());
    }
}
