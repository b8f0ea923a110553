//! Channel elements: what one channel or a pair of them keeps from unit to unit, and its way to samples.

use crate::bits::Bits;
use crate::channel::{Channel, Syntax, info::Info};
use crate::config::{Place, ProgramElement, object};
use crate::coupling::{self, Coupling, Point};
use crate::drc::Drc;
use crate::extension::Extension;
use crate::filterbank::{FilterBank, History};
use crate::frame::STRIDE;
use crate::ltp::{Past, Scratch};
use crate::prediction::Predictors;
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
            past: long_term.then(|| Past::new(syntax.frame_length, syntax.low_delay())),
            sound: [0.0; 1024],
        }
    }

    fn reset(&mut self, syntax: &Syntax) {
        self.channel.silence(syntax);
        self.history.reset();
        if let Some(predictors) = &mut self.predictors {
            predictors.reset();
        }
        if let Some(past) = &mut self.past {
            past.reset();
        }
    }

    fn predict(&mut self) {
        if let Some(predictors) = &mut self.predictors {
            predictors.run(&mut self.channel.lines, &self.channel.info);
        }
    }

    /// Adds what is predicted from finished sound. `second`: the voice is the second that shares its info.
    fn predict_long_term(&mut self, second: bool, tools: &mut Tools) {
        let ltp = self.channel.info.ltp[usize::from(second)];
        if let (Some(past), Some(ltp)) = (&mut self.past, ltp) {
            past.predict(&mut self.channel, &ltp, tools.bank, &self.history, tools.scratch);
        }
    }

    /// Lines to samples.
    fn finish(&mut self, tools: &mut Tools) {
        let Voice { channel, history, sound, past, .. } = self;
        let sound = &mut sound[..tools.length];
        tools.bank.run(&mut channel.lines, &channel.info, history, sound);
        if let Some(past) = past {
            past.update(sound, tools.bank, history);
        }
    }
}

/// What all channels of a decoder share between lines and samples.
pub(crate) struct Tools<'a> {
    /// Samples of a unit of the core.
    pub(crate) length: usize,
    pub(crate) bank: &'a mut FilterBank,
    pub(crate) scratch: &'a mut Scratch,
    /// Gains to apply, if they are asked for.
    pub(crate) drc: Option<&'a Drc>,
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
    pub(crate) extension: Option<Box<Extension>>,
}

impl Element {
    pub(crate) fn new(place: ProgramElement, output: usize, syntax: &Syntax) -> Element {
        let voices = (0..1 + usize::from(place.pair)).map(|_| Voice::new(syntax)).collect();
        Element { place, voices, common: false, mask: Mask::NONE, present: false, output, extension: None }
    }

    /// Forgets all units.
    pub(crate) fn reset(&mut self, syntax: &Syntax) {
        self.present = false;
        self.voices.iter_mut().for_each(|voice| voice.reset(syntax));
    }

