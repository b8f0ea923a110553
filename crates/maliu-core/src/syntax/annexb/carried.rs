//! Parameter sets that a packet carries.

use alloc::vec::Vec;

use bytes::Bytes;

use super::{Framing, lengths, units};
use crate::stream::Codec;

/// The parameter sets in a packet, each behind a start code; empty when there are none.
pub fn parameter_sets(codec: Codec, data: &Bytes) -> Bytes {
    let wanted = |unit: &[u8]| match (codec, unit.first()) {
        (Codec::H264, Some(head)) => matches!(head & 0x1f, 7 | 8 | 13),
        (_, Some(head)) => matches!(head >> 1 & 0x3f, 32..=34),
        (_, None) => false,
    };
    let mut sets = Vec::new();
    let mut take = |unit: &[u8]| {
        if wanted(unit) {
            sets.extend([0, 0, 0, 1]);
            sets.extend(unit);
        }
    };
    match Framing::guess(data) {
        Framing::AnnexB => units(data).for_each(|unit| take(unit.trimmed())),
        _ => lengths(data, 4).for_each(take),
    }
    sets.into()
}
