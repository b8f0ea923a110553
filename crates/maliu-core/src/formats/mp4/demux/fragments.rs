//! Movie fragments as they come: their runs go to the tracks, and where they stand is remembered for seeking.

use alloc::{boxed::Box, vec::Vec};

use crate::{
    error::Result,
    format::Event,
    input::Input,
    packet::{Flags, Packet},
    remark::Remark,
    stream::{Codec, Disposition, Media, StreamInfo},
    syntax::isobmff::{
        fields::Fields,
        fragment,
        index::{AccessIndex, SegmentIndex},
    },
    time::{Rounding, Ticks, TimeBase},
    timing::index::SeekIndex,
};

use super::{
    super::{movie, play::Guard, walk::Found},
    Mp4, seek,
};

/// Most segment indexes that are kept.
const MAX_INDEXES: usize = 64;

/// Kind of the opaque side data that holds the body of a `prft` box.
pub(super) const PRODUCED: u32 = u32::from_be_bytes(*b"prft");

/// Bytes of the longest body of a `prft` box.
const MAX_PRODUCED: usize = 28;

/// Facts known of the fragments.
#[derive(Debug, Default)]
pub(in super::super) struct Fragments {
    /// Number, place in time and track of the last fragment of each track.
    last: Vec<(u32, u32, Option<u64>)>,
    pub indexes: Vec<SegmentIndex>,
    /// `mfra`, once it was looked for; empty when there is none.
    pub access: Option<Vec<AccessIndex>>,
    /// The seek that waits for it.
    pub sought: Option<(Ticks, TimeBase)>,
    /// Times in µs and offsets of fragments.
    pub places: SeekIndex,
    /// Offset of the first one.
    pub first: Option<u64>,
    /// The stream of event messages and its time base.
    messages: Option<(usize, TimeBase)>,
    /// A seek under way.
    pub seek: Option<seek::Search>,
}

impl Fragments {
    /// Whether a fragment was met.
    pub(super) fn met(&self) -> bool {
        self.first.is_some()
    }

    /// Keeps the body of a `sidx` box that ends at `end`.
    pub(super) fn index(&mut self, body: &[u8], end: u64) {
        if self.indexes.len() < MAX_INDEXES {
            self.indexes.extend(SegmentIndex::parse(body, end));
        }
    }

    /// Forgets which came last: after a seek they come again.
    pub(super) fn forget_last(&mut self) {
        self.last.clear();
    }

    /// Whether this part of fragment `sequence` came last for its track as well.
    fn repeats(&mut self, sequence: Option<u32>, track: u32, time: Option<u64>) -> bool {
        let Some(sequence) = sequence else { return false };
        let this = (track, sequence, time);
        match self.last.iter_mut().find(|(known, ..)| *known == track) {
            Some(last) => core::mem::replace(last, this) == this && time.is_some(),
            None => {
                if self.last.len() < movie::MAX_TRACKS {
                    self.last.push(this);
                }
                false
            }
        }
    }
}

impl Mp4 {
    /// A fragment: its runs wait for the media behind it.
    pub(super) fn fragment(&mut self, found: &Found, body: &[u8], input: &mut Input) -> Result<()> {
        self.fragments.first.get_or_insert(found.start);
        if !self.told {
            return Ok(());
        }
        let defaults = |track| self.movie.defaults_of(track);
        let (sequence, parts) = fragment::parse(body, found.start, defaults);
        let searching = self.fragments.seek.is_some();
        let mut earliest = None;
        for part in parts {
            let Some(play) = self.plays.iter_mut().find(|play| play.id == part.track) else {
                input.warn_at(found.start, alloc::format!("a fragment of the unknown track {}", part.track));
                continue;
            };
            if !searching && self.fragments.repeats(sequence, part.track, part.time) {
                input.warn_at(found.start, "a repeated fragment is passed over");
                continue;
            }
            let entries = play.secret.as_ref().map(|secret| secret.entries(&part, body, found.body));
            let guard = entries.map(|entries| Guard { entries, groups: part.groups.into() });
            if let Some(micros) = play.hole(part.time).filter(|_| !searching) {
                let what =
                    alloc::format!("{} ms of track {} are missing in front of a fragment", micros / 1000, part.track);
                input.remark_at(found.start, Remark::Hole { micros }, what);
            }
            let start = play.add(part.runs, part.time, guard);
            let micros = play.base.rescale(Ticks(start), TimeBase::MICROS, Rounding::Near);
            if earliest.is_none_or(|(time, _)| micros < time) {
                earliest = Some((micros, found.start));
            }
        }
        if let Some((time, at)) = earliest.filter(|_| input.is_seekable()) {
            self.fragments.places.note(time, at);
        }
        if searching {
            self.look_at_fragment(found.start, input)?;
        }
        Ok(())
    }

    /// A producer reference time: side data of the next packet of its track (ISO/IEC 14496-12 §8.16.5).
    pub(super) fn produced(&mut self, body: &[u8]) -> Option<()> {
        let mut fields = Fields::new(body);
        fields.version()?;
        let track = fields.u32()?;
        let play = self.plays.iter_mut().find(|play| play.id == track)?;
        play.produced = Some(bytes::Bytes::copy_from_slice(body.get(..MAX_PRODUCED).unwrap_or(body)));
        Some(())
    }

    /// An event message: a packet of a stream of its own (ISO/IEC 23009-1 §5.10.3.3).
    pub(super) fn message(&mut self, body: &[u8]) -> Option<()> {
        if !self.told {
            return None;
        }
        let mut fields = Fields::new(body);
        let (version, _) = fields.version()?;
        let (timescale, time) = match version {
            1 => (fields.u32()?, Some(fields.u64()?)),
            _ => {
                for _ in 0..2 {
                    let end = fields.rest().iter().position(|byte| *byte == 0)?;
                    fields.skip(end + 1)?;
                }
                (fields.u32()?, None)
            }
        };
        let (index, base) = match self.fragments.messages {
            Some(known) => known,
            None => {
                let base = TimeBase::hz(timescale);
                let mut info = StreamInfo::new(Codec::Emsg, base, Media::Data);
                info.disposition = Disposition::METADATA;
                let index = self.streams;
                self.streams += 1;
                self.queue.push_back(Event::Stream(index, Box::new(info)));
                *self.fragments.messages.insert((index, base))
            }
        };
        let time = time.and_then(|time| i64::try_from(time).ok()).map(Ticks);
        let time = time.map(|time| TimeBase::hz(timescale).rescale(time, base, Rounding::Near));
        let data = bytes::Bytes::copy_from_slice(body);
        let packet = Packet { stream: index, pts: time, dts: time, flags: Flags::KEY, data, ..Packet::default() };
        self.queue.push_back(Event::Packet(packet));
        Some(())
    }
}
