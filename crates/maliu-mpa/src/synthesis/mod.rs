//! The spectrum of a frame to samples, in two stages: the samples of the subbands, which carry on from frame to frame and
//! are judged, then the filter bank, which needs no more of the frames before than their last slots.
//!
//! ```text
//! layer III: lines ─▶ hybrid: samples of subbands ─┐
//! layers I and II: samples of subbands ────────────┴▶ judge ─▶ bank: samples
//! ```

mod bank;
mod dct32;
mod hybrid;
mod judge;
mod list;
mod polyphase;
mod subbands;
#[cfg(test)]
mod tests;

pub use self::polyphase::Polyphase;
pub use self::subbands::Subbands;
use crate::parsed::Parsed;

/// Turns the spectra of one stream into samples, in their order: [`Subbands`] and [`Polyphase`] in one.
#[derive(Default)]
pub struct Synthesis {
    subbands: Subbands,
    polyphase: Polyphase,
}

impl Synthesis {
    /// Synthesis at the start of a stream.
    pub fn new() -> Synthesis {
        Synthesis::default()
    }

    /// Makes the samples of a frame. A frame with a fault is concealed: the end of the sound before it, then silence; so
    /// is one that turns out louder than [`LOUDEST`](crate::LOUDEST), which is then its fault.
    pub fn run(&mut self, unit: &mut Parsed) {
        self.subbands.run(unit);
        self.polyphase.run(unit);
    }

    /// Makes the samples of a frame without a fault. Where it has one or gets one, the state stays as it was.
    pub(crate) fn attempt(&mut self, unit: &mut Parsed) {
        self.subbands.attempt(unit);
        if unit.fault.is_none() {
            self.polyphase.run(unit);
        }
    }
}
