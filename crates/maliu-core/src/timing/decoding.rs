//! Decoding times where only presentation times are stored: the lowest of them in order of decoding.

use crate::time::Ticks;

/// Most pictures that are decoded before one that is shown earlier.
const MAX_DEPTH: usize = 16;

/// The highest presentation times so far, one more than pictures are reordered by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DecodingTimes {
    depth: usize,
    seen: usize,
    /// In rising order; the first `seen` ones count.
    times: [i64; MAX_DEPTH + 1],
}

impl DecodingTimes {
    /// For a stream that decodes this many pictures before one that is shown earlier.
    pub(crate) fn new(depth: u8) -> Self {
        Self { depth: usize::from(depth).min(MAX_DEPTH), seen: 0, times: [0; MAX_DEPTH + 1] }
    }

    /// The decoding time of the picture shown at `pts`; `None` before as many pictures have come as are reordered.
    pub(crate) fn next(&mut self, pts: Ticks) -> Option<Ticks> {
        if self.depth == 0 {
            return Some(pts);
        }
        let slots = self.times.get_mut(..=self.depth)?;
        if self.seen <= self.depth {
            *slots.get_mut(self.seen)? = pts.0;
            self.seen += 1;
        } else {
            // The lowest one was given out.
            *slots.first_mut()? = pts.0;
        }
        let known = slots.get_mut(..self.seen)?;
        known.sort_unstable();
        if self.seen <= self.depth { None } else { known.first().copied().map(Ticks) }
    }

    /// Pictures were left out: begins anew.
    pub(crate) fn reset(&mut self) {
        self.seen = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoding_times_are_those_of_the_reference() {
        let mut order = DecodingTimes::new(2);
        let times = [23, 143, 63, 103, 263, 183].map(|pts| order.next(Ticks(pts)).map(|dts| dts.0));
        assert_eq!(times, [None, None, Some(23), Some(63), Some(103), Some(143)]);
        assert_eq!(DecodingTimes::new(0).next(Ticks(5)), Some(Ticks(5)));
    }
}
