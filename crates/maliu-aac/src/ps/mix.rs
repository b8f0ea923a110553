//! Mixing: left and right from the mono signal and its decorrelated twin (ISO/IEC 14496-3 8.6.4.6).

use super::bands::{BANDS_20, BANDS_34};
use super::hybrid::{Row, SUBBANDS};
use super::params::Params;
use super::remap::{MOST_BANDS, indices, values};
use super::tables::TABLES;

/// h11, h12, h21, h22 by band, real and imaginary parts.
type Matrices = [[[f32; MOST_BANDS]; 4]; 2];

/// State that mixing carries from unit to unit.
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
    real: Moving,
    /// Where there are phases.
    imaginary: Option<Moving>,
}

/// One part of the matrices, by coefficient and subband, and what is added to it each slot.
struct Moving {
    at: [[f32; SUBBANDS]; 4],
    step: [[f32; SUBBANDS]; 4],
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
        let width = 1.0 / slots.max(1) as f32;
        let bands = if self.wide { &BANDS_34 } else { &BANDS_20 };
        let moving = |part: usize| {
            let mut moving = Moving { at: [[0.0; SUBBANDS]; 4], step: [[0.0; SUBBANDS]; 4] };
            let matrices = self.last[part].iter().zip(&next[part]);
            for ((at, step), (last, next)) in moving.at.iter_mut().zip(&mut moving.step).zip(matrices) {
                for (k, &band) in bands.iter().enumerate() {
                    let band = usize::from(band) % MOST_BANDS;
                    // Subbands of negative frequency start from the conjugate matrix.
                    let negative = part == 1 && if self.wide { (9..14).contains(&k) } else { k < 2 };
                    at[k] = if negative { -last[band] } else { last[band] };
                    step[k] = (next[band] - at[k]) * width;
                }
            }
            moving
        };
        let ramp = Ramp { real: moving(0), imaginary: params.has_phases.then(|| moving(1)) };
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
    /// Moves on by a slot and mixes its first `top` subbands, rounded up to whole vectors.
    pub(super) fn mix(&mut self, top: usize, mono: &Row, twin: &Row, left: &mut Row, right: &mut Row) {
        let width = top.next_multiple_of(4).min(SUBBANDS);
        weigh(width, &mut self.real, mono, twin, left, right);
        let Some(imaginary) = &mut self.imaginary else { return };
        let turned = |[re, im]: &Row| [im.map(|im| -im), *re];
        let [mut more_left, mut more_right] = [[[0.0; SUBBANDS]; 2]; 2];
        weigh(width, imaginary, &turned(mono), &turned(twin), &mut more_left, &mut more_right);
        for (out, more) in [(left, more_left), (right, more_right)] {
            out.as_flattened_mut().iter_mut().zip(more.as_flattened()).for_each(|(out, more)| *out += more);
        }
    }
}

/// Moves on by a slot and makes the first `width` values of left and right of two signals.
#[inline(never)]
fn weigh(width: usize, h: &mut Moving, mono: &Row, twin: &Row, left: &mut Row, right: &mut Row) {
    let [h11, h12, h21, h22] = h.at.each_mut().map(|h| &mut h[..width]);
    let [s11, s12, s21, s22] = h.step.each_ref().map(|step| &step[..width]);
    let [[a_re, a_im], [b_re, b_im]] = [mono, twin].map(|row| row.each_ref().map(|part| &part[..width]));
    let [[left_re, left_im], [right_re, right_im]] =
        [left, right].map(|row| row.each_mut().map(|part| &mut part[..width]));
    for k in 0..width {
        h11[k] += s11[k];
        h12[k] += s12[k];
        h21[k] += s21[k];
        h22[k] += s22[k];
        left_re[k] = h11[k] * a_re[k] + h21[k] * b_re[k];
        left_im[k] = h11[k] * a_im[k] + h21[k] * b_im[k];
        right_re[k] = h12[k] * a_re[k] + h22[k] * b_re[k];
        right_im[k] = h12[k] * a_im[k] + h22[k] * b_im[k];
    }
}
