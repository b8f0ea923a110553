//! AAC access units and an AudioSpecificConfig in, planar f32 PCM out (ISO/IEC 14496-3).
//!
//! ```
//! # fn main() -> Result<(), maliu_aac::Error> {
//! let config = maliu_aac::Config::parse(&[0x12, 0x10])?;
//! assert_eq!((config.profile_name(), config.sample_rate, config.channels), ("LC", 44_100, 2));
//! let mut decoder = maliu_aac::Decoder::new(config)?;
//! let unit = [0x21, 0x00, 0x03, 0x80]; // a pair without lines, and the end
//! if let Ok(frame) = decoder.decode(&unit) {
//!     for channel in 0..frame.channels() {
//!         assert!(frame.channel(channel).iter().all(|sample| *sample == 0.0));
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Memory is allocated for the first unit, and when a stream declares other channels; decoding allocates nothing.
//!
//! [`Decoder`] does one unit after another. Its five stages can be had apart, to work on several units at the same time:
//! each carries its own state, so that the sound is the same however far they are apart. [`Transform`] does a part of the
//! second before, for units in any order.

mod bits;
mod carry;
mod channel;
mod config;
mod core_sound;
mod coupling;
mod decoder;
mod drc;
mod error;
mod filterbank;
mod frame;
mod huffman;
mod lanes;
mod layout;
mod low_delay;
mod ltp;
mod noise;
mod output;
mod parsed;
mod parser;
mod plan;
mod planes;
mod prefix;
mod prediction;
mod program;
mod ps;
mod sbr;
mod tables;
mod transform;
mod transformed;

pub use carry::Carry;
pub use config::{Config, Place, ProgramConfig, ProgramElement, Signal};
pub use core_sound::Core;
pub use decoder::{Decoder, Options};
pub use error::Error;
pub use frame::Frame;
pub use layout::ChannelLayout;
pub use output::{HighBand, Output, ParametricStereo};
pub use parsed::Parsed;
pub use parser::Parser;
pub use transformed::Transform;

/// Most channels a program may have.
pub const MAX_CHANNELS: usize = 64;
