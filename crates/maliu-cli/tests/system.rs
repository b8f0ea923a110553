//! Events of the system during a command: signals, full devices, files that change, places that cannot be read.
#![cfg(unix)]

use std::{
    fs,
    io::{Read, Write},
    path::Path,
    process::{Child, Command, Stdio},
    thread::{self, sleep},
    time::{Duration, Instant},
};

mod binary;
use binary::{command, folder, run, sample, text, within};

fn signal(child: &Child, name: &str) {
    let id = child.id().to_string();
    assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
}

/// Waits until `done`, for ten seconds at most.
fn wait(mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() && begun.elapsed() < Duration::from_secs(10) {
        sleep(Duration::from_millis(10));
    }
}

fn fifo(path: &str) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// A command that has begun to write `out` beside its place and waits for more of its input.
fn waiting(folder: &Path, line: &[&str]) -> Child {
    let mut child = command(line).stdin(Stdio::piped()).spawn().unwrap();
    let film = fs::read(sample("flv/h264_aac.flv")).unwrap();
    child.stdin.as_mut().unwrap().write_all(&film[..film.len() / 2]).unwrap();
    wait(|| names(folder).iter().any(|name| name.ends_with(".part")));
    child
}

#[test]
fn a_stop_while_nothing_comes_keeps_what_came() {
    let folder = folder("a_stop_while_nothing_comes_keeps_what_came");
    let (film, sound) = (within(&folder, "out.flv"), within(&folder, "out.wav"));
    for (name, line) in [("-INT", ["remux", "-", &film]), ("-TERM", ["decode", "-", &sound])] {
        let mut child = waiting(&folder, &line);
        // Standard input stays open: the command must not wait for it.
        let _open = child.stdin.take();
        signal(&child, name);
        assert_eq!(child.wait().unwrap().code(), Some(130), "{line:?}");
    }
    assert_eq!(names(&folder), ["out.flv", "out.wav"]);
    for whole in [film, sound] {
        assert!(run(&["check", "-q", &whole]).status.success(), "{whole}");
    }
}

#[test]
fn a_second_stop_ends_an_output_that_takes_nothing() {
    let mut child = command(&["remux", "-", "-", "-f", "flv"]);
    let mut child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let film = fs::read(sample("flv/h264_aac.flv")).unwrap();
    let fed = thread::spawn(move || (0..1000).try_for_each(|_| input.write_all(&film)));
    sleep(Duration::from_millis(500));
    signal(&child, "-INT");
    sleep(Duration::from_millis(500));
    assert!(child.try_wait().unwrap().is_none(), "the output takes nothing");
    signal(&child, "-INT");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let _ = fed.join();
}

#[test]
fn two_signals_at_once_are_one_stop() {
    let folder = folder("two_signals_at_once_are_one_stop");
    let mut child = waiting(&folder, &["remux", "-", &within(&folder, "out.flv")]);
    signal(&child, "-TERM");
    signal(&child, "-TERM");
    // A busy machine may deliver them late. More comes then, so that the input notices.
    sleep(Duration::from_millis(200));
    let _ = child.stdin.take().unwrap().write_all(&fs::read(sample("flv/h264_aac.flv")).unwrap());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(names(&folder), ["out.flv"]);
}

#[test]
fn a_pipe_that_nobody_opens_is_left_at_the_first_stop() {
    let folder = folder("a_pipe_that_nobody_opens_is_left_at_the_first_stop");
    let path = within(&folder, "never.aac");
    fifo(&path);
    let mut child = command(&["decode", &path, &within(&folder, "out.wav")]).spawn().unwrap();
    sleep(Duration::from_millis(300));
    assert!(child.try_wait().unwrap().is_none(), "it waits for a writer");
    signal(&child, "-INT");
    wait(|| child.try_wait().unwrap().is_some());
    let status = child.wait().unwrap();
    assert!(status.code() == Some(130), "{status:?}");
    assert_eq!(names(&folder), ["never.aac"]);
}

#[test]
fn a_pipe_that_stalls_gives_what_a_file_gives() {
    let folder = folder("a_pipe_that_stalls_gives_what_a_file_gives");
    let (path, out, good) = (within(&folder, "slow.flv"), within(&folder, "out.aac"), within(&folder, "good.aac"));
    fifo(&path);
    let mut child = command(&["remux", &path, &out]).spawn().unwrap();
    let film = fs::read(sample("flv/h264_aac.flv")).unwrap();
    let mut pipe = fs::OpenOptions::new().write(true).open(&path).unwrap();
    for part in film.chunks(film.len() / 5) {
        pipe.write_all(part).unwrap();
        sleep(Duration::from_millis(60));
    }
    drop(pipe);
    assert!(child.wait().unwrap().success());
    assert!(run(&["remux", &sample("flv/h264_aac.flv"), &good]).status.success());
    assert!(fs::read(&out).unwrap() == fs::read(&good).unwrap());
}

