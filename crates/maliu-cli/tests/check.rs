//! `maliu check` and `maliu repair` with the real binary: every code of docs/check.md is provoked, told, and mended.

mod binary;
mod transport;
mod damage;

use std::fs;

use binary::{folder, json, run, run_on, sample, text, within};
use serde_json::Value;

const AVC: &[u8] = b"\x17\0\0\0\0\x01\x64\x00\x0a\xff\xe1\x00\x18\x67\x64\x00\x0a\xac\xd9\x42\xdf\x88\x84\x00\x00\x03\x00\x04\x00\x00\x03\x00\xa0\x3c\x48\x96\x58\x01\x00\x06\x68\xeb\xe3\xcb\x22\xc0";
const AAC: &[u8] = b"\xaf\0\x12\x10";

fn tag(kind: u8, time: u32, body: &[u8]) -> Vec<u8> {
    let [_, s2, s1, s0] = (body.len() as u32).to_be_bytes();
    let [t3, t2, t1, t0] = time.to_be_bytes();
    let head = [kind, s2, s1, s0, t2, t1, t0, t3, 0, 0, 0];
    [&head, body, &(body.len() as u32 + 11).to_be_bytes()].concat()
}

fn picture(time: u32, key: bool, later: u8) -> Vec<u8> {
    let (first, nal) = if key { (0x17, 0x65) } else { (0x27, 0x41) };
    tag(9, time, &[first, 1, 0, 0, later, 0, 0, 0, 4, nal, 0x88, 0x84, time as u8])
}

fn sound(time: u32) -> Vec<u8> {
    tag(8, time, &[0xaf, 1, 0x21, 0x10, time as u8])
}

/// onMetaData with these numbers.
fn metadata(numbers: &[(&str, f64)]) -> Vec<u8> {
    let mut body = b"\x02\0\x0aonMetaData\x08\0\0\0\0".to_vec();
    for (name, number) in numbers {
        body.extend([0, name.len() as u8]);
        body.extend_from_slice(name.as_bytes());
        body.push(0);
        body.extend_from_slice(&number.to_be_bytes());
    }
    body.extend(b"\0\0\x09");
    tag(18, 0, &body)
}

/// Tags of a clip with audio: both configurations, then keyframes at 0 and 80 ms, each with audio beside it.
fn film() -> Vec<Vec<u8>> {
    let mut tags = vec![tag(9, 0, AVC), tag(8, 0, AAC)];
    for n in 0..5 {
        tags.extend([picture(n * 40, n % 2 == 0, 0), sound(n * 40)]);
    }
    tags
}

/// A file of these tags behind its header.
fn file(tags: &[Vec<u8>]) -> Vec<u8> {
    let header = b"FLV\x01\x05\0\0\0\x09\0\0\0\0".to_vec();
    [header, tags.concat()].concat()
}

/// A clip with `change` made to its tags.
fn changed(change: impl FnOnce(&mut Vec<Vec<u8>>)) -> Vec<u8> {
    let mut tags = film();
    change(&mut tags);
    file(&tags)
}

/// Where the tag of this number begins.
fn offset(tags: &[Vec<u8>], number: usize) -> u64 {
    13 + tags[..number].iter().map(Vec::len).sum::<usize>() as u64
}

/// Code, severity and offset of a fault.
type Fault = (String, String, Option<u64>);

/// Result of check for these bytes on standard input: exit code and findings.
fn found(bytes: &[u8], more: &[&str]) -> (Option<i32>, Vec<Fault>) {
    let output = run_on(bytes.to_vec(), &[&["check", "-", "--json"], more].concat());
    assert!(!output.stdout.is_empty(), "{:?}", text(&output));
    let report = json(&output);
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    let list = report["faults"].as_array().unwrap().iter();
    let list = list.map(|fault| {
        assert!(["rule", "what", "fix"].iter().all(|name| !fault[name].as_str().unwrap().is_empty()), "{fault}");
        (word(&fault["code"]), word(&fault["severity"]), fault["offset"].as_u64())
    });
    (output.status.code(), list.collect())
}

/// A sequence header with the sets of [`AVC`] behind start codes.
fn foreign() -> Vec<u8> {
    let (sps, pps) = (&AVC[13..37], &AVC[40..46]);
    [&AVC[..5], b"\0\0\0\x01", sps, b"\0\0\0\x01", pps].concat()
}

