//! Send and receive as real processes on loopback: what must hold between two machines.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

mod binary;
mod peers;
use binary::{folder, process::Process, run, sample, text, within};
use peers::{crc32c, read, receiver};

#[test]
fn a_file_arrives_over_every_transport_as_a_local_remux_writes_it() {
    let folder = folder("transports");
    let (input, local) = (sample("flv/h264_aac.flv"), within(&folder, "local.flv"));
    assert!(run(&["remux", &input, &local]).status.success());
    let socket = within(&folder, "socket");
    let keys = within(&folder, "keys");
    for at in ["tcp://127.0.0.1:0", "tls://127.0.0.1:0", "quic://127.0.0.1:0", &format!("unix:{socket}")] {
        let out = within(&folder, &format!("{}.flv", at.split(':').next().unwrap()));
        let (mut receiver, address, fingerprint) = receiver(at, &out, &["--keys", &keys, "--token", "hush"]);
        let pin: Vec<&str> = fingerprint.iter().flat_map(|pin| ["--fingerprint", pin]).collect();
        let sent = run(&[&["send", &input, &address, "--token", "hush"][..], &pin].concat());
        assert!(sent.status.success(), "{at}: {:?}", text(&sent));
        assert_eq!(receiver.ends_within(20), Some(0), "{at}");
        assert!(read(&out) == read(&local), "{at}");
    }
    assert_eq!(
        std::fs::read_dir(&folder)
            .unwrap()
            .filter(|entry| { entry.as_ref().unwrap().file_name().to_string_lossy().starts_with('.') })
            .count(),
        0,
        "nothing is left beside the files"
    );
}

#[test]
fn sound_is_decoded_where_it_arrives() {
    let folder = folder("decoded");
    let (input, local, out) = (sample("flv/h264_aac.flv"), within(&folder, "local.wav"), within(&folder, "out.wav"));
    assert!(run(&["decode", &input, &local]).status.success());
    for live in [&[][..], &["--live"]] {
        let (mut receiver, address, _) = receiver("tcp://127.0.0.1:0", &out, &[]);
        let sent = run(&[&["send", &input, &address][..], live].concat());
        assert!(sent.status.success(), "{:?}", text(&sent));
        assert_eq!(receiver.ends_within(20), Some(0));
        assert!(read(&out) == read(&local), "{live:?}");
    }
}

#[test]
fn a_wrong_fingerprint_or_token_is_refused_and_the_right_one_still_served() {
    let folder = folder("refused");
    let (input, out, keys) = (sample("flv/aac_only.flv"), within(&folder, "out.flv"), within(&folder, "keys"));
    let (mut receiver, address, fingerprint) =
        receiver("tls://127.0.0.1:0", &out, &["--keys", &keys, "--token", "right"]);
    let pin = fingerprint.unwrap();
    let wrong_pin = "0".repeat(64);
    for (args, why) in [
        (&["--fingerprint", &pin, "--token", "wrong"][..], "token"),
        (&["--fingerprint", &pin], "token"),
        (&["--fingerprint", &wrong_pin, "--token", "right"], "fingerprint"),
    ] {
        let (code, _, stderr) = text(&run(&[&["send", &input, &address][..], args].concat()));
        assert_eq!(code, Some(1), "{args:?}");
        assert!(stderr.contains(why), "{args:?}: {stderr}");
    }
    assert!(run(&["send", &input, &address, "--fingerprint", &pin, "--token", "right"]).status.success());
    assert_eq!(receiver.ends_within(20), Some(0));
    let insecure = text(&run(&["receive", "tcp://0.0.0.0:0", &out, "--token", "right"]));
    assert_eq!(insecure.0, Some(2), "a token on an open way needs --insecure: {insecure:?}");
}

