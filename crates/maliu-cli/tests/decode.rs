//! `maliu decode` with the real binary.

use std::{
    fs,
    io::{Read, Write},
    process::Stdio,
};

mod binary;
use binary::{command, folder, run, run_on, sample, text, within};

#[test]
fn standard_output_gets_what_the_file_gets() {
    let folder = folder("standard_output_gets_what_the_file_gets");
    let (path, out) = (sample("adts/stereo_44100.aac"), within(&folder, "out.pcm"));
    let done = run(&["decode", &path, &out]);
    assert_eq!(text(&done), (Some(0), String::new(), String::new()));
    let piped = run_on(fs::read(&path).unwrap(), &["decode", "-", "-"]);
    assert_eq!(fs::read(&out).unwrap(), piped.stdout);
    assert_eq!(piped.stdout.len() % 4096, 0, "whole frames of 1024 samples of two channels");
}

#[test]
fn the_head_of_a_wav_tells_its_size() {
    let folder = folder("the_head_of_a_wav_tells_its_size");
    let (path, out) = (sample("adts/mono_16000.aac"), within(&folder, "out.wav"));
    assert!(run(&["decode", "--format", "f32le", &path, &out]).status.success());
    let wav = fs::read(&out).unwrap();
    let raw = run(&["decode", "--format", "f32le", &path, "-"]).stdout;
    let data = wav.len() - raw.len();
    assert_eq!((&wav[..4], &wav[data..]), (&b"RIFF"[..], &raw[..]));
    assert_eq!(wav[4..8], (wav.len() as u32 - 8).to_le_bytes());
    assert_eq!(wav[data - 8..data], [&b"data"[..], &(raw.len() as u32).to_le_bytes()].concat());
    let piped = run(&["decode", "--to", "wav", &path, "-"]).stdout;
    assert_eq!(piped[40..44], [0xff; 4], "a pipe says: until the end");
}

#[test]
fn every_container_of_pcm_can_be_written() {
    let folder = folder("every_container_of_pcm_can_be_written");
    let path = sample("adts/stereo_44100.aac");
    let bare = run(&["decode", &path, "-"]).stdout;
    for name in ["wav", "mov", "mp4", "flv"] {
        let out = within(&folder, &format!("out.{name}"));
        assert_eq!(text(&run(&["decode", &path, &out])), (Some(0), String::new(), String::new()), "{name}");
        assert!(run(&["decode", &out, "-"]).stdout == bare, "{name}");
    }
    assert!(run(&["decode", "--to", "s16le", &path, "-"]).stdout == bare);
    let (code, _, error) = text(&run(&["decode", &path, &within(&folder, "out.mp3")]));
    assert_eq!(code, Some(2), "{error}");
    assert!(error.contains(".mp3 takes no s16le samples; pcm and flac, ") && error.contains("wav"), "{error}");
}

#[test]
fn pcm_comes_back_exactly() {
    let folder = folder("pcm_comes_back_exactly");
    let data = |wav: &[u8]| {
        let at = wav.windows(4).position(|name| name == b"data").unwrap();
        wav[at + 8..].to_vec()
    };
    for format in ["u8", "s16le", "s24le", "s32le", "f32le"] {
        let (path, out) = (sample(&format!("wav/pcm_{format}.wav")), within(&folder, &format!("{format}.wav")));
        assert_eq!(text(&run(&["decode", "--format", format, &path, &out])), (Some(0), String::new(), String::new()));
        assert_eq!(data(&fs::read(&path).unwrap()), data(&fs::read(&out).unwrap()), "{format}");
    }
}

#[test]
fn gapless_trim_can_be_left_out() {
    let path = sample("mp3/vbr_info.mp3");
    let len = |gapless| run(&["decode", "--gapless", gapless, &path, "-"]).stdout.len();
    assert!(len("on") < len("off"), "{} {}", len("on"), len("off"));
    assert_eq!(len("off") % 1152, 0);
}

#[test]
fn a_live_pipe_is_heard_at_once() {
    let bytes = fs::read(sample("adts/mono_16000.aac")).unwrap();
    let mut child = command(&["decode", "-", "-"]).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&bytes[..1500]).unwrap();
    let mut first = [0; 2048];
    child.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
    drop(stdin);
    assert!(child.wait_with_output().unwrap().status.success());
}

