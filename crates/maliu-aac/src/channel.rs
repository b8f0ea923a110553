//! One channel of an access unit: individual_channel_stream, from bits to dequantised lines (ISO/IEC 14496-3 §4.4.2.7).
//!
//! ```text
//! global_gain · ics_info · section_data · scale_factor_data · pulse_data · tns_data · gain_control · spectral_data
//!                 info        sections        sections          pulse        tns                      spectrum
//! ```
//!
//! Error resilient object types may have their scale factors (`reversible`) and lines (`reorder`) behind all that, each
//! with its length in front.

mod history;
pub(crate) mod info;
mod pulse;
mod reorder;
mod reversible;
pub(crate) mod sections;
pub(crate) mod spectrum;
pub(crate) mod stereo;
#[cfg(test)]
mod tests;
pub(crate) mod tns;

use crate::bits::Bits;
use crate::config::{Config, Resilience, object};
use crate::tables::bands::Bands;
use crate::{Error, noise::Noise};
pub(crate) use history::History;
use info::Info;
use reorder::Reordered;
use reversible::Reversible;
use tns::Tns;

/// Facts of a configuration that the syntax of channels depends on.
#[derive(Clone, Copy)]
pub(crate) struct Syntax {
    pub(crate) object_type: u8,
    pub(crate) frame_length: usize,
    pub(crate) resilience: Resilience,
    pub(crate) long: &'static Bands,
    pub(crate) short: &'static Bands,
}

impl Syntax {
    pub(crate) fn of(config: &Config) -> Syntax {
        let rate = config.rate_index();
        Syntax {
            object_type: config.object_type,
            frame_length: usize::from(config.frame_length),
            resilience: config.resilience,
            long: Bands::of(config.frame_length, rate),
            short: Bands::of(if config.frame_length == 960 { 120 } else { 128 }, rate),
        }
    }

    pub(crate) fn eld(&self) -> bool {
        self.object_type == object::ER_ELD
    }

    pub(crate) fn low_delay(&self) -> bool {
        matches!(self.object_type, object::ER_LD | object::ER_ELD)
    }

    /// Lines may be predicted from those of earlier units.
    pub(crate) fn backward(&self) -> bool {
        self.object_type == object::MAIN
    }

    /// Lines may be predicted from finished sound.
    pub(crate) fn long_term(&self) -> bool {
        matches!(self.object_type, object::LTP | object::ER_LTP | object::ER_LD)
    }

    pub(crate) fn predicts(&self) -> bool {
        self.backward() || self.long_term()
    }

    pub(crate) fn error_resilient(&self) -> bool {
        self.object_type >= object::ER_LC
    }
}

/// Codebooks that stand for something else than Huffman coded lines.
pub(crate) mod book {
    pub(crate) const ZERO: u8 = 0;
    pub(crate) const ESCAPE: u8 = 11;
    pub(crate) const RESERVED: u8 = 12;
    pub(crate) const NOISE: u8 = 13;
    pub(crate) const INTENSITY_OUT_OF_PHASE: u8 = 14;
    pub(crate) const INTENSITY: u8 = 15;
    /// The first of the virtual codebooks, which are `ESCAPE` with a largest value each.
    pub(crate) const VIRTUAL: u8 = 16;

    /// Whether a band of the codebook has a parameter in the place of lines.
    #[inline]
    pub(crate) fn is_parametric(book: u8) -> bool {
        (NOISE..VIRTUAL).contains(&book)
    }
}

/// Content of one channel in one unit. Bands are numbered `16 * group + band`, which is the band itself in long
/// windows.
pub(crate) struct Channel {
    pub(crate) info: Info,
    /// Codebook of each band.
    pub(crate) books: [u8; 128],
    /// Factor of each band: gain, noise level or intensity; 0 in bands of zeros.
    pub(crate) scales: [f32; 128],
    pub(crate) tns: Tns,
    /// Spectral lines. Window `w` of eight short ones begins at line `128 * w`.
    pub(crate) lines: [f32; 1024],
}

impl Channel {
    pub(crate) fn new(syntax: &Syntax) -> Channel {
        Channel {
            info: Info::new(syntax),
            books: [0; 128],
            scales: [0.0; 128],
            tns: Tns::default(),
            lines: [0.0; 1024],
        }
    }

    /// Makes the channel silent, as a unit without it does, with the windows that `history` asks for.
    pub(crate) fn silence(&mut self, syntax: &Syntax, history: &History) {
        self.info = Info::new(syntax);
        (self.info.sequence, self.info.kbd) = (history.sequence.before_silence(), history.kbd);
        self.tns.clear();
        self.lines.fill(0.0);
    }

    /// Reads an individual_channel_stream. `info` is the one the channel shares with its neighbour.
    pub(crate) fn parse(
        &mut self,
        bits: &mut Bits,
        syntax: &Syntax,
        info: Option<&Info>,
        noise: &mut Noise,
    ) -> Result<(), Error> {
        let global_gain = bits.read(8) as i32;
        match info {
            Some(shared) => self.info = *shared,
            None => self.info = Info::parse(bits, syntax, false)?,
        }
        self.tns.clear();
        let Resilience { sections, scale_factors, spectrum } = syntax.resilience;
        sections::parse_books(bits, &self.info, &mut self.books, sections)?;
        let reversible = scale_factors.then(|| Reversible::parse(bits, &self.info, &self.books));
        if reversible.is_none() {
            sections::parse_scales(bits, &self.info, &self.books, &mut self.scales, global_gain)?;
        }
        let pulse = match !syntax.eld() && bits.flag() {
            true => Some(pulse::Pulse::parse(bits, &self.info)?),
            false => None,
        };
        let tns = bits.flag();
        if tns && !syntax.error_resilient() {
            self.tns.parse(bits, &self.info, syntax)?;
        }
        if !syntax.eld() && bits.flag() {
            return Err(Error::Unsupported("gain control (AAC SSR)"));
        }
        // Error resilient streams have the filters behind the place of gain control.
        if tns && syntax.eld() {
            self.tns.parse(bits, &self.info, syntax)?;
        }
        let reordered = spectrum.then(|| Reordered::parse(bits));
        if let Some(reversible) = reversible {
            reversible.scales(bits, &self.info, &self.books, &mut self.scales, global_gain)?;
        }
        if tns && syntax.error_resilient() && !syntax.eld() {
            self.tns.parse(bits, &self.info, syntax)?;
        }
        match reordered {
            Some(reordered) => reordered.lines(self, bits, noise)?,
            None => spectrum::parse(self, bits, noise)?,
        }
        if let Some(pulse) = pulse {
            pulse.apply(self);
        }
        Ok(())
    }
}
