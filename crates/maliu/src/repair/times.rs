//! Times made to rise without jumps. Only the stream that jumped is moved; streams that jump together stay together.
//!
//! ```text
//!   push ─▶ Lane.held ─ the next time of the stream decides whether it is a stray ─▶ place ─▶ next
//!
//!   place: of the shifts that a stream has had, and of those that others took in the last break,
//!          the one that brings the packet nearest to the last one and a step; none that fits is a break
//! ```

use std::collections::VecDeque;

use maliu_core::{
    packet::Packet,
    stream::{Kind, StreamInfo},
    time::{Rounding, Ticks, TimeBase},
};

/// The state of all streams. Times are counted in ticks of each stream; FLV has one base for all.
pub(super) struct Times {
    lanes: Vec<Lane>,
    /// Offset added to times at the start.
    base: i64,
    /// The latest time given to any packet.
    latest: i64,
    breaks: VecDeque<Break>,
    ready: VecDeque<Packet>,
    /// So many ticks are near.
    near: i64,
    back: u64,
    jumps: u64,
    strays: u64,
    below: u64,
}

/// Facts known of a stream before its packets are placed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Usual {
    /// Its first two times.
    pub first: Option<i64>,
    pub second: Option<i64>,
    /// Its usual step, 0 when nothing is known, and of how many.
    pub step: i64,
    pub steps: usize,
}

#[derive(Default)]
struct Lane {
    /// Longest pause that is believed.
    gap: i64,
    usual: i64,
    /// Whether its packets follow each other closely, so that the next one shows a stray.
    held_back: bool,
    held: Option<Packet>,
    /// Time of the last packet, as it was and as it is.
    raw: Option<i64>,
    last: Option<i64>,
    /// Offset added to times now, and the one before the last break: around a break both kinds come.
    shift: Option<i64>,
    before: Option<i64>,
}

/// A change of shift.
#[derive(Clone, Copy)]
struct Break {
    lane: usize,
    delta: i64,
    /// The time given to the packet behind it.
    at: i64,
}

/// Most breaks that other streams may follow.
const MAX_BREAKS: usize = 8;

/// Seconds within which a time that goes on is not doubted.
const NEAR: (u32, u32) = (1, 2);

impl Times {
    /// For these streams; pauses of up to this many seconds are believed.
    pub(super) fn new(streams: &[StreamInfo], usual: &[Usual], max_gap: u32) -> Self {
        let base = streams.first().map_or(TimeBase::MILLIS, |stream| stream.time_base);
        let ticks = |num: u32, den: u32| {
            TimeBase::new(num.max(1), den).map_or(1, |span| span.rescale(Ticks(1), base, Rounding::Up).0.max(1))
        };
        let gap = if max_gap == 0 { 1 } else { ticks(max_gap, 1) };
        let lane = |(stream, usual): (&StreamInfo, &Usual)| Lane {
            gap: believed(usual, gap),
            usual: if usual.step <= believed(usual, gap) { usual.step } else { 0 },
            held_back: matches!(stream.media.kind(), Kind::Audio | Kind::Video),
            ..Lane::default()
        };
        Self {
            lanes: streams.iter().zip(usual).map(lane).collect(),
            base: start(usual, gap).saturating_neg(),
            latest: 0,
            breaks: VecDeque::new(),
            ready: VecDeque::new(),
            near: ticks(NEAR.0, NEAR.1),
            back: 0,
            jumps: 0,
            strays: 0,
            below: 0,
        }
    }

    /// Takes the next packet of the file.
    pub(super) fn push(&mut self, packet: Packet) {
        let Some(lane) = self.lanes.get_mut(packet.stream) else { return };
        let Some(raw) = time(&packet) else { return self.ready.push_back(packet) };
        if !lane.held_back {
            return self.settle(packet, None);
        }
        if let Some(earlier) = lane.held.replace(packet) {
            self.settle(earlier, Some(raw));
        }
    }

    /// Nothing follows.
    pub(super) fn end(&mut self) {
        let held: Vec<Packet> = self.lanes.iter_mut().filter_map(|lane| lane.held.take()).collect();
        held.into_iter().for_each(|packet| self.settle(packet, None));
    }

    /// The next packet, with its times mended; `None` until more is pushed.
    pub(super) fn next(&mut self) -> Option<Packet> {
        self.ready.pop_front()
    }

    /// How many steps back, jumps ahead, stray times and packets shown before their dts were mended.
    pub(super) fn counts(&self) -> (u64, u64, u64, u64) {
        (self.back, self.jumps, self.strays, self.below)
    }

    /// Gives a packet its times. `next` is the time of the one behind it in its stream.
    fn settle(&mut self, mut packet: Packet, next: Option<i64>) {
        let (stream, Some(raw)) = (packet.stream, time(&packet)) else { return };
        let delay = packet.pts.map_or(0, |pts| pts.0.saturating_sub(raw));
        self.below += u64::from(delay < 0);
        let dts = match self.stray(stream, raw, next) {
            Some(line) => {
                self.strays += 1;
                self.place(stream, line)
            }
            None => self.place(stream, raw),
        };
        let gap = self.lanes.get(stream).map_or(0, |lane| lane.gap);
        packet.dts = Some(Ticks(dts));
        packet.pts = Some(Ticks(dts.saturating_add(delay.clamp(0, gap))));
        packet.duration = packet.duration.map(|duration| Ticks(duration.0.clamp(0, gap)));
        self.ready.push_back(packet);
    }