#[test]
fn a_full_device_is_told_with_1() {
    if !Path::new("/dev/full").exists() {
        return;
    }
    let (film, song) = (sample("flv/h264_aac.flv"), sample("adts/stereo_44100.aac"));
    for line in [
        &["decode", &song, "/dev/full"][..],
        &["remux", &film, "/dev/full", "-f", "flv"],
        &["repair", &sample("flv/zero_tail.flv"), "/dev/full"],
    ] {
        let (code, _, stderr) = text(&run(line));
        assert_eq!(code, Some(1), "{line:?}");
        assert!(stderr.contains("writing /dev/full: No space left"), "{line:?}: {stderr}");
    }
    for line in [
        &["probe", "--json", "--packets", &film][..],
        &["nals", &film],
        &["check", &film],
        &["layout", "explain", "flv-tag", &film],
        &["decode", &song, "-"],
        &["remux", &film, "-", "-f", "framecrc"],
        &["send", &film, "-"],
        &["formats"],
        &["codecs"],
        &["man"],
        &["completions", "bash"],
    ] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let (code, _, stderr) = text(&command(line).stdout(full).output().unwrap());
        assert_eq!(code, Some(1), "{line:?}");
        assert!(stderr.contains("writing standard output: No space left"), "{line:?}: {stderr}");
    }
}

#[test]
fn a_full_or_closed_standard_error_stops_nothing() {
    if !Path::new("/dev/full").exists() {
        return;
    }
    let folder = folder("a_full_or_closed_standard_error_stops_nothing");
    let out = within(&folder, "out.flv");
    for line in [
        &["remux", &sample("flv/h264_aac.flv"), &out, "--explain", "-vv"][..],
        &["repair", &sample("flv/previous_sizes_0.flv"), &out],
        &["decode", "-v", &sample("adts/junk_between_frames.aac"), "/dev/null"],
    ] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        assert!(command(line).stderr(full).status().unwrap().success(), "{line:?}");
        let mut child = command(line).spawn().unwrap();
        drop(child.stderr.take());
        assert!(child.wait().unwrap().success(), "{line:?} without a peer at the other end");
    }
}

/// A file beyond this many blocks of 512 bytes is a full disk, without a disk of one's own.
fn with_a_limit_of(blocks: u32, line: &[&str]) -> std::process::Output {
    let script = format!("ulimit -f {blocks}; exec \"$@\"");
    Command::new("sh").args(["-c", &script, "sh", env!("CARGO_BIN_EXE_maliu")]).args(line).output().unwrap()
}

#[test]
fn a_disk_that_fills_up_leaves_what_was_there_before() {
    let folder = folder("a_disk_that_fills_up_leaves_what_was_there_before");
    let (film, song) = (sample("flv/h264_aac.flv"), sample("adts/stereo_44100.aac"));
    for (name, line) in [
        ("out.flv", ["remux", film.as_str()]),
        ("out.wav", ["decode", song.as_str()]),
        ("again.flv", ["repair", film.as_str()]),
    ] {
        let out = within(&folder, name);
        fs::write(&out, "old").unwrap();
        let done = with_a_limit_of(4, &[line[0], line[1], &out]);
        let (code, _, stderr) = text(&done);
        assert_eq!(code, Some(1), "{line:?}: {stderr}");
        assert!(stderr.contains(&format!("writing {out}: ")), "{line:?}: {stderr}");
        assert_eq!(fs::read(&out).unwrap(), b"old", "{line:?}");
    }
    assert_eq!(names(&folder), ["again.flv", "out.flv", "out.wav"]);
}

#[test]
fn a_reader_who_takes_little_ends_every_command_quietly() {
    let (film, song) = (sample("flv/h264_aac.flv"), sample("adts/stereo_44100.aac"));
    for line in [
        &["probe", "--json", "--packets", &film][..],
        &["nals", &film],
        &["layout", "explain", "flv-tag", &film],
        &["decode", &song, "-"],
        &["remux", &film, "-", "-f", "flv"],
        &["send", &film, "-"],
        &["man"],
    ] {
        let mut child = command(line).spawn().unwrap();
        let mut few = [0; 10];
        child.stdout.as_mut().unwrap().read_exact(&mut few).unwrap();
        drop(child.stdout.take());
        let (code, _, stderr) = text(&child.wait_with_output().unwrap());
        assert_eq!((code, stderr.as_str()), (Some(0), ""), "{line:?}");
    }
}

