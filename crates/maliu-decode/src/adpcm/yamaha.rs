//! Yamaha ADPCM: a stream of nibbles without blocks; its state lives on from packet to packet.

use maliu_core::packet::Packet;

use super::{clip, frame, nibbles};
use crate::{AudioFrame, Fault, Unit};

pub(super) struct Yamaha {
    shell: AudioFrame,
    channels: Vec<Channel>,
}

#[derive(Clone)]
struct Channel {
    predictor: i32,
    step: i32,
}

impl Channel {
    const START: Self = Self { predictor: 0, step: MIN_STEP };

    fn next(&mut self, code: u8) -> i32 {
        let size = usize::from(code & 7);
        let difference = self.step * (2 * size as i32 + 1);
        let difference = if code & 8 != 0 { -difference } else { difference };
        self.predictor = clip(self.predictor + difference / 8);
        self.step = ((self.step * SCALES[size]) >> 8).clamp(MIN_STEP, MAX_STEP);
        self.predictor
    }
}

impl Yamaha {
    pub(super) fn new(shell: AudioFrame) -> Self {
        Self { channels: vec![Channel::START; usize::from(shell.channels)], shell }
    }
}

impl Unit for Yamaha {
    fn decode(&mut self, packet: &Packet) -> Result<AudioFrame, Fault> {
        let count = self.channels.len();
        let whole = packet.data.len() * 2 / count * count;
        let codes = nibbles(&packet.data).take(whole).enumerate();
        let samples = codes.map(|(n, code)| self.channels[n % count].next(code)).collect();
        Ok(frame(&self.shell, samples))
    }

    fn reset(&mut self) {
        self.channels.fill(Channel::START);
    }
}

const MIN_STEP: i32 = 127;
const MAX_STEP: i32 = 24576;
const SCALES: [i32; 8] = [230, 230, 230, 230, 307, 409, 512, 614];
