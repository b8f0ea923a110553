//! `maliu remux` and `repair` with the real binary.

use std::fs;

mod binary;
use binary::{folder, run, run_on, sample, text, within};

/// The packets of a file, one line each.
fn lines(path: &str) -> String {
    String::from_utf8(run(&["remux", path, "-", "-f", "framecrc", "-o", "bitexact=1"]).stdout).unwrap()
}

#[test]
fn every_format_reads_back_what_remux_wrote() {
    let folder = folder("every_format_reads_back_what_remux_wrote");
    for (name, out) in [
        ("flv/h264_aac.flv", "out.flv"),
        ("adts/stereo_44100.aac", "out.aac"),
        ("mp3/vbr_info.mp3", "out.mp3"),
        ("wav/adpcm_ms.wav", "out.wav"),
        ("h264/b_frames.h264", "out.h264"),
        ("h265/main.h265", "out.h265"),
    ] {
        let (path, out) = (sample(name), within(&folder, out));
        assert_eq!(text(&run(&["remux", &path, &out])), (Some(0), String::new(), String::new()), "{name}");
        assert_eq!(lines(&out), lines(&path), "{name}");
    }
}

#[test]
fn streams_of_two_files_come_into_one_and_apart_again() {
    let folder = folder("streams_of_two_files_come_into_one_and_apart_again");
    let film = sample("flv/h264_aac.flv");
    let [picture, sound, both] = ["p.h264", "s.aac", "both.flv"].map(|name| within(&folder, name));
    for out in [&picture, &sound] {
        assert!(run(&["remux", &film, out]).status.success());
    }
    assert!(run(&["remux", &picture, &sound, &both]).status.success());
    let [picture_again, sound_again] = ["p2.h264", "s2.aac"].map(|name| within(&folder, name));
    for out in [&picture_again, &sound_again] {
        assert!(run(&["remux", &both, out]).status.success());
    }
    assert_eq!(fs::read(&picture).unwrap(), fs::read(&picture_again).unwrap());
    assert_eq!(fs::read(&sound).unwrap(), fs::read(&sound_again).unwrap());
}

#[test]
fn pipes_on_both_ends_carry_the_same_packets() {
    let film = fs::read(sample("flv/h264_aac.flv")).unwrap();
    let piped = run_on(film, &["remux", "-", "-", "-f", "framemd5", "-o", "bitexact=1"]).stdout;
    let direct = run(&["remux", &sample("flv/h264_aac.flv"), "-", "-f", "framemd5", "-o", "bitexact=1"]).stdout;
    assert!(!piped.is_empty());
    assert_eq!(piped, direct);
}

#[test]
fn a_window_of_time_begins_at_zero() {
    let path = sample("adts/stereo_44100.aac");
    let done = run(&["remux", &path, "-", "-f", "framecrc", "--start", "0.5", "--duration", "0.5"]);
    let text = String::from_utf8(done.stdout).unwrap();
    let packets: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert!((20..=24).contains(&packets.len()), "half a second of 43 frames a second: {}", packets.len());
    let dts: i64 = packets[0].split(',').nth(1).unwrap().trim().parse().unwrap();
    assert!(dts.abs() < 28_224_000 / 43, "the first frame is at most one away from the start: {dts}");
}

