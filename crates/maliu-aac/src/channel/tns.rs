//! Temporal noise shaping: all-pole filters along the frequency axis (ISO/IEC 14496-3 §4.6.9).

use super::{Syntax, info::Info};
use crate::config::object;
use crate::{Error, bits::Bits};
use std::sync::LazyLock;

/// tns_data: filters of a unit, each with the window it works on.
#[derive(Default)]
pub(crate) struct Tns {
    /// Up to three for a long window, up to one for each short window.
    filters: [Filter; 8],
    count: usize,
}

#[derive(Clone, Copy, Default)]
struct Filter {
    window: usize,
    /// Bands the filter spans, downwards from the one before it.
    length: usize,
    order: usize,
    /// From high lines to low ones.
    downward: bool,
    /// Coefficients of the all-pole filter, the first for the line just passed.
    coefficients: [f32; MAX_ORDER],
}

/// Longest filter, of AAC Main.
const MAX_ORDER: usize = 20;

impl Tns {
    pub(crate) fn clear(&mut self) {
        self.count = 0;
    }

    /// Reads tns_data.
    pub(super) fn parse(&mut self, bits: &mut Bits, info: &Info, syntax: &Syntax) -> Result<(), Error> {
        let short = info.short();
        let (windows, filter_bits, length_bits, order_bits) = if short { (8, 1, 4, 3) } else { (1, 2, 6, 5) };
        let max_order = match (short, syntax.object_type) {
            (true, _) => 7,
            (false, object::MAIN) => MAX_ORDER,
            (false, _) => 12,
        };
        for window in 0..windows {
            let filters = bits.read(filter_bits);
            if filters == 0 {
                continue;
            }
            let fine = bits.flag();
            for _ in 0..filters {
                let Some(filter) = self.filters.get_mut(self.count) else { return Ok(()) };
                *filter = Filter { window, length: bits.read(length_bits) as usize, ..Filter::default() };
                filter.order = bits.read(order_bits) as usize;
                if filter.order > max_order {
                    self.clear();
                    return Err(Error::Malformed { what: "noise shaping filter too long", bit: bits.position() });
                }
                if filter.order > 0 {
                    filter.downward = bits.flag();
                    let narrow = bits.flag();
                    filter.read_coefficients(bits, fine, narrow);
                }
                self.count += 1;
            }
        }
        Ok(())
    }

    /// Runs the filters over the lines they were encoded for.
    pub(crate) fn apply(&self, lines: &mut [f32; 1024], info: &Info) {
        self.each(lines, info, Filter::shape);
    }

    /// Runs the inverse filters, for lines predicted from finished sound.
    pub(crate) fn apply_inverse(&self, lines: &mut [f32; 1024], info: &Info) {
        self.each(lines, info, Filter::flatten);
    }

    fn each(&self, lines: &mut [f32; 1024], info: &Info, run: impl Fn(&Filter, &mut [f32])) {
        let bands = usize::from(info.bands.count);
        let reach = info.max_sfb.min(usize::from(info.bands.tns));
        let (mut window, mut top) = (0, bands);
        for filter in self.filters.iter().take(self.count) {
            if filter.window != window {
                (window, top) = (filter.window, bands);
            }
            let bottom = top.saturating_sub(filter.length);
            let start = 128 * window + info.bands.range(bottom.min(reach)).start;
            let end = 128 * window + info.bands.range(top.min(reach)).start;
            top = bottom;
            if let (1.., Some(span)) = (filter.order, lines.get_mut(start..end)) {
                run(filter, span);
            }
        }
    }
}

