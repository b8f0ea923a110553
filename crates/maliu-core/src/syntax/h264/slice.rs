//! Slice header, as far as access units, picture order and reference marking need it (ISO/IEC 14496-10 §7.3.3).

use alloc::{borrow::Cow, vec::Vec};

use super::{Header, ParameterSets, PicOrderCnt, Pps, Sps, kind};
use crate::{bits::Bits, remark::Refusal, syntax::annexb};

/// Kind of a slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SliceType {
    /// Predicted from one picture a block.
    P,
    /// Predicted from up to two.
    B,
    /// Not predicted from other pictures.
    I,
    /// P for switching streams.
    Sp,
    /// I for switching streams.
    Si,
}

impl SliceType {
    fn of(slice_type: u32) -> Option<Self> {
        Some(match slice_type {
            0 | 5 => Self::P,
            1 | 6 => Self::B,
            2 | 7 => Self::I,
            3 | 8 => Self::Sp,
            4 | 9 => Self::Si,
            _ => return None,
        })
    }

    /// `P`, `B`, `I`, `SP` or `SI`.
    pub fn name(self) -> &'static str {
        match self {
            Self::P => "P",
            Self::B => "B",
            Self::I => "I",
            Self::Sp => "SP",
            Self::Si => "SI",
        }
    }
}

/// The fields that every slice begins with; they need no parameter set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SliceStart {
    /// Address of its first macroblock (pair).
    pub first_mb_in_slice: u32,
    /// Its kind.
    pub slice_type: SliceType,
    /// The picture parameter set it uses: 0 to 255.
    pub pic_parameter_set_id: u8,
}

/// A slice header up to redundant_pic_cnt. Names are the standard's; absent fields are 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SliceHeader {
    /// The fields before those that depend on parameter sets.
    pub start: SliceStart,
    /// Of the NAL unit: whether the picture is kept for prediction.
    pub nal_ref_idc: u8,
    /// Whether it belongs to an IDR picture.
    pub idr: bool,
    /// Which plane, when the three are coded apart.
    pub colour_plane_id: u8,
    /// Counts reference frames, modulo 2^log2_max_frame_num.
    pub frame_num: u32,
    /// It belongs to a field, not a frame.
    pub field_pic_flag: bool,
    /// The field is the bottom one.
    pub bottom_field_flag: bool,
    /// Tells consecutive IDR pictures apart.
    pub idr_pic_id: u32,
    /// Low bits of the picture order count.
    pub pic_order_cnt_lsb: u32,
    /// Picture order count of the bottom field, less that of the top one.
    pub delta_pic_order_cnt_bottom: i32,
    /// Corrections of the expected picture order count.
    pub delta_pic_order_cnt: [i32; 2],
    /// 0 for the primary coded picture.
    pub redundant_pic_cnt: u32,
}

/// Bytes of a NAL unit that surely hold a slice header up to redundant_pic_cnt.
pub(super) const HEAD: usize = 64;

/// Bytes of a NAL unit that hold a slice header up to its reference marking, unless it carries hundreds of weights.
const LONG_HEAD: usize = 2048;

/// The slice in a NAL unit.
pub(super) struct Slice<'a> {
    header: Header,
    rbsp: Cow<'a, [u8]>,
}

impl<'a> Slice<'a> {
    /// `None` when the unit is no slice of a primary or redundant picture.
    fn of(nal: &'a [u8], most: usize) -> Option<Self> {
        let header = Header::of(nal)?;
        let is_slice = matches!(header.nal_unit_type, kind::SLICE | kind::PARTITION_A | kind::IDR);
        is_slice.then(|| Self { header, rbsp: annexb::unescape_head(nal.get(1..).unwrap_or_default(), most) })
    }
}

impl SliceStart {
    /// The start of the slice in `nal`; `None` when it is no slice, or too short, or its type or set is out of range.
    pub fn parse(nal: &[u8]) -> Option<Self> {
        Self::read(&mut Bits::new(&Slice::of(nal, HEAD)?.rbsp))
    }

