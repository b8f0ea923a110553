//! Which transfer it is, and how it is called: on other machines, after a kill, while a file grows, in any alphabet.

use std::{
    ffi::OsStr,
    fs,
    io::{Read, Write},
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, SystemTime},
};

mod binary;
mod peers;
use binary::{folder, process::Process, run, sample, text, within};
use peers::{read, receiver, whole};

/// A sender in a folder, on a machine whose state is kept in another one.
fn sender<A: AsRef<OsStr>>(at: &Path, state: &Path, args: &[A]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_maliu"));
    command.arg("send").args(args).current_dir(at).env("XDG_STATE_HOME", state);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// The id in the hello of a sender.
fn id(at: &Path, state: &Path, args: &[&str]) -> u64 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = format!("tcp://{}", listener.local_addr().unwrap());
    let mut child = Process(sender(at, state, &[args, &[&to]].concat()).spawn().unwrap());
    let (mut connection, _) = listener.accept().unwrap();
    connection.write_all(&whole(1, 0, 0, &[7; 16])).unwrap();
    let mut hello = [0; 32 + 10];
    connection.read_exact(&mut hello).unwrap();
    child.kill();
    u64::from_be_bytes(hello[34..].try_into().unwrap())
}

/// A file of raw H.264 that begins with the same bytes as every other one.
fn film(path: &Path, repeats: usize) {
    fs::write(path, read(&sample("h264/b_frames.h264")).repeat(repeats)).unwrap();
}

fn set_time(path: &Path, seconds: u64) {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    fs::File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
}

#[test]
fn an_id_is_that_of_a_machine_a_place_and_a_content() {
    let folder = folder("ids");
    let [a, b, here, there] = ["a", "b", "here", "there"].map(|name| folder.join(name));
    for place in [&a, &b] {
        fs::create_dir(place).unwrap();
        film(&place.join("in.h264"), 20);
        set_time(&place.join("in.h264"), 1_700_000_000);
    }
    let known = id(&a, &here, &["in.h264"]);
    let real = a.join("in.h264").to_str().unwrap().to_owned();
    assert_eq!(id(&b, &here, &[&real]), known, "by another path to the same file");
    for (what, other) in [
        ("another place", id(&b, &here, &["in.h264"])),
        ("another machine", id(&a, &there, &["in.h264"])),
        ("another name", id(&a, &here, &["in.h264", "--name", "x"])),
        ("another format", id(&a, &here, &["in.h264", "--from", "h264"])),
        ("live", id(&a, &here, &["in.h264", "--live"])),
    ] {
        assert_ne!(other, known, "{what}");
    }
    let change = |at: u64, what: &str| {
        let path = a.join("in.h264");
        let mut bytes = read(path.to_str().unwrap());
        bytes[at as usize] ^= 1;
        fs::write(&path, bytes).unwrap();
        set_time(&path, 1_700_000_000);
        let other = id(&a, &here, &["in.h264"]);
        assert_ne!(other, known, "{what}");
    };
    assert_eq!(id(&a, &here, &["in.h264"]), known);
    let size = fs::metadata(a.join("in.h264")).unwrap().len();
    change(60_000, "content of the same size and time, at the beginning");
    change(60_000 - 1, "and again");
    film(&a.join("in.h264"), 20);
    change(size - 60_000, "content of the same size and time, at the end");
    film(&a.join("in.h264"), 20);
    set_time(&a.join("in.h264"), 1_700_000_001);
    assert_ne!(id(&a, &here, &["in.h264"]), known, "another time");
}

