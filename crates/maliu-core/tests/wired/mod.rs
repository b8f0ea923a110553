//! Media for tests of the wire.
#![allow(dead_code, reason = "each test uses some of it")]

use std::num::NonZeroU32;

use bytes::Bytes;
use maliu_core::{
    packet::Packet,
    stream::{Audio, Codec, Media, StreamInfo, Video},
    time::{Ticks, TimeBase},
};

/// A source of numbers that look random and are the same in every run.
pub(crate) struct Random(pub u64);

impl Random {
    /// A number below `n`.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % n as u64) as usize
    }

    /// So many bytes.
    pub(crate) fn bytes(&mut self, n: usize) -> Vec<u8> {
        (0..n).map(|_| self.below(256) as u8).collect()
    }
}

/// The bytes of all parts.
pub(crate) fn flat(parts: &[Bytes]) -> Vec<u8> {
    parts.iter().flatten().copied().collect()
}

/// A stream of sound.
pub(crate) fn audio() -> StreamInfo {
    let mut facts = Audio::new(44_100, 2);
    (facts.frame_size, facts.delay) = (1024, 1024);
    let mut info = StreamInfo::new(Codec::Aac, TimeBase::hz(44_100), Media::Audio(facts));
    info.config = Bytes::from_static(&[0x12, 0x10]);
    info.bit_rate = Some(128_000);
    info.metadata.set("language", "deu");
    info
}

/// A stream of pictures.
pub(crate) fn video() -> StreamInfo {
    let mut facts = Video::new(1920, 1080);
    (facts.reorder, facts.frame_rate, facts.level) = (2, Some((25, 1)), Some(40));
    let mut info = StreamInfo::new(Codec::H264, TimeBase::MILLIS, Media::Video(facts));
    (info.codec_tag, info.profile, info.start, info.duration) =
        (NonZeroU32::new(7), Some(100), Some(Ticks(-40)), Some(Ticks(i64::MAX)));
    info
}

/// A packet whose bytes follow from its time.
pub(crate) fn packet(stream: usize, time: i64, key: bool, size: usize) -> Packet {
    let data: Vec<u8> = (0..size).map(|i| (i as i64 * 7 + time) as u8).collect();
    let times = Some(Ticks(time));
    Packet::of(stream, data).at(times).with_duration(Ticks(40)).with_key(key)
}
