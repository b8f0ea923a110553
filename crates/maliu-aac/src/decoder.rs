//! The decoder: access units in, frames of sound out.
//!
//! ```text
//! unit ─▶ Parser: lines, SBR data ─▶ Core: sound ─▶ HighBand: spectra, where there is SBR ─┐
//!                                   Frame ◀─ Output ◀─ ParametricStereo: two of one, if so ◀┘
//! ```

use crate::carry::Carry;
use crate::config::Config;
use crate::core_sound::Core;
use crate::output::{HighBand, Output, ParametricStereo};
use crate::parsed::Parsed;
use crate::parser::Parser;
use crate::{Error, Frame};

/// Behaviour of a decoder beyond the standard's plain path.
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
    parser: Parser,
    core: Core,
    high_band: HighBand,
    stereo: ParametricStereo,
    output: Output,
    unit: Parsed,
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
        Ok(Decoder {
            core: Core::new(&config),
            high_band: HighBand::default(),
            stereo: ParametricStereo::default(),
            output: Output::default(),
            unit: Parsed::new(),
            parser: Parser::new(config, options),
        })
    }

    /// Takes other options for the units that follow.
    pub fn set_options(&mut self, options: Options) {
        self.parser.set_options(options);
    }

    /// Decodes an access unit. After an error the next unit can be decoded; [`conceal`](Decoder::conceal) fills the
    /// gap.
    ///
    /// # Errors
    /// [`Error::Malformed`], with the bit in `unit`; [`Error::Unsupported`]; [`Error::NoSound`].
    pub fn decode(&mut self, unit: &[u8]) -> Result<Frame<'_>, Error> {
        self.parser.parse(unit, &mut self.unit)?;
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
            rest = self.parser.parse(rest, &mut self.unit)?;
            out(self.finish());
        }
        Ok(())
    }

    /// The sound that stands in for a unit that is lost: the end of the last one, then silence.
    pub fn conceal(&mut self) -> Frame<'_> {
        self.parser.conceal(&mut self.unit);
        self.finish()
    }

    /// Forgets all units, as after a seek. Facts that the stream declared stay known.
    pub fn reset(&mut self) {
        self.parser.reset();
    }

    /// State that is carried from unit to unit, as found in the units so far.
    pub fn carry(&self) -> Carry {
        self.parser.carry()
    }

    /// Short name of the profile, from the configuration and the units decoded so far.
    pub fn profile_name(&self) -> &'static str {
        self.config().profile_name()
    }

    /// The configuration, with what the units so far added to it.
    pub fn config(&self) -> &Config {
        self.parser.config()
    }

    fn finish(&mut self) -> Frame<'_> {
        self.core.run(&mut self.unit);
        self.high_band.run(&mut self.unit);
        self.stereo.run(&mut self.unit);
        self.output.run(&mut self.unit);
        self.unit.frame()
    }
}