#[test]
fn a_window_begins_at_the_key_picture_before_it_also_on_a_pipe() {
    let film = sample("flv/h264_aac.flv");
    let bytes = fs::read(&film).unwrap();
    let window = |start: &str, more: &[&str]| {
        let args = |input| [&["remux", input, "-", "-f", "framecrc", "--copy-times", "--start", start], more].concat();
        let (seeking, piped) = (run(&args(&film)), run_on(bytes.clone(), &args("-")));
        assert_eq!(text(&seeking).0, text(&piped).0, "{start}");
        (text(&piped).0, String::from_utf8(seeking.stdout).unwrap(), String::from_utf8(piped.stdout).unwrap())
    };
    let first = |text: &str| text.lines().find(|line| !line.starts_with('#')).map(str::to_owned);
    // Key pictures are decoded at 0 and 1 s, and shown 0.2 s later; times count from the first audio, at 0.177 s.
    for (start, dts) in [("0.1", "0"), ("0.5", "0"), ("1.3", "1000"), ("1.9", "1000")] {
        let (code, seeking, piped) = window(start, &[]);
        assert_eq!((code, &seeking), (Some(0), &piped), "{start}");
        assert!(first(&piped).is_some_and(|line| line.replace(' ', "").starts_with(&format!("0,{dts},"))), "{piped}");
    }
    // Sound alone begins with the frame in which the start lies.
    let (_, seeking, piped) = window("0.5", &["--map", "a"]);
    assert_eq!((first(&seeking), first(&piped).is_some()), (first(&piped), true));
    for (start, more) in [("99", &[][..]), ("0.5", &["--duration", "0"])] {
        assert_eq!(window(start, more).0, Some(1), "{start}");
    }
    let folder = folder("a_window_begins_at_the_key_picture_before_it_also_on_a_pipe");
    let out = within(&folder, "nothing.flv");
    let (code, _, error) = text(&run(&["remux", &film, &out, "--start", "99"]));
    assert_eq!((code, error.contains("no packet lies")), (Some(1), true), "{error}");
    assert!(!fs::exists(&out).unwrap());
}

#[test]
fn wrong_calls_say_what_would_be_right() {
    let path = sample("flv/h264_aac.flv");
    for (args, words) in [
        (vec!["remux", &path, "-"], "-f"),
        (vec!["remux", &path, "out.xyz"], "maliu formats"),
        (vec!["remux", &path, "-", "-f", "flv", "-o", "colour=1"], "colour"),
        (vec!["remux", &path, "-", "-f", "flv", "-o", "flush_packet=1"], "did you mean flush_packets?"),
        (vec!["remux", &path, "-", "-f", "flv", "-o", "flvflags=+keyframes"], "add_keyframe_index"),
    ] {
        let (code, _, error) = text(&run(&args));
        assert_eq!(code, Some(2), "{args:?}");
        assert!(error.contains(words), "{error}");
    }
    let (code, _, error) = text(&run(&["remux", &path, "-", "-f", "framecrc", "--map", "7"]));
    assert_eq!((code, error.contains("--map 7 selects")), (Some(1), true), "{error}");
}

#[test]
fn options_may_stand_anywhere_between_inputs_and_output() {
    let film = sample("flv/h264_aac.flv");
    let wanted = run(&["remux", "--map", "v", "-f", "framecrc", &film, "-"]).stdout;
    assert!(!wanted.is_empty());
    assert_eq!(run(&["remux", &film, "--map", "v", "-", "-f", "framecrc"]).stdout, wanted);
    let (code, _, error) = text(&run(&["remux", &film]));
    assert_eq!((code, error.contains("the file to write")), (Some(2), true), "{error}");
}

#[test]
fn explain_names_rule_and_packet() {
    let (code, _, error) = text(&run(&["remux", &sample("flv/h264_aac.flv"), "-", "-f", "flv", "--explain"]));
    assert_eq!(code, Some(0));
    assert!(error.lines().any(|line| line.starts_with("WF-") && line.contains(" stream ")), "{error}");
    // Four tags of PCM, the third of which steps back: it is moved rather than refused.
    let sound = |time: u8| [&[8, 0, 0, 5, 0, 0, time, 0, 0, 0, 0, 0x3f, 1, 2, 3, 4][..], &16u32.to_be_bytes()].concat();
    let film = [b"FLV\x01\x04\0\0\0\x09\0\0\0\0".to_vec(), [0, 40, 20, 80].map(sound).concat()].concat();
    let (code, _, error) = text(&run_on(film, &["remux", "-", "-", "-f", "flv", "--explain"]));
    assert_eq!(code, Some(0));
    assert!(error.contains("WF-35 stream 0 packet 2: pts 20 and dts 20 moved to 40 and 40"), "{error}");
}

#[test]
fn repair_never_writes_over_its_input() {
    let folder = folder("repair_never_writes_over_its_input");
    let path = within(&folder, "a.flv");
    fs::copy(sample("flv/zero_tail.flv"), &path).unwrap();
    let before = fs::read(&path).unwrap();
    assert_eq!(text(&run(&["repair", &path, &path])).0, Some(2));
    assert_eq!(fs::read(&path).unwrap(), before);
}