    fn read(bits: &mut Bits<'_>) -> Option<Self> {
        Some(Self {
            first_mb_in_slice: bits.field("first_mb_in_slice").ue()?,
            slice_type: SliceType::of(bits.ue_within("slice_type", 0, 9)?)?,
            pic_parameter_set_id: bits.ue_below("pic_parameter_set_id", 256)?,
        })
    }
}

impl SliceHeader {
    /// The header of the slice in `nal` (or in its first bytes). `None` when it is no slice, too short, or names sets
    /// that are not there.
    pub fn parse(nal: &[u8], sets: &ParameterSets) -> Option<Self> {
        Self::read(nal, sets).ok()
    }

    /// As [`SliceHeader::parse`].
    ///
    /// # Errors
    /// Why it is refused.
    pub fn read(nal: &[u8], sets: &ParameterSets) -> Result<Self, Refusal> {
        Parsed::read(nal, sets).map(|parsed| parsed.header)
    }

    fn fields<'s>(nal: Header, bits: &mut Bits<'_>, sets: &'s ParameterSets) -> Option<(Self, &'s Sps, &'s Pps)> {
        let start = SliceStart::read(bits)?;
        let Some((sps, pps)) = sets.of_slice(start.pic_parameter_set_id) else {
            bits.missing(start.pic_parameter_set_id.into());
            return None;
        };
        let mut header = Self {
            start,
            nal_ref_idc: nal.nal_ref_idc,
            idr: nal.nal_unit_type == kind::IDR,
            colour_plane_id: 0,
            frame_num: 0,
            field_pic_flag: false,
            bottom_field_flag: false,
            idr_pic_id: 0,
            pic_order_cnt_lsb: 0,
            delta_pic_order_cnt_bottom: 0,
            delta_pic_order_cnt: [0; 2],
            redundant_pic_cnt: 0,
        };
        if sps.separate_colour_plane_flag {
            header.colour_plane_id = bits.read(2)? as u8;
        }
        header.frame_num = bits.field("frame_num").read(u32::from(sps.log2_max_frame_num))?;
        if !sps.frame_mbs_only_flag {
            header.field_pic_flag = bits.flag()?;
            header.bottom_field_flag = header.field_pic_flag && bits.flag()?;
        }
        if header.idr {
            header.idr_pic_id = bits.field("idr_pic_id").ue()?;
        }
        header.read_order(bits, sps, pps)?;
        if pps.redundant_pic_cnt_present_flag {
            header.redundant_pic_cnt = bits.field("redundant_pic_cnt").ue()?;
        }
        Some((header, sps, pps))
    }

    fn read_order(&mut self, bits: &mut Bits<'_>, sps: &Sps, pps: &Pps) -> Option<()> {
        let bottom_too = pps.bottom_field_pic_order_in_frame_present_flag && !self.field_pic_flag;
        match &sps.pic_order_cnt {
            PicOrderCnt::Lsb { log2_max_lsb } => {
                self.pic_order_cnt_lsb = bits.field("pic_order_cnt_lsb").read(u32::from(*log2_max_lsb))?;
                if bottom_too {
                    self.delta_pic_order_cnt_bottom = bits.se()?;
                }
            }
            PicOrderCnt::Cycle { delta_pic_order_always_zero_flag: false, .. } => {
                self.delta_pic_order_cnt = [bits.se()?, if bottom_too { bits.se()? } else { 0 }];
            }
            _ => {}
        }
        Some(())
    }

    /// Whether this slice, of a primary coded picture, is of another picture than `previous` (§7.4.1.2.4).
    pub fn begins_picture_after(&self, previous: &Self) -> bool {
        let differs = (self.frame_num, self.start.pic_parameter_set_id, self.field_pic_flag, self.bottom_field_flag)
            != (
                previous.frame_num,
                previous.start.pic_parameter_set_id,
                previous.field_pic_flag,
                previous.bottom_field_flag,
            );
        differs
            || (self.nal_ref_idc == 0) != (previous.nal_ref_idc == 0)
            || self.idr != previous.idr
            || self.idr_pic_id != previous.idr_pic_id
            || self.pic_order_cnt_lsb != previous.pic_order_cnt_lsb
            || self.delta_pic_order_cnt_bottom != previous.delta_pic_order_cnt_bottom
            || self.delta_pic_order_cnt != previous.delta_pic_order_cnt
    }
}

