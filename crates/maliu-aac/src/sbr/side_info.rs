//! One channel's SBR data of a unit: levels as coded, inverse filtering, sinusoids (ISO/IEC 14496-3 4.4.2.8,
//! 4.6.18.3.4).

use super::bands::{Bands, MOST_NOISE_BANDS};
use super::grid::{Grid, MOST_ENVELOPES};
use super::huffman_tables as table;
use crate::Error;
use crate::bits::Bits;
use crate::prefix::{Code, symbol, tree};

static ENV_TIME_15: [[i16; 2]; 120] = tree(&table::ENV_TIME_15);
static ENV_FREQ_15: [[i16; 2]; 120] = tree(&table::ENV_FREQ_15);
static BALANCE_TIME_15: [[i16; 2]; 48] = tree(&table::BALANCE_TIME_15);
static BALANCE_FREQ_15: [[i16; 2]; 48] = tree(&table::BALANCE_FREQ_15);
static ENV_TIME_30: [[i16; 2]; 62] = tree(&table::ENV_TIME_30);
static ENV_FREQ_30: [[i16; 2]; 62] = tree(&table::ENV_FREQ_30);
static BALANCE_TIME_30: [[i16; 2]; 24] = tree(&table::BALANCE_TIME_30);
static BALANCE_FREQ_30: [[i16; 2]; 24] = tree(&table::BALANCE_FREQ_30);
static NOISE_TIME: [[i16; 2]; 62] = tree(&table::NOISE_TIME);
static NOISE_BALANCE_TIME: [[i16; 2]; 24] = tree(&table::NOISE_BALANCE_TIME);

/// Meaning of a channel's numbers: levels, or (second channel of a coupled pair) the balance between two channels.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Level,
    Balance,
}

/// The largest coded envelope level.
const MOST_ENVELOPE_LEVEL: i32 = 127;

/// The largest coded noise level.
const MOST_NOISE_LEVEL: i32 = 30;

/// A channel's data of the unit, and of the one before where the coding refers to it.
#[derive(Clone, Debug)]
pub(super) struct SideInfo {
    pub grid: Grid,
    /// Coded levels by envelope and band.
    pub envelope: [[i16; 48]; MOST_ENVELOPES],
    /// Coded noise levels by noise floor and band.
    pub noise: [[i16; MOST_NOISE_BANDS]; 2],
    /// bs_invf_mode by noise band, of this unit and the one before.
    pub inverse_filter: [u8; MOST_NOISE_BANDS],
    pub inverse_filter_before: [u8; MOST_NOISE_BANDS],
    /// bs_add_harmonic by band of the high resolution.
    pub sinusoid: [bool; 48],
    /// Whether the last unit's transient was at its very end, so that this unit starts with it.
    pub starts_with_transient: bool,
    envelope_before: [i16; 48],
    noise_before: [i16; MOST_NOISE_BANDS],
    high_before: bool,
    delta_time: [bool; MOST_ENVELOPES],
    noise_delta_time: [bool; 2],
}

impl SideInfo {
    pub(super) fn new(slots: u8) -> Self {
        Self {
            grid: Grid::whole(0, slots, false, false),
            envelope: [[0; 48]; MOST_ENVELOPES],
            noise: [[0; MOST_NOISE_BANDS]; 2],
            inverse_filter: [0; MOST_NOISE_BANDS],
            inverse_filter_before: [0; MOST_NOISE_BANDS],
            sinusoid: [false; 48],
            starts_with_transient: false,
            envelope_before: [0; 48],
            noise_before: [0; MOST_NOISE_BANDS],
            high_before: false,
            delta_time: [false; MOST_ENVELOPES],
            noise_delta_time: [false; 2],
        }
    }

    /// Forgets the transient of the last unit, which SBR did not continue.
    pub(super) fn stop(&mut self) {
        self.grid.transient = None;
    }

    /// Starts a unit with its grid.
    pub(super) fn set_grid(&mut self, grid: Grid) {
        self.starts_with_transient = self.grid.transient == Some(self.grid.envelopes);
        self.high_before = self.grid.high[self.grid.envelopes - 1];
        self.grid = grid;
    }

    /// sbr_dtdf(): whether levels are coded as differences over time or over frequency.
    pub(super) fn read_directions(&mut self, bits: &mut Bits) {
        self.delta_time[..self.grid.envelopes].iter_mut().for_each(|flag| *flag = bits.flag());
        self.noise_delta_time[..self.grid.floors].iter_mut().for_each(|flag| *flag = bits.flag());
    }

    /// sbr_invf().
    pub(super) fn read_inverse_filter(&mut self, bits: &mut Bits, bands: &Bands) {
        let mut modes = self.inverse_filter;
        modes.iter_mut().take(bands.noise.bands()).for_each(|mode| *mode = bits.read(2) as u8);
        self.set_inverse_filter(modes);
    }

    pub(super) fn set_inverse_filter(&mut self, modes: [u8; MOST_NOISE_BANDS]) {
        self.inverse_filter_before = std::mem::replace(&mut self.inverse_filter, modes);
    }

