//! AAC → LOAS frames of one payload each, with their configuration every so often (ISO/IEC 14496-3 §1.7).

use alloc::{borrow::Cow, format};

use bytes::Bytes;

use super::{LoasHeader, StreamMuxConfig};
use crate::{
    bits::{BitWriter, Bits},
    syntax::aac::AudioSpecificConfig,
};

/// Writes the raw data blocks of one stream as LOAS frames.
#[derive(Clone, Debug)]
pub struct LoasWriter {
    config: Bytes,
    /// Bits of the configuration.
    bits: usize,
    /// Frames until the configuration is written again.
    left: u32,
    /// Frames from one configuration to the next.
    period: u32,
}

impl LoasWriter {
    /// For an AudioSpecificConfig, which stands in every `period`-th frame. Extensions behind it are left out: no length
    /// would tell where they end, and decoders find them in the payload.
    ///
    /// # Errors
    /// The reason why LATM cannot carry it.
    pub fn new(config: &Bytes, period: u32) -> Result<Self, Cow<'static, str>> {
        let mut bits = Bits::new(config);
        AudioSpecificConfig::read(&mut bits).ok_or("the configuration cannot be read")?;
        Ok(Self { config: config.clone(), bits: bits.position(), left: 0, period: period.max(1) })
    }

    /// Whether the next frame has the configuration.
    pub fn configures(&self) -> bool {
        self.left == 0
    }

    /// A raw data block as a frame.
    ///
    /// # Errors
    /// The reason why it does not fit.
    pub fn frame(&mut self, payload: &[u8]) -> Result<Bytes, Cow<'static, str>> {
        let mut element = BitWriter::new();
        if self.left == 0 {
            element.write(1, 0);
            StreamMuxConfig::write(&mut element, &self.config, self.bits);
        } else {
            element.write(1, 1);
        }
        (0..payload.len() / 255).for_each(|_| element.write(8, 0xff));
        element.write(8, (payload.len() % 255) as u32);
        let mut words = payload.chunks_exact(4);
        for word in words.by_ref() {
            element.write(32, word.first_chunk().map_or(0, |word| u32::from_be_bytes(*word)));
        }
        words.remainder().iter().for_each(|byte| element.write(8, (*byte).into()));
        let element = element.finish();
        let Some(head) = LoasHeader::build(element.len()) else {
            return Err(format!("a frame of {} bytes, at most 8191 fit", element.len()).into());
        };
        self.left = if self.left == 0 { self.period - 1 } else { self.left - 1 };
        Ok(Bytes::from([&head[..], &element].concat()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::latm::{Latm, LoasHeader};

    #[test]
    fn frames_read_back_as_written() {
        let mut writer = LoasWriter::new(&Bytes::from_static(&[0x12, 0x10]), 2).unwrap();
        let mut latm = Latm::default();
        for (n, size) in [1, 4, 255, 600].into_iter().enumerate() {
            let payload: alloc::vec::Vec<u8> = (0..size).map(|byte: u32| byte as u8).collect();
            let frame = writer.frame(&payload).unwrap();
            assert_eq!(LoasHeader::parse(&frame).unwrap().length, frame.len());
            let element = frame.slice(3..);
            let got = latm.element(&element).unwrap();
            assert_eq!(got.payloads[0].data(&element).unwrap(), payload);
            assert_eq!(got.new_config, n == 0);
        }
        assert!(writer.frame(&[0; 8192]).is_err());
    }
}