#[test]
fn a_file_that_shrinks_or_changes_while_it_is_read_does_no_harm() {
    let folder = folder("a_file_that_shrinks_or_changes_while_it_is_read_does_no_harm");
    let film = fs::read(sample("flv/h264_aac.flv")).unwrap().repeat(40);
    let harms: [fn(&str); 3] = [
        |path| fs::OpenOptions::new().write(true).open(path).unwrap().set_len(50_000).unwrap(),
        |path| fs::write(path, vec![0x5a; 3_000_000]).unwrap(),
        |path| fs::remove_file(path).unwrap(),
    ];
    for (index, harm) in harms.iter().enumerate() {
        let path = within(&folder, &format!("{index}.flv"));
        fs::write(&path, &film).unwrap();
        // Its output is not read at first: it stands still in the middle of the file.
        let mut child = command(&["remux", &path, "-", "-f", "flv"]).spawn().unwrap();
        let mut head = [0; 3];
        child.stdout.as_mut().unwrap().read_exact(&mut head).unwrap();
        harm(&path);
        let (code, _, stderr) = text(&child.wait_with_output().unwrap());
        assert_eq!(&head, b"FLV");
        assert!(matches!(code, Some(0 | 1)), "{index}: {code:?} {stderr}");
        assert!(!stderr.contains("panicked"), "{stderr}");
    }
}

#[test]
fn a_growing_file_is_read_to_where_it_is_quiet() {
    let folder = folder("a_growing_file_is_read_to_where_it_is_quiet");
    let (path, out) = (within(&folder, "growing.aac"), within(&folder, "out.aac"));
    let song = fs::read(sample("adts/mono_16000.aac")).unwrap();
    fs::write(&path, &song[..1000]).unwrap();
    let child = command(&["probe", "--packets", "--follow=2", &path]).spawn().unwrap();
    for part in song[1000..].chunks(700) {
        sleep(Duration::from_millis(30));
        fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(part).unwrap();
    }
    let grown = text(&child.wait_with_output().unwrap());
    fs::write(&out, &song).unwrap();
    let lines = |said: &str| said.lines().filter(|line| line.starts_with("0 audio pts")).count();
    assert_eq!(grown.0, Some(0), "{}", grown.2);
    assert_eq!(lines(&grown.1), lines(&text(&run(&["probe", "--packets", &out])).1));
}

#[test]
fn an_output_is_never_the_input() {
    let folder = folder("an_output_is_never_the_input");
    let [film, sound] = ["a.flv", "a.wav"].map(|name| within(&folder, name));
    fs::copy(sample("flv/h264_aac.flv"), &film).unwrap();
    fs::copy(sample("wav/pcm_s16le.wav"), &sound).unwrap();
    let link = within(&folder, "link.flv");
    std::os::unix::fs::symlink(&film, &link).unwrap();
    for (path, line) in [
        (&film, ["remux", &film, &film]),
        (&film, ["remux", &film, &link]),
        (&film, ["repair", &film, &link]),
        (&sound, ["decode", &sound, &sound]),
    ] {
        let before = fs::read(path).unwrap();
        let (code, _, stderr) = text(&run(&line));
        assert_eq!(code, Some(2), "{line:?}");
        assert!(stderr.contains("another file than the input"), "{line:?}: {stderr}");
        assert!(fs::read(path).unwrap() == before, "{line:?}");
    }
}

#[test]
fn what_cannot_be_read_or_written_is_named() {
    let folder = folder("what_cannot_be_read_or_written_is_named");
    let (here, nowhere) = (folder.to_str().unwrap(), within(&folder, "no/such/out.wav"));
    let song = sample("adts/mono_16000.aac");
    for (line, words) in [
        (&["probe", here][..], "is a directory"),
        (&["check", here], "is a directory"),
        (&["nals", here], "is a directory"),
        (&["layout", "explain", "tail", here], "is a directory"),
        (&["decode", &song, here, "--to", "wav"], "is a directory"),
        (&["decode", &song, &nowhere], "No such file"),
        (&["remux", &song, &nowhere], "No such file"),
    ] {
        let (code, _, stderr) = text(&run(line));
        assert!(matches!(code, Some(1)), "{line:?}: {code:?}");
        assert!(stderr.to_lowercase().contains(&words.to_lowercase()), "{line:?}: {stderr}");
    }
    assert_eq!(names(&folder), [""; 0]);
}

#[test]
#[ignore = "needs script(1), which gives a program a terminal"]
fn the_progress_bar_is_for_terminals_only() {
    let folder = folder("the_progress_bar_is_for_terminals_only");
    let song = within(&folder, "long.aac");
    fs::write(&song, fs::read(sample("adts/stereo_44100.aac")).unwrap().repeat(40)).unwrap();
    let out = within(&folder, "out.wav");
    let line = format!("'{}' decode '{song}' '{out}'", env!("CARGO_BIN_EXE_maliu"));
    let shown = Command::new("script").args(["-qec", &line, "/dev/null"]).env("TERM", "xterm").output().unwrap();
    assert!(shown.status.success());
    assert!(text(&shown).1.contains("x real time"), "{}", text(&shown).1);
    fs::remove_file(&out).unwrap();
    assert_eq!(text(&run(&["decode", &song, &out])), (Some(0), String::new(), String::new()), "piped");
}
