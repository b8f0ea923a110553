//! LOAS frames → packets of access units.

use alloc::{boxed::Box, vec::Vec};
use core::task::Poll;

use bytes::Bytes;

use super::super::walk::{Met, Walk};
use crate::{
    error::Result,
    format::{Demuxer, Event},
    input::Input,
    packet::{Flags, Packet},
    stream::{Codec, Media, StreamInfo},
    syntax::latm::{Element, HEADER, Latm, LoasFrames, MAX_HELD},
    time::{Ticks, TimeBase},
};

/// The ticks of ADTS: a multiple of every rate.
const TIME_BASE: TimeBase = TimeBase::hz(28_224_000);

pub(super) struct Loas {
    walk: Walk<LoasFrames>,
    latm: Latm,
    stream: Option<StreamInfo>,
    /// Hz by which times go on: the first configuration's.
    clock: Option<u32>,
    end: Option<Ticks>,
    /// Frames that cannot be read were remarked on.
    told: bool,
    /// Frames with their offsets that wait for the first configuration.
    held: Vec<(u64, Bytes)>,
}

impl Loas {
    pub(super) fn new() -> Self {
        let walk = Walk::new(LoasFrames, TIME_BASE);
        Self { walk, latm: Latm::default(), stream: None, clock: None, end: None, told: false, held: Vec::new() }
    }

    /// Takes the frame at the front and queues what it means.
    fn frame(&mut self, length: usize, input: &mut Input) {
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
        self.release();
        let Some(audio) = self.latm.config().and_then(|config| config.layers.first()).map(|layer| &layer.audio) else {
            return;
        };
        let rate = *self.clock.get_or_insert(audio.sample_rate.max(1));
        let block = i64::from(audio.frame_size()) * i64::from(TIME_BASE.den.get()) / i64::from(rate);
        let whole = block.saturating_mul(i64::try_from(element.payloads.len()).unwrap_or(1));
        if self.walk.passes(length, Ticks(whole), input) {
            return;
        }
        let at = input.offset();
        if let Some(frame) = input.take(length) {
            self.emit(&element, at, &frame, Ticks(block));
        }
    }

    /// The first configuration has come: what waited for it is read with it.
    fn release(&mut self) {
        for (at, frame) in core::mem::take(&mut self.held) {
            let element = self.latm.element(frame.get(HEADER..).unwrap_or_default());
            let audio = self.latm.config().and_then(|config| config.layers.first()).map(|layer| &layer.audio);
            if let (Some(element), Some(audio)) = (element, audio) {
                let rate = *self.clock.get_or_insert(audio.sample_rate.max(1));
                let block = i64::from(audio.frame_size()) * i64::from(TIME_BASE.den.get()) / i64::from(rate);
                self.emit(&element, at, &frame, Ticks(block));
            }
        }
    }

    fn emit(&mut self, element: &Element, at: u64, frame: &Bytes, block: Ticks) {
        let wanted = self.walk.seek.take().unwrap_or(Ticks(i64::MIN));
        let body = frame.slice(HEADER.min(frame.len())..);
        let mut new_config = self.describe();
        for payload in &element.payloads {
            let Some(data) = payload.data(&body) else { continue };
            let mut packet = Packet {
                pts: Some(self.walk.time),
                dts: Some(self.walk.time),
                duration: Some(block),
                flags: Flags::KEY,
                position: Some(at),
                data,
                ..Packet::default()
            };
            if let Some(config) = new_config.take() {
                packet.side.set_new_config(config);
            }
            self.walk.time += block;
            if self.walk.time > wanted {
                self.walk.pending.push_back(Event::Packet(packet));
            }
        }
    }

    /// Queues a description of the stream if its configuration is new. Returns the one that replaces another.
    fn describe(&mut self) -> Option<Bytes> {
        let layer = self.latm.config()?.layers.first()?;
        if self.stream.as_ref().is_some_and(|known| known.config == layer.config) {
            return None;
        }
        let replaces = self.stream.is_some();
        let mut stream = StreamInfo::new(Codec::Aac, TIME_BASE, Media::Audio(layer.facts()));
        (stream.config, stream.profile) = (layer.config.clone(), layer.audio.object_type.checked_sub(1));
        stream.start = Some(Ticks(0));
        self.walk.pending.push_back(Event::Stream(0, Box::new(stream.clone())));
        self.stream = Some(stream);
        replaces.then(|| layer.config.clone())
    }
}

impl Demuxer for Loas {
    fn poll(&mut self, input: &mut Input) -> Result<Poll<Event>> {
        loop {
            match self.walk.poll(input) {
                Met::Event(event) => return Ok(Poll::Ready(event)),
                Met::Pending => return Ok(Poll::Pending),
                Met::Frame(frame) => self.frame(frame.length, input),
                // Framing leaves cut frames out.
                Met::Cut(_) => {}
                Met::End => {
                    if !core::mem::take(&mut self.held).is_empty() {
                        input.warn("frames without a configuration left out");
                    }
                    let end = self.walk.time;
                    self.end = Some(end);
                    if !self.walk.goes_back(input) {
                        return Ok(Poll::Ready(Event::End));
                    }
                    self.walk.seek = Some(end - Ticks(1));
                }
            }
        }
    }

    fn reads_tags(&self) -> bool {
        true
    }

    fn seek(&mut self, to: Ticks, base: TimeBase, input: &mut Input) -> Result<()> {
        self.walk.seek(to, base, input).map(|_| ())
    }

    fn duration(&self) -> Option<(Ticks, TimeBase)> {
        self.end.map(|end| (end, TIME_BASE))
    }
}