/// A raw stream whose sequence parameter set has no timing: the flag of its VUI is cleared.
fn raw_without_rate() -> Vec<u8> {
    let set = b"\0\0\0\x01\x67\x42\xc0\x1e\xda\x02\x80\xbf\xe5\x84";
    let rest = b"\0\0\0\x01\x68\xce\x3c\x80\0\0\0\x01\x65\x88\x84\0\x10";
    [&set[..], rest].concat()
}

/// Bytes that provoke a code, and where it is to be found; `None` where no place is meant.
fn provocations() -> Vec<(&'static str, Vec<u8>, Option<u64>)> {
    let tags = film();
    let behind = offset(&tags, tags.len());
    let again = |number: usize| offset(&tags, number);
    let index = b"\0\x09keyframes\x03\0\x0dfilepositions\x0a\0\0\0\x01\0\x40\x8f\x40\0\0\0\0\0\0\x05times\x0a\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\x09";
    let mut indexed = metadata(&[("duration", 0.2)]);
    let end = indexed.len() - 7;
    indexed.splice(end..end, index.iter().copied());
    let size = (indexed.len() - 15) as u32;
    indexed[2..4].copy_from_slice(&size.to_be_bytes()[2..]);
    let at = indexed.len() - 4;
    indexed[at..].copy_from_slice(&(size + 11).to_be_bytes());
    let mut wav = fs::read(sample("wav/pcm_s16le.wav")).unwrap();
    let data = wav.windows(4).position(|name| name == b"data").unwrap();
    wav[data + 4..data + 8].fill(0xff);
    let mut h264 = fs::read(sample("h264/b_frames.h264")).unwrap();
    h264.extend_from_slice(b"\0\0\0\x01\x67\xff\xff");
    let tracks = (0..=255).flat_map(|id| {
        [
            tag(8, 0, &[b"\x95\x01mp4a", &[id, 1][..]].concat()),
            tag(9, 0, &[b"\x96\x01avc1", &[id, 0, 0, 0][..]].concat()),
        ]
    });
    vec![
        ("junk", changed(|tags| tags.insert(5, vec![0x55; 50])), Some(again(5))),
        ("cut", changed(|tags| tags.last_mut().unwrap().truncate(13)), Some(offset(&tags, tags.len() - 1))),
        ("zero-tail", changed(|tags| tags.push(vec![0; 64])), Some(behind)),
        ("previous-size", changed(|tags| *tags[4].last_mut().unwrap() = 9), Some(again(4))),
        ("unknown-tag", changed(|tags| tags.insert(4, tag(7, 0, b"what"))), Some(again(4))),
        ("no-size", wav, Some(data as u64)),
        ("unreadable", changed(|tags| tags.extend(tracks)), None),
        ("bad-config", h264, None),
        ("foreign-config", changed(|tags| tags[0] = tag(9, 0, &foreign())), Some(13)),
        ("no-config", changed(|tags| drop(tags.remove(1))), None),
        ("late-config", changed(|tags| tags.swap(0, 2)), Some(13)),
        ("repeated-config", changed(|tags| tags.insert(6, tag(8, 40, AAC))), Some(again(6))),
        ("no-key", changed(|tags| tags[2] = picture(0, false, 0)), Some(again(2))),
        ("dts-back", changed(|tags| tags[8] = picture(50, true, 0)), Some(again(8))),
        (
            "pts-before-dts",
            changed(|tags| tags[6] = tag(9, 80, &[0x17, 1, 0xff, 0xff, 0xec, 0, 0, 0, 1, 0x65])),
            Some(again(6)),
        ),
        ("jump", changed(|tags| tags.push(picture(60_000, true, 0))), Some(behind)),
        ("no-frame-rate", raw_without_rate(), None),
        ("no-duration", changed(|_| ()), None),
        ("bad-duration", changed(|tags| tags.insert(0, metadata(&[("duration", 90.0)]))), None),
        ("bad-filesize", changed(|tags| tags.insert(0, metadata(&[("filesize", 90.0)]))), None),
        ("no-index", changed(|_| ()), None),
        ("bad-index", changed(|tags| tags.insert(0, indexed)), Some(1000)),
        ("remark", [b"FLV\x01\x05\0\0\0\x05", &file(&film())[9..]].concat(), None),
    ]
    .into_iter()
    .chain(damage::provocations())
    .collect()
}

