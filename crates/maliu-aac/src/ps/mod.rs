//! Parametric stereo: two channels from one and a few parameters, inside SBR's spectrum (ISO/IEC 14496-3 subpart 8).
//!
//! ```text
//! SBR extension ─▶ params ────────────────────────────┐
//! mono spectrum ─▶ hybrid split ─┬─▶ mono ────────────┴▶ mix ─▶ hybrid join ─▶ left and right spectrum
//!                                └─▶ decorrelate ─▶ twin ─┘
//! ```
//!
//! Handled: intensity, coherence and phase differences in all resolutions, 20 and 34 bands and the switch between them.

mod bands;
mod decorrelate;
mod huffman_tables;
mod hybrid;
mod mix;
mod params;
mod remap;
mod tables;

use crate::bits::Bits;
use crate::sbr::planes::Spectrum;
use decorrelate::{Decorrelator, PAST};
use hybrid::{Row, SUBBANDS, Splitter, shape};
use mix::Mixer;
use params::Params;

const SILENCE: Row = [[0.0; SUBBANDS]; 2];

/// The parametric stereo decoder of one channel.
#[derive(Clone, Debug)]
pub(crate) struct Ps {
    slots: usize,
    params: Params,
    /// A header has come, and no error since.
    started: bool,
    fresh: bool,
    splitter: Splitter,
    decorrelator: Decorrelator,
    mixer: Mixer,
    /// The mono subbands: the last [`PAST`] slots, then this unit's.
    mono: [Row; PAST + 32],
}

impl Ps {
    /// A decoder for units of at most 32 QMF slots.
    pub(crate) fn new(slots: usize) -> Self {
        Self {
            slots: slots.min(32),
            params: Params::new(slots.min(32)),
            started: false,
            fresh: false,
            splitter: Splitter::NEW,
            decorrelator: Decorrelator::NEW,
            mixer: Mixer::NEW,
            mono: [SILENCE; PAST + 32],
        }
    }

    /// Whether there are parameters to make two channels from.
    pub(crate) fn started(&self) -> bool {
        self.started
    }

    /// Reads ps_data() of at most `left` bits. After an error both channels are the same until the next header.
    pub(crate) fn read(&mut self, bits: &mut Bits, left: usize) {
        let start = bits.position();
        match self.params.read(bits, left) {
            Some(has_header) => {
                self.started |= has_header;
                self.fresh = true;
            }
            None => {
                self.started = false;
                self.params.clear();
                let taken = bits.position() - start;
                bits.skip(left.saturating_sub(taken));
            }
        }
    }

    /// Makes a unit's left spectrum, in place of the mono one, and its right one. The spectrum is silent from QMF channel
    /// `top` on; six slots of the next unit are there below the channels of SBR.
    pub(crate) fn process(&mut self, left: &mut Spectrum, right: &mut Spectrum, top: usize) {
        if !self.started {
            right.clone_from(left);
            return;
        }
        if !std::mem::take(&mut self.fresh) {
            self.params.hold();
        }
        let (wide, slots) = (self.params.wide, self.slots);
        if self.mixer.set_width(wide) {
            self.decorrelator = Decorrelator::NEW;
            self.mono = [SILENCE; PAST + 32];
        }
        let (count, (subband, channel)) = shape(wide);
        let top = (top.min(64) + subband).saturating_sub(channel).min(count);
        for row in self.mono[..PAST].iter_mut().flatten() {
            row[top..].fill(0.0);
        }
        self.decorrelator.clear_above(top);
        self.splitter.split(left, slots, wide, &mut self.mono[PAST..]);
        let (mut twin, mut left_row, mut right_row) = (SILENCE, SILENCE, SILENCE);
        for e in 0..self.params.envelopes {
            let (start, end) = (self.params.borders[e], self.params.borders[e + 1]);
            let mut ramp = self.mixer.ramp(&self.params, e, end.saturating_sub(start));
            for slot in start..end {
                let Some(rows) = self.mono[slot..].first_chunk() else { break };
                self.decorrelator.slot(rows, wide, top, &mut twin);
                ramp.mix(top, &rows[PAST], &twin, &mut left_row, &mut right_row);
                hybrid::join(&left_row, wide, left, slot);
                hybrid::join(&right_row, wide, right, slot);
            }
        }
        self.mono.copy_within(slots..slots + PAST, 0);
    }
}
