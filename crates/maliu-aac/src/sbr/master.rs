//! The master frequency table: which QMF channels SBR may cover, in which bands (ISO/IEC 14496-3 4.6.18.3.2.1).

use super::borders::Borders;
use super::header::Spectrum;

/// The master table with the channels it starts and stops at.
pub(super) struct Master {
    pub k0: usize,
    pub k2: usize,
    pub borders: Borders,
}

/// Start channels by bs_start_freq, relative to the lowest start of the rate; one row per class of rates.
#[rustfmt::skip]
const START_OFFSETS: [[i8; 16]; 6] = [
    [-8, -7, -6, -5, -4, -3, -2, -1, 0, 1,  2,  3,  4,  5,  6,  7],
    [-5, -4, -3, -2, -1,  0,  1,  2, 3, 4,  5,  6,  7,  9, 11, 13],
    [-5, -3, -2, -1,  0,  1,  2,  3, 4, 5,  6,  7,  9, 11, 13, 16],
    [-6, -4, -2, -1,  0,  1,  2,  3, 4, 5,  6,  7,  9, 11, 13, 16],
    [-4, -2, -1,  0,  1,  2,  3,  4, 5, 6,  7,  9, 11, 13, 16, 20],
    [-2, -1,  0,  1,  2,  3,  4,  5, 6, 7,  9, 11, 13, 16, 20, 24],
];

/// The table of a header at the rate of the SBR output; `None` where the standard forbids the combination.
pub(super) fn master(rate: u32, spectrum: &Spectrum) -> Option<Master> {
    let (k0, k2) = limits(rate as i32, spectrum)?;
    let borders = match spectrum.freq_scale {
        0 => linear(k0, k2, spectrum)?,
        scale => logarithmic(k0, k2, scale, spectrum.alter_scale)?,
    };
    let bands = borders.bands();
    (bands > 0 && usize::from(spectrum.xover_band) < bands).then_some(Master {
        k0: k0 as usize,
        k2: k2 as usize,
        borders,
    })
}

/// The rate of the standard whose tables serve the SBR output at `rate` (4.6.18.2.6); beyond 96 kHz there are only
/// exact ones.
pub(super) fn standard_rate(rate: u32) -> u32 {
    match rate {
        ..18_783 => 16_000,
        18_783..23_004 => 22_050,
        23_004..27_713 => 24_000,
        27_713..37_566 => 32_000,
        37_566..46_009 => 44_100,
        46_009..55_426 => 48_000,
        55_426..75_132 => 64_000,
        75_132..92_017 => 88_200,
        92_017..110_000 => 96_000,
        exact => exact,
    }
}

/// k0 and k2 from bs_start_freq and bs_stop_freq (4.6.18.3.2.1 and the requirements of 4.6.18.3.6).
fn limits(rate: i32, spectrum: &Spectrum) -> Option<(i32, i32)> {
    let class = [22_050, 24_000, 32_000, 44_100, 88_200].iter().filter(|&&floor| rate >= floor).count();
    let offsets = START_OFFSETS[class];
    let base = [3000, 4000, 5000][usize::from(rate >= 32_000) + usize::from(rate >= 64_000)];
    let k0 = ((base << 7) + (rate >> 1)) / rate + i32::from(offsets[usize::from(spectrum.start_freq & 15)]);
    let k2 = match spectrum.stop_freq {
        14 => 2 * k0,
        15 => 3 * k0,
        stop => {
            let lowest = ((base << 8) + (rate >> 1)) / rate;
            let mut widths = [0; 13];
            widths_into(&mut widths, lowest, 64);
            widths.sort_unstable();
            lowest + widths.iter().take(usize::from(stop)).sum::<i32>()
        }
    }
    .min(64);
    let most = [48, 35, 32][usize::from(rate > 32_000) + usize::from(rate >= 48_000)];
    (k0 > 0 && k2 > k0 && k2 - k0 <= most).then_some((k0, k2))
}

/// bs_freq_scale is 0: bands of one or two channels.
fn linear(k0: i32, k2: i32, spectrum: &Spectrum) -> Option<Borders> {
    let width = if spectrum.alter_scale { 2 } else { 1 };
    let count = ((k2 - k0 + (width & 2)) >> width) << 1;
    let mut widths = [width; super::borders::MOST - 1];
    let widths = widths.get_mut(..usize::try_from(count).ok()?)?;
    match (k2 - k0 - count * width, &mut *widths) {
        (..=-2, [first, second, ..]) => (*first, *second) = (*first - 1, *second - 1),
        (-1, [first, ..]) => *first -= 1,
        (1.., [.., last]) => *last += 1,
        _ => {}
    }
    let mut borders = Borders::EMPTY;
    stack(&mut borders, k0, widths)?;
    Some(borders)
}