#[test]
#[cfg(unix)]
fn a_stop_leaves_a_whole_file() {
    let folder = folder("a_stop_leaves_a_whole_file");
    let (path, out) = (within(&folder, "growing.aac"), within(&folder, "out.wav"));
    fs::copy(sample("adts/mono_16000.aac"), &path).unwrap();
    let child = command(&["decode", "--follow", &path, &out]).spawn().unwrap();
    // Sound is in the file beside its place: the handler is in its place, too.
    let growing = || {
        fs::read_dir(&folder).unwrap().flatten().any(|entry| {
            entry.file_name().to_string_lossy().ends_with(".part")
                && entry.metadata().is_ok_and(|about| about.len() > 0)
        })
    };
    (0..500).take_while(|_| !growing()).for_each(|_| std::thread::sleep(std::time::Duration::from_millis(20)));
    let id = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let (code, _, stderr) = text(&child.wait_with_output().unwrap());
    assert_eq!(code, Some(130));
    assert!(stderr.contains("stopped by the user"), "{stderr}");
    let wav = fs::read(&out).unwrap();
    assert_eq!(wav[4..8], (wav.len() as u32 - 8).to_le_bytes());
}

#[test]
fn a_start_behind_the_end_is_warned_of() {
    for path in ["mp3/vbr_info.mp3", "wav/pcm_s16le.wav"] {
        let (code, stdout, stderr) = text(&run(&["decode", "--start", "1:40", &sample(path), "-"]));
        assert_eq!((code, stdout.as_str()), (Some(0), ""), "{stderr}");
        assert!(stderr.contains("ends before --start"), "{stderr}");
    }
}

#[test]
fn start_and_duration_cut_exactly() {
    let path = sample("adts/stereo_44100.aac");
    let whole = run(&["decode", &path, "-"]).stdout;
    let part = run(&["decode", "--start", "0.1", "--duration", "0:00.25", &path, "-"]).stdout;
    assert_eq!(part, whole[4410 * 4..(4410 + 11025) * 4]);
}

#[test]
fn a_failure_leaves_the_file_that_was_there() {
    let folder = folder("a_failure_leaves_the_file_that_was_there");
    let out = within(&folder, "out.wav");
    fs::write(&out, "old").unwrap();
    let (code, _, stderr) = text(&run_on(b"no media".repeat(99), &["decode", "-", &out]));
    assert_eq!(code, Some(1));
    assert!(stderr.starts_with("reading standard input: unrecognized"), "{stderr}");
    assert_eq!(fs::read(&out).unwrap(), b"old");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "nothing else is left behind");
}

#[test]
fn a_device_is_written_directly() {
    let done = run(&["decode", &sample("adts/mono_16000.aac"), "/dev/null"]);
    assert_eq!(text(&done), (Some(0), String::new(), String::new()));
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let mut child = command(&["decode", &sample("adts/stereo_44100.aac"), "-"]).spawn().unwrap();
    drop(child.stdout.take());
    let (code, _, stderr) = text(&child.wait_with_output().unwrap());
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
}

#[test]
fn a_change_of_rate_is_converted_and_said() {
    let path = sample("adts/rate_changes.aac");
    let (code, _, stderr) = text(&run(&["decode", &path, "/dev/null"]));
    assert_eq!(code, Some(0));
    assert!(stderr.contains("converted"), "{stderr}");
}

#[test]
fn what_cannot_be_decoded_is_named() {
    let folder = folder("what_cannot_be_decoded_is_named");
    let out = within(&folder, "out.wav");
    let (code, _, stderr) = text(&run(&["decode", "--stream", "1", &sample("flv/flv1_mp3.flv"), &out]));
    assert_eq!(code, Some(1));
    assert!(stderr.contains("unsupported: codec flv1"), "{stderr}");
    let (code, _, stderr) = text(&run(&["decode", "--stream", "7", &sample("flv/flv1_mp3.flv"), &out]));
    assert_eq!(code, Some(1));
    assert!(stderr.contains("there is no stream 7"), "{stderr}");
    assert!(!fs::exists(&out).unwrap());
}

#[test]
fn parametric_stereo_that_begins_late_is_stereo_from_the_start_of_a_file() {
    let folder = folder("parametric_stereo_that_begins_late_is_stereo_from_the_start_of_a_file");
    let (path, out) = (sample("adts/he_v2_late.aac"), within(&folder, "out.wav"));
    assert_eq!(text(&run(&["decode", &path, &out])), (Some(0), String::new(), String::new()));
    let behind = |path: &str, name: &[u8]| {
        let wav = fs::read(path).unwrap();
        let at = wav.windows(4).position(|four| four == name).unwrap();
        wav[at + 8..].to_vec()
    };
    assert_eq!(behind(&out, b"fmt ")[2], 2, "channels");
    let frames: Vec<_> = behind(&out, b"data").chunks_exact(4).map(|frame| frame[..2] == frame[2..]).collect();
    let mono = frames.iter().take_while(|same| **same).count();
    assert!(mono > 9000 && frames[mono..].iter().filter(|same| !**same).count() > 2000, "{mono} of {}", frames.len());
    // Bytes written to a pipe cannot be taken back.
    let (bytes, piped) = (fs::read(&path).unwrap(), within(&folder, "piped.wav"));
    let (code, _, stderr) = text(&run_on(bytes, &["decode", "-", &piped]));
    assert!(code == Some(0) && stderr.contains("the sound changes to 32000 Hz, 2 channels"), "{stderr}");
    assert_eq!(behind(&piped, b"fmt ")[2], 1, "channels");
}

