//! Options do what they say or are refused, and failures show in the exit code.

use std::{fs, process::Command};

mod binary;
use binary::{folder, run, sample, text, within};

#[test]
fn pictures_have_a_start_and_a_duration() {
    let folder = folder("pictures_have_a_start_and_a_duration");
    let (film, out) = (sample("h264/b_frames.h264"), within(&folder, "out.y4m"));
    let frames = |args: &[&str]| {
        assert_eq!(text(&run(&[&["decode", &film, &out], args].concat())).0, Some(0), "{args:?}");
        let bytes = fs::read(&out).unwrap();
        let header = bytes.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        let size = bytes[header..].windows(6).skip(1).position(|at| at == b"FRAME\n").map(|at| at + 1);
        let size = size.unwrap_or(bytes.len() - header);
        bytes[header..].chunks(size).map(<[u8]>::to_vec).collect::<Vec<_>>()
    };
    let whole = frames(&[]);
    assert!(whole.len() > 5, "{}", whole.len());
    // Ten pictures a second.
    assert!(frames(&["--start", "0.2"]) == whole[2..] && frames(&["--start", "0.15"]) == whole[2..]);
    assert!(frames(&["--start", "0.1", "--duration", "0.3"]) == whole[1..4]);
    let (code, _, error) = text(&run(&["decode", &film, &out, "--start", "1:00"]));
    assert!(code == Some(1) && error.contains("no picture lies in the wanted part"), "{error}");
}

#[test]
fn options_of_sound_are_refused_for_pictures() {
    let folder = folder("options_of_sound_are_refused_for_pictures");
    let (film, out) = (sample("h264/b_frames.h264"), within(&folder, "out.y4m"));
    for args in [&["--drc"][..], &["--format", "s24le"], &["--gapless", "off"], &["--threads", "2"]] {
        let (code, _, error) = text(&run(&[&["decode", &film, &out], args].concat()));
        assert!(code == Some(2) && error.contains("is about sound"), "{args:?}: {error}");
    }
    assert!(!fs::exists(&out).unwrap());
}

#[test]
fn nothing_that_matches_a_layout_is_a_failure() {
    let folder = folder("nothing_that_matches_a_layout_is_a_failure");
    let noise = within(&folder, "noise.bin");
    fs::write(&noise, [0xff; 3000]).unwrap();
    for args in [&["probe", "--layout", "length32", &noise][..], &["layout", "explain", "length32", &noise]] {
        let (code, out, error) = text(&run(args));
        assert!(code == Some(1) && error.contains("no message of"), "{args:?}: {out} {error}");
    }
}

#[test]
fn codecs_says_which_pictures_can_be_decoded() {
    let codecs = text(&run(&["codecs"])).1;
    let mark = |name: &str| codecs.lines().find(|line| line.contains(name)).unwrap().chars().next();
    assert_eq!((mark(" h264 "), mark(" hevc ")), (Some('D'), Some('.')));
}

#[test]
fn warnings_of_jobs_name_their_file() {
    let folder = folder("warnings_of_jobs_name_their_file");
    let (mut bytes, odd) = (fs::read(sample("flv/aac_only.flv")).unwrap(), within(&folder, "odd.flv"));
    bytes.truncate(bytes.len() - 5);
    fs::write(&odd, bytes).unwrap();
    let good = sample("flv/aac_only.flv");
    let (_, _, error) = text(&run(&["decode", "--jobs", "2", &odd, &good, &within(&folder, "out")]));
    let warnings: Vec<_> = error.lines().filter(|line| line.contains("WARN")).collect();
    assert!(!warnings.is_empty() && warnings.iter().all(|line| line.contains("odd.flv")), "{error}");
}

#[test]
fn a_jump_of_time_is_closed_passed_or_cut() {
    let folder = folder("a_jump_of_time_is_closed_passed_or_cut");
    // Two recordings one behind the other, as a camera that starts anew sends them: the times step back.
    let recording = fs::read(sample("flv/aac_only.flv")).unwrap();
    let later = within(&folder, "later.flv");
    let moved = {
        let mut bytes = recording.clone();
        let mut at = 13;
        while at + 11 < bytes.len() {
            bytes[at + 4] = bytes[at + 4].wrapping_add(1);
            at +=
                15 + (usize::from(bytes[at + 1]) << 16 | usize::from(bytes[at + 2]) << 8 | usize::from(bytes[at + 3]));
        }
        [&bytes[..], &recording[13..]].concat()
    };
    fs::write(&later, moved).unwrap();
    let rows = |args: &[&str]| {
        let (code, out, error) = text(&run(&[&["remux", &later, "-", "-f", "framecrc"], args].concat()));
        assert_eq!(code, Some(0), "{error}");
        let times = out.lines().filter(|line| !line.starts_with('#'));
        (times.map(|line| line.split(',').nth(1).unwrap().trim().parse().unwrap()).collect::<Vec<i64>>(), error)
    };
    let even = |times: &[i64]| times.windows(2).all(|pair| (20..=50).contains(&(pair[1] - pair[0])));
    let (restamped, said) = rows(&[]);
    assert!(even(&restamped) && said.contains("closed 1 jump of time"), "{restamped:?} {said}");
    let (passed, _) = rows(&["--jumps", "pass"]);
    assert!(passed.len() == restamped.len() && !even(&passed), "{passed:?}");
    let (cut, said) = rows(&["--jumps", "cut"]);
    assert!(even(&cut) && cut.len() * 2 == restamped.len() && said.contains("what follows is left out"), "{said}");
    let refused = Command::new(env!("CARGO_BIN_EXE_maliu")).args(["remux", &later, "-", "--jumps", "mend"]).output();
    assert_eq!(refused.unwrap().status.code(), Some(2));
}
