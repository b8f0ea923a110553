//! The tables derived from the master table: envelopes, noise, patches, limiter (ISO/IEC 14496-3 4.6.18.3.2.2, 4.6.18.6.3).

use super::borders::Borders;
use super::header::{Header, Spectrum};
use super::master::{Master, master};

/// The most patches: five by the standard, six in the reference decoder's check stream.
const MOST_PATCHES: usize = 6;

/// The most bands of the noise floor.
pub(super) const MOST_NOISE_BANDS: usize = 5;

/// Everything that follows from a header at one rate.
#[derive(Clone, Debug)]
pub(super) struct Bands {
    /// First channel of the master table; linear prediction covers the channels below.
    pub k0: usize,
    /// First channel that SBR makes.
    pub kx: usize,
    /// Number of channels that SBR makes.
    pub m: usize,
    pub high: Borders,
    pub low: Borders,
    pub noise: Borders,
    pub limiter: Borders,
    patches: [Patch; MOST_PATCHES],
    patch_count: usize,
}

/// `count` channels copied up from `start` on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Patch {
    pub start: usize,
    pub count: usize,
}

impl Bands {
    /// The tables of a header; `None` where the standard forbids it.
    pub(super) fn new(rate: u32, header: &Header) -> Option<Self> {
        let spectrum = &header.spectrum;
        let master = master(rate, spectrum)?;
        let high: Borders = master.borders.as_slice().iter().copied().skip(usize::from(spectrum.xover_band)).collect();
        let low = every_second(&high);
        let (kx, m) = (high.first(), high.last() - high.first());
        if high.last() > 64 || kx > 32 {
            return None;
        }
        let noise = noise_borders(spectrum, master.k2, &low)?;
        let (patches, patch_count) = patches(rate, &master, kx, kx + m)?;
        let mut bands = Self { k0: master.k0, kx, m, high, low, noise, limiter: Borders::EMPTY, patches, patch_count };
        bands.set_limiter(header.limiter_bands);
        Some(bands)
    }

    /// The patches, lowest target first; they may leave the topmost channels empty.
    pub(super) fn patches(&self) -> &[Patch] {
        &self.patches[..self.patch_count]
    }

    /// The envelope's bands in high or low frequency resolution.
    pub(super) fn envelope(&self, high: bool) -> &Borders {
        if high { &self.high } else { &self.low }
    }

    /// Makes the limiter's table: low bands and patch borders, thinned to about bs_limiter_bands an octave (4.6.18.3.2.3).
    pub(super) fn set_limiter(&mut self, limiter_bands: u8) {
        // 2^(0.49 / n) for 1.2, 2 and 3 bands an octave.
        let ratio: f32 = match limiter_bands {
            0 => {
                self.limiter = [self.low.first() as u8, self.low.last() as u8].into_iter().collect();
                return;
            }
            1 => 1.327_151_7,
            2 => 1.185_092_8,
            _ => 1.119_871_6,
        };
        let mut patch_ends = [self.kx; MOST_PATCHES + 1];
        for (i, patch) in self.patches().iter().enumerate() {
            patch_ends[i + 1] = patch_ends[i] + patch.count;
        }
        let patch_ends = &patch_ends[..=self.patch_count];
        let inner = &patch_ends[1..self.patch_count.max(1)];
        let mut table: Borders =
            self.low.as_slice().iter().copied().chain(inner.iter().map(|&end| end as u8)).collect();
        table.sort();
        let is_patch_end = |border: u8| patch_ends.contains(&usize::from(border));
        let mut at = 1;
        while let [.., below, border] = table.as_slice()[..(at + 1).min(table.as_slice().len())]
            && at < table.as_slice().len()
        {
            if f32::from(border) >= f32::from(below) * ratio {
                at += 1;
            } else if border == below || !is_patch_end(border) {
                table.remove(at);
            } else if !is_patch_end(below) {
                table.remove(at - 1);
            } else {
                at += 1;
            }
        }
        self.limiter = table;
    }
}

/// The low resolution: every second border of the high one, the first and the last always.
fn every_second(high: &Borders) -> Borders {
    let odd = high.bands() % 2;
    let others = high.as_slice().iter().copied().enumerate().filter(|(i, _)| *i == 0 || (i + odd).is_multiple_of(2));
    others.map(|(_, border)| border).collect()
}