#[test]
fn two_honest_senders_with_equal_path_size_and_time_both_arrive() {
    let folder = folder("twins");
    let out = within(&folder, "out");
    let (_server, address, _) = receiver("tcp://127.0.0.1:0", &out, &["--many"]);
    let places = ["a", "b"].map(|name| folder.join(name));
    let mut senders: Vec<Child> = Vec::new();
    for (number, place) in places.iter().enumerate() {
        fs::create_dir(place).unwrap();
        let path = place.join("in.h264");
        film(&path, 400);
        // The same but for one byte in the middle.
        let mut bytes = read(path.to_str().unwrap());
        let middle = bytes.len() / 2;
        bytes[middle] = number as u8 + 0x80;
        fs::write(&path, bytes).unwrap();
        set_time(&path, 1_700_000_000);
        senders.push(sender(place, &place.join("state"), &["in.h264", &address]).spawn().unwrap());
    }
    senders.iter_mut().for_each(|sender| assert!(sender.wait().unwrap().success()));
    let mut wanted = places.map(|place| {
        let local = within(&place, "local.flv");
        assert!(run(&["remux", &within(&place, "in.h264"), &local]).status.success());
        read(&local)
    });
    let mut come = ["in.flv", "in-2.flv"].map(|name| read(&format!("{out}/{name}")));
    wanted.sort();
    come.sort();
    assert!(wanted == come && wanted[0] != wanted[1]);
}

#[test]
fn a_file_that_grows_is_gone_on_with_after_kills_of_both_ends() {
    let folder = folder("grows");
    let (state, input, out) = (folder.join("state"), folder.join("in.h264"), within(&folder, "out.flv"));
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let at = format!("tcp://127.0.0.1:{port}");
    let clip = read(&sample("h264/b_frames.h264"));
    fs::write(&input, clip.repeat(30)).unwrap();
    let grown = input.clone();
    let growing = thread::spawn(move || {
        let mut file = fs::File::options().append(true).open(grown).unwrap();
        for _ in 0..40 {
            file.write_all(&clip.repeat(10)).unwrap();
            thread::sleep(Duration::from_millis(100));
        }
    });
    let send = || Process(sender(&folder, &state, &["in.h264", &at, "--follow=3"]).spawn().unwrap());
    let receive = || Process::start(&["receive", &at, &out]);
    let (mut receiver, mut sender) = (receive(), send());
    for kill in 0..6 {
        thread::sleep(Duration::from_millis(500));
        if kill % 2 == 0 {
            sender.kill();
            sender = send();
        } else {
            receiver.kill();
            receiver = receive();
        }
    }
    growing.join().unwrap();
    assert_eq!((sender.ends_within(60), receiver.ends_within(60)), (Some(0), Some(0)));
    let local = within(&folder, "local.flv");
    assert!(run(&["remux", input.to_str().unwrap(), &local]).status.success());
    assert!(read(&out) == read(&local));
    let kept = fs::read_dir(state.join("maliu/growing")).unwrap().count();
    assert_eq!(kept, 0, "what was kept for a second run is gone");
}

#[test]
fn a_growing_file_that_was_replaced_is_another_transfer() {
    let folder = folder("replaced-growing");
    let (state, input) = (folder.join("state"), folder.join("in.h264"));
    film(&input, 1);
    let id = || id(&folder, &state, &["in.h264", "--follow"]);
    let known = id();
    film(&input, 50);
    assert_eq!(id(), known, "it has grown");
    let mut bytes = read(input.to_str().unwrap());
    bytes[40_000] ^= 1;
    fs::write(&input, bytes).unwrap();
    let other = id();
    assert_ne!(other, known, "it begins otherwise");
    assert_eq!(id(), other);
}

