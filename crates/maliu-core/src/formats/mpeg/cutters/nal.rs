//! Access units of H.264 and H.265: the assembler of the raw formats.

use alloc::boxed::Box;

use super::{Cut, Cutter, Facts, Unit};
use crate::{
    error::Result,
    input::Input,
    stream::Media,
    syntax::annexb::{Assembled, Assembler, RawCoding},
};

#[derive(Default)]
pub(super) struct Units<C: RawCoding + Default> {
    assembler: Assembler,
    coding: C,
    /// Version of the parameter sets that were described, and what they said.
    described: Option<(Option<u64>, Facts)>,
}

impl<C: RawCoding + Default + Send> Cutter for Units<C> {
    fn poll(&mut self, input: &mut Input) -> Result<Cut> {
        let (at, data, picture) = match self.assembler.poll(input, &mut self.coding)? {
            Assembled::Unit(at, data, picture) => (at, data, picture),
            Assembled::NeedBytes => return Ok(Cut::NeedBytes),
            Assembled::End => return Ok(Cut::End),
        };
        while let Some((at, kind, what)) = self.coding.next_warning() {
            input.remark_at(at, kind, what);
        }
        let key = self.coding.is_key(&picture);
        let (facts, replaces) = self.describe(&picture);
        // A zero in front of the start code may stand in the PES packet before.
        let zero = u64::from(data.starts_with(&[0, 0, 0, 1]));
        let end = at.saturating_add(data.len() as u64);
        Ok(Cut::Unit(Unit { at: at + zero, end, data, key, facts, replaces, ..Unit::default() }))
    }

    fn pes_ends(&mut self, _: &mut Input, sure: bool) {
        if sure && self.assembler.waiting() {
            self.assembler.finish_unit();
        }
    }

    fn restart(&mut self) {
        self.assembler = Assembler::default();
        self.coding.nothing_follows();
        self.coding.end();
    }
}

impl<C: RawCoding + Default> Units<C> {
    fn describe(&mut self, picture: &C::Picture) -> (Option<Box<Facts>>, bool) {
        let version = self.coding.version(picture);
        if let Some((known, _)) = &self.described
            && (version.is_none() || version == *known)
        {
            return (None, false);
        }
        let Some(description) = self.coding.describe(picture) else { return (None, false) };
        let facts = Facts {
            codec: C::CODEC,
            media: Media::Video(description.video),
            config: description.config,
            profile: Some(description.profile),
        };
        let known = self.described.replace((version, facts.clone()));
        let news = known.as_ref().is_none_or(|(_, known)| *known != facts);
        (news.then(|| Box::new(facts)), known.is_some())
    }
}
