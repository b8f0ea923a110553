//! Decoded sound of one access unit.

use crate::ChannelLayout;

/// Samples of one access unit, in memory of the decoder.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// Sampling rate in Hz; with SBR that of the output.
    pub sample_rate: u32,
    /// Channels and their loudspeakers.
    pub layout: ChannelLayout,
    pub(crate) data: &'a [f32],
    pub(crate) samples: usize,
}

/// Samples between the first ones of neighbouring channels in `Frame::data`.
pub(crate) const STRIDE: usize = 2048;

impl<'a> Frame<'a> {
    /// Channels.
    pub fn channels(&self) -> usize {
        usize::from(self.layout.channels)
    }

    /// Samples of each channel.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// Samples of a channel, full scale 1.0, not clipped; empty past the last channel.
    pub fn channel(&self, index: usize) -> &'a [f32] {
        let start = index.saturating_mul(STRIDE);
        if index >= self.channels() {
            return &[];
        }
        self.data.get(start..start + self.samples).unwrap_or_default()
    }
}