#[test]
fn names_of_255_bytes_of_any_alphabet_work() {
    let folder = folder("long");
    let many = within(&folder, "many");
    let (_server, address, _) = receiver("tcp://127.0.0.1:0", &many, &["--many"]);
    for stem in ["x".repeat(251), "码".repeat(83) + "xx", "é".repeat(125) + "x"] {
        let name = stem + ".flv";
        assert_eq!(name.len(), 255);
        let long = within(&folder, &name);
        let copied = run(&["remux", &sample("flv/aac_only.flv"), &long]);
        assert!(copied.status.success(), "{:?}", text(&copied));
        let (mut single, single_address, _) =
            receiver("tcp://127.0.0.1:0", &within(&folder, &format!("{}y.flv", &name[..name.len() - 5])), &[]);
        for address in [&address, &single_address] {
            let sent = run(&["send", &long, address, "--give-up", "5"]);
            assert!(sent.status.success(), "{name}: {:?}", text(&sent));
        }
        assert_eq!(single.ends_within(20), Some(0));
        assert!(read(&format!("{many}/{name}")) == read(&long), "{name}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn file_names_that_are_not_utf_8_work() {
    use std::os::unix::ffi::OsStrExt;
    let folder = folder("bytes");
    let place = |name: &[u8]| folder.join(OsStr::from_bytes(name));
    let (input, out, sound) = (place(b"in\xff.flv"), place(b"o\xfeut.flv"), place(b"\xe7\xa0.wav"));
    let maliu = |args: &[&OsStr]| {
        let output = Command::new(env!("CARGO_BIN_EXE_maliu")).args(args).output().unwrap();
        assert!(output.status.success(), "{args:?}: {:?}", text(&output));
    };
    fs::copy(sample("flv/h264_aac.flv"), &input).unwrap();
    let word = OsStr::new;
    maliu(&[word("probe"), input.as_os_str()]);
    maliu(&[word("decode"), input.as_os_str(), sound.as_os_str()]);
    maliu(&[word("remux"), input.as_os_str(), out.as_os_str()]);
    maliu(&[word("repair"), input.as_os_str(), place(b"\xff").as_os_str()]);
    assert!(fs::metadata(&sound).unwrap().len() > 1000);
    let local = fs::read(&out).unwrap();
    fs::remove_file(&out).unwrap();
    let mut server = Command::new(env!("CARGO_BIN_EXE_maliu"));
    server.args([word("receive"), word("tcp://127.0.0.1:0"), out.as_os_str(), word("--json")]);
    let mut server = Process(server.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let address = server.next_line()["address"].as_str().unwrap().to_owned();
    maliu(&[word("send"), input.as_os_str(), word(&address)]);
    assert_eq!(server.ends_within(20), Some(0));
    assert!(fs::read(&out).unwrap() == local);
    let missing =
        Command::new(env!("CARGO_BIN_EXE_maliu")).args([word("probe"), place(b"no\xff").as_os_str()]).output();
    let (code, _, stderr) = text(&missing.unwrap());
    assert!(code == Some(1) && stderr.contains("no\\xff"), "{stderr}");
}

#[cfg(unix)]
#[test]
fn a_dangling_output_link_is_followed_and_empty_variables_are_unset() {
    let folder = folder("links");
    let (link, target, input) =
        (within(&folder, "link.flv"), within(&folder, "target.flv"), sample("flv/aac_only.flv"));
    std::os::unix::fs::symlink("target.flv", &link).unwrap();
    assert!(run(&["remux", &input, &link]).status.success());
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink() && fs::symlink_metadata(&target).unwrap().is_file());
    let nowhere = within(&folder, "nowhere.flv");
    std::os::unix::fs::symlink("no/such/folder.flv", &nowhere).unwrap();
    assert_eq!(text(&run(&["remux", &input, &nowhere])).0, Some(1));
    // The certificate that is made at the first start goes into the home of the user, not into the current folder.
    let home = folder.join("home");
    for variable in ["", "relative"] {
        let mut command = binary::command(&["receive", "tls://127.0.0.1:0", &within(&folder, "out.flv"), "--json"]);
        command.current_dir(&folder).env("XDG_CONFIG_HOME", variable).env("HOME", &home);
        let mut server = Process(command.spawn().unwrap());
        assert!(server.next_line()["fingerprint"].is_string());
        assert!(home.join(".config/maliu/maliu-key.pem").is_file() && !folder.join("maliu").exists(), "{variable:?}");
    }
    // A key that others can read is warned of.
    let key = home.join(".config/maliu/maliu-key.pem");
    fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let mut command = binary::command(&["receive", "tls://127.0.0.1:0", &within(&folder, "out.flv"), "--json"]);
    let mut server = Process(command.env("XDG_CONFIG_HOME", "").env("HOME", &home).spawn().unwrap());
    server.next_line();
    server.kill();
    let mut said = String::new();
    server.0.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(said.contains("maliu-key.pem") && said.contains("644"), "{said}");
}
