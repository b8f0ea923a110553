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
use crate::planes::Spectrum;
use decorrelate::{Decorrelator, PAST};
use hybrid::{Row, SUBBANDS, Splitter, shape};
use mix::Mixer;
use params::Params;
use tables::TABLES;

const SILENCE: Row = [[0.0; SUBBANDS]; 2];

/// Reads the parameters of one channel and says what is to be done with each unit.
pub(crate) struct Reader {
    params: Params,
    /// A header has come, and no error since.
    started: bool,
    fresh: bool,
    /// Data has come, though perhaps no header: from then on there are two channels.
    seen: bool,
}

/// Work to do for a unit: its parameters; none until a header has come.
#[derive(Debug)]
pub(crate) struct Unit(Option<Params>);

impl Reader {
    /// For units of at most 32 QMF slots.
    pub(crate) fn new(slots: usize) -> Self {
        Self { params: Params::new(slots.min(32)), started: false, fresh: false, seen: false }
    }

    /// Reads ps_data() of at most `left` bits. After an error both channels are the same until the next header.
    pub(crate) fn read(&mut self, bits: &mut Bits, left: usize) {
        let start = bits.position();
        self.seen = true;
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

    /// Whether there are two channels.
    pub(crate) fn seen(&self) -> bool {
        self.seen
    }

    /// Ends a unit; without data of its own it goes on with the parameters of the last.
    pub(crate) fn tell(&mut self) -> Unit {
        if !self.started {
            return Unit(None);
        }
        if !std::mem::take(&mut self.fresh) {
            self.params.hold();
        }
        Unit(Some(self.params.clone()))
    }
}

/// Makes two channels of one.
#[derive(Clone, Debug)]
pub(crate) struct Ps {
    slots: usize,
    splitter: Splitter,
    decorrelator: Decorrelator,
    mixer: Mixer,
    /// The mono subbands: the last [`PAST`] slots, then this unit's.
    mono: [Row; PAST + 32],
}

impl Ps {
    /// For units of at most 32 QMF slots.
    pub(crate) fn new(slots: usize) -> Self {
        Self {
            slots: slots.min(32),
            splitter: Splitter::NEW,
            decorrelator: Decorrelator::NEW,
            mixer: Mixer::NEW,
            mono: [SILENCE; PAST + 32],
        }
    }

    /// Makes a unit's left spectrum, in place of the mono one, and its right one. The spectrum is silent from QMF
    /// channel `top` on; six slots of the next unit are there below the channels of SBR.
    pub(crate) fn process(&mut self, unit: &Unit, left: &mut Spectrum, right: &mut Spectrum, top: usize) {
        let Unit(Some(params)) = unit else {
            right.clone_from(left);
            return;
        };
        if self.mixer.set_width(params.wide) {
            self.decorrelator = Decorrelator::NEW;
            self.mono = [SILENCE; PAST + 32];
        }
        match params.wide {
            true => self.widen::<true, 52>(params, left, right, top),
            false => self.widen::<false, 32>(params, left, right, top),
        }
    }

    /// The same in 34 bands (`WIDE`) or 20, of which the first `CHAINED` subbands, rounded up, go through all-pass
    /// filters.
    fn widen<const WIDE: bool, const CHAINED: usize>(
        &mut self,
        params: &Params,
        left: &mut Spectrum,
        right: &mut Spectrum,
        top: usize,
    ) {
        let (slots, phases) = (self.slots, &TABLES.phases[usize::from(WIDE)]);
        let (count, (subband, channel)) = shape(WIDE);
        let top = (top.min(64) + subband).saturating_sub(channel).min(count);
        for row in self.mono[..PAST].iter_mut().flatten() {
            row[top..].fill(0.0);
        }
        self.decorrelator.clear_above(top);
        self.splitter.split::<WIDE>(left, slots, &mut self.mono[PAST..]);
        let Some(fresh) = self.mono[PAST..].first_chunk() else { return };
        let transients = self.decorrelator.transients::<WIDE>(fresh, slots, top);
        let (mut twin, mut left_row, mut right_row) = (SILENCE, SILENCE, SILENCE);
        for e in 0..params.envelopes {
            let (start, end) = (params.borders[e], params.borders[e + 1]);
            let mut ramp = self.mixer.ramp(params, e, end.saturating_sub(start));
            for (slot, gains) in transients.iter().enumerate().take(end).skip(start) {
                let Some(rows) = self.mono[slot..].first_chunk() else { break };
                self.decorrelator.slot::<WIDE, CHAINED>(rows, phases, gains, &mut twin);
                ramp.mix(top, &rows[PAST], &twin, &mut left_row, &mut right_row);
                hybrid::join::<WIDE>(&left_row, left, slot);
                hybrid::join::<WIDE>(&right_row, right, slot);
            }
        }
        self.mono.copy_within(slots..slots + PAST, 0);
    }
}

#[cfg(test)]
#[allow(clippy::unusual_byte_groupings)] // Groups of digits are fields.
mod tests {
    use super::*;

    #[test]
    fn no_data_makes_stereo_panic_or_lose_its_numbers() {
        let mut state = 0x1234_5678u32;
        let mut random = || {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state
        };
        let (mut read, mut wide) = (0, 0);
        for slots in [32, 30, 32, 32] {
            let (mut reader, mut ps) = (Reader::new(slots), Ps::new(slots));
            for _ in 0..400 {
                let mut data: Vec<u8> = (0..60).map(|_| random() as u8).collect();
                // A header with intensities and coherences in a legal mode, every other time.
                if random() % 2 == 0 {
                    data[0] = 0b1_1_000_1_00 | ((random() % 3) << 3) as u8;
                    data[1] &= 0b0101_1111;
                }
                reader.read(&mut Bits::new(&data), 8 * data.len());
                read += u32::from(reader.fresh);
                wide += u32::from(reader.params.wide);
                let (mut left, mut right) = (Box::new(Spectrum::ZERO), Box::new(Spectrum::ZERO));
                for row in left.re.iter_mut().chain(&mut left.im) {
                    row[..46].fill_with(|| random() as i32 as f32 / 65_536.0);
                }
                ps.process(&reader.tell(), &mut left, &mut right, 46);
                let all = left.re.iter().chain(&left.im).chain(&right.re).chain(&right.im).flatten();
                assert!(all.copied().all(f32::is_finite));
            }
        }
        assert!(read > 50 && wide > 50, "{read} units read, {wide} of them wide");
    }

    #[test]
    fn without_a_header_both_channels_are_the_same() {
        let (mut left, mut right) = (Box::new(Spectrum::ZERO), Box::new(Spectrum::ZERO));
        left.re[3][7] = 5.0;
        Ps::new(32).process(&Unit(None), &mut left, &mut right, 32);
        assert_eq!((left.re[3][7], right.re[3][7]), (5.0, 5.0));
    }
}
