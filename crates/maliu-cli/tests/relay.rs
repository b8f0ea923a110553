//! `maliu relay` with the real binary: what it prints works, settings are checked, and it stops at SIGTERM.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::{Child, Stdio},
    time::{Duration, Instant},
};

mod binary;
use binary::{command, folder, json, run, sample, text, within};

const PATIENCE: Duration = Duration::from_secs(20);

/// A relay that runs, and the URLs that it prints.
struct Relay {
    child: Child,
    lines: Vec<String>,
}

impl Relay {
    fn start(args: &[&str]) -> Self {
        let rtmp: &[&str] = if args.contains(&"--rtmp") { &[] } else { &["--rtmp", "127.0.0.1:0"] };
        let args = [&["relay", "--http", "127.0.0.1:0"], rtmp, args].concat();
        let mut child = command(&args).stderr(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut lines = Vec::new();
        while lines.last().is_none_or(|line: &String| !line.starts_with("streams")) {
            lines.push(said.next().expect("the relay prints its URLs").unwrap());
        }
        // Later lines must not fill the pipe.
        std::thread::spawn(move || said.for_each(drop));
        Self { child, lines }
    }

    /// The URL of a line, for the stream `show`.
    fn url(&self, starts: &str) -> String {
        let line = self.lines.iter().find(|line| line.contains(starts)).expect(starts);
        line[line.find(starts).unwrap()..].replace("NAME", "show")
    }

    /// The answer to a request for a path.
    fn get(&self, path: &str) -> String {
        let place = self.url("http://").split('/').nth(2).unwrap().to_owned();
        let mut socket = TcpStream::connect(place).unwrap();
        write!(socket, "GET {path} HTTP/1.0\r\n\r\n").unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        answer
    }

    #[cfg(unix)]
    fn stop(mut self) -> Option<i32> {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
        let begun = Instant::now();
        loop {
            match self.child.try_wait().unwrap() {
                Some(status) => return status.code(),
                None => assert!(begun.elapsed() < PATIENCE, "the relay does not end"),
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn until(mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "what was waited for does not happen");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The commands of the page's first example.
fn example() -> Vec<String> {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/relay.md")).unwrap();
    let block = page.split("```sh\n").nth(1).unwrap().split("```").next().unwrap();
    block.lines().map(|line| line.split('#').next().unwrap().trim().to_owned()).collect()
}

#[cfg(unix)]
#[test]
fn the_example_of_the_page_runs() {
    let (relay, folder) = (Relay::start(&[]), folder("relay"));
    fs::copy(sample("flv/h264_aac.flv"), within(&folder, "clip.flv")).unwrap();
    let bin = std::path::Path::new(env!("CARGO_BIN_EXE_maliu")).parent().unwrap().to_owned();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let shell = |command: &str| {
        let command = command.replace("rtmp://127.0.0.1/live/show", &relay.url("rtmp://"));
        let mut shell = std::process::Command::new("sh");
        shell
            .args(["-c", &command])
            .current_dir(&folder)
            .env("PATH", &path)
            .stderr(Stdio::null())
            .stdout(Stdio::null());
        shell.spawn().unwrap()
    };
    let [start, publish, look, record] = &example()[..] else { panic!("{:?}", example()) };
    assert_eq!(start, "maliu relay");
    // A player may come before its publisher.
    let (mut recorder, mut publisher) = (shell(record), shell(publish));
    until(|| relay.get("/api/streams").contains("\"live\":true"));
    assert!(relay.get("/").contains("live/show"));
    assert!(shell(look).wait().unwrap().success());
    assert!(publisher.wait().unwrap().success());
    assert_eq!(relay.stop(), Some(0), "it ends by itself when nothing is published");
    assert!(recorder.wait().unwrap().success());
    let packets = |name: &str| {
        let probed = json(&run(&["probe", "--json", &within(&folder, name)]));
        let streams = probed["streams"].as_array().unwrap().clone();
        streams
            .iter()
            .map(|stream| (stream["codec_name"].clone(), stream["nb_read_packets"].clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(packets("copy.flv"), packets("clip.flv"));
}

#[cfg(unix)]
#[test]
fn what_maliu_sends_is_watched_live_and_as_a_file() {
    let folder = folder("relay-wire");
    let settings = within(&folder, "relay.toml");
    fs::write(&settings, "wire = \"127.0.0.1:0\"\n[publish]\ntokens = [\"publishers-only\"]\n[live]\nlinger = \"1s\"")
        .unwrap();
    let relay = Relay::start(&[&settings]);
    let place = relay.url("tcp://").split(' ').next().unwrap().to_owned();
    let clip = sample("flv/h264_aac.flv");
    for (name, live) in [("live", &["--live"][..]), ("file", &[])] {
        let copy = within(&folder, &format!("{name}.flv"));
        let url = relay.url("rtmp://").replace("show", name);
        let mut recorder = command(&["remux", &url, &copy]).spawn().unwrap();
        let send = ["send", &clip, &place, "--name", name];
        let (code, _, error) = text(&run(&[&send, live, &["--token", "wrong-token"]].concat()));
        assert!(code == Some(1) && error.contains("token"), "{error}");
        let begun = Instant::now();
        let (code, _, error) = text(&run(&[&send, live, &["--token", "publishers-only"]].concat()));
        assert_eq!(code, Some(0), "{error}");
        assert!(begun.elapsed() > Duration::from_secs(1), "2 s of media take their time");
        until(|| relay.get("/api/streams").contains(&format!("\"live/{name}\"")));
        until(|| !relay.get("/api/streams").contains(&format!("\"live/{name}\"")));
        assert!(recorder.wait().unwrap().success());
        let packets = |path: &str| {
            let probed = json(&run(&["probe", "--json", path]));
            let streams = probed["streams"].as_array().unwrap().clone();
            streams.iter().map(|stream| stream["nb_read_packets"].clone()).collect::<Vec<_>>()
        };
        assert_eq!(packets(&copy), packets(&clip), "{name}");
    }
    assert_eq!(relay.stop(), Some(0));
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = taken.local_addr().unwrap().to_string();
    let (code, _, error) = text(&run(&["relay", "--rtmp", &place, "--http", "127.0.0.1:0"]));
    assert!(code == Some(1) && error.contains(&place) && error.contains("another program listens"), "{error}");
}

#[test]
fn other_addresses_get_a_token_unless_they_are_open_in_so_many_words() {
    let url = |args: &[&str]| Relay::start(&[&["--rtmp", "0.0.0.0:0"], args].concat()).url("rtmp://");
    assert_eq!(url(&[]).split_once("?token=").map(|(_, token)| token.len()), Some(32));
    assert!(!url(&["--open-publish"]).contains("token"));
    let (code, _, error) = text(&run(&["relay", "--token", "short"]));
    assert!(code == Some(2) && error.contains("8 characters"), "{error}");
    let (code, _, error) = text(&run(&["relay", "--token", "long enough", "--open-publish"]));
    assert!(code == Some(2) && error.contains("only one of both"), "{error}");
}

#[test]
fn settings_are_checked_with_line_and_column() {
    let folder = folder("relay-check");
    let path = within(&folder, "relay.toml");
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/relay.md")).unwrap();
    let blocks: Vec<&str> = page.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert_eq!(blocks.len(), 2);
    let settings = blocks[0];
    // The files that the settings name.
    let identity = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let keys = r#"{"keys":[{"kty":"oct","alg":"HS256","k":"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"}]}"#;
    let (cert, key) = (identity.cert.pem(), identity.signing_key.serialize_pem());
    let files =
        [("publish-keys.json", keys), ("play-keys.json", keys), ("fullchain.pem", &cert), ("privkey.pem", &key)];
    for (name, content) in files {
        fs::write(within(&folder, name), content).unwrap();
    }
    for block in &blocks {
        fs::write(&path, block).unwrap();
        let check = command(&["relay", "check", &path]).current_dir(&folder).output().unwrap();
        let (code, _, error) = text(&check);
        assert!(code == Some(0) && error.contains("no fault"), "{error}");
    }
    fs::write(&path, settings.replace("linger", "lingr")).unwrap();
    let line = settings.lines().position(|line| line.starts_with("linger")).unwrap() + 1;
    let place = format!("line {line}, column 1: unknown field `lingr`; expected");
    for args in [&["relay", "check", &path][..], &["relay", &path]] {
        let (code, _, error) = text(&run(args));
        assert!(code == Some(1) && error.contains(&place), "{error}");
    }
    fs::write(&path, "[play]\nsecret = \"0123456789abcdef\"").unwrap();
    let (code, query, _) = text(&run(&["relay", "sign", &path, "live/show", "--for", "60"]));
    let parts = query.trim_end().strip_prefix("e=").and_then(|rest| rest.split_once("&s="));
    let (expires, signature) = parts.expect(&query);
    assert!(code == Some(0) && expires.parse::<u64>().is_ok() && signature.len() == 64, "{query}");
    let (code, _, error) = text(&run(&["relay", "sign", &path, "live/show", "--publish"]));
    assert!(code == Some(1) && error.contains("no secret in [publish]"), "{error}");
    let (code, _, _) = text(&run(&["relay", "check", "none.toml"]));
    assert_eq!(code, Some(1));
}

#[test]
#[cfg(unix)]
fn a_hang_up_has_the_settings_read_again() {
    let folder = folder("relay-hang-up");
    let path = within(&folder, "relay.toml");
    fs::write(&path, "rtmp = \"127.0.0.1:0\"\nhttp = \"127.0.0.1:0\"\n").unwrap();
    let child = command(&["relay", &path]).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let signal = |name: &str| {
        let id = child.id().to_string();
        assert!(std::process::Command::new("kill").args([name, &id]).status().unwrap().success());
        std::thread::sleep(std::time::Duration::from_millis(400));
    };
    std::thread::sleep(std::time::Duration::from_millis(600));
    signal("-HUP");
    fs::write(&path, "no settings").unwrap();
    signal("-HUP");
    signal("-TERM");
    let done = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    let (first, second) = (said.find("the settings are read again"), said.find("the settings stay as they were"));
    assert!(first.is_some() && first < second && second < said.find("stopping"), "{said}");
}
