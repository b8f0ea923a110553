//! Mixing: left and right from the mono signal and its decorrelated twin (ISO/IEC 14496-3 8.6.4.6).

use super::bands::{BANDS_20, BANDS_34};
use super::hybrid::{Row, SUBBANDS};
use super::params::Params;
use super::remap::{MOST_BANDS, indices, values};
use super::tables::TABLES;

/// h11, h12, h21, h22 by band, real and imaginary parts.
type Matrices = [[[f32; MOST_BANDS]; 4]; 2];

/// What mixing carries from unit to unit.
#[derive(Clone, Debug)]
pub(super) struct Mixer {
    /// The matrices at the end of the last envelope, for 20 or 34 bands.
    last: Matrices,
    wide: bool,
    /// The last two phases of each band, three bits each.
    ipd_before: [u16; MOST_BANDS],
    opd_before: [u16; MOST_BANDS],
}

/// The matrices of an envelope's slots: they move evenly from the last envelope's to this one's.
pub(super) struct Ramp {
    /// By coefficient and subband, real and imaginary parts.
    at: [[[f32; SUBBANDS]; 4]; 2],
    step: [[[f32; SUBBANDS]; 4]; 2],
    complex: bool,
}

impl Mixer {
    pub(super) const NEW: Self = Self {
        last: [[[0.0; MOST_BANDS]; 4]; 2],
        wide: false,
        ipd_before: [0; MOST_BANDS],
        opd_before: [0; MOST_BANDS],
    };

    /// Takes over the resolution of a unit. Says whether it changed.
    pub(super) fn set_width(&mut self, wide: bool) -> bool {
        if wide == self.wide {
            return false;
        }
        self.wide = wide;
        self.last = self.last.map(|part| part.map(|h| values(&h, wide)));
        (self.ipd_before, self.opd_before) = ([0; MOST_BANDS], [0; MOST_BANDS]);
        true
    }

    /// The ramp of envelope `e`, which has `slots` slots.
    pub(super) fn ramp(&mut self, params: &Params, e: usize, slots: usize) -> Ramp {
        let next = self.matrices(params, e);
        let complex = params.has_phases;
        let mut ramp = Ramp { at: [[[0.0; SUBBANDS]; 4]; 2], step: [[[0.0; SUBBANDS]; 4]; 2], complex };
        let width = 1.0 / slots.max(1) as f32;
        let bands = if self.wide { &BANDS_34 } else { &BANDS_20 };
        let parts = (0..if complex { 2 } else { 1 }).flat_map(|part| (0..4).map(move |h| (part, h)));
        for (part, h) in parts {
            let (at, step) = (&mut ramp.at[part][h], &mut ramp.step[part][h]);
            let (last, next) = (&self.last[part][h], &next[part][h]);
            for (k, &band) in bands.iter().enumerate() {
                let band = usize::from(band);
                // Subbands of negative frequency start from the conjugate matrix.
                let negative = part == 1 && if self.wide { (9..14).contains(&k) } else { k < 2 };
                at[k] = if negative { -last[band] } else { last[band] };
                step[k] = (next[band] - at[k]) * width;
            }
        }
        self.last = next;
        ramp
    }

    /// The matrices that envelope `e` reaches at its end.
    fn matrices(&mut self, params: &Params, e: usize) -> Matrices {
        let wide = self.wide;
        let iid = indices(&params.iid.coded[e], params.iid_bands, wide);
        let icc = indices(&params.icc.coded[e], params.icc_bands, wide);
        let ipd = indices(&params.ipd.coded[e], params.phase_bands, wide);
        let opd = indices(&params.opd.coded[e], params.phase_bands, wide);
        let (bands, phase_bands) = if wide { (34, 17) } else { (20, 11) };
        let table = &TABLES.mixing[usize::from(params.mixing_b)];
        let zero = if params.iid_fine { 30 } else { 7 };
        let mut matrices = [[[0.0; MOST_BANDS]; 4]; 2];
        for band in 0..bands {
            let h = table[(i32::from(iid[band]) + zero).clamp(0, 45) as usize][usize::from(icc[band] as u8 & 7)];
            let phased = params.has_phases && band < phase_bands;
            let (left, right) = match phased {
                true => self.phases(band, ipd[band], opd[band]),
                false => ([1.0, 0.0], [1.0, 0.0]),
            };
            for (i, turn) in [left, right, left, right].into_iter().enumerate() {
                matrices[0][i][band] = h[i] * turn[0];
                matrices[1][i][band] = h[i] * turn[1];
            }
        }
        matrices
    }

    /// The smoothed phases of a band for left and right.
    fn phases(&mut self, band: usize, ipd: i8, opd: i8) -> ([f32; 2], [f32; 2]) {
        let smooth = |before: &mut u16, phase: i8| {
            let index = *before << 3 | (phase as u16 & 7);
            *before = index & 0x3f;
            TABLES.smooth_phase[usize::from(index & 0x1ff)]
        };
        let opd = smooth(&mut self.opd_before[band], opd);
        let ipd = smooth(&mut self.ipd_before[band], ipd);
        (opd, [opd[0] * ipd[0] + opd[1] * ipd[1], opd[1] * ipd[0] - opd[0] * ipd[1]])
    }
}

impl Ramp {
    /// Moves on by a slot and mixes its first `top` subbands.
    pub(super) fn mix(&mut self, top: usize, mono: &Row, twin: &Row, left: &mut Row, right: &mut Row) {
        let parts = if self.complex { 2 } else { 1 };
        for (at, step) in self.at.iter_mut().zip(&self.step).take(parts) {
            for (at, step) in at.as_flattened_mut().iter_mut().zip(step.as_flattened()) {
                *at += step;
            }
        }
        let [real, imaginary] = &self.at;
        let ([left_re, left_im], [right_re, right_im]) = (left, right);
        let [mut plus, mut minus] = [[0.0; SUBBANDS]; 2];
        for (part, left, right) in [(0, &mut *left_re, &mut *right_re), (1, &mut *left_im, &mut *right_im)] {
            weigh(top, [&real[0], &real[2]], [&mono[part], &twin[part]], left);
            weigh(top, [&real[1], &real[3]], [&mono[part], &twin[part]], right);
        }
        if !self.complex {
            return;
        }
        for (h, re, im) in [([0, 2], left_re, left_im), ([1, 3], right_re, right_im)] {
            let h = h.map(|i| &imaginary[i]);
            weigh(top, h, [&mono[1], &twin[1]], &mut minus);
            weigh(top, h, [&mono[0], &twin[0]], &mut plus);
            re.iter_mut().zip(&minus).for_each(|(re, part)| *re -= part);
            im.iter_mut().zip(&plus).for_each(|(im, part)| *im += part);
        }
    }
}

/// The sum of two signals, each with its factors.
#[inline]
fn weigh(top: usize, h: [&[f32; SUBBANDS]; 2], x: [&[f32; SUBBANDS]; 2], out: &mut [f32; SUBBANDS]) {
    for (k, out) in out.iter_mut().enumerate().take(top) {
        *out = h[0][k] * x[0][k] + h[1][k] * x[1][k];
    }
}
