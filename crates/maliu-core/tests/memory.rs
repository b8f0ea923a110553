//! Memory stays bounded by what the limits name, not by what the input promises or how long it is.

use std::task::Poll;

use peak_alloc::PeakAlloc;

#[path = "formats/samples.rs"]
mod samples;
use maliu_core::{format::Event, input::Input, reader::PacketReader};
use samples::samples;

#[global_allocator]
static PEAK: PeakAlloc = PeakAlloc;

/// More than any sample needs at once: two windows of a packet, a sparse index, tags. Where a file of FLV ends and the
/// next begins, its head is taken for a tag, which may be 16 MiB long and has to come before it can be judged; a window
/// that grows is copied, so that both are there for a moment.
fn budget_kb(format: &str) -> f32 {
    if format == "flv" { 3.0 * 16_384.0 } else { 2048.0 }
}

/// One test, so that nothing else allocates while it measures.
#[test]
fn an_hour_of_input_needs_no_more_than_a_second_of_it() {
    for (format, path, bytes) in samples() {
        let mut reader = PacketReader::of(format, &[]).unwrap();
        let mut input = Input::new();
        let before = PEAK.current_usage_as_kb();
        PEAK.reset_peak_usage();
        let mut fed = 0;
        'feeding: while fed < 20_000_000 {
            for slice in bytes.chunks(1400) {
                input.push(slice);
                fed += slice.len();
                loop {
                    match reader.poll(&mut input) {
                        Ok(Poll::Pending) => break,
                        Ok(Poll::Ready(Event::End)) | Err(_) => break 'feeding,
                        Ok(_) => drop(input.take_warnings()),
                    }
                }
            }
        }
        let peak = PEAK.peak_usage_as_kb() - before;
        assert!(peak < budget_kb(format.name), "{} needed {peak} kB for {fed} bytes", path.display());
    }
}
