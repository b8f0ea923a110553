//! Where frames stand, remembered for the seek table of an information frame, in bounded memory.

use alloc::vec::Vec;

/// Most places that are remembered.
const MAX: usize = 800;

/// The places of every n-th frame; n doubles when there are too many.
#[derive(Debug)]
pub(super) struct Places {
    places: Vec<u64>,
    step: u64,
    frames: u64,
}

impl Default for Places {
    fn default() -> Self {
        Self { places: Vec::new(), step: 1, frames: 0 }
    }
}

impl Places {
    /// Notes a frame that begins `at` bytes behind the start of the information frame.
    pub(super) fn note(&mut self, at: u64) {
        if self.frames.is_multiple_of(self.step) {
            if self.places.len() >= MAX {
                let mut index = 0usize;
                self.places.retain(|_| {
                    index += 1;
                    index % 2 == 1
                });
                self.step = self.step.saturating_mul(2);
            }
            if self.frames.is_multiple_of(self.step) {
                self.places.push(at);
            }
        }
        self.frames += 1;
    }

    /// Frames so far.
    pub(super) fn frames(&self) -> u64 {
        self.frames
    }

    /// Where each percent of the time stands, in 256ths of `bytes`.
    pub(super) fn toc(&self, bytes: u64) -> [u8; 100] {
        let mut toc = [0; 100];
        for (percent, entry) in (0u64..).zip(&mut toc) {
            let frame = percent.saturating_mul(self.frames) / 100;
            let at = usize::try_from(frame / self.step).ok().and_then(|index| self.places.get(index)).copied();
            *entry = (at.unwrap_or(0).saturating_mul(256) / bytes.max(1)).min(255) as u8;
        }
        toc
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percents_of_equal_frames_are_even_however_many_there_are() {
        for frames in [1, 100, 5000, 100_000u64] {
            let mut places = Places::default();
            (0..frames).for_each(|frame| places.note(frame * 417));
            let toc = places.toc(frames * 417);
            assert_eq!(places.frames(), frames);
            for (percent, entry) in toc.iter().enumerate().filter(|_| frames >= 5000) {
                let exact = percent as f64 * 2.56;
                assert!((f64::from(*entry) - exact).abs() < 2.0, "{percent} % of {frames}: {entry}");
            }
        }
    }
}
