//! Raw data blocks of AAC in LOAS frames.

use alloc::{boxed::Box, collections::VecDeque};

use super::{Cut, Cutter, Facts, Unit};
use crate::{
    error::Result,
    input::Input,
    stream::{Audio, Codec, Media},
    syntax::{
        framing::{Found, Framing},
        latm::{HEADER, Latm, Layer, LoasFrames},
    },
};

pub(in super::super) struct Elements {
    framing: Framing<LoasFrames>,
    latm: Latm,
    described: bool,
    waiting: VecDeque<Unit>,
    /// Frames that could not be read were remarked on.
    told: bool,
}

impl Default for Elements {
    fn default() -> Self {
        Self {
            framing: Framing::new(LoasFrames),
            latm: Latm::default(),
            described: false,
            waiting: VecDeque::new(),
            told: false,
        }
    }
}

impl Cutter for Elements {
    fn poll(&mut self, input: &mut Input) -> Result<Cut> {
        loop {
            if let Some(unit) = self.waiting.pop_front() {
                return Ok(Cut::Unit(unit));
            }
            match self.framing.poll(input) {
                Found::Frame(frame) => self.frame(frame.length, input),
                Found::Cut(_) | Found::Tag => {}
                Found::NeedBytes => return Ok(Cut::NeedBytes),
                Found::End => return Ok(Cut::End),
            }
        }
    }

    fn restart(&mut self) {
        self.framing.restart();
        self.waiting.clear();
    }
}

impl Elements {
    fn frame(&mut self, length: usize, input: &mut Input) {
        let at = input.offset();
        let Some(frame) = input.take(length) else { return };
        let end = at.saturating_add(length as u64);
        let element = frame.slice(HEADER.min(length)..);
        let Some(parts) = self.latm.element(&element) else {
            if !core::mem::replace(&mut self.told, true) {
                input.warn_at(at, "LATM frames that cannot be read, or before the first configuration, are left out");
            }
            return;
        };
        let Some(layer) = self.latm.config().and_then(|config| config.layers.first()) else { return };
        let samples = (layer.audio.frame_size(), layer.audio.sample_rate);
        let mut facts = (parts.new_config || !self.described).then(|| Box::new(facts(layer)));
        let replaces = self.described && facts.is_some();
        self.described = true;
        for payload in &parts.payloads {
            let Some(data) = payload.data(&element) else { continue };
            let facts = facts.take();
            let replaces = replaces && facts.is_some();
            self.waiting.push_back(Unit { at, end, data, key: true, samples, facts, replaces, ..Unit::default() });
        }
    }
}

fn facts(layer: &Layer) -> Facts {
    let (config, frame) = (&layer.audio, layer.audio.frame_size());
    let extended = config.extension.filter(|extension| extension.sbr && extension.hierarchical);
    let rate = extended.map_or(config.sample_rate, |extension| extension.sample_rate);
    let audio = Audio { frame_size: frame, preroll: frame, ..Audio::new(rate, config.channels()) };
    let profile = config.object_type.checked_sub(1);
    Facts { codec: Codec::Aac, media: Media::Audio(audio), config: layer.config.clone(), profile }
}
