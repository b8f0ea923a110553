//! Layouts between machines: a protocol of one's own over every transport, as a client and as a server.

use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

mod binary;
use binary::{folder, process::Process, run, run_on, sample, text, within};

/// A private protocol: a magic, the kind of media, times in µs, the length, a checksum behind the body.
const MINE: &str = r#"
name = "mine"
header = [
  { name = "magic",  type = "text 4", value = "MINE" },
  { name = "codec",  type = "u8", role = "codec", map = { 1 = "h264", 2 = "aac" } },
  { name = "key",    type = "u1", role = "key" },
  { name = "config", type = "u1", role = "config" },
  { name = "spare",  type = "u6" },
  { name = "dts",    type = "u64", role = "dts", clock = 1000000 },
  { name = "pts",    type = "u64", role = "pts", clock = 1000000 },
  { name = "length", type = "u32le", role = "length" },
]
tail = [ { name = "sum", type = "u32", role = "checksum", algorithm = "crc32c" } ]
"#;

/// A folder with `mine.toml`, the clip, and the output of local commands for it.
struct Place {
    mine: String,
    film: String,
    flv: Vec<u8>,
    wav: Vec<u8>,
    folder: std::path::PathBuf,
}

impl Place {
    fn new(test: &str) -> Self {
        let folder = folder(test);
        let (mine, film) = (within(&folder, "mine.toml"), sample("flv/h264_aac.flv"));
        let (flv, wav) = (within(&folder, "local.flv"), within(&folder, "local.wav"));
        fs::write(&mine, MINE).unwrap();
        good(&["remux", &film, &flv]);
        good(&["decode", &film, &wav]);
        Self { mine, film, flv: without_rate(&flv), wav: fs::read(wav).unwrap(), folder }
    }

    fn path(&self, name: &str) -> String {
        within(&self.folder, name)
    }

    /// The clip as a file in the layout.
    fn carried(&self) -> Vec<u8> {
        let path = self.path("carried.bin");
        good(&["remux", &self.film, &path, "--write-layout", &self.mine, "--write-frame", "--copy-times"]);
        fs::read(path).unwrap()
    }
}

fn good(args: &[&str]) {
    assert_eq!(text(&run(args)), (Some(0), String::new(), String::new()), "{args:?}");
}

/// An FLV file without the bit rate of its sound, which FLV tells and a message of the layout does not.
fn without_rate(path: impl AsRef<Path>) -> Vec<u8> {
    let mut flv = fs::read(path).unwrap();
    let name = b"audiodatarate\0";
    let at = flv.windows(name.len()).position(|bytes| bytes == name).unwrap() + name.len();
    flv[at..at + 8].fill(0);
    flv
}

#[test]
fn a_layout_over_every_transport_in_both_directions_becomes_the_local_film_and_sound() {
    let place = Place::new("layout_transports");
    let (socket, keys) = (place.path("socket"), place.path("keys"));
    let mine = ["--layout", &place.mine];
    for at in ["tcp://127.0.0.1:0", "tls://127.0.0.1:0", "quic://127.0.0.1:0", &format!("unix:{socket}")] {
        for (receiver_listens, name) in [(true, "out.flv"), (false, "out.flv"), (true, "out.wav"), (false, "out.wav")] {
            let out = place.path(name);
            let _ = fs::remove_file(&out);
            let listen = ["--keys", &keys, "--json"];
            let pinned = |pin: Option<String>| pin.into_iter().flat_map(|pin| ["--fingerprint".to_owned(), pin]);
            let ends = if receiver_listens {
                let (mut receiver, address, pin) =
                    Process::listening(&[&["receive", at, &out][..], &mine, &listen].concat());
                let pin: Vec<String> = pinned(pin).collect();
                let pin: Vec<&str> = pin.iter().map(String::as_str).collect();
                let sent = run(&[&["send", &place.film, &address][..], &mine, &pin].concat());
                (text(&sent), receiver.ends_within(20))
            } else {
                let (mut sender, address, pin) =
                    Process::listening(&[&["send", &place.film, at, "--listen"][..], &mine, &listen].concat());
                let pin: Vec<String> = pinned(pin).collect();
                let pin: Vec<&str> = pin.iter().map(String::as_str).collect();
                let received = run(&[&["receive", &address, &out, "--connect"][..], &mine, &pin].concat());
                (text(&received), sender.ends_within(20))
            };
            let quiet = (Some(0), String::new(), String::new());
            assert_eq!(ends, (quiet, Some(0)), "{at} {name}, receiver listens: {receiver_listens}");
            let same =
                if name == "out.flv" { without_rate(&out) == place.flv } else { fs::read(&out).unwrap() == place.wav };
            assert!(same, "{at} {name}, receiver listens: {receiver_listens}");
        }
    }
}

