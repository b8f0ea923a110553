//! From lines to samples: inverse MDCT, windows and overlap-add of Main, LC and LTP (ISO/IEC 14496-3 §4.6.11).
//!
//! ```text
//! overlap of the last unit ──────────────┐
//! lines ─▶ Dct4 ─▶ rising half ─▶ window & add ─▶ samples
//!              └──▶ falling half ─▶ overlap for the next unit
//! ```
//!
//! The falling half of a unit is kept folded (half as many numbers as samples) and without window, because the slope it
//! needs is that of the next unit: long only if both sides are long, else short in the middle of the half.

use crate::channel::{
    History, Syntax,
    info::{Info, Sequence},
};
use crate::config::Config;
use crate::low_delay::LowDelay;
use crate::transform::{
    Dct4,
    overlap::{FULL_SCALE, add_overlap, forward, shape},
    window,
};

/// Transforms and windows of one frame length.
pub(crate) enum FilterBank {
    Switched(Box<Switched>),
    LowDelay(Box<LowDelay>),
}

impl FilterBank {
    /// For units of `frame_length` samples; `eld`: the low delay filter bank of AAC-ELD.
    pub(crate) fn new(frame_length: usize, eld: bool) -> FilterBank {
        match frame_length {
            512 | 480 => FilterBank::LowDelay(Box::new(LowDelay::new(frame_length, eld))),
            _ => FilterBank::Switched(Box::new(Switched::new(frame_length))),
        }
    }

    /// For a stream of this configuration.
    pub(crate) fn of(config: &Config) -> FilterBank {
        let syntax = Syntax::of(config);
        FilterBank::new(syntax.frame_length, syntax.eld())
    }

    /// The first half of [`run`](FilterBank::run): what lines transform to. Not for low delay.
    pub(crate) fn transform(&mut self, lines: &[f32; 1024], info: &Info, out: &mut [f32; 1024]) {
        if let FilterBank::Switched(bank) = self {
            bank.transform(lines, info);
            out.copy_from_slice(&bank.transformed);
        }
    }

    /// The second half: from what lines transform to to samples.
    pub(crate) fn overlap(&mut self, sound: &mut [f32; 1024], info: &Info, history: &mut History) {
        if let FilterBank::Switched(bank) = self {
            bank.transformed.copy_from_slice(sound);
            bank.overlap(info, history, &mut sound[..bank.length]);
        }
        (history.sequence, history.kbd) = (info.sequence, info.kbd);
    }

    /// Turns a unit's lines into as many samples as a frame is long, and keeps what overlaps the next.
    pub(crate) fn run(&mut self, lines: &mut [f32; 1024], info: &Info, history: &mut History, out: &mut [f32]) {
        match self {
            FilterBank::Switched(bank) => {
                bank.transform(lines, info);
                bank.overlap(info, history, out);
            }
            FilterBank::LowDelay(bank) => bank.run(lines, history.kbd, &mut history.overlap, out),
        }
        (history.sequence, history.kbd) = (info.sequence, info.kbd);
    }

    /// The falling half of the last unit as it sounds alone, for long term prediction.
    pub(crate) fn tail(&self, history: &History, out: &mut [f32]) {
        match self {
            FilterBank::Switched(bank) => bank.tail(history, out),
            FilterBank::LowDelay(bank) => bank.tail(history.kbd, &history.overlap, out),
        }
    }

    /// Lines of two frames of predicted sound, windowed as the unit of `info` will be.
    pub(crate) fn analyze(&mut self, sound: &mut [f32], info: &Info, history: &History, lines: &mut [f32; 1024]) {
        match self {
            FilterBank::Switched(bank) => bank.analyze(sound, info, history, lines),
            FilterBank::LowDelay(bank) => bank.analyze(sound, history.kbd, info.kbd, lines),
        }
    }
}

/// Long and short windows of 1024 and 128, or 960 and 120 lines.
pub(crate) struct Switched {
    length: usize,
    long: Dct4,
    short: Dct4,
    /// Rising halves: sine, Kaiser-Bessel derived.
    long_windows: [Vec<f32>; 2],
    short_windows: [Vec<f32>; 2],
    transformed: [f32; 1024],
    /// Samples of the second to eighth short window.
    middle: [f32; 1024],
}

impl Switched {
    fn new(length: usize) -> Switched {
        let short = length / 8;
        Switched {
            length,
            long: Dct4::new(length, 1.0 / (length as f64 * FULL_SCALE)),
            short: Dct4::new(short, 1.0 / (short as f64 * FULL_SCALE)),
            long_windows: [window::sine(length), window::kaiser_bessel(length, 4.0)],
            short_windows: [window::sine(short), window::kaiser_bessel(short, 6.0)],
            transformed: [0.0; 1024],
            middle: [0.0; 1024],
        }
    }

