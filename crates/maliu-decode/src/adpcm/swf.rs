//! ADPCM of Flash: codes of 2 to 5 bits over the IMA steps, 4096 samples a block (SWF file format, "ADPCM compression").

use super::{
    clip,
    ima::{Channel, LAST_STEP, STEPS},
};

pub(super) fn block(packet: &[u8], channels: usize, out: &mut Vec<i32>) -> Result<(), &'static str> {
    let mut bits = Bits { bytes: packet, at: 0 };
    let width = 2 + bits.take(2) as usize;
    while bits.left() >= 22 * channels {
        let mut states = Vec::with_capacity(channels);
        for _ in 0..channels {
            let predictor = i32::from(bits.take(16) as u16 as i16);
            let state = Channel { predictor, step_index: (bits.take(6) as i32).min(LAST_STEP) };
            out.push(state.predictor);
            states.push(state);
        }
        for _ in 1..BLOCK {
            if bits.left() < width * channels {
                break;
            }
            out.extend(states.iter_mut().map(|state| next(state, bits.take(width), width)));
        }
    }
    Ok(())
}

fn next(state: &mut Channel, code: u32, width: usize) -> i32 {
    let sign = 1 << (width - 1);
    let mut step = STEPS[state.step_index as usize];
    let mut difference = 0;
    for bit in (0..width - 1).rev() {
        if code & 1 << bit != 0 {
            difference += step;
        }
        step >>= 1;
    }
    difference += step;
    state.predictor = clip(if code & sign != 0 { state.predictor - difference } else { state.predictor + difference });
    let change = STEP_CHANGES[width - 2][(code & (sign - 1)) as usize];
    state.step_index = (state.step_index + change).clamp(0, LAST_STEP);
    state.predictor
}

/// Samples per channel of a full block.
const BLOCK: usize = 4096;

/// By code width (from 2 bits) and code without its sign.
const STEP_CHANGES: [&[i32]; 4] = [
    &[-1, 2],
    &[-1, -1, 2, 4],
    &[-1, -1, -1, -1, 2, 4, 6, 8],
    &[-1, -1, -1, -1, -1, -1, -1, -1, 1, 2, 4, 6, 8, 10, 13, 16],
];

/// Bits from the highest of each byte on; zeros behind the end.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn left(&self) -> usize {
        (self.bytes.len() * 8).saturating_sub(self.at)
    }

    fn take(&mut self, n: usize) -> u32 {
        (0..n).fold(0, |value, _| {
            let bit = self.bytes.get(self.at / 8).map_or(0, |byte| byte >> (7 - self.at % 8) & 1);
            self.at += 1;
            value << 1 | u32::from(bit)
        })
    }
}
