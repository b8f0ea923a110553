//! GSM 06.10 full rate speech: 160 samples in 33 bytes, or 320 in the 65 bytes that Microsoft packs (ETSI EN 300 961).
//!
//! ```text
//!   bits ─▶ LAR, and four times: lag, gain, grid, pulses ─▶ pulses on their grid ─▶ + long-term echo ─▶ lattice ─▶ de-emphasis
//! ```
//!
//! All arithmetic is the standard's 16-bit one, which makes the result exact.

use maliu_core::{
    error::{Error, Result},
    packet::Packet,
    stream::{Codec, StreamInfo},
};

use crate::{AudioFrame, Fault, Samples, Unit, pcm};

pub(crate) const CODECS: &[Codec] = &[Codec::Gsm, Codec::GsmMs];

pub(crate) fn make(info: &StreamInfo) -> Result<Box<dyn Unit>> {
    let shell = pcm::shell(info)?;
    if shell.channels != 1 {
        return Err(Error::unsupported(format!("GSM of {} channels", shell.channels)));
    }
    Ok(Box::new(Gsm { shell, microsoft: info.codec == Codec::GsmMs, voice: Voice::default() }))
}

struct Gsm {
    shell: AudioFrame,
    microsoft: bool,
    voice: Voice,
}

impl Unit for Gsm {
    fn decode(&mut self, packet: &Packet) -> std::result::Result<AudioFrame, Fault> {
        let mut samples = Vec::new();
        if self.microsoft {
            for block in packet.data.chunks_exact(65) {
                let mut bits = Bits { bytes: block, at: 0, low_first: true };
                (0..2).for_each(|_| self.voice.frame(&mut bits, &mut samples));
            }
        } else {
            for block in packet.data.chunks_exact(33) {
                // Four bits of signature come first.
                let mut bits = Bits { bytes: block, at: 4, low_first: false };
                self.voice.frame(&mut bits, &mut samples);
            }
        }
        Ok(AudioFrame { samples: Samples::I32(samples), ..self.shell.clone() })
    }

    fn reset(&mut self) {
        self.voice = Voice::default();
    }
}

/// State that goes on from frame to frame.
struct Voice {
    /// The last 120 samples of the excitation, and room for 40 more.
    excitation: [i16; 160],
    lag: usize,
    /// Log area ratios of the last frame.
    ratios: [i16; 8],
    lattice: [i16; 9],
    emphasis: i16,
}

impl Default for Voice {
    fn default() -> Self {
        Self { excitation: [0; 160], lag: 40, ratios: [0; 8], lattice: [0; 9], emphasis: 0 }
    }
}

impl Voice {
    fn frame(&mut self, bits: &mut Bits, out: &mut Vec<i32>) {
        let codes = RATIO_BITS.map(|width| bits.take(width));
        let mut signal = [0; 160];
        for part in signal.chunks_exact_mut(40) {
            part.copy_from_slice(&self.excite(bits));
        }
        let ratios = decoded_ratios(codes);
        self.synthesise(&ratios, &mut signal);
        self.ratios = ratios;
        for sample in signal {
            self.emphasis = sample.saturating_add(product(self.emphasis, 28_180));
            let sample = self.emphasis.saturating_add(self.emphasis) & !7;
            out.push(i32::from(sample) << 16);
        }
    }

    /// The excitation of a quarter of a frame: pulses, and what went before at the lag (§5.3.1, §5.3.2).
    fn excite(&mut self, bits: &mut Bits) -> [i16; 40] {
        let lag = usize::from(bits.take(7));
        let gain = GAINS[usize::from(bits.take(2))];
        let grid = usize::from(bits.take(2));
        let (exponent, mantissa) = exponent_and_mantissa(bits.take(6) as i16);
        let shift = 6 - exponent;
        let half = if shift > 0 { 1 << (shift - 1) } else { 0 };
        let mut part = [0; 40];
        for pulse in 0..13 {
            let code = (2 * bits.take(3) as i16 - 7) << 12;
            let scaled = product(FACTORS[mantissa], code).saturating_add(half);
            part[grid + 3 * pulse] = scaled >> shift;
        }
        if (40..=120).contains(&lag) {
            self.lag = lag;
        }
        for (n, sample) in part.iter_mut().enumerate() {
            let echo = product(gain, self.excitation[120 + n - self.lag]);
            *sample = sample.saturating_add(echo);
            self.excitation[120 + n] = *sample;
        }
        self.excitation.copy_within(40.., 0);
        part
    }