    fn transform(&mut self, lines: &[f32; 1024], info: &Info) {
        if info.short() {
            let short = self.length / 8;
            for (lines, out) in lines.chunks_exact(128).zip(self.transformed.chunks_exact_mut(short)) {
                self.short.run(&lines[..short], out);
            }
        } else {
            self.long.run(&lines[..self.length], &mut self.transformed[..self.length]);
        }
    }

    fn overlap(&mut self, info: &Info, history: &mut History, out: &mut [f32]) {
        let short = self.length / 8;
        let flat = (self.length - short) / 2;
        if info.short() {
            self.overlap_short_windows(info);
        }
        let transformed = &self.transformed[..self.length];
        let overlap = &mut history.overlap[..self.length / 2];
        let (falling, rising) = transformed.split_at(self.length / 2);
        let short_window = &self.short_windows[usize::from(history.kbd)];
        if !history.sequence.ends_short() && matches!(info.sequence, Sequence::Long | Sequence::Start) {
            add_overlap(out, overlap, rising, &self.long_windows[usize::from(history.kbd)]);
        } else {
            let (finished, folded) = overlap.split_at(flat);
            let (before, rest) = out.split_at_mut(flat);
            let (slope, after) = rest.split_at_mut(short);
            before.copy_from_slice(finished);
            if info.short() {
                add_overlap(slope, folded, &transformed[short / 2..short], short_window);
                after.copy_from_slice(&self.middle[..flat]);
            } else {
                add_overlap(slope, folded, &rising[flat..], short_window);
                after.iter_mut().zip(rising[..flat].iter().rev()).for_each(|(out, d)| *out = -d);
            }
        }
        let falling = if info.short() {
            overlap[..flat].copy_from_slice(&self.middle[flat..2 * flat]);
            let last = &self.transformed[7 * short..];
            (&mut overlap[flat..], &last[..short / 2])
        } else {
            (overlap, falling)
        };
        falling.0.iter_mut().zip(falling.1.iter().rev()).for_each(|(overlap, d)| *overlap = -d);
    }

    /// Adds the second to eighth short window to the falling half of the one before.
    fn overlap_short_windows(&mut self, info: &Info) {
        let short = self.length / 8;
        let window = &self.short_windows[usize::from(info.kbd)];
        let mut folded = [0.0; 64];
        let windows = self.transformed[..self.length].chunks_exact(short);
        let next = windows.clone().skip(1);
        for ((before, current), out) in windows.zip(next).zip(self.middle.chunks_exact_mut(short)) {
            folded.iter_mut().zip(before[..short / 2].iter().rev()).for_each(|(folded, d)| *folded = -d);
            add_overlap(out, &folded[..short / 2], &current[short / 2..], window);
        }
    }

    fn tail(&self, history: &History, out: &mut [f32]) {
        let (short, half) = (self.length / 8, self.length / 2);
        let flat = (self.length - short) / 2;
        let overlap = &history.overlap[..half];
        let silence = [0.0; 512];
        if history.sequence.ends_short() {
            out[..flat].copy_from_slice(&overlap[..flat]);
            let window = &self.short_windows[usize::from(history.kbd)];
            add_overlap(&mut out[flat..flat + short], &overlap[flat..], &silence[..short / 2], window);
            out[flat + short..self.length].fill(0.0);
        } else {
            let window = &self.long_windows[usize::from(history.kbd)];
            add_overlap(&mut out[..self.length], overlap, &silence[..half], window);
        }
    }

    /// Windows `2 * length` samples as `info` and the unit before it ask, and transforms them to lines.
    fn analyze(&mut self, sound: &mut [f32], info: &Info, history: &History, lines: &mut [f32; 1024]) {
        let short = self.length / 8;
        let flat = (self.length - short) / 2;
        let (rising, falling) = sound.split_at_mut(self.length);
        let (before, now) = (usize::from(history.kbd), usize::from(info.kbd));
        if info.sequence == Sequence::Stop {
            rising[..flat].fill(0.0);
            shape(&mut rising[flat..flat + short], self.short_windows[before].iter());
        } else {
            shape(rising, self.long_windows[before].iter());
        }
        if info.sequence == Sequence::Start {
            shape(&mut falling[flat..flat + short], self.short_windows[now].iter().rev());
            falling[flat + short..].fill(0.0);
        } else {
            shape(falling, self.long_windows[now].iter().rev());
        }
        forward(&mut self.long, sound, &mut self.transformed, lines);
    }
}