/// A slice header, and where it ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parsed {
    /// The header.
    pub(super) header: SliceHeader,
    /// Bits of it, without emulation prevention.
    end: usize,
}

impl Parsed {
    /// The header of the slice in `nal`, or why it is refused.
    pub(super) fn read(nal: &[u8], sets: &ParameterSets) -> Result<Self, Refusal> {
        let slice = Slice::of(nal, HEAD).ok_or(Refusal::Type)?;
        let mut bits = Bits::new(&slice.rbsp);
        let header = SliceHeader::fields(slice.header, &mut bits, sets).map(|(header, ..)| header);
        header.map(|header| Self { header, end: bits.position() }).ok_or_else(|| bits.refusal())
    }

    /// As [`restarts_order`] of `nal`, whose header this is: the header is not read again, and no more bytes than
    /// needed.
    pub(super) fn restarts_order(&self, nal: &[u8], sps: &Sps, pps: &Pps) -> bool {
        let marking = |most| {
            let rbsp = annexb::unescape_head(nal.get(1..)?, most);
            let mut bits = Bits::new(&rbsp);
            bits.skip(self.end)?;
            skip_to_marking(&mut bits, &self.header, sps, pps)?;
            Marking::read(&mut bits, false)
        };
        let used_for_reference = self.header.nal_ref_idc != 0 && !self.header.idr;
        used_for_reference && marking(HEAD).or_else(|| marking(LONG_HEAD)).is_some_and(|marking| marking.restarts())
    }
}

/// How a picture changes which pictures are kept for prediction (§7.3.3.3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marking {
    /// An IDR picture becomes a long-term reference.
    pub long_term_reference_flag: bool,
    /// `operations` say what happens, not the sliding window.
    pub adaptive: bool,
    /// The memory management control operations, in order.
    pub operations: Vec<MemoryOperation>,
}

/// One memory management control operation (Table 7-9). Names are the standard's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryOperation {
    /// 1: a short-term picture is not used any more.
    ShortTermUnused {
        /// Distance from the current picture's number, less 1.
        difference_of_pic_nums_minus1: u32,
    },
    /// 2: a long-term picture is not used any more.
    LongTermUnused {
        /// Its number.
        long_term_pic_num: u32,
    },
    /// 3: a short-term picture becomes a long-term one.
    ToLongTerm {
        /// Distance from the current picture's number, less 1.
        difference_of_pic_nums_minus1: u32,
        /// The index it gets.
        long_term_frame_idx: u32,
    },
    /// 4: long-term pictures with this index or a higher one are not used any more.
    MaxLongTerm {
        /// The highest index that stays, plus 1.
        max_long_term_frame_idx_plus1: u32,
    },
    /// 5: no picture is used any more.
    Restart,
    /// 6: the current picture becomes a long-term one.
    CurrentToLongTerm {
        /// The index it gets.
        long_term_frame_idx: u32,
    },
}

/// Most operations of one picture: two for each of 16 frames of two fields, and one of each kind without a picture.
const MAX_OPERATIONS: usize = 66;

impl Marking {
    /// The header of the slice in `nal` and how its picture marks references; of a picture that is not used for
    /// reference the default. `None` when it is not a slice, is cut short, breaks a limit of the standard or names
    /// parameter sets that are not in `sets`.
    pub fn parse(nal: &[u8], sets: &ParameterSets) -> Option<(SliceHeader, Self)> {
        let slice = Slice::of(nal, LONG_HEAD)?;
        let mut bits = Bits::new(&slice.rbsp);
        let (header, sps, pps) = SliceHeader::fields(slice.header, &mut bits, sets)?;
        let marking = if header.nal_ref_idc == 0 && !header.idr {
            Self::default()
        } else {
            skip_to_marking(&mut bits, &header, sps, pps)?;
            Self::read(&mut bits, header.idr)?
        };
        Some((header, marking))
    }