    /// sbr_envelope().
    pub(super) fn read_envelope(&mut self, bits: &mut Bits, bands: &Bands, kind: Kind) -> Result<(), Error> {
        let (first_bits, time, freq): (u32, &Code, &Code) = match (kind, self.grid.coarse) {
            (Kind::Level, false) => (7, &ENV_TIME_15, &ENV_FREQ_15),
            (Kind::Level, true) => (6, &ENV_TIME_30, &ENV_FREQ_30),
            (Kind::Balance, false) => (6, &BALANCE_TIME_15, &BALANCE_FREQ_15),
            (Kind::Balance, true) => (5, &BALANCE_TIME_30, &BALANCE_FREQ_30),
        };
        let odd = bands.high.bands() % 2;
        let (mut before, mut high_before) = (self.envelope_before, self.high_before);
        for e in 0..self.grid.envelopes {
            let high = self.grid.high[e];
            let count = bands.envelope(high).bands();
            let deltas = match self.delta_time[e] {
                true => Deltas { kind, code: time, first_bits: None, most: MOST_ENVELOPE_LEVEL },
                false => Deltas { kind, code: freq, first_bits: Some(first_bits), most: MOST_ENVELOPE_LEVEL },
            };
            let source = |band: usize| match (high, high_before) {
                (true, false) => (band + odd) / 2,
                (false, true) => (2 * band).saturating_sub(odd),
                _ => band,
            };
            let reference = std::array::from_fn::<i16, 48, _>(|band| before.get(source(band)).copied().unwrap_or(0));
            deltas.read(bits, &reference, &mut self.envelope[e][..count])?;
            (before, high_before) = (self.envelope[e], high);
        }
        self.envelope_before = before;
        Ok(())
    }

    /// sbr_noise().
    pub(super) fn read_noise(&mut self, bits: &mut Bits, bands: &Bands, kind: Kind) -> Result<(), Error> {
        let (time, freq): (&Code, &Code) = match kind {
            Kind::Level => (&NOISE_TIME, &ENV_FREQ_30),
            Kind::Balance => (&NOISE_BALANCE_TIME, &BALANCE_FREQ_30),
        };
        let mut before = self.noise_before;
        for floor in 0..self.grid.floors {
            let deltas = match self.noise_delta_time[floor] {
                true => Deltas { kind, code: time, first_bits: None, most: MOST_NOISE_LEVEL },
                false => Deltas { kind, code: freq, first_bits: Some(5), most: MOST_NOISE_LEVEL },
            };
            deltas.read(bits, &before, &mut self.noise[floor][..bands.noise.bands()])?;
            before = self.noise[floor];
        }
        self.noise_before = before;
        Ok(())
    }

    /// sbr_sinusoidal_coding().
    pub(super) fn read_sinusoids(&mut self, bits: &mut Bits, bands: &Bands) {
        self.sinusoid = [false; 48];
        if bits.flag() {
            self.sinusoid.iter_mut().take(bands.high.bands()).for_each(|flag| *flag = bits.flag());
        }
    }

    /// Makes the data of a unit that lost its own: the last envelope and noise floor go on, `quieter` steps lower.
    pub(super) fn hold(&mut self, slots: u8, quieter: i16) {
        let start = self.grid.end() - slots;
        let (high, coarse) = (self.grid.high[self.grid.envelopes - 1], self.grid.coarse);
        self.set_grid(Grid::whole(start, slots, high, coarse));
        self.envelope_before.iter_mut().for_each(|level| *level = (*level - quieter).max(0));
        self.envelope[0] = self.envelope_before;
        self.noise[0] = self.noise_before;
        self.set_inverse_filter(self.inverse_filter);
        self.sinusoid = [false; 48];
    }
}

/// Coding of one row of levels.
struct Deltas<'a> {
    kind: Kind,
    code: &'a Code,
    /// Bits of the first level where differences run over frequency; `None` where they run over time.
    first_bits: Option<u32>,
    most: i32,
}

impl Deltas<'_> {
    /// Reads a row; `before` is the row that differences over time refer to.
    fn read(&self, bits: &mut Bits, before: &[i16], row: &mut [i16]) -> Result<(), Error> {
        let scale = if self.kind == Kind::Balance { 2 } else { 1 };
        // Symbols stand for differences around 0.
        let zero = self.code.len() as i32 / 2;
        let mut last = 0;
        for (band, (level, &before)) in row.iter_mut().zip(before).enumerate() {
            let value = match self.first_bits {
                Some(first_bits) if band == 0 => scale * bits.read(first_bits) as i32,
                Some(_) => last + scale * (symbol(self.code, bits) - zero),
                None => i32::from(before) + scale * (symbol(self.code, bits) - zero),
            };
            if !(0..=self.most).contains(&value) {
                return Err(Error::Malformed { what: "sbr: level out of range", bit: bits.position() });
            }
            last = value;
            *level = value as i16;
        }
        Ok(())
    }
}
