//! sbr_grid(): how a unit is cut into envelopes over time (ISO/IEC 14496-3 4.6.18.3.3; low delay: 4.6.19.3.2).

use crate::Error;
use crate::bits::Bits;

/// The most envelopes of a unit.
pub(super) const MOST_ENVELOPES: usize = 5;

/// One channel's envelopes and noise floors over time, in time slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Grid {
    pub envelopes: usize,
    /// `envelopes` + 1 borders, the first at most 3, the last at most 3 past the unit's end.
    pub borders: [u8; MOST_ENVELOPES + 1],
    /// By envelope: whether it has the high frequency resolution.
    pub high: [bool; MOST_ENVELOPES],
    /// 1 or 2 noise floors.
    pub floors: usize,
    /// The border between the two noise floors.
    pub floor_border: u8,
    /// l_A: the envelope that starts with a transient.
    pub transient: Option<usize>,
    /// Levels in steps of 3 dB instead of 1.5 dB.
    pub coarse: bool,
}

/// bs_frame_class.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    FixFix,
    FixVar,
    VarFix,
    VarVar,
}

impl Grid {
    /// One envelope from `start` to the end of the unit.
    pub(super) fn whole(start: u8, slots: u8, high: bool, coarse: bool) -> Self {
        let mut grid = Self {
            envelopes: 1,
            borders: [0; MOST_ENVELOPES + 1],
            high: [high; MOST_ENVELOPES],
            floors: 1,
            floor_border: slots,
            transient: None,
            coarse,
        };
        (grid.borders[0], grid.borders[1]) = (start, slots);
        grid
    }

    /// Where the last envelope ends.
    pub(super) fn end(&self) -> u8 {
        self.borders[self.envelopes]
    }

    /// Reads sbr_grid() of a unit of `slots` time slots; `coarse` is bs_amp_res of the header.
    pub(super) fn read(bits: &mut Bits, slots: u8, coarse: bool) -> Result<Self, Error> {
        let class = [Class::FixFix, Class::FixVar, Class::VarFix, Class::VarVar][bits.read(2) as usize];
        let mut grid = Self::whole(0, slots, false, coarse);
        if class == Class::FixFix {
            return grid.fix_fix(bits, slots, coarse && bits.peek(2) != 0);
        }
        let start = if class == Class::FixVar { 0 } else { bits.read(2) as u8 };
        let end = slots + if class == Class::VarFix { 0 } else { bits.read(2) as u8 };
        let lead = if class == Class::FixVar { 0 } else { bits.read(2) as usize };
        let trail = if class == Class::VarFix { 0 } else { bits.read(2) as usize };
        grid.envelopes = lead + trail + 1;
        if grid.envelopes > MOST_ENVELOPES {
            return Err(malformed(bits, "sbr: more than five envelopes"));
        }
        grid.relative_borders(bits, start, end, lead)?;
        let pointer = bits.read([0, 1, 2, 2, 3, 3][grid.envelopes]) as usize;
        grid.resolutions(bits, class == Class::FixVar);
        grid.point(bits, class, pointer)
    }

    /// Reads sbr_ld_grid(), where bs_frame_class is one bit and a grid may name a transient instead.
    pub(super) fn read_low_delay(bits: &mut Bits, slots: u8, coarse: bool) -> Result<Self, Error> {
        let mut grid = Self::whole(0, slots, false, coarse);
        if !bits.flag() {
            if bits.peek(2) != 0 {
                return grid.fix_fix(bits, slots, coarse);
            }
            bits.skip(2);
            // A single envelope has a bs_amp_res of its own.
            grid.coarse = bits.flag();
            grid.high = [bits.flag(); MOST_ENVELOPES];
            return Ok(grid);
        }
        let transient = bits.read(if slots == 8 { 3 } else { 4 }) as u8;
        if transient >= slots {
            return Err(malformed(bits, "sbr: transient behind the unit's end"));
        }
        let length = if slots == 8 { 2 } else { 4 };
        let late = transient + length > slots - 2;
        (grid.envelopes, grid.transient) = match transient {
            0 | 1 => (2, Some(0)),
            _ if late => (2, Some(1)),
            _ => (3, Some(1)),
        };
        grid.borders[1..=3].copy_from_slice(&match transient {
            0 | 1 => [if slots == 8 { transient + 1 } else { transient + length }, slots, slots],
            _ if late => [transient, slots, slots],
            _ => [transient, transient + length, slots],
        });
        (grid.floors, grid.floor_border) = (2, grid.borders[1]);
        grid.resolutions(bits, false);
        Ok(grid)
    }

    /// FIXFIX: 1, 2 or 4 envelopes of even length.
    fn fix_fix(mut self, bits: &mut Bits, slots: u8, coarse: bool) -> Result<Self, Error> {
        let count = 1 << bits.read(2);
        if count > 4 {
            return Err(malformed(bits, "sbr: eight envelopes of even length"));
        }
        let step = (slots + count / 2) / count;
        self.envelopes = usize::from(count);
        for (i, border) in (0..count).zip(&mut self.borders) {
            *border = i * step;
        }
        self.borders[self.envelopes] = slots;
        self.high = [bits.flag(); MOST_ENVELOPES];
        self.coarse = coarse;
        if count > 1 {
            (self.floors, self.floor_border) = (2, self.borders[self.envelopes / 2]);
        }
        Ok(self)
    }

