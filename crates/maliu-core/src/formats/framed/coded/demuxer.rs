//! Frames → packets.

use alloc::boxed::Box;
use core::task::Poll;

use super::{
    super::walk::{Met, Walk},
    codings::Coding,
};
use crate::{
    error::Result,
    format::{Demuxer, Event},
    input::Input,
    packet::{Flags, Packet},
    stream::{Media, StreamInfo},
    time::{Ticks, TimeBase},
};

/// A multiple of every rate, so that times do not drift.
const TIME_BASE: TimeBase = TimeBase::hz(28_224_000);

pub(super) struct Coded<C: Coding> {
    walk: Walk<C::Frames>,
    stream: Option<StreamInfo>,
    end: Option<Ticks>,
}

impl<C: Coding> Coded<C> {
    pub(super) fn new() -> Self {
        Self { walk: Walk::new(C::Frames::default(), TIME_BASE), stream: None, end: None }
    }

    fn frame(&mut self, length: usize, input: &mut Input) {
        let at = input.offset();
        let Some(audio) = C::facts(input.peek().get(..length).unwrap_or_default()) else {
            input.warn("frame that cannot be read skipped");
            input.skip(length);
            return;
        };
        let rate = i64::from(audio.rate().max(1));
        let duration = Ticks(i64::from(audio.frame_size) * i64::from(TIME_BASE.den.get()) / rate);
        if self.walk.passes(length, duration, input) {
            return;
        }
        self.walk.seek = None;
        if self.stream.as_ref().and_then(StreamInfo::as_audio) != Some(&audio) {
            let mut stream = StreamInfo::new(C::CODEC, TIME_BASE, Media::Audio(audio));
            stream.start = Some(Ticks(0));
            self.walk.pending.push_back(Event::Stream(0, Box::new(stream.clone())));
            self.stream = Some(stream);
        }
        let time = Some(self.walk.time);
        let packet = Packet {
            pts: time,
            dts: time,
            duration: Some(duration),
            flags: Flags::KEY,
            position: Some(at),
            data: input.take(length).unwrap_or_default(),
            ..Packet::default()
        };
        self.walk.time += duration;
        self.walk.pending.push_back(Event::Packet(packet));
    }
}

impl<C: Coding> Demuxer for Coded<C> {
    fn poll(&mut self, input: &mut Input) -> Result<Poll<Event>> {
        loop {
            match self.walk.poll(input) {
                Met::Event(event) => return Ok(Poll::Ready(event)),
                Met::Pending => return Ok(Poll::Pending),
                Met::Frame(frame) => self.frame(frame.length, input),
                // Framing leaves cut frames out.
                Met::Cut(_) => {}
                Met::End => {
                    let end = self.walk.time;
                    self.end = Some(end);
                    if !self.walk.goes_back(input) {
                        return Ok(Poll::Ready(Event::End));
                    }
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
