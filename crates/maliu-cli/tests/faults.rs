//! Inputs and outputs that fail, stall, shorten and lie at the n-th call, for every n, under every command.

use std::fs;

use bytes::Bytes;
use maliu_cli::{DONE, FAILED};

mod faulty;
use faulty::{Case, Fault, Outcome, Plan};

/// A command, an input for it, and what its output is.
struct Path {
    line: &'static [&'static str],
    sample: &'static str,
    /// Output written before a failure is a beginning of the output without one.
    prefix: bool,
    /// The output is text on standard output: nothing is committed.
    text: bool,
}

const fn path(line: &'static [&'static str], sample: &'static str) -> Path {
    Path { line, sample, prefix: false, text: false }
}

const fn prefix(line: &'static [&'static str], sample: &'static str) -> Path {
    Path { prefix: true, ..path(line, sample) }
}

const fn text(line: &'static [&'static str], sample: &'static str) -> Path {
    Path { text: true, ..path(line, sample) }
}

const PATHS: &[Path] = &[
    text(&["probe", "IN"], "flv/h264_aac.flv"),
    text(&["probe", "--json", "--packets", "IN"], "adts/stereo_44100.aac"),
    text(&["nals", "IN"], "h264/b_frames.h264"),
    text(&["nals", "--json", "IN"], "flv/h264_aac.flv"),
    text(&["check", "--json", "IN"], "flv/cut_in_tag.flv"),
    text(&["layout", "explain", "flv-tag", "IN", "--most", "300"], "flv/aac_only.flv"),
    prefix(&["decode", "IN", "OUT", "--to", "pcm"], "mp3/vbr_info.mp3"),
    path(&["decode", "IN", "OUT", "--to", "wav"], "flv/aac_only.flv"),
    path(&["decode", "IN", "OUT.y4m"], "h264/junk_and_zeros.h264"),
    prefix(&["remux", "IN", "OUT", "-f", "adts"], "flv/h264_aac.flv"),
    path(&["remux", "IN", "OUT", "-f", "flv", "-o", "add_keyframe_index=1"], "flv/h264_aac.flv"),
    path(&["remux", "IN", "OUT", "-f", "wav"], "wav/adpcm_ms.wav"),
    prefix(&["remux", "IN", "OUT", "-f", "framecrc"], "h265/main.h265"),
    prefix(&["remux", "IN", "OUT", "--write-layout", "length32"], "adts/stereo_44100.aac"),
    path(&["remux", "--layout", "flv-tag", "IN", "OUT", "-f", "framecrc"], "flv/aac_only.flv"),
    path(&["repair", "IN", "OUT"], "flv/zero_tail.flv"),
    path(&["send", "IN", "-"], "flv/aac_only.flv"),
];

