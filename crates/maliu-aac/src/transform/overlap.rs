//! Windows applied, halves of windows added, and the transform from samples to lines: what both filter banks share.

use multiversion::multiversion;

use super::Dct4;

/// Multiplies samples with a window.
pub(crate) fn shape<'a>(sound: &mut [f32], window: impl Iterator<Item = &'a f32>) {
    sound.iter_mut().zip(window).for_each(|(sample, factor)| *sample *= factor);
}

/// The forward MDCT of windowed samples, twice as many as the lines of `transform`.
pub(crate) fn forward(transform: &mut Dct4, sound: &[f32], folded: &mut [f32], lines: &mut [f32; 1024]) {
    let length = sound.len() / 2;
    let half = length / 2;
    for j in 0..half {
        folded[j] = -sound[3 * half - 1 - j] - sound[3 * half + j];
        folded[half + j] = sound[j] - sound[length - 1 - j];
    }
    transform.run(&folded[..length], &mut lines[..length]);
    // The transform is scaled for the way back.
    let scale = (2.0 * FULL_SCALE * FULL_SCALE * length as f64) as f32;
    lines[..length].iter_mut().for_each(|line| *line *= scale);
}

/// Adds a falling and a rising half: `folded` and `rising` are half as long as `out` and the rising window.
#[multiversion(targets("x86_64+avx2+bmi1+bmi2", "x86_64+avx"))]
pub(crate) fn add_overlap(out: &mut [f32], folded: &[f32], rising: &[f32], window: &[f32]) {
    let half = out.len() / 2;
    let (low, high) = out.split_at_mut(half);
    let (up, down) = window.split_at(half);
    let (low, high, up, down) = (&mut low[..half], &mut high[..half], &up[..half], &down[..half]);
    let (folded, rising) = (&folded[..half], &rising[..half]);
    for i in 0..half {
        let last = half - 1 - i;
        low[i] = folded[i] * down[last] + rising[i] * up[i];
        high[last] = folded[i] * up[i] - rising[i] * down[last];
    }
}

/// Lines are scaled for 16 bit samples; ours have full scale 1.0.
pub(crate) const FULL_SCALE: f64 = 32768.0;
