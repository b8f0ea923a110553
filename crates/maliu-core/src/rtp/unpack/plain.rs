//! Payloads that are packets as they stand: Opus (RFC 7587), G.711, G.722, G.726 and linear PCM (RFC 3551).

use alloc::vec::Vec;

use bytes::Bytes;

use super::{Out, Part, Unit, Unpack};
use crate::{
    bits::{BitWriter, Bits},
    syntax::opus,
};

/// Reads payloads.
#[derive(Debug)]
pub(super) struct Plain {
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// Ticks in a second.
    Opus(i64),
    /// Bytes of one sample of all channels.
    Samples(u32),
    /// Bits of a code, and whether the first code stands in the low bits of a byte.
    G726(u8, bool),
    Any,
}

impl Plain {
    pub(super) fn opus(clock: i64) -> Self {
        Self { kind: Kind::Opus(clock) }
    }

    /// Blocks of this many bytes; one lasts a tick.
    pub(super) fn samples(block: u32) -> Self {
        Self { kind: Kind::Samples(block.max(1)) }
    }

    pub(super) fn g726(bits: u8, low_first: bool) -> Self {
        Self { kind: Kind::G726(bits.clamp(2, 5), low_first) }
    }

    /// Of an encoding that is not known.
    pub(super) fn any() -> Self {
        Self { kind: Kind::Any }
    }
}

impl Unpack for Plain {
    fn push(&mut self, part: &Part, out: &mut Out) {
        if part.payload.is_empty() {
            return;
        }
        let mut data = part.payload.clone();
        let size = data.len() as i64;
        let duration = match self.kind {
            Kind::Opus(clock) => Some(i64::from(opus::samples(&data)) * clock / 48_000).filter(|lasts| *lasts > 0),
            Kind::Samples(block) => Some(size / i64::from(block)),
            Kind::G726(bits, low_first) => {
                if low_first {
                    data = high_first(&data, u32::from(bits));
                }
                Some(size * 8 / i64::from(bits))
            }
            Kind::Any => None,
        };
        out.units.push_back(Unit { time: part.time, duration, key: true, data, ..Unit::default() });
    }
}

/// Codes of `bits` bits, the first in the low bits of a byte, with the first in the high bits (RFC 3551 §4.5.4).
fn high_first(data: &[u8], bits: u32) -> Bytes {
    let reversed: Vec<u8> = data.iter().map(|byte| byte.reverse_bits()).collect();
    let (mut codes, mut out) = (Bits::new(&reversed), BitWriter::new());
    while let Some(code) = codes.read(bits) {
        out.write(bits, code.reverse_bits() >> (32 - bits));
    }
    out.align();
    out.finish().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_g726_are_turned() {
        assert_eq!(&*high_first(&[0x21, 0x43], 4), &[0x12, 0x34]);
        assert_eq!(&*high_first(&[0b11_10_01_00], 2), &[0b00_01_10_11]);
    }
}