#[test]
fn strangers_are_sent_away_while_a_sender_is_served() {
    let folder = folder("strangers");
    let (input, out) = (sample("flv/aac_only.flv"), within(&folder, "out.flv"));
    let (mut receiver, address, _) = receiver("tcp://127.0.0.1:0", &out, &[]);
    let place = address.strip_prefix("tcp://").unwrap();
    let connect = || TcpStream::connect(place).unwrap();
    let silent: Vec<_> = (0..50).map(|_| connect()).collect();
    let mut browser = connect();
    browser.write_all(b"GET / HTTP/1.1\r\nHost: media.example\r\nAccept: everything\r\n\r\n").unwrap();
    let mut flood = connect();
    // A header that declares 4 GiB less one; its sum is right.
    let mut header = [0xab, 0x4d, 0x4c, 0x55, 1, 5].to_vec();
    header.resize(20, 0);
    header.extend([0xff; 4]);
    header.extend([0; 4]);
    header.extend(crc32c(&header).to_be_bytes());
    flood.write_all(&header).unwrap();
    flood.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut answer = Vec::new();
    let _ = flood.read_to_end(&mut answer);
    assert!(answer.windows(5).any(|bytes| bytes == b"limit"), "the reason is reported");
    assert!(run(&["send", &input, &address]).status.success());
    assert_eq!(receiver.ends_within(20), Some(0));
    drop(silent);
}

/// A way to a port that breaks every connection after some bytes.
struct Breaking {
    place: String,
    broken: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
}

