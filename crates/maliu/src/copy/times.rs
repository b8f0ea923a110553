//! The times of packets on their way from the input's time bases to the output's: zero, window, and the order of dts.

use std::fmt;

use maliu_core::{
    format::Format,
    packet::Packet,
    stream::{Kind, StreamInfo},
    time::{Rounding, Ticks, TimeBase},
};

use super::{Options, StreamReport, feed::Feed};

/// Changes to the times of every packet.
pub(super) struct Times {
    lanes: Vec<Lane>,
    timeless: bool,
    /// Moved times, packet by packet, if they are wanted.
    notes: Option<Vec<String>>,
}

/// One output stream.
struct Lane {
    /// Base of the input's times.
    from: TimeBase,
    /// Offsets added to them.
    offset: Ticks,
    to: TimeBase,
    video: bool,
    /// Whether a packet was written.
    begun: bool,
    /// From when on nothing is wanted, in µs of the input.
    end: Option<i64>,
    past: bool,
    /// The lowest dts that may follow.
    lowest: Option<i64>,
    strict: i64,
    /// Of packets without dts: the times of which the lowest is the dts that the writer gives the last packet, in order;
    /// one more than pictures are reordered by.
    window: Vec<Option<i64>>,
    /// The last step of those dts.
    step: i64,
    leading: u64,
    count: u64,
    moved: u64,
    jumps: u64,
}

/// Times as they were, and as the container takes them.
struct Change {
    pts: Option<i64>,
    dts: i64,
    to: (Option<i64>, i64),
}

impl Change {
    /// The rule that would have refused the packet.
    fn rule(&self) -> &'static str {
        if self.dts != self.to.1 { "WF-35" } else { "WF-36" }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pts, dts, to } = self;
        match (pts, to.0) {
            (Some(pts), Some(to_pts)) => {
                write!(f, "pts {pts} and dts {dts} moved to {to_pts} and {}, or it would be refused", to.1)
            }
            _ => write!(f, "dts {dts} moved to {}, or it would be refused", to.1),
        }
    }
}

impl Times {
    /// For these inputs and the streams of the writer.
    pub(super) fn new(options: &Options, format: &Format, feeds: &[Feed], streams: &[StreamInfo]) -> Self {
        let zero = |feed: &Feed| match (options.copy_times, options.start) {
            (true, _) => 0,
            (false, Some(start)) => start.0.saturating_add(feed.origin()).saturating_neg(),
            (false, None) => feed.first_time().map_or(0, i64::saturating_neg),
        };
        let end = |feed: &Feed| {
            let begin =
                options.start.map_or(feed.first_time().unwrap_or(0), |start| start.0.saturating_add(feed.origin()));
            let span = |duration: Ticks| if duration.0 > 0 { begin.saturating_add(duration.0) } else { i64::MIN };
            options.duration.map(span)
        };
        let mut sources: Vec<_> = streams.iter().map(|stream| (stream.time_base, Ticks(0), None)).collect();
        for feed in feeds {
            let zero = Ticks(zero(feed));
            for (output, info) in feed.outputs.iter().zip(&*feed.streams) {
                if let Some(source) = output.and_then(|output| sources.get_mut(output)) {
                    *source =
                        (info.time_base, TimeBase::MICROS.rescale(zero, info.time_base, Rounding::Near), end(feed));
                }
            }
        }
        let mut leading = vec![0; streams.len()];
        for feed in feeds {
            for (output, count) in feed.outputs.iter().zip(&feed.undescribed) {
                if let Some(place) = output.and_then(|output| leading.get_mut(output)) {
                    *place += count;
                }
            }
        }
        let lane = |((stream, source), leading)| Lane { leading, ..Lane::new(stream, source, format) };
        Self {
            lanes: streams.iter().zip(sources).zip(leading).map(lane).collect(),
            timeless: format.rules.no_timestamps,
            notes: options.explain.then(Vec::new),
        }
    }

    /// Whether a packet of this time, in µs of the input, comes after the wanted end of its stream.
    pub(super) fn past(&mut self, time: i64, stream: usize) -> bool {
        let Some(lane) = self.lanes.get_mut(stream) else { return false };
        let past = lane.end.is_some_and(|end| time >= end);
        lane.past |= past;
        past
    }

    /// Whether all streams are past the wanted end.
    pub(super) fn all_past(&self) -> bool {
        self.lanes.iter().all(|lane| lane.past)
    }

    /// When the packet is shown, in µs of the input.
    pub(super) fn shown(&self, packet: &Packet) -> Option<i64> {
        let lane = self.lanes.get(packet.stream)?;
        packet.pts.or(packet.dts).map(|time| lane.from.rescale(time, TimeBase::MICROS, Rounding::Near).0)
    }

    /// When the packet is decoded, in µs of the input.
    pub(super) fn decoded(&self, packet: &Packet) -> Option<i64> {
        let lane = self.lanes.get(packet.stream)?;
        packet.dts.or(packet.pts).map(|time| lane.from.rescale(time, TimeBase::MICROS, Rounding::Near).0)
    }