/// bs_freq_scale above 0: 12, 10 or 8 bands an octave, in one region or two.
fn logarithmic(k0: i32, k2: i32, scale: u8, alter_scale: bool) -> Option<Borders> {
    let half_bands = 7.0 - f32::from(scale);
    let two_regions = 49 * k2 > 110 * k0;
    let k1 = if two_regions { 2 * k0 } else { k2 };

    let mut storage = [0; 64];
    let lower = storage.get_mut(..even_count(half_bands * (k1 as f32 / k0 as f32).log2())?)?;
    widths_into(lower, k0, k1);
    lower.sort_unstable();
    let widest = *lower.last()?;
    let mut borders = Borders::EMPTY;
    stack(&mut borders, k0, lower)?;
    if !two_regions {
        return Some(borders);
    }

    let warp = if alter_scale { 0.769_230_8 } else { 1.0 };
    let mut storage = [0; 64];
    let upper = storage.get_mut(..even_count(half_bands * warp * (k2 as f32 / k1 as f32).log2())?)?;
    widths_into(upper, k1, k2);
    upper.sort_unstable();
    if let [narrowest, .., last] = upper
        && *narrowest < widest
    {
        let change = (widest - *narrowest).min((*last - *narrowest) >> 1);
        *narrowest += change;
        *last -= change;
        upper.sort_unstable();
    }
    borders.remove(borders.bands());
    stack(&mut borders, k1, upper)?;
    Some(borders)
}

/// Twice the count, rounded to nearest even, of half the bands; `None` when there are none.
fn even_count(half: f32) -> Option<usize> {
    let count = half.round_ties_even() as i32 * 2;
    usize::try_from(count).ok().filter(|&count| count > 0)
}

/// Band widths that grow geometrically from `start` to `stop`. The product runs in f32: its rounding decides borders.
fn widths_into(widths: &mut [i32], start: i32, stop: i32) {
    let ratio = (stop as f32 / start as f32).powf(1.0 / widths.len() as f32);
    let (mut exact, mut previous) = (start as f32, start);
    if let Some((last, others)) = widths.split_last_mut() {
        for width in others {
            exact *= ratio;
            let present = exact.round_ties_even() as i32;
            *width = present - previous;
            previous = present;
        }
        *last = stop - previous;
    }
}

/// Appends `start` and the borders that follow it at these widths; `None` for an empty band.
fn stack(borders: &mut Borders, start: i32, widths: &[i32]) -> Option<()> {
    borders.push(start)?;
    let mut at = start;
    for &width in widths {
        if width <= 0 {
            return None;
        }
        at += width;
        borders.push(at)?;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spectrum(start_freq: u8, stop_freq: u8, freq_scale: u8, alter_scale: bool) -> Spectrum {
        Spectrum { start_freq, stop_freq, xover_band: 0, freq_scale, alter_scale, noise_bands: 2 }
    }

    #[test]
    fn rates_of_the_standard_are_their_own_neighbours() {
        for rate in [16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 64_000, 88_200, 96_000, 128_000, 192_000] {
            assert_eq!(standard_rate(rate), rate);
        }
        assert_eq!([14_700, 45_000, 50_000].map(standard_rate), [16_000, 44_100, 48_000]);
    }

    #[test]
    fn a_linear_table_has_even_bands_and_absorbs_the_rest_at_its_edge() {
        let table = master(44_100, &spectrum(7, 9, 0, true)).unwrap();
        let widths: Vec<_> = table.borders.ranges().map(|r| r.len()).collect();
        assert_eq!(widths.iter().sum::<usize>(), table.k2 - table.k0);
        assert!(widths.len() % 2 == 0 && widths.iter().all(|w| (1..=3).contains(w)), "{widths:?}");
    }

    #[test]
    fn every_legal_header_gives_ascending_borders_from_k0_to_k2() {
        let mut legal = 0;
        for rate in [16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 64_000, 88_200, 96_000, 128_000, 192_000] {
            for fields in 0..16u32 * 16 * 4 * 2 {
                let spectrum =
                    spectrum((fields & 15) as u8, (fields >> 4 & 15) as u8, (fields >> 8 & 3) as u8, fields >> 10 == 1);
                if let Some(table) = master(rate, &spectrum) {
                    legal += 1;
                    let borders = table.borders.as_slice();
                    assert_eq!((borders[0] as usize, table.borders.last()), (table.k0, table.k2));
                    assert!(borders.windows(2).all(|w| w[0] < w[1]), "{borders:?}");
                }
            }
        }
        assert!(legal > 8000, "{legal}");
    }
}
