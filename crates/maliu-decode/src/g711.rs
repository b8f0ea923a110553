//! A-law and µ-law: 8 logarithmic bits to 16 linear ones (ITU-T G.711).

use maliu_core::{
    error::Result,
    packet::Packet,
    stream::{Codec, StreamInfo},
};

use crate::{AudioFrame, Fault, Samples, Unit, pcm};

pub(crate) const CODECS: &[Codec] = &[Codec::PcmALaw, Codec::PcmMuLaw];

pub(crate) fn make(info: &StreamInfo) -> Result<Box<dyn Unit>> {
    let expand = if info.codec == Codec::PcmALaw { a_law } else { mu_law };
    let table = std::array::from_fn(|byte| i32::from(expand(byte as u8)) << 16);
    Ok(Box::new(G711 { shell: pcm::shell(info)?, table }))
}

struct G711 {
    shell: AudioFrame,
    table: [i32; 256],
}

impl Unit for G711 {
    fn most_bytes(&self) -> usize {
        crate::MAX_PLAIN_PACKET
    }

    fn decode(&mut self, packet: &Packet) -> std::result::Result<AudioFrame, Fault> {
        let channels = usize::from(self.shell.channels);
        let whole = packet.data.len() / channels * channels;
        let samples = packet.data[..whole].iter().map(|byte| self.table[usize::from(*byte)]).collect();
        Ok(AudioFrame { samples: Samples::I32(samples), ..self.shell.clone() })
    }
}

/// Sign, 3 bits of exponent, 4 of mantissa; every second bit is inverted, the sign bit is set for positive values.
fn a_law(byte: u8) -> i16 {
    let byte = byte ^ 0x55;
    let (exponent, mantissa) = (byte >> 4 & 7, i16::from(byte & 15) << 4);
    let value = match exponent {
        0 => mantissa + 8,
        _ => (mantissa + 0x108) << (exponent - 1),
    };
    if byte & 0x80 != 0 { value } else { -value }
}

/// Sign, 3 bits of exponent, 4 of mantissa, all inverted; a bias of 0x84 lies on the magnitude.
fn mu_law(byte: u8) -> i16 {
    let byte = !byte;
    let (exponent, mantissa) = (byte >> 4 & 7, i16::from(byte & 15) << 3);
    let value = ((mantissa + 0x84) << exponent) - 0x84;
    if byte & 0x80 != 0 { -value } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_laws_reach_the_values_of_the_standard() {
        // G.711 tables 1a and 2a: decoder output values, scaled to 16 bits.
        for (byte, value) in [(0xd5, 8), (0x55, -8), (0xaa, 32256), (0x2a, -32256), (0x80, 5504)] {
            assert_eq!(a_law(byte), value, "A-law {byte:#x}");
        }
        for (byte, value) in [(0xff, 0), (0x7f, 0), (0x80, 32124), (0x00, -32124), (0xf0, 120)] {
            assert_eq!(mu_law(byte), value, "mu-law {byte:#x}");
        }
    }
}
