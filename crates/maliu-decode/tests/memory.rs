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
const BUDGET_MB: f32 = 48.0;

/// A unit without audio: seven of them and one that declares more channels fill the first batch.
const STEREO: [u8; 9] = [0x21, 0x00, 0x49, 0x90, 0x02, 0x19, 0x00, 0x23, 0x80];

/// HE-AAC of 48 kHz: of two channels and of six.
const CONFIGS: [&[u8]; 2] = [&[0x2b, 0x11, 0x88, 0x00], &[0x2b, 0x31, 0x88, 0x00]];

/// Most samples of a frame, and the most memory at a time, of a stream said to be that and going on with such packets.
fn decode(config: &[u8], data: &[u8], blocks: i64, threads: usize, polled: bool) -> (usize, f32) {
    let audio = Audio::new(48_000, 2);
    let mut info = StreamInfo::new(Codec::Aac, TimeBase::hz(48_000), Media::Audio(audio));
    info.config = config.to_vec().into();
    let before = PEAK.current_usage_as_mb();
    PEAK.reset_peak_usage();
    let mut decoder = Parallel::new(&info, Options::default(), threads).unwrap();
    let mut most = 0;
    for n in 0..40 {
        let data = if n < 7 { STEREO.to_vec() } else { data.to_vec() };
        decoder.push(Packet::of(0, data).with_duration(Ticks(2048 * blocks)));
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
    for (data, blocks, channels) in [(&whole, 1, 64), (&whole.repeat(4), 4, 64), (&damaged, 1, 2)] {
        for (config, before) in CONFIGS.into_iter().zip([2, 6]) {
            for (threads, polled) in [(2, true), (5, true), (16, true), (16, false)] {
                let (most, megabytes) = decode(config, data, blocks, threads, polled);
                let name = format!("{before} to {channels} channels, {blocks} blocks, {threads} threads, {polled}");
                assert_eq!(most, channels.max(before) * blocks as usize * 2048, "{name}");
                assert!(megabytes < BUDGET_MB, "{name}: {megabytes} MB");
            }
        }
    }
}
