//! The decoded audio of one frame.

/// Samples of one frame, in memory of the decoder.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// Sampling rate in Hz; 0 when no frame was decoded yet.
    pub sample_rate: u32,
    pub(crate) channels: usize,
    pub(crate) samples: usize,
    pub(crate) data: &'a [[f32; MAX_SAMPLES]],
}

/// Most samples per channel of a frame.
pub(crate) const MAX_SAMPLES: usize = 1152;

impl<'a> Frame<'a> {
    /// Number of channels: 1 or 2; 0 when no frame was decoded yet.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Samples of each channel.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// Samples of a channel, full scale 1.0, not clipped; empty past the last channel.
    pub fn channel(&self, index: usize) -> &'a [f32] {
        if index >= self.channels {
            return &[];
        }
        self.data.get(index).and_then(|samples| samples.get(..self.samples)).unwrap_or_default()
    }
}
