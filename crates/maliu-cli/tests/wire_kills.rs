//! Seven senders and one receiver, killed at random: every file arrives, byte for byte. `MALIU_KILLS` sets how many kills.

use std::{
    env, fs,
    net::TcpListener,
    thread::sleep,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

mod binary;
mod peers;
use binary::{folder, process::Process, run, sample, within};
use peers::read;

const SENDERS: usize = 7;

/// Kills, unless set otherwise.
const KILLS: usize = 8;

/// Numbers that look random.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

#[test]
fn seven_senders_survive_kills_of_both_ends_byte_for_byte() {
    let set = |name: &str| env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let kills = set("MALIU_KILLS").map_or(KILLS, |kills| kills as usize);
    let seed = set("MALIU_SEED").unwrap_or_else(|| UNIX_EPOCH.elapsed().map_or(1, |time| time.as_nanos() as u64));
    println!("MALIU_SEED={seed}");
    let mut random = Random(seed);
    let folder = folder("random-kills");
    let inputs: Vec<(String, Vec<u8>)> = (0..SENDERS).map(|n| input(&folder, n)).collect();
    let (mut done, mut rounds) = ((0, 0), 0);
    while done.0 + done.1 < kills {
        round(&folder, &inputs, rounds, kills, &mut done, &mut random);
        rounds += 1;
    }
    println!("{done:?} kills of senders and of the receiver in {rounds} rounds of {SENDERS} transfers");
}

/// An input of its own, and what it becomes.
fn input(folder: &std::path::Path, n: usize) -> (String, Vec<u8>) {
    let (from, extension) = [("h264/b_frames.h264", "h264"), ("adts/stereo_44100.aac", "aac")][n % 2];
    let (path, local) = (within(folder, &format!("in{n}.{extension}")), within(folder, "local.flv"));
    let clip = read(&sample(from));
    fs::write(&path, clip.repeat(8_000_000 / clip.len() + n)).unwrap();
    assert!(run(&["remux", &path, &local]).status.success());
    (path, read(&local))
}

/// All inputs once, with kills until there are enough of them.
fn round(
    folder: &std::path::Path,
    inputs: &[(String, Vec<u8>)],
    number: usize,
    most: usize,
    done: &mut (usize, usize),
    random: &mut Random,
) {
    let out = within(folder, "out");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let at = format!("tcp://127.0.0.1:{port}");
    let receive = || Process::start(&["receive", &at, &out, "--many"]);
    // As from another time, or the transfers of the last round would be gone on with.
    let time = SystemTime::now() - Duration::from_secs(number as u64 + 1);
    for (input, _) in inputs {
        fs::File::options().write(true).open(input).unwrap().set_modified(time).unwrap();
    }
    let send = |n: usize| Process::start(&["send", &inputs[n].0, &at, "--give-up", "60"]);
    let mut receiver = receive();
    let mut senders: Vec<_> = (0..inputs.len()).map(send).collect();
    let deadline = Instant::now() + Duration::from_secs(600);
    while !senders.iter_mut().all(Process::is_over) {
        assert!(Instant::now() < deadline, "round {number}, {done:?} kills");
        sleep(Duration::from_millis(20 + random.below(200)));
        if done.0 + done.1 >= most {
            continue;
        }
        if random.below(3) == 0 {
            receiver.kill();
            receiver = receive();
            done.1 += 1;
        } else {
            let n = random.below(inputs.len() as u64) as usize;
            if !senders[n].is_over() {
                senders[n].kill();
                senders[n] = send(n);
                done.0 += 1;
            }
        }
    }
    for (n, sender) in senders.iter_mut().enumerate() {
        assert_eq!(sender.ends_within(1), Some(0), "round {number}, sender {n}, {done:?} kills");
    }
    receiver.kill();
    for (n, (input, wanted)) in inputs.iter().enumerate() {
        // A sender that was killed when it was done, and began anew, has sent it twice.
        let stem = format!("in{n}");
        let names = fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let of_it = |name: &String| *name == format!("{stem}.flv") || name.starts_with(&format!("{stem}-"));
        let come: Vec<_> = names.filter(of_it).collect();
        assert!(!come.is_empty(), "{input} has not arrived");
        for name in come {
            assert!(read(&format!("{out}/{name}")) == *wanted, "round {number}: {name} differs");
        }
    }
    fs::remove_dir_all(&out).unwrap();
}
