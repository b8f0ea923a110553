//! AudioMuxElements taken apart into access units (ISO/IEC 14496-3 §1.7.3.2).

use alloc::vec::Vec;

use bytes::Bytes;

use super::config::{LengthType, StreamMuxConfig, bits_of};
use crate::bits::Bits;

/// Most frames that wait for the first configuration.
pub const MAX_HELD: usize = 64;

/// Follows the configurations of a stream of AudioMuxElements.
#[derive(Clone, Debug, Default)]
pub struct Latm {
    config: Option<StreamMuxConfig>,
}

/// One AudioMuxElement taken apart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Element {
    /// A configuration stood in it that differs from the one before.
    pub new_config: bool,
    /// The access units of the first layer, one for each subframe.
    pub payloads: Vec<Payload>,
}

/// Where an access unit stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payload {
    /// First bit in the element.
    pub bit: usize,
    /// Bytes.
    pub size: usize,
}

impl Payload {
    /// Its bytes: shared where it begins at a byte, else moved there.
    pub fn data(&self, element: &Bytes) -> Option<Bytes> {
        if self.bit.is_multiple_of(8) {
            let from = self.bit / 8;
            return (from + self.size <= element.len()).then(|| element.slice(from..from + self.size));
        }
        bits_of(element, self.bit, self.size * 8).map(Bytes::from)
    }
}

impl Latm {
    /// The configuration met last.
    pub fn config(&self) -> Option<&StreamMuxConfig> {
        self.config.as_ref()
    }

    /// Sets a StreamMuxConfig that came outside of the elements. Whether it could be read.
    pub fn configure(&mut self, bytes: &[u8]) -> bool {
        self.config = StreamMuxConfig::read(&mut Bits::new(bytes), bytes);
        self.config.is_some()
    }

    /// Takes an element apart; `None` when it cannot be read or no configuration has come yet.
    pub fn element(&mut self, bytes: &[u8]) -> Option<Element> {
        let mut bits = Bits::new(bytes);
        let mut new_config = false;
        if !bits.flag()? {
            let config = StreamMuxConfig::read(&mut bits, bytes)?;
            new_config = self.config.as_ref().is_none_or(|known| known.layers != config.layers);
            self.config = Some(config);
        }
        let config = self.config.as_ref()?;
        let mut payloads = Vec::with_capacity(config.subframes as usize);
        for _ in 0..config.subframes {
            payloads.extend(subframe(&mut bits, config)?);
        }
        Some(Element { new_config, payloads })
    }
}

/// The payload of the first layer in a subframe, if it has one.
fn subframe(bits: &mut Bits, config: &StreamMuxConfig) -> Option<Option<Payload>> {
    let mut sizes: Vec<(usize, usize)> = Vec::with_capacity(config.layers.len());
    if config.same_framing {
        for (index, layer) in config.layers.iter().enumerate() {
            sizes.push((index, length(bits, layer.length)?));
        }
    } else {
        for _ in 0..=bits.read(4)? {
            let index = bits.read(4)? as usize;
            let layer = config.layers.get(index)?;
            sizes.push((index, length(bits, layer.length)?));
            if layer.length == LengthType::Bytes {
                // AuEndFlag: units in several chunks are not told apart from whole ones.
                bits.skip(1)?;
            }
        }
    }
    let mut first = None;
    for (index, size) in sizes {
        if index == 0 && first.is_none() && size > 0 {
            first = Some(Payload { bit: bits.position(), size: size.div_ceil(8) });
        }
        bits.skip(size)?;
    }
    Some(first)
}

/// Bits of a payload.
fn length(bits: &mut Bits, kind: LengthType) -> Option<usize> {
    match kind {
        LengthType::Fixed(size) => Some(size as usize),
        LengthType::Bytes => {
            let mut length = 0;
            loop {
                let part = bits.read(8)? as usize;
                length += part;
                if part < 255 {
                    return Some(length * 8);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bits::BitWriter;

    fn element(config: bool, payloads: &[&[u8]]) -> Vec<u8> {
        let mut out = BitWriter::new();
        out.write(1, u32::from(!config));
        if config {
            out.write(8, 0b0100_0000 | (payloads.len() as u32 - 1));
            out.write(7, 0);
            out.write(16, 0x1210);
            out.write(11, 0xff);
            out.write(2, 0);
        }
        for payload in payloads {
            out.write(8, payload.len() as u32);
            payload.iter().for_each(|byte| out.write(8, (*byte).into()));
        }
        out.finish()
    }

    #[test]
    fn payloads_at_any_bit_come_out_whole() {
        let mut latm = Latm::default();
        assert_eq!(latm.element(&element(false, &[b"x"])), None);
        for (config, new_config) in [(true, true), (false, false), (true, false)] {
            let bytes = Bytes::from(element(config, &[b"abc", b"de"]));
            let got = latm.element(&bytes).unwrap();
            let data: Vec<_> = got.payloads.iter().map(|payload| payload.data(&bytes).unwrap()).collect();
            assert_eq!((got.new_config, data), (new_config, [&b"abc"[..], b"de"].map(Bytes::from).to_vec()));
        }
        let layer = &latm.config().unwrap().layers[0];
        assert_eq!(
            (&layer.config[..], layer.audio.sample_rate, layer.audio.channels()),
            (&[0x12, 0x10][..], 44_100, 2)
        );
    }
}
