//! How long each frame lasts: by the rate that the reference's parser holds for right, which follows a change only
//! after some frames (PAR-42).

use crate::{
    syntax::mpeg_audio::Header,
    time::{Rounding, Ticks, TimeBase},
};

/// All MPEG audio rates divide it.
pub const TIME_BASE: TimeBase = TimeBase::hz(14_112_000);

/// The rate in force.
#[derive(Debug, Default)]
pub(super) struct Clock {
    last: Option<Header>,
    adopted: Option<Header>,
    /// Frames of one kind in a row, counted from below zero after a change.
    trust: i32,
}

/// Where the count starts after another version, layer or rate.
const AFTER_CHANGE: i32 = -3;

/// Where the count starts behind bytes that are no frame.
const AFTER_JUNK: i32 = -2;

impl Clock {
    /// The duration of a frame with this header, which comes next, maybe behind bytes that are no frame.
    pub(super) fn tick(&mut self, header: &Header, behind_junk: bool) -> Ticks {
        if behind_junk {
            self.trust = AFTER_JUNK;
        }
        if self.last.is_some_and(|last| !last.same_kind(header)) {
            self.trust = AFTER_CHANGE;
        }
        self.last = Some(*header);
        self.trust = self.trust.saturating_add(1);
        let other_layer = self.adopted.is_some_and(|adopted| adopted.layer != header.layer);
        if self.trust > i32::from(other_layer) || self.adopted.is_none() {
            self.adopted = Some(*header);
        }
        duration(&self.adopted.unwrap_or(*header))
    }
}

/// How long the sound of a frame lasts.
fn duration(header: &Header) -> Ticks {
    samples(i64::from(header.samples()), header.sample_rate())
}

/// A number of samples as time.
pub(super) fn samples(count: i64, rate: u32) -> Ticks {
    TimeBase::hz(rate).rescale(Ticks(count), TIME_BASE, Rounding::Near)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_rate_counts_from_its_fourth_frame_on() {
        let [a, b] = [0x90, 0x94].map(|b2| Header::parse(&[0xff, 0xfb, b2, 0x64]).unwrap());
        let mut clock = Clock::default();
        let ticks = [a, a, b, b, b, b].map(|header| clock.tick(&header, false).0);
        assert_eq!(ticks, [368_640, 368_640, 368_640, 368_640, 368_640, 338_688]);
    }
}
