//! Loudness of blocks, counted in steps of 0.01 LU, so that audio of any length needs the same memory.

/// Blocks by loudness, from -70 LUFS on: quieter ones count as silence.
pub(super) struct Histogram {
    counts: Vec<u64>,
}

/// The mean energy of a loudness in LUFS.
pub(super) fn energy(loudness: f64) -> f64 {
    10f64.powf((loudness + 0.691) / 10.0)
}

/// Quietest loudness that counts, in LUFS.
const QUIETEST: f64 = -70.0;

/// Steps of a LU.
const STEPS: f64 = 100.0;

/// LU above the quietest: up to +10 LUFS are told apart.
const SPAN: f64 = 80.0;

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: vec![0; (SPAN * STEPS) as usize + 1] }
    }
}

impl Histogram {
    /// Counts a block of this mean energy.
    pub(super) fn add(&mut self, energy: f64) {
        let loudness = 10.0 * energy.log10() - 0.691;
        if loudness > QUIETEST {
            let place = ((loudness - QUIETEST) * STEPS).round().min(SPAN * STEPS) as usize;
            self.counts[place] += 1;
        }
    }

    /// Loudness of the blocks less than `gate` LU below the mean of all; `None` without blocks.
    pub(super) fn gated_mean(&self, gate: f64) -> Option<f64> {
        self.mean(self.first_above(gate)?)
    }

    /// Distance in LU from the 10 % to the 95 % loudest of the blocks less than `gate` LU below the mean (EBU Tech 3342).
    pub(super) fn range(&self, gate: f64) -> Option<f64> {
        let first = self.first_above(gate)?;
        let total: u64 = self.counts[first..].iter().sum();
        let at = |share: f64| {
            let wanted = (share * total as f64 + 0.5) as u64;
            let mut seen = 0;
            let place = self.counts[first..].iter().position(|count| {
                seen += count;
                seen >= wanted.max(1)
            });
            loudness(first + place.unwrap_or(0))
        };
        Some(at(0.95) - at(0.1))
    }

    fn first_above(&self, gate: f64) -> Option<usize> {
        let threshold = self.mean(0)? - gate;
        Some((((threshold - QUIETEST) * STEPS).round().max(0.0) as usize).min(self.counts.len() - 1))
    }

    /// Loudness of the mean energy from a place on.
    fn mean(&self, first: usize) -> Option<f64> {
        let blocks = self.counts.iter().enumerate().skip(first);
        let (count, energy) = blocks.fold((0, 0.0), |(blocks, energy), (place, count)| {
            (blocks + count, energy + *count as f64 * self::energy(loudness(place)))
        });
        (count > 0).then(|| 10.0 * (energy / count as f64).log10() - 0.691)
    }
}

fn loudness(place: usize) -> f64 {
    QUIETEST + place as f64 / STEPS
}
