//! The decoder: access units in, frames of sound out.
//!
//! ```text
//! unit ─▶ unit.rs: elements ─▶ channel/: lines ─▶ stereo, prediction, coupling, tns ─▶ filterbank ─▶ sbr, ps ─▶ Frame
//! ```

use crate::channel::Syntax;
use crate::config::{Config, Signal};
use crate::drc::Drc;
use crate::element::Tools;
use crate::filterbank::FilterBank;
use crate::frame::{Frame, STRIDE};
use crate::ltp::Scratch;
use crate::noise::Noise;
use crate::program::Program;
use crate::{Carry, ChannelLayout, Error, layout};
use crate::{bits::Bits, unit};

/// What a decoder does beyond the standard's plain path.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Options {
    /// Apply the dynamic range control of the stream.
    pub drc: bool,
    /// Mono that parametric stereo may still widen has two channels from the start.
    pub widen: bool,
}

/// Decodes the access units of one stream.
pub struct Decoder {
    pub(crate) config: Config,
    pub(crate) options: Options,
    pub(crate) syntax: Syntax,
    /// None until a program config element says what the channels are.
    pub(crate) program: Option<Program>,
    /// The program that the unit at hand replaced, until the unit turns out well.
    replaced: Option<Option<Program>>,
    pub(crate) noise: Noise,
    pub(crate) drc: Drc,
    /// A unit was decoded: whether there is SBR is known.
    pub(crate) settled: bool,
    bank: FilterBank,
    scratch: Box<Scratch>,
    output: Vec<f32>,
}

impl Decoder {
    /// A decoder with the default options.
    ///
    /// # Errors
    /// As [`Decoder::with_options`].
    pub fn new(config: Config) -> Result<Decoder, Error> {
        Decoder::with_options(config, Options::default())
    }

    /// A decoder.
    ///
    /// # Errors
    /// None today: [`Config::parse`] has refused what cannot be decoded.
    pub fn with_options(config: Config, options: Options) -> Result<Decoder, Error> {
        let syntax = Syntax::of(&config);
        let declared = match config.channel_config {
            0 => config.program,
            index => layout::standard_program(index),
        };
        let mut decoder = Decoder {
            bank: FilterBank::new(syntax.frame_length, syntax.eld()),
            program: None,
            replaced: None,
            noise: Noise::new(),
            drc: Drc::new(),
            settled: false,
            scratch: Box::new(Scratch::new()),
            output: Vec::new(),
            config,
            options,
            syntax,
        };
        if let Some(declared) = declared {
            decoder.set_program(decoder.config.channel_config, declared);
        }
        Ok(decoder)
    }

    /// Takes other options for the units that follow.
    pub fn set_options(&mut self, options: Options) {
        self.options = options;
    }