#[test]
fn every_code_of_the_page_is_told_where_it_stands() {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/check.md")).unwrap();
    let rows: Vec<Vec<&str>> =
        page.lines().filter(|line| line.starts_with("| `")).map(|line| line.split(" | ").collect()).collect();
    let mut codes: Vec<&str> = rows.iter().map(|row| row[0].trim_matches(['|', ' ', '`'])).collect();
    // Not found on standard input: `samples_of_another_checksum_are_a_fault` has it.
    codes.retain(|code| *code != "checksum");
    let mut provoked = provocations();
    provoked.extend(transport::provocations().into_iter().map(|(code, bytes)| (code, bytes, None)));
    assert_eq!(
        {
            let mut all = codes.clone();
            all.sort_unstable();
            all
        },
        {
            let mut all: Vec<&str> = provoked.iter().map(|(code, ..)| *code).collect();
            all.sort_unstable();
            all
        }
    );
    for (code, bytes, at) in provoked {
        // A header so wrong that the format is not recognised by itself.
        let named: &[&str] = if code == "remark" { &["-f", "flv"] } else { &[] };
        let (exit, list) = found(&bytes, named);
        let severity = rows[codes.iter().position(|known| *known == code).unwrap()][1];
        let this = list.iter().find(|(name, ..)| name == code).unwrap_or_else(|| panic!("{code}: {list:?}"));
        assert_eq!((this.1.as_str(), this.2), (severity, at.or(this.2)), "{code}");
        let faults = list.iter().filter(|(_, severity, _)| severity == "fault").count();
        assert_eq!(exit, Some(i32::from(faults > 0)), "{code}: {list:?}");
        assert!(severity == "fault" || faults == 0, "{code} alone: {list:?}");
        if severity == "notice" {
            assert_eq!(found(&bytes, &["--strict"]).0, Some(1), "{code}");
        }
    }
}

#[test]
fn samples_of_another_checksum_are_a_fault() {
    let folder = folder("samples_of_another_checksum_are_a_fault");
    let good = fs::read(sample("flac/blocks.flac")).unwrap();
    let (mut sum, mut number) = (good.clone(), good.clone());
    // STREAMINFO stands behind two heads of 4 bytes; its MD5 begins at 18, the number of samples ends there.
    sum[8 + 20] ^= 1;
    number[8 + 17] ^= 1;
    for (name, bytes, faults) in [("good", good, 0), ("sum", sum, 1), ("number", number, 1)] {
        let [flac, mka, oga] = ["flac", "mka", "oga"].map(|end| within(&folder, &format!("{name}.{end}")));
        fs::write(&flac, bytes).unwrap();
        for path in [&flac, &mka, &oga] {
            // Copies count their samples themselves.
            if path != &flac && name == "number" {
                continue;
            }
            assert!(path == &flac || text(&run(&["remux", &flac, path])).0 == Some(0));
            let report = json(&run(&["check", "--json", path]));
            let found = report["faults"].as_array().unwrap().iter().filter(|fault| fault["code"] == "checksum");
            let found: Vec<_> = found.map(|fault| (&fault["stream"], &fault["rule"])).collect();
            assert_eq!(found, vec![(&0.into(), &"RFC 9639 8.2".into()); faults], "{path}: {report}");
        }
    }
}

#[test]
fn probe_shows_the_tables_and_a_program_is_chosen() {
    let bytes = transport::Plan::default().build();
    let report = json(&run_on(bytes.clone(), &["probe", "--json", "-"]));
    let program = &report["programs"][0];
    assert_eq!([&program["program_num"], &program["pmt_pid"], &program["pcr_pid"]], [1, 0x1000, 0x100], "{program}");
    let stream = &program["streams"][0];
    assert_eq!([&stream["id"], &stream["stream_type"], &stream["codec_name"]], ["0x100", "0x03", "mp2"], "{program}");
    let whole = &report["transport"];
    assert_eq!([&whole["packets"], &whole["pat_version"]], [bytes.len() as u64 / 188, 0], "{whole}");
    assert_eq!(
        [&whole["clocks"][0]["references"], &whole["clocks"][0]["longest_interval_us"]],
        [50, 24_000],
        "{whole}"
    );
    let rates = whole["pids"].as_array().unwrap().iter().map(|pid| pid["bit_rate"].as_u64().unwrap());
    assert!(rates.sum::<u64>().abs_diff(whole["bit_rate"].as_u64().unwrap()) < 10, "{whole}");
    for (program, code) in [("1", Some(0)), ("all", Some(0)), ("7", Some(1)), ("none", Some(2))] {
        let output = text(&run_on(bytes.clone(), &["remux", "--program", program, "-", "-", "-f", "framecrc"]));
        assert_eq!(output.0, code, "{program}: {output:?}");
        assert!(program != "7" || output.2.contains("no program 7"), "{output:?}");
    }
}

