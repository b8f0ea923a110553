//! The golden vectors recorded from libavformat 5.1, replayed tick for tick and byte for byte (../shared/vectors/SCHEMA.md).
//!
//! `MALIU_VECTORS` names another folder of the same kind. Where the project decided to differ, `differences.rs` names
//! the rule and what is expected instead.

#[path = "golden/case.rs"]
mod case;
#[path = "golden/differences.rs"]
mod differences;
#[path = "golden/file.rs"]
mod file;
#[path = "golden/flv.rs"]
mod flv;
#[path = "golden/recorder.rs"]
mod recorder;
#[path = "golden/run.rs"]
mod run;

use std::{env, fs, path::PathBuf};

use case::Case;

fn folder() -> Option<PathBuf> {
    let default = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors");
    let folder = env::var_os("MALIU_VECTORS").map_or_else(default, PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    println!("golden: {} is not there, nothing is replayed", folder.display());
    None
}

fn replay(name: &str) {
    let Some(folder) = folder() else { return };
    let text = fs::read_to_string(folder.join(name)).unwrap();
    let wanted = env::var("MALIU_CASE").unwrap_or_default();
    let (mut cases, mut real, mut exempt, mut faults) = (0, 0, Vec::new(), Vec::new());
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let case = Case::parse(line, &folder);
        if !case.id.starts_with(&wanted) {
            continue;
        }
        let outcome = run::run(&case);
        if !outcome.real && !case.has_events() && case.muxer == "flv" {
            continue; // Neither a muxer of ours nor a record of what reached theirs: there is nothing to compare.
        }
        cases += 1;
        real += usize::from(outcome.real);
        match differences::of(&case, &outcome) {
            Some(Ok(rule)) => exempt.push(format!("{} ({rule})", case.id)),
            Some(Err(fault)) => faults.push(format!("{}: {fault}", case.id)),
            None => faults.extend(outcome.faults.iter().map(|fault| format!("{} {}: {fault}", case.id, case.muxer))),
        }
    }
    println!("{name}: {cases} cases, {real} through muxers of ours, decided differences: {exempt:?}");
    let shown: Vec<_> = faults.iter().take(400).cloned().collect();
    assert!(faults.is_empty(), "{} faults in {name}:\n{}", faults.len(), shown.join("\n"));
}

#[test]
fn write_frame_vectors_replay_exactly() {
    replay("write_frame.jsonl");
}

#[test]
fn flv_mux_vectors_replay_exactly() {
    replay("flv_mux.jsonl");
}
