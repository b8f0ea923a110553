//! ps_data(): the parameters of a unit, by envelope and band (ISO/IEC 14496-3 8.4.2, 8.6.4.2).

use super::huffman_tables as table;
use super::remap::MOST_BANDS;
use crate::bits::Bits;
use crate::prefix::{Code, symbol, tree};

static IID_FREQ: [[i16; 2]; 28] = tree(&table::IID_FREQ);
static IID_TIME: [[i16; 2]; 28] = tree(&table::IID_TIME);
static IID_FINE_FREQ: [[i16; 2]; 60] = tree(&table::IID_FINE_FREQ);
static IID_FINE_TIME: [[i16; 2]; 60] = tree(&table::IID_FINE_TIME);
static ICC_FREQ: [[i16; 2]; 14] = tree(&table::ICC_FREQ);
static ICC_TIME: [[i16; 2]; 14] = tree(&table::ICC_TIME);
static IPD_FREQ: [[i16; 2]; 7] = tree(&table::IPD_FREQ);
static IPD_TIME: [[i16; 2]; 7] = tree(&table::IPD_TIME);
static OPD_FREQ: [[i16; 2]; 7] = tree(&table::OPD_FREQ);
static OPD_TIME: [[i16; 2]; 7] = tree(&table::OPD_TIME);

/// The most envelopes of a unit: four, and one up to the unit's end.
pub(super) const MOST_ENVELOPES: usize = 5;

/// One kind of parameter: a row of coded values for each envelope.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rows {
    pub coded: [[i8; MOST_BANDS]; MOST_ENVELOPES],
    /// The last row of the unit before, to which differences over time refer.
    last: [i8; MOST_BANDS],
}

impl Rows {
    const ZERO: Self = Self { coded: [[0; MOST_BANDS]; MOST_ENVELOPES], last: [0; MOST_BANDS] };
}

/// The header's fields and a unit's parameters.
#[derive(Clone, Debug)]
pub(super) struct Params {
    slots: usize,
    has_iid: bool,
    has_icc: bool,
    has_extension: bool,
    pub has_phases: bool,
    pub iid_fine: bool,
    /// Mixing procedure B instead of A.
    pub mixing_b: bool,
    pub iid_bands: usize,
    pub icc_bands: usize,
    pub phase_bands: usize,
    /// The unit is worked on in 34 bands, else 20.
    pub wide: bool,
    pub envelopes: usize,
    /// Where each envelope starts, in QMF slots, and where the last one ends.
    pub borders: [usize; MOST_ENVELOPES + 1],
    pub iid: Rows,
    pub icc: Rows,
    pub ipd: Rows,
    pub opd: Rows,
}

impl Params {
    pub(super) fn new(slots: usize) -> Self {
        Self {
            slots,
            has_iid: false,
            has_icc: false,
            has_extension: false,
            has_phases: false,
            iid_fine: false,
            mixing_b: false,
            iid_bands: 10,
            icc_bands: 10,
            phase_bands: 5,
            wide: false,
            envelopes: 0,
            borders: [0; MOST_ENVELOPES + 1],
            iid: Rows::ZERO,
            icc: Rows::ZERO,
            ipd: Rows::ZERO,
            opd: Rows::ZERO,
        }
    }

    /// Reads ps_data() from at most `left` bits; says whether it had a header. `None` when it contradicts the standard.
    pub(super) fn read(&mut self, bits: &mut Bits, left: usize) -> Option<bool> {
        let end = bits.position() + left;
        let has_header = bits.flag();
        if has_header {
            self.read_header(bits)?;
        }
        let mut envelopes = self.read_borders(bits)?;
        if self.has_iid {
            let (freq, time): (&Code, &Code) = match self.iid_fine {
                true => (&IID_FINE_FREQ, &IID_FINE_TIME),
                false => (&IID_FREQ, &IID_TIME),
            };
            let most = if self.iid_fine { 15 } else { 7 };
            for e in 0..envelopes {
                let zero = freq.len() as i32 / 2;
                self.iid.read(bits, e, self.iid_bands, freq, time, |x, delta| {
                    Some(x + delta - zero).filter(|x| x.abs() <= most)
                })?;
            }
        }
        if self.has_icc {
            for e in 0..envelopes {
                self.icc.read(bits, e, self.icc_bands, &ICC_FREQ, &ICC_TIME, |x, delta| {
                    Some(x + delta - 7).filter(|x| (0..=7).contains(x))
                })?;
            }
        }
        self.read_extensions(bits, envelopes)?;
        if bits.position() > end {
            return None;
        }
        if envelopes == 0 || self.borders[envelopes] < self.slots {
            self.extend(envelopes);
            envelopes += 1;
            self.borders[envelopes] = self.slots;
        }
        self.finish(envelopes);
        Some(has_header)
    }

    /// Makes a unit without data go on with the last parameters.
    pub(super) fn hold(&mut self) {
        self.extend(0);
        self.borders = [0; MOST_ENVELOPES + 1];
        self.borders[1] = self.slots;
        self.finish(1);
    }

    /// Forgets all parameters.
    pub(super) fn clear(&mut self) {
        [self.iid, self.icc, self.ipd, self.opd] = [Rows::ZERO; 4];
    }

