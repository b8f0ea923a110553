//! LOAS frames → packets of access units.

use alloc::vec::Vec;

use bytes::Bytes;

use super::super::{
    units::{Emit, Framed, TIME_BASE, Units, describe},
    walk::Walk,
};
use crate::{
    input::Input,
    stream::{Codec, Media, StreamInfo},
    syntax::{
        framing::{Frame, Frames},
        latm::{Element, HEADER, Latm, LoasFrames, MAX_HELD},
    },
    time::Ticks,
};

/// Reads LOAS.
pub(super) type Loas = Framed<Elements>;

/// Access units of frames.
#[derive(Default)]
pub(super) struct Elements {
    latm: Latm,
    stream: Option<StreamInfo>,
    /// Hz by which times go on: the first configuration's.
    clock: Option<u32>,
    /// Frames that cannot be read were remarked on.
    told: bool,
    /// Frames with their offsets that wait for the first configuration.
    held: Vec<(u64, Bytes)>,
}

impl Units for Elements {
    type Frames = LoasFrames;

    fn frame(&mut self, frame: Frame<<LoasFrames as Frames>::Header>, walk: &mut Walk<LoasFrames>, input: &mut Input) {
        let length = frame.length;
        let body = input.peek().get(HEADER..length).unwrap_or_default();
        let configured = self.latm.config().is_some();
        let Some(element) = self.latm.element(body) else {
            if !configured && self.held.len() < MAX_HELD && body.first().is_some_and(|first| first & 0x80 != 0) {
                self.held.push((input.offset(), input.take(length).unwrap_or_default()));
                return;
            }
            if !core::mem::replace(&mut self.told, true) {
                input.warn("frames that cannot be read are left out");
            }
            input.skip(length);
            return;
        };
        self.release(walk);
        let Some(block) = self.lasts() else { return };
        let whole = block.0.saturating_mul(i64::try_from(element.payloads.len()).unwrap_or(1));
        if walk.passes(length, Ticks(whole), input) {
            return;
        }
        let at = input.offset();
        if let Some(frame) = input.take(length) {
            self.emit(&element, &frame, Emit::of(walk, at, block), walk);
        }
    }

    fn end(&mut self, input: &mut Input) {
        if !core::mem::take(&mut self.held).is_empty() {
            input.warn("frames without a configuration left out");
        }
    }
}

impl Elements {
    /// How long an access unit lasts; `None` before there is a configuration.
    fn lasts(&mut self) -> Option<Ticks> {
        let audio = &self.latm.config()?.layers.first()?.audio;
        let rate = *self.clock.get_or_insert(audio.sample_rate.max(1));
        Some(Ticks(i64::from(audio.frame_size()) * i64::from(TIME_BASE.den.get()) / i64::from(rate)))
    }

    /// The first configuration has come: what waited for it is read with it.
    fn release(&mut self, walk: &mut Walk<LoasFrames>) {
        for (at, frame) in core::mem::take(&mut self.held) {
            let element = self.latm.element(frame.get(HEADER..).unwrap_or_default());
            if let (Some(element), Some(block)) = (element, self.lasts()) {
                self.emit(&element, &frame, Emit::of(walk, at, block), walk);
            }
        }
    }

    fn emit(&mut self, element: &Element, frame: &Bytes, mut emit: Emit, walk: &mut Walk<LoasFrames>) {
        let body = frame.slice(HEADER.min(frame.len())..);
        emit.new_config = self.describe(walk);
        for payload in &element.payloads {
            if let Some(data) = payload.data(&body) {
                emit.unit(data, walk);
            }
        }
    }

    /// Queues a description of the stream if its configuration is new. Returns the one that replaces another.
    fn describe(&mut self, walk: &mut Walk<LoasFrames>) -> Option<Bytes> {
        let layer = self.latm.config()?.layers.first()?;
        if self.stream.as_ref().is_some_and(|known| known.config == layer.config) {
            return None;
        }
        let replaces = self.stream.is_some();
        let mut stream = StreamInfo::new(Codec::Aac, TIME_BASE, Media::Audio(layer.facts()));
        (stream.config, stream.profile) = (layer.config.clone(), layer.audio.object_type.checked_sub(1));
        self.stream = Some(describe(stream, walk));
        replaces.then(|| layer.config.clone())
    }
}