#[test]
fn transport_streams_are_mended_and_stay() {
    assert_eq!(found(&transport::Plan::default().build(), &["--strict"]), (Some(0), vec![]));
    let folder = folder("transport_streams_are_mended_and_stay");
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/check.md")).unwrap();
    for (code, bytes) in transport::provocations() {
        let mends =
            page.lines().any(|line| line.starts_with(&format!("| `{code}`")) && line.contains("`maliu repair`"));
        let [damaged, once, twice] = ["0", "1", "2"].map(|n| within(&folder, &format!("{code}{n}.ts")));
        fs::write(&damaged, &bytes).unwrap();
        let output = run(&["repair", &damaged, &once]);
        assert_eq!(text(&output).0, Some(0), "{code}");
        let output = run(&["check", "--strict", &once]);
        assert!(!mends || output.status.code() == Some(0), "{code}: {:?}", text(&output));
        assert_eq!(text(&run(&["repair", &once, &twice])).0, Some(0), "{code}");
        assert!(fs::read(&once).unwrap() == fs::read(&twice).unwrap(), "{code}: a second time changes it");
    }
}

#[test]
fn what_is_repaired_has_neither_fault_nor_notice_and_stays() {
    let folder = folder("what_is_repaired_has_neither_fault_nor_notice_and_stays");
    for (code, bytes, _) in provocations() {
        if !bytes.starts_with(b"FLV") || code == "unreadable" {
            continue;
        }
        let [damaged, once, twice] = ["0", "1", "2"].map(|n| within(&folder, &format!("{code}{n}.flv")));
        fs::write(&damaged, &bytes).unwrap();
        assert_eq!(text(&run(&["repair", &damaged, &once])).0, Some(0), "{code}");
        let output = run(&["check", "--strict", &once]);
        assert_eq!(output.status.code(), Some(0), "{code}: {:?}", text(&output));
        assert_eq!(text(&run(&["repair", &once, &twice])).0, Some(0), "{code}");
        let mended = fs::read(&once).unwrap();
        assert_eq!(fs::read(&twice).unwrap(), mended, "{code} repaired twice");
        assert_eq!(text(&run_on(bytes.clone(), &["repair", "-", &twice])).0, Some(0), "{code}");
        assert_eq!(fs::read(&twice).unwrap(), mended, "{code} from standard input");
        assert_eq!(run_on(bytes, &["repair", "-", "-"]).stdout, mended, "{code} from and to pipes");
    }
}

#[test]
fn what_is_repaired_in_mp4_has_neither_fault_nor_notice_and_stays() {
    let folder = folder("what_is_repaired_in_mp4_has_neither_fault_nor_notice_and_stays");
    let like = sample("mp4/moov_front.mp4");
    let damages = damage::provocations().into_iter().map(|(code, bytes, _)| (code, bytes));
    for (code, bytes) in damages.chain(damage::more()) {
        // A hole stays: its media are lost.
        if code == "hole" {
            continue;
        }
        let [damaged, once, twice] = ["0", "1", "2"].map(|n| within(&folder, &format!("{code}{n}.mp4")));
        fs::write(&damaged, &bytes).unwrap();
        let checked = run(&["check", "--json", &damaged]);
        let codes = json(&checked)["faults"].to_string();
        assert!(codes.contains(&format!("\"{code}\"")), "{code}: {codes}");
        let (exit, _, said) = text(&run(&["repair", "--like", &like, &damaged, &once]));
        assert_eq!(exit, Some(0), "{code}: {said}");
        let output = run(&["check", "--strict", &once]);
        assert_eq!(output.status.code(), Some(0), "{code}: {:?}", text(&output));
        assert_eq!(text(&run(&["repair", "--like", &like, &once, &twice])).0, Some(0), "{code}");
        assert!(fs::read(&twice).unwrap() == fs::read(&once).unwrap(), "{code} repaired twice");
    }
}

