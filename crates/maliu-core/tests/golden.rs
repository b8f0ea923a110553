//! The golden vectors recorded from libavformat 5.1, replayed tick for tick and byte for byte.
//!
//! A selection that covers every rule and kind lies in `golden/vectors`; `MALIU_VECTORS` names a folder with more of
//! them. Where the project decided to differ, `differences.rs` names the rule and the expected result.

#[path = "golden/audio.rs"]
mod audio;
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

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use case::Case;

/// The folders with vectors: the project's own, and the one that `MALIU_VECTORS` names.
fn folders() -> Vec<PathBuf> {
    let own = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/vectors");
    [own].into_iter().chain(env::var_os("MALIU_VECTORS").map(PathBuf::from)).collect()
}

/// The cases of one file in one folder.
fn read(folder: &Path, name: &str) -> Vec<Value> {
    let path = folder.join(name);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let cases: Vec<_> = lines.map(|line| serde_json::from_str(line).expect("a vector is JSON")).collect();
    assert!(!cases.is_empty(), "{}: no vectors", path.display());
    cases
}

/// The cases of one file in every folder.
fn vectors(name: &str) -> Vec<Value> {
    folders().iter().flat_map(|folder| read(folder, name)).collect()
}

fn replay(name: &str) {
    let wanted = env::var("MALIU_CASE").unwrap_or_default();
    let (mut cases, mut real, mut exempt, mut faults) = (0, 0, Vec::new(), Vec::new());
    let folders = folders();
    let all = folders.iter().flat_map(|folder| read(folder, name).into_iter().map(move |json| (folder, json)));
    for (folder, json) in all {
        let case = Case::new(json, folder);
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
