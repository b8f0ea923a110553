//! Whether bytes are raw H.264 (PAR-52).

use super::super::starts_with_unit;
use crate::{
    bits::Bits,
    format::Score,
    syntax::{
        annexb,
        h264::{Header, kind},
    },
};

/// Units that were counted in a prefix.
struct Seen {
    sps: u32,
    pps: u32,
    idr: u32,
    slices: u32,
    reserved: u32,
    /// Slices whose parameter sets were not there.
    orphans: u32,
    sps_ids: [bool; 33],
    pps_ids: [bool; 257],
}

/// Sure of parameter sets and the pictures that use them; likely when it begins with a start code and nothing speaks
/// against it, as cut recordings do.
pub(super) fn probe(bytes: &[u8]) -> Score {
    let mut seen = Seen {
        sps: 0,
        pps: 0,
        idr: 0,
        slices: 0,
        reserved: 0,
        orphans: 0,
        sps_ids: [false; 33],
        pps_ids: [false; 257],
    };
    for unit in annexb::units(bytes) {
        if let Err(why) = seen.unit(unit.data) {
            return Score::No(why);
        }
    }
    let pictures = seen.idr > 0 || seen.slices > 3;
    if seen.sps > 0 && seen.pps > 0 && pictures && seen.reserved < seen.sps + seen.pps + seen.idr {
        return Score::Sure("H.264 parameter sets and slices that use them");
    }
    if starts_with_unit(bytes) && seen.sps + seen.pps + seen.idr + seen.slices + seen.orphans > seen.reserved {
        return Score::Maybe("NAL units of H.264 without all parameter sets");
    }
    Score::More("no parameter sets of H.264 yet")
}

impl Seen {
    fn unit(&mut self, nal: &[u8]) -> Result<(), &'static str> {
        let Some(Header { nal_ref_idc, nal_unit_type }) = Header::of(nal) else {
            return Err("a start code before a byte with the forbidden bit");
        };
        match nal_unit_type {
            kind::SEI | 9..=12 if nal_ref_idc != 0 => return Err("nal_ref_idc of a unit that is never a reference"),
            kind::IDR | kind::SPS | kind::PPS | 13 if nal_ref_idc == 0 => return Err("nal_ref_idc 0 of a needed unit"),
            0 if matches!(nal, [0] | [0, 0] | [0, 0, 0, ..]) => {}
            0 | 14..=18 | 20.. => self.reserved += 1,
            _ => {}
        }
        let mut bits = Bits::new(nal.get(1..).unwrap_or_default());
        match nal_unit_type {
            kind::SLICE | kind::IDR => self.slice(nal_unit_type, &mut bits),
            kind::SPS => self.sps(&mut bits),
            kind::PPS => self.pps(&mut bits),
            _ => Some(Ok(())),
        }
        // A unit cut off by the end of the prefix says nothing.
        .unwrap_or(Ok(()))
    }

    fn slice(&mut self, nal_unit_type: u8, bits: &mut Bits<'_>) -> Option<Result<(), &'static str>> {
        let _first_mb_in_slice = bits.ue()?;
        if bits.ue()? > 9 {
            return Some(Err("a slice_type above 9"));
        }
        let Some(known) = self.pps_ids.get(bits.ue()? as usize) else {
            return Some(Err("a pic_parameter_set_id above 255"));
        };
        match nal_unit_type {
            _ if !known => self.orphans += 1,
            kind::IDR => self.idr += 1,
            _ => self.slices += 1,
        }
        Some(Ok(()))
    }

    fn sps(&mut self, bits: &mut Bits<'_>) -> Option<Result<(), &'static str>> {
        bits.skip(14)?;
        if bits.read(2)? != 0 {
            return Some(Err("reserved_zero_2bits that are not 0"));
        }
        bits.skip(8)?;
        let Some(id) = self.sps_ids.get_mut(bits.ue()? as usize) else {
            return Some(Err("a seq_parameter_set_id above 31"));
        };
        *id = true;
        self.sps += 1;
        Some(Ok(()))
    }

    fn pps(&mut self, bits: &mut Bits<'_>) -> Option<Result<(), &'static str>> {
        let Some(id) = self.pps_ids.get_mut(bits.ue()? as usize) else {
            return Some(Err("a pic_parameter_set_id above 255"));
        };
        let Some(sps) = self.sps_ids.get(bits.ue()? as usize) else {
            return Some(Err("a seq_parameter_set_id above 31"));
        };
        if *sps {
            *id = true;
            self.pps += 1;
        }
        Some(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_and_an_idr_picture_are_sure_and_every_prefix_is_not_refused() {
        let data = [0, 0, 0, 1, 0x67, 0x64, 0, 0x0c, 0xac, 0, 0, 1, 0x68, 0xeb, 0xe3, 0, 0, 1, 0x65, 0x88, 0x84];
        assert!(matches!(probe(&data), Score::Sure(_)), "{:?}", probe(&data));
        for end in 0..data.len() {
            assert!(!matches!(probe(&data[..end]), Score::No(_)), "{end}");
        }
        assert!(matches!(probe(&[0, 0, 1, 0xba, 0x44]), Score::No(_)));
        assert!(matches!(probe(b"RIFF"), Score::More(_)));
    }
}
