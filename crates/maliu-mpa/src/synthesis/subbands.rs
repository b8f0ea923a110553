//! The third stage: the spectrum of a frame to samples of subbands, and whether they are believed. Carries the overlap of
//! layer III and the last slots of the frames before.

use multiversion::multiversion;

use super::bank::{Bank, HISTORY, gain};
use super::hybrid::{self, Overlap};
use super::judge::Judge;
use crate::frame::MAX_SAMPLES;
use crate::header::{Header, SLOTS};
use crate::parsed::{Before, Block, Parsed, Row, Rows, Spectrum};
use crate::{Error, LOUDEST};

/// Turns the spectra of one stream into samples of subbands, in their order, and judges them.
#[derive(Default)]
pub struct Subbands {
    /// A frame of the stream at hand.
    kind: Option<Header>,
    judge: Judge,
    channels: [Channel; 2],
    /// The channels were cleared since the last frame that was kept.
    anew: bool,
    /// The next frame gets what its sound needs of those before.
    begins: bool,
}

/// The state of a channel.
struct Channel {
    /// Of the frame before; then after each granule of the frame at hand.
    overlaps: Box<[Overlap; 3]>,
    /// The last slots of the frames before.
    before: Box<Before>,
    /// How loud these may get, and then the slots of the frame at hand.
    levels: Levels,
    /// Makes the sound of a frame that may be too loud.
    probe: Box<Probe>,
}

/// The sum of all subbands of each slot, whatever their signs.
type Levels = [f32; HISTORY + 2 * SLOTS];

struct Probe {
    bank: Bank,
    output: [f32; MAX_SAMPLES],
}

impl Default for Channel {
    fn default() -> Self {
        let probe = Probe { bank: Bank::default(), output: [0.0; MAX_SAMPLES] };
        Channel {
            overlaps: Box::default(),
            before: Box::new([[0.0; 32]; HISTORY]),
            levels: [0.0; HISTORY + 2 * SLOTS],
            probe: Box::new(probe),
        }
    }
}

impl Subbands {
    /// The stage at the start of a stream.
    pub fn new() -> Subbands {
        Subbands::default()
    }

    /// The next frame is one at which a [`Polyphase`](crate::Polyphase) begins.
    pub fn begin(&mut self) {
        self.begins = true;
    }

    /// Makes the subbands of a frame. A frame with a fault is concealed: the end of the sound before it, then silence; so
    /// is one that turns out louder than [`LOUDEST`], which is then its fault.
    pub fn run(&mut self, unit: &mut Parsed) {
        self.attempt(unit);
        if let (Some(header), Some(_)) = (unit.header, unit.fault) {
            self.silence(&header, unit);
            if self.is_loud(&header, unit) {
                // The rest of the frame before is damage, too.
                self.clear();
                self.silence(&header, unit);
            }
            self.keep(&header, unit);
        }
    }

    /// Makes the subbands of a frame without a fault. Where it has one or gets one, the state stays as it was.
    pub(super) fn attempt(&mut self, unit: &mut Parsed) {
        if unit.restart {
            (self.kind, self.judge) = (None, Judge::default());
        }
        let Some(header) = unit.header else { return };
        if !self.kind.replace(header).is_some_and(|kind| kind.same_rate(&header)) {
            self.clear();
        }
        unit.fault = unit.fault.or_else(|| self.judge.fault(unit));
        if unit.fault.is_none() {
            self.make(&header, unit);
        }
        self.judge.note(unit);
    }

    fn make(&mut self, header: &Header, unit: &mut Parsed) {
        unit.direct = header.layer < 3;
        if !unit.direct {
            let channels = self.channels.iter_mut().zip(unit.slots.iter_mut()).take(header.channels());
            channels
                .enumerate()
                .for_each(|(i, (channel, slots))| channel.run(header, Some((&unit.spectrum, i)), slots));
        }
        if self.is_loud(header, unit) && !self.judge.may_be_loud(unit) {
            unit.fault = Some(Error::TooLoud);
        } else {
            self.keep(header, unit);
        }
    }

