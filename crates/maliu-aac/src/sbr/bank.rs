//! Windows and phases of the QMF banks, of SBR and of low delay SBR (ISO/IEC 14496-3 4.6.18.4, 4.6.19).

use super::fft::{Batch, Turns, Twiddles, turn};
use super::low_delay_prototype::LOW_DELAY_PROTOTYPE;
use super::prototype::PROTOTYPE;
use crate::lanes::Aligned;
use std::array::from_fn;
use std::f64::consts::PI;
use std::sync::LazyLock;

/// Inside SBR, full scale is that of 16 bit samples: the standard's constants refer to it.
pub(super) const SCALE: f32 = 32768.0;

/// The windows and phases of a pair of banks.
pub(super) struct Bank {
    pub(super) twiddles: Twiddles,
    pub(super) windows: Windows,
    pub(super) analysis_in: Turns,
    pub(super) analysis_out: Turns,
    pub(super) synthesis_turn: Turns,
    pub(super) rotation: Option<Rotation>,
}

/// Windows with the scale of their banks; that of the analysis in the order of time.
pub(super) struct Windows {
    pub(super) analysis: Aligned<[f32; 320]>,
    pub(super) synthesis: Aligned<[f32; 640]>,
    pub(super) downsampled: Aligned<[f32; 320]>,
}

/// How channels are turned before they are put together; only low delay needs it.
pub(super) struct Rotation {
    pub(super) full: [[f32; 2]; 64],
    pub(super) downsampled: [[f32; 2]; 64],
}

static STANDARD: LazyLock<Bank> = LazyLock::new(Bank::standard);
static LOW_DELAY: LazyLock<Bank> = LazyLock::new(Bank::low_delay);

impl Bank {
    /// The banks of SBR, or those of low delay SBR (4.6.19).
    pub(super) fn of(low_delay: bool) -> &'static Bank {
        if low_delay { &LOW_DELAY } else { &STANDARD }
    }

    fn new(windows: Windows, analysis_out: Turns, rotation: Option<Rotation>) -> Self {
        Self {
            twiddles: Twiddles::new(),
            windows,
            analysis_in: Turns::new(|n| -PI * n as f64 / 64.0),
            analysis_out,
            synthesis_turn: Turns::new(|k| -PI * (k as f64 + 0.125) / 64.0),
            rotation,
        }
    }

    fn standard() -> Self {
        let c = window();
        let windows = Windows {
            analysis: Aligned(from_fn(|n| c[2 * (319 - n)] * (2.0 * SCALE))),
            synthesis: Aligned(from_fn(|n| c[n] / (64.0 * SCALE))),
            downsampled: Aligned(from_fn(|n| c[2 * n] / (64.0 * SCALE))),
        };
        // The upper half of the transform gives mirrored channels, a quarter turn off.
        let mirrored = |j: usize| if j < 16 { PI } else { PI / 2.0 };
        Self::new(windows, Turns::new(|j| mirrored(j) - PI * (5.0 * j as f64 + 1.25) / 64.0), None)
    }

    fn low_delay() -> Self {
        let c = &LOW_DELAY_PROTOTYPE;
        let mean = |n: usize| (c[2 * n] + c[2 * n + 1]) / 2.0;
        let windows = Windows {
            analysis: Aligned(from_fn(|n| mean(n) * (2.0 * SCALE))),
            synthesis: Aligned(from_fn(|n| -c[639 - n] / (64.0 * SCALE))),
            downsampled: Aligned(from_fn(|n| -mean(319 - n) / (64.0 * SCALE))),
        };
        let turns = |step: f64| from_fn(|k| turn((k as f64 + 0.5) * step));
        let rotation = Rotation { full: turns(PI / 2.0), downsampled: turns(PI / 2.0 - PI / 128.0) };
        Self::new(windows, Turns::new(|j| PI * (62.0 * j as f64 + 15.5) / 64.0), Some(rotation))
    }

    /// The cosine transform behind both synthesis banks, of values that are turned already.
    #[inline(always)]
    pub(super) fn transform(&self, batch: &mut Batch, scratch: &mut Batch) {
        self.twiddles.fft(batch, scratch, &self.synthesis_turn);
    }
}

/// The whole window c: the prototype mirrored about n = 320, with the signs of its blocks of 128.
pub(super) fn window() -> [f32; 640] {
    from_fn(|n| match n {
        0..=320 => PROTOTYPE[n],
        384 | 512 => -PROTOTYPE[640 - n],
        _ => PROTOTYPE[640 - n],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prototype_is_symmetric_but_for_the_signs_of_its_blocks() {
        let c = window();
        assert!((1..320).all(|n| c[320 + n].abs() == c[320 - n].abs()) && c[0] == 0.0);
        let sum: f64 = c.iter().map(|&x| f64::from(x).powi(2)).sum();
        assert!((sum - 64.0).abs() < 0.01, "{sum}");
    }
}