impl Filter {
    /// Reads reflection coefficients and turns them into those of the direct form.
    fn read_coefficients(&mut self, bits: &mut Bits, fine: bool, narrow: bool) {
        let width = 3 + u32::from(fine) - u32::from(narrow);
        let table = &REFLECTIONS[usize::from(fine)];
        let mut direct = [0.0f32; MAX_ORDER];
        for m in 0..self.order {
            let code = bits.read(width);
            // The code is signed: its sign bit is extended over the four bits that index the table.
            let code = if code >> (width - 1) != 0 { code | 15 << width } else { code };
            let reflection = table[code as usize & 15];
            let before = direct;
            for (value, mirrored) in direct.iter_mut().zip(before.get(..m).unwrap_or_default().iter().rev()) {
                *value += reflection * mirrored;
            }
            if let Some(last) = direct.get_mut(m) {
                *last = reflection;
            }
        }
        self.coefficients = direct;
    }

    /// All-pole filter, in the transposed form: the sums wait in `state` for their line.
    fn shape(&self, span: &mut [f32]) {
        match (self.order, self.downward) {
            (..=8, false) => shape::<8>(&self.coefficients, span.iter_mut()),
            (..=8, true) => shape::<8>(&self.coefficients, span.iter_mut().rev()),
            (..=12, false) => shape::<12>(&self.coefficients, span.iter_mut()),
            (..=12, true) => shape::<12>(&self.coefficients, span.iter_mut().rev()),
            (_, false) => shape::<20>(&self.coefficients, span.iter_mut()),
            (_, true) => shape::<20>(&self.coefficients, span.iter_mut().rev()),
        }
    }

    /// All-zero filter with the same coefficients.
    fn flatten(&self, span: &mut [f32]) {
        let flatten = |lines: &mut dyn Iterator<Item = &mut f32>| {
            let mut state = [0.0f32; MAX_ORDER];
            for line in lines {
                let value = *line;
                *line += state.iter().zip(&self.coefficients).map(|(s, c)| s * c).sum::<f32>();
                state.copy_within(..MAX_ORDER - 1, 1);
                state[0] = value;
            }
        };
        if self.downward { flatten(&mut span.iter_mut().rev()) } else { flatten(&mut span.iter_mut()) }
    }
}

#[inline]
fn shape<'a, const ORDER: usize>(coefficients: &[f32; MAX_ORDER], lines: impl Iterator<Item = &'a mut f32>) {
    let mut taps = [0.0f32; ORDER];
    taps.copy_from_slice(&coefficients[..ORDER]);
    let mut state = [0.0f32; ORDER];
    for line in lines {
        let value = *line - state[0];
        *line = value;
        for i in 0..ORDER - 1 {
            state[i] = state[i + 1] + taps[i] * value;
        }
        state[ORDER - 1] = taps[ORDER - 1] * value;
    }
}

/// Reflection coefficients by code, for resolutions of three and four bits; negative codes in the upper half.
static REFLECTIONS: LazyLock<[[f32; 16]; 2]> = LazyLock::new(|| {
    [3, 4].map(|width| {
        let half = f64::from(1 << (width - 1));
        core::array::from_fn(|code| {
            let code = if code < 8 { code as f64 } else { code as f64 - 16.0 };
            let scale = if code >= 0.0 { half - 0.5 } else { half + 0.5 };
            (code / scale * core::f64::consts::FRAC_PI_2).sin() as f32
        })
    })
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flattening_undoes_shaping() {
        for (order, downward) in [(3, false), (12, true), (20, false)] {
            let mut filter = Filter { order, downward, ..Filter::default() };
            for (i, c) in filter.coefficients.iter_mut().enumerate().take(order) {
                *c = 0.5 / (i + 1) as f32;
            }
            let original: Vec<f32> = (0..64).map(|i| (i as f32 * 0.7).sin()).collect();
            let mut lines = original.clone();
            filter.shape(&mut lines);
            filter.flatten(&mut lines);
            assert!(lines.iter().zip(&original).all(|(a, b)| (a - b).abs() < 1e-4), "order {order}");
        }
    }

    #[test]
    fn reflections_are_those_of_the_standard() {
        assert!((REFLECTIONS[0][1] - 0.433_883_7).abs() < 1e-6);
        assert!((REFLECTIONS[0][12] + 0.984_807_7).abs() < 1e-6);
        assert!((REFLECTIONS[1][15] + 0.183_749_5).abs() < 1e-6);
    }
}
