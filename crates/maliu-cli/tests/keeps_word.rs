//! Options do what they say or are refused, and failures show in the exit code.

use std::{fs, process::Command};

mod binary;
use binary::{folder, run, run_on, sample, text, within};

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

#[test]
fn options_that_change_nothing_in_an_output_are_refused() {
    let folder = folder("options_that_change_nothing_in_an_output_are_refused");
    let (film, sound) = (sample("flv/h264_aac.flv"), sample("adts/stereo_44100.aac"));
    let out = |name: &str| within(&folder, name);
    let (raw, flv, wav, movie) = (out("x.h264"), out("x.flv"), out("x.wav"), out("x.mp4"));
    let (tail, yuv, here) = (out("x.tail"), out("x.y4m"), "tcp://127.0.0.1:0");
    let cases: &[&[&str]] = &[
        &["remux", &film, &raw, "--copy-times"],
        &["remux", &film, &raw, "--jumps", "restamp"],
        &["remux", &film, &raw, "--jumps", "pass"],
        &["remux", &film, &tail, "--write-layout", "tail", "-o", "bitexact=1"],
        &["remux", &film, &tail, "--write-layout", "tail", "-f", "flv"],
        &["remux", &film, &flv, "-o", "nonsense=1"],
        &["remux", &film, &flv, "--interleave", "--write-frame"],
        &["decode", &film, &wav, "--picture-memory", "100"],
        &["decode", &film, &wav, "--snapshot", "1"],
        &["decode", &film, &yuv, "--drc"],
        &["decode", &film, &wav, "--from", "flv", "--probe-budget", "5000"],
        &["decode", &film, &wav, "-o", "recover=1"],
        &["decode", "-", &wav, "--follow"],
        &["probe", &film, "--hash", "md5"],
        &["nals", "--layout", "tail", "--probe-budget", "5000", &film],
        &["repair", &film, &flv, "--like", &film],
        &["repair", &film, &movie],
        &["repair", &sample("mp4/edit_list.mp4"), &movie, "--max-gap", "3"],
        &["send", &film, here, "--queue-time", "1"],
        &["send", &film, here, "--queue-bytes", "1000000"],
        &["send", &film, here, "--insecure"],
        &["send", &film, here, "--fingerprint", "00"],
        &["send", &film, here, "--ca", &film],
        &["send", &film, here, "--keys", &flv],
        &["send", &film, here, "--map", "v"],
        &["send", &film, here, "--silence", "3"],
        &["send", &film, "-", "--token", "x"],
        &["send", &film, "-", "--name", "x"],
        &["send", &film, "-", "--give-up", "3"],
        &["send", &film, "-", "--json"],
        &["send", &film, "-", "--live", "--queue-time", "2"],
        &["send", &film, "-", "--fingerprint", "00"],
        &["receive", "-", &flv, "--fresh"],
        &["receive", "-", &flv, "--token", "x"],
        &["receive", "-", &flv, "--json"],
        &["receive", "-", &flv, "--keys", &flv],
        &["receive", here, &flv, "--cert", &flv, "--key", &flv],
        &["receive", here, &flv, "--fingerprint", "00"],
        &["receive", here, &flv, "--insecure"],
        &["receive", here, &flv, "--give-up", "3"],
        &["receive", here, &flv, "--patience", "3"],
        &["receive", here, &wav, "-o", "bitexact=1"],
        &["receive", here, &flv, "-o", "nonsense=1"],
        &["receive", here, "-", "-f", "flv", "--fresh"],
    ];
    for args in cases {
        let (code, _, error) = text(&run(args));
        assert!(code == Some(2) && !error.is_empty(), "{args:?}: {code:?} {error}");
    }
    let (code, _, error) = text(&run(&["remux", &sound, &sample("adts/mono_16000.aac"), &out("both.aac")]));
    assert!(code == Some(1) && error.contains("mono_16000.aac: nothing of it goes into the output"), "{error}");
    assert!(fs::read_dir(&folder).unwrap().next().is_none(), "nothing was written");
}

#[test]
fn aac_in_wav_is_read_back_and_said() {
    let folder = folder("aac_in_wav_is_read_back_and_said");
    let (sound, wav, back) = (sample("adts/stereo_44100.aac"), within(&folder, "x.wav"), within(&folder, "x.aac"));
    let (code, _, said) = text(&run(&["remux", &sound, &wav]));
    assert!(code == Some(0) && said.contains("maliu decode"), "{said}");
    let written = fs::read(&wav).unwrap();
    let format = written.windows(4).position(|at| at == b"fmt ").unwrap() + 8;
    assert_eq!(written[format..format + 2], [0, 0x16], "the tag of ADTS frames");
    assert_eq!(text(&run(&["remux", &wav, &back])).0, Some(0));
    assert!(fs::read(&back).unwrap() == run(&["remux", &sound, "-", "-f", "adts"]).stdout);
}

