//! The first stage: access units to lines, and to what SBR and parametric stereo have to do.

use std::sync::Arc;

use crate::bits::Bits;
use crate::carry::Carry;
use crate::channel::Syntax;
use crate::config::{Config, Signal};
use crate::coupling::Point;
use crate::noise::Noise;
use crate::parsed::Parsed;
use crate::plan::Plan;
use crate::program::Program;
use crate::{ChannelLayout, Error, Options, layout};

mod unit;

/// Reads the access units of one stream, in their order.
pub struct Parser {
    pub(crate) config: Config,
    options: Options,
    pub(crate) syntax: Syntax,
    /// None until a program config element says what the channels are.
    pub(crate) program: Option<Program>,
    /// The program that the unit at hand replaced, until the unit turns out well.
    replaced: Option<Option<Program>>,
    pub(crate) noise: Noise,
    /// A unit was decoded: whether there is SBR is known.
    settled: bool,
}

impl Parser {
    /// A parser of a stream of this configuration.
    pub fn new(config: Config, options: Options) -> Parser {
        let syntax = Syntax::of(&config);
        let declared = match config.channel_config {
            0 => config.program,
            index => layout::standard_program(index),
        };
        let mut parser =
            Parser { config, options, syntax, program: None, replaced: None, noise: Noise::new(), settled: false };
        if let Some(declared) = declared {
            parser.set_program(parser.config.channel_config, declared);
        }
        parser
    }

    /// Takes other options for the units that follow.
    pub fn set_options(&mut self, options: Options) {
        self.options = options;
    }

    /// The configuration, with what the units so far added to it.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// State that is carried from unit to unit, here and in the stages that follow.
    pub fn carry(&self) -> Carry {
        Carry::of(&self.config, self.noise.started())
    }

    /// Reads the first raw data block of `data` into `unit`; returns what follows it. After an error `unit` is to be
    /// filled by [`conceal`](Parser::conceal) or left out.
    ///
    /// # Errors
    /// [`Error::Malformed`], with the bit in `data`; [`Error::Unsupported`]; [`Error::NoSound`].
    pub fn parse<'a>(&mut self, data: &'a [u8], unit: &mut Parsed) -> Result<&'a [u8], Error> {
        let mut bits = Bits::new(data);
        self.read(&mut bits, unit)?;
        self.complete(unit);
        bits.align();
        Ok(data.get(bits.position() / 8..).unwrap_or_default())
    }

    /// Makes `unit` what stands in for one that is lost: the end of the last one, then silence.
    pub fn conceal(&mut self, unit: &mut Parsed) {
        if let Some(program) = &mut self.program {
            program.begin_unit();
        }
        unit.begin(self.plan());
        self.complete(unit);
    }

    /// Forgets all units, as after a seek. Facts that the stream declared stay known.
    pub fn reset(&mut self) {
        if let Some(program) = &mut self.program {
            match self.config.sbr {
                Signal::Explicit => program.extend(&self.config),
                _ => program.restart(),
            }
        }
        self.noise = Noise::new();
    }

    pub(crate) fn plan(&self) -> Option<&Arc<Plan>> {
        self.program.as_ref().map(|program| &program.plan)
    }

    /// Sets up the elements of a program.
    pub(crate) fn set_program(&mut self, channel_config: u8, declared: crate::ProgramConfig) {
        self.config.channel_config = channel_config;
        self.config.channels = declared.channels();
        if self.config.channels > 1 {
            self.config.ps = Signal::Absent;
        }
        let mut program = Program::new(channel_config, declared, &self.syntax);
        if self.config.sbr == Signal::Explicit {
            program.extend(&self.config);
        }
        let replaced = self.program.replace(program);
        self.replaced.get_or_insert(replaced);
    }

    /// Reads a unit. Facts that a damaged one declares are taken back.
    fn read(&mut self, bits: &mut Bits, unit: &mut Parsed) -> Result<(), Error> {
        let Config { channel_config, channels, sbr, ps, extension_rate, .. } = self.config;
        let plan = self.plan().cloned();
        self.replaced = None;
        let result = unit::parse(self, bits, unit);
        match result {
            Ok(()) => self.settle(),
            Err(Error::NoSound) => {}
            Err(_) => {
                if let Some(program) = self.replaced.take() {
                    self.program = program;
                }
                if let (true, Some(program), Some(plan)) = (sbr != self.config.sbr, &mut self.program, plan) {
                    (program.payloads, program.coupled_payloads) = (Vec::new(), Vec::new());
                    program.plan = plan;
                }
                (self.config.channel_config, self.config.channels) = (channel_config, channels);
                (self.config.sbr, self.config.ps, self.config.extension_rate) = (sbr, ps, extension_rate);
            }
        }
        result
    }

    /// The first good unit decides whether a stream that does not say so has SBR.
    fn settle(&mut self) {
        self.settled = true;
        if self.config.sbr == Signal::Implicit {
            (self.config.sbr, self.config.ps) = (Signal::Absent, Signal::Absent);
        }
    }

    /// Follows SBR that was not announced, if the first unit has it. Later it would change the rate of the stream.
    /// Error resilient units end without saying so: bits that pad them could pass for SBR.
    pub(crate) fn find_sbr(&mut self, unit: &mut Parsed) {
        if self.config.sbr == Signal::Implicit && !self.settled && !self.config.error_resilient() {
            self.config.sbr = Signal::Explicit;
            self.config.extension_rate = 2 * self.config.sample_rate;
            if let Some(program) = &mut self.program {
                program.extend(&self.config);
                unit.replan(&program.plan);
            }
        }
    }

    /// Adds what all later stages have to know of the unit.
    fn complete(&mut self, unit: &mut Parsed) {
        let length = self.syntax.frame_length;
        unit.apply_drc = self.options.drc;
        unit.sample_rate = self.config.output_rate();
        let Some(program) = &mut self.program else {
            (unit.layout, unit.samples, unit.twin) = (ChannelLayout::default(), 0, false);
            return;
        };
        let coupled = program.coupled_payloads.iter_mut().zip(&mut unit.couplings);
        for (payload, coupled) in coupled.filter(|(_, coupled)| coupled.at(Point::Samples)) {
            coupled.extension.iter_mut().for_each(|extension| payload.tell(extension));
        }
        let mut made_stereo = false;
        for (payload, element) in program.payloads.iter_mut().zip(&mut unit.elements) {
            element.extension.iter_mut().for_each(|extension| payload.tell(extension));
            made_stereo |= payload.has_ps();
        }
        if made_stereo {
            self.config.ps = Signal::Explicit;
        }
        let wide = self.config.ps == Signal::Explicit || self.options.widen && self.config.ps == Signal::Implicit;
        let stereo = program.plan.layout.channels == 1 && wide;
        unit.twin = stereo && !made_stereo;
        unit.layout = if stereo { ChannelLayout::STEREO } else { program.plan.layout };
        unit.samples = if unit.sample_rate > self.config.sample_rate { 2 * length } else { length };
    }
}
