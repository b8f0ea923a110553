//! The third stage: the spectrum of a frame to samples. Carries the overlap of layer III and the state of the filter bank.
//!
//! ```text
//! layer III: lines ─▶ hybrid: samples of subbands ─┐
//! layers I and II: samples of subbands ────────────┴▶ bank: samples
//! ```

mod bank;
mod dct32;
mod hybrid;
mod judge;
mod list;
#[cfg(test)]
mod tests;

use self::bank::Bank;
use self::hybrid::Overlap;
use self::judge::Judge;
use crate::frame::MAX_SAMPLES;
use crate::header::{Header, SLOTS};
use crate::parsed::{Block, Parsed, Rows, Spectrum};
use crate::{Error, LOUDEST};

/// Turns the spectra of one stream into samples, in their order.
#[derive(Default)]
pub struct Synthesis {
    /// A frame of the stream at hand.
    kind: Option<Header>,
    judge: Judge,
    channels: [Channel; 2],
}

/// The state of a channel.
struct Channel {
    /// Of the frame before; then after each granule of the frame at hand.
    overlaps: Box<[Overlap; 3]>,
    bank: Bank,
    /// Samples of the subbands of the frame at hand.
    slots: Box<Rows>,
}

impl Default for Channel {
    fn default() -> Self {
        Channel { overlaps: Box::default(), bank: Bank::default(), slots: Box::new([[0.0; 32]; 2 * SLOTS]) }
    }
}

impl Synthesis {
    /// Synthesis at the start of a stream.
    pub fn new() -> Synthesis {
        Synthesis::default()
    }

    /// Makes the samples of a frame. A frame with a fault is concealed: the end of the sound before it, then silence; so
    /// is one that turns out louder than [`LOUDEST`], which is then its fault.
    pub fn run(&mut self, unit: &mut Parsed) {
        self.attempt(unit);
        if let (Some(header), Some(_)) = (unit.header, unit.fault) {
            self.silence(&header, unit);
            if unit.output.iter().take(header.channels()).any(|output| is_loud(&output[..header.samples()])) {
                // What is left of the frame before is damage, too.
                self.channels.iter_mut().for_each(Channel::clear);
                self.silence(&header, unit);
            }
            self.channels.iter_mut().take(header.channels()).for_each(|channel| channel.keep(&header));
        }
    }

    /// Makes the samples that follow the frames so far when nothing is added.
    fn silence(&mut self, header: &Header, unit: &mut Parsed) {
        let outputs = unit.output.iter_mut().take(header.channels());
        self.channels.iter_mut().zip(outputs).for_each(|(channel, output)| channel.run(header, None, output));
    }

    /// Makes the samples of a frame without a fault. Where it has one or gets one, the state stays as it was.
    pub(crate) fn attempt(&mut self, unit: &mut Parsed) {
        if unit.restart {
            (self.kind, self.judge) = (None, Judge::default());
        }
        let Some(header) = unit.header else { return };
        if !self.kind.replace(header).is_some_and(|kind| kind.same_rate(&header)) {
            self.channels.iter_mut().for_each(Channel::clear);
        }
        unit.fault = unit.fault.or_else(|| self.judge.fault(unit));
        if unit.fault.is_none() {
            self.make(&header, unit);
        }
        self.judge.note(unit);
    }

    fn make(&mut self, header: &Header, unit: &mut Parsed) {
        let count = header.channels();
        for (i, (channel, output)) in self.channels.iter_mut().zip(unit.output.iter_mut()).take(count).enumerate() {
            channel.run(header, Some((&unit.spectrum, i)), output);
        }
        let loud = |samples: &[f32; MAX_SAMPLES]| is_loud(&samples[..header.samples()]);
        if unit.output.iter().take(count).any(loud) && !self.judge.may_be_loud(unit) {
            unit.fault = Some(Error::TooLoud);
        } else {
            self.channels.iter_mut().take(count).for_each(|channel| channel.keep(header));
        }
    }
}

impl Channel {
    /// Makes the samples of a channel of a spectrum; without one, of silence. The state stays as it was.
    fn run(&mut self, header: &Header, spectrum: Option<(&Spectrum, usize)>, output: &mut [f32; MAX_SAMPLES]) {
        let slots = match spectrum {
            Some((spectrum, channel)) if header.layer < 3 => &spectrum.rows[channel],
            None if header.layer < 3 => {
                self.slots.as_flattened_mut().fill(0.0);
                &self.slots
            }
            _ => {
                let mut overlaps = &mut self.overlaps[..];
                for (granule, slots) in
                    self.slots.as_chunks_mut::<SLOTS>().0.iter_mut().take(header.granules()).enumerate()
                {
                    let Some((before, after)) = overlaps.split_first_mut() else { break };
                    let (block, lines) = match spectrum {
                        Some((spectrum, channel)) => {
                            let lines = &spectrum.rows[channel].as_chunks::<SLOTS>().0[granule];
                            (spectrum.blocks[channel][granule], lines)
                        }
                        None => (Block::default(), &hybrid::SILENCE),
                    };
                    hybrid::granule(block, lines, before, &mut after[0], slots);
                    overlaps = after;
                }
                &self.slots
            }
        };
        self.bank.run(&slots[..header.slots()], output);
    }

    /// Keeps the state after the frame that was made last.
    fn keep(&mut self, header: &Header) {
        if header.layer == 3 {
            self.overlaps.swap(0, header.granules());
        }
        self.bank.keep(header.slots());
    }

    fn clear(&mut self) {
        self.overlaps[0] = Overlap::default();
        self.bank.clear();
    }
}

/// Whether any sample is beyond [`LOUDEST`] or not a number.
fn is_loud(samples: &[f32]) -> bool {
    // Without its sign a float orders like its bits, and what is no number is above all.
    let is_loud = |sample: &f32| sample.to_bits() as i32 & i32::MAX > LOUDEST.to_bits() as i32;
    samples.iter().map(|sample| u32::from(is_loud(sample))).sum::<u32>() > 0
}