    pub(crate) fn begin_unit(&mut self) {
        self.present = false;
        if let Some(extension) = &mut self.extension {
            extension.begin_unit();
        }
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
                    let mut info = Info::parse(bits, syntax, true)?;
                    self.mask = Mask::parse(bits, &info)?;
                    if info.ltp_follows {
                        info.parse_ltp(bits, syntax, 0);
                    }
                    left.channel.parse(bits, syntax, Some(&info), noise)?;
                    if info.ltp_follows {
                        info.parse_ltp(bits, syntax, 1);
                    }
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
    pub(crate) fn finish(&mut self, couplings: &[Coupled], tools: &mut Tools) {
        if let ([left, right], true) = (self.voices.as_mut_slice(), self.common) {
            stereo::middle_side(&mut left.channel, &mut right.channel, &self.mask);
        }
        self.voices.iter_mut().for_each(Voice::predict);
        if let [left, right] = self.voices.as_mut_slice() {
            stereo::intensity(&left.channel, &mut right.channel, &self.mask);
        }
        self.couple(couplings, Point::BeforeTns);
        for (i, voice) in self.voices.iter_mut().enumerate() {
            voice.predict_long_term(self.common && i == 1, tools);
            voice.channel.tns.apply(&mut voice.channel.lines, &voice.channel.info);
        }
        self.couple(couplings, Point::AfterTns);
        for (i, voice) in self.voices.iter_mut().enumerate() {
            if let Some(drc) = tools.drc {
                drc.apply(self.output + i, &mut voice.channel.lines, voice.channel.info.short());
            }
            voice.finish(tools);
        }
    }

    /// Adds the lines of the coupling channels that name this element.
    fn couple(&mut self, couplings: &[Coupled], point: Point) {
        for coupled in couplings.iter().filter(|c| c.at(point) && self.place.place != Place::Lfe) {
            for (i, voice) in self.voices.iter_mut().enumerate() {
                for gains in coupled.coupling.gains(self.place.pair, self.place.tag, i) {
                    coupling::add_lines(&mut voice.channel.lines, &coupled.voice.channel, gains);
                }
            }
        }
    }

    /// Writes the finished sound to the element's output channels, `STRIDE` samples each.
    pub(crate) fn output(&mut self, length: usize, couplings: &[Coupled], out: &mut [f32]) {
        let (left, right) = out.split_at_mut(out.len().min(STRIDE));
        let mut core: [&[f32]; 2] = [&[], &[]];
        for (core, voice) in core.iter_mut().zip(&self.voices) {
            *core = &voice.sound[..length];
        }
        match &mut self.extension {
            Some(extension) => extension.run(core, [&mut *left, &mut *right]),
            None => {
                for (out, core) in [&mut *left, &mut *right].into_iter().zip(core) {
                    out[..core.len()].copy_from_slice(core);
                }
            }
        }
        for coupled in couplings.iter().filter(|c| c.at(Point::Samples) && self.place.place != Place::Lfe) {
            for (i, out) in [&mut *left, &mut *right].into_iter().enumerate().take(self.voices.len()) {
                for gains in coupled.coupling.gains(self.place.pair, self.place.tag, i) {
                    out.iter_mut().zip(&coupled.sound).for_each(|(to, from)| *to += gains[0] * from);
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
    pub(crate) extension: Option<Box<Extension>>,
    /// Finished samples, if those are coupled.
    sound: Vec<f32>,
}

impl Coupled {
    pub(crate) fn new(tag: u8, syntax: &Syntax) -> Coupled {
        Coupled {
            tag,
            voice: Voice::new(syntax),
            coupling: Coupling::new(),
            present: false,
            extension: None,
            sound: vec![0.0; STRIDE],
        }
    }

    pub(crate) fn begin_unit(&mut self) {
        self.present = false;
        if let Some(extension) = &mut self.extension {
            extension.begin_unit();
        }
    }

    /// Forgets all units.
    pub(crate) fn reset(&mut self, syntax: &Syntax) {
        self.present = false;
        self.voice.reset(syntax);
    }

    /// Whether the unit has the element, to be added at this point.
    fn at(&self, point: Point) -> bool {
        self.present && self.coupling.point == point
    }

    pub(crate) fn parse(&mut self, bits: &mut Bits, syntax: &Syntax, noise: &mut Noise) -> Result<(), Error> {
        self.coupling.parse(bits, &mut self.voice.channel, syntax, noise)?;
        self.present = true;
        Ok(())
    }

    /// Prepares lines, or samples if those are coupled.
    pub(crate) fn finish(&mut self, tools: &mut Tools) {
        if !self.present {
            return;
        }
        let voice = &mut self.voice;
        voice.predict();
        voice.predict_long_term(false, tools);
        voice.channel.tns.apply(&mut voice.channel.lines, &voice.channel.info);
        if self.coupling.point == Point::Samples {
            let length = tools.length;
            voice.finish(tools);
            match &mut self.extension {
                Some(extension) => {
                    extension.run([&voice.sound[..length], &[]], [&mut self.sound, &mut []]);
                }
                None => self.sound[..length].copy_from_slice(&voice.sound[..length]),
            }
        }
    }
}
