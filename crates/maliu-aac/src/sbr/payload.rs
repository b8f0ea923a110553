//! sbr_extension_data(): what a unit's payload holds, in its order (ISO/IEC 14496-3 4.4.2.8).
//!
//! ```text
//! CRC · header · reserved · coupling · grid · dtdf · invf · envelope · noise · sinusoids · extensions (PS)
//! ```
//!
//! A coupled pair shares one grid and one inverse filtering, and has its levels and noise before the balance of both.

use super::Parser;
use super::grid::Grid;
use super::header::Header;
use super::side_info::Kind;
use crate::Error;
use crate::bits::Bits;

/// bs_extension_id of parametric stereo.
const EXTENSION_ID_PS: u32 = 2;

impl Parser {
    /// sbr_extension_data(), from the CRC on.
    pub(super) fn read(&mut self, bits: &mut Bits, crc: bool) -> Result<(), Error> {
        let checked = crc.then(|| (bits.read(10), bits.clone()));
        // Other data than low delay's is all that is left, fill bits included.
        if !self.low_delay {
            check(&checked, bits.position() + bits.left())?;
        }
        if bits.flag() {
            let header = Header::read(bits);
            self.set_header(header, bits)?;
        }
        if self.bands.is_some() {
            self.read_data(bits)?;
        }
        if self.low_delay {
            check(&checked, bits.position())?;
        }
        match bits.overrun() {
            true => Err(Error::Malformed { what: "sbr: data ends too early", bit: bits.position() }),
            false => Ok(()),
        }
    }

    /// sbr_single_channel_element() or sbr_channel_pair_element(), and the extensions behind.
    fn read_data(&mut self, bits: &mut Bits) -> Result<(), Error> {
        let (Some(header), Some(bands)) = (&self.header, &self.bands) else { return Ok(()) };
        let (slots, coarse, low_delay) = (self.timing.grid_slots(), header.coarse, self.low_delay);
        let read_grid = |bits: &mut Bits| match low_delay {
            true => Grid::read_low_delay(bits, slots, coarse),
            false => Grid::read(bits, slots, coarse),
        };
        let pair = self.infos.len() == 2;
        if bits.flag() {
            bits.skip(if pair { 8 } else { 4 }); // bs_reserved
        }
        self.coupled = pair && bits.flag();
        match &mut self.infos[..] {
            [left, right] if self.coupled => {
                let grid = read_grid(bits)?;
                left.set_grid(grid);
                right.set_grid(grid);
                left.read_directions(bits);
                right.read_directions(bits);
                left.read_inverse_filter(bits, bands);
                right.set_inverse_filter(left.inverse_filter);
                left.read_envelope(bits, bands, Kind::Level)?;
                left.read_noise(bits, bands, Kind::Level)?;
                right.read_envelope(bits, bands, Kind::Balance)?;
                right.read_noise(bits, bands, Kind::Balance)?;
            }
            infos => {
                for info in infos.iter_mut() {
                    info.set_grid(read_grid(bits)?);
                }
                infos.iter_mut().for_each(|info| info.read_directions(bits));
                infos.iter_mut().for_each(|info| info.read_inverse_filter(bits, bands));
                for info in infos.iter_mut() {
                    info.read_envelope(bits, bands, Kind::Level)?;
                }
                for info in infos.iter_mut() {
                    info.read_noise(bits, bands, Kind::Level)?;
                }
            }
        }
        for info in &mut self.infos {
            info.read_sinusoids(bits, bands);
        }
        self.read_extensions(bits);
        Ok(())
    }

    /// sbr_extension()s: parametric stereo is read, others are skipped.
    fn read_extensions(&mut self, bits: &mut Bits) {
        if !bits.flag() {
            return;
        }
        let mut size = bits.read(4) as usize;
        if size == 15 {
            size += bits.read(8) as usize;
        }
        let end = bits.position() + 8 * size;
        while bits.position() + 8 <= end && !bits.overrun() {
            let id = bits.read(2);
            let left = end - bits.position();
            match &mut self.ps {
                Some(ps) if id == EXTENSION_ID_PS => ps.read(bits, left),
                _ => bits.skip(left),
            }
        }
        bits.skip(end.saturating_sub(bits.position()));
    }
}

/// Compares bs_sbr_crc_bits with the bits from behind it to `end`: x^10 + x^9 + x^5 + x^4 + x + 1, from 0 on.
fn check(checked: &Option<(u32, Bits)>, end: usize) -> Result<(), Error> {
    let Some((expected, start)) = checked else { return Ok(()) };
    let mut bits = start.until(end);
    let mut remainder = 0;
    while bits.left() > 0 {
        let odd = (remainder >> 9 ^ bits.read(1)) & 1 != 0;
        remainder = remainder << 1 & 0x3ff ^ if odd { 0x233 } else { 0 };
    }
    match remainder == *expected {
        true => Ok(()),
        false => Err(Error::Malformed { what: "sbr: wrong checksum", bit: start.position() }),
    }
}
