//! Where segments and parts end: at keyframes of the leading stream, and within the lengths that playlists declare.

use core::time::Duration;

/// A boundary in front of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Nothing.
    No,
    /// A part.
    Part,
    /// A segment, and the part in it.
    Segment,
}

/// Longest first segment of a live stream, in µs: from there on its declared length holds.
const LONGEST_FIRST: i64 = 10_000_000;

/// A length that rounds to a whole second is less than this many µs above it.
const ROUNDED: i64 = 499_000;

/// Slack of lengths of parts, in µs: times of live streams are rounded to 1 ms.
const SLACK: i64 = 2000;

/// Decides by the times of the leading stream: video, or audio where there is none.
#[derive(Clone, Debug)]
pub struct Cutter {
    /// Least length of a segment, in µs.
    segment: i64,
    /// Most length of a part, in µs; `None`: no parts.
    part: Option<i64>,
    /// Segments end at multiples of their length since the first time, as FFmpeg's do.
    even: bool,
    /// Segments that would be longer than declared end without a keyframe.
    live: bool,
    first: i64,
    /// Beginning of the segment, and of the part.
    begun: Option<(i64, i64)>,
    /// Segments that have ended, and the longest one, in µs.
    ended: i64,
    longest: i64,
    /// Time of the last keyframe, and the lengths of the last two groups.
    key: Option<i64>,
    groups: [i64; 2],
    /// The segment begins with a keyframe.
    keyed: bool,
    /// The longest part that was not the last of its segment.
    longest_part: i64,
}

impl Cutter {
    /// Segments of at least `segment`, with parts of at most `part`.
    pub fn new(segment: Duration, part: Option<Duration>, live: bool) -> Self {
        let micros = |span: Duration| i64::try_from(span.as_micros()).unwrap_or(i64::MAX / 4).max(1);
        Self {
            segment: micros(segment),
            part: part.map(micros),
            even: !live,
            live,
            first: 0,
            begun: None,
            ended: 0,
            longest: 0,
            key: None,
            groups: [0; 2],
            keyed: false,
            longest_part: 0,
        }
    }

    /// Returns the boundary in front of a packet of the leading stream at `time`, in µs, that lasts for `length`.
    pub fn next(&mut self, time: i64, length: i64, key: bool) -> Cut {
        if key {
            let before = self.key.replace(time);
            let group = before.map_or(0, |before| time.saturating_sub(before));
            self.groups = [self.groups[1], group];
        }
        let Some((segment, part)) = self.begun else {
            (self.begun, self.first, self.keyed) = (Some((time, time)), time, key);
            return Cut::No;
        };
        let lasted = time.saturating_sub(segment);
        if lasted > 0 && (key && self.is_due(time, lasted) || self.is_over(lasted, length)) {
            self.keyed = key;
            return Cut::Segment;
        }
        let within = time.saturating_sub(part);
        match self.part {
            Some(most) if within > 0 && within.saturating_add(length) > most.saturating_add(SLACK) => Cut::Part,
            _ => Cut::No,
        }
    }

    /// Whether a segment ends at a keyframe.
    fn is_due(&self, time: i64, lasted: i64) -> bool {
        if self.even {
            let count = self.ended.saturating_add(1);
            return time.saturating_sub(self.first) >= self.segment.saturating_mul(count);
        }
        // One that began without a keyframe, or that the next group would make too long, ends early.
        let group = self.groups[0].max(self.groups[1]);
        let early = self.ended > 0 && (!self.keyed || lasted.saturating_add(group) > self.limit());
        lasted >= self.segment || early
    }

    /// Whether a live segment is too long with a packet of this length.
    fn is_over(&self, lasted: i64, length: i64) -> bool {
        self.live && lasted.saturating_add(length) > self.limit()
    }

    /// A segment ends at `time`, in µs; returns its length.
    pub fn end_segment(&mut self, time: i64) -> Duration {
        let (segment, _) = self.begun.replace((time, time)).unwrap_or((time, time));
        let lasted = time.saturating_sub(segment).max(0);
        self.ended = self.ended.saturating_add(1);
        self.longest = self.longest.max(lasted);
        if self.ended == 1 && self.longest_part > 0 && self.live {
            // The declared length holds for all later parts.
            self.part = self.part.map(|most| most.min(self.longest_part).max(1));
        }
        Duration::from_micros(lasted.unsigned_abs())
    }

