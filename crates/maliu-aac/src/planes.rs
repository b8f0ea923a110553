//! QMF samples by time slot and channel, real and imaginary parts apart so that loops over channels vectorise.

/// Rows of the low band: a unit of at most 32 slots and up to eight slots of the one before.
pub(crate) const LOW_ROWS: usize = 40;

/// Rows of a full spectrum: a unit and what reaches into the next.
pub(crate) const ROWS: usize = 38;

/// `ROWS` slots of `CHANNELS` channels.
#[derive(Clone, Debug)]
#[repr(align(16))]
pub(crate) struct Planes<const ROWS: usize, const CHANNELS: usize> {
    pub re: [[f32; CHANNELS]; ROWS],
    pub im: [[f32; CHANNELS]; ROWS],
}

/// Output of the analysis: 32 channels.
pub(crate) type Low = Planes<LOW_ROWS, 32>;

/// Input of the synthesis: 64 channels.
pub(crate) type Spectrum = Planes<ROWS, 64>;

/// Part of a spectrum that reaches into the next unit.
pub(crate) type Tail = Planes<6, 64>;

/// One part of four rows.
pub(crate) type Four<const CHANNELS: usize> = [[f32; CHANNELS]; 4];

impl<const ROWS: usize, const CHANNELS: usize> Planes<ROWS, CHANNELS> {
    pub(crate) const ZERO: Self = Self { re: [[0.0; CHANNELS]; ROWS], im: [[0.0; CHANNELS]; ROWS] };

    #[inline]
    pub(crate) fn row(&self, slot: usize) -> (&[f32; CHANNELS], &[f32; CHANNELS]) {
        (&self.re[slot], &self.im[slot])
    }

    #[inline]
    pub(crate) fn row_mut(&mut self, slot: usize) -> (&mut [f32; CHANNELS], &mut [f32; CHANNELS]) {
        (&mut self.re[slot], &mut self.im[slot])
    }

    /// Four rows from `slot` on.
    #[inline]
    pub(crate) fn rows(&self, slot: usize) -> Option<(&Four<CHANNELS>, &Four<CHANNELS>)> {
        self.re.get(slot..)?.first_chunk().zip(self.im.get(slot..)?.first_chunk())
    }

    /// Moves `count` rows from `from` to the front.
    pub(crate) fn carry(&mut self, from: usize, count: usize) {
        self.re.copy_within(from..from + count, 0);
        self.im.copy_within(from..from + count, 0);
    }

    /// Copies rows to the first of `other`.
    pub(crate) fn copy_to<const OTHER: usize>(
        &self,
        rows: std::ops::Range<usize>,
        other: &mut Planes<OTHER, CHANNELS>,
    ) {
        let to = 0..rows.len();
        other.re[to.clone()].copy_from_slice(&self.re[rows.clone()]);
        other.im[to].copy_from_slice(&self.im[rows]);
    }
}