    /// Decodes an access unit. After an error the next unit can be decoded; [`conceal`](Decoder::conceal) fills the gap.
    ///
    /// # Errors
    /// [`Error::Malformed`], with the bit in `unit`; [`Error::Unsupported`]; [`Error::NoSound`].
    pub fn decode(&mut self, unit: &[u8]) -> Result<Frame<'_>, Error> {
        let mut bits = Bits::new(unit);
        self.parse(&mut bits)?;
        Ok(self.finish())
    }

    /// Decodes `blocks` raw data blocks that follow each other in a unit, as in ADTS frames of several blocks without
    /// checksums. Stops at the first that cannot be decoded, because the next one's place is unknown then.
    ///
    /// # Errors
    /// As [`Decoder::decode`], with the bit in the block at fault.
    pub fn decode_blocks(&mut self, unit: &[u8], blocks: u8, mut out: impl FnMut(Frame<'_>)) -> Result<(), Error> {
        let mut rest = unit;
        for _ in 0..blocks {
            let mut bits = Bits::new(rest);
            self.parse(&mut bits)?;
            bits.align();
            rest = rest.get(bits.position() / 8..).unwrap_or_default();
            out(self.finish());
        }
        Ok(())
    }

    /// The sound that stands in for a unit that is lost: the end of the last one, then silence.
    pub fn conceal(&mut self) -> Frame<'_> {
        if let Some(program) = &mut self.program {
            program.begin_unit();
        }
        self.drc.clear();
        self.finish()
    }

    /// Forgets all units, as after a seek. What the stream said of itself stays known.
    pub fn reset(&mut self) {
        if let Some(program) = &mut self.program {
            program.elements.iter_mut().for_each(|element| element.reset(&self.syntax));
            program.couplings.iter_mut().for_each(|coupled| coupled.reset(&self.syntax));
            if self.config.sbr == Signal::Explicit {
                program.extend(&self.config);
            }
        }
        self.noise = Noise::new();
        self.drc.clear();
    }

    /// What is carried from unit to unit.
    pub fn carry(&self) -> Carry {
        Carry::of(self.config.object_type, self.config.sbr == Signal::Explicit, self.noise.started())
    }

    /// Short name of the profile, from the configuration and the units decoded so far.
    pub fn profile_name(&self) -> &'static str {
        self.config.profile_name()
    }

    /// The configuration, with what the units so far added to it.
    pub fn config(&self) -> &Config {
        &self.config
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
        let size = usize::from(program.layout.channels.max(2)) * STRIDE;
        self.output.resize(size.max(self.output.len()), 0.0);
        let replaced = self.program.replace(program);
        self.replaced.get_or_insert(replaced);
    }

    /// Reads a unit. What a damaged one says of the stream is taken back.
    fn parse(&mut self, bits: &mut Bits) -> Result<(), Error> {
        let Config { channel_config, channels, sbr, ps, extension_rate, .. } = self.config;
        self.replaced = None;
        let result = unit::parse(self, bits);
        match result {
            Ok(()) => self.settle(),
            Err(Error::NoSound) => {}
            Err(_) => {
                if let Some(program) = self.replaced.take() {
                    self.program = program;
                }
                if let (true, Some(program)) = (sbr != self.config.sbr, &mut self.program) {
                    program.elements.iter_mut().for_each(|element| element.extension = None);
                    program.couplings.iter_mut().for_each(|coupled| coupled.extension = None);
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

    /// Follows SBR that was not announced, if the first unit has it. Later it would change the rate of the stream. Error
    /// resilient units end without saying so: bits that pad them could pass for SBR.
    pub(crate) fn find_sbr(&mut self) {
        if self.config.sbr == Signal::Implicit && !self.settled && !self.config.error_resilient() {
            self.config.sbr = Signal::Explicit;
            self.config.extension_rate = 2 * self.config.sample_rate;
            if let Some(program) = &mut self.program {
                program.extend(&self.config);
            }
        }
    }

    /// Makes sound of the parsed unit.
    fn finish(&mut self) -> Frame<'_> {
        let length = self.syntax.frame_length;
        let sample_rate = self.config.output_rate();
        let Some(program) = &mut self.program else {
            return Frame { sample_rate, layout: ChannelLayout::default(), data: &[], samples: 0 };
        };
        let mut made_stereo = false;
        let drc = Some(&self.drc).filter(|_| self.options.drc);
        let mut tools = Tools { length, bank: &mut self.bank, scratch: &mut self.scratch, drc };
        for coupled in &mut program.couplings {
            coupled.finish(&mut tools);
        }
        for element in &mut program.elements {
            if !element.present {
                element.silence(&self.syntax);
            }
            element.finish(&program.couplings, &mut tools);
            let Some(out) = self.output.get_mut(STRIDE * element.output..) else { continue };
            element.output(length, &program.couplings, out);
            if element.extension.as_ref().is_some_and(|extension| extension.has_ps()) {
                self.config.ps = Signal::Explicit;
                made_stereo = true;
            }
        }
        let wide = self.config.ps == Signal::Explicit || self.options.widen && self.config.ps == Signal::Implicit;
        let stereo = program.layout.channels == 1 && wide;
        if let (true, false, Some((left, right))) = (stereo, made_stereo, self.output.split_at_mut_checked(STRIDE)) {
            right[..STRIDE].copy_from_slice(left);
        }
        let layout = if stereo { ChannelLayout::STEREO } else { program.layout };
        let samples = if sample_rate > self.config.sample_rate { 2 * length } else { length };
        Frame { sample_rate, layout, data: &self.output, samples }
    }
}
