//! Help, lists and exit codes with the real binary.

mod binary;
use binary::{run, text};

#[test]
fn help_of_every_command_has_examples() {
    for command in ["probe", "decode"] {
        let (code, out, _) = text(&run(&[command, "--help"]));
        assert_eq!(code, Some(0));
        assert!(out.contains("Example"), "{command}: {out}");
    }
    assert!(text(&run(&["--help"])).1.contains("maliu probe song.mp3"));
    assert!(text(&run(&["--version"])).1.starts_with("maliu "));
}

#[test]
fn wrong_usage_ends_with_2() {
    for args in
        [&["nothing"][..], &["decode", "a.aac"], &["decode", "a.aac", "b.mp3"], &["decode", "--start", "x", "a", "b"]]
    {
        let (code, out, stderr) = text(&run(args));
        assert_eq!((code, out.as_str()), (Some(2), ""), "{args:?}");
        assert!(!stderr.is_empty(), "{args:?}");
    }
}

#[test]
fn numbers_that_make_no_sense_end_with_2() {
    let receive = ["receive", "tcp://127.0.0.1:0", "no/such/folder", "--many"];
    let send = ["send", "in.flv", "tcp://127.0.0.1:1"];
    for (line, option, values) in [
        (&receive[..], "--max-transfers", &["0", "-1", "x", "1e3"][..]),
        (&receive, "--max-memory", &["0", "-1", "nan"]),
        (&receive, "--patience", &["nan", "-1", "-inf", "x"]),
        (&send, "--queue-bytes", &["0", "-1"]),
        (&send, "--queue-time", &["nan", "-1"]),
        (&send, "--give-up", &["nan", "-1"]),
        (&send, "--follow", &["nan", "-1"]),
    ] {
        for value in values {
            let option = format!("{option}={value}");
            let (code, out, stderr) = text(&run(&[line, &[&option]].concat()));
            assert_eq!((code, out.as_str()), (Some(2), ""), "{option}: {stderr}");
        }
    }
}

#[test]
fn a_missing_file_ends_with_1() {
    let (code, _, stderr) = text(&run(&["probe", "missing.aac"]));
    assert_eq!(code, Some(1));
    assert!(stderr.starts_with("opening missing.aac: "), "{stderr}");
}

#[test]
fn lists_name_formats_and_codecs() {
    let formats = text(&run(&["formats"])).1;
    assert!(formats.lines().any(|line| line.contains(" adts ")), "{formats}");
    assert!(text(&run(&["formats", "flv"])).1.contains("video/x-flv"));
    let codecs = text(&run(&["codecs"])).1;
    assert!(codecs.lines().any(|line| line.starts_with("D audio     aac")), "{codecs}");
    assert!(codecs.lines().any(|line| line.starts_with(". audio     speex")), "{codecs}");
}

#[test]
fn completions_and_the_manual_name_all_commands() {
    for page in [&["completions", "bash"][..], &["completions", "fish"], &["man"]] {
        let (code, out, _) = text(&run(page));
        assert_eq!(code, Some(0));
        for command in ["probe", "decode", "formats", "codecs"] {
            assert!(out.contains(command), "{page:?} names {command}");
        }
    }
}
