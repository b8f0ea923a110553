//! Decodes files by one thread and by several, whole and damaged, and says where the answers differ.
//!
//! `cargo run --release -p maliu-decode --example threads -- FILE…`; the exit code is 1 when any file differs.

use std::{env, fs, process::ExitCode};

#[path = "../tests/threads/mod.rs"]
mod threads;
use threads::{damaged, packets, parallel, serial};

fn main() -> ExitCode {
    let (mut streams, mut decoded, mut bad) = (0, 0, 0);
    for path in env::args().skip(1) {
        let Some((info, whole)) = fs::read(&path).ok().and_then(|data| packets(&data)) else { continue };
        streams += 1;
        for (kind, packets) in [("whole", whole.clone()), ("damaged", damaged(&whole))] {
            let expected = serial(&info, &packets);
            decoded += packets.len();
            for threads in [2, 3, 8] {
                let said = parallel(&info, &packets, threads);
                if said != expected {
                    let at = said.iter().zip(&expected).position(|(a, b)| a != b).unwrap_or(said.len());
                    println!("FAIL {path}, {kind}: packet {at} differs by {threads} threads");
                    bad += 1;
                }
            }
        }
    }
    println!("{streams} streams, {decoded} packets: {bad} differ");
    if bad == 0 && streams > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