#[test]
fn a_peer_that_knows_only_the_protocol_gets_exactly_its_bytes() {
    let place = Place::new("layout_bytes");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = format!("tcp://{}", listener.local_addr().unwrap());
    let device = thread::spawn(move || {
        let mut got = Vec::new();
        listener.accept().unwrap().0.read_to_end(&mut got).unwrap();
        got
    });
    good(&["send", &place.film, &to, "--layout", &place.mine]);
    let carried = place.carried();
    assert!(device.join().unwrap() == carried);
    let piped = run(&["send", &place.film, "-", "--layout", &place.mine]);
    assert!(piped.status.success() && piped.stdout == carried);
    let out = place.path("piped.wav");
    assert!(run_on(piped.stdout, &["receive", "-", &out, "--layout", &place.mine]).status.success());
    assert!(fs::read(out).unwrap() == place.wav);
}

#[test]
fn strangers_at_the_port_do_not_disturb_the_device_that_is_waited_for() {
    let place = Place::new("layout_strangers");
    let out = place.path("out.wav");
    let args = ["receive", "tcp://127.0.0.1:0", &out, "--layout", &place.mine, "--json"];
    let (mut receiver, address, _) = Process::listening(&args);
    let connect = || TcpStream::connect(address.trim_start_matches("tcp://")).unwrap();
    let silent: Vec<TcpStream> = (0..20).map(|_| connect()).collect();
    connect().write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let mut flood = connect();
    let flooding = thread::spawn(move || while flood.write_all(&[0x5a; 4096]).is_ok() {});
    flooding.join().unwrap();
    let mut device = connect();
    for slice in place.carried().chunks(700) {
        device.write_all(slice).unwrap();
    }
    drop(device);
    assert_eq!(receiver.ends_within(20), Some(0));
    assert!(fs::read(out).unwrap() == place.wav);
    drop(silent);
}

#[test]
fn a_device_that_is_not_there_yet_is_waited_for() {
    let place = Place::new("layout_waits");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (at, out) = (format!("tcp://127.0.0.1:{port}"), place.path("out.wav"));
    let mut receiver = Process::start(&["receive", &at, &out, "--connect", "--layout", &place.mine]);
    thread::sleep(Duration::from_millis(300));
    let device = TcpListener::bind(("127.0.0.1", port)).unwrap();
    // As a forwarded port does while no program is behind it: open, and closed at once.
    drop(device.accept().unwrap());
    device.accept().unwrap().0.write_all(&place.carried()).unwrap();
    assert_eq!(receiver.ends_within(20), Some(0));
    assert!(fs::read(out).unwrap() == place.wav);
}

