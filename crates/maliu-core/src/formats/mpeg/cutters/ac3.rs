//! Frames of AC-3 and E-AC-3.

use alloc::boxed::Box;

use bytes::Bytes;

use super::{Cut, Cutter, Facts, Unit};
use crate::{
    error::Result,
    input::Input,
    stream::{Audio, Codec, Media},
    syntax::{
        ac3::{Ac3Frames, Header},
        framing::{Found, Framing},
    },
};

pub(super) struct Frames {
    framing: Framing<Ac3Frames>,
    described: Option<Facts>,
}

impl Default for Frames {
    fn default() -> Self {
        Self { framing: Framing::new(Ac3Frames), described: None }
    }
}

impl Cutter for Frames {
    fn poll(&mut self, input: &mut Input) -> Result<Cut> {
        loop {
            let frame = match self.framing.poll(input) {
                Found::Frame(frame) => frame,
                Found::Cut(_) | Found::Tag => continue,
                Found::NeedBytes => return Ok(Cut::NeedBytes),
                Found::End => return Ok(Cut::End),
            };
            let (at, header) = (input.offset(), frame.header);
            let Some(data) = input.take(frame.length) else { continue };
            let facts = Some(facts(&header)).filter(|facts| self.described.as_ref() != Some(facts));
            let replaces = facts.is_some() && self.described.is_some();
            if let Some(facts) = &facts {
                self.described = Some(facts.clone());
            }
            let end = at.saturating_add(data.len() as u64);
            let samples = (header.samples, header.sample_rate);
            let facts = facts.map(Box::new);
            return Ok(Cut::Unit(Unit { at, end, data, key: true, samples, facts, replaces, ..Unit::default() }));
        }
    }

    /// Whether frames follow that belong to the last one shows only behind it, unless the PES packet ends with it.
    fn pes_ends(&mut self, input: &mut Input, _: bool) {
        let window = input.peek();
        let mut length = 0;
        while let Some(header) = Header::parse(window.get(length..).unwrap_or_default()) {
            length += header.length;
        }
        if length == window.len() && length > 0 {
            input.end();
        }
    }

    fn restart(&mut self) {
        self.framing.restart();
    }
}

fn facts(header: &Header) -> Facts {
    let codec = if header.enhanced { Codec::Eac3 } else { Codec::Ac3 };
    let audio = Audio { frame_size: header.samples, ..Audio::new(header.sample_rate, header.channels) };
    Facts { codec, media: Media::Audio(audio), config: Bytes::new(), profile: None }
}
