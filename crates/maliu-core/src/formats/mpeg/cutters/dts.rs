//! Frames of DTS.

use alloc::boxed::Box;

use bytes::Bytes;

use super::{Cut, Cutter, Facts, Unit};
use crate::{
    error::Result,
    input::Input,
    stream::{Audio, Codec, Media},
    syntax::{
        dts::{DtsFrames, Header},
        framing::{Found, Frames as _, Framing, Length},
    },
};

pub(super) struct Frames {
    framing: Framing<DtsFrames>,
    described: Option<Facts>,
}

impl Default for Frames {
    fn default() -> Self {
        Self { framing: Framing::new(DtsFrames::default()), described: None }
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
            let at = input.offset();
            let Some(data) = input.take(frame.length) else { continue };
            let header = Header::of_frame(&data).unwrap_or(frame.header);
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

    /// Whether an extension follows the core shows only behind it, unless the PES packet ends with it.
    fn pes_ends(&mut self, input: &mut Input, _: bool) {
        let (window, frames) = (input.peek(), DtsFrames::default());
        let whole = frames.header(window).map(|header| frames.length(&header, window, true));
        if whole == Some(Length::Known(window.len())) {
            input.end();
        }
    }

    fn restart(&mut self) {
        self.framing.restart();
    }
}

fn facts(header: &Header) -> Facts {
    let audio = Audio { frame_size: header.samples, ..Audio::new(header.sample_rate, header.channels) };
    Facts { codec: Codec::Dts, media: Media::Audio(audio), config: Bytes::new(), profile: None }
}
