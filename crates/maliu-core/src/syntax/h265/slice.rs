//! Slice segment header, as far as access units and picture order need it (ISO/IEC 23008-2 §7.3.6.1).

use super::{Header, ParameterSets, kind};
use crate::{bits::Bits, remark::Refusal, syntax::annexb};

/// Kind of a slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SliceType {
    /// Predicted from up to two pictures a block.
    B,
    /// Predicted from one.
    P,
    /// Not predicted from other pictures.
    I,
}

impl SliceType {
    /// `B`, `P` or `I`.
    pub fn name(self) -> &'static str {
        match self {
            Self::B => "B",
            Self::P => "P",
            Self::I => "I",
        }
    }
}

/// A slice segment header up to the picture order count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SliceHeader {
    /// Of the NAL unit.
    pub nal: Header,
    /// The picture begins here.
    pub first_slice_segment_in_pic_flag: bool,
    /// The picture parameter set it uses: 0 to 63.
    pub slice_pic_parameter_set_id: u8,
    /// The fields of an independent segment; `None` for a dependent one.
    pub independent: Option<IndependentHeader>,
}

/// The fields only an independent slice segment has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndependentHeader {
    /// Its kind.
    pub slice_type: SliceType,
    /// The picture is shown.
    pub pic_output_flag: bool,
    /// Low bits of the picture order count; 0 for IDR pictures.
    pub slice_pic_order_cnt_lsb: u32,
}

/// Bytes of a NAL unit that surely hold the fields that are read.
const HEAD: usize = 64;

impl SliceHeader {
    /// The header of the slice segment in `nal` (or in its first bytes). `None` for other units, if too short, or if it
    /// names sets that are not there.
    pub fn parse(nal: &[u8], sets: &ParameterSets) -> Option<Self> {
        Self::read(nal, sets).ok()
    }

    /// As [`SliceHeader::parse`].
    ///
    /// # Errors
    /// Why it is refused.
    pub fn read(nal: &[u8], sets: &ParameterSets) -> Result<Self, Refusal> {
        let header = Header::of(nal).filter(|header| header.is_slice()).ok_or(Refusal::Type)?;
        let rbsp = annexb::unescape_head(nal.get(Header::SIZE..).unwrap_or_default(), HEAD);
        let mut bits = Bits::new(&rbsp);
        Self::fields(header, &mut bits, sets).ok_or_else(|| bits.refusal())
    }

    fn fields(header: Header, bits: &mut Bits<'_>, sets: &ParameterSets) -> Option<Self> {
        let first_slice_segment_in_pic_flag = bits.flag()?;
        if header.is_irap() {
            let _no_output_of_prior_pics_flag = bits.flag()?;
        }
        let slice_pic_parameter_set_id = bits.ue_below("slice_pic_parameter_set_id", 64)?;
        let Some((sps, pps)) = sets.of_slice(slice_pic_parameter_set_id) else {
            bits.missing(slice_pic_parameter_set_id.into());
            return None;
        };
        let mut dependent_slice_segment_flag = false;
        if !first_slice_segment_in_pic_flag {
            dependent_slice_segment_flag = pps.dependent_slice_segments_enabled_flag && bits.flag()?;
            let address_bits = u32::BITS - sps.pic_size_in_ctbs().saturating_sub(1).leading_zeros();
            let _slice_segment_address = bits.field("slice_segment_address").read(address_bits)?;
        }
        let mut slice =
            Self { nal: header, first_slice_segment_in_pic_flag, slice_pic_parameter_set_id, independent: None };
        if dependent_slice_segment_flag {
            return Some(slice);
        }
        bits.skip(usize::from(pps.num_extra_slice_header_bits))?;
        let slice_type = match bits.ue_below("slice_type", 3)? {
            0 => SliceType::B,
            1 => SliceType::P,
            _ => SliceType::I,
        };
        let pic_output_flag = !pps.output_flag_present_flag || bits.flag()?;
        if sps.separate_colour_plane_flag {
            let _colour_plane_id = bits.read(2)?;
        }
        let idr = matches!(header.nal_unit_type, kind::IDR_W_RADL | kind::IDR_N_LP);
        let lsb_bits = if idr { 0 } else { u32::from(sps.log2_max_pic_order_cnt_lsb) };
        let slice_pic_order_cnt_lsb = bits.field("slice_pic_order_cnt_lsb").read(lsb_bits)?;
        slice.independent = Some(IndependentHeader { slice_type, pic_output_flag, slice_pic_order_cnt_lsb });
        Some(slice)
    }
}
