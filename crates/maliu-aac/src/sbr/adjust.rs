//! Envelope adjustment: how loud each channel, its noise and its sinusoid are to be (ISO/IEC 14496-3 4.6.18.7).

use super::bands::Bands;
use super::header::Header;
use super::levels::Levels;
use super::side_info::SideInfo;
use crate::planes::Spectrum;
use std::ops::Range;

/// A value for each channel from kx on; 48 of them can be in use, more are there for whole vectors.
pub(super) type PerChannel = [f32; 64];

/// Levels that one envelope asks for, by channel from kx on (4.6.18.7.2).
struct Wanted {
    energy: PerChannel,
    noise: PerChannel,
    /// Whether a sinusoid stands in this very channel.
    sinusoid: [bool; 64],
    /// Whether the channel's band has a sinusoid.
    tonal: [bool; 64],
}

/// The factors of one envelope, by channel from kx on.
#[derive(Clone, Debug)]
pub(super) struct Gains {
    pub signal: PerChannel,
    pub noise: PerChannel,
    pub sinusoid: PerChannel,
}

/// The sinusoids of the last envelope, by channel from kx on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sinusoids(pub [bool; 64]);

/// Quantities that the gains of a channel's envelope follow from, besides the signal.
pub(super) struct Adjuster<'a> {
    pub header: &'a Header,
    pub bands: &'a Bands,
    pub info: &'a SideInfo,
    pub levels: &'a Levels,
    /// The sinusoids that the unit before ended with.
    pub before: Sinusoids,
}

impl Adjuster<'_> {
    /// The gains of envelope `e`, whose generated signal is in the rows `slots`; and the sinusoids it has.
    pub(super) fn gains(&self, e: usize, slots: Range<usize>, signal: &Spectrum) -> (Gains, Sinusoids) {
        let wanted = self.wanted(e);
        let present = self.energy(e, slots, signal);
        let gains = self.limited(&wanted, &present, !self.has_transient(e));
        (gains, Sinusoids(wanted.sinusoid))
    }

    /// Whether envelope `e` starts with a transient, of this unit or at the very end of the one before.
    pub(super) fn has_transient(&self, e: usize) -> bool {
        self.info.grid.transient == Some(e) || (e == 0 && self.info.starts_with_transient)
    }

    /// Spreads levels and sinusoids over channels.
    fn wanted(&self, e: usize) -> Wanted {
        let (bands, info) = (self.bands, self.info);
        let grid = &info.grid;
        let mut wanted = Wanted { energy: [0.0; 64], noise: [0.0; 64], sinusoid: [false; 64], tonal: [false; 64] };
        let relative = |range: Range<usize>| range.start - bands.kx..range.end - bands.kx;

        let floor = usize::from(grid.floors > 1 && grid.borders[e] >= grid.floor_border);
        for (range, level) in bands.noise.ranges().zip(self.levels.noise[floor]) {
            wanted.noise[relative(range)].fill(level);
        }
        let started = grid.transient.is_none_or(|transient| e >= transient);
        for (range, &coded) in bands.high.ranges().zip(&info.sinusoid) {
            let middle = (range.start + range.end) / 2 - bands.kx;
            wanted.sinusoid[middle] = coded && (started || self.before.0[middle]);
        }
        for (range, level) in bands.envelope(grid.high[e]).ranges().zip(self.levels.envelope[e]) {
            let range = relative(range);
            wanted.energy[range.clone()].fill(level);
            let tonal = wanted.sinusoid[range.clone()].contains(&true);
            wanted.tonal[range].fill(tonal);
        }
        wanted
    }

    /// The mean energy that is there, by channel or (bs_interpol_freq is 0) by band (4.6.18.7.3).
    fn energy(&self, e: usize, slots: Range<usize>, signal: &Spectrum) -> PerChannel {
        let (kx, m) = (self.bands.kx, self.bands.m);
        let mut sums = [0.0; 64];
        let count = slots.len() as f32;
        for slot in slots {
            let (re, im) = signal.row(slot);
            for ((sum, re), im) in sums[..m].iter_mut().zip(&re[kx..kx + m]).zip(&im[kx..kx + m]) {
                *sum += re * re + im * im;
            }
        }
        if self.header.interpol_freq {
            let scale = 1.0 / count;
            sums.iter_mut().for_each(|sum| *sum *= scale);
            return sums;
        }
        for range in self.bands.envelope(self.info.grid.high[e]).ranges() {
            let band = &mut sums[range.start - kx..range.end - kx];
            let mean = band.iter().sum::<f32>() / (count * range.len() as f32);
            band.fill(mean);
        }
        sums
    }

    /// Gains from wanted to present energy, bounded within each limiter band and made up for (4.6.18.7.4 to
    /// 4.6.18.7.5).
    fn limited(&self, wanted: &Wanted, present: &PerChannel, with_noise: bool) -> Gains {
        let most = [0.70795, 1.0, 1.41254, 1e10][usize::from(self.header.limiter_gains & 3)];
        let mut gains = Gains { signal: [0.0; 64], noise: [0.0; 64], sinusoid: [0.0; 64] };
        let noise_share = if with_noise { 1.0 } else { 0.0 };
        for (i, &present) in present.iter().enumerate() {
            let (energy, noise) = (wanted.energy[i], wanted.noise[i]);
            let share = energy / (1.0 + noise);
            gains.noise[i] = (share * noise).sqrt();
            gains.sinusoid[i] = if wanted.sinusoid[i] { share.sqrt() } else { 0.0 };
            let gain = match wanted.tonal[i] {
                false => (energy / ((1.0 + present) * (1.0 + noise * noise_share))).sqrt(),
                true => (energy * noise / ((1.0 + present) * (1.0 + noise))).sqrt(),
            };
            gains.signal[i] = gain + f32::MIN_POSITIVE;
        }
        for range in self.bands.limiter.ranges() {
            let range = range.start - self.bands.kx..range.end - self.bands.kx;
            let total: f32 = wanted.energy[range.clone()].iter().sum();
            let there: f32 = present[range.clone()].iter().sum();
            let bound = (most * ((f32::EPSILON + total) / (f32::EPSILON + there)).sqrt()).min(100_000.0);
            let mut made = 0.0;
            for i in range.clone() {
                let noise_bound = gains.noise[i] * bound / gains.signal[i];
                gains.noise[i] = gains.noise[i].min(noise_bound);
                gains.signal[i] = gains.signal[i].min(bound);
                made += present[i] * gains.signal[i] * gains.signal[i] + gains.sinusoid[i] * gains.sinusoid[i];
                if with_noise && gains.sinusoid[i] == 0.0 {
                    made += gains.noise[i] * gains.noise[i];
                }
            }
            let boost = ((f32::EPSILON + total) / (f32::EPSILON + made)).sqrt().min(1.584_893_2);
            for i in range {
                gains.signal[i] *= boost;
                gains.noise[i] *= boost;
                gains.sinusoid[i] *= boost;
            }
        }
        gains
    }
}
