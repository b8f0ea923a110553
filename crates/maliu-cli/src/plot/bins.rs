//! Values over a time whose length is not known beforehand, in a fixed number of bins.

/// Most bins; when they are full, pairs of them become one.
pub(crate) const MOST: usize = 1024;

/// A value that two neighbours can become.
pub(crate) trait Join: Copy + Default {
    /// One value for both.
    fn join(self, other: Self) -> Self;
}

/// Bins of equal width.
#[derive(Clone)]
pub(crate) struct Bins<T> {
    /// Width of a bin, in the unit of the places.
    pub width: f64,
    /// The values, from place 0 on.
    pub values: Vec<T>,
}

impl<T: Join> Bins<T> {
    /// Empty bins of this width, which doubles as often as is needed.
    pub(crate) fn new(width: f64) -> Self {
        Self { width, values: Vec::new() }
    }

    /// Joins a value into the bin of a place; places below 0 count as 0.
    pub(crate) fn add(&mut self, place: f64, value: T) {
        if !place.is_finite() {
            return;
        }
        while place / self.width >= MOST as f64 {
            self.width *= 2.0;
            self.values =
                self.values.chunks(2).map(|pair| pair.iter().copied().reduce(T::join).unwrap_or_default()).collect();
        }
        let at = (place.max(0.0) / self.width) as usize;
        if self.values.len() <= at {
            self.values.resize(at + 1, T::default());
        }
        self.values[at] = self.values[at].join(value);
    }
}

/// A sum.
#[derive(Clone, Copy, Default)]
pub(crate) struct Sum(pub f64);

impl Join for Sum {
    fn join(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

/// A lowest and a highest value.
#[derive(Clone, Copy, Default)]
pub(crate) struct Extent(pub f32, pub f32);

impl Join for Extent {
    fn join(self, other: Self) -> Self {
        Self(self.0.min(other.0), self.1.max(other.1))
    }
}

/// A highest value.
#[derive(Clone, Copy, Default)]
pub(crate) struct Most(pub u32);

impl Join for Most {
    fn join(self, other: Self) -> Self {
        Self(self.0.max(other.0))
    }
}

/// Rows of a spectrogram.
pub(crate) const ROWS: usize = 128;

/// Power by frequency, and how many spectra it is the sum of.
#[derive(Clone, Copy)]
pub(crate) struct Spectrum(pub [f32; ROWS], pub u32);

impl Default for Spectrum {
    fn default() -> Self {
        Self([0.0; ROWS], 0)
    }
}

impl Join for Spectrum {
    fn join(self, other: Self) -> Self {
        Self(std::array::from_fn(|row| self.0[row] + other.0[row]), self.1 + other.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_keep_their_number_and_their_sum() {
        let mut bins = Bins::new(1.0);
        (0..100_000).for_each(|place| bins.add(f64::from(place), Sum(1.0)));
        assert!(bins.values.len() <= MOST && bins.width == 128.0);
        assert_eq!(bins.values.iter().map(|sum| sum.0).sum::<f64>(), 100_000.0);
        bins.add(f64::NAN, Sum(1.0));
        bins.add(-5.0, Sum(1.0));
        assert_eq!(bins.values[0].0, 129.0);
    }
}
