//! Main prediction: each line guessed from the same line of the two units before (ISO/IEC 14496-3 §4.6.6).

use crate::channel::info::Info;

/// The predictors of a channel, one for each line that can be predicted.
pub(crate) struct Predictors([Predictor; MAX_LINES]);

/// A lattice of two stages that adapts backwards. Its numbers are rounded to 16 bits, as the standard fixes.
#[derive(Clone, Copy)]
struct Predictor {
    correlation: [f32; 2],
    variance: [f32; 2],
    register: [f32; 2],
}

/// Lines below the last predicted band at any rate.
const MAX_LINES: usize = 672;

const FRESH: Predictor = Predictor { correlation: [0.0; 2], variance: [1.0; 2], register: [0.0; 2] };

impl Predictors {
    pub(crate) fn new() -> Predictors {
        Predictors([FRESH; MAX_LINES])
    }

    /// Adds the predictions of the bands that use them, and adapts all predictors to the unit.
    pub(crate) fn run(&mut self, lines: &mut [f32; 1024], info: &Info) {
        if info.short() {
            self.0.fill(FRESH);
            return;
        }
        for band in 0..usize::from(info.bands.predicted) {
            let used = info.prediction.used >> band & 1 != 0;
            let range = info.bands.range(band);
            let (Some(predictors), Some(lines)) = (self.0.get_mut(range.clone()), lines.get_mut(range)) else {
                continue;
            };
            for (predictor, line) in predictors.iter_mut().zip(lines) {
                predictor.step(line, used);
                // Damage can make a predictor diverge.
                if !predictor.variance.iter().all(|v| *v < 1e30) {
                    *predictor = FRESH;
                }
            }
        }
        if let Some(first) = usize::from(info.prediction.reset_group).checked_sub(1) {
            self.0.iter_mut().skip(first).step_by(30).for_each(|predictor| *predictor = FRESH);
        }
    }
}

impl Predictor {
    #[inline]
    fn step(&mut self, line: &mut f32, used: bool) {
        let Predictor { correlation: [cor0, cor1], variance: [var0, var1], register: [r0, r1] } = *self;
        let k0 = if var0 > 1.0 { cor0 * rounded_even(DECAY / var0) } else { 0.0 };
        let k1 = if var1 > 1.0 { cor1 * rounded_even(DECAY / var1) } else { 0.0 };
        if used {
            *line += rounded(k0 * r0 + k1 * r1);
        }
        let error0 = *line;
        let error1 = error0 - k0 * r0;
        self.correlation = [truncated(ADAPTATION * cor0 + r0 * error0), truncated(ADAPTATION * cor1 + r1 * error1)];
        self.variance = [
            truncated(ADAPTATION * var0 + 0.5 * (r0 * r0 + error0 * error0)),
            truncated(ADAPTATION * var1 + 0.5 * (r1 * r1 + error1 * error1)),
        ];
        self.register = [truncated(DECAY * error0), truncated(DECAY * (r0 - k0 * error0))];
    }
}

const DECAY: f32 = 61.0 / 64.0;
const ADAPTATION: f32 = 29.0 / 32.0;

/// The upper 16 bits of the number.
fn truncated(x: f32) -> f32 {
    f32::from_bits(x.to_bits() & 0xffff_0000)
}

fn rounded(x: f32) -> f32 {
    f32::from_bits(x.to_bits().wrapping_add(0x8000) & 0xffff_0000)
}

/// Halfway cases go to the even neighbour.
fn rounded_even(x: f32) -> f32 {
    let bits = x.to_bits();
    f32::from_bits(bits.wrapping_add(0x7fff + (bits >> 16 & 1)) & 0xffff_0000)
}
