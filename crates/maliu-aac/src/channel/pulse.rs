//! Pulses: up to four lines that are made larger after Huffman decoding (ISO/IEC 14496-3 §4.6.5).

use super::{Channel, book, info::Info};
use crate::{Error, bits::Bits};

/// pulse_data: lines and what is added to their quantised magnitudes.
pub(super) struct Pulse {
    pulses: [(usize, f32); 4],
    count: usize,
}

impl Pulse {
    pub(super) fn parse(bits: &mut Bits, info: &Info) -> Result<Pulse, Error> {
        if info.short() {
            return Err(Error::Malformed { what: "pulses in short windows", bit: bits.position() });
        }
        let count = bits.read(2) as usize + 1;
        let band = bits.read(6) as usize;
        let end = info.bands.range(usize::from(info.bands.count)).start;
        let mut line = info.bands.range(band).start;
        let mut pulses = [(0, 0.0); 4];
        for pulse in pulses.iter_mut().take(count) {
            line += bits.read(5) as usize;
            *pulse = (line, bits.read(4) as f32);
            if band >= usize::from(info.bands.count) || line >= end {
                return Err(Error::Malformed { what: "pulse outside the spectrum", bit: bits.position() });
            }
        }
        Ok(Pulse { pulses, count })
    }

    /// Adds the pulses to lines that are already multiplied with their factors.
    pub(super) fn apply(&self, channel: &mut Channel) {
        let bands = channel.info.bands;
        let mut band = 0;
        for &(line, amplitude) in self.pulses.iter().take(self.count) {
            while band < channel.info.max_sfb && bands.range(band).end <= line {
                band += 1;
            }
            let (book, scale) = (channel.books[band & 127], channel.scales[band & 127]);
            if band >= channel.info.max_sfb || book == book::NOISE || scale == 0.0 {
                continue;
            }
            if let Some(value) = channel.lines.get_mut(line) {
                let quantised = (value.abs() / scale).powf(0.75).round() * value.signum();
                let quantised = if quantised > 0.0 { quantised + amplitude } else { quantised - amplitude };
                *value = quantised * quantised.abs().cbrt() * scale;
            }
        }
    }
}
