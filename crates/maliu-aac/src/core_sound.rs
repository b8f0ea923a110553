//! The second stage: lines to the sound of the core. Work that needs no other unit may have been done before
//! ([`Transform`](crate::Transform)).
//!
//! ```text
//! lines ─▶ middle/side, prediction, intensity ─▶ coupling, long term prediction, tns ─▶ filterbank ─▶ samples
//! ```

use std::sync::Arc;

use crate::channel::stereo::{self, Mask};
use crate::channel::{Channel, Syntax};
use crate::config::{Config, Place};
use crate::coupling::{self, Point};
use crate::drc::Drc;
use crate::ltp::{Past, Scratch};
use crate::parsed::{Coupled, Element, Parsed};
use crate::plan::Plan;
use crate::prediction::Predictors;
use crate::{channel::History, filterbank::FilterBank};

/// Turns lines into samples, unit after unit of one stream.
pub struct Core {
    plan: Option<Arc<Plan>>,
    /// By element.
    voices: Vec<Vec<Voice>>,
    coupled_voices: Vec<Voice>,
    bank: FilterBank,
    scratch: Box<Scratch>,
}

impl Core {
    /// For a stream of this configuration.
    pub fn new(config: &Config) -> Core {
        Core {
            plan: None,
            voices: Vec::new(),
            coupled_voices: Vec::new(),
            bank: FilterBank::of(config),
            scratch: Box::new(Scratch::new()),
        }
    }

    /// Makes the core's sound of a unit.
    pub fn run(&mut self, unit: &mut Parsed) {
        let Some(plan) = &unit.plan else { return };
        if self.plan.as_ref().map(Arc::as_ptr) != Some(Arc::as_ptr(plan)) {
            self.follow(plan.clone());
        }
        let drc = Some(&unit.drc).filter(|_| unit.apply_drc);
        let length = plan.syntax.frame_length;
        let mut tools = Tools { length, bank: &mut self.bank, scratch: &mut self.scratch, drc };
        for (voice, coupled) in self.coupled_voices.iter_mut().zip(&mut unit.couplings) {
            voice.couple(coupled, &mut tools);
        }
        let elements = self.voices.iter_mut().zip(&mut unit.elements).zip(&plan.elements);
        for ((voices, element), (_, output)) in elements {
            if std::mem::take(&mut element.transformed) {
                overlap(element, voices, &mut tools);
                continue;
            }
            if !element.present {
                silence(element, voices, &plan.syntax);
            }
            finish(element, voices, *output, &unit.couplings, &mut tools);
        }
    }

    fn follow(&mut self, plan: Arc<Plan>) {
        let voices = |count: usize| (0..count).map(|_| Voice::new(&plan.syntax)).collect();
        self.voices = plan.elements.iter().map(|(place, _)| voices(1 + usize::from(place.pair))).collect();
        self.coupled_voices = voices(plan.couplings.len());
        self.plan = Some(plan);
    }
}

/// Values that all channels share.
struct Tools<'a> {
    /// Samples of a unit of the core.
    length: usize,
    bank: &'a mut FilterBank,
    scratch: &'a mut Scratch,
    /// Gains to apply, if they are asked for.
    drc: Option<&'a Drc>,
}

/// State that one channel carries from unit to unit.
struct Voice {
    history: History,
    predictors: Option<Box<Predictors>>,
    past: Option<Past>,
}

impl Voice {
    fn new(syntax: &Syntax) -> Voice {
        Voice {
            history: History::new(syntax.frame_length, syntax.eld()),
            predictors: syntax.backward().then(|| Box::new(Predictors::new())),
            past: syntax.long_term().then(|| Past::new(syntax.frame_length, syntax.low_delay())),
        }
    }

    fn predict(&mut self, channel: &mut Channel) {
        if let Some(predictors) = &mut self.predictors {
            predictors.run(&mut channel.lines, &channel.info);
        }
    }

    /// Adds what is predicted from finished sound, and filters. `second`: the voice is the second that shares its info.
    fn shape(&mut self, channel: &mut Channel, second: bool, tools: &mut Tools) {
        let ltp = channel.info.ltp[usize::from(second)];
        if let (Some(past), Some(ltp)) = (&mut self.past, ltp) {
            past.predict(channel, &ltp, tools.bank, &self.history, tools.scratch);
        }
        channel.tns.apply(&mut channel.lines, &channel.info);
    }

    /// Lines to samples.
    fn finish(&mut self, channel: &mut Channel, sound: &mut [f32; 1024], tools: &mut Tools) {
        let sound = &mut sound[..tools.length];
        tools.bank.run(&mut channel.lines, &channel.info, &mut self.history, sound);
        if let Some(past) = &mut self.past {
            past.update(sound, tools.bank, &self.history);
        }
    }

    /// Prepares the lines of a coupling channel, or samples if those are coupled.
    fn couple(&mut self, coupled: &mut Coupled, tools: &mut Tools) {
        if coupled.present {
            self.predict(&mut coupled.channel);
            self.shape(&mut coupled.channel, false, tools);
        }
        if coupled.at(Point::Samples) {
            self.finish(&mut coupled.channel, &mut coupled.core, tools);
        }
    }
}

/// Sound of a unit without the element: the end of the last one.
fn silence(element: &mut Element, voices: &[Voice], syntax: &Syntax) {
    element.mask = Mask::NONE;
    element.common = false;
    for (channel, voice) in element.channels.iter_mut().zip(voices) {
        channel.silence(syntax, &voice.history);
    }
}

/// The rest of what [`Transform`](crate::Transform) did.
fn overlap(element: &mut Element, voices: &mut [Voice], tools: &mut Tools) {
    for ((voice, channel), sound) in voices.iter_mut().zip(&element.channels).zip(&mut element.sound) {
        tools.bank.overlap(sound, &channel.info, &mut voice.history);
    }
}

/// All that happens between dequantised lines and samples of the core.
fn finish(element: &mut Element, voices: &mut [Voice], output: usize, couplings: &[Coupled], tools: &mut Tools) {
    if let ([left, right], true) = (element.channels.as_mut_slice(), element.common) {
        stereo::middle_side(left, right, &element.mask);
    }
    voices.iter_mut().zip(&mut element.channels).for_each(|(voice, channel)| voice.predict(channel));
    if let [left, right] = element.channels.as_mut_slice() {
        stereo::intensity(left, right, &element.mask);
    }
    couple(element, couplings, Point::BeforeTns);
    for (i, (voice, channel)) in voices.iter_mut().zip(&mut element.channels).enumerate() {
        voice.shape(channel, element.common && i == 1, tools);
    }
    couple(element, couplings, Point::AfterTns);
    for (i, ((voice, channel), sound)) in
        voices.iter_mut().zip(&mut element.channels).zip(&mut element.sound).enumerate()
    {
        if let Some(drc) = tools.drc {
            drc.apply(output + i, &mut channel.lines, channel.info.short());
        }
        voice.finish(channel, sound, tools);
    }
}

/// Adds the lines of the coupling channels that name an element.
fn couple(element: &mut Element, couplings: &[Coupled], point: Point) {
    let place = element.place;
    for coupled in couplings.iter().filter(|c| c.at(point) && place.place != Place::Lfe) {
        for (i, channel) in element.channels.iter_mut().enumerate() {
            for gains in coupled.coupling.gains(place.pair, place.tag, i) {
                coupling::add_lines(&mut channel.lines, &coupled.channel, gains);
            }
        }
    }
}