fn sample(name: &str) -> Bytes {
    fs::read(format!("{}/../../samples/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap().into()
}

impl Path {
    fn run(&self, case: Case) -> Outcome {
        Case { input: sample(self.sample), editable: true, ..case }.run(self.line)
    }

    /// Runs it for the fault at every call of `1..=calls`, spread out to at most [`MOST`], with and without repetition.
    fn at_every_call(&self, fault: Fault, calls: usize, mut check: impl FnMut(Plan)) {
        for first in (1..=calls).step_by(calls.div_ceil(MOST)) {
            check(Plan { fault, first, every: 0 });
            if matches!(fault, Fault::NotYet | Fault::Interrupted | Fault::Short | Fault::Hiccup) {
                check(Plan { fault, first: first + 1, every: first + 1 });
            }
        }
    }

    /// Requirements on all runs: no panic (it would end the test), a code that says how it went, words for a
    /// failure.
    fn holds(&self, outcome: &Outcome, plan: Plan) {
        let Outcome { end, .. } = outcome;
        assert!(end.code <= FAILED, "{:?} {plan:?}: {end:?}", self.line);
        assert_eq!(end.code == FAILED, !end.why.is_empty(), "{:?} {plan:?}: {end:?}", self.line);
    }
}

/// Most calls at which a fault is tried.
const MOST: usize = 24;

#[test]
fn what_only_takes_longer_changes_nothing() {
    for path in PATHS {
        for seekable in [true, false] {
            let good = path.run(Case { seekable, ..Case::default() });
            for fault in [Fault::NotYet, Fault::Interrupted, Fault::Short, Fault::Stalls] {
                if fault != Fault::NotYet {
                    path.at_every_call(fault, good.reads.min(8), |plan| {
                        let outcome = path.run(Case { seekable, reading: Some(plan), ..Case::default() });
                        assert_eq!(outcome.end, good.end, "{:?} reading {plan:?}", path.line);
                        assert!(outcome.bytes == good.bytes, "{:?} reading {plan:?}", path.line);
                    });
                }
                path.at_every_call(fault, good.writes.min(12), |plan| {
                    let outcome = path.run(Case { seekable, writing: Some(plan), ..Case::default() });
                    assert_eq!(outcome.end, good.end, "{:?} writing {plan:?}", path.line);
                    assert!(outcome.bytes == good.bytes, "{:?} writing {plan:?}", path.line);
                });
            }
        }
    }
}

#[test]
fn an_input_that_is_not_ready_is_waited_for() {
    for path in PATHS {
        let good = path.run(Case::default());
        let plan = Plan { fault: Fault::NotYet, first: 2, every: 3 };
        let outcome = path.run(Case { reading: Some(plan), ..Case::default() });
        assert_eq!(outcome.end, good.end, "{:?}", path.line);
        assert!(outcome.bytes == good.bytes, "{:?}", path.line);
    }
}

#[test]
fn an_input_that_fails_is_told_and_what_was_good_is_kept() {
    for path in PATHS {
        for seekable in [true, false] {
            let good = path.run(Case { seekable, ..Case::default() });
            for fault in [Fault::Breaks, Fault::Hiccup, Fault::Lies] {
                path.at_every_call(fault, good.reads, |plan| {
                    let outcome = path.run(Case { seekable, reading: Some(plan), ..Case::default() });
                    path.holds(&outcome, plan);
                    // A seek that fails may be done without; bytes that are missing may not.
                    let same = outcome.end == good.end && outcome.bytes == good.bytes;
                    assert!(same || outcome.end.code == FAILED, "{:?} {plan:?} went unnoticed", path.line);
                    assert!(
                        !path.prefix || good.bytes.starts_with(&outcome.bytes) || same,
                        "{:?} {plan:?} wrote something else",
                        path.line
                    );
                });
            }
        }
    }
}

#[test]
fn what_was_read_before_a_failure_is_what_a_cut_file_gives() {
    for path in PATHS.iter().filter(|path| path.prefix) {
        let good = path.run(Case::default());
        for first in 1..=good.reads {
            let plan = |fault| Case { reading: Some(Plan { fault, first, every: 0 }), ..Case::default() };
            let (cut, broken) = (path.run(plan(Fault::Ends)), path.run(plan(Fault::Breaks)));
            assert_eq!(broken.end.code, FAILED, "{:?} at {first}", path.line);
            // An end completes what may go on: a last picture, the tail of a decoder.
            assert!(cut.bytes.starts_with(&broken.bytes), "{:?} at {first}", path.line);
            assert!(broken.bytes.len() + LAST_PACKET >= cut.bytes.len(), "{:?} at {first}", path.line);
        }
    }
}

/// Bytes that may depend on knowing that an input has ended.
const LAST_PACKET: usize = 16 << 10;

#[test]
fn an_input_that_ends_early_gives_what_is_whole() {
    for path in PATHS {
        let good = path.run(Case { seekable: true, ..Case::default() });
        path.at_every_call(Fault::Ends, good.reads, |plan| {
            for seekable in [true, false] {
                let outcome = path.run(Case { seekable, reading: Some(plan), ..Case::default() });
                path.holds(&outcome, plan);
            }
        });
    }
}

#[test]
fn a_size_that_lies_does_no_harm() {
    for path in PATHS {
        let honest = path.run(Case { seekable: true, ..Case::default() });
        for size in [0, 1, 5000, 1 << 20, 1 << 40, u64::MAX] {
            let outcome = path.run(Case { seekable: true, size: Some(size), ..Case::default() });
            assert!(outcome.end.code <= FAILED, "{:?} of {size}: {:?}", path.line, outcome.end);
            // Data at the end – the padding that is dropped – may depend on where the end is.
            let (less, more) = (outcome.bytes.len().min(honest.bytes.len()), END_OF_SOUND);
            let same = less.saturating_sub(more);
            assert!(!path.prefix || outcome.bytes[..same] == honest.bytes[..same], "{:?} of {size} bytes", path.line);
            assert!(!path.prefix || less + more >= honest.bytes.len(), "{:?} of {size} bytes", path.line);
        }
    }
}

/// Bytes of PCM of two frames.
const END_OF_SOUND: usize = 2 * 1152 * 2 * 2;

#[test]
fn an_output_that_fails_is_told_and_not_committed() {
    for path in PATHS {
        let good = path.run(Case::default());
        for fault in [Fault::Breaks, Fault::Lies, Fault::Zero, Fault::Hiccup] {
            path.at_every_call(fault, good.writes, |plan| {
                let outcome = path.run(Case { writing: Some(plan), ..Case::default() });
                path.holds(&outcome, plan);
                let same = outcome.bytes == good.bytes && outcome.end == good.end;
                assert!(same || outcome.end.code == FAILED, "{:?} {plan:?} went unnoticed", path.line);
                assert!(same || !outcome.committed, "{:?} {plan:?} is committed", path.line);
            });
        }
    }
}

#[test]
fn a_reader_who_goes_early_is_no_failure() {
    for path in PATHS {
        let good = path.run(Case::default());
        path.at_every_call(Fault::Closed, good.writes, |plan| {
            let outcome = path.run(Case { writing: Some(plan), ..Case::default() });
            assert_eq!((outcome.end.code, outcome.end.why.as_str()), (DONE, ""), "{:?} {plan:?}", path.line);
            assert!(path.text || !outcome.committed, "{:?} {plan:?} is committed", path.line);
        });
    }
}

#[test]
fn received_content_survives_the_same_faults() {
    let sent = PATHS.iter().find(|path| path.line[0] == "send").unwrap().run(Case::default());
    let input = Bytes::from(sent.bytes);
    let receive = |case: Case| Case { input: input.clone(), ..case }.run(&["receive", "IN", "OUT.flv"]);
    // Content arrives at standard input, which the lent input stands for.
    let remux =
        |case: Case| Case { input: input.clone(), ..case }.run(&["remux", "--from", "wire", "IN", "OUT", "-f", "adts"]);
    assert_ne!(receive(Case::default()).end.code, DONE, "IN is no address");
    let good = remux(Case::default());
    assert_eq!(good.end.code, DONE, "{:?}", good.end);
    for fault in [Fault::Breaks, Fault::Lies, Fault::Hiccup, Fault::Ends] {
        for first in 1..=good.reads {
            let outcome = remux(Case { reading: Some(Plan { fault, first, every: 0 }), ..Case::default() });
            assert!(outcome.end.code <= FAILED);
            assert!(good.bytes.starts_with(&outcome.bytes), "{fault:?} at {first}");
        }
    }
}