    /// Where a time should be that lies off the line from the one before to the one behind it.
    fn stray(&self, stream: usize, raw: i64, next: Option<i64>) -> Option<i64> {
        let (lane, next) = (self.lanes.get(stream)?, next?);
        if lane.usual == 0 {
            return None;
        }
        let Some(last) = lane.raw else {
            let far = next < raw || next.saturating_sub(raw) > lane.gap;
            let line = next.saturating_sub(lane.usual);
            return (far && line.saturating_add(self.base).abs() <= lane.gap).then_some(line);
        };
        let span = next.saturating_sub(last);
        let straight = span > 0 && span <= lane.usual.saturating_mul(4).max(self.near);
        (straight && !(last..=next).contains(&raw)).then(|| last.saturating_add(lane.usual.min(span)))
    }

    fn place(&mut self, stream: usize, raw: i64) -> i64 {
        let time = match self.chosen(stream, raw) {
            Some(shift) => {
                let time = raw.saturating_add(shift);
                if let Some(lane) = self.lanes.get_mut(stream)
                    && lane.shift != Some(shift)
                {
                    lane.before = lane.shift.replace(shift);
                }
                time
            }
            None => self.close(stream, raw),
        };
        if let Some(lane) = self.lanes.get_mut(stream) {
            (lane.raw, lane.last) = (Some(raw), Some(time));
        }
        self.latest = self.latest.max(time);
        time
    }

    /// The shift by which the packet goes on where its stream is.
    fn chosen(&self, stream: usize, raw: i64) -> Option<i64> {
        let lane = self.lanes.get(stream)?;
        let own = lane.shift.unwrap_or(self.base);
        let due = lane.last.map_or(self.latest, |last| last.saturating_add(lane.usual));
        let distance = |shift: i64| raw.saturating_add(shift).saturating_sub(due).saturating_abs();
        let near = self.near.max(lane.usual.saturating_mul(2));
        if lane.follows(raw.saturating_add(own), self.latest) && (lane.last.is_none() || distance(own) <= near) {
            return Some(own);
        }
        let recent = |other: &&Break| other.lane != stream && self.latest.saturating_sub(other.at) <= lane.gap;
        let broken = self.breaks.iter().filter(recent).map(|other| own.saturating_add(other.delta));
        let others = self.lanes.iter().filter(|_| lane.last.is_none()).filter_map(|lane| lane.shift);
        // Another shift than its own must fit well.
        let fits = |shift: &i64| {
            lane.follows(raw.saturating_add(*shift), self.latest)
                && (*shift == own || lane.last.is_none() || distance(*shift) <= near)
        };
        let all = std::iter::once(own).chain(lane.before).chain(broken).chain(others);
        all.filter(fits).min_by_key(|shift| distance(*shift))
    }

    /// A break: the packet is put behind the last one of its stream, or where the file is after a pause of the stream.
    fn close(&mut self, stream: usize, raw: i64) -> i64 {
        let Some(lane) = self.lanes.get_mut(stream) else { return raw };
        let own = lane.shift.unwrap_or(self.base);
        let next = match lane.last {
            Some(last) if self.latest.saturating_sub(last) <= lane.gap => last.saturating_add(lane.usual),
            _ => self.latest,
        };
        match lane.last {
            Some(last) if raw.saturating_add(own) < last => self.back += 1,
            None if raw.saturating_add(own) < 0 => self.back += 1,
            _ => self.jumps += 1,
        }
        let shift = next.saturating_sub(raw);
        lane.before = lane.shift.replace(shift);
        if self.breaks.len() == MAX_BREAKS {
            self.breaks.pop_front();
        }
        self.breaks.push_back(Break { lane: stream, delta: shift.saturating_sub(own), at: next });
        next
    }
}

impl Lane {
    /// Whether a time goes on where the stream is, or where the file is after a pause of the stream.
    fn follows(&self, time: i64, latest: i64) -> bool {
        let rises = time >= self.last.unwrap_or(0);
        rises
            && (time.saturating_sub(latest) <= self.gap
                || self.last.is_some_and(|last| time.saturating_sub(last) <= self.gap))
    }
}

fn time(packet: &Packet) -> Option<i64> {
    packet.dts.or(packet.pts).map(|time| time.0)
}

/// The longest pause of a stream that is believed. A show of slides has no jumps where it has slides.
fn believed(usual: &Usual, gap: i64) -> i64 {
    if usual.steps >= MIN_SLIDES && usual.step > gap { usual.step.saturating_mul(3) } else { gap }
}

/// So many steps make a show of slides.
const MIN_SLIDES: usize = 3;

