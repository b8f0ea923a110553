//! Long term prediction: lines predicted from sound already decoded (ISO/IEC 14496-3 §4.6.7).

use crate::channel::{Channel, info::LongTerm};
use crate::{channel::History, filterbank::FilterBank};

/// The finished sound of a channel that prediction looks back on.
pub(crate) struct Past {
    /// Two frames of finished sound, three in AAC-LD, then the falling half of the last unit as it sounds alone.
    sound: Vec<f32>,
    /// Samples of a frame.
    length: usize,
    /// Lag of the last unit that said one.
    lag: usize,
}

impl Past {
    /// `low_delay`: lags count from a frame further back.
    pub(crate) fn new(length: usize, low_delay: bool) -> Past {
        Past { sound: vec![0.0; (3 + usize::from(low_delay)) * length], length, lag: 0 }
    }

    /// Adds the predicted lines to those of the channel.
    pub(crate) fn predict(
        &mut self,
        channel: &mut Channel,
        ltp: &LongTerm,
        bank: &mut FilterBank,
        history: &History,
        scratch: &mut Scratch,
    ) {
        if let Some(lag) = ltp.lag {
            self.lag = usize::from(lag);
        }
        let info = &channel.info;
        if info.short() {
            return;
        }
        let length = self.length;
        let predicted = &mut scratch.sound[..2 * length];
        predicted.fill(0.0);
        let start = (2 * length).saturating_sub(self.lag);
        let past = self.sound.get(start..).unwrap_or_default();
        for (to, from) in predicted.iter_mut().zip(past) {
            *to = from * ltp.gain;
        }
        bank.analyze(predicted, info, history, &mut scratch.lines);
        channel.tns.apply_inverse(&mut scratch.lines, info);
        for band in (0..info.max_sfb).filter(|band| ltp.used >> band & 1 != 0) {
            let range = info.bands.range(band);
            if let (Some(lines), Some(predicted)) = (channel.lines.get_mut(range.clone()), scratch.lines.get(range)) {
                lines.iter_mut().zip(predicted).for_each(|(line, p)| *line += p);
            }
        }
    }

    /// Takes in the unit just finished.
    pub(crate) fn update(&mut self, sound: &[f32], bank: &FilterBank, history: &History) {
        let tail_start = self.sound.len() - self.length;
        self.sound.copy_within(self.length..tail_start, 0);
        let (finished, tail) = self.sound.split_at_mut(tail_start);
        let (_, last) = finished.split_at_mut(tail_start - self.length);
        // Bounded, because a prediction from predictions can grow without end.
        last.iter_mut().zip(sound).for_each(|(last, sample)| *last = sample.clamp(-LOUDEST, LOUDEST));
        bank.tail(history, tail);
    }
}

/// Far above full scale.
const LOUDEST: f32 = 1024.0;

/// Room for a prediction.
pub(crate) struct Scratch {
    sound: [f32; 2048],
    lines: [f32; 1024],
}

impl Scratch {
    pub(crate) fn new() -> Scratch {
        Scratch { sound: [0.0; 2048], lines: [0.0; 1024] }
    }
}
