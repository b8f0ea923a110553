//! Tables that parametric stereo computes once: filters, phases, mixing matrices (ISO/IEC 14496-3 8.6.4).

use std::array::from_fn;
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_PI_2, PI, SQRT_2, TAU};
use std::sync::LazyLock;

/// Subbands with all-pass filters, rounded up to whole vectors: 30 of 71 or 50 of 91.
pub(super) const ALLPASS: usize = 52;

/// Links of each all-pass chain.
pub(super) const LINKS: usize = 3;

/// Taps of a hybrid filter up to its middle; the others mirror them.
pub(super) const HALF_TAPS: usize = 7;

/// Complex filters of one QMF channel: real and imaginary taps, by tap and subband.
pub(super) struct Filters<const Q: usize> {
    pub re: [[f32; Q]; HALF_TAPS],
    pub im: [[f32; Q]; HALF_TAPS],
}

/// The phases of the all-pass chains, by subband.
pub(super) struct Phases {
    pub input: [[f32; ALLPASS]; 2],
    pub links: [[[f32; ALLPASS]; 2]; LINKS],
    /// The links' coefficients, which fade with frequency.
    pub gains: [[f32; ALLPASS]; LINKS],
}

/// All of it.
pub(super) struct Tables {
    pub split_8: Filters<8>,
    pub split_12: Filters<12>,
    pub split_8_wide: Filters<8>,
    pub split_4: Filters<4>,
    /// For 20 and for 34 bands.
    pub phases: [Phases; 2],
    /// h11, h12, h21, h22 by mixing procedure (A, B), intensity (15 coarse, then 31 fine) and coherence.
    pub mixing: [[[[f32; 4]; 8]; 46]; 2],
    /// Unit vectors of a phase smoothed over three envelopes, oldest in the highest three bits.
    pub smooth_phase: [[f32; 2]; 512],
}

pub(super) static TABLES: LazyLock<Tables> = LazyLock::new(Tables::new);

/// Prototypes of the hybrid filters.
const G_8: [f64; HALF_TAPS] =
    [0.00746082949812, 0.02270420949825, 0.04546865930473, 0.07266113929591, 0.09885108575264, 0.11793710567217, 0.125];
const G_12: [f64; HALF_TAPS] = [
    0.04081179924692,
    0.03812810994926,
    0.05144908135699,
    0.06399831151592,
    0.07428313801106,
    0.08100347892914,
    0.08333333333333,
];
const G_8_WIDE: [f64; HALF_TAPS] =
    [0.01565675600122, 0.03752716391991, 0.05417891378782, 0.08417044116767, 0.10307344158036, 0.12222452249753, 0.125];
const G_4: [f64; HALF_TAPS] =
    [-0.05908211155639, -0.04871498374946, 0.0, 0.07778723915851, 0.16486303567403, 0.23279856662996, 0.25];

/// Centres of the subbands below the plain QMF channels, in eighths and in twenty-fourths of a channel.
const CENTRES_20: [f64; 10] = [-3., -1., 1., 3., 5., 7., 10., 14., 18., 22.];
#[rustfmt::skip]
const CENTRES_34: [f64; 32] = [
    2., 6., 10., 14., 18., 22., 26., 30., 34., -10., -6., -2., 51., 57., 15., 21., 27., 33., 39., 45., 54., 66., 78.,
    42., 102., 66., 78., 90., 102., 114., 126., 90.,
];

/// Steps of the intensity difference from 0 up, in dB.
const COARSE_DB: [f64; 8] = [0., 2., 4., 7., 10., 14., 18., 25.];
const FINE_DB: [f64; 16] = [0., 2., 4., 6., 8., 10., 13., 16., 19., 22., 25., 30., 35., 40., 45., 50.];

/// Steps of the coherence.
const COHERENCE: [f64; 8] = [1., 0.937, 0.84118, 0.60092, 0.36764, 0., -0.589, -1.];

impl Tables {
    fn new() -> Self {
        Self {
            split_8: filters(&G_8),
            split_12: filters(&G_12),
            split_8_wide: filters(&G_8_WIDE),
            split_4: filters(&G_4),
            phases: [
                phases(10.0, |k| CENTRES_20.get(k).map_or(k as f64 - 6.5, |centre| centre / 8.0)),
                phases(32.0, |k| CENTRES_34.get(k).map_or(k as f64 - 26.5, |centre| centre / 24.0)),
            ],
            mixing: [
                from_fn(|iid| from_fn(|icc| mixing_a(intensity(iid), COHERENCE[icc]))),
                from_fn(|iid| from_fn(|icc| mixing_b(intensity(iid), COHERENCE[icc]))),
            ],
            smooth_phase: from_fn(smooth_phase),
        }
    }
}