/// The bytes with some of them changed, cut out, doubled or zeroed, as `seed` wants.
fn damaged(bytes: &[u8], seed: u32) -> Vec<u8> {
    let mut state = seed;
    let mut random = |below: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize % below
    };
    let mut bytes = bytes.to_vec();
    for _ in 0..1 + seed % 6 {
        let from = random(bytes.len());
        let to = (from + [1, 4, 15, 200, 2000][random(5)]).min(bytes.len());
        match random(6) {
            0 => bytes[from] ^= 1 << random(8),
            1 => drop(bytes.drain(from..to)),
            2 => drop(bytes.splice(from..from, (from..to).map(|n| (n * 37) as u8))),
            3 => bytes[from..to].fill(0),
            4 => drop(bytes.splice(from..from, bytes[from.saturating_sub(500)..from].to_vec())),
            _ => bytes.truncate(from.max(20)),
        }
        if bytes.len() < 20 {
            bytes.resize(20, 0);
        }
    }
    bytes
}

#[test]
fn heavy_damage_is_mended_until_mending_changes_nothing() {
    let films = ["h264_aac", "enhanced_tracks", "script_and_oddities", "flv1_mp3"]
        .map(|name| fs::read(sample(&format!("flv/{name}.flv"))).unwrap());
    let mut mended = 0;
    for seed in 0..60u32 {
        let film = &films[seed as usize % films.len()];
        let bytes = if seed < 4 { film.clone() } else { damaged(film, seed) };
        let once = run_on(bytes, &["repair", "-", "-"]);
        assert!(matches!(once.status.code(), Some(0 | 1)), "{seed}: {:?}", text(&once));
        if once.status.code() == Some(1) {
            assert!(once.stdout.is_empty(), "{seed}");
            continue;
        }
        mended += 1;
        assert!(run_on(once.stdout.clone(), &["repair", "-", "-"]).stdout == once.stdout, "{seed} repaired twice");
        assert_eq!(found(&once.stdout, &[]).0, Some(0), "{seed}: {:?}", found(&once.stdout, &[]).1);
    }
    assert!(mended > 30, "{mended}");
}

#[test]
fn a_packet_that_the_end_cuts_is_not_repaired_but_left_out() {
    let folder = folder("a_packet_that_the_end_cuts_is_not_repaired_but_left_out");
    let mended = within(&folder, "mended.flv");
    // Sound, cut behind its first byte.
    let mut cut = file(&film());
    cut.truncate(cut.len() - 6);
    let (code, _, said) = text(&run_on(cut, &["repair", "-", &mended]));
    assert_eq!((code, said.contains("left out 1 packet that the end of the input cuts")), (Some(0), true), "{said}");
    assert_eq!(run(&["remux", &mended, "-", "-f", "md5"]).stdout, {
        let whole = within(&folder, "whole.flv");
        fs::write(&whole, changed(|tags| drop(tags.pop()))).unwrap();
        run(&["remux", &whole, "-", "-f", "md5"]).stdout
    });
    let alone = file(&[tag(9, 0, AVC), picture(0, true, 0)]);
    let (code, _, said) = text(&run_on(alone[..alone.len() - 5].to_vec(), &["repair", "-", &mended]));
    assert_eq!((code, said.contains("there is no packet in it")), (Some(1), true), "{said}");
}

#[test]
fn repair_gives_lengths_to_units_behind_start_codes() {
    let coded = |time: u32, first: u8, nal: u8| {
        tag(9, time, &[&[first, 1, 0, 0, 0, 0, 0, 0, 1, nal, 0x88, 0x84, time as u8], &[][..]].concat())
    };
    let mut tags = vec![tag(9, 0, &foreign()), tag(8, 0, AAC)];
    for n in 0..4 {
        tags.extend([if n == 0 { coded(0, 0x17, 0x65) } else { coded(n * 40, 0x27, 0x41) }, sound(n * 40)]);
    }
    let repaired = run_on(file(&tags), &["repair", "-", "-"]);
    assert!(text(&repaired).2.contains("parameter sets behind start codes"), "{:?}", text(&repaired));
    assert!(found(&repaired.stdout, &["--strict"]).1.iter().all(|(code, ..)| code == "no-index"));
    let bytes = &repaired.stdout;
    let has = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
    assert!(has(&[0x17, 0, 0, 0, 0, 1, 0x64]) && has(&[0x17, 1, 0, 0, 0, 0, 0, 0, 4, 0x65]), "a record, and lengths");
    assert!(!has(&[0, 0, 0, 1, 0x65]));
}

