//! Channel elements: what one channel or a pair of them keeps from unit to unit, and its way to samples.

use crate::bits::Bits;
use crate::channel::{Channel, Syntax, info::Info};
use crate::config::{ProgramElement, object};
use crate::coupling::{self, Coupling, Point};
use crate::filterbank::{FilterBank, History};
use crate::high_band::Raised;
use crate::ltp::{Past, Scratch};
use crate::prediction::Predictors;
use crate::sbr::Sbr;
use crate::stereo::{self, Mask};
use crate::{Error, noise::Noise};

/// One channel: this unit's lines, what it carries, and its finished samples.
pub(crate) struct Voice {
    pub(crate) channel: Channel,
    pub(crate) history: History,
    predictors: Option<Box<Predictors>>,
    past: Option<Past>,
    /// Samples of the core, full scale 1.0.
    pub(crate) sound: [f32; 1024],
}

impl Voice {
    pub(crate) fn new(syntax: &Syntax) -> Voice {
        let long_term = matches!(syntax.object_type, object::LTP | object::ER_LTP | object::ER_LD);
        Voice {
            channel: Channel::new(syntax),
            history: History::new(syntax.frame_length, syntax.eld()),
            predictors: (syntax.object_type == object::MAIN).then(|| Box::new(Predictors::new())),
            past: long_term.then(|| Past::new(syntax.frame_length)),
            sound: [0.0; 1024],
        }
    }

    fn predict(&mut self) {
        if let Some(predictors) = &mut self.predictors {
            predictors.run(&mut self.channel.lines, &self.channel.info);
        }
    }

    /// Adds what is predicted from finished sound. `second`: the voice is the second that shares its info.
    fn predict_long_term(&mut self, second: bool, bank: &mut FilterBank, scratch: &mut Scratch) {
        let ltp = self.channel.info.ltp[usize::from(second)];
        if let (Some(past), Some(ltp)) = (&mut self.past, ltp) {
            past.predict(&mut self.channel, &ltp, bank, &self.history, scratch);
        }
    }

    /// Lines to samples.
    fn finish(&mut self, length: usize, bank: &mut FilterBank) {
        let Voice { channel, history, sound, past, .. } = self;
        let sound = &mut sound[..length];
        bank.run(&mut channel.lines, &channel.info, history, sound);
        if let Some(past) = past {
            past.update(sound, bank, history);
        }
    }
}

/// A single channel, a pair or low frequency effects.
pub(crate) struct Element {
    pub(crate) place: ProgramElement,
    /// One or two.
    pub(crate) voices: Vec<Voice>,
    /// The two share one info.
    common: bool,
    mask: Mask,
    /// The unit at hand has the element.
    pub(crate) present: bool,
    /// Its first output channel.
    pub(crate) output: usize,
    /// There while SBR is on.
    pub(crate) sbr: Option<Box<Sbr>>,
    /// It is to make two channels of one.
    pub(crate) stereo: bool,
}

impl Element {
    pub(crate) fn new(place: ProgramElement, output: usize, syntax: &Syntax) -> Element {
        let voices = (0..1 + usize::from(place.pair)).map(|_| Voice::new(syntax)).collect();
        Element { place, voices, common: false, mask: Mask::NONE, present: false, output, sbr: None, stereo: false }
    }

    /// Reads single_channel_element, lfe_channel_element or channel_pair_element after its tag.
    pub(crate) fn parse(&mut self, bits: &mut Bits, syntax: &Syntax, noise: &mut Noise) -> Result<(), Error> {
        self.present = true;
        self.common = false;
        match self.voices.as_mut_slice() {
            [left, right] => {
                self.common = syntax.eld() || bits.flag();
                self.mask = Mask::NONE;
                if self.common {
                    let info = Info::parse(bits, syntax, true)?;
                    self.mask = Mask::parse(bits, &info)?;
                    left.channel.parse(bits, syntax, Some(&info), noise)?;
                    right.channel.parse(bits, syntax, Some(&info), noise)
                } else {
                    left.channel.parse(bits, syntax, None, noise)?;
                    right.channel.parse(bits, syntax, None, noise)
                }
            }
            [single, ..] => single.channel.parse(bits, syntax, None, noise),
            [] => Ok(()),
        }
    }

    /// What a unit without the element sounds like: the end of the last one.
    pub(crate) fn silence(&mut self, syntax: &Syntax) {
        self.mask = Mask::NONE;
        self.common = false;
        self.voices.iter_mut().for_each(|voice| voice.channel.silence(syntax));
    }

    /// All that happens between dequantised lines and samples of the core.
    pub(crate) fn finish(
        &mut self,
        length: usize,
        couplings: &[Coupled],
        bank: &mut FilterBank,
        scratch: &mut Scratch,
    ) {
        if let ([left, right], true) = (self.voices.as_mut_slice(), self.common) {
            stereo::middle_side(&mut left.channel, &mut right.channel, &self.mask);
        }
        self.voices.iter_mut().for_each(Voice::predict);
        if let [left, right] = self.voices.as_mut_slice() {
            stereo::intensity(&left.channel, &mut right.channel, &self.mask);
        }
        self.couple(couplings, Point::BeforeTns);
        for (i, voice) in self.voices.iter_mut().enumerate() {
            voice.predict_long_term(self.common && i == 1, bank, scratch);
            voice.channel.tns.apply(&mut voice.channel.lines, &voice.channel.info);
        }
        self.couple(couplings, Point::AfterTns);
        self.voices.iter_mut().for_each(|voice| voice.finish(length, bank));
    }

    /// Adds the lines of the coupling channels that name this element.
    fn couple(&mut self, couplings: &[Coupled], point: Point) {
        if self.place.place == crate::config::Place::Lfe {
            return;
        }
        for coupled in couplings.iter().filter(|c| c.present && c.coupling.point == point) {
            for (i, voice) in self.voices.iter_mut().enumerate() {
                for gains in coupled.coupling.gains(self.place.pair, self.place.tag, i) {
                    coupling::add_lines(&mut voice.channel.lines, &coupled.voice.channel, gains);
                }
            }
        }
    }
}

/// A coupling channel element.
pub(crate) struct Coupled {
    pub(crate) tag: u8,
    pub(crate) voice: Voice,
    pub(crate) coupling: Coupling,
    pub(crate) present: bool,
    /// There while SBR is on.
    pub(crate) raised: Option<Box<Raised>>,
}

impl Coupled {
    pub(crate) fn new(tag: u8, syntax: &Syntax) -> Coupled {
        Coupled { tag, voice: Voice::new(syntax), coupling: Coupling::new(), present: false, raised: None }
    }

    pub(crate) fn parse(&mut self, bits: &mut Bits, syntax: &Syntax, noise: &mut Noise) -> Result<(), Error> {
        self.coupling.parse(bits, &mut self.voice.channel, syntax, noise)?;
        self.present = true;
        Ok(())
    }

    /// Prepares lines, or samples if those are coupled.
    pub(crate) fn finish(&mut self, length: usize, bank: &mut FilterBank, scratch: &mut Scratch) {
        if !self.present {
            return;
        }
        let voice = &mut self.voice;
        voice.predict();
        voice.predict_long_term(false, bank, scratch);
        voice.channel.tns.apply(&mut voice.channel.lines, &voice.channel.info);
        if self.coupling.point == Point::Samples {
            voice.finish(length, bank);
        }
    }
}
