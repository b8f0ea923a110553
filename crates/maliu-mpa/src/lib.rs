//! MPEG audio frames in, planar f32 PCM out: layers I, II and III of MPEG-1, MPEG-2 and MPEG-2.5
//! (ISO/IEC 11172-3, ISO/IEC 13818-3).
//!
//! ```
//! # fn main() -> Result<(), maliu_mpa::Error> {
//! let mut decoder = maliu_mpa::Decoder::new();
//! let mut silence = vec![0xff, 0xfb, 0x90, 0xc4]; // layer III, 128 kbit/s, 44.1 kHz, mono
//! silence.resize(417, 0);
//! let frame = decoder.decode(&silence)?;
//! assert_eq!((frame.sample_rate, frame.channels(), frame.samples()), (44_100, 1, 1152));
//! assert!(frame.channel(0).iter().all(|sample| *sample == 0.0));
//! # Ok(())
//! # }
//! ```
//!
//! Memory is allocated for the first frame; decoding allocates nothing.
//!
//! [`Decoder`] decodes one frame after another. Its four stages are also available separately, to work on several
//! frames at the same time: [`Parser`] and [`Subbands`] carry their own state from frame to frame, [`Spectra`] carries
//! none and takes frames in any order, and [`Polyphase`] can begin at any frame. The samples are the same in every
//! arrangement.

mod bits;
mod crc;
mod decoder;
mod error;
mod frame;
mod header;
mod layer12;
mod layer3;
mod parsed;
mod parser;
mod reservoir;
mod side_info;
mod spectra;
mod synthesis;
mod tables;

pub use decoder::Decoder;
pub use error::Error;
pub use frame::Frame;
pub use header::{Header, Version};
pub use parsed::Parsed;
pub use parser::Parser;
pub use spectra::Spectra;
pub use synthesis::{Polyphase, Subbands, Synthesis};

/// Highest level of a frame that is believed, 12 dB above full scale; louder ones are taken for damage.
pub const LOUDEST: f32 = 4.0;
