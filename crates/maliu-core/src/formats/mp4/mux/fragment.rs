//! One fragment being written: `moof` and `mdat`, with an index in front when it is wanted (ISO/IEC 14496-12 §8.8).

use alloc::vec::Vec;

use bytes::Bytes;

use crate::syntax::isobmff::write::Writer;

use super::track::{Record, Track};

/// sample_flags of a sync sample (depends on no other), and of others.
const SYNC: u32 = 0x0200_0000;
const NON_SYNC: u32 = 0x0101_0000;

/// The head of a fragment: everything in front of its media data, and how many bytes those are.
pub(super) struct Head {
    pub bytes: Vec<u8>,
    /// Bytes of media data.
    pub media: u64,
}

/// Builds the head for what waits in the tracks. Numbers start at 1.
pub(super) fn head(tracks: &[Track], sequence: u32) -> Head {
    let with_samples = || tracks.iter().filter(|track| !track.waiting.is_empty());
    let media: u64 = with_samples().map(|track| track.waiting_bytes() as u64).sum();
    let mut w = Writer::new();
    let mut places = Vec::new();
    w.boxed(b"moof", |w| {
        w.full(b"mfhd", 0, 0, |w| w.u32(sequence));
        for track in with_samples() {
            places.push(part(w, track));
        }
    });
    let wide = media + 8 > u64::from(u32::MAX);
    let header = if wide { 16 } else { 8 };
    let mut offset = w.len() as u64 + header;
    for (place, track) in places.iter().zip(with_samples()) {
        w.set_u32(*place, offset as u32);
        offset += track.waiting_bytes() as u64;
    }
    w.u32(if wide { 1 } else { (media + header) as u32 });
    w.bytes(b"mdat");
    if wide {
        w.u64(media + header);
    }
    Head { bytes: w.finish(), media }
}

/// One track's part; returns where its data offset is to be put.
fn part(w: &mut Writer, track: &Track) -> usize {
    let records: Vec<Record> = track.waiting.iter().map(|waiting| waiting.record).collect();
    let mut place = 0;
    w.boxed(b"traf", |w| {
        let same = |field: fn(&Record) -> u32| {
            let first = records.first().map_or(0, field);
            records.iter().all(|record| field(record) == first).then_some(first)
        };
        let (duration, size) = (same(|record| record.duration), same(|record| record.size));
        let sync = |record: &Record| if record.sync { SYNC } else { NON_SYNC };
        let flags = same(|record| if record.sync { SYNC } else { NON_SYNC });
        // default-base-is-moof
        let mut marks = 0x2_0020;
        marks |= if duration.is_some() { 8 } else { 0 };
        marks |= if size.is_some() { 0x10 } else { 0 };
        w.full(b"tfhd", 0, marks, |w| {
            w.u32(track.id);
            duration.into_iter().chain(size).for_each(|value| w.u32(value));
            w.u32(flags.unwrap_or(NON_SYNC));
        });
        w.full(b"tfdt", 1, 0, |w| w.u64(u64::try_from(track.fragment_time).unwrap_or(0)));
        let composition = records.iter().any(|record| record.composition != 0);
        let version = u8::from(records.iter().any(|record| record.composition < 0));
        let mut marks = 1;
        marks |= if duration.is_none() { 0x100 } else { 0 };
        marks |= if size.is_none() { 0x200 } else { 0 };
        marks |= if flags.is_none() { 0x400 } else { 0 };
        marks |= if composition { 0x800 } else { 0 };
        w.full(b"trun", version, marks, |w| {
            w.u32(records.len() as u32);
            place = w.len();
            w.u32(0);
            for record in &records {
                if duration.is_none() {
                    w.u32(record.duration);
                }
                if size.is_none() {
                    w.u32(record.size);
                }
                if flags.is_none() {
                    w.u32(sync(record));
                }
                if composition {
                    w.u32(record.composition as u32);
                }
            }
        });
    });
    place
}

/// `sidx` for one fragment of `size` bytes, in the times of its first track.
pub(super) fn index(tracks: &[Track], size: u64) -> Vec<u8> {
    let Some(track) = tracks.iter().find(|track| !track.waiting.is_empty()) else { return Vec::new() };
    let duration: u64 = track.waiting.iter().map(|waiting| u64::from(waiting.record.duration)).sum();
    let first = track.waiting.front();
    let composition = first.map_or(0, |waiting| waiting.record.composition);
    let starts = first.is_some_and(|waiting| waiting.record.sync);
    let time = track.fragment_time.saturating_add(composition.into());
    let mut w = Writer::new();
    w.full(b"sidx", 1, 0, |w| {
        w.u32(track.id);
        w.u32(track.timescale);
        w.u64(u64::try_from(time).unwrap_or(0));
        w.u64(0);
        w.u16(0);
        w.u16(1);
        w.u32(u32::try_from(size).unwrap_or(0) & 0x7fff_ffff);
        w.u32(u32::try_from(duration).unwrap_or(u32::MAX));
        w.u32(u32::from(starts) << 31 | 1 << 28);
    });
    w.finish()
}

/// `mfra`: where the fragments that begin with a sync sample stand.
pub(super) fn access(tracks: &[Track]) -> Bytes {
    let mut w = Writer::new();
    let mut size = 0;
    w.boxed(b"mfra", |w| {
        for track in tracks {
            w.full(b"tfra", 1, 0, |w| {
                w.u32(track.id);
                w.u32(0);
                w.u32(track.access.len() as u32);
                for (time, offset, part) in &track.access {
                    w.u64(*time);
                    w.u64(*offset);
                    w.bytes(&[*part, 1, 1]);
                }
            });
        }
        w.full(b"mfro", 0, 0, |w| {
            size = w.len();
            w.u32(0);
        });
    });
    let all = w.len() as u32;
    w.set_u32(size, all);
    w.finish().into()
}
