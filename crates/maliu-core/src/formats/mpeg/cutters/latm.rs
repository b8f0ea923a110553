//! Raw data blocks of AAC in LOAS frames.

use alloc::{boxed::Box, collections::VecDeque, vec::Vec};

use bytes::Bytes;

use super::{Cut, Cutter, Facts, Unit};
use crate::{
    error::Result,
    input::Input,
    stream::{Codec, Media},
    syntax::{
        framing::{Found, Framing},
        latm::{Element, HEADER, Latm, Layer, LoasFrames, MAX_HELD},
    },
};

pub(in super::super) struct Elements {
    framing: Framing<LoasFrames>,
    latm: Latm,
    described: bool,
    waiting: VecDeque<Unit>,
    /// Frames with their offsets that wait for the first configuration.
    held: Vec<(u64, Bytes)>,
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
            held: Vec::new(),
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
        self.held.clear();
    }
}

impl Elements {
    fn frame(&mut self, length: usize, input: &mut Input) {
        let at = input.offset();
        let Some(frame) = input.take(length) else { return };
        let body = frame.slice(HEADER.min(length)..);
        let configured = self.latm.config().is_some();
        match self.latm.element(&body) {
            Some(parts) => {
                for (at, frame) in core::mem::take(&mut self.held) {
                    let body = frame.slice(HEADER.min(frame.len())..);
                    if let Some(parts) = self.latm.element(&body) {
                        self.emit(at, &body, &parts);
                    }
                }
                self.emit(at, &body, &parts);
            }
            None if !configured
                && self.held.len() < MAX_HELD
                && body.first().is_some_and(|first| first & 0x80 != 0) =>
            {
                self.held.push((at, frame));
            }
            None if !core::mem::replace(&mut self.told, true) => {
                input.warn_at(at, "LATM frames that cannot be read are left out");
            }
            None => {}
        }
    }

    fn emit(&mut self, at: u64, element: &Bytes, parts: &Element) {
        let end = at.saturating_add((HEADER + element.len()) as u64);
        let Some(layer) = self.latm.config().and_then(|config| config.layers.first()) else { return };
        let samples = (layer.audio.frame_size(), layer.audio.sample_rate);
        let mut facts = (parts.new_config || !self.described).then(|| Box::new(facts(layer)));
        let replaces = self.described && facts.is_some();
        self.described = true;
        for payload in &parts.payloads {
            let Some(data) = payload.data(element) else { continue };
            let facts = facts.take();
            let replaces = replaces && facts.is_some();
            self.waiting.push_back(Unit { at, end, data, key: true, samples, facts, replaces, ..Unit::default() });
        }
    }
}

fn facts(layer: &Layer) -> Facts {
    let profile = layer.audio.object_type.checked_sub(1);
    Facts { codec: Codec::Aac, media: Media::Audio(layer.facts()), config: layer.config.clone(), profile }
}
