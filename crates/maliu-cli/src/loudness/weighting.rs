//! K-weighting (ITU-R BS.1770-4, annex 1): a shelf for the head, then a high pass; and the weights of channels.

use std::f64::consts::PI;

/// Both filters of one channel.
#[derive(Clone)]
pub(super) struct Weighting {
    shelf: Biquad,
    high_pass: Biquad,
}

#[derive(Clone)]
struct Biquad {
    b: [f64; 3],
    a: [f64; 2],
    held: [f64; 2],
}

impl Weighting {
    /// At this rate, by the analogue filters of which the standard gives the coefficients at 48 kHz.
    pub(super) fn new(rate: u32) -> Self {
        let warped = |frequency: f64| (PI * frequency / f64::from(rate)).tan();
        let (k, quality) = (warped(1_681.974_450_955_533), 0.707_175_236_955_419_6);
        let high = 10f64.powf(3.999_843_853_973_347 / 20.0);
        let band = high.powf(0.499_666_774_154_541_6);
        let a0 = 1.0 + k / quality + k * k;
        let shelf = Biquad {
            b: [
                (high + band * k / quality + k * k) / a0,
                2.0 * (k * k - high) / a0,
                (high - band * k / quality + k * k) / a0,
            ],
            a: [2.0 * (k * k - 1.0) / a0, (1.0 - k / quality + k * k) / a0],
            held: [0.0; 2],
        };
        let (k, quality) = (warped(38.135_470_876_024_44), 0.500_327_037_323_877_3);
        let a0 = 1.0 + k / quality + k * k;
        let a = [2.0 * (k * k - 1.0) / a0, (1.0 - k / quality + k * k) / a0];
        Self { shelf, high_pass: Biquad { b: [1.0, -2.0, 1.0], a, held: [0.0; 2] } }
    }

    /// The weighted sample.
    pub(super) fn next(&mut self, sample: f64) -> f64 {
        self.high_pass.next(self.shelf.next(sample))
    }
}

impl Biquad {
    fn next(&mut self, sample: f64) -> f64 {
        let out = self.b[0] * sample + self.held[0];
        self.held[0] = self.b[1] * sample - self.a[0] * out + self.held[1];
        self.held[1] = self.b[2] * sample - self.a[1] * out;
        // Silence after sound must not end in numbers that processors are slow with.
        self.held.iter_mut().filter(|held| held.abs() < 1e-30).for_each(|held| *held = 0.0);
        out
    }
}

/// Surround channels count 1.5 dB more, low frequencies do not count (§2). The place is a bit of a WAVE channel mask.
pub(super) fn channel_weight(place: Option<u32>) -> f64 {
    match place {
        Some(3) => 0.0,
        Some(4 | 5 | 9 | 10) => 1.41,
        _ => 1.0,
    }
}