#[test]
fn a_message_that_the_end_cuts_fails_a_receiver() {
    let folder = folder("a_message_that_the_end_cuts_fails_a_receiver");
    let (capture, out) = (within(&folder, "x.tail"), within(&folder, "x.flv"));
    let film = sample("flv/h264_aac.flv");
    assert_eq!(text(&run(&["remux", &film, &capture, "--write-layout", "tail", "--copy-times"])).0, Some(0));
    let bytes = fs::read(&capture).unwrap();
    let receive = |end: usize| text(&run_on(bytes[..end].to_vec(), &["receive", "-", &out, "--layout", "tail"]));
    assert_eq!(receive(bytes.len()).0, Some(0));
    let whole = fs::metadata(&out).unwrap().len();
    let (code, _, error) = receive(bytes.len() - 20);
    assert!(code == Some(1) && error.contains("the end cuts a message short"), "{error}");
    let cut = fs::metadata(&out).unwrap().len();
    assert!(cut < whole && cut > whole / 2, "what came before is written");
}

#[test]
fn a_file_that_cannot_be_read_fails_before_a_connection_is_made() {
    let folder = folder("a_file_that_cannot_be_read_fails_before_a_connection_is_made");
    let noise = within(&folder, "noise.bin");
    fs::write(&noise, [0x55; 5000]).unwrap();
    for path in [noise, within(&folder, "missing.flv"), within(&folder, ".")] {
        let begun = std::time::Instant::now();
        // No program listens at the discard port: a connection would be tried again for a minute.
        let (code, _, error) = text(&run(&["send", &path, "tcp://127.0.0.1:9"]));
        assert!(code == Some(1) && begun.elapsed().as_secs() < 20, "{path}: {error}");
    }
}

#[test]
fn repair_says_what_it_mended_and_what_it_does_not_mend() {
    let folder = folder("repair_says_what_it_mended_and_what_it_does_not_mend");
    let out = within(&folder, "out.flv");
    let good = fs::read(sample("flv/h264_aac.flv")).unwrap();
    let tag = 13 + 15 + usize::from(good[15]) * 256 + usize::from(good[16]);
    let junk = [&good[..tag], &[0x55; 300], &good[tag..]].concat();
    let mut sizes = good.clone();
    sizes[tag - 4..tag].fill(9);
    for (bytes, words) in [(junk, "bytes that belong to nothing"), (sizes, "size behind its tag")] {
        let (code, _, said) = text(&run_on(bytes, &["repair", "-", &out]));
        assert!(code == Some(0) && said.contains(words), "{words}: {said}");
        assert!(said.lines().filter(|line| line.contains("WARN")).count() <= 1, "{said}");
    }
    for (name, format) in [("wav/pcm_s24le.wav", "wav"), ("h264/b_frames.h264", "h264"), ("mp3/vbr_info.mp3", "mp3")] {
        let (code, _, said) = text(&run(&["repair", &sample(name), &within(&folder, "out.bin")]));
        assert!(code == Some(1) && said.contains("FLAC and MPEG-TS files") && said.contains(format), "{name}: {said}");
    }
    // Noise is of no format, so that the name of the output is no mistake.
    for output in ["noise.ts", "noise.mp4", "noise.flv"] {
        let (code, _, said) = text(&run_on(vec![0x55; 5000], &["repair", "-", &within(&folder, output)]));
        assert!(code == Some(1) && !said.contains("as the input is"), "{output}: {said}");
    }
}

#[test]
fn no_text_is_a_dump_of_memory() {
    let folder = folder("no_text_is_a_dump_of_memory");
    let odd = ["Some(", "None)", "(None", "Ok(", "Err(", "Ticks(", "NonZero", "TimeBase {", "Malformed {", ": None"];
    let out = within(&folder, "out.flv");
    let root = sample("");
    let mut files = Vec::new();
    for format in fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        let inside = fs::read_dir(format).unwrap().map(|entry| entry.unwrap().path());
        files.extend(inside.filter(|path| path.extension().is_some_and(|extension| extension != "dump")));
    }
    files.sort();
    let missing = within(&folder, "missing");
    for path in files.iter().map(|path| path.to_str().unwrap()) {
        let commands: [&[&str]; 4] = [
            &["probe", path, "-v"],
            &["check", path],
            &["remux", path, &out, "-v", "--explain"],
            &["decode", path, &missing, "--to", "flv"],
        ];
        for args in commands {
            let output = run(args);
            let (_, said, error) = text(&output);
            for word in odd {
                assert!(!said.contains(word) && !error.contains(word), "{args:?}: {word} in {said}{error}");
            }
        }
    }
    assert!(files.len() > 50, "{}", files.len());
}
