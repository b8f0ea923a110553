//! `--start` and `--duration`: which samples of a stream are wanted, exact to the sample.

use maliu::time::{Rounding, Ticks, TimeBase};
use maliu_decode::AudioFrame;

/// The wanted part of a stream, counted from its first sound.
pub(super) struct Window {
    /// Where it starts, in µs.
    pub start: Ticks,
    /// How long it is, in µs; `None` is to the end.
    pub duration: Option<Ticks>,
    /// Time of the first sound, in the stream's time base.
    origin: Option<Ticks>,
    /// Place of the next sample.
    at: i64,
    /// Samples per second of `at`.
    rate: TimeBase,
    /// The next frame does not follow the last one.
    jumped: bool,
    /// Frames so far, as far as [`Window::is_settled`] counts them.
    frames: u8,
}

impl Window {
    /// A window on a stream of which nothing was heard.
    pub(crate) fn new(start: Ticks, duration: Option<Ticks>) -> Self {
        Self { start, duration, origin: None, at: 0, rate: TimeBase::SECONDS, jumped: false, frames: 0 }
    }

    /// Cuts `frame` to the wanted part. False when nothing more will be wanted.
    pub(super) fn cut(&mut self, frame: &mut AudioFrame, base: TimeBase) -> bool {
        let rate = TimeBase::hz(frame.sample_rate);
        self.at = self.rate.rescale(Ticks(self.at), rate, Rounding::Near).0;
        self.rate = rate;
        let origin = *self.origin.get_or_insert(frame.time.unwrap_or_default());
        let place = frame.time.map(|time| base.rescale(time - origin, rate, Rounding::Near).0);
        // Coarse times (ms in FLV) must not cut or repeat samples; only a jump or a real gap is followed.
        let gap = i64::from(frame.sample_rate) / 10;
        let tick = base.rescale(Ticks(1), rate, Rounding::Up).0;
        let len = frame.len() as i64;
        self.frames = self.frames.saturating_add(1);
        let at = match place {
            Some(place) if std::mem::take(&mut self.jumped) => self.on_grid(place, len, tick),
            Some(place) if place.abs_diff(self.at) > gap.unsigned_abs() => place,
            // The first packet lasts longer than its sound: samples are counted as they follow each other, and a jump must
            // arrive where counting would.
            Some(place) if self.frames == 2 && place.abs_diff(self.at) > tick.unsigned_abs() => {
                self.origin = Some(origin + rate.rescale(Ticks(place - self.at), base, Rounding::Near));
                self.at
            }
            _ => self.at,
        };
        self.at = at.saturating_add(len);
        let samples = |time| TimeBase::MICROS.rescale(time, rate, Rounding::Near).0;
        let start = samples(self.start);
        let end = self.duration.map_or(i64::MAX, |duration| samples(self.start + duration));
        frame.truncate(end.saturating_sub(at).clamp(0, len) as usize);
        frame.drop_front(start.saturating_sub(at).clamp(0, len) as usize);
        self.at < end
    }

    /// The place of a frame that is known to one tick only: of the places at which frames start, since frames are of one
    /// length, the one that is that near.
    fn on_grid(&self, place: i64, len: i64, tick: i64) -> i64 {
        let into = (place - self.at).rem_euclid(len.max(1));
        let nearest = if into * 2 > len { place - into + len } else { place - into };
        if tick > 1 && nearest.abs_diff(place) <= tick.unsigned_abs() { nearest } else { place }
    }

    /// How much of the stream has passed, in µs.
    pub(super) fn done(&self) -> Ticks {
        self.rate.rescale(Ticks(self.at), TimeBase::MICROS, Rounding::Near)
    }

    /// Whether enough frames were decoded to convert times to samples, so that a seek lands on the right sample.
    pub(crate) fn is_settled(&self) -> bool {
        self.frames >= 2
    }

    /// Time to seek to after the first decoded sound, in the stream's time base: [`PREROLL`] before the start. `None` when the
    /// start is too close to be worth a seek.
    pub(super) fn seek_to(&self, base: TimeBase) -> Option<Ticks> {
        let ahead = Some(self.start - PREROLL).filter(|ahead| *ahead > PREROLL)?;
        Some(self.origin? + TimeBase::MICROS.rescale(ahead, base, Rounding::Down))
    }

    /// The stream was sought: the next frame may be of any time.
    pub(super) fn jumped(&mut self) {
        self.jumped = true;
    }
}

/// How long before the wanted start decoding starts, in µs: past any bit reservoir and overlap.
const PREROLL: Ticks = Ticks(1_000_000);

#[cfg(test)]
mod tests {
    use maliu_decode::Samples;

    use super::*;

    fn frame(time: i64) -> AudioFrame {
        let samples = Samples::I32((0..1000).collect());
        AudioFrame::new(1000, 1, samples).at(Ticks(time))
    }

    #[test]
    fn the_window_is_exact_to_the_sample() {
        let mut window = Window::new(Ticks(1_500_000), Some(Ticks(1_000_000)));
        let lengths: Vec<_> = [7000, 8001, 8999]
            .into_iter()
            .map(|time| {
                let mut frame = frame(time);
                (window.cut(&mut frame, TimeBase::MILLIS), frame.len())
            })
            .collect();
        assert_eq!(lengths, [(true, 0), (true, 500), (false, 500)]);
    }

    #[test]
    fn after_a_jump_coarse_times_find_the_first_sample() {
        let sound = |time| AudioFrame::new(44_100, 1, frame(time).samples).at(Ticks(time));
        let mut window = Window::new(Ticks(3_000_000), None);
        window.cut(&mut sound(0), TimeBase::MILLIS);
        window.jumped();
        // The frame starts at sample 89 000, which is 2018.14 ms.
        window.cut(&mut sound(2018), TimeBase::MILLIS);
        assert_eq!(window.at, 90_000);
    }

    #[test]
    fn a_first_packet_that_outlasts_its_sound_does_not_move_a_jump() {
        let mut window = Window::new(Ticks(9_250_000), None);
        for time in [0, 1080] {
            assert!(!window.is_settled());
            window.cut(&mut frame(time), TimeBase::MILLIS);
        }
        assert!(window.is_settled());
        window.jumped();
        let mut wanted = frame(9080);
        assert!(window.cut(&mut wanted, TimeBase::MILLIS));
        assert_eq!(wanted.len(), 750, "sample 9000 is at 9.080 s");
    }

    #[test]
    fn after_a_jump_the_time_of_the_frame_counts() {
        let mut window = Window::new(Ticks(9_250_000), None);
        window.cut(&mut frame(500), TimeBase::MILLIS);
        assert_eq!(window.seek_to(TimeBase::MILLIS), Some(Ticks(8750)));
        window.jumped();
        let mut frame = frame(9000);
        window.cut(&mut frame, TimeBase::MILLIS);
        assert_eq!(frame.len(), 250);
    }
}
