//! AAC as containers see it: AudioSpecificConfig, program config element, ADTS header. Nothing here decodes
//! (ISO/IEC 14496-3 §1.6, §4.5, §1.A.2).

pub mod adts;
pub mod config;
mod frames;
pub mod pce;
mod write;

pub use adts::AdtsHeader;
pub use config::{AudioSpecificConfig, Extension};
pub use frames::AdtsFrames;
pub use pce::Pce;
pub use write::AdtsWriter;

/// Hz by samplingFrequencyIndex (ISO/IEC 14496-3 table 1.18).
pub const SAMPLE_RATES: [u32; 13] =
    [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];

/// Number of channels by channelConfiguration (ISO/IEC 14496-3 table 1.19); 0 where it is reserved or said elsewhere.
pub const CHANNELS: [u16; 16] = [0, 1, 2, 3, 4, 5, 6, 8, 0, 0, 0, 7, 8, 24, 8, 0];

/// The samplingFrequencyIndex of exactly this rate.
pub fn rate_index(sample_rate: u32) -> Option<u8> {
    SAMPLE_RATES.iter().position(|rate| *rate == sample_rate).and_then(|index| u8::try_from(index).ok())
}
