//! Filter banks of AAC-LD and AAC-ELD (ISO/IEC 14496-3 §4.6.11.3.2, §4.6.20.3).

use crate::tables::eld;
use crate::transform::{
    Dct4,
    overlap::{FULL_SCALE, add_overlap, forward, shape},
    window,
};

/// Transforms and windows of frames of 512 or 480 samples.
pub(crate) struct LowDelay {
    length: usize,
    eld: bool,
    transform: Dct4,
    /// Rising halves of AAC-LD: sine, low overlap.
    windows: [Vec<f32>; 2],
    transformed: [f32; 512],
}

impl LowDelay {
    pub(crate) fn new(length: usize, eld: bool) -> LowDelay {
        LowDelay {
            length,
            eld,
            transform: Dct4::new(length, 1.0 / (length as f64 * FULL_SCALE)),
            windows: [window::sine(length), window::low_overlap(length)],
            transformed: [0.0; 512],
        }
    }

    pub(crate) fn run(&mut self, lines: &mut [f32; 1024], low_overlap: bool, history: &mut [f32], out: &mut [f32]) {
        let (length, half) = (self.length, self.length / 2);
        if self.eld {
            return self.run_eld(lines, history, out);
        }
        let transformed = &mut self.transformed[..length];
        self.transform.run(&lines[..length], transformed);
        let (falling, rising) = transformed.split_at(half);
        add_overlap(out, history, rising, &self.windows[usize::from(low_overlap)]);
        history.iter_mut().zip(falling.iter().rev()).for_each(|(folded, d)| *folded = -d);
    }

    /// The falling half of the last unit of AAC-LD as it sounds alone.
    pub(crate) fn tail(&self, low_overlap: bool, history: &[f32], out: &mut [f32]) {
        let silence = [0.0; 256];
        add_overlap(&mut out[..self.length], history, &silence, &self.windows[usize::from(low_overlap)]);
    }

    /// Windows `2 * length` samples with the shapes of the last unit and this one, and transforms them to lines.
    pub(crate) fn analyze(&mut self, sound: &mut [f32], before: bool, now: bool, lines: &mut [f32; 1024]) {
        let (rising, falling) = sound.split_at_mut(self.length);
        shape(rising, self.windows[usize::from(before)].iter());
        shape(falling, self.windows[usize::from(now)].iter().rev());
        forward(&mut self.transform, sound, &mut self.transformed, lines);
    }

    /// The low delay transform is a cosine transform with its lines exchanged in pairs and half its signs turned, after
    /// Chivukula, Reznik and Devarajan (ICALIP 2008). Its window reaches over this unit and the three before it.
    fn run_eld(&mut self, lines: &mut [f32; 1024], history: &mut [f32], out: &mut [f32]) {
        let (n, half, quarter) = (self.length, self.length / 2, self.length / 4);
        let (low, high) = lines[..n].split_at_mut(half);
        for (a, b) in low.chunks_exact_mut(2).zip(high.rchunks_exact_mut(2)) {
            (a[0], b[1]) = (-b[1], a[0]);
            (a[1], b[0]) = (b[0], -a[1]);
        }
        let mut newest = [0.0; 512];
        self.transform.run(&lines[..n], &mut self.transformed[..n]);
        for (i, (to, d)) in newest[..n].iter_mut().zip(self.transformed[..n].iter().rev()).enumerate() {
            *to = if i % 2 == 0 { *d } else { -d };
        }
        let window: &[f32] = if n == 512 { &eld::ELD_512 } else { &eld::ELD_480 };
        let [w0, w1, w2, w3] = core::array::from_fn(|i| &window[i * n..window.len().min((i + 1) * n)]);
        let (last, older) = history.split_at(n);
        let (second, third) = older.split_at(n);
        for i in 0..quarter {
            let j = i + quarter;
            out[i] = newest[half - 1 - j] * w0[i] + last[j + half] * w1[i]
                - second[half - 1 - j] * w2[i]
                - third[half + j] * w3[i];
        }
        for i in 0..half {
            let j = i + quarter;
            out[j] = newest[i] * w0[j] - last[n - 1 - i] * w1[j] - second[i] * w2[j] + third[n - 1 - i] * w3[j];
        }
        for i in 0..quarter {
            let j = i + quarter + half;
            out[j] = newest[i + half] * w0[j] - last[half - 1 - i] * w1[j] - second[half + i] * w2[j];
        }
        history.copy_within(..2 * n, n);
        history[..n].copy_from_slice(&newest[..n]);
    }
}
