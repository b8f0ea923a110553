//! How fast start codes are found, against how fast memory is read at all: `cargo bench -p maliu-core --bench
//! start_codes`.

use std::{hint::black_box, time::Instant};

use maliu_core::syntax::annexb::{self, StartCodes};

const SIZE: usize = 320 << 20;

/// A NAL unit at regular distances, as at 6 Mbit/s and 25 pictures of a few slices a second.
const UNIT: usize = 8 << 10;

const RUNS: usize = 7;

fn main() {
    let data = stream();
    let read = fastest(&data, sum);
    let scan = fastest(&data, |data| {
        let (codes, mut at, mut count) = (StartCodes::default(), 0, 0);
        while let Some(code) = codes.find(data, at) {
            (at, count) = (code + 3, count + 1);
        }
        count
    });
    let units = fastest(&data, |data| annexb::units(data).count() as u64);
    println!("memory read {read:.1} GB/s");
    println!("start codes {scan:.1} GB/s, {:.0} % of it", scan / read * 100.0);
    println!("NAL units   {units:.1} GB/s, {:.0} % of it", units / read * 100.0);
}

/// Noise without start codes, and one at the head of each unit.
fn stream() -> Vec<u8> {
    let mut state = 1u64;
    let mut data: Vec<u8> = Vec::with_capacity(SIZE);
    while data.len() < SIZE {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        data.extend_from_slice(&(state >> 8 | 0x0000_0100_0001_0000).to_le_bytes());
    }
    data.chunks_mut(UNIT).for_each(|unit| unit[..5].copy_from_slice(&[0, 0, 0, 1, 0x41]));
    data
}

fn sum(data: &[u8]) -> u64 {
    let words = data.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().expect("8 bytes")));
    words.fold(0, u64::wrapping_add)
}

/// GB a second of the fastest of some runs.
fn fastest(data: &[u8], work: impl Fn(&[u8]) -> u64) -> f64 {
    let run = |_| {
        let start = Instant::now();
        black_box(work(black_box(data)));
        start.elapsed().as_secs_f64()
    };
    data.len() as f64 / (0..RUNS).map(run).fold(f64::MAX, f64::min) / 1e9
}
