//! Blocks to packets: times, durations, marks and side data of each frame.

use alloc::{format, vec::Vec};

use bytes::Bytes;

use crate::{
    input::Input,
    packet::{Flags, Packet, SideData, Trim},
    stream::{Codec, Kind},
    syntax::{
        ebml::{Elements, ids, signed, unsigned},
        opus,
    },
    time::{Rounding, Ticks, TimeBase},
    timing::samples,
};

use super::{
    super::{
        BLOCK_ADDITION,
        block::{Block, DISCARDABLE, INVISIBLE, KEY},
        track::Track,
        units,
    },
    Matroska,
};

/// Facts of a BlockGroup about its block.
#[derive(Clone, Debug, Default)]
struct Group {
    /// Ticks of the segment.
    duration: Option<u64>,
    key: bool,
    /// Nanoseconds to drop from the end, or from the start where it is negative.
    discard: i64,
    additions: Vec<(u64, Bytes)>,
}

/// Times of the frames of a block, in ticks of the track.
struct Times {
    start: i64,
    /// Of all frames together.
    whole: Option<i64>,
    count: i64,
    /// Samples in front of the next frame, where durations are those of the codec.
    samples: i64,
}

impl Matroska {
    pub(super) fn simple_block(&mut self, data: Bytes, at: u64, input: &mut Input) {
        self.block(&data, at, None, input);
    }

    pub(super) fn block_group(&mut self, body: &Bytes, at: u64, input: &mut Input) {
        let mut group = Group { key: true, ..Group::default() };
        let mut block = None;
        for (id, found) in Elements::new(body) {
            match id {
                ids::BLOCK => block = Some(body.slice_ref(found)),
                ids::BLOCK_DURATION => group.duration = Some(unsigned(found)),
                ids::REFERENCE_BLOCK => group.key = false,
                ids::DISCARD_PADDING => group.discard = signed(found),
                ids::BLOCK_ADDITIONS => group.additions = additions(body, found),
                ids::ENCRYPTED_BLOCK if !self.encrypted => {
                    self.encrypted = true;
                    input.warn_at(at, "encrypted blocks are passed over");
                }
                _ => {}
            }
        }
        match block {
            Some(block) => self.block(&block, at, Some(group), input),
            None => input.warn_at(at, "a BlockGroup without a block is passed over"),
        }
    }

    fn block(&mut self, data: &Bytes, at: u64, group: Option<Group>, input: &mut Input) {
        let block = match Block::parse(data) {
            Ok(block) => block,
            Err(what) => return input.warn_at(at, format!("{what} is passed over")),
        };
        let Some(stream) = self.tracks.iter().position(|track| track.number == block.track) else {
            if self.undeclared.replace(block.track) != Some(block.track) {
                input.warn_at(at, format!("a block of track {}, which is not declared, is passed over", block.track));
            }
            return;
        };
        let stored = self.stored(stream, block.time);
        let Some(track) = self.tracks.get(stream) else { return };
        let delay = track.ticks(track.codec_delay, Rounding::Near);
        let mut start = stored.saturating_sub(delay);
        let nanos = self.nanos(stream, start);
        let shift = self.shift(nanos);
        let Some(track) = self.tracks.get(stream) else { return };
        if shift != 0 {
            let moved = TimeBase::NANOS.rescale(Ticks(shift), track.info.time_base, Rounding::Near).0;
            start = start.saturating_add(moved);
        }
        let key =
            track.info.media.kind() != Kind::Video || group.as_ref().map_or(block.flags & KEY != 0, |group| group.key);
        if self.look(stream, start, key, at, input) {
            return;
        }
        let count = block.count() as i64;
        let times = Times { start, whole: self.whole_duration(stream, group.as_ref(), count), count, samples: 0 };
        let mut flags = Flags::key(key);
        if group.is_none() && block.flags & DISCARDABLE != 0 {
            flags |= Flags::DISPOSABLE;
        }
        if block.flags & INVISIBLE != 0 {
            flags |= Flags::DISCARD;
        }
        let first = Packet { stream, flags, position: Some(at), ..Packet::default() };
        self.frames(data, &block, &first, times, group.as_ref(), input);
    }

