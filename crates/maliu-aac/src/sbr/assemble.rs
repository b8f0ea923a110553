//! Gains applied over time, noise and sinusoids added (ISO/IEC 14496-3 4.6.18.7.6).

use super::adjust::{Gains, PerChannel};
use super::noise_table::NOISE;
use crate::planes::Spectrum;
use std::ops::Range;

/// Weights of this slot's gain and of those of the four before (bs_smoothing_mode is 0).
const SMOOTHING: [f32; 5] = [0.333_333_34, 0.301_502_83, 0.218_169_5, 0.115_163_83, 0.031_830_5];

/// The noise table with its start repeated, so that a run of 64 values never wraps.
static NOISE_PARTS: [[f32; NOISE_LENGTH + 64]; 2] = noise_parts();

const NOISE_LENGTH: usize = 512;

const fn noise_parts() -> [[f32; NOISE_LENGTH + 64]; 2] {
    let mut parts = [[0.0; NOISE_LENGTH + 64]; 2];
    let mut i = 0;
    while i < NOISE_LENGTH + 64 {
        parts[0][i] = NOISE[2 * (i % NOISE_LENGTH)];
        parts[1][i] = NOISE[2 * (i % NOISE_LENGTH) + 1];
        i += 1;
    }
    parts
}

/// State that assembling carries from slot to slot.
#[derive(Clone, Debug)]
pub(super) struct Assembler {
    /// The gains, and the noise gains, of the last slots; a ring of which `at` is the newest.
    signal: [PerChannel; SMOOTHING.len()],
    noise: [PerChannel; SMOOTHING.len()],
    at: usize,
    /// f_IndexNoise: the last value taken from the noise table.
    noise_index: usize,
    /// f_IndexSine: the phase of all sinusoids, in quarter turns.
    phase: usize,
}

impl Assembler {
    pub(super) const NEW: Self =
        Self { signal: [[0.0; 64]; 5], noise: [[0.0; 64]; 5], at: 0, noise_index: 0, phase: 0 };

    /// Starts anew after a header changed the tables, with the first gains as history.
    pub(super) fn reset(&mut self, first: &Gains) {
        self.signal = [first.signal; 5];
        self.noise = [first.noise; 5];
    }

    /// Starts the noise table again.
    pub(super) fn restart_noise(&mut self) {
        self.noise_index = 0;
    }

    /// Applies an envelope's gains to `count` channels from `kx` on in the rows `slots`. An envelope that starts with a
    /// transient is neither smoothed nor given noise.
    pub(super) fn apply(
        &mut self,
        gains: &Gains,
        transient: bool,
        smoothing: bool,
        channels: Range<usize>,
        slots: Range<usize>,
        out: &mut Spectrum,
    ) {
        let count = channels.len();
        let tonal = gains.sinusoid[..count].iter().any(|&level| level != 0.0);
        // Channels with a sinusoid have no noise; imaginary parts of sinusoids alternate in sign.
        let audible: PerChannel =
            std::array::from_fn(|i| if transient || gains.sinusoid[i] != 0.0 { 0.0 } else { 1.0 });
        let alternating: PerChannel = std::array::from_fn(|i| match (channels.start + i) % 2 {
            0 => gains.sinusoid[i],
            _ => -gains.sinusoid[i],
        });
        for slot in slots {
            self.at = (self.at + 1) % SMOOTHING.len();
            (self.signal[self.at], self.noise[self.at]) = (gains.signal, gains.noise);
            let (re, im) = out.row_mut(slot);
            let (re, im) = (&mut re[channels.clone()], &mut im[channels.clone()]);
            let noise_from = (self.noise_index + 1) % NOISE_LENGTH;
            let noise_re = &NOISE_PARTS[0][noise_from..noise_from + count];
            let noise_im = &NOISE_PARTS[1][noise_from..noise_from + count];
            let smoothed;
            let (signal, noise) = match smoothing && !transient {
                true => {
                    smoothed = (self.smooth(&self.signal), self.smooth(&self.noise));
                    (&smoothed.0, &smoothed.1)
                }
                false => (&gains.signal, &gains.noise),
            };
            let (signal, noise, audible) = (&signal[..count], &noise[..count], &audible[..count]);
            for i in 0..count {
                let level = noise[i] * audible[i];
                re[i] = re[i] * signal[i] + level * noise_re[i];
                im[i] = im[i] * signal[i] + level * noise_im[i];
            }
            if tonal {
                let (part, levels, sign) = match self.phase {
                    0 => (re, &gains.sinusoid, 1.0),
                    1 => (im, &alternating, 1.0),
                    2 => (re, &gains.sinusoid, -1.0),
                    _ => (im, &alternating, -1.0),
                };
                part.iter_mut().zip(levels).for_each(|(value, level)| *value += sign * level);
            }
            self.noise_index = (self.noise_index + count) % NOISE_LENGTH;
            self.phase = (self.phase + 1) % 4;
        }
    }

    /// The weighed sum of the last five rows.
    fn smooth(&self, rows: &[PerChannel; SMOOTHING.len()]) -> PerChannel {
        let mut sum = [0.0; 64];
        for (back, weight) in SMOOTHING.iter().enumerate() {
            let row = &rows[(self.at + SMOOTHING.len() - back) % SMOOTHING.len()];
            sum.iter_mut().zip(row).for_each(|(sum, gain)| *sum += gain * weight);
        }
        sum
    }
}