#[test]
fn a_break_keeps_what_came_and_fails() {
    let place = Place::new("layout_breaks");
    let out = place.path("out.flv");
    let (mut receiver, address, _) = Process::listening(&[
        "receive",
        "tcp://127.0.0.1:0",
        &out,
        "--layout",
        &place.mine,
        "--json",
        "--silence",
        "0.5",
    ]);
    let mut device = TcpStream::connect(address.trim_start_matches("tcp://")).unwrap();
    device.write_all(&place.carried()[..20_000]).unwrap();
    assert_eq!(receiver.ends_within(20), Some(1), "a device that goes silent");
    let packets = binary::json(&run(&["probe", "--json", "--packets", &out]))["packets"].as_array().unwrap().len();
    assert!(packets > 20, "{packets} packets are kept");

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = format!("tcp://{}", listener.local_addr().unwrap());
    thread::spawn(move || drop(listener.accept()));
    let endless = place.path("long.wav");
    fs::write(&endless, [&b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\x01\0\x02\0\x44\xac\0\0\x10\xb1\x02\0\x04\0\x10\0data\xff\xff\xff\xff"[..], &vec![1; 16 << 20]].concat()).unwrap();
    let raw = place.path("raw.toml");
    fs::write(&raw, "name = \"raw\"\nheader = [ { name = \"n\", type = \"u32\", role = \"length\" } ]\n").unwrap();
    let (code, out, error) = text(&run(&["send", &endless, &to, "--layout", &raw]));
    assert!(code == Some(1) && out.is_empty() && error.contains(&format!("writing {to}")), "{code:?} {error}");
}

#[test]
fn a_layout_without_streams_carries_the_chosen_one() {
    let place = Place::new("layout_map");
    let (code, out, error) = text(&run(&["send", &place.film, "-", "--layout", "scrcpy"]));
    assert!(code == Some(1) && out.is_empty() && error.contains("it carries one"), "{code:?} {error}");
    let (phone, local) = (place.path("phone.h264"), place.path("local.h264"));
    let sent = run(&["send", &place.film, "-", "--layout", "scrcpy", "--map", "v"]);
    assert!(run_on(sent.stdout, &["receive", "-", &phone, "--layout", "scrcpy"]).status.success());
    good(&["remux", &place.film, &local]);
    assert!(fs::read(phone).unwrap() == fs::read(local).unwrap());
    let (code, _, error) = text(&run(&["receive", "tcp://127.0.0.1:0", &place.path("none/x.flv"), "--layout", "tail"]));
    assert!(code == Some(1) && error.starts_with("writing "), "an impossible output is reported at once: {error}");
}

#[test]
fn what_makes_no_sense_with_a_layout_is_wrong_usage() {
    let place = Place::new("layout_usage");
    let film = place.film.as_str();
    let mine = place.mine.as_str();
    for args in [
        &["send", film, "tcp://127.0.0.1:1", "--layout", mine, "--token", "x"][..],
        &["send", film, "tcp://127.0.0.1:1", "--listen"],
        &["send", film, "tcp://127.0.0.1:1", "--layout", "no-such"],
        &["send", film, "tcp://127.0.0.1", "--layout", mine],
        &["send", film, "tls://127.0.0.1:1", "--layout", mine],
        &["receive", "tcp://127.0.0.1:0", "x.flv", "--connect"],
        &["receive", "tcp://127.0.0.1:0", "x.flv", "--layout", mine, "--fresh"],
        &["receive", "tcp://127.0.0.1:0", "x.flv", "--layout", "no-such"],
        &["receive", "tcp://127.0.0.1:0", "x.nothing", "--layout", mine],
        &["receive", "-", "x.flv", "--layout", mine, "--connect"],
        &["send", film, "tcp://127.0.0.1:1", "--layout", mine, "--give-up", "nan"],
        &["send", film, "tls://127.0.0.1:1", "--layout", mine, "--fingerprint", "5f0c"],
        &["receive", "tcp://127.0.0.1:0", "x.flv", "--layout", mine, "--silence", "soon"],
        &["send", film, "-", "--layout", mine, "--listen"],
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_maliu"));
        let mut child =
            command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        for _ in 0..500 {
            if child.try_wait().unwrap().is_some() {
                break;
            }
            thread::sleep(Duration::from_millis(10));
        }
        let _ = child.kill();
        let (code, out, error) = text(&child.wait_with_output().unwrap());
        assert!(code == Some(2) && out.is_empty() && !error.is_empty(), "{args:?}: {code:?} {out} {error}");
    }
}
