//! The decoder: access units in, frames of sound out.
//!
//! ```text
//! unit ─▶ unit.rs: elements ─▶ channel/: lines ─▶ stereo, prediction, coupling, tns ─▶ filterbank ─▶ sbr, ps ─▶ Frame
//! ```

use crate::channel::Syntax;
use crate::config::{Config, Signal};
use crate::coupling::Point;
use crate::drc::Drc;
use crate::filterbank::FilterBank;
use crate::frame::{Frame, STRIDE};
use crate::high_band::{self, Output};
use crate::ltp::Scratch;
use crate::noise::Noise;
use crate::program::Program;
use crate::{Carry, Error, layout};
use crate::{bits::Bits, unit};

/// What a decoder does beyond the standard's plain path.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Options {
    /// Apply the dynamic range control of the stream.
    pub drc: bool,
}

/// Decodes the access units of one stream.
pub struct Decoder {
    pub(crate) config: Config,
    pub(crate) options: Options,
    pub(crate) syntax: Syntax,
    /// None until a program config element says what the channels are.
    pub(crate) program: Option<Program>,
    pub(crate) noise: Noise,
    pub(crate) drc: Drc,
    bank: FilterBank,
    scratch: Box<Scratch>,
    output: Vec<f32>,
}

impl Decoder {
    /// A decoder with the default options.
    pub fn new(config: Config) -> Result<Decoder, Error> {
        Decoder::with_options(config, Options::default())
    }

    /// A decoder.
    pub fn with_options(config: Config, options: Options) -> Result<Decoder, Error> {
        let syntax = Syntax::of(&config);
        let declared = match config.channel_config {
            0 => config.program,
            index => layout::standard_program(index),
        };
        let mut decoder = Decoder {
            bank: FilterBank::new(syntax.frame_length, syntax.eld()),
            program: None,
            noise: Noise::new(),
            drc: Drc::new(),
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

    /// Decodes an access unit. After an error the next unit can be decoded; [`conceal`](Decoder::conceal) fills the gap.
    pub fn decode(&mut self, unit: &[u8]) -> Result<Frame<'_>, Error> {
        let mut bits = Bits::new(unit);
        unit::parse(self, &mut bits)?;
        Ok(self.finish())
    }

    /// Decodes `blocks` raw data blocks that follow each other in a unit, as in ADTS frames of several blocks without
    /// checksums. Stops at the first that cannot be decoded, because the next one's place is unknown then.
    pub fn decode_blocks(&mut self, unit: &[u8], blocks: u8, mut out: impl FnMut(Frame<'_>)) -> Result<(), Error> {
        let mut rest = unit;
        for _ in 0..blocks {
            let mut bits = Bits::new(rest);
            unit::parse(self, &mut bits)?;
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
        if let Some(program) = self.program.take() {
            self.set_program(program.channel_config, program.declared);
        }
        self.noise = Noise::new();
        self.drc.clear();
    }

    /// What is carried from unit to unit.
    pub fn carry(&self) -> Carry {
        Carry::of(&self.config)
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
            high_band::attach(&mut program, &self.config);
        }
        self.output.resize(usize::from(program.layout.channels.max(2)) * STRIDE, 0.0);
        self.program = Some(program);
    }

    /// Makes sound of the parsed unit.
    fn finish(&mut self) -> Frame<'_> {
        let length = self.syntax.frame_length;
        let output = Output::of(&self.config);
        let (samples, sample_rate) = (output.samples, output.rate);
        let Some(program) = &mut self.program else {
            return Frame { sample_rate, layout: layout::ChannelLayout::default(), data: &[], samples: 0 };
        };
        let layout = high_band::layout(program, &self.config);
        for coupled in &mut program.couplings {
            coupled.finish(length, &mut self.bank, &mut self.scratch);
            coupled.raise(output, length);
        }
        for element in &mut program.elements {
            if !element.present {
                element.silence(&self.syntax);
            }
            if self.options.drc {
                for (i, voice) in element.voices.iter_mut().enumerate() {
                    let short = voice.channel.info.short();
                    self.drc.apply(element.output + i, &mut voice.channel.lines, short);
                }
            }
            element.finish(length, &program.couplings, &mut self.bank, &mut self.scratch);
            if output.sbr {
                element.raise(output, length, &mut self.output[element.output * STRIDE..]);
            }
            let outputs = self.output.chunks_exact_mut(STRIDE).skip(element.output);
            for (i, (voice, out)) in element.voices.iter().zip(outputs).enumerate() {
                if !output.sbr {
                    out[..length].copy_from_slice(&voice.sound[..length]);
                }
                let heard = program.couplings.iter().filter(|c| c.present && c.coupling.point == Point::Samples);
                for coupled in heard {
                    for gains in coupled.coupling.gains(element.place.pair, element.place.tag, i) {
                        let source = coupled.sound(output);
                        out[..samples].iter_mut().zip(source).for_each(|(to, from)| *to += gains[0] * from);
                    }
                }
            }
        }
        Frame { sample_rate, layout, data: &self.output, samples }
    }
}
