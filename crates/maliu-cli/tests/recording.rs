//! Recordings killed at random times play up to their last fragment. `MALIU_KILLS` sets how many kills.

use std::{
    env, fs,
    io::Write,
    process::Stdio,
    thread::sleep,
    time::{Duration, UNIX_EPOCH},
};

mod binary;
use binary::{command, folder, run, sample, text, within};

/// Kills, unless set otherwise.
const KILLS: u64 = 4;

/// Seconds of media that are fed, and how long each takes.
const SECONDS: usize = 24;
const PACE: Duration = Duration::from_millis(50);

/// Seconds of media that may be missing: a fragment, a quarter of a second in memory, and what the machine is late.
const LOST: usize = 2 + 5 + 5;

/// Numbers that look random.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

/// Packets: stream, times, size and checksum. Of the last one of a fragment the duration is what the input stated.
fn lines(path: &str) -> Vec<String> {
    let (code, out, err) = text(&run(&["remux", path, "-", "-f", "framecrc"]));
    assert_eq!(code, Some(0), "{err}");
    let packet = |line: &str| {
        let fields: Vec<&str> =
            line.split(',').enumerate().filter(|(n, _)| *n != 3).map(|(_, field)| field.trim()).collect();
        fields.join(" ")
    };
    out.lines().filter(|line| !line.starts_with('#')).map(packet).collect()
}

#[test]
fn a_killed_mp4_recording_plays_up_to_its_last_fragment() {
    kill_recordings("mp4");
}

#[test]
fn a_killed_matroska_recording_plays_up_to_its_last_cluster() {
    kill_recordings("mkv");
}

/// Records into a file with this extension, and kills the program at random times.
fn kill_recordings(extension: &str) {
    let set = |name: &str| env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let seed = set("MALIU_SEED").unwrap_or_else(|| UNIX_EPOCH.elapsed().map_or(1, |time| time.as_nanos() as u64));
    println!("MALIU_SEED={seed}");
    let (mut random, folder) = (Random(seed), folder(&format!("killed-recordings-{extension}")));
    let [good, out] = ["good", "out"].map(|name| within(&folder, &format!("{name}.{extension}")));
    let flv = within(&folder, "in.flv");
    let long = |name: &str, rate: usize| {
        let (clip, path) = (fs::read(sample(name)).unwrap(), within(&folder, name.split_once('/').unwrap().1));
        fs::write(&path, clip.repeat(SECONDS * rate / lines(&sample(name)).len())).unwrap();
        path
    };
    let (video, audio) = (long("h264/b_frames.h264", 25), long("adts/stereo_44100.aac", 43));
    let made = run(&["remux", &video, &audio, &flv]);
    assert!(made.status.success(), "{}", text(&made).2);
    assert!(run(&["remux", &flv, &good]).status.success());
    let (film, whole) = (fs::read(&flv).unwrap(), lines(&good));
    for _ in 0..set("MALIU_KILLS").unwrap_or(KILLS) {
        let _ = fs::remove_file(&out);
        let mut child = command(&["remux", "-", &out]).stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let (fed, after) = (random.below(SECONDS as u64 + 2) as usize, Duration::from_micros(random.below(50_000)));
        for part in film.chunks(film.len().div_ceil(SECONDS)).take(fed) {
            stdin.write_all(part).unwrap();
            sleep(PACE);
        }
        // Beyond the end of its input it is killed while it completes the file.
        let _open = (fed <= SECONDS).then_some(stdin);
        sleep(after);
        let _ = child.kill();
        let _ = child.wait();
        let found = if fs::metadata(&out).is_ok_and(|about| about.len() > 0) { lines(&out) } else { Vec::new() };
        let same = found.iter().zip(&whole).take_while(|(found, whole)| found == whole).count();
        assert_eq!(same, found.len(), "{:?} {:?}", found.get(same), whole.get(same));
        let least = fed.saturating_sub(LOST) * whole.len() / SECONDS;
        assert!(found.len() >= least, "{} of {} packets after {fed} of {SECONDS} s", found.len(), whole.len());
    }
}

#[test]
fn a_recording_stands_in_its_place_unless_a_file_is_there() {
    let folder = folder("recording-place");
    let out = within(&folder, "out.mp4");
    let film = fs::read(sample("flv/h264_aac.flv")).unwrap();
    for (there, settings) in [(false, None), (true, None), (false, Some("hybrid=0"))] {
        let _ = fs::remove_file(&out);
        if there {
            fs::write(&out, b"mine").unwrap();
        }
        let options: Vec<&str> = settings.iter().flat_map(|setting| ["-o", *setting]).collect();
        let mut child = command(&[&["remux", "-", &out][..], &options].concat()).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.as_mut().unwrap().write_all(&film[..film.len() / 2]).unwrap();
        while fs::read_dir(&folder).unwrap().count() == usize::from(there) {
            sleep(Duration::from_millis(5));
        }
        let found = fs::read(&out).ok();
        assert_eq!(found.is_some(), there || settings.is_none());
        assert_eq!(found.as_deref() == Some(b"mine"), there);
        drop(child.stdin.take());
        assert!(child.wait().unwrap().success());
        assert!(lines(&out).len() > 5);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    }
}

#[test]
fn a_recording_that_never_began_leaves_no_file() {
    let folder = folder("recording-none");
    let out = within(&folder, "out.m4a");
    let refused = run(&["remux", &sample("flv/h264_aac.flv"), &out, "--map", "0:7"]);
    assert!(!refused.status.success());
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
}