/// Noise bands: bs_noise_bands an octave, made of whole low bands.
fn noise_borders(spectrum: &Spectrum, k2: usize, low: &Borders) -> Option<Borders> {
    let octaves = (k2 as f32 / low.first() as f32).log2();
    let count = ((f32::from(spectrum.noise_bands) * octaves).round_ties_even() as usize).max(1);
    if count > MOST_NOISE_BANDS {
        return None;
    }
    let mut borders = Borders::EMPTY;
    borders.push(low.first() as i32)?;
    let mut index = 0;
    for k in 0..count {
        index += (low.bands() - index) / (count - k);
        borders.push(i32::from(*low.as_slice().get(index)?))?;
    }
    Some(borders)
}

/// Which low channels go where (figure 4.46): patch after patch until `stop`, each as high as its sources reach.
fn patches(rate: u32, master: &Master, kx: usize, stop: usize) -> Option<([Patch; MOST_PATCHES], usize)> {
    let table = master.borders.as_slice();
    let top = table.len() - 1;
    let goal = ((1000 << 11) + rate / 2) / rate;
    let mut k = match (goal as usize) < stop {
        true => table.iter().position(|&border| u32::from(border) >= goal)?,
        false => top,
    };
    let (k0, kx, stop) = (master.k0 as i32, kx as i32, stop as i32);
    let (mut usb, mut msb) = (kx, k0);
    let mut patches = [Patch::default(); MOST_PATCHES];
    let mut count = 0;
    let mut before = None;
    loop {
        if before.replace((k, msb)) == Some((k, msb)) {
            return None;
        }
        let mut i = k;
        let (mut sb, mut odd) = (i32::from(table[i]), (i32::from(table[i]) + k0) & 1);
        while sb > k0 - 1 + msb - odd {
            i = i.checked_sub(1)?;
            sb = i32::from(table[i]);
            odd = (sb + k0) & 1;
        }
        let width = (sb - usb).max(0);
        if width > 0 {
            let start = usize::try_from(k0 - odd - width).ok()?;
            *patches.get_mut(count)? = Patch { start, count: width as usize };
            count += 1;
            (usb, msb) = (sb, sb);
        } else {
            msb = kx;
        }
        if i32::from(table[k]) - sb < 3 {
            k = top;
        }
        if sb == stop {
            break;
        }
    }
    if count > 1 && patches[count - 1].count < 3 {
        count -= 1;
    }
    Some((patches, count))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every_table(mut check: impl FnMut(Bands)) {
        for rate in [16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 64_000, 88_200, 96_000, 128_000, 192_000] {
            for fields in 0..1u32 << 16 {
                let field = |at: u32, n: u32| (fields >> at & ((1 << n) - 1)) as u8;
                let spectrum = Spectrum {
                    start_freq: field(0, 4),
                    stop_freq: field(4, 4),
                    freq_scale: field(8, 2),
                    alter_scale: field(10, 1) == 1,
                    xover_band: field(11, 3),
                    noise_bands: field(14, 2),
                };
                let header = Header {
                    coarse: true,
                    spectrum,
                    limiter_bands: field(3, 2),
                    limiter_gains: 2,
                    interpol_freq: true,
                    smoothing: false,
                };
                Bands::new(rate, &header).into_iter().for_each(&mut check);
            }
        }
    }

    #[test]
    fn every_table_stays_within_the_channels_and_the_limits_of_the_arrays() {
        let mut tables = 0;
        every_table(|bands| {
            tables += 1;
            assert!(bands.kx <= 32 && bands.k0 <= bands.kx && bands.kx + bands.m <= 64 && (1..=48).contains(&bands.m));
            assert_eq!(bands.low.bands(), bands.high.bands().div_ceil(2));
            for borders in [&bands.low, &bands.noise] {
                assert_eq!((borders.first(), borders.last()), (bands.kx, bands.kx + bands.m));
            }
            assert!(bands.limiter.first() == bands.kx && bands.limiter.last() <= bands.kx + bands.m);
            assert!(bands.limiter.ranges().all(|range| !range.is_empty()));
            assert!(bands.patches().iter().all(|p| p.start >= 1 && p.start + p.count <= bands.k0));
            assert!(bands.patches().iter().map(|p| p.count).sum::<usize>() <= bands.m);
        });
        assert!(tables > 100_000, "{tables}");
    }
}
