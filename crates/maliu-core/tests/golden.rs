//! The golden vectors recorded from libavformat 5.1, replayed tick for tick and byte for byte (../shared/vectors/SCHEMA.md).
//!
//! `MALIU_VECTORS` names another folder of the same kind. Where the project decided to differ, `differences.rs` names
//! the rule and what is expected instead.

#[path = "golden/case.rs"]
mod case;
#[path = "golden/differences.rs"]
mod differences;
#[path = "golden/flv.rs"]
mod flv;
#[path = "golden/flv_demux.rs"]
mod flv_demux;
#[path = "golden/io.rs"]
mod io;
#[path = "golden/parsers.rs"]
mod parsers;
#[path = "golden/recorder.rs"]
mod recorder;
#[path = "golden/run.rs"]
mod run;
#[path = "golden/sink.rs"]
mod sink;

use std::{env, fs, path::PathBuf};

use serde_json::Value;

use case::Case;

/// The folder with the vectors.
fn folder() -> PathBuf {
    let default = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors");
    env::var_os("MALIU_VECTORS").map_or_else(default, PathBuf::from)
}

/// The cases of one file; none, with a note, where the default folder is not there. A folder that is named must have it.
fn vectors(name: &str) -> Vec<Value> {
    let path = folder().join(name);
    match fs::read_to_string(&path) {
        Ok(text) => {
            let lines = text.lines().filter(|line| !line.trim().is_empty());
            lines.map(|line| serde_json::from_str(line).expect("a vector is JSON")).collect()
        }
        Err(error) if env::var_os("MALIU_VECTORS").is_some() => panic!("{}: {error}", path.display()),
        Err(_) => {
            println!("golden: {} is not there, nothing is replayed", path.display());
            Vec::new()
        }
    }
}

fn replay(name: &str) {
    let wanted = env::var("MALIU_CASE").unwrap_or_default();
    let (mut cases, mut real, mut exempt, mut faults) = (0, 0, Vec::new(), Vec::new());
    for json in vectors(name) {
        let case = Case::new(json, &folder());
        if !case.id.starts_with(&wanted) {
            continue;
        }
        let outcome = run::run(&case);
        cases += 1;
        real += usize::from(outcome.real);
        let (rule, left) = differences::judge(&case, &outcome);
        exempt.extend(rule.map(|rule| format!("{} ({rule})", case.id)));
        faults.extend(left.iter().map(|fault| format!("{} {}: {fault}", case.id, case.muxer)));
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