#[test]
fn repair_says_which_stream_it_leaves_out_and_why() {
    let mut tags = film();
    tags.retain(|tag| tag[0] == 8 || tag[11] != 0x17 || tag[12] == 0);
    let repaired = run_on(file(&tags), &["repair", "-", "-"]);
    let (code, _, said) = text(&repaired);
    assert_eq!(
        (code, said.contains("stream 0 left out with 2 packets: no packet is a keyframe")),
        (Some(0), true),
        "{said}"
    );
}

#[test]
fn metadata_that_a_publisher_sent_to_a_server_is_kept_and_broken_script_data_becomes_no_caption() {
    let body = |name: &[u8]| [b"\x02\0", &[name.len() as u8][..], name].concat();
    let mut published = body(b"@setDataFrame");
    published.extend_from_slice(&body(b"onMetaData"));
    published.extend_from_slice(b"\x08\0\0\0\0\0\x05title\x02\0\x04mine\0\0\x09");
    let bytes = changed(|tags| {
        tags.insert(0, tag(18, 0, &published));
        tags.insert(6, tag(18, 60, b"\x02\0\x30broken"));
    });
    let repaired = run_on(bytes, &["repair", "-", "-"]);
    let probed = json(&run_on(repaired.stdout, &["probe", "-", "--json"]));
    assert_eq!(probed["streams"].as_array().unwrap().len(), 2, "{probed}");
    assert!(probed.to_string().contains("\"mine\""), "{probed}");
}

#[test]
fn what_is_true_is_no_fault() {
    let seconds = |duration| metadata(&[("duration", duration)]);
    let nanos = |time, first: u8| tag(9, time, &[first, 2, 0, 1, 2, 3, b'h', b'v', b'c', b'1', 0, 0, 1]);
    let late = tag(9, 0, &[0x17, 1, 0, 0x13, 0x88, 0, 0, 0, 2, 0x65, 0x88]);
    let hevc = tag(9, 0, b"\x90hvc1\x01hvcC");
    for (what, tags, faults) in [
        ("pictures shown later", vec![seconds(5.1), tag(9, 0, AVC), late], 0),
        ("no length", vec![seconds(0.0), tag(9, 0, b"\x13picture")], 0),
        ("no length, of some", vec![seconds(0.0), tag(9, 0, b"\x13picture"), tag(9, 40, b"\x23picture")], 1),
        ("an index is missed behind nanoseconds", vec![seconds(0.1), hevc, nanos(0, 0x97), nanos(40, 0x97)], 1),
    ] {
        let (_, list) = found(&file(&tags), &[]);
        let codes: Vec<&str> = list.iter().map(|(code, ..)| code.as_str()).collect();
        assert_eq!(codes.len(), faults, "{what}: {codes:?}");
    }
}

#[test]
fn samples_are_checked_and_whole_ones_have_no_fault() {
    for (name, code) in [
        ("flv/cut_in_tag.flv", Some("cut")),
        ("flv/previous_sizes_0.flv", Some("previous-size")),
        ("flv/zero_tail.flv", Some("zero-tail")),
        ("flv/h264_aac.flv", None),
        ("flv/flv1_mp3.flv", None),
        ("mp4/moov_front.mp4", None),
        ("mp4/edit_list.mp4", None),
        ("mp4/fragments.mp4", None),
        ("mp4/fragments_behind_tables.mp4", None),
        ("mp4/oddities.mp4", None),
        ("mp4/pcm_s24le.mov", None),
        ("mp4/tags_chapters.m4a", None),
        ("mp4/encrypted.mp4", None),
        ("wav/pcm_s24le.wav", None),
        ("mp3/vbr_info.mp3", None),
        ("adts/stereo_44100.aac", None),
        ("h264/b_frames.h264", None),
    ] {
        let output = run(&["check", "--json", &sample(name)]);
        let report = json(&output);
        let codes: Vec<&str> =
            report["faults"].as_array().unwrap().iter().map(|fault| fault["code"].as_str().unwrap()).collect();
        assert_eq!(output.status.code(), Some(i32::from(code.is_some())), "{name}: {report}");
        assert!(code.is_none_or(|code| codes.contains(&code)), "{name}: {codes:?}");
    }
}
