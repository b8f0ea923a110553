//! Microsoft ADPCM: second-order prediction with one of seven pairs of coefficients.

use super::{clip, i16_le};

struct Channel {
    coefficients: (i32, i32),
    delta: i32,
    /// The last sample and the one before it.
    samples: (i32, i32),
}

impl Channel {
    fn next(&mut self, code: u8) -> i32 {
        let (last, before) = self.samples;
        let predicted = (last * self.coefficients.0 + before * self.coefficients.1) / 256;
        let signed = i32::from(code) - if code & 8 != 0 { 16 } else { 0 };
        let sample = clip(predicted.saturating_add(signed.saturating_mul(self.delta)));
        self.samples = (sample, last);
        self.delta = (self.delta.saturating_mul(ADAPTATION[usize::from(code)]) >> 8).max(16);
        sample
    }
}

pub(super) fn block(block: &[u8], channels: usize, out: &mut Vec<i32>) -> Result<(), &'static str> {
    let Some((header, body)) = block.split_at_checked(7 * channels) else {
        return Err("adpcm: block shorter than its header");
    };
    let (pairs, values) = header.split_at(channels);
    // Channel by channel: first all deltas, then all last samples, then all those before.
    let value = |row: usize, channel: usize| {
        let at = 2 * (row * channels + channel);
        i16_le([values[at], values[at + 1]])
    };
    let mut states = Vec::with_capacity(channels);
    for (channel, pair) in pairs.iter().enumerate() {
        let coefficients = *COEFFICIENTS.get(usize::from(*pair)).ok_or("adpcm: predictor over 6")?;
        let samples = (value(1, channel), value(2, channel));
        states.push(Channel { coefficients, delta: value(0, channel), samples });
    }
    out.extend(states.iter().map(|state| state.samples.1));
    out.extend(states.iter().map(|state| state.samples.0));
    let codes = body.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let whole = body.len() * 2 / channels * channels;
    out.extend(codes.take(whole).enumerate().map(|(n, code)| states[n % channels].next(code)));
    Ok(())
}

const COEFFICIENTS: [(i32, i32); 7] = [(256, 0), (512, -256), (0, 0), (192, 64), (240, 0), (460, -208), (392, -232)];

const ADAPTATION: [i32; 16] = [230, 230, 230, 230, 307, 409, 512, 614, 768, 614, 512, 409, 307, 230, 230, 230];