    /// A part ends at `time`, in µs, within a segment, or with it; returns its length.
    pub fn end_part(&mut self, time: i64, with_segment: bool) -> Duration {
        let Some((segment, part)) = self.begun else { return Duration::ZERO };
        self.begun = Some((segment, time));
        let lasted = time.saturating_sub(part).max(0);
        if !with_segment {
            self.longest_part = self.longest_part.max(lasted);
        }
        Duration::from_micros(lasted.unsigned_abs())
    }

    /// The length of segments in whole seconds that a playlist declares: of a live stream that of the first one, which
    /// no later one exceeds.
    pub fn target(&self) -> u32 {
        let rounded = |micros: i64| u32::try_from(micros.saturating_add(500_000) / 1_000_000).unwrap_or(u32::MAX);
        rounded(self.longest).max(if self.live { rounded(self.segment) } else { 0 }).max(1)
    }

    /// The length of parts that a playlist declares.
    pub fn part_target(&self) -> Option<Duration> {
        let most = self.part?.max(self.longest_part).saturating_add(SLACK);
        Some(Duration::from_millis((most.unsigned_abs().saturating_add(999)) / 1000))
    }

    /// The most length of a segment of a live stream, in µs.
    fn limit(&self) -> i64 {
        match self.ended {
            0 => LONGEST_FIRST.max(self.segment),
            _ => i64::from(self.target()).saturating_mul(1_000_000).saturating_add(ROUNDED),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    /// Lengths in ms of the segments of frames of 40 ms with keyframes at these numbers.
    fn segments(mut cutter: Cutter, frames: i64, keys: impl Fn(i64) -> bool) -> Vec<u128> {
        let mut lengths = Vec::new();
        for frame in 0..frames {
            if cutter.next(frame * 40_000, 40_000, keys(frame)) == Cut::Segment {
                lengths.push(cutter.end_segment(frame * 40_000).as_millis());
            }
        }
        lengths
    }

    #[test]
    fn segments_end_at_the_first_keyframe_that_is_due() {
        let files = Cutter::new(Duration::from_secs(2), None, false);
        assert_eq!(segments(files, 200, |frame| frame % 24 == 0), [2880, 1920, 1920]);
        let live = Cutter::new(Duration::from_secs(2), None, true);
        assert_eq!(segments(live, 200, |frame| frame % 24 == 0), [2880, 2880]);
    }

    #[test]
    fn a_live_segment_is_never_longer_than_declared() {
        let live = Cutter::new(Duration::from_secs(2), None, true);
        let lengths = segments(live.clone(), 500, |frame| frame == 0 || frame == 50 || frame == 400);
        assert!(lengths[0] == 2000 && lengths[1..].iter().all(|length| *length < 2500), "{lengths:?}");
        assert_eq!(segments(live, 500, |frame| frame == 0), [10_000]);
    }

    #[test]
    fn segments_begin_with_keyframes_again_where_those_come_at_other_times() {
        let live = Cutter::new(Duration::from_secs(2), None, true);
        // A publisher that comes back: keyframes every 2 s, from 4.8 s on.
        let lengths = segments(live, 500, |frame| if frame < 120 { frame % 50 == 0 } else { frame % 50 == 20 });
        assert_eq!(lengths, [2000, 2000, 800, 2000, 2000, 2000, 2000, 2000, 2000, 2000]);
    }

    #[test]
    fn parts_keep_to_their_length_and_at_least_85_percent_of_it() {
        for rate in [10, 12, 15, 24, 25, 30, 50, 60] {
            let mut cutter = Cutter::new(Duration::from_secs(2), Some(Duration::from_millis(330)), true);
            let (mut lengths, mut last) = (Vec::new(), 0);
            for frame in 0..rate * 8 {
                let at = |frame: i64| frame * 1000 / rate * 1000;
                let cut = cutter.next(at(frame), at(frame + 1) - at(frame), frame % (2 * rate) == 0);
                if cut != Cut::No {
                    let length = cutter.end_part(at(frame), cut == Cut::Segment).as_micros();
                    if cut == Cut::Part {
                        lengths.push(length);
                    } else {
                        cutter.end_segment(at(frame));
                    }
                    last = last.max(length);
                }
            }
            let target = cutter.part_target().unwrap().as_micros();
            assert!(
                last <= target && lengths.iter().all(|length| length * 100 >= target * 85),
                "{rate}: {target} {lengths:?}"
            );
        }
    }
}
