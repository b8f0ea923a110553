//! Frames of MPEG audio, layers I to III.

use alloc::boxed::Box;

use bytes::Bytes;

use super::{Cut, Cutter, Facts, Unit};
use crate::{
    error::Result,
    input::Input,
    stream::{Audio, Codec, Media},
    syntax::{
        framing::{Found, Frame, Framing},
        mpeg_audio::{Header, MpegFrames},
    },
};

pub(super) struct Frames {
    framing: Framing<MpegFrames>,
    described: Option<Facts>,
}

impl Default for Frames {
    fn default() -> Self {
        Self { framing: Framing::new(MpegFrames::default()), described: None }
    }
}

impl Cutter for Frames {
    fn poll(&mut self, input: &mut Input) -> Result<Cut> {
        loop {
            let frame = match self.framing.poll(input) {
                Found::Frame(frame) => frame,
                // As of the raw format: the end of the stream leaves a part of the last frame.
                Found::Cut(header) => Frame { header, length: input.peek().len(), sure: false, behind_junk: false },
                Found::Tag => continue,
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
            let samples = (header.samples(), header.sample_rate());
            let facts = facts.map(Box::new);
            return Ok(Cut::Unit(Unit { at, end, data, key: true, samples, facts, replaces, ..Unit::default() }));
        }
    }

    fn restart(&mut self) {
        self.framing.restart();
    }
}

fn facts(header: &Header) -> Facts {
    let codec = match header.layer {
        1 => Codec::Mp1,
        2 => Codec::Mp2,
        _ => Codec::Mp3,
    };
    let audio = Audio { frame_size: header.samples(), ..Audio::new(header.sample_rate(), header.channels()) };
    Facts { codec, media: Media::Audio(audio), config: Bytes::new(), profile: None }
}