    /// The time of a block as it is stored, in ticks of its track.
    fn stored(&self, stream: usize, relative: i16) -> i64 {
        let Some(track) = self.tracks.get(stream) else { return 0 };
        let cluster = i64::try_from(self.cluster.1).unwrap_or(i64::MAX);
        let relative = i64::from(relative);
        match self.scale.filter(|scale| *scale != self.info.scale) {
            // Another segment with other ticks.
            Some(scale) => {
                let scale = i64::try_from(scale).unwrap_or(i64::MAX);
                let nanos = cluster.saturating_add(relative).saturating_mul(scale);
                TimeBase::NANOS.rescale(Ticks(nanos), track.info.time_base, Rounding::Near).0
            }
            None if track.scale == 1.0 => cluster.saturating_add(relative),
            None => ((cluster as f64 / track.scale) as i64).saturating_add(relative),
        }
    }

    /// Nanoseconds that are added to times of this segment, of which one is `nanos`.
    fn shift(&mut self, nanos: i64) -> i64 {
        let (at, latest) = (self.cluster.0, self.latest);
        let Some(segment) = self.segments.iter_mut().rev().find(|segment| segment.start <= at) else { return 0 };
        // Segments that go on by themselves are left alone.
        *segment.shift.get_or_insert(if nanos < latest { latest.saturating_sub(nanos) } else { 0 })
    }

    /// How long the frames of a block last together, in ticks of the track, where the container says.
    fn whole_duration(&self, stream: usize, group: Option<&Group>, count: i64) -> Option<i64> {
        let track = self.tracks.get(stream)?;
        let ticks = match group.and_then(|group| group.duration) {
            Some(duration) => i64::try_from(duration).ok()?,
            None if track.default_duration > 0 => {
                let nanos = track.default_duration.saturating_mul(count.unsigned_abs());
                return Some(track.ticks(nanos, Rounding::Down));
            }
            None => return None,
        };
        Some(if track.scale == 1.0 { ticks } else { (ticks as f64 / track.scale) as i64 })
    }

    /// Gives the frames of a block.
    fn frames(
        &mut self,
        data: &Bytes,
        block: &Block,
        first: &Packet,
        mut times: Times,
        group: Option<&Group>,
        input: &mut Input,
    ) {
        let stream = first.stream;
        for (n, (from, size)) in block.frames().enumerate() {
            let Some(track) = self.tracks.get_mut(stream) else { return };
            let frame = data.get(from..from.saturating_add(size)).map(|frame| data.slice_ref(frame));
            let frame = match track.encoding.frame(frame.unwrap_or_default()) {
                Ok(frame) => frame,
                Err(what) => {
                    if !core::mem::replace(&mut track.remarked, true) {
                        input.remark_on(stream, first.position.unwrap_or(0), crate::remark::Remark::Other, what);
                    }
                    continue;
                }
            };
            let (time, duration) = times.next(track, n as i64, &frame);
            if frame.is_empty() && matches!(track.info.media.kind(), Kind::Audio | Kind::Video) {
                continue;
            }
            let mut packet = Packet { data: whole_frame(track, frame), ..first.clone() };
            track.stamp(&mut packet, time, duration);
            let last = n + 1 == block.count();
            let discard = group.map_or(0, |group| group.discard);
            packet.side.set_trim(
                track.trim(duration, if (discard < 0 && n == 0) || (discard > 0 && last) { discard } else { 0 }),
            );
            if let Some(group) = group.filter(|_| n == 0) {
                attach(&mut packet.side, &group.additions);
            }
            let end = time.saturating_add(duration.unwrap_or(0));
            self.latest = self.latest.max(self.nanos(stream, end));
            if self.is_wanted(&packet) {
                self.give(packet);
            }
        }
    }
}

