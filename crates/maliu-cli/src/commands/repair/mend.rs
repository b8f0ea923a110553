//! Times made to rise without jumps, without tearing sound and pictures apart.

use maliu::{
    packet::Packet,
    stream::StreamInfo,
    time::{Rounding, Ticks, TimeBase},
};

/// The state of all streams. Times are counted in ticks of each stream; FLV has one base for all.
pub struct Mend {
    gap: i64,
    lanes: Vec<Lane>,
    /// The latest time given to any packet.
    latest: Option<i64>,
    /// What is added to times now, and what was added before the last break: around a break both kinds come.
    shift: i64,
    shift_before: i64,
    back: u64,
    jumps: u64,
    below: u64,
}

#[derive(Clone, Copy, Default)]
struct Lane {
    last: Option<i64>,
    step: i64,
}

impl Mend {
    /// For these streams; pauses of up to so many seconds are believed.
    pub fn new(streams: &[StreamInfo], max_gap: u32) -> Self {
        let base = streams.first().map_or(TimeBase::MILLIS, |stream| stream.time_base);
        let gap = TimeBase::SECONDS.rescale(Ticks(max_gap.into()), base, Rounding::Up).0;
        Self {
            gap: gap.max(1),
            lanes: vec![Lane::default(); streams.len()],
            latest: None,
            shift: 0,
            shift_before: 0,
            back: 0,
            jumps: 0,
            below: 0,
        }
    }

    /// Puts the packet where its stream goes on.
    pub fn apply(&mut self, packet: &mut Packet) {
        let Some(Ticks(raw)) = packet.dts.or(packet.pts) else { return };
        let delay = packet.pts.map_or(0, |pts| pts.0.saturating_sub(raw));
        self.below += u64::from(delay < 0);
        let dts = self.place(packet.stream, raw);
        packet.dts = Some(Ticks(dts));
        packet.pts = Some(Ticks(dts.saturating_add(delay.clamp(0, self.gap))));
        packet.duration = packet.duration.map(|duration| Ticks(duration.0.clamp(0, self.gap)));
    }

    fn place(&mut self, stream: usize, raw: i64) -> i64 {
        let Some(lane) = self.lanes.get(stream).copied() else { return raw };
        let Some(latest) = self.latest else {
            self.shift = raw.saturating_neg();
            self.shift_before = self.shift;
            self.note(stream, 0);
            return 0;
        };
        let placed = [self.shift, self.shift_before].map(|shift| raw.saturating_add(shift));
        if let Some(time) = placed.into_iter().find(|time| self.follows(lane, latest, *time)) {
            self.note(stream, time);
            return time;
        }
        match lane.last {
            Some(last) if placed[0] < last => self.back += 1,
            _ => self.jumps += 1,
        }
        let next = latest.max(lane.last.map_or(0, |last| last.saturating_add(lane.step)));
        self.shift_before = self.shift;
        self.shift = next.saturating_sub(raw);
        self.note(stream, next);
        next
    }

    /// Whether a time goes on where its stream is, or where the file is after a pause of the stream.
    fn follows(&self, lane: Lane, latest: i64, time: i64) -> bool {
        let rises = time >= lane.last.unwrap_or(0);
        rises
            && (time.saturating_sub(latest) <= self.gap
                || lane.last.is_some_and(|last| time.saturating_sub(last) <= self.gap))
    }

    fn note(&mut self, stream: usize, time: i64) {
        if let Some(lane) = self.lanes.get_mut(stream) {
            lane.step = lane.last.map_or(0, |last| time.saturating_sub(last)).clamp(0, self.gap);
            lane.last = Some(time);
        }
        self.latest = self.latest.max(Some(time));
    }

    /// What was mended, in sentences.
    pub fn report(&self) -> Vec<String> {
        let lines = [
            (self.back, "steps back in time closed"),
            (self.jumps, "jumps ahead in time closed"),
            (self.below, "packets shown before they are decoded moved to their dts"),
        ];
        lines.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use maliu::stream::{Codec, Media};

    use super::*;

    /// (stream, dts) → dts.
    fn mended(times: &[(usize, i64)]) -> Vec<i64> {
        let streams = vec![StreamInfo::new(Codec::Data, TimeBase::MILLIS, Media::Data); 2];
        let mut mend = Mend::new(&streams, 10);
        let moved = |&(stream, dts): &(usize, i64)| {
            let mut packet = Packet { stream, dts: Some(Ticks(dts)), ..Packet::default() };
            mend.apply(&mut packet);
            packet.dts.unwrap().0
        };
        times.iter().map(moved).collect()
    }

    #[test]
    fn good_times_stay_and_late_starts_begin_at_0() {
        let good = [(0, 0), (1, 0), (0, 40), (1, 23), (0, 9000), (1, 9100)];
        assert_eq!(mended(&good), [0, 0, 40, 23, 9000, 9100]);
        assert_eq!(mended(&[(0, 500_000), (1, 500_010), (0, 500_040)]), [0, 10, 40]);
        let sound_behind_all_pictures = [(0, 0), (0, 8000), (0, 16_000), (1, 0), (1, 8000)];
        assert_eq!(mended(&sound_behind_all_pictures), [0, 8000, 16_000, 0, 8000]);
        let a_stream_that_rests = [(0, 0), (1, 0), (0, 8000), (0, 16_000), (0, 24_000), (1, 24_000)];
        assert_eq!(mended(&a_stream_that_rests), [0, 0, 8000, 16_000, 24_000, 24_000]);
    }

    #[test]
    fn breaks_are_closed_for_both_streams_at_once() {
        let jump = [(0, 0), (1, 0), (0, 40), (0, 90_040), (1, 40), (1, 90_030), (0, 90_080)];
        assert_eq!(mended(&jump), [0, 0, 40, 80, 40, 70, 120]);
        let back = [(0, 0), (0, 40), (0, 80), (0, 20), (0, 60)];
        assert_eq!(mended(&back), [0, 40, 80, 120, 160]);
    }
}