impl Breaking {
    fn to(port: u16, most: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let place = format!("tcp://{}", listener.local_addr().unwrap());
        let (broken, stop) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let (count, over) = (broken.clone(), stop.clone());
        thread::spawn(move || {
            let mut random = 12_345usize;
            for from in listener.incoming() {
                if over.load(Ordering::Relaxed) {
                    return;
                }
                let (Ok(from), Ok(to)) = (from, TcpStream::connect(("127.0.0.1", port))) else { continue };
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let life = (random >> 33) % most;
                let (back_from, back_to) = (to.try_clone().unwrap(), from.try_clone().unwrap());
                thread::spawn(move || pass(back_from, back_to, usize::MAX));
                pass(from, to, life);
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
        Self { place, broken, stop }
    }
}

impl Drop for Breaking {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// Copies up to `most` bytes, then breaks both connections.
fn pass(mut from: TcpStream, mut to: TcpStream, mut life: usize) {
    let mut block = vec![0; 16 << 10];
    while life > 0 {
        let most = block.len().min(life);
        match from.read(&mut block[..most]) {
            Ok(got) if got > 0 && to.write_all(&block[..got]).is_ok() => life -= got,
            _ => break,
        }
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}

/// A WAV file of 16-bit stereo sound that looks random.
fn write_wav(path: &str, bytes: u32) {
    let mut file = b"RIFF".to_vec();
    file.extend((bytes + 36).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x02\0\x44\xac\0\0\x10\xb1\x02\0\x04\0\x10\0data");
    file.extend(bytes.to_le_bytes());
    let mut random = 1u64;
    file.extend((0..bytes / 8).flat_map(|_| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        random.to_be_bytes()
    }));
    std::fs::write(path, file).unwrap();
}

#[test]
fn two_hundred_breaks_and_twenty_kills_of_each_side_lose_and_double_nothing() {
    let folder = folder("kills");
    let (input, local, out) = (within(&folder, "in.wav"), within(&folder, "local.wav"), within(&folder, "out.wav"));
    write_wav(&input, 50 << 20);
    assert!(run(&["decode", &input, &local]).status.success());
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let at = format!("tcp://127.0.0.1:{port}");
    let way = Breaking::to(port, 480 << 10);
    let receive = || Process::start(&["receive", &at, &out]);
    let send = || Process::start(&["send", &input, &way.place, "--give-up", "30"]);
    let (mut receiver, mut sender) = (receive(), send());
    let mut kills = (0, 0);
    let deadline = Instant::now() + Duration::from_secs(240);
    while !(sender.is_over() && receiver.is_over()) {
        assert!(Instant::now() < deadline, "{kills:?} kills, {:?} breaks", way.broken);
        thread::sleep(Duration::from_millis(150));
        if kills.0 < 20 && !sender.is_over() && !receiver.is_over() {
            sender.kill();
            sender = send();
            kills.0 += 1;
            thread::sleep(Duration::from_millis(150));
        }
        if kills.1 < 20 && !sender.is_over() && !receiver.is_over() {
            receiver.kill();
            receiver = receive();
            kills.1 += 1;
        }
    }
    let codes = (sender.ends_within(0).or(sender.0.wait().unwrap().code()), receiver.0.wait().unwrap().code());
    assert_eq!(codes, (Some(0), Some(0)));
    assert_eq!(kills, (20, 20));
    let breaks = way.broken.load(Ordering::Relaxed);
    assert!(breaks >= 200, "{breaks} breaks");
    assert!(read(&out) == read(&local));
}

/// A clip of `seconds` seconds: 25 pictures a second of 100 kB, a keyframe each second, and audio.
fn write_film(path: &str, seconds: i64) -> u64 {
    use maliu::{
        Packet, Ticks,
        blocking::{Reader, Writer},
        formats::flv,
        io::File,
    };
    let mut reader = Reader::new(File::open(sample("flv/h264_aac.flv")).unwrap());
    while reader.streams().len() < 2 {
        reader.next_packet().unwrap();
    }
    let mut streams = reader.streams().to_vec();
    streams.sort_by_key(|stream| stream.as_audio().is_some());
    let mut writer = Writer::start(File::create(path).unwrap(), &flv::FORMAT, &[], &streams).unwrap();
    let mut sounds = 0;
    for i in 0..seconds * 25 {
        let key = i % 25 == 0;
        let mut data = vec![i as u8; 100_000];
        data[..5].copy_from_slice(&[0, 1, 0x86, 0x9c, if key { 0x65 } else { 0x41 }]);
        let time = Some(Ticks(i * 40));
        let picture = Packet::of(0, data).at(time).with_key(key);
        writer.write(picture).unwrap();
        for k in 0..2 {
            let time = Some(Ticks(i * 40 + k * 20));
            let data = vec![0x21, 0x10, i as u8, k as u8];
            let sound = Packet::of(1, data).at(time).with_key(true);
            writer.write(sound).unwrap();
            sounds += 1;
        }
    }
    writer.finish().unwrap();
    sounds
}

/// A way to a port that takes nothing for a while.
fn stalling(port: u16, after: Duration, stall: Duration) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = format!("tcp://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        let (mut from, _) = listener.accept().unwrap();
        let mut to = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let (back_from, back_to) = (to.try_clone().unwrap(), from.try_clone().unwrap());
        thread::spawn(move || pass(back_from, back_to, usize::MAX));
        let (begun, mut stalled, mut block) = (Instant::now(), false, vec![0; 64 << 10]);
        while let Ok(got) = from.read(&mut block) {
            if !stalled && begun.elapsed() > after {
                stalled = true;
                thread::sleep(stall);
            }
            if got == 0 || to.write_all(&block[..got]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
    });
    place
}

#[cfg(target_os = "linux")]
#[test]
fn a_stall_of_ten_seconds_costs_pictures_up_to_a_key_and_no_sound() {
    let folder = folder("stall");
    let (input, out) = (within(&folder, "in.flv"), within(&folder, "out.flv"));
    let sounds = write_film(&input, 16);
    let (mut receiver, address, _) = receiver("tcp://127.0.0.1:0", &out, &[]);
    let port = address.rsplit_once(':').unwrap().1.parse().unwrap();
    let way = stalling(port, Duration::from_secs(2), Duration::from_secs(10));
    let begun = Instant::now();
    let limits = ["--queue-bytes", "2000000", "--queue-time", "60"];
    let mut sender = Process::start(&[&["send", "--live", "--json", &input, &way][..], &limits].concat());
    let lines = BufReader::new(sender.0.stdout.take().unwrap());
    let status = format!("/proc/{}/status", sender.0.id());
    let (mut last, mut peak) = (Value::Null, 0);
    for line in lines.lines() {
        last = serde_json::from_str(&line.unwrap()).unwrap();
        let now = std::fs::read_to_string(&status).unwrap_or_default();
        let memory = now.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0 kB");
        peak = peak.max(memory.trim().trim_end_matches(" kB").parse::<u64>().unwrap());
    }
    assert!(peak < 48_000, "{peak} kB");
    assert!(begun.elapsed() < Duration::from_secs(22), "the source is not held up: {:?}", begun.elapsed());
    assert_eq!(sender.ends_within(5), Some(0));
    assert_eq!(receiver.ends_within(20), Some(0));
    let dropped = last["dropped_packets"].as_u64().unwrap();
    let packets: Vec<_> =
        maliu::blocking::Reader::new(maliu::io::File::open(&out).unwrap()).map(|packet| packet.unwrap()).collect();
    let (pictures, heard): (Vec<_>, Vec<_>) = packets.iter().partition(|packet| packet.data.len() > 1000);
    assert_eq!(heard.len() as u64, sounds, "no sound is lost");
    assert_eq!(pictures.len() as u64 + dropped, 16 * 25, "every drop is counted");
    assert!(dropped > 50, "{dropped} dropped");
    for pair in pictures.windows(2) {
        assert!(pair[1].is_key() || pair[1].dts.unwrap().0 - pair[0].dts.unwrap().0 == 40, "{:?}", pair[1].dts);
    }
}

#[test]
fn a_live_transfer_that_breaks_goes_on_at_a_key() {
    let folder = folder("live-breaks");
    let (input, out) = (within(&folder, "in.flv"), within(&folder, "out.flv"));
    write_film(&input, 8);
    let (mut receiver, address, _) = receiver("tcp://127.0.0.1:0", &out, &[]);
    let way = Breaking::to(address.rsplit_once(':').unwrap().1.parse().unwrap(), 16 << 20);
    assert!(run(&["send", "--live", &input, &way.place]).status.success());
    assert_eq!(receiver.ends_within(60), Some(0));
    let mut reader = maliu::blocking::Reader::new(maliu::io::File::open(&out).unwrap());
    let mut pictures = Vec::new();
    while let Some(packet) = reader.next_packet().unwrap() {
        pictures.extend((packet.data.len() > 1000).then_some(packet));
    }
    let breaks = way.broken.load(Ordering::Relaxed);
    assert!(breaks > 1 && pictures.len() > 25, "{breaks} breaks, {} pictures", pictures.len());
    for pair in pictures.windows(2) {
        assert!(pair[1].is_key() || pair[1].dts.unwrap().0 - pair[0].dts.unwrap().0 == 40, "{:?}", pair[1].dts);
    }
}

/// A terminal, and the text written to it until it is closed.
#[cfg(target_os = "linux")]
fn terminal() -> (Stdio, thread::JoinHandle<String>) {
    use rustix::{
        pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
        termios::{Winsize, tcsetwinsize},
    };
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    tcsetwinsize(&master, Winsize { ws_row: 24, ws_col: 120, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
    let screen = std::fs::File::options().read(true).write(true).open(name).unwrap();
    let reading = thread::spawn(move || {
        let (mut shown, mut block) = (Vec::new(), [0; 4096]);
        let mut master = std::fs::File::from(master);
        // Without a process at the other end a terminal fails rather than ends.
        while let Ok(got @ 1..) = master.read(&mut block) {
            shown.extend_from_slice(&block[..got]);
        }
        String::from_utf8_lossy(&shown).into_owned()
    });
    (screen.into(), reading)
}

#[cfg(target_os = "linux")]
#[test]
fn a_terminal_shows_rate_delay_and_drops_and_a_pipe_nothing() {
    let folder = folder("terminal");
    let (input, out) = (sample("flv/h264_aac.flv"), within(&folder, "out.flv"));
    let (receiver_screen, receiver_shows) = terminal();
    let (sender_screen, sender_shows) = terminal();
    let mut command = binary::command(&["receive", "tcp://127.0.0.1:0", &out, "--json"]);
    let mut receiver = Process(command.stderr(receiver_screen).spawn().unwrap());
    drop(command);
    let address = receiver.next_line()["address"].as_str().unwrap().to_owned();
    let mut command = binary::command(&["send", "--live", &input, &address]);
    assert!(command.stderr(sender_screen).spawn().unwrap().wait().unwrap().success());
    drop(command);
    assert_eq!(receiver.ends_within(60), Some(0));
    let shown = sender_shows.join().unwrap();
    assert!(["B/s", "behind", "dropped"].iter().all(|word| shown.contains(word)), "{shown:?}");
    let shown = receiver_shows.join().unwrap();
    assert!(["B/s", "late", "lost"].iter().all(|word| shown.contains(word)), "{shown:?}");
    let (_receiver, address, _) = self::receiver("tcp://127.0.0.1:0", &out, &[]);
    let (code, stdout, stderr) = text(&run(&["send", "--live", &input, &address]));
    assert_eq!((code, &*stdout, &*stderr), (Some(0), "", ""));
}