    /// The lattice filter, over log area ratios that glide from the last frame's to this one's (§5.3.3, §5.3.4).
    fn synthesise(&mut self, ratios: &[i16; 8], signal: &mut [i16; 160]) {
        let last = self.ratios;
        let glide = |mix: fn(i16, i16) -> i16| std::array::from_fn(|n| reflection(mix(last[n], ratios[n])));
        let stages: [(_, [i16; 8]); 4] = [
            (0..13, glide(|last, next| (last >> 2).saturating_add(next >> 2).saturating_add(last >> 1))),
            (13..27, glide(|last, next| (last >> 1).saturating_add(next >> 1))),
            (27..40, glide(|last, next| (last >> 2).saturating_add(next >> 2).saturating_add(next >> 1))),
            (40..160, glide(|_, next| next)),
        ];
        for (range, coefficients) in stages {
            for sample in &mut signal[range] {
                for (n, coefficient) in coefficients.iter().enumerate().rev() {
                    *sample = sample.saturating_sub(product(*coefficient, self.lattice[n]));
                    self.lattice[n + 1] = self.lattice[n].saturating_add(product(*coefficient, *sample));
                }
                self.lattice[0] = *sample;
            }
        }
    }
}

/// The rounded product of two fractions.
fn product(a: i16, b: i16) -> i16 {
    ((i32::from(a) * i32::from(b) + 16_384) >> 15).min(i16::MAX.into()) as i16
}

fn exponent_and_mantissa(code: i16) -> (i16, usize) {
    let mut exponent = if code > 15 { (code >> 3) - 1 } else { 0 };
    let mut mantissa = code - (exponent << 3);
    if mantissa == 0 {
        return (-4, 7);
    }
    while mantissa <= 7 {
        mantissa = mantissa << 1 | 1;
        exponent -= 1;
    }
    (exponent, (mantissa & 7) as usize)
}

fn decoded_ratios(codes: [u16; 8]) -> [i16; 8] {
    std::array::from_fn(|n| {
        let (offset, minimum, inverse) = RATIO_SCALES[n];
        let value = ((codes[n] as i16 + minimum) << 10).saturating_sub(offset << 1);
        let value = product(inverse, value);
        value.saturating_add(value)
    })
}

/// The reflection coefficient of a log area ratio, in three straight pieces.
fn reflection(ratio: i16) -> i16 {
    let size = ratio.saturating_abs();
    let value = match size {
        ..11_059 => size << 1,
        11_059..20_070 => size + 11_059,
        _ => (size >> 2).saturating_add(26_112),
    };
    if ratio < 0 { -value } else { value }
}

struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Whether the lowest bit of a byte and of a value comes first.
    low_first: bool,
}

impl Bits<'_> {
    fn take(&mut self, width: usize) -> u16 {
        (0..width).fold(0, |value, n| {
            let place = if self.low_first { self.at % 8 } else { 7 - self.at % 8 };
            let bit = self.bytes.get(self.at / 8).map_or(0, |byte| u16::from(byte >> place & 1));
            self.at += 1;
            if self.low_first { value | bit << n } else { value << 1 | bit }
        })
    }
}

const RATIO_BITS: [usize; 8] = [6, 6, 5, 5, 4, 4, 3, 3];

/// B, MIC and 1/A of the quantised log area ratios (table 5.1 and 5.2).
const RATIO_SCALES: [(i16, i16, i16); 8] = [
    (0, -32, 13_107),
    (0, -32, 13_107),
    (2048, -16, 13_107),
    (-2560, -16, 13_107),
    (94, -8, 19_223),
    (-1792, -8, 17_476),
    (-341, -4, 31_454),
    (-1144, -4, 29_708),
];

/// QLB, the gains of the long-term echo (table 5.3b).
const GAINS: [i16; 4] = [3277, 11_469, 21_299, 32_767];

/// FAC, by mantissa (table 5.6).
const FACTORS: [i16; 8] = [18_431, 20_479, 22_527, 24_575, 26_623, 28_671, 30_719, 32_767];
