//! Ascending borders of frequency bands, counted in QMF channels.

use std::ops::Range;

/// The most borders a table has: the master table of 48 bands.
pub(super) const MOST: usize = 49;

/// Up to [`MOST`] borders; between two neighbours lies a band.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Borders {
    at: [u8; MOST],
    len: usize,
}

impl Borders {
    pub(super) const EMPTY: Self = Self { at: [0; MOST], len: 0 };

    /// Appends a border; `None` when there is no room or it does not fit a byte.
    pub(super) fn push(&mut self, border: i32) -> Option<()> {
        *self.at.get_mut(self.len)? = u8::try_from(border).ok()?;
        self.len += 1;
        Some(())
    }

    pub(super) fn remove(&mut self, index: usize) {
        if index < self.len {
            self.at.copy_within(index + 1..self.len, index);
            self.len -= 1;
        }
    }

    pub(super) fn sort(&mut self) {
        self.at[..self.len].sort_unstable();
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        &self.at[..self.len]
    }

    /// The number of bands between the borders.
    pub(super) fn bands(&self) -> usize {
        self.len.saturating_sub(1)
    }

    pub(super) fn first(&self) -> usize {
        usize::from(self.at[0])
    }

    pub(super) fn last(&self) -> usize {
        usize::from(self.at[self.len.saturating_sub(1)])
    }

    /// Each band as a range of QMF channels, lowest first.
    pub(super) fn ranges(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        self.as_slice().windows(2).map(|pair| usize::from(pair[0])..usize::from(pair[1]))
    }
}

impl FromIterator<u8> for Borders {
    /// Takes at most [`MOST`] borders.
    fn from_iter<T: IntoIterator<Item = u8>>(items: T) -> Self {
        let mut all = Self::EMPTY;
        for border in items.into_iter().take(MOST) {
            all.at[all.len] = border;
            all.len += 1;
        }
        all
    }
}
