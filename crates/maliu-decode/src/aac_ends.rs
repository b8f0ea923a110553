//! Where AAC access units end that stand behind each other without any framing.

use maliu_aac::{Options, Parsed, Parser};
use maliu_core::{
    error::{Error, Result},
    stream::StreamInfo,
};

use crate::aac;

/// Finds the ends of raw AAC access units by parsing them.
pub struct AacEnds {
    parser: Parser,
    unit: Parsed,
}

impl AacEnds {
    /// For units of this stream.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for configurations that cannot be decoded.
    pub fn new(info: &StreamInfo) -> Result<Self> {
        let config = aac::config(info)?;
        if config.channel_config == 0 && config.program.is_none() {
            return Err(Error::unsupported("AAC whose units describe their channels"));
        }
        Ok(Self { parser: Parser::new(config, Options::default()), unit: Parsed::new() })
    }

    /// Bytes of the unit with which `bytes` begins; `None` when it is no unit of the stream, or cut.
    pub fn length(&mut self, bytes: &[u8]) -> Option<usize> {
        let rest = self.parser.parse(bytes, &mut self.unit).ok()?.len();
        bytes.len().checked_sub(rest).filter(|len| *len > 0)
    }
}