impl Times {
    /// Time and duration of the frame `n`.
    fn next(&mut self, track: &Track, n: i64, frame: &[u8]) -> (i64, Option<i64>) {
        if let Some(whole) = self.whole {
            let at = |n: i64| (i128::from(whole) * i128::from(n) / i128::from(self.count.max(1))) as i64;
            return (self.start.saturating_add(at(n)), Some(at(n + 1) - at(n)));
        }
        let Some(audio) = track.info.as_audio().filter(|audio| audio.rate() > 0) else { return (self.start, None) };
        let counted = match track.info.codec {
            Codec::Opus => i64::from(opus::samples(frame)),
            codec => samples(codec, audio, track.info.bit_rate, frame.len()),
        };
        let ticks = |samples| {
            let rate = TimeBase::hz(audio.rate());
            rate.rescale(Ticks(samples), track.info.time_base, Rounding::Down).0
        };
        let time = self.start.saturating_add(ticks(self.samples));
        self.samples = self.samples.saturating_add(counted);
        (time, (counted > 0).then(|| ticks(counted)))
    }
}

impl Track {
    /// Sets the times of a packet.
    fn stamp(&mut self, packet: &mut Packet, time: i64, duration: Option<i64>) {
        packet.duration = duration.map(Ticks);
        let reorders = self.info.as_video().is_some_and(|video| video.reorder > 0);
        if self.decoding_times && reorders {
            packet.dts = Some(Ticks(time));
        } else {
            packet.pts = Some(Ticks(time));
            packet.dts = self.order.next(Ticks(time));
        }
    }

    /// Samples to drop: what a decoder makes before the first wanted one, and padding.
    fn trim(&mut self, duration: Option<i64>, discard: i64) -> Trim {
        let Some(audio) = self.info.as_audio() else { return Trim::default() };
        let own = duration.map_or(u32::MAX, |duration| {
            let samples = self.info.time_base.rescale(Ticks(duration), TimeBase::hz(audio.rate()), Rounding::Up).0;
            u32::try_from(samples).unwrap_or(u32::MAX)
        });
        let padding = units::samples(discard.unsigned_abs(), audio.rate());
        let start = self.delay_left.min(own);
        self.delay_left -= start;
        if discard > 0 { Trim { start, end: padding } } else { Trim { start: start.max(padding), end: 0 } }
    }
}

/// A frame as its codec has it elsewhere: ProRes gets back its head, and cues of WebM lose theirs.
fn whole_frame(track: &Track, frame: Bytes) -> Bytes {
    if track.cue_heads {
        let mut lines = frame.splitn(3, |byte| *byte == b'\n');
        let text = lines.nth(2).unwrap_or_default();
        return frame.slice_ref(text);
    }
    if track.info.codec != Codec::ProRes || frame.get(4..8) == Some(b"icpf") {
        return frame;
    }
    let size = u32::try_from(frame.len()).unwrap_or(u32::MAX).saturating_add(8);
    [&size.to_be_bytes()[..], b"icpf", &frame].concat().into()
}

/// The additions to a block: their numbers and data.
fn additions(group: &Bytes, body: &[u8]) -> Vec<(u64, Bytes)> {
    let more = Elements::new(body).filter(|(id, _)| *id == ids::BLOCK_MORE);
    let one = |(_, body): (u32, &[u8])| {
        let elements = Elements::new(body);
        let id = elements.body_of(ids::BLOCK_ADD_ID).map_or(1, unsigned);
        Some((id, group.slice_ref(elements.body_of(ids::BLOCK_ADDITIONAL)?)))
    };
    more.filter_map(one).take(crate::packet::MAX_OPAQUE).collect()
}

fn attach(side: &mut SideData, additions: &[(u64, Bytes)]) {
    for (id, data) in additions {
        let bytes = [&id.to_be_bytes()[..], data].concat();
        // They are no more than fit.
        let _ = side.add_opaque(BLOCK_ADDITION, bytes.into());
    }
}
