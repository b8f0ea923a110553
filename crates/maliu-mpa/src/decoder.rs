//! The decoder: frames in, samples out.
//!
//! ```text
//! frame ─▶ Parser: own data ─▶ Spectra: lines ─▶ Synthesis (Subbands, Polyphase): samples ─▶ Frame
//! ```

use crate::parsed::Parsed;
use crate::parser::Parser;
use crate::spectra::Spectra;
use crate::synthesis::Synthesis;
use crate::{Error, Frame};

/// Decodes the frames of one stream.
#[derive(Default)]
pub struct Decoder {
    parser: Parser,
    spectra: Spectra,
    synthesis: Synthesis,
    unit: Parsed,
}

impl Decoder {
    /// A decoder at the start of a stream.
    pub fn new() -> Decoder {
        Decoder::default()
    }

    /// Decodes a whole frame. A frame of another kind than the one before begins a new stream.
    ///
    /// # Errors
    /// See [`Error`]. After an error the next frame can be decoded; [`conceal`](Decoder::conceal) fills the gap.
    pub fn decode(&mut self, frame: &[u8]) -> Result<Frame<'_>, Error> {
        self.parser.parse(frame, &mut self.unit)?;
        self.spectra.run(&mut self.unit);
        self.synthesis.attempt(&mut self.unit);
        match self.unit.fault() {
            None => Ok(self.unit.frame()),
            Some(error) => Err(error),
        }
    }

    /// Makes the samples that stand in for a frame that could not be decoded or was lost: the end of the sound before it,
    /// then silence. Without any frame before it is empty.
    pub fn conceal(&mut self) -> Frame<'_> {
        if self.unit.fault().is_none() {
            self.parser.lose(&mut self.unit);
        }
        self.synthesis.run(&mut self.unit);
        self.unit.frame()
    }

    /// The samples that were made last.
    pub fn frame(&self) -> Frame<'_> {
        self.unit.frame()
    }

    /// Marks the next frame as doubtful. See [`Parser::doubt`].
    pub fn doubt(&mut self) {
        self.parser.doubt();
    }

    /// Forgets all frames, as after a seek.
    pub fn reset(&mut self) {
        self.parser.reset();
    }
}
