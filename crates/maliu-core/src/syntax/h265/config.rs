//! The decoder configuration record hvcC: built from Annex B parameter sets, and read (ISO/IEC 14496-15 §8.3.3).

use alloc::vec::Vec;

use bytes::Bytes;

use super::{Header, Pps, ProfileTierLevel, Sps, Vps, kind};
pub(super) use crate::syntax::h264::ConfigFault;
use crate::{
    bits::Bits,
    syntax::annexb::{self, behind_codes, sized},
};

/// A configuration record, read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// Abilities that a decoder must have.
    pub profile: ProfileTierLevel,
    /// Bytes of a NAL unit's length in the packets: 1 to 4.
    pub length_size: u8,
    /// Its NAL units with their headers, in its order: parameter sets, and SEI that holds for the whole stream.
    pub nals: Vec<Bytes>,
}

/// Bytes of a record without arrays.
const FIXED: usize = 23;

impl Config {
    /// The record in `config`; `None` for other bytes, or if cut short.
    pub fn parse(config: &Bytes) -> Option<Self> {
        if config.len() < FIXED || annexb::starts_with_code(config) {
            return None;
        }
        let mut bits = Bits::new(config.get(1..13)?);
        let mut profile = ProfileTierLevel::parse(&mut bits, 0)?;
        let length_size = (*config.get(21)? & 3) + 1;
        let mut nals = Vec::new();
        let mut rest = config.slice(FIXED..);
        for _ in 0..*config.get(22)? {
            let [_completeness_and_type, high, low, ..] = *rest else { return None };
            rest = rest.slice(3..);
            nals.extend(sized(&mut rest, u16::from_be_bytes([high, low]))?);
        }
        // Some writers leave the general fields blank; the sequence parameter set has them too.
        if (profile.general_profile_idc, profile.general_level_idc) == (0, 0)
            && let Some(sps) = nals.iter().find_map(|nal| Sps::parse(nal))
        {
            profile = sps.profile_tier_level;
        }
        Some(Self { profile, length_size, nals })
    }

    /// The NAL units, each behind 00 00 00 01, as they stand at the front of an Annex B stream.
    pub fn to_annexb(&self) -> Bytes {
        behind_codes(self.nals.iter())
    }

    /// The first sequence parameter set.
    pub fn sps(&self) -> Option<Sps> {
        self.nals.iter().find_map(|nal| Sps::parse(nal))
    }
}

/// The record of `parameter_sets` in Annex B form. Bytes without a start code in front count as a record already and
/// are returned as they stand, so doing it twice changes nothing more.
///
/// # Errors
/// [`ConfigFault`].
pub fn build_config(parameter_sets: &Bytes) -> Result<Bytes, ConfigFault> {
    if parameter_sets.len() <= 6 {
        return Err(ConfigFault::TooShort);
    }
    if !annexb::starts_with_code(parameter_sets) {
        return Ok(parameter_sets.clone());
    }
    let mut arrays: [(u8, Vec<&[u8]>); 4] =
        [kind::VPS, kind::SPS, kind::PPS, kind::PREFIX_SEI].map(|kind| (kind, Vec::new()));
    for unit in annexb::units(parameter_sets) {
        let nal = unit.trimmed();
        let header = Header::of(nal).filter(|header| header.nuh_layer_id == 0);
        let array = arrays.iter_mut().find(|(kind, _)| header.is_some_and(|header| header.nal_unit_type == *kind));
        if let Some((_, nals)) = array
            && !nals.contains(&nal)
        {
            nals.push(nal);
        }
    }
    let [(_, vps), (_, sps), (_, pps), _] = &arrays;
    let facts = Facts::of(vps, sps, pps)?;
    let mut out = facts.record();
    let used: Vec<_> = arrays.iter().filter(|(_, nals)| !nals.is_empty()).collect();
    out.push(used.len() as u8);
    for (kind, nals) in used {
        // array_completeness: the sets are all here, and none in the packets; that cannot be promised.
        out.push(*kind);
        out.extend_from_slice(&u16::try_from(nals.len()).map_err(|_| ConfigFault::TooManySets)?.to_be_bytes());
        for nal in nals {
            out.extend_from_slice(&u16::try_from(nal.len()).map_err(|_| ConfigFault::SetTooLong)?.to_be_bytes());
            out.extend_from_slice(nal);
        }
    }
    Ok(out.into())
}

