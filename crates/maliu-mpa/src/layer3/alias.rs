//! Alias reduction between neighbouring subbands of long blocks (ISO/IEC 11172-3 §2.4.3.4.10.1, table B.9).

use crate::parsed::Row;

/// Factors of the eight butterflies.
pub(crate) struct Butterflies {
    cs: [f32; 8],
    ca: [f32; 8],
}

impl Butterflies {
    pub(crate) fn new() -> Butterflies {
        let c = [-0.6, -0.535, -0.33, -0.185, -0.095, -0.041, -0.0142, -0.0037f64];
        let root = c.map(|c| (1.0 + c * c).sqrt());
        Butterflies {
            cs: std::array::from_fn(|i| (1.0 / root[i]) as f32),
            ca: std::array::from_fn(|i| (c[i] / root[i]) as f32),
        }
    }

    /// Reduces the aliases at the lower edges of subbands 1 to `bands` - 1.
    pub(crate) fn apply(&self, rows: &mut [Row; 18], bands: usize) {
        for (i, (cs, ca)) in self.cs.iter().zip(self.ca).enumerate() {
            let (lower, upper) = rows.split_at_mut(9);
            let (upper, lower) = (&mut lower[i], &mut upper[8 - i]);
            // The last lines of each subband meet the first of the next one.
            let pairs = lower.iter_mut().zip(upper.iter_mut().skip(1)).take(bands.saturating_sub(1));
            for (below, above) in pairs {
                (*below, *above) = (*below * cs - *above * ca, *above * cs + *below * ca);
            }
        }
    }
}
