//! Decoding ahead takes bounded memory, also when the stream turns out to be another than it was said to be.

use maliu_core::{
    packet::Packet,
    stream::{Audio, Codec, Media, StreamInfo},
    time::{Ticks, TimeBase},
};
use maliu_decode::{Options, Parallel};
use peak_alloc::PeakAlloc;

#[path = "threads/wide.rs"]
mod wide;

#[global_allocator]
static PEAK: PeakAlloc = PeakAlloc;

/// Less than `input::MAX_WINDOW`, so that a program that decodes stays below it.
const BUDGET_MB: f32 = 40.0;

/// A unit without sound: seven of them and one that tells of more channels fill the first batch.
const STEREO: [u8; 9] = [0x21, 0x00, 0x49, 0x90, 0x02, 0x19, 0x00, 0x23, 0x80];

/// Most samples of a frame, and the most memory at a time, of a stream said to be stereo that goes on with such packets.
fn decode(data: &[u8], blocks: i64, threads: usize, polled: bool) -> (usize, f32) {
    let audio = Audio { sample_rate: 44_100, channels: 2, ..Audio::default() };
    let mut info = StreamInfo::new(Codec::Aac, TimeBase::hz(44_100), Media::Audio(audio));
    info.config = vec![0x2b, 0x11, 0x88, 0x00].into(); // HE-AAC, 44.1 kHz, stereo
    let before = PEAK.current_usage_as_mb();
    PEAK.reset_peak_usage();
    let mut decoder = Parallel::new(&info, Options::default(), threads).unwrap();
    let mut most = 0;
    for n in 0..40 {
        let data = if n < 7 { STEREO.to_vec() } else { data.to_vec() };
        decoder.push(Packet { data: data.into(), duration: Ticks(2048 * blocks), ..Packet::default() });
        while polled && let Some(answer) = decoder.poll() {
            most = most.max(answer.unwrap().map_or(0, |frame| frame.samples.len()));
        }
    }
    while let Some(answer) = decoder.finish() {
        most = most.max(answer.unwrap().map_or(0, |frame| frame.samples.len()));
    }
    (most, PEAK.peak_usage_as_mb() - before)
}

/// One test, so that nothing else allocates while it measures.
#[test]
fn channels_that_come_on_the_way_are_not_multiplied_by_what_is_ahead() {
    let (whole, damaged) = (wide::unit(&[]), wide::unit(&[0x0f; 100]));
    for (data, blocks, samples) in
        [(whole.clone(), 1, 64 * 2048), (whole.repeat(4), 4, 64 * 4 * 2048), (damaged, 1, 2 * 2048)]
    {
        for (threads, polled) in [(2, true), (5, true), (16, true), (16, false)] {
            let (most, megabytes) = decode(&data, blocks, threads, polled);
            let name = format!("{samples} samples, {threads} threads, polled {polled}");
            assert_eq!(most, samples, "{name}");
            assert!(megabytes < BUDGET_MB, "{name}: {megabytes} MB");
        }
    }
}
