//! Whether bytes are raw H.265 (PAR-53).

use super::super::starts_with_unit;
use crate::{
    format::Score,
    syntax::{
        annexb,
        h265::{Header, kind},
    },
};

/// Sure of all parameter sets and a picture that decoding can start with; likely when it begins with a start code and
/// nothing speaks against it, as cut recordings do.
pub(super) fn probe(bytes: &[u8]) -> Score {
    let (mut vps, mut sps, mut pps, mut irap, mut others) = (false, false, false, false, false);
    for unit in annexb::units(bytes) {
        let [first, second, ..] = *unit.data else { continue };
        // Forbidden bit, layer 0.
        if first & 0x81 != 0 || second & 0xf8 != 0 {
            return Score::No("a start code before a byte that begins no NAL unit of the base layer");
        }
        let Some(header) = Header::of(unit.data) else { continue };
        match header.nal_unit_type {
            kind::VPS => vps = true,
            kind::SPS => sps = true,
            kind::PPS => pps = true,
            kind::BLA_W_LP..=kind::CRA => irap = true,
            _ => others |= header.is_slice(),
        }
    }
    if vps && sps && pps && irap {
        return Score::Sure("H.265 parameter sets and a random access picture");
    }
    if starts_with_unit(bytes) && (vps || sps || pps || irap || others) {
        return Score::Maybe("NAL units of H.265 without all parameter sets");
    }
    Score::More("no parameter sets of H.265 yet")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_sets_and_an_irap_picture_are_sure() {
        let data = [0, 0, 0, 1, 0x40, 1, 0x0c, 0, 0, 1, 0x42, 1, 1, 0, 0, 1, 0x44, 1, 0xc1, 0, 0, 1, 0x26, 1, 0xaf];
        assert!(matches!(probe(&data), Score::Sure(_)), "{:?}", probe(&data));
        for end in 0..data.len() {
            assert!(!matches!(probe(&data[..end]), Score::No(_)), "{end}");
        }
        assert!(matches!(probe(&[0, 0, 1, 0x65, 0x88]), Score::No(_)));
    }
}
