//! IMA ADPCM as WAV stores it: a header of 4 bytes a channel, then 8 nibbles of each channel in turn.

use super::{clip, i16_le, nibbles};

/// State of one channel.
pub(super) struct Channel {
    pub predictor: i32,
    pub step_index: i32,
}

impl Channel {
    /// The next sample of a 4-bit code.
    fn next(&mut self, code: u8) -> i32 {
        let step = STEPS[self.step_index as usize];
        // One product, as FFmpeg computes it; the sum of shifted steps of the IMA paper differs in the lowest bit.
        let difference = ((2 * i32::from(code & 7) + 1) * step) >> 3;
        let difference = if code & 8 != 0 { -difference } else { difference };
        self.predictor = clip(self.predictor + difference);
        self.step_index = (self.step_index + STEP_CHANGES[usize::from(code & 7)]).clamp(0, LAST_STEP);
        self.predictor
    }
}

pub(super) fn block(block: &[u8], channels: usize, out: &mut Vec<i32>) -> Result<(), &'static str> {
    let Some((headers, body)) = block.split_at_checked(4 * channels) else {
        return Err("adpcm: block shorter than its header");
    };
    let mut states = Vec::with_capacity(channels);
    for &[low, high, step_index, _] in headers.as_chunks().0 {
        let state = Channel { predictor: i16_le([low, high]), step_index: i32::from(step_index) };
        if state.step_index > LAST_STEP {
            return Err("adpcm: step index over 88");
        }
        out.push(state.predictor);
        states.push(state);
    }
    for group in body.chunks_exact(4 * channels) {
        let start = out.len();
        out.resize(start + 8 * channels, 0);
        for (channel, (state, bytes)) in states.iter_mut().zip(group.chunks_exact(4)).enumerate() {
            for (sample, code) in nibbles(bytes).enumerate() {
                out[start + sample * channels + channel] = state.next(code);
            }
        }
    }
    Ok(())
}

/// Highest index of [`STEPS`].
pub(super) const LAST_STEP: i32 = STEPS.len() as i32 - 1;

const STEP_CHANGES: [i32; 8] = [-1, -1, -1, -1, 2, 4, 6, 8];

/// Quantiser steps of the IMA recommendation.
pub(super) const STEPS: [i32; 89] = [
    7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 21, 23, 25, 28, 31, 34, 37, 41, 45, 50, 55, 60, 66, 73, 80, 88, 97, 107,
    118, 130, 143, 157, 173, 190, 209, 230, 253, 279, 307, 337, 371, 408, 449, 494, 544, 598, 658, 724, 796, 876, 963,
    1060, 1166, 1282, 1411, 1552, 1707, 1878, 2066, 2272, 2499, 2749, 3024, 3327, 3660, 4026, 4428, 4871, 5358, 5894,
    6484, 7132, 7845, 8630, 9493, 10442, 11487, 12635, 13899, 15289, 16818, 18500, 20350, 22385, 24623, 27086, 29794,
    32767,
];
