//! Picture parameter set: what the slice segment headers that name it contain (ISO/IEC 23008-2 §7.3.2.3).

use super::{Header, kind};
use crate::{bits::Bits, remark::Refusal, syntax::annexb};

/// A picture parameter set, up to its tiles. Names are the standard's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pps {
    /// 0 to 63.
    pub pps_pic_parameter_set_id: u8,
    /// 0 to 15.
    pub pps_seq_parameter_set_id: u8,
    /// Slice segments may depend on the one before.
    pub dependent_slice_segments_enabled_flag: bool,
    /// Slice segment headers carry pic_output_flag.
    pub output_flag_present_flag: bool,
    /// Bits in slice segment headers for extensions.
    pub num_extra_slice_header_bits: u8,
    /// Slice segment headers carry cabac_init_flag.
    pub cabac_init_present_flag: bool,
    /// References used when a slice does not say: list 0, list 1.
    pub num_ref_idx_default_active: [u8; 2],
    /// First quantiser: init_qp_minus26.
    pub init_qp_minus26: i32,
    /// P slices weight their predictions.
    pub weighted_pred_flag: bool,
    /// B slices do.
    pub weighted_bipred_flag: bool,
    /// Columns and rows of tiles: (1, 1) without tiles.
    pub tiles: (u32, u32),
    /// Rows of blocks can be decoded side by side (wavefront).
    pub entropy_coding_sync_enabled_flag: bool,
}

impl Pps {
    /// The set in `nal`, a whole NAL unit of type 34 with its header. `None` when it is cut short or breaks a limit.
    pub fn parse(nal: &[u8]) -> Option<Self> {
        Self::read(nal).ok()
    }

    /// As [`Pps::parse`].
    ///
    /// # Errors
    /// Why it is refused.
    pub fn read(nal: &[u8]) -> Result<Self, Refusal> {
        Header::of(nal).filter(|header| header.nal_unit_type == kind::PPS).ok_or(Refusal::Type)?;
        let rbsp = annexb::unescape_head(nal.get(Header::SIZE..).unwrap_or_default(), HEAD);
        let mut bits = Bits::new(&rbsp);
        Self::fields(&mut bits).ok_or_else(|| bits.refusal())
    }

    fn fields(bits: &mut Bits<'_>) -> Option<Self> {
        let mut pps = Self {
            pps_pic_parameter_set_id: bits.ue_below("pps_pic_parameter_set_id", 64)?,
            pps_seq_parameter_set_id: bits.ue_below("pps_seq_parameter_set_id", 16)?,
            dependent_slice_segments_enabled_flag: bits.flag()?,
            output_flag_present_flag: bits.flag()?,
            num_extra_slice_header_bits: bits.read(3)? as u8,
            tiles: (1, 1),
            ..Self::default()
        };
        let _sign_data_hiding_enabled_flag = bits.flag()?;
        pps.cabac_init_present_flag = bits.flag()?;
        let l0 = bits.ue_below("num_ref_idx_l0_default_active_minus1", 15)? + 1;
        pps.num_ref_idx_default_active = [l0, bits.ue_below("num_ref_idx_l1_default_active_minus1", 15)? + 1];
        pps.init_qp_minus26 = bits.field("init_qp_minus26").se()?;
        // constrained_intra_pred_flag, transform_skip_enabled_flag.
        bits.skip(2)?;
        let cu_qp_delta_enabled_flag = bits.flag()?;
        if cu_qp_delta_enabled_flag {
            let _diff_cu_qp_delta_depth = bits.ue()?;
        }
        let _cb_and_cr_qp_offset = (bits.se()?, bits.se()?);
        let _pps_slice_chroma_qp_offsets_present_flag = bits.flag()?;
        pps.weighted_pred_flag = bits.flag()?;
        pps.weighted_bipred_flag = bits.flag()?;
        let _transquant_bypass_enabled_flag = bits.flag()?;
        let tiles_enabled_flag = bits.flag()?;
        pps.entropy_coding_sync_enabled_flag = bits.flag()?;
        if tiles_enabled_flag {
            pps.tiles = (bits.ue()?.checked_add(1)?, bits.ue()?.checked_add(1)?);
        }
        Some(pps)
    }
}

/// Bytes that surely hold the fields that are read.
const HEAD: usize = 256;
