//! Memory for the pictures of a sequence while the library decodes them.

use maliu_core::syntax::h264::Sps;
use rust_h264::decoder::Frame;

/// Bytes for each macroblock of a picture that is kept for prediction, besides its samples: motion of 16 blocks.
const MOTION: u64 = 18 * 16;

/// Bytes for each macroblock of the picture being decoded, besides its samples: motion, modes, coefficient counts.
const STATE: u64 = 900;

/// Bytes that one frame takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    /// Its samples.
    samples: u64,
    macroblocks: u64,
    /// Of a sequence with fields every picture may be kept both as a frame and as two fields.
    views: u64,
}

impl Sizes {
    /// Of frames of this sequence.
    pub(super) fn of(sps: &Sps) -> Self {
        let (width, height) = sps.coded_size();
        let macroblocks = u64::from(width / 16).saturating_mul(u64::from(height / 16));
        let chroma = [128, 128, 256, 512].get(usize::from(sps.chroma_format_idc)).copied().unwrap_or(512);
        let sample = if sps.bit_depth_luma.max(sps.bit_depth_chroma) > 8 { 2 } else { 1 };
        let samples = macroblocks.saturating_mul((256 + chroma) * sample);
        Self { samples, macroblocks, views: if sps.frame_mbs_only_flag { 1 } else { 2 } }
    }

    /// While it is kept for prediction.
    pub(super) fn kept(&self) -> u64 {
        self.samples.saturating_add(self.macroblocks.saturating_mul(MOTION)).saturating_mul(self.views)
    }

    /// While it is decoded from one slice.
    pub(super) fn decoding(&self) -> u64 {
        self.samples.saturating_add(self.macroblocks.saturating_mul(STATE))
    }

    /// Once more for the copy with which it joins the others.
    pub(super) fn copy(&self) -> u64 {
        self.samples
    }
}

/// Bytes of the samples of a decoded picture.
pub(super) fn of_frame(frame: &Frame) -> u64 {
    [&frame.y, &frame.u, &frame.v].iter().map(|plane| plane.capacity() as u64).sum()
}
