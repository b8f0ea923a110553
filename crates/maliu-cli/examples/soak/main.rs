//! Damaged inputs through the commands, in one process: panics, endless work and memory beyond the budget are counted.
//!
//! `cargo run --release -p maliu-cli --example soak -- CASES SEED KEEP FILE…` damages the files in turn, CASES times, as
//! SEED chooses, and runs probe, decode, remux, check, repair and nals on each. Inputs that hurt are kept in the folder
//! KEEP; the exit code is then 1. A case is the same in every run with the same SEED and files.

use std::{
    env, fs,
    panic::{self, AssertUnwindSafe},
    path::Path,
    process::{self, ExitCode},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;
use maliu_cli::{FAILED, run};
use peak_alloc::PeakAlloc;

use self::{damage::Random, streams::Streams};

mod damage;
mod streams;

#[global_allocator]
static PEAK: PeakAlloc = PeakAlloc;

/// Most memory that one command may take beyond its input, in bytes: `input::MAX_WINDOW`.
const BUDGET: usize = 64 << 20;

/// The same where pictures are decoded: as many of 1080p as the largest decoded picture buffer holds, and some more.
const PICTURE_BUDGET: usize = 512 << 20;

/// Longest that one command may take: thousands of times what it needs on a machine that does nothing else.
const LONGEST: Duration = Duration::from_secs(60);

/// Files beyond this size are left out.
const MAX_FILE: u64 = 100_000;

/// The command lines. `IN` and `OUT` are lent.
const COMMANDS: &[&[&str]] = &[
    &["probe", "--json", "--packets", "--hash", "crc32", "IN"],
    &["decode", "IN", "OUT", "--to", "wav"],
    &["remux", "IN", "OUT", "-f", "framecrc"],
    &["remux", "IN", "OUT", "-f", "flv", "-o", "add_keyframe_index=1"],
    &["check", "--json", "IN"],
    &["repair", "IN", "OUT"],
    &["nals", "--json", "IN"],
    &["decode", "IN", "OUT.y4m"],
    &["probe", "--explain", "IN"],
    &["decode", "IN", "OUT", "--to", "pcm", "--start", "0.3", "--duration", "0.2"],
    &["remux", "IN", "OUT", "-f", "adts", "--start", "0.2"],
    &["send", "IN", "-"],
];

/// Commands of [`COMMANDS`] that every case goes through; it goes through one of the others, too.
const ALWAYS: usize = 3;

#[derive(Default)]
struct Tally {
    runs: u64,
    /// By exit code: 0, 1, others.
    codes: [u64; 3],
    panics: u64,
    late: u64,
    fat: u64,
    silent: u64,
    /// Most bytes, without and with pictures.
    peaks: [usize; 2],
    longest: Duration,
}

/// The last panic, for the report.
static PANIC: Mutex<String> = Mutex::new(String::new());

/// The case under way, for the watch.
static CASE: AtomicU64 = AtomicU64::new(0);

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [cases, seed, keep, files @ ..] = arguments.as_slice() else {
        println!("usage: soak CASES SEED KEEP FILE…");
        return ExitCode::FAILURE;
    };
    let (Ok(cases), Ok(seed)) = (cases.parse::<u64>(), seed.parse::<u64>()) else { return ExitCode::FAILURE };
    let small = |path: &&String| fs::metadata(path).is_ok_and(|about| (1..=MAX_FILE).contains(&about.len()));
    let files: Vec<Bytes> =
        files.iter().filter(small).filter_map(|path| fs::read(path).ok()).map(Bytes::from).collect();
    if files.is_empty() {
        println!("no file of up to {MAX_FILE} bytes");
        return ExitCode::FAILURE;
    }
    panic::set_hook(Box::new(|info| {
        if let Ok(mut last) = PANIC.lock() {
            *last = info.to_string();
        }
    }));
    tracing_subscriber::fmt().with_writer(std::io::sink).init();
    watch();
    let (begun, mut tally) = (Instant::now(), Tally::default());
    for case in 0..cases {
        CASE.store(case, Ordering::Relaxed);
        if case > 0 && case % 10_000 == 0 {
            println!("{case} inputs, {} runs, {:.0} s", tally.runs, begun.elapsed().as_secs_f64());
        }
        let mut random = Random::new(seed, case);
        let input = damage::damaged(&files, case, &mut random);
        let other = ALWAYS + random.below(COMMANDS.len() - ALWAYS);
        for command in (0..ALWAYS).chain([other]) {
            let streams = Streams::new(input.clone(), &mut random);
            if let Some(fault) = tally.one(COMMANDS[command], streams) {
                let path = Path::new(keep).join(format!("{seed}-{case}"));
                println!(
                    "FAULT case {case} of seed {seed}, {}: {fault}; kept as {}",
                    COMMANDS[command][0],
                    path.display()
                );
                let _ = fs::create_dir_all(keep).and_then(|()| fs::write(path, &input));
            }
        }
    }
    tally.report(cases, files.len(), begun.elapsed())
}

impl Tally {
    /// Runs one command; says what was wrong with how it ran.
    fn one(&mut self, line: &[&str], streams: Streams) -> Option<String> {
        PEAK.reset_peak_usage();
        let (before, begun) = (PEAK.current_usage(), Instant::now());
        let end = panic::catch_unwind(AssertUnwindSafe(|| run(line, streams)));
        let (took, peak) = (begun.elapsed(), PEAK.peak_usage().saturating_sub(before));
        self.runs += 1;
        self.longest = self.longest.max(took);
        let pictures = line.contains(&"OUT.y4m");
        let most = &mut self.peaks[usize::from(pictures)];
        *most = peak.max(*most);
        let Ok(end) = end else {
            self.panics += 1;
            return Some(PANIC.lock().map_or_else(|_| "panic".into(), |last| last.clone()));
        };
        self.codes[usize::from(end.code.min(2))] += 1;
        if took > LONGEST {
            self.late += 1;
            return Some(format!("{took:?}"));
        }
        let budget = if pictures { PICTURE_BUDGET } else { BUDGET };
        if peak > budget {
            self.fat += 1;
            return Some(format!("{peak} bytes"));
        }
        if end.code > FAILED || (end.code == FAILED && end.why.is_empty()) {
            self.silent += 1;
            return Some(format!("exit code {} with the words {:?}", end.code, end.why));
        }
        None
    }

    fn report(&self, cases: u64, files: usize, took: Duration) -> ExitCode {
        let [good, failed, other] = self.codes;
        println!("{cases} damaged inputs of {files} files, {} runs in {:.0} s", self.runs, took.as_secs_f64());
        println!("exit codes: {good} done, {failed} failed with a reason, {other} others");
        let [bytes, pictures] = self.peaks.map(|bytes| bytes as f64 / 1e6);
        println!(
            "most memory {bytes:.1} MB, of pictures {pictures:.1} MB; longest run {:.2} s",
            self.longest.as_secs_f64()
        );
        let Self { panics, late, fat, silent, .. } = self;
        println!("{panics} panics, {late} time-outs, {fat} over the budget, {silent} without a reason");
        if panics + late + fat + silent == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// Ends everything when one case does not end.
fn watch() {
    thread::spawn(|| {
        let (mut case, mut since) = (0, Instant::now());
        loop {
            thread::sleep(Duration::from_secs(1));
            let current = CASE.load(Ordering::Relaxed);
            if current != case {
                (case, since) = (current, Instant::now());
            } else if since.elapsed() > 6 * LONGEST {
                println!("FAULT case {case} does not end");
                process::exit(1);
            }
        }
    });
}