#[test]
fn dynamic_range_control_is_applied_on_request() {
    let frames = fs::read(sample("adts/mono_16000.aac")).unwrap();
    let (mut rest, mut with_gains) = (&frames[..], Vec::new());
    while let Some(head) = rest.first_chunk::<7>() {
        let length = usize::from(head[3] & 3) << 11 | usize::from(head[4]) << 3 | usize::from(head[5] >> 5);
        let (frame, behind) = rest.split_at(length);
        rest = behind;
        // In front of the channel, a fill element with gains: 24 steps down. It is a bit short of three bytes.
        let mut block = vec![0b1100_0101, 0b0110_0001, 0b0011_0000];
        for byte in &frame[7..] {
            *block.last_mut().unwrap() |= byte >> 7;
            block.push(byte << 1);
        }
        let length = 7 + block.len();
        let mut head = *head;
        head[3] = head[3] & !3 | (length >> 11) as u8;
        head[4] = (length >> 3) as u8;
        head[5] = head[5] & 31 | (length << 5) as u8;
        with_gains.extend(head);
        with_gains.extend(block);
    }
    let decode = |more: &[&str]| {
        let arguments = [&["decode", "-", "-", "--format", "f32le"], more].concat();
        let sound = run_on(with_gains.clone(), &arguments).stdout;
        sound.chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect::<Vec<_>>()
    };
    let (plain, quiet) = (decode(&[]), decode(&["--drc"]));
    assert!(plain.len() > 10_000 && plain.iter().any(|sample| sample.abs() > 0.05));
    assert_eq!(quiet, plain.iter().map(|sample| sample / 2.0).collect::<Vec<_>>());
}

#[test]
fn any_number_of_threads_writes_the_same() {
    for name in [
        "adts/stereo_44100.aac",
        "adts/he_v2_late.aac",
        "adts/rate_changes.aac",
        "mp3/cbr_64k_tags.mp3",
        "flv/h264_aac.flv",
    ] {
        let path = sample(name);
        for more in [&[][..], &["--start", "0.5", "--duration", "0.7"], &["--gapless", "off", "--to", "wav"]] {
            let with = |threads| {
                let args = [&["decode", "--threads", threads], more, &[&path, "-"]].concat();
                let done = run(&args);
                (done.status.code(), done.stdout, String::from_utf8(done.stderr).unwrap())
            };
            let one = with("1");
            assert!(!one.1.is_empty());
            for threads in ["0", "2", "3", "8"] {
                assert!(with(threads) == one, "{name} {more:?} by {threads} threads");
            }
            let piped = [&["decode", "--threads", "3"], more, &["-", "-"]].concat();
            assert!(run_on(fs::read(&path).unwrap(), &piped).stdout == one.1, "{name} {more:?} from a pipe");
        }
    }
}

#[test]
fn jobs_write_what_can_be_decoded_and_tell_the_rest() {
    let folder = folder("jobs_write_what_can_be_decoded_and_tell_the_rest");
    let out = within(&folder, "out");
    let (aac, mp3) = (sample("adts/stereo_44100.aac"), sample("mp3/vbr_info.mp3"));
    let bad = within(&folder, "bad.mp3");
    fs::write(&bad, [0; 4000]).unwrap();
    let done = run(&["decode", "--jobs", "3", &aac, &bad, &mp3, &aac, &out]);
    let (code, _, said) = text(&done);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("bad.mp3") && said.ends_with("1 of 4 inputs failed\n"), "{said}");
    let mut names: Vec<_> = fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["stereo_44100.aac.wav", "stereo_44100.wav", "vbr_info.wav"]);
    let alone = within(&folder, "alone.wav");
    assert!(run(&["decode", &mp3, &alone]).status.success());
    assert!(fs::read(&alone).unwrap() == fs::read(within(&folder, "out/vbr_info.wav")).unwrap());
    assert!(run(&["decode", "--jobs", "0", "--to", "pcm", &aac, &out]).status.success());
    assert!(folder.join("out/stereo_44100.pcm").is_file());
}
