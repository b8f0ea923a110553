//! Text of files and peers reaches terminals and logs without a control character in it, and no longer than is
//! readable.

use std::{
    io::{Read, Write},
    net::TcpListener,
    thread,
};

mod binary;
mod peers;
use binary::{folder, run, text, within};
use peers::whole;

/// Escape sequences, a C1 control, a line of its own, and marks that turn text.
const EVIL: &str = "x\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m\r\n ERROR faked\u{202e}\u{2066}\u{7f}";

/// An FLV file whose tags have such a name and such a value.
fn film() -> Vec<u8> {
    let string = |text: &str| [&(text.len() as u16).to_be_bytes()[..], text.as_bytes()].concat();
    let mut body = [&[2][..], &string("onMetaData"), &[8, 0, 0, 0, 2]].concat();
    for value in [EVIL.to_owned(), "y".repeat(900)] {
        let name = format!("{}{EVIL}", value.len());
        body.extend([&string(&name)[..], &[2], &string(&value)].concat());
    }
    body.extend([0, 0, 9]);
    let mut file = b"FLV\x01\x05\0\0\0\x09\0\0\0\0".to_vec();
    // MP3 of one invalid frame, so that there is a packet.
    for (kind, body) in [(18, &body), (8, &vec![0x2f; 400])] {
        let size = (body.len() as u32).to_be_bytes();
        file.extend([&[kind][..], &size[1..], &[0; 7], body, &(body.len() as u32 + 11).to_be_bytes()].concat());
    }
    file
}

fn is_plain(text: &str) -> bool {
    let harmful = |c: char| {
        c.is_control() && c != '\n' && c != '\t'
            || matches!(c, '\u{200e}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    !text.contains(harmful)
}

#[test]
fn tags_of_files_are_shown_escaped_and_json_has_all_of_them() {
    let folder = folder("plain");
    let film_at = within(&folder, "evil.flv");
    std::fs::write(&film_at, film()).unwrap();
    for args in [&["probe", &film_at][..], &["-v", "check", &film_at], &["probe", "--explain", "--json", &film_at]] {
        let (_, out, err) = text(&run(args));
        assert!(is_plain(&out) && is_plain(&err), "{args:?}: {out:?} {err:?}");
        assert!(!out.contains("\n ERROR faked"), "{args:?}: {out}");
    }
    let (_, shown, _) = text(&run(&["probe", &film_at]));
    assert!(shown.contains(r"\u{1b}]0;owned"), "{shown}");
    let report = binary::json(&run(&["probe", "--json", &film_at]));
    let tags = report["format"]["tags"].as_object().unwrap();
    assert!(
        tags.values().any(|value| value == EVIL) && tags.values().any(|value| value == &"y".repeat(900)),
        "{tags:?}"
    );
}

#[cfg(unix)]
#[test]
fn names_of_files_are_shown_escaped() {
    let folder = folder("plain-names");
    let missing = within(&folder, EVIL.trim_end_matches('\u{7f}'));
    for args in [&["probe", &missing][..], &["remux", &missing, "out.flv"], &["decode", &missing, "out.wav"]] {
        let (code, out, err) = text(&run(args));
        assert!(code == Some(1) && is_plain(&out) && is_plain(&err), "{args:?}: {out:?} {err:?}");
    }
}

#[test]
fn reasons_of_peers_are_shown_escaped_and_cut() {
    let folder = folder("plain-peer");
    let film_at = within(&folder, "evil.flv");
    std::fs::write(&film_at, film()).unwrap();
    for json in [&[][..], &["--json"]] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("tcp://{}", listener.local_addr().unwrap());
        let peer = thread::spawn(move || {
            let (mut sender, _) = listener.accept().unwrap();
            let words = format!("{EVIL}{}", "z".repeat(3000));
            let mut reason = vec![0, 2];
            reason.extend([&(words.len() as u32).to_be_bytes()[..], words.as_bytes()].concat());
            sender.write_all(&whole(1, 0, 0, &[7; 16])).unwrap();
            sender.write_all(&whole(11, 0, 0, &reason)).unwrap();
            let _ = sender.read_to_end(&mut Vec::new());
        });
        let (code, out, err) = text(&run(&[&["send", &film_at, &address, "--give-up", "1", "-v"], json].concat()));
        assert!(code == Some(1) && is_plain(&out) && is_plain(&err), "{out:?} {err:?}");
        assert!(
            err.contains("owned") && !err.contains(&"z".repeat(1100)) && !err.contains("\n ERROR faked"),
            "{err:?}"
        );
        out.lines().for_each(|line| drop(serde_json::from_str::<serde_json::Value>(line).unwrap()));
        peer.join().unwrap();
    }
}
