//! Rising halves of the windows: sine, Kaiser-Bessel derived, and low overlap (ISO/IEC 14496-3 §4.6.11.3.2).

use core::f64::consts::{FRAC_PI_2, PI};

/// sin(π/2n · (i + ½)).
pub(crate) fn sine(n: usize) -> Vec<f32> {
    (0..n).map(|i| (FRAC_PI_2 / n as f64 * (i as f64 + 0.5)).sin() as f32).collect()
}

/// Kaiser-Bessel derived: the square root of the growing sum of a Kaiser window.
pub(crate) fn kaiser_bessel(n: usize, alpha: f64) -> Vec<f32> {
    let kaiser = |i: usize| {
        let x = 2.0 * i as f64 / n as f64 - 1.0;
        bessel(PI * alpha * (1.0 - x * x).sqrt())
    };
    let total: f64 = (0..=n).map(kaiser).sum();
    let mut sum = 0.0;
    (0..n)
        .map(|i| {
            sum += kaiser(i);
            (sum / total).sqrt() as f32
        })
        .collect()
}

/// Low overlap of AAC-LD: silence, a sine slope over a quarter of the frame, full level.
pub(crate) fn low_overlap(n: usize) -> Vec<f32> {
    let flat = 3 * n / 8;
    let silence = core::iter::repeat_n(0.0, flat);
    silence.chain(sine(n / 4)).chain(core::iter::repeat_n(1.0, flat)).collect()
}

/// Modified Bessel function of the first kind and order 0.
fn bessel(x: f64) -> f64 {
    let mut term = 1.0;
    let mut sum = 1.0;
    for k in 1..64 {
        term *= (x / (2.0 * f64::from(k))).powi(2);
        sum += term;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlapping_windows_add_up_to_full_power() {
        let windows = [sine(1024), sine(120), kaiser_bessel(1024, 4.0), kaiser_bessel(128, 6.0), low_overlap(512)];
        for window in windows.into_iter().chain([kaiser_bessel(960, 4.0), low_overlap(480)]) {
            assert!(window.iter().zip(window.iter().rev()).all(|(a, b)| (a * a + b * b - 1.0).abs() < 1e-6));
            assert!(window.windows(2).all(|w| w[0] <= w[1]));
        }
        // From the standard's table of the long window.
        assert!((kaiser_bessel(1024, 4.0)[0] - 0.000_292_56).abs() < 1e-8);
    }
}