/// A prototype moved to the middle of each of `Q` subbands.
fn filters<const Q: usize>(prototype: &[f64; HALF_TAPS]) -> Filters<Q> {
    let angle = |q: usize, n: usize| TAU * (q as f64 + 0.5) * (n as f64 - 6.0) / Q as f64;
    Filters {
        re: from_fn(|n| from_fn(|q| (prototype[n] * angle(q, n).cos()) as f32)),
        im: from_fn(|n| from_fn(|q| (prototype[n] * -angle(q, n).sin()) as f32)),
    }
}

/// Fractional delays at each subband's centre, and the coefficients, which fade from the subband `cutoff` on.
fn phases(cutoff: f64, centre: impl Fn(usize) -> f64) -> Phases {
    const INPUT: f64 = 0.39;
    const LINK: [f64; LINKS] = [0.43, 0.75, 0.347];
    const GAIN: [f64; LINKS] = [0.65143905753106, 0.56471812200776, 0.48954165955695];
    let turns = |delay: f64| {
        [from_fn(|k| (-PI * delay * centre(k)).cos() as f32), from_fn(|k| (-PI * delay * centre(k)).sin() as f32)]
    };
    Phases {
        input: turns(INPUT),
        links: LINK.map(turns),
        gains: GAIN.map(|gain| from_fn(|k| (gain * (1.0 - 0.05 * (k as f64 - cutoff)).clamp(0.0, 1.0)) as f32)),
    }
}

/// The intensity of an index: -7 to 7 in coarse steps, then -15 to 15 in fine ones.
fn intensity(index: usize) -> f64 {
    let (step, table) = match index {
        0..15 => (index as i32 - 7, &COARSE_DB[..]),
        _ => (index as i32 - 30, &FINE_DB[..]),
    };
    let db = table[step.unsigned_abs() as usize] * f64::from(step.signum());
    10f64.powf(db / 20.0)
}

/// Mixing procedure A.
fn mixing_a(c: f64, coherence: f64) -> [f32; 4] {
    let c_1 = SQRT_2 / (1.0 + c * c).sqrt();
    let c_2 = c * c_1;
    let alpha = 0.5 * coherence.acos();
    let beta = alpha * (c_1 - c_2) * FRAC_1_SQRT_2;
    let (plus, minus) = ((beta + alpha).sin_cos(), (beta - alpha).sin_cos());
    [c_2 * plus.1, c_1 * minus.1, c_2 * plus.0, c_1 * minus.0].map(|h| h as f32)
}

/// Mixing procedure B.
fn mixing_b(c: f64, coherence: f64) -> [f32; 4] {
    let rho = coherence.max(0.05);
    let mut alpha = 0.5 * (2.0 * c * rho).atan2(c * c - 1.0);
    if alpha < 0.0 {
        alpha += FRAC_PI_2;
    }
    let ratio = c + 1.0 / c;
    let mu = (1.0 + (4.0 * rho * rho - 4.0) / (ratio * ratio)).max(0.0).sqrt();
    let gamma = ((1.0 - mu) / (1.0 + mu)).max(0.0).sqrt().atan();
    let ((sin_a, cos_a), (sin_g, cos_g)) = (alpha.sin_cos(), gamma.sin_cos());
    [cos_a * cos_g, sin_a * cos_g, -sin_a * sin_g, cos_a * sin_g].map(|h| (SQRT_2 * h) as f32)
}

/// The direction of a quarter of the oldest phase, half of the one between and the newest.
fn smooth_phase(index: usize) -> [f32; 2] {
    let [oldest, between, newest] = [index >> 6, index >> 3 & 7, index & 7].map(|p| (p as f64 * PI / 4.0).sin_cos());
    let re = 0.25 * oldest.1 + 0.5 * between.1 + newest.1;
    let im = 0.25 * oldest.0 + 0.5 * between.0 + newest.0;
    let length = (re * re + im * im).sqrt();
    [(re / length) as f32, (im / length) as f32]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mixing_keeps_the_energy_of_both_channels_together() {
        for procedure in &TABLES.mixing {
            for h in procedure.iter().flatten() {
                let energy: f32 = h.iter().map(|x| x * x).sum();
                assert!((energy - 2.0).abs() < 1e-4, "{h:?}");
            }
        }
    }

    #[test]
    fn hybrid_filters_add_up_to_a_delay() {
        for sum in [
            TABLES.split_8.re.map(|row| row.iter().sum::<f32>()),
            TABLES.split_12.re.map(|row| row.iter().sum()),
            TABLES.split_8_wide.re.map(|row| row.iter().sum()),
            TABLES.split_4.re.map(|row| row.iter().sum()),
        ] {
            let expected = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0];
            assert!(sum.iter().zip(expected).all(|(got, want)| (got - want).abs() < 1e-6), "{sum:?}");
        }
    }
}
