//! Which quantisations a subband of layer II may have (ISO/IEC 11172-3 tables B.2 and B.4, 13818-3 table B.1).

use super::dequantised;
use crate::bits::Bits;
use crate::header::Header;

/// A quantisation by its number of steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Class(u16);

impl Class {
    /// Reads three samples in a row.
    pub(super) fn samples(self, bits: &mut Bits) -> [f32; 3] {
        let steps = u32::from(self.0);
        let length = u32::BITS - steps.leading_zeros();
        let codes = match steps {
            // Three samples in one code.
            3 | 5 | 9 => {
                let code = bits.read([5, 7, 10][steps as usize / 4]);
                [code % steps, code / steps % steps, code / (steps * steps) % steps]
            }
            _ => std::array::from_fn(|_| bits.read(length)),
        };
        codes.map(|code| dequantised(code, steps))
    }
}

/// The quantisations of a subband by its bit allocation, from 1 on.
#[derive(Clone, Copy)]
pub(super) struct Row(&'static [u16]);

impl Row {
    /// Bits of the allocation.
    pub(super) fn bits(self) -> u32 {
        usize::BITS - self.0.len().leading_zeros()
    }

    /// The quantisation; `None` when no samples are coded.
    pub(super) fn class(self, allocation: u32) -> Option<Class> {
        self.0.get((allocation as usize).checked_sub(1)?).map(|steps| Class(*steps))
    }
}

/// The rows of all coded subbands: how many have the same, one after the other.
#[derive(Clone, Copy)]
pub(super) struct Table(&'static [(usize, &'static [u16])]);

impl Table {
    /// Coded subbands.
    pub(super) fn len(self) -> usize {
        self.0.iter().map(|(count, _)| count).sum()
    }

    pub(super) fn rows(self) -> impl Iterator<Item = Row> {
        self.0.iter().flat_map(|(count, steps)| std::iter::repeat_n(Row(steps), *count))
    }
}

/// The table of a frame of `length` bytes, which only free format needs.
pub(super) fn table(header: &Header, length: usize) -> Table {
    if header.is_low() {
        return LOW;
    }
    let free = || (8 * length as u64 * u64::from(header.sample_rate()) / 1152 / 1000) as u32;
    let kbps = header.kbps().unwrap_or_else(free) / header.channels() as u32;
    match (header.sample_rate(), kbps) {
        (_, 56..=80) if header.bitrate_index > 0 => A,
        (48_000, _) if header.bitrate_index == 0 => A,
        (_, _) if header.bitrate_index == 0 => B,
        (32_000, ..=55) => D,
        (_, ..=55) => C,
        (48_000, _) => A,
        _ => B,
    }
}

const A: Table = Table(&[(3, LOWEST), (8, LOWER), (12, MIDDLE), (4, HIGH)]);
const B: Table = Table(&[(3, LOWEST), (8, LOWER), (12, MIDDLE), (7, HIGH)]);
const C: Table = Table(&[(2, FEW_LOWEST), (6, FEW)]);
const D: Table = Table(&[(2, FEW_LOWEST), (10, FEW)]);
const LOW: Table = Table(&[(4, LOW_LOWEST), (7, FEW), (19, LOW_HIGH)]);

const LOWEST: &[u16] = &[3, 7, 15, 31, 63, 127, 255, 511, 1023, 2047, 4095, 8191, 16383, 32767, 65535];
const LOWER: &[u16] = &[3, 5, 7, 9, 15, 31, 63, 127, 255, 511, 1023, 2047, 4095, 8191, 65535];
const MIDDLE: &[u16] = &[3, 5, 7, 9, 15, 31, 65535];
const HIGH: &[u16] = &[3, 5, 65535];
const FEW_LOWEST: &[u16] = &[3, 5, 9, 15, 31, 63, 127, 255, 511, 1023, 2047, 4095, 8191, 16383, 32767];
const FEW: &[u16] = &[3, 5, 9, 15, 31, 63, 127];
const LOW_LOWEST: &[u16] = &[3, 5, 7, 9, 15, 31, 63, 127, 255, 511, 1023, 2047, 4095, 8191, 16383];
const LOW_HIGH: &[u16] = &[3, 5, 9];