/// When the file begins: the earliest first time of a stream that goes on from there; of any stream when none does.
fn start(usual: &[Usual], gap: i64) -> i64 {
    let goes_on = |usual: &&Usual| {
        let step = usual.second.zip(usual.first).map(|(second, first)| second.saturating_sub(first));
        step.is_some_and(|step| (0..=believed(usual, gap)).contains(&step))
    };
    let first = usual.iter().filter(goes_on).filter_map(|usual| usual.first).min();
    first.or_else(|| usual.iter().filter_map(|usual| usual.first).min()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use maliu_core::stream::{Audio, Codec, Media, Video};

    use super::*;

    /// (stream, dts) → dts, in the order given; stream 0 is video, 1 is audio.
    fn mended(times: &[(usize, i64)]) -> Vec<i64> {
        let streams = [
            StreamInfo::new(Codec::H264, TimeBase::MILLIS, Media::Video(Video::default())),
            StreamInfo::new(Codec::Aac, TimeBase::MILLIS, Media::Audio(Audio::default())),
        ];
        let usual = [0, 1].map(|stream| {
            let own: Vec<i64> = times.iter().filter(|(of, _)| *of == stream).map(|(_, dts)| *dts).collect();
            let mut steps: Vec<i64> = own.windows(2).map(|pair| pair[1] - pair[0]).filter(|step| *step > 0).collect();
            steps.sort_unstable();
            let step = steps.get(steps.len() / 2).copied().unwrap_or(0);
            Usual { first: own.first().copied(), second: own.get(1).copied(), step, steps: steps.len() }
        });
        let mut mend = Times::new(&streams, &usual, 10);
        let mut placed = vec![Vec::new(), Vec::new()];
        let mut take = |mend: &mut Times| {
            while let Some(packet) = mend.next() {
                placed[packet.stream].push(packet.dts.unwrap().0);
            }
        };
        for &(stream, dts) in times {
            mend.push(Packet::of(stream, "").with_dts(Ticks(dts)));
            take(&mut mend);
        }
        mend.end();
        take(&mut mend);
        let mut placed = placed.into_iter().map(Vec::into_iter).collect::<Vec<_>>();
        times.iter().map(|(stream, _)| placed[*stream].next().unwrap()).collect()
    }

    #[test]
    fn good_times_stay_and_late_starts_begin_at_0() {
        let good = [(0, 0), (1, 0), (0, 40), (1, 23), (0, 9000), (1, 9100)];
        assert_eq!(mended(&good), [0, 0, 40, 23, 9000, 9100]);
        assert_eq!(mended(&[(0, 500_000), (1, 500_010), (0, 500_040)]), [0, 10, 40]);
        let audio_behind_all_video = [(0, 0), (0, 8000), (0, 16_000), (1, 0), (1, 8000)];
        assert_eq!(mended(&audio_behind_all_video), [0, 8000, 16_000, 0, 8000]);
        let a_stream_that_rests = [(0, 0), (1, 0), (0, 8000), (0, 16_000), (0, 24_000), (1, 24_000)];
        assert_eq!(mended(&a_stream_that_rests), [0, 0, 8000, 16_000, 24_000, 24_000]);
    }

    #[test]
    fn a_show_of_slides_keeps_its_pauses() {
        let slides = [(0, 0), (0, 30_000), (0, 60_000), (0, 105_000)];
        assert_eq!(mended(&slides), [0, 30_000, 60_000, 105_000]);
    }

    #[test]
    fn breaks_of_both_streams_are_closed_and_keep_them_together() {
        let jump =
            [(0, 0), (1, 0), (0, 40), (0, 80), (1, 40), (0, 90_080), (1, 80), (1, 90_070), (0, 90_120), (1, 90_110)];
        assert_eq!(mended(&jump), [0, 0, 40, 80, 40, 120, 80, 110, 160, 150]);
        let back = [(0, 0), (0, 40), (0, 80), (0, 20), (0, 60), (0, 100)];
        assert_eq!(mended(&back), [0, 40, 80, 120, 160, 200]);
    }

    #[test]
    fn only_the_stream_that_steps_back_is_moved() {
        let video = (0..20).map(|n| (0, if n < 10 { 6000 + n * 40 } else { 1000 + n * 40 }));
        let times: Vec<_> = video.zip((0..20).map(|n| (1, 6000 + n * 40))).flat_map(|(a, b)| [a, b]).collect();
        let expected: Vec<i64> = (0..20).flat_map(|n| [n * 40, n * 40]).collect();
        assert_eq!(mended(&times), expected);
    }

    #[test]
    fn a_single_time_off_the_line_moves_nothing_else() {
        for wrong in [4216, 65_656, 0, -3000] {
            let mut times: Vec<_> = (0..10).flat_map(|n| [(0, 100 + n * 40), (1, 100 + n * 40)]).collect();
            times[8].1 = wrong;
            let expected: Vec<i64> = (0..10).flat_map(|n| [n * 40, n * 40]).collect();
            assert_eq!(mended(&times), expected, "{wrong}");
        }
    }
}
