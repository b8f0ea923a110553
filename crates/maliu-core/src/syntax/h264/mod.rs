//! H.264 / AVC: NAL units, parameter sets, slice headers, access units, picture order (ISO/IEC 14496-10).
//!
//! ```text
//!   NAL unit = forbidden_zero_bit(1) nal_ref_idc(2) nal_unit_type(5) payload…
//!   Config (avcC) = 01 profile compatibility level | FC + length size-1 | E0 + n SPS | n PPS | chroma, depths, extensions
//! ```

mod boundary;
mod config;
mod keys;
mod order;
mod picture;
mod pps;
mod sei;
mod sets;
mod slice;
mod sps;
mod to_annexb;
mod vui;

pub use boundary::AccessUnits;
pub use config::{Config, ConfigFault, build_config, first_parameter_sets};
pub use keys::Keys;
pub use order::PictureOrder;
pub use picture::{Picture, Pictures};
pub use pps::Pps;
pub use sei::{PictureTiming, RecoveryPoint, for_each_sei};
pub use sets::ParameterSets;
pub use slice::{Marking, MemoryOperation, SliceHeader, SliceStart, SliceType, restarts_order};
pub use sps::{PicOrderCnt, ScalingList, ScalingLists, Sps};
pub use to_annexb::ToAnnexB;
pub use vui::{BitstreamRestriction, Hrd, Timing, Vui};

/// The header of a NAL unit (§7.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Whether, and how much, the unit is needed for prediction: 0 to 3.
    pub nal_ref_idc: u8,
    /// 0 to 31, see [`kind`].
    pub nal_unit_type: u8,
}

impl Header {
    /// The header in the first byte of `nal`; `None` without one, or when its forbidden bit is set.
    pub fn of(nal: &[u8]) -> Option<Self> {
        let byte = *nal.first()?;
        (byte & 0x80 == 0).then_some(Self { nal_ref_idc: byte >> 5 & 3, nal_unit_type: byte & 0x1f })
    }
}

/// Values of nal_unit_type (Table 7-1).
pub mod kind {
    /// Slice of a picture that is no IDR picture.
    pub const SLICE: u8 = 1;
    /// First data partition of a slice.
    pub const PARTITION_A: u8 = 2;
    /// Slice of an IDR picture.
    pub const IDR: u8 = 5;
    /// Supplemental enhancement information.
    pub const SEI: u8 = 6;
    /// Sequence parameter set.
    pub const SPS: u8 = 7;
    /// Picture parameter set.
    pub const PPS: u8 = 8;
    /// Access unit delimiter.
    pub const AUD: u8 = 9;
    /// Sequence parameter set extension.
    pub const SPS_EXTENSION: u8 = 13;
    /// Prefix of a base layer slice.
    pub const PREFIX: u8 = 14;
    /// Subset sequence parameter set.
    pub const SUBSET_SPS: u8 = 15;
    /// Slice of an auxiliary (alpha) picture.
    pub const AUXILIARY_SLICE: u8 = 19;

    /// The name of a nal_unit_type.
    pub fn name(nal_unit_type: u8) -> &'static str {
        match nal_unit_type {
            SLICE => "slice",
            PARTITION_A => "partition A",
            3 => "partition B",
            4 => "partition C",
            IDR => "IDR slice",
            SEI => "SEI",
            SPS => "SPS",
            PPS => "PPS",
            AUD => "AUD",
            10 => "end of sequence",
            11 => "end of stream",
            12 => "filler",
            SPS_EXTENSION => "SPS extension",
            PREFIX => "prefix",
            SUBSET_SPS => "subset SPS",
            16 => "DPS",
            AUXILIARY_SLICE => "auxiliary slice",
            20 => "slice extension",
            21 => "depth slice extension",
            17 | 18 | 22 | 23 => "reserved",
            _ => "unspecified",
        }
    }
}
