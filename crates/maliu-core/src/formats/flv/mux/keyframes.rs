//! The key frame index: collected while packets are written, inserted into onMetaData at the end (FLV-42, FLV-45).

use alloc::vec::Vec;

use bytes::Bytes;

use crate::{output::Output, syntax::amf::amf0::Writer};

use super::{
    super::tag::MAX_BODY,
    onmetadata::{self, IndexPlaces},
};

/// Most key frames that are kept; with 18 bytes each in the tag its size field ends a little later.
const MAX_KEYFRAMES: usize = 900_000;

/// Data collected for the index.
#[derive(Clone, Debug, Default)]
pub(super) struct Keyframes {
    /// Seconds, and offset of the first byte that was written with the key frame.
    entries: Vec<(f64, u64)>,
    frames: u64,
    video_size: u64,
    audio_size: u64,
    last_time: f64,
}

impl Keyframes {
    /// FFmpeg 5.1 counts pictures and bytes anew with each onMetaData, but keeps the key frames.
    pub(super) fn restart(&mut self) {
        (self.frames, self.video_size, self.audio_size) = (0, 0, 0);
    }

    /// Notes an audio packet of `size` bytes.
    pub(super) fn audio(&mut self, size: u64) {
        self.audio_size = self.audio_size.saturating_add(size);
    }

    /// Notes a video packet of `size` bytes at `at`.
    pub(super) fn video(&mut self, size: u64, at: u64, key: bool, time: f64) {
        self.video_size = self.video_size.saturating_add(size);
        self.frames += 1;
        self.last_time = time;
        if key && self.entries.len() < MAX_KEYFRAMES {
            self.entries.push((time, at));
        }
    }

    /// Time in seconds of the next picture when pictures are counted, as FFmpeg 5.1 does.
    pub(super) fn counted_time(&self, rate: f64) -> f64 {
        // The sign of 0/0 is that of x86-64.
        if rate == 0.0 && self.frames == 0 { f64::from_bits(0xfff8 << 48) } else { self.frames as f64 / rate }
    }

    /// Puts numbers and lists into the tag whose body of `size` bytes stands at `body`. Fewer than two key frames are
    /// no index: readers doubt one, so `keyframes` is taken back.
    pub(super) fn insert(&self, places: &IndexPlaces, body: u64, size: usize, compat: bool, out: &mut Output) {
        let lists = self.lists(0, compat, places.keyframes);
        let fits = size + lists.len() <= MAX_BODY;
        if !fits {
            out.warn("the key frame index does not fit into its tag and is left out");
        }
        let inserted = if fits && (compat || self.entries.len() > 1) { lists.len() } else { 0 };
        let (last_time, last_at) = self.entries.last().copied().unwrap_or_default();
        // FFmpeg leaves the last location where it was before the insertion.
        let kept = compat || self.entries.is_empty();
        let last_at = if kept { last_at } else { moved(last_at, inserted as u64, places.keyframes) };
        let number = |at: u64, value: f64, out: &mut Output| {
            out.overwrite(at, Bytes::copy_from_slice(&value.to_be_bytes()));
        };
        number(places.video_size, self.video_size as f64, out);
        number(places.audio_size, self.audio_size as f64, out);
        number(places.last_time, self.last_time, out);
        number(places.last_key_time, last_time, out);
        number(places.last_key_at, last_at as f64, out);
        if inserted == 0 {
            let member = onmetadata::KEYFRAMES.len() as u64;
            out.overwrite(places.keyframes.saturating_sub(member), Bytes::from_static(onmetadata::NO_KEYFRAMES));
            return;
        }
        let new_size = (size + inserted) as u32;
        let [_, s2, s1, s0] = new_size.to_be_bytes();
        out.overwrite(body - 10, Bytes::copy_from_slice(&[s2, s1, s0]));
        out.overwrite(body + size as u64, Bytes::copy_from_slice(&(new_size + 11).to_be_bytes()));
        out.insert(places.keyframes, Bytes::from(self.lists(inserted as u64, compat, places.keyframes)));
    }

    /// The content of `keyframes` with its end, positions moved by `by`.
    fn lists(&self, by: u64, compat: bool, from: u64) -> Vec<u8> {
        let mut out = Writer::default();
        out.key(b"filepositions");
        out.numbers(self.entries.iter().map(|(_, at)| {
            // FFmpeg moves positions before the insertion too.
            (if compat { at.saturating_add(by) } else { moved(*at, by, from) }) as f64
        }));
        out.key(b"times");
        out.numbers(self.entries.iter().map(|(time, _)| *time));
        out.end();
        out.bytes
    }
}

fn moved(at: u64, by: u64, from: u64) -> u64 {
    if at >= from { at.saturating_add(by) } else { at }
}
