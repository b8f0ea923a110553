//! Parameter sets, codec configurations and NAL units: what users of streams read and write of a codec's syntax.
//!
//! The parsers behind them are in `syntax`, which is public with the feature `unstable` and may change with any version.
//!
//! ```
//! use maliu_core::codec::{aac::AudioSpecificConfig, annexb, h264};
//!
//! let config = AudioSpecificConfig::parse(&[0x12, 0x10]).expect("two bytes of AAC LC");
//! assert_eq!((config.sample_rate, config.channels()), (44_100, 2));
//! let stream = [0, 0, 0, 1, 0x67, 0x42, 0, 0, 0, 1, 0x68, 0xce];
//! let kinds = annexb::units(&stream).filter_map(|unit| h264::Header::of(unit.trimmed()));
//! assert!(kinds.map(|header| header.nal_unit_type).eq([h264::kind::SPS, h264::kind::PPS]));
//! ```

/// AAC: configurations and ADTS headers (ISO/IEC 14496-3).
pub mod aac {
    #[doc(inline)]
    pub use crate::syntax::aac::{AdtsHeader, AudioSpecificConfig, Extension, Pce};
}

/// NAL units behind start codes or lengths (ISO/IEC 14496-10 Annex B, ISO/IEC 14496-15).
pub mod annexb {
    #[doc(inline)]
    pub use crate::syntax::annexb::{
        Framing, Lengths, MAX_NAL, Splitter, StartCodes, Step, Unit, VideoSignal, escape, from_lengths, lengths,
        to_lengths, trimmed, unescape, units,
    };
}

/// H.264: unit headers, parameter sets and avcC (ISO/IEC 14496-10, ISO/IEC 14496-15).
pub mod h264 {
    #[doc(inline)]
    pub use crate::syntax::h264::{
        BitstreamRestriction, Config, ConfigFault, Header, Hrd, ParameterSets, PicOrderCnt, Pps, ScalingList,
        ScalingLists, Sps, Timing, Vui, build_config, first_parameter_sets, kind,
    };
}

/// H.265: unit headers, parameter sets and hvcC (ISO/IEC 23008-2, ISO/IEC 14496-15).
pub mod h265 {
    #[doc(inline)]
    pub use crate::syntax::h265::{
        Config, Header, Hrd, ParameterSets, Pps, ProfileTierLevel, RangeExtension, ScalingList, Schedule, Sps,
        SubLayerHrd, SubLayerOrdering, Timing, Vps, Vui, build_config, kind,
    };
}

/// MPEG audio: frame headers (ISO/IEC 11172-3, ISO/IEC 13818-3).
pub mod mpeg_audio {
    #[doc(inline)]
    pub use crate::syntax::mpeg_audio::{Header, Version};
}