    fn read(bits: &mut Bits<'_>, idr: bool) -> Option<Self> {
        let mut marking = Self::default();
        if idr {
            let _no_output_of_prior_pics_flag = bits.flag()?;
            marking.long_term_reference_flag = bits.flag()?;
            return Some(marking);
        }
        marking.adaptive = bits.flag()?;
        while marking.adaptive {
            let operation = match bits.ue()? {
                0 => break,
                1 => MemoryOperation::ShortTermUnused { difference_of_pic_nums_minus1: small(bits)? },
                2 => MemoryOperation::LongTermUnused { long_term_pic_num: small(bits)? },
                3 => MemoryOperation::ToLongTerm {
                    difference_of_pic_nums_minus1: small(bits)?,
                    long_term_frame_idx: small(bits)?,
                },
                4 => MemoryOperation::MaxLongTerm { max_long_term_frame_idx_plus1: small(bits)? },
                5 => MemoryOperation::Restart,
                6 => MemoryOperation::CurrentToLongTerm { long_term_frame_idx: small(bits)? },
                _ => return None,
            };
            marking.operations.push(operation);
            if marking.operations.len() > MAX_OPERATIONS {
                return None;
            }
        }
        Some(marking)
    }

    /// Whether it ends all references and restarts the order of pictures (operation 5).
    pub fn restarts(&self) -> bool {
        self.operations.contains(&MemoryOperation::Restart)
    }
}

/// A number of a picture or an index, which has at most 17 bits.
fn small(bits: &mut Bits<'_>) -> Option<u32> {
    bits.ue().filter(|value| *value < 1 << 17)
}

/// Whether the slice in `nal` ends all references and restarts the order of pictures, as memory management operation 5
/// does in a picture that is no IDR picture (§7.4.3.3).
pub fn restarts_order(nal: &[u8], sets: &ParameterSets) -> bool {
    Marking::parse(nal, sets).is_some_and(|(header, marking)| !header.idr && marking.restarts())
}

fn skip_to_marking(bits: &mut Bits<'_>, header: &SliceHeader, sps: &Sps, pps: &Pps) -> Option<()> {
    let slice_type = header.start.slice_type;
    let lists = match slice_type {
        SliceType::P | SliceType::Sp => 1,
        SliceType::B => 2,
        SliceType::I | SliceType::Si => 0,
    };
    if slice_type == SliceType::B {
        let _direct_spatial_mv_pred_flag = bits.flag()?;
    }
    let mut active = pps.num_ref_idx_default_active;
    if lists > 0 && bits.flag()? {
        for count in active.iter_mut().take(lists) {
            *count = bits.ue().filter(|minus1| *minus1 < 32)? as u8 + 1;
        }
    }
    for _ in 0..lists {
        skip_list_modification(bits)?;
    }
    let weighted = match slice_type {
        SliceType::P | SliceType::Sp => pps.weighted_pred_flag,
        SliceType::B => pps.weighted_bipred_idc == 1,
        _ => false,
    };
    if weighted {
        skip_weights(bits, active.get(..lists)?, sps.chroma_array_type() != 0)?;
    }
    Some(())
}

fn skip_list_modification(bits: &mut Bits<'_>) -> Option<()> {
    let ref_pic_list_modification_flag = bits.flag()?;
    if !ref_pic_list_modification_flag {
        return Some(());
    }
    loop {
        match bits.ue()? {
            0..=2 => bits.ue()?,
            3 => return Some(()),
            _ => return None,
        };
    }
}

fn skip_weights(bits: &mut Bits<'_>, active: &[u8], chroma: bool) -> Option<()> {
    let _luma_log2_weight_denom = bits.ue()?;
    if chroma {
        let _chroma_log2_weight_denom = bits.ue()?;
    }
    for _ in active.iter().flat_map(|count| 0..*count) {
        if bits.flag()? {
            bits.se().and(bits.se())?;
        }
        if chroma && bits.flag()? {
            (0..4).try_for_each(|_| bits.se().map(|_| ()))?;
        }
    }
    Some(())
}
