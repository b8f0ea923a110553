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
