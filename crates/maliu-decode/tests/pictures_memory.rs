//! Decoding of H.264 pictures stays within its budget, whatever the level says and however references are marked.
#![cfg(feature = "h264")]

mod stream;

use maliu_core::error::Error;
use maliu_decode::pictures::{PictureOptions, pictures_with};
use peak_alloc::PeakAlloc;
use stream::{Stream, packet, video};

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

/// Outcome of a stream: pictures, the error that ended it, notes, and most memory in MiB.
struct Outcome {
    pictures: usize,
    error: Option<Error>,
    notes: Vec<String>,
    peak: f32,
}

fn decode(stream: &Stream, pictures: u32, memory: u64, next: impl Fn(&Stream, u32) -> Vec<u8>) -> Outcome {
    HEAP.reset_peak_usage();
    let before = HEAP.current_usage_as_mb();
    let mut options = PictureOptions::default();
    options.memory = memory;
    let mut decoder = pictures_with(&video(), options).unwrap();
    let mut outcome = Outcome { pictures: 0, error: None, notes: Vec::new(), peak: 0.0 };
    let packets = std::iter::once(stream.start()).chain((1..pictures).map(|n| next(stream, n)));
    for (n, data) in packets.enumerate() {
        match decoder.decode(&packet(data, n as i64)) {
            Ok(shown) => outcome.pictures += shown.len(),
            Err(error) => {
                outcome.error = Some(error);
                break;
            }
        }
    }
    if outcome.error.is_none() {
        outcome.pictures += decoder.finish().unwrap().len();
    }
    outcome.notes = decoder.report().notes;
    outcome.peak = HEAP.peak_usage_as_mb() - before;
    outcome
}

/// One test: the allocator counts what all threads take.
#[test]
fn pictures_are_decoded_or_refused_within_the_budget() {
    const BUDGET: u64 = 256 << 20;
    let sliding = |stream: &Stream, n: u32| stream.predicted(n, &[]);

    // As many references as there can be, at levels that allow none, 4 and 16 of them.
    for (level, noted) in [(10, true), (40, true), (52, false)] {
        let stream = Stream { width: 120, height: 68, references: 16, level };
        let outcome = decode(&stream, 22, BUDGET, sliding);
        assert_eq!((outcome.pictures, &outcome.error), (22, &None), "level {level}");
        assert_eq!(!outcome.notes.is_empty(), noted, "level {level}: {:?}", outcome.notes);
        assert!(outcome.peak < 256.0, "level {level}: {} MiB", outcome.peak);
    }

    // The largest pictures of any level: one fits, its successors do not.
    let huge = Stream { width: 512, height: 272, references: 16, level: 10 };
    let outcome = decode(&huge, 8, BUDGET, sliding);
    assert!(outcome.peak < 270.0, "{} MiB", outcome.peak);
    let text = outcome.error.expect("it is refused").to_string();
    assert!(text.contains("8192x4352") && text.contains("256 MiB"), "{text}");

    // Operations that remove nothing keep every picture, and so does a set that allows no reference at all.
    let small = Stream { width: 40, height: 30, references: 2, level: 30 };
    let outcome = decode(&small, 300, 32 << 20, |stream, n| stream.predicted(n, &[(4, 0)]));
    assert!(outcome.error.is_some() && outcome.peak < 34.0, "{:?}, {} MiB", outcome.error, outcome.peak);
    let none = Stream { references: 0, ..small };
    let outcome = decode(&none, 300, 32 << 20, sliding);
    assert!(outcome.error.is_some() && outcome.peak < 34.0, "{:?}, {} MiB", outcome.error, outcome.peak);

    // Where operations do remove pictures, many fit.
    let outcome = decode(&small, 300, 32 << 20, |stream, n| stream.predicted(n, &[(1, 0)]));
    assert_eq!((outcome.pictures, outcome.error), (300, None));

    // Frame numbers that are skipped become copies.
    let gaps = Stream { references: 16, ..small };
    let outcome = decode(&gaps, 40, 12 << 20, |stream, n| stream.predicted(n * 9, &[]));
    assert!(outcome.peak < 14.0, "{} MiB", outcome.peak);
}
