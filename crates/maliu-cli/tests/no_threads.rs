//! Commands on a system that has no thread left: they work without, or report it and end.
#![cfg(target_os = "linux")]

use std::{fs, os::unix::process::ExitStatusExt, process::Command};

mod binary;
use binary::{command, folder, process::Process, run, sample, text, within};

/// A command none of whose threads can be had: their stacks are larger than what can be addressed.
fn alone(args: &[&str]) -> Command {
    let mut command = command(args);
    command.env("RUST_MIN_STACK", (1_u64 << 62).to_string());
    command
}

/// A receiver without threads, and its address.
fn receiver(out: &str) -> (Process, String) {
    let mut receiver = Process(alone(&["receive", "--json", "tcp://127.0.0.1:0", out]).spawn().unwrap());
    let address = receiver.next_line()["address"].as_str().unwrap().to_owned();
    (receiver, address)
}

#[test]
fn long_inputs_give_the_same() {
    let folder = folder("no_threads_long");
    let (input, with, without) = (within(&folder, "in.aac"), within(&folder, "a.flv"), within(&folder, "b.flv"));
    let one = fs::read(sample("adts/stereo_44100.aac")).unwrap();
    fs::write(&input, one.repeat((12 << 20) / one.len())).unwrap();
    let expected = text(&run(&["remux", &input, &with]));
    assert_eq!(expected.0, Some(0), "{}", expected.2);
    assert_eq!(text(&alone(&["remux", &input, &without]).output().unwrap()), expected);
    assert!(fs::read(with).unwrap() == fs::read(without).unwrap());
}

#[test]
fn decoding_with_several_threads_and_several_files_gives_the_same() {
    let folder = folder("no_threads_decode");
    let (with, without) = (within(&folder, "a.pcm"), within(&folder, "b.pcm"));
    let (aac, mp3, many) = (sample("adts/stereo_44100.aac"), sample("mp3/cbr_64k_tags.mp3"), within(&folder, "many/"));
    for input in [&aac, &mp3] {
        let line = |out| ["decode", "--threads=4", "--to=pcm", input, out];
        let expected = text(&run(&line(&with)));
        assert_eq!(expected.0, Some(0), "{}", expected.2);
        assert_eq!(text(&alone(&line(&without)).output().unwrap()), expected);
        assert!(fs::read(&with).unwrap() == fs::read(&without).unwrap(), "{input}");
    }
    let output = text(&alone(&["decode", "--jobs=4", &aac, &mp3, &many]).output().unwrap());
    assert_eq!((output.0, fs::read_dir(many).unwrap().count()), (Some(0), 2), "{}", output.2);
}

#[test]
fn a_transfer_that_needs_one_is_refused_in_words() {
    let folder = folder("no_threads_wire");
    let (input, out) = (sample("flv/h264_aac.flv"), within(&folder, "out.flv"));
    let (mut receiver, address) = receiver(&out);
    let (code, _, why) = text(&alone(&["send", &input, &address]).output().unwrap());
    assert!(code == Some(1) && why.contains("no thread to read on"), "{code:?} {why}");
    let (code, _, why) = text(&run(&["send", &input, &address]));
    assert!(code == Some(1) && why.contains("no thread to write on"), "{code:?} {why}");
    assert_eq!(receiver.ends_within(10), Some(1));
    assert!(!fs::exists(out).unwrap());
}

#[test]
fn a_request_to_end_is_not_swallowed() {
    let folder = folder("no_threads_stop");
    let (mut receiver, _) = receiver(&within(&folder, "out.flv"));
    assert!(Command::new("kill").arg(receiver.0.id().to_string()).status().unwrap().success());
    assert_eq!(receiver.0.wait().unwrap().signal(), Some(15));
}
