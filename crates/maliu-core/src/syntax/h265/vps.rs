//! Video parameter set: what all layers have in common (ISO/IEC 23008-2 §7.3.2.1).

use alloc::vec::Vec;

use super::{Header, ProfileTierLevel, SubLayerOrdering, Timing, kind};
use crate::{bits::Bits, remark::Refusal, syntax::annexb};

/// A video parameter set, up to its timing.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Vps {
    /// 0 to 15.
    pub vps_video_parameter_set_id: u8,
    /// Layers less one.
    pub vps_max_layers_minus1: u8,
    /// Temporal sub-layers less one: 0 to 6.
    pub vps_max_sub_layers_minus1: u8,
    /// Sub-layers can be changed anywhere.
    pub vps_temporal_id_nesting_flag: bool,
    /// Abilities that a decoder must have.
    pub profile_tier_level: ProfileTierLevel,
    /// Buffering by sub-layer, the highest last.
    pub sub_layer_ordering: Vec<SubLayerOrdering>,
    /// Picture rate, when said.
    pub timing: Option<Timing>,
}

impl Vps {
    /// The set in `nal`, a whole NAL unit of type 32 with its header. `None` when it is cut short or breaks a limit.
    pub fn parse(nal: &[u8]) -> Option<Self> {
        Self::read(nal).ok()
    }

    /// As [`Vps::parse`].
    ///
    /// # Errors
    /// Why it is refused.
    pub fn read(nal: &[u8]) -> Result<Self, Refusal> {
        Header::of(nal).filter(|header| header.nal_unit_type == kind::VPS).ok_or(Refusal::Type)?;
        let rbsp = annexb::unescape(nal.get(Header::SIZE..).unwrap_or_default());
        let mut bits = Bits::new(&rbsp);
        Self::fields(&mut bits).ok_or_else(|| bits.refusal())
    }

    fn fields(bits: &mut Bits<'_>) -> Option<Self> {
        let vps_video_parameter_set_id = bits.field("vps_video_parameter_set_id").read(4)? as u8;
        // vps_base_layer_internal_flag, vps_base_layer_available_flag.
        bits.skip(2)?;
        let vps_max_layers_minus1 = bits.field("vps_max_layers_minus1").read(6)? as u8;
        let vps_max_sub_layers_minus1 = bits.field("vps_max_sub_layers_minus1").read(3)? as u8;
        if !bits.within(vps_max_sub_layers_minus1.into(), 0, 6) {
            return None;
        }
        let mut vps = Self {
            vps_video_parameter_set_id,
            vps_max_layers_minus1,
            vps_max_sub_layers_minus1,
            vps_temporal_id_nesting_flag: bits.flag()?,
            ..Self::default()
        };
        let _vps_reserved_0xffff_16bits = bits.read(16)?;
        vps.profile_tier_level =
            ProfileTierLevel::parse(bits.field("profile_tier_level"), vps.vps_max_sub_layers_minus1)?;
        let all_layers = bits.flag()?;
        for _ in if all_layers { 0 } else { vps.vps_max_sub_layers_minus1 }..=vps.vps_max_sub_layers_minus1 {
            vps.sub_layer_ordering.push(SubLayerOrdering::parse(bits)?);
        }
        let vps_max_layer_id = bits.read(6)? as usize;
        let vps_num_layer_sets_minus1 = bits.ue_within("vps_num_layer_sets_minus1", 0, 1023)? as usize;
        bits.skip(vps_num_layer_sets_minus1 * (vps_max_layer_id + 1))?;
        if bits.flag()? {
            vps.timing = Some(Timing::parse(bits)?);
        }
        Some(vps)
    }
}