    /// Moves the packet's times to the output's; false when the packet is not wanted: before the first picture that can
    /// be decoded.
    pub(super) fn apply(&mut self, packet: &mut Packet) -> bool {
        let Some(lane) = self.lanes.get_mut(packet.stream) else { return false };
        if !lane.begun {
            if lane.video && !packet.is_key() {
                lane.leading += 1;
                return false;
            }
            lane.begun = true;
        }
        let moved = |time: Ticks| lane.from.rescale(time + lane.offset, lane.to, Rounding::Near);
        packet.pts = packet.pts.map(moved);
        packet.dts = packet.dts.map(moved);
        packet.duration = packet.duration.map(|duration| lane.from.rescale(duration, lane.to, Rounding::Near));
        packet.time_base = lane.to;
        if !self.timeless
            && let Some(change) = lane.order(packet)
            && let Some(notes) = &mut self.notes
        {
            notes.push(format!("{} stream {} packet {}: {change}", change.rule(), packet.stream, lane.count));
        }
        lane.count += 1;
        true
    }

    /// Times moved since the last call.
    pub(super) fn take_notes(&mut self) -> Vec<String> {
        self.notes.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// The input of an output stream has jumped so often.
    pub(super) fn note_jumps(&mut self, output: usize, jumps: u64) {
        self.lanes.iter_mut().skip(output).take(1).for_each(|lane| lane.jumps = jumps);
    }

    /// Changes by output stream.
    pub(super) fn report(&self) -> Vec<StreamReport> {
        self.lanes
            .iter()
            .map(|lane| StreamReport { leading: lane.leading, moved: lane.moved, jumps: lane.jumps })
            .collect()
    }
}

impl Lane {
    fn new(stream: &StreamInfo, (from, offset, end): (TimeBase, Ticks, Option<i64>), format: &Format) -> Self {
        Self {
            from,
            offset,
            to: stream.time_base,
            video: stream.media.kind() == Kind::Video,
            begun: false,
            end,
            past: false,
            lowest: None,
            strict: i64::from(!format.rules.equal_dts),
            window: vec![None; stream.as_video().map_or(0, |video| usize::from(video.reorder)) + 1],
            step: 0,
            leading: 0,
            count: 0,
            moved: 0,
            jumps: 0,
        }
    }

    /// Containers refuse times that step back; a damaged input must not end the copy, so that they are moved, as the
    /// reference's command line does: dts up to the lowest that is allowed, pts at least there.
    fn order(&mut self, packet: &mut Packet) -> Option<Change> {
        let Some(Ticks(dts)) = packet.dts else { return self.smooth(packet) };
        let lowest = self.lowest.unwrap_or(i64::MIN);
        let ordered = dts.max(lowest);
        self.lowest = Some(ordered.saturating_add(self.strict));
        let given = packet.pts.map(|pts| pts.0);
        let pts = given.map(|pts| pts.max(ordered));
        if ordered == dts && pts == given {
            return None;
        }
        self.moved += 1;
        (packet.dts, packet.pts) = (Some(Ticks(ordered)), pts.map(Ticks));
        Some(Change { pts: given, dts, to: (pts, ordered) })
    }

    /// A packet without dts gets one from the order in which pictures are shown. A time below that of the packet before is
    /// jitter: it is moved between its neighbours in the window, or half a step behind the last one.
    fn smooth(&mut self, packet: &mut Packet) -> Option<Change> {
        let Ticks(given) = packet.pts?;
        let (last, next) = (self.window.first().copied().flatten(), self.window.get(1).copied().flatten());
        let lowest = last.map_or(i64::MIN, |last| last.saturating_add(self.strict));
        let pts = match (last, next) {
            _ if given >= lowest => given,
            (Some(last), Some(next)) => last.saturating_add(next.saturating_sub(last) / 2).max(lowest),
            _ => lowest.max(last.unwrap_or_default().saturating_add(self.step / 2)),
        };
        if let Some(first) = self.window.first_mut() {
            *first = Some(pts);
        }
        self.window.sort_unstable();
        let dts = self.window.first().copied().flatten();
        if let Some(step) = dts.zip(last).map(|(dts, last)| dts.saturating_sub(last)).filter(|step| *step > 0) {
            self.step = step;
        }
        if pts == given {
            return None;
        }
        self.moved += 1;
        packet.pts = Some(Ticks(pts));
        Some(Change { pts: Some(given), dts: given, to: (Some(pts), dts.unwrap_or(pts)) })
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use maliu_core::{
        formats::flv,
        stream::{Codec, Media, Video},
    };

    use super::*;

    /// Times of packets without dts, of pictures that are reordered by this many.
    fn smoothed(reorder: u8, times: &[i64]) -> (Vec<i64>, u64) {
        let mut video = Video::new(64, 48);
        video.reorder = reorder;
        let stream = StreamInfo::new(Codec::H264, TimeBase::MILLIS, Media::Video(video));
        let mut lane = Lane::new(&stream, (TimeBase::MILLIS, Ticks(0), None), &flv::FORMAT);
        let smooth = |time: &i64| {
            let mut packet = Packet::of(0, Bytes::new()).with_pts(Ticks(*time));
            lane.order(&mut packet);
            packet.pts.unwrap().0
        };
        (times.iter().map(smooth).collect(), lane.moved)
    }

    #[test]
    fn jitter_of_packets_without_dts_is_smoothed_within_the_window() {
        assert_eq!(smoothed(0, &[0, 40, 80, 75, 160, 155, 240]), (vec![0, 40, 80, 100, 160, 190, 240], 2));
        let reordered = [0, 120, 40, 80, 240, 160, 200];
        assert_eq!(smoothed(1, &reordered), (reordered.to_vec(), 0));
        assert_eq!(smoothed(1, &[0, 120, 40, 35, 240, 160, 200]), (vec![0, 120, 40, 80, 240, 160, 200], 1));
    }
}