    /// Makes the subbands that follow the frames so far when nothing is added.
    fn silence(&mut self, header: &Header, unit: &mut Parsed) {
        unit.direct = false;
        let channels = self.channels.iter_mut().zip(unit.slots.iter_mut()).take(header.channels());
        channels.for_each(|(channel, slots)| channel.run(header, None, slots));
    }

    /// Whether any sample of the frame will be beyond [`LOUDEST`] or not a number.
    fn is_loud(&mut self, header: &Header, unit: &Parsed) -> bool {
        let rows = if unit.direct { &unit.spectrum.rows } else { &*unit.slots };
        let channels = self.channels.iter_mut().zip(rows).take(header.channels());
        channels.map(|(channel, rows)| channel.is_loud(&rows[..header.slots()])).fold(false, |any, loud| any | loud)
    }

    /// Keeps the state after the frame that was made last.
    fn keep(&mut self, header: &Header, unit: &mut Parsed) {
        unit.anew = std::mem::take(&mut self.anew);
        if std::mem::take(&mut self.begins) {
            unit.before.iter_mut().zip(&self.channels).for_each(|(before, channel)| *before = *channel.before);
        }
        let rows = if unit.direct { &unit.spectrum.rows } else { &*unit.slots };
        let channels = self.channels.iter_mut().zip(rows).take(header.channels());
        channels.for_each(|(channel, rows)| channel.keep(header, &rows[..header.slots()]));
    }

    fn clear(&mut self) {
        self.anew = true;
        self.channels.iter_mut().for_each(Channel::clear);
    }
}

impl Channel {
    /// Makes the subbands of a channel of a spectrum; without one, of silence. The state stays as it was.
    fn run(&mut self, header: &Header, spectrum: Option<(&Spectrum, usize)>, slots: &mut Rows) {
        if header.layer < 3 {
            slots.as_flattened_mut().fill(0.0);
            return;
        }
        let mut overlaps = &mut self.overlaps[..];
        for (granule, slots) in slots.as_chunks_mut::<SLOTS>().0.iter_mut().take(header.granules()).enumerate() {
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
    }

    /// Whether any sample that the slots make is beyond [`LOUDEST`] or not a number. Most slots are so quiet that it need
    /// not be tried.
    fn is_loud(&mut self, slots: &[Row]) -> bool {
        let count = HISTORY + slots.len();
        measure(slots, &mut self.levels[HISTORY..count]);
        let most = LOUDEST / gain();
        if self.levels[..count].iter().all(|level| *level <= most) {
            return false;
        }
        let Probe { bank, output } = &mut *self.probe;
        bank.follow(&self.before);
        bank.run(slots, output);
        is_loud(&output[..32 * slots.len()])
    }

    /// Keeps the state after the frame that was made last.
    fn keep(&mut self, header: &Header, slots: &[Row]) {
        if header.layer == 3 {
            self.overlaps.swap(0, header.granules());
        }
        let new = slots.len().min(HISTORY);
        self.before.copy_within(new.., 0);
        self.before[HISTORY - new..].copy_from_slice(&slots[slots.len() - new..]);
        self.levels.copy_within(slots.len()..slots.len() + HISTORY, 0);
    }

    fn clear(&mut self) {
        self.overlaps[0] = Overlap::default();
        self.before.as_flattened_mut().fill(0.0);
        self.levels = [0.0; HISTORY + 2 * SLOTS];
    }
}

#[multiversion(targets("x86_64+avx2+bmi1+bmi2", "x86_64+avx"))]
fn measure(slots: &[Row], levels: &mut [f32]) {
    for (slot, level) in slots.iter().zip(levels) {
        let mut sums = [0.0; 8];
        for eight in slot.as_chunks::<8>().0 {
            for i in 0..8 {
                sums[i] += eight[i].abs();
            }
        }
        let [a, b, c, d, e, f, g, h] = sums;
        *level = ((a + b) + (c + d)) + ((e + f) + (g + h));
    }
}

/// Whether any sample is beyond [`LOUDEST`] or not a number.
fn is_loud(samples: &[f32]) -> bool {
    // Without its sign a float orders like its bits, and what is no number is above all.
    let is_loud = |sample: &f32| sample.to_bits() as i32 & i32::MAX > LOUDEST.to_bits() as i32;
    samples.iter().map(|sample| u32::from(is_loud(sample))).sum::<u32>() > 0
}
