//! H.265 / HEVC: NAL units, parameter sets, slice segment headers, access units, picture order (ISO/IEC 23008-2).
//!
//! ```text
//!   NAL unit = forbidden_zero_bit(1) nal_unit_type(6) nuh_layer_id(6) nuh_temporal_id_plus1(3) payload…
//!   Config (hvcC) = 01 profile, tier, level(12) | segmentation, parallelism, chroma, depths, rate | length size-1 | arrays of sets
//! ```

mod boundary;
mod config;
mod hrd;
mod order;
mod picture;
mod pps;
mod profile;
mod ref_pic_set;
mod sei;
mod sets;
mod slice;
mod sps;
mod to_annexb;
mod vps;
mod vui;

pub use boundary::AccessUnits;
pub use config::{Config, build_config};
pub use hrd::{Hrd, Schedule, SubLayerHrd};
pub use order::PictureOrder;
pub use picture::{Picture, Pictures};
pub use pps::Pps;
pub use profile::ProfileTierLevel;
pub use sei::{PictureTiming, RecoveryPoint, for_each_sei};
pub use sets::ParameterSets;
pub use slice::{SliceHeader, SliceType};
pub use sps::{RangeExtension, ScalingList, Sps, SubLayerOrdering};
pub use to_annexb::ToAnnexB;
pub use vps::Vps;
pub use vui::{Timing, Vui};

/// The header of a NAL unit (§7.3.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// 0 to 63, see [`kind`].
    pub nal_unit_type: u8,
    /// 0 for the base layer, which is the one that is read.
    pub nuh_layer_id: u8,
    /// Temporal sub-layer: 0 to 6.
    pub temporal_id: u8,
}

impl Header {
    /// Bytes of a header.
    pub const SIZE: usize = 2;

    /// The header in the first bytes of `nal`; `None` without one, or when it breaks the standard.
    pub fn of(nal: &[u8]) -> Option<Self> {
        let [first, second, ..] = *nal else { return None };
        let temporal_id = (second & 7).checked_sub(1)?;
        let nuh_layer_id = (first & 1) << 5 | second >> 3;
        (first & 0x80 == 0).then_some(Self { nal_unit_type: first >> 1 & 0x3f, nuh_layer_id, temporal_id })
    }

    /// Whether the unit is a slice segment.
    pub fn is_slice(self) -> bool {
        matches!(self.nal_unit_type, 0..=9 | 16..=21)
    }

    /// Whether decoding can start with the picture: IDR, CRA, BLA.
    pub fn is_irap(self) -> bool {
        matches!(self.nal_unit_type, 16..=23)
    }
}

/// Values of nal_unit_type (Table 7-1).
pub mod kind {
    /// Leading picture that cannot be decoded after a start at its IRAP picture, not a reference in its sub-layer.
    pub const RASL_N: u8 = 8;
    /// As [`RASL_N`], a reference.
    pub const RASL_R: u8 = 9;
    /// Leading picture that can, not a reference in its sub-layer.
    pub const RADL_N: u8 = 6;
    /// As [`RADL_N`], a reference.
    pub const RADL_R: u8 = 7;
    /// Broken link: the stream was cut here.
    pub const BLA_W_LP: u8 = 16;
    /// The last of the broken links.
    pub const BLA_N_LP: u8 = 18;
    /// IDR picture with leading pictures.
    pub const IDR_W_RADL: u8 = 19;
    /// IDR picture without leading pictures.
    pub const IDR_N_LP: u8 = 20;
    /// Clean random access.
    pub const CRA: u8 = 21;
    /// Video parameter set.
    pub const VPS: u8 = 32;
    /// Sequence parameter set.
    pub const SPS: u8 = 33;
    /// Picture parameter set.
    pub const PPS: u8 = 34;
    /// Access unit delimiter.
    pub const AUD: u8 = 35;
    /// End of sequence.
    pub const EOS: u8 = 36;
    /// End of bitstream.
    pub const EOB: u8 = 37;
    /// Supplemental enhancement information before the picture.
    pub const PREFIX_SEI: u8 = 39;
    /// Supplemental enhancement information behind it.
    pub const SUFFIX_SEI: u8 = 40;

    /// The name of a nal_unit_type.
    pub fn name(nal_unit_type: u8) -> &'static str {
        const SLICES: [&str; 10] =
            ["TRAIL_N", "TRAIL_R", "TSA_N", "TSA_R", "STSA_N", "STSA_R", "RADL_N", "RADL_R", "RASL_N", "RASL_R"];
        const IRAPS: [&str; 6] = ["BLA_W_LP", "BLA_W_RADL", "BLA_N_LP", "IDR_W_RADL", "IDR_N_LP", "CRA"];
        const OTHERS: [&str; 9] =
            ["VPS", "SPS", "PPS", "AUD", "end of sequence", "end of stream", "filler", "SEI", "suffix SEI"];
        let row = |names: &[&'static str], first: u8| names.get(usize::from(nal_unit_type - first)).copied();
        match nal_unit_type {
            0..=9 => row(&SLICES, 0),
            16..=21 => row(&IRAPS, 16),
            32..=40 => row(&OTHERS, 32),
            48..=63 => Some("unspecified"),
            _ => None,
        }
        .unwrap_or("reserved")
    }
}
