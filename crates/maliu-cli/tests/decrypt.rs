//! Encrypted MP4: with the key the packets are those that were encrypted, without it they are marked.

mod binary;
use binary::{json, run, sample, text};

const KEY: &str = "00112233445566778899aabbccddeeff";
const KEY_ID: &str = "a7e61c373e219033c21091fa607bf3b8";

/// Sizes and checksums of packets, sorted: files interleave differently.
fn packets(args: &[&str]) -> Vec<String> {
    let (code, out, err) = text(&run(&[&["remux"][..], args, &["-", "-f", "framemd5"]].concat()));
    assert_eq!(code, Some(0), "{err}");
    let packet = |line: &str| line.split(',').skip(4).take(2).map(str::trim).collect::<Vec<_>>().join(" ");
    let mut packets: Vec<String> = out.lines().filter(|line| !line.starts_with('#')).map(packet).collect();
    packets.sort();
    packets
}

#[test]
fn a_key_gives_the_packets_that_were_encrypted() {
    let plain = sample("mp4/moov_behind.mp4");
    let (all, video) = (packets(&[&plain]), packets(&[&plain, "--map", "v"]));
    for (name, plain) in [("mp4/encrypted.mp4", all), ("mp4/encrypted_fragments.mp4", video)] {
        let path = sample(name);
        let key = format!("{KEY_ID}:{KEY}");
        let other = format!("{}:{KEY}", KEY_ID.replace('a', "b"));
        assert_eq!(packets(&[&path, "--key", &key]), plain, "{name}");
        assert_eq!(packets(&[&path, "--key", &other, "--key", &key]), plain, "{name}");
        let closed = packets(&[&path, "--key", &other]);
        assert!(closed.len() == plain.len() && closed != plain, "{name}");
        let shown = json(&run(&["probe", "--json", &path]));
        assert_eq!(shown["streams"][0]["encryption"]["key_id"], KEY_ID, "{name}");
        let shown = json(&run(&["probe", "--json", &path, "--key", &key]));
        assert!(shown["streams"][0]["encryption"].is_null(), "{name}");
    }
}

#[test]
fn keys_that_make_no_sense_are_refused() {
    let path = sample("mp4/encrypted.mp4");
    for key in ["", "1:2", KEY, &format!("{KEY_ID}:{KEY}0"), &format!("{KEY_ID}:{}", KEY.replace('0', "g"))] {
        let (code, _, err) = text(&run(&["probe", &path, "--key", key]));
        assert!(code == Some(2) && err.contains("key"), "{key}: {code:?} {err}");
    }
    let (code, _, err) = text(&run(&["probe", "--from", "flv", &path, "--key", &format!("{KEY_ID}:{KEY}")]));
    assert!(code == Some(2) && err.contains("MP4"), "{code:?} {err}");
}

#[test]
fn keys_for_a_file_that_is_not_encrypted_are_remarked() {
    let key = format!("{KEY_ID}:{KEY}");
    let (code, _, err) = text(&run(&["probe", &sample("mp4/moov_behind.mp4"), "--key", &key]));
    assert!(code == Some(0) && err.contains("no track is encrypted"), "{code:?} {err}");
    let (code, _, err) = text(&run(&["probe", &sample("mp4/encrypted.mp4"), "--key", &key]));
    assert!(code == Some(0) && !err.contains("no track is encrypted"), "{code:?} {err}");
}

#[test]
fn segments_behind_their_initialization_are_one_file() {
    let folder = binary::folder("init-segments");
    let (whole, path) = (sample("mp4/fragments.mp4"), |name: &str| binary::within(&folder, name));
    let file = std::fs::read(&whole).unwrap();
    let starts: Vec<usize> = (4..file.len() - 4).filter(|at| &file[*at..at + 4] == b"moof").map(|at| at - 4).collect();
    let (init, one, two) = (path("init.mp4"), path("1.m4s"), path("2.m4s"));
    let middle = starts[starts.len() / 2];
    std::fs::write(&init, &file[..starts[0]]).unwrap();
    std::fs::write(&one, &file[starts[0]..middle]).unwrap();
    std::fs::write(&two, &file[middle..]).unwrap();
    assert_eq!(packets(&["--init", &init, &one, &two]), packets(&[&whole]));
    let (code, _, err) = text(&run(&["remux", &one, "-", "-f", "framemd5"]));
    assert!(code != Some(0) && err.contains("--init"), "{err}");
    let film = sample("flv/h264_aac.flv");
    for args in [&["--init", &film, &film][..], &["--init", &init, "--from", "flv", &film]] {
        let (code, _, err) = text(&run(&[&["remux"][..], args, &["-", "-f", "framemd5"]].concat()));
        assert!(code != Some(0) && err.to_lowercase().contains("mp4"), "{args:?}: {code:?} {err}");
    }
}