    /// Borders told as distances: `lead` of them from `start` on, the others back from `end`.
    fn relative_borders(&mut self, bits: &mut Bits, start: u8, end: u8, lead: usize) -> Result<(), Error> {
        let mut at = start;
        self.borders[0] = start;
        for border in &mut self.borders[1..=lead] {
            at += 2 * bits.read(2) as u8 + 2;
            *border = at;
        }
        let mut at = end;
        self.borders[self.envelopes] = end;
        for border in self.borders[lead + 1..self.envelopes].iter_mut().rev() {
            at = at.saturating_sub(2 * bits.read(2) as u8 + 2);
            *border = at;
        }
        match self.borders[..=self.envelopes].windows(2).all(|pair| pair[0] < pair[1]) {
            true => Ok(()),
            false => Err(malformed(bits, "sbr: envelope borders do not ascend")),
        }
    }

    /// bs_freq_res of each envelope.
    fn resolutions(&mut self, bits: &mut Bits, backwards: bool) {
        let high = &mut self.high[..self.envelopes];
        high.iter_mut().for_each(|high| *high = bits.flag());
        if backwards {
            high.reverse();
        }
    }

    /// Meaning of bs_pointer: the transient and the border of the noise floors.
    fn point(mut self, bits: &Bits, class: Class, pointer: usize) -> Result<Self, Error> {
        let count = self.envelopes;
        if pointer > count + 1 {
            return Err(malformed(bits, "sbr: pointer behind the last border"));
        }
        let counts_back = class != Class::VarFix;
        self.transient = match pointer {
            0 => None,
            _ if counts_back => Some(count + 1 - pointer),
            1 => None,
            _ => Some(pointer - 1),
        };
        if count > 1 {
            let border = match pointer {
                _ if counts_back => count - pointer.saturating_sub(1).max(1),
                0 => 1,
                1 => count - 1,
                _ => pointer - 1,
            };
            (self.floors, self.floor_border) = (2, self.borders[border]);
        }
        Ok(self)
    }
}

fn malformed(bits: &Bits, what: &'static str) -> Error {
    Error::Malformed { what, bit: bits.position() }
}

#[cfg(test)]
#[allow(clippy::unusual_byte_groupings)] // Groups of digits are fields.
mod tests {
    use super::*;

    /// A grid of 16 slots as text: borders, resolutions, noise border, transient.
    fn read(bits: &[u8], low_delay: bool) -> String {
        let mut bits = Bits::new(bits);
        let grid = match low_delay {
            true => Grid::read_low_delay(&mut bits, 16, true),
            false => Grid::read(&mut bits, 16, true),
        };
        let Ok(grid) = grid else { return "refused".into() };
        let n = grid.envelopes;
        let high = grid.high[..n].iter().map(|h| if *h { 'H' } else { 'L' }).collect::<String>();
        let (borders, coarse) = (&grid.borders[..=n], if grid.coarse { 3 } else { 1 });
        format!("{borders:?} {high} floor {} l_A {:?} {coarse} dB", grid.floor_border, grid.transient)
    }

    #[test]
    fn each_frame_class_has_its_borders() {
        for (bits, expected) in [
            ([0b00_00_1_000, 0, 0], "[0, 16] H floor 16 l_A None 1 dB"),
            ([0b00_10_0_000, 0, 0], "[0, 4, 8, 12, 16] LLLL floor 8 l_A None 3 dB"),
            ([0b00_11_0_000, 0, 0], "refused"),
            // End at 17, one border 4 before it, pointer 1, resolutions told backwards.
            ([0b01_01_01_01, 0b01_1_0_0000, 0], "[0, 13, 17] LH floor 13 l_A Some(2) 3 dB"),
            ([0b10_10_01_00, 0b10_1_1_0000, 0], "[2, 4, 16] HH floor 4 l_A Some(1) 3 dB"),
            ([0b11_01_10_01, 0b01_00_11_01, 0b1_0_1_1_0000], "[1, 3, 10, 18] HLH floor 10 l_A Some(3) 3 dB"),
            ([0b11_00_00_11, 0b11_00_00_00, 0], "refused"),
            ([0b01_00_11_11, 0b11_11_00_00, 0], "refused"),
        ] {
            assert_eq!(read(&bits, false), expected, "{bits:?}");
        }
    }

    #[test]
    fn low_delay_grids_follow_the_transient() {
        for (bits, expected) in [
            ([0b0_00_1_1_000, 0], "[0, 16] H floor 16 l_A None 3 dB"),
            ([0b0_00_0_1_000, 0], "[0, 16] H floor 16 l_A None 1 dB"),
            ([0b0_01_1_0000, 0], "[0, 8, 16] HH floor 8 l_A None 3 dB"),
            ([0b1_0000_100, 0], "[0, 4, 16] HL floor 4 l_A Some(0) 3 dB"),
            ([0b1_1010_101, 0], "[0, 10, 14, 16] HLH floor 10 l_A Some(1) 3 dB"),
            ([0b1_1011_010, 0], "[0, 11, 16] LH floor 11 l_A Some(1) 3 dB"),
        ] {
            assert_eq!(read(&bits, true), expected, "{bits:?}");
        }
    }
}