    fn read_header(&mut self, bits: &mut Bits) -> Option<()> {
        const BANDS: [(usize, usize); 3] = [(10, 5), (20, 11), (34, 17)];
        self.has_iid = bits.flag();
        if self.has_iid {
            let mode = bits.read(3) as usize;
            (self.iid_bands, self.phase_bands) = *BANDS.get(mode % 3).filter(|_| mode <= 5)?;
            self.iid_fine = mode > 2;
        }
        self.has_icc = bits.flag();
        if self.has_icc {
            let mode = bits.read(3) as usize;
            self.icc_bands = BANDS.get(mode % 3).filter(|_| mode <= 5)?.0;
            self.mixing_b = mode > 2;
        }
        self.has_extension = bits.flag();
        Some(())
    }

    /// Reads the number of envelopes and where they end.
    fn read_borders(&mut self, bits: &mut Bits) -> Option<usize> {
        let varies = bits.flag();
        let code = bits.read(2) as usize;
        self.borders = [0; MOST_ENVELOPES + 1];
        if !varies {
            let count = [0, 1, 2, 4][code];
            for e in 1..=count {
                self.borders[e] = e * self.slots / count;
            }
            return Some(count);
        }
        for e in 1..=code + 1 {
            self.borders[e] = (bits.read(5) as usize + 1).min(self.slots);
            if self.borders[e] < self.borders[e - 1] {
                return None;
            }
        }
        Some(code + 1)
    }

    /// ps_extension(): only that of phase differences is known.
    fn read_extensions(&mut self, bits: &mut Bits, envelopes: usize) -> Option<()> {
        if !self.has_extension {
            self.has_phases = false;
            return Some(());
        }
        let mut size = bits.read(4) as usize;
        if size == 15 {
            size += bits.read(8) as usize;
        }
        let end = bits.position() + 8 * size;
        while bits.position() + 8 <= end && !bits.overrun() {
            if bits.read(2) != 0 {
                continue;
            }
            self.has_phases = bits.flag();
            if self.has_phases {
                let turn = |x: i32, delta: i32| Some((x + delta) & 7);
                for e in 0..envelopes {
                    self.ipd.read(bits, e, self.phase_bands, &IPD_FREQ, &IPD_TIME, turn)?;
                    self.opd.read(bits, e, self.phase_bands, &OPD_FREQ, &OPD_TIME, turn)?;
                }
            }
            bits.skip(1); // reserved_ps
        }
        bits.skip(end.checked_sub(bits.position())?);
        Some(())
    }

    /// Adds an envelope behind the first `count` with the parameters of the one before.
    fn extend(&mut self, count: usize) {
        for rows in [&mut self.iid, &mut self.icc, &mut self.ipd, &mut self.opd] {
            rows.coded[count] = if count == 0 { rows.last } else { rows.coded[count - 1] };
        }
    }

    /// Settles a unit's parameters: kinds that are off are 0, the last rows are remembered.
    fn finish(&mut self, envelopes: usize) {
        self.envelopes = envelopes;
        let kinds = [
            (&mut self.iid, self.has_iid),
            (&mut self.icc, self.has_icc),
            (&mut self.ipd, self.has_phases),
            (&mut self.opd, self.has_phases),
        ];
        for (rows, present) in kinds {
            if !present {
                *rows = Rows::ZERO;
            }
            rows.last = rows.coded[envelopes - 1];
        }
        if self.has_iid || self.has_icc {
            self.wide = (self.has_iid && self.iid_bands == 34) || (self.has_icc && self.icc_bands == 34);
        }
    }
}

impl Rows {
    /// Reads the row of envelope `e`: `next` makes a value from the one it refers to and a symbol, if that is legal.
    fn read(
        &mut self,
        bits: &mut Bits,
        e: usize,
        bands: usize,
        freq: &Code,
        time: &Code,
        next: impl Fn(i32, i32) -> Option<i32>,
    ) -> Option<()> {
        let over_time = bits.flag();
        let before = if e == 0 { self.last } else { self.coded[e - 1] };
        let mut row = [0; MOST_BANDS];
        let mut below = 0;
        for (value, &before) in row.iter_mut().zip(&before).take(bands) {
            below = match over_time {
                true => next(i32::from(before), symbol(time, bits))?,
                false => next(below, symbol(freq, bits))?,
            };
            *value = below as i8;
        }
        self.coded[e] = row;
        Some(())
    }
}

#[cfg(test)]
#[allow(clippy::unusual_byte_groupings)] // Groups of digits are fields.
mod tests {
    use super::*;

    #[test]
    fn a_unit_without_envelopes_goes_on_with_the_last_parameters() {
        let mut params = Params::new(32);
        // Header with 10 coarse intensities only; one envelope over frequency: -1, then no change.
        let first = [0b1_1_000_0_0_0, 0b01_0_101_00, 0b0000_0000, 0];
        assert_eq!(params.read(&mut Bits::new(&first), 32), Some(true));
        assert_eq!((params.envelopes, params.borders[1]), (1, 32));
        let level = params.iid.coded[0][9];
        assert!(level != 0 && params.iid.coded[0][..10].iter().all(|&x| x == level), "{:?}", params.iid.coded[0]);
        assert_eq!(params.read(&mut Bits::new(&[0]), 8), Some(false));
        assert_eq!((params.envelopes, params.borders[1], params.iid.coded[0][9]), (1, 32, level));
    }

    #[test]
    fn data_that_ends_too_early_is_refused() {
        assert_eq!(Params::new(32).read(&mut Bits::new(&[0b1_1_000_0_0_0, 0b11_0_00000]), 9), None);
    }
}