/// Facts of all sets in the fixed part of the record.
struct Facts {
    sps: Sps,
    max_sub_layers: u8,
    nested: bool,
    min_spatial_segmentation_idc: u16,
    parallelism_type: u8,
}

impl Facts {
    fn of(vps: &[&[u8]], sps: &[&[u8]], pps: &[&[u8]]) -> Result<Self, ConfigFault> {
        let first = sps.iter().find_map(|nal| Sps::parse(nal)).ok_or(ConfigFault::NoSps)?;
        if pps.is_empty() {
            return Err(ConfigFault::NoPps);
        }
        let vps = vps.iter().find_map(|nal| Vps::parse(nal));
        let layers = vps.as_ref().map_or(first.sps_max_sub_layers_minus1, |vps| {
            vps.vps_max_sub_layers_minus1.max(first.sps_max_sub_layers_minus1)
        });
        let segmentation = first.vui.as_ref().and_then(|vui| vui.min_spatial_segmentation_idc).unwrap_or(0);
        let kinds = pps.iter().filter_map(|nal| Pps::parse(nal)).map(|pps| {
            match (pps.entropy_coding_sync_enabled_flag, pps.tiles) {
                (true, (1, 1)) => 3,
                (false, (1, 1)) => 1,
                (true, _) => 0,
                (false, _) => 2,
            }
        });
        // Parallelism can be promised only when segments are bounded, and only if all sets agree.
        let parallelism = kinds.reduce(|a, b| if a == b { a } else { 0 }).filter(|_| segmentation > 0);
        Ok(Self {
            max_sub_layers: layers + 1,
            nested: first.sps_temporal_id_nesting_flag,
            min_spatial_segmentation_idc: segmentation.min(0xfff) as u16,
            parallelism_type: parallelism.unwrap_or(0),
            sps: first,
        })
    }

    /// The record up to its length size.
    fn record(&self) -> Vec<u8> {
        let profile = &self.sps.profile_tier_level;
        let tier = if profile.general_tier_flag { 0x20 } else { 0 };
        let mut out = alloc::vec![1, profile.general_profile_space << 6 | tier | profile.general_profile_idc];
        out.extend_from_slice(&profile.general_profile_compatibility_flags.to_be_bytes());
        out.extend_from_slice(profile.general_constraint_flags.to_be_bytes().get(2..).unwrap_or_default());
        out.push(profile.general_level_idc);
        out.extend_from_slice(&(0xf000 | self.min_spatial_segmentation_idc).to_be_bytes());
        out.push(0xfc | self.parallelism_type);
        out.push(0xfc | self.sps.chroma_format_idc);
        out.push(0xf8 | (self.sps.bit_depth_luma - 8));
        out.push(0xf8 | (self.sps.bit_depth_chroma - 8));
        // avgFrameRate unknown, constantFrameRate unknown.
        out.extend_from_slice(&[0, 0]);
        let nested = if self.nested { 4 } else { 0 };
        out.push(self.max_sub_layers << 3 | nested | 3);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_general_fields_are_taken_from_the_set() {
        let sample = include_bytes!("../../../../../samples/h265/idr_with_leading.h265");
        let sets: Vec<_> = annexb::units(sample).take(3).map(|unit| Bytes::copy_from_slice(unit.trimmed())).collect();
        let record = build_config(&behind_codes(sets.iter())).unwrap();
        let right = Config::parse(&record).unwrap();
        assert!(right.profile.general_profile_idc > 0 && right.profile.general_level_idc > 0);
        let mut blank = record.to_vec();
        blank[1..13].fill(0);
        assert_eq!(Config::parse(&blank.into()).map(|config| config.profile), Some(right.profile));
    }
}
