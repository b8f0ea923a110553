//! MP4 files on pipes, with room for their index, with several configurations, and explained.

mod binary;

use std::fs;

use binary::{folder, run, run_on, sample, text, within};

/// Checksums of all packets of a file.
fn packets(path: &str) -> String {
    let (code, out, err) = text(&run(&["remux", path, "-", "-f", "framemd5"]));
    assert_eq!(code, Some(0), "{err}");
    out
}

#[test]
fn an_index_behind_its_media_can_be_read_from_a_pipe() {
    for name in ["moov_behind", "oddities", "fragments", "moov_front"] {
        let path = sample(&format!("mp4/{name}.mp4"));
        let bytes = fs::read(&path).unwrap();
        for args in [
            &["remux", "IN", "-", "-f", "flv"][..],
            &["remux", "IN", "-", "-f", "framemd5", "--start", "0.7"],
            &["decode", "IN", "-", "--format", "s16le"],
            &["probe", "IN", "--packets"],
            &["nals", "IN"],
        ] {
            let with = |input| args.iter().map(|arg| if *arg == "IN" { input } else { *arg }).collect::<Vec<&str>>();
            let (file, pipe) = (run(&with(&path)), run_on(bytes.clone(), &with("-")));
            // Seeking needs an input that can go back.
            if args.contains(&"--start") && name != "moov_behind" {
                continue;
            }
            let (code, out, err) = text(&pipe);
            assert_eq!(code, Some(0), "{name} {args:?}: {err}");
            let lines = |out: &str| out.lines().filter(|line| !line.contains(" bytes")).count();
            assert_eq!(lines(&out), lines(&text(&file).1), "{name} {args:?}");
            if args[0] != "probe" {
                assert!(pipe.stdout == file.stdout, "{name} {args:?}");
            }
        }
    }
}

#[test]
fn room_that_is_reserved_takes_the_index_or_leaves_it_behind() {
    let folder = folder("room_that_is_reserved_takes_the_index_or_leaves_it_behind");
    let path = sample("mp4/moov_behind.mp4");
    let place = |file: &[u8], name: &[u8; 4]| file.windows(4).position(|window| window == name).unwrap();
    for (room, front) in [("4000", true), ("100", false)] {
        let out = within(&folder, &format!("{room}.mp4"));
        let (code, _, err) = text(&run(&["remux", &path, &out, "-o", &format!("reserve={room}")]));
        assert_eq!(code, Some(0), "{err}");
        assert_eq!(err.contains("do not fit"), !front, "{err}");
        let file = fs::read(&out).unwrap();
        assert_eq!(place(&file, b"moov") < place(&file, b"mdat"), front);
        assert_eq!(packets(&out), packets(&path));
        let (code, said, _) = text(&run(&["check", &out]));
        assert_eq!(code, Some(0), "{said}");
        assert_eq!(said.contains("index-behind"), !front, "{said}");
    }
}

#[test]
fn several_configurations_are_carried() {
    let folder = folder("several_configurations_are_carried");
    let path = sample("mp4/oddities.mp4");
    for (settings, descriptions) in [(&["-o", "hybrid=0"][..], true), (&[], true), (&["-f", "fmp4"], false)] {
        let out = within(&folder, "out.mp4");
        let (code, _, err) = text(&run(&[&["remux", &path, &out], settings].concat()));
        assert_eq!(code, Some(0), "{err}");
        let (_, said, _) = text(&run(&["probe", "--explain", &out]));
        assert_eq!(said.contains("2 sample descriptions"), descriptions, "{said}");
        if descriptions {
            assert_eq!(packets(&out), packets(&path));
        } else {
            // Fragments carry the second sets in the packet that they begin to hold at.
            let sets = |path: &str| text(&run(&["nals", path])).1.lines().filter(|line| line.contains("SPS")).count();
            assert_eq!(sets(&out), sets(&path) + 1);
        }
    }
}

#[test]
fn probe_explains_index_tracks_and_edit_lists() {
    let explained = |name: &str| text(&run(&["probe", "--explain", &sample(&format!("mp4/{name}"))])).1;
    let said = explained("edit_list.mp4");
    assert!(said.contains("moov box at offset 32 in front of the media"), "{said}");
    assert!(said.contains("track 1: edit: media from"), "{said}");
    let said = explained("moov_behind.mp4");
    assert!(said.contains(" behind the media"), "{said}");
    assert!(said.contains("12 samples in "), "{said}");
    let said = explained("fragments.mp4");
    assert!(said.contains("fragments from offset"), "{said}");
    let said = explained("oddities.mp4");
    assert!(said.contains("2 sample descriptions"), "{said}");
    assert!(said.contains("protection_systems: Widevine, Common PSSH, 00112233445566778899aabbccddeeff"), "{said}");
    assert!(said.contains("de-AT"), "{said}");
    let (_, json, _) = text(&run(&["probe", "--explain", "--json", &sample("mp4/edit_list.mp4")]));
    assert!(json.contains("track 1: edit"), "{json}");
}
