//! The end of a file: the index, and what is written again in front.

use bytes::Bytes;

use crate::{
    output::{Mark, Output},
    syntax::ebml::{Writer, ids},
};

use super::{Mux, SEEK_ROOM, head};

/// A size in the eight bytes that were kept for it.
pub(super) fn size(value: u64) -> Bytes {
    let mut w = Writer::default();
    w.size(value, 8);
    w.finish().into()
}

impl Mux {
    /// Writes the index, and what could not be known before.
    pub(super) fn conclude(&mut self, out: &mut Output) {
        if !self.patched {
            return;
        }
        let front = self.options.cues_to_front.then_some(self.first_cluster).flatten();
        let index = match (self.cues.is_empty(), front) {
            (true, _) => None,
            (false, None) => Some(self.index(0)),
            // As long, whatever is added.
            (false, Some(_)) => Some(self.index(self.index(0).len() as u64)),
        };
        let mut inserted = None;
        if let Some(index) = index {
            let room = self.options.reserve;
            let place = match front {
                Some(first) => {
                    inserted = Some(Bytes::from(index));
                    first
                }
                None if index.len() == room || index.len() + 2 <= room => {
                    let mut w = Writer::default();
                    w.raw(&index);
                    if index.len() < room {
                        w.void(room - index.len());
                    }
                    out.overwrite(self.reserved, w.finish().into());
                    self.reserved
                }
                None => {
                    if room > 0 {
                        out.warn(alloc::format!("the index of {} bytes does not fit the room in front", index.len()));
                    }
                    let place = out.position();
                    out.append(Mark::Trailer, [Bytes::from(index)]);
                    place
                }
            };
            self.places.push((ids::CUES, place));
        }
        let added = inserted.as_ref().map_or(0, |index| index.len() as u64);
        let whole = out.position().saturating_sub(self.segment).saturating_add(added);
        out.overwrite(self.segment.saturating_sub(8), size(whole));
        self.patch(out);
        if let (Some(index), Some(first)) = (inserted, front) {
            out.insert(first, index);
        }
    }

    /// SeekHead, the duration, and the lengths of tracks.
    fn patch(&mut self, out: &mut Output) {
        let mut w = Writer::default();
        w.master(ids::SEEK_HEAD, |w| {
            for (id, at) in &self.places {
                w.master(ids::SEEK, |w| {
                    w.binary(ids::SEEK_ID, &id.to_be_bytes());
                    w.unsigned(ids::SEEK_POSITION, at.saturating_sub(self.segment));
                });
            }
        });
        let left = SEEK_ROOM.saturating_sub(w.len());
        if left >= 2 {
            w.void(left);
            out.overwrite(self.segment, w.finish().into());
        }
        let end = self.tracks.iter().map(|track| track.end).max().unwrap_or(0);
        if let Some(at) = self.duration {
            let mut w = Writer::default();
            w.float(ids::DURATION, end as f64);
            debug_assert!(w.len() == head::DURATION);
            out.overwrite(at, w.finish().into());
        }
        for track in &self.tracks {
            if let Some(at) = track.statistics {
                out.overwrite(at, head::length(track.end).into());
            }
        }
    }

    /// Cues, of clusters that stand `shift` bytes further behind.
    fn index(&self, shift: u64) -> alloc::vec::Vec<u8> {
        let mut w = Writer::default();
        w.master(ids::CUES, |w| {
            for cue in &self.cues {
                w.master(ids::CUE_POINT, |w| {
                    w.unsigned(ids::CUE_TIME, cue.time.unsigned_abs());
                    w.master(ids::CUE_TRACK_POSITIONS, |w| {
                        w.unsigned(ids::CUE_TRACK, cue.track);
                        let place = cue.cluster.saturating_sub(self.segment).saturating_add(shift);
                        w.unsigned_8(ids::CUE_CLUSTER_POSITION, place);
                        w.unsigned(ids::CUE_RELATIVE_POSITION, cue.relative);
                    });
                });
            }
        });
        w.finish()
    }
}
